"""Persons to mailboxes: who receives what, and nobody rather than the wrong one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.timetables import audience, meeting, snapshot

from classbell.people import is_address, mailbox_key, receipts


@pytest.mark.parametrize(
    "person",
    ["ann@uni.example", " ann@uni.example ", "Ann.O'Neil+x@mail.uni.example", "groß@uni.example", "a@b.c"],
)
def test_an_address_is_an_address(person: str) -> None:
    assert is_address(person)


@pytest.mark.parametrize(
    "person",
    [
        "",
        "40112",
        "Ann Smith",
        "ann@uni",
        "@uni.example",
        "ann@",
        "ann@@uni.example",
        "ann smith@uni.example",
        "ann@uni.example, bob@uni.example",
        "Ann <ann@uni.example>",
        "ann@uni.example/../bob",
        "ann@uni\n.example",
        "ann\x00@uni.example",
        "ann\u200b@uni.example",
        "ann\u202e@uni.example",
        "ann\ud800@uni.example",
    ],
)
def test_what_is_no_address_or_hides_something_is_none(person: str) -> None:
    assert not is_address(person)


def test_addresses_that_differ_in_case_are_one_mailbox() -> None:
    assert mailbox_key(" Ann.Smith@Uni.Example ") == "ann.smith@uni.example"


def test_addresses_that_only_look_alike_are_different_mailboxes() -> None:
    assert mailbox_key("groß@uni.example") != mailbox_key("gross@uni.example")


@given(st.emails())
def test_a_mailboxs_key_is_its_own_key(person: str) -> None:
    assert mailbox_key(mailbox_key(person)) == mailbox_key(person)
    assert is_address(person) == is_address(mailbox_key(person))


ATTENDS = [("ann@x.edu", "m1"), ("bob@x.edu", "m1")]


def test_everybody_whom_a_source_attaches_receives_in_the_first_audience_that_gets_it() -> None:
    audiences = [
        audience("exams", name="examined", profile="plain"),
        audience("timetable", "exams", name="everybody", profile="standard"),
        audience("timetable", name="late", profile="late"),
    ]
    timetable = snapshot([meeting("m1")], ATTENDS)
    exams = snapshot([meeting("m1")], ATTENDS[:1], source="exams")
    served, remarks = receipts(audiences, [timetable, exams])
    assert [(one.audience, one.profile, one.snapshot.source, one.people.tolist()) for one in served] == [
        ("everybody", "standard", "timetable", [True, True]),
        ("examined", "plain", "exams", [True]),
    ]
    assert remarks == []


def test_a_source_that_no_audience_gets_reaches_nobody() -> None:
    assert receipts([audience("exams")], [snapshot([meeting("m1")], ATTENDS)]) == ([], [])


def test_a_source_that_attaches_nobody_was_read_all_the_same() -> None:
    (receipt,), _ = receipts([audience("timetable")], [snapshot([meeting("m1")], [])])
    assert receipt.people.tolist() == []
    (receipt,), _ = receipts([audience("timetable")], [snapshot([meeting("m1")], [("40112", "m1")])])
    assert receipt.people.tolist() == [False]


def test_persons_without_an_address_receive_nothing_and_are_named_and_others_go_on() -> None:
    attends = [("ann@x.edu", "m1"), *((str(number), "m1") for number in range(5))]
    (receipt,), (remark,) = receipts([audience("timetable")], [snapshot([meeting("m1")], attends)])
    assert receipt.people.tolist() == [True, False, False, False, False, False]
    assert remark.code == "E-PERSON-ADDRESS"
    assert "'timetable'" in remark.text
    assert "5 of 6" in remark.text
    assert "'0', '1', '2', ..." in remark.text
    assert "'3'" not in remark.text
