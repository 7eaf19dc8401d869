"""The mark says the same when read as when written, can be searched by prefix, and shows tampering."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.outlook.made import INSTALLATION, mark

from classbell.operations import operation_id
from classbell.outlook.mark import Mark, installation_prefix, operation_prefix

marks = st.builds(
    Mark,
    installation=st.uuids().map(str),
    institution=st.text(min_size=1),
    mailbox_key=st.text(min_size=1),
    meeting_key=st.text(min_size=1),
    incarnation=st.integers(0, 1000),
    intent_at=st.integers(0, 2**40),
    revision=st.integers(0, 2**60),
)


@given(marks)
def test_a_mark_reads_as_it_was_written(mark: Mark) -> None:
    assert Mark.parse(mark.text()) == mark


@given(marks)
def test_a_mark_begins_with_the_prefixes_it_is_searched_by(mark: Mark) -> None:
    text = mark.text()
    assert text.startswith(installation_prefix(mark.installation))
    assert text.startswith(operation_prefix(mark.installation, mark.operation))
    front = operation_prefix(mark.installation, mark.operation)
    assert front == front.lower(), "the service compares without regard to case"


def test_the_text_is_readable_by_people() -> None:
    assert mark().text() == (
        f'1/{INSTALLATION}/{mark().operation}/["example","ada@example.edu","ALG/L1/3",1,1790000000,7]'
    )


@given(marks, st.data())
def test_a_mark_that_was_edited_is_none(mark: Mark, data: st.DataObject) -> None:
    text = mark.text()
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(exclude_characters=text[place]))
    edited = Mark.parse(text[:place] + other + text[place + 1 :])
    # Instant and revision are not part of the operation; every other part is.
    assert edited is None or edited == msgspec.structs.replace(
        mark, intent_at=edited.intent_at, revision=edited.revision
    )


@pytest.mark.parametrize("text", ["", "1", "1//", "2/a/b/[]", "not ours", "1/a/b/{}", "1/a/b/[1,2]"])
def test_what_is_no_mark_is_none(text: str) -> None:
    assert Mark.parse(text) is None


def test_the_operation_never_changes_between_versions() -> None:
    # This id stands in ledgers and mailboxes: another result would lose or double events.
    assert (
        operation_id(INSTALLATION, "example", "ada@example.edu", "ALG/L1/3", 1)
        == mark().operation
        == "5e0c9e84-1dbd-50b2-8f07-09394b10e19d"
    )


Parts = tuple[str, str, str]
three_texts = st.tuples(st.text(), st.text(), st.text())


@given(three_texts, three_texts)
def test_different_parts_give_different_operations(one: Parts, other: Parts) -> None:
    first, second = (operation_id(INSTALLATION, *parts, 1) for parts in (one, other))
    assert (first == second) == (one == other)
    assert UUID(first).version == 5


def test_a_deliberate_re_creation_is_another_operation() -> None:
    assert mark(incarnation=1).operation != mark(incarnation=2).operation


def test_a_later_intent_is_the_same_operation() -> None:
    assert mark(intent_at=1, revision=2).operation == mark(intent_at=3, revision=4).operation
