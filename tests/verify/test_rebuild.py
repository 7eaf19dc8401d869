"""A lost or old ledger, rebuilt from the marks: nothing doubled, nothing taken that may be somebody else's."""

import math
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import pytest
from tests.deliver.interfaces import grow_old
from tests.deliver.stage import BOUND, Stage, lecture, mark_of, member
from tests.verify.readings import OWNER, rebuild, seen, verify

from classbell.ledger import Sighted
from classbell.model import Action, LeaveMode
from classbell.outlook.mark import MARK_PROPERTY, Mark
from classbell.sandbox.ids import parse
from classbell.verify import rebuild_mailboxes

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def delivered(stage: Stage) -> None:
    """Ada has two lectures, Bo one."""
    for name in ("ada", "bo"):
        stage.mailbox(name)
    stage.timetable = {"ada": [lecture("Logic"), lecture("Sets", day=12)], "bo": [lecture("Algebra")]}
    await stage.run()


def bytes_of(stage: Stage, name: str) -> Mapping[str, bytes]:
    return {event["id"]: msgspec.json.encode(event) for event in stage.mailbox(name).events()}


def with_mark(event: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    """An event like one of ours, its mark changed in some parts."""
    mark = mark_of(dict(event))
    assert mark is not None
    text = Mark(**{name: getattr(mark, name) for name in mark.__struct_fields__} | changed).text()
    return {name: event[name] for name in ("subject", "start", "end")} | {
        "singleValueExtendedProperties": [{"id": MARK_PROPERTY, "value": text}]
    }


async def test_a_lost_ledger_is_rebuilt_without_a_write_and_the_next_run_has_nothing_to_do(
    stage: Stage,
) -> None:
    before = {name: bytes_of(stage, name) for name in stage.timetable}
    stage.lose_ledger()
    rebuilt = await rebuild(stage)
    assert (rebuilt.mailboxes, rebuilt.adopted, rebuilt.differing, rebuilt.held_count) == (2, 3, 0, 0)
    assert rebuilt.revision == 1
    await stage.assert_true()
    assert {name: bytes_of(stage, name) for name in stage.timetable} == before


async def test_a_rebuild_waits_until_nothing_sent_before_can_come_to_light(stage: Stage) -> None:
    stage.lose_ledger()
    began = stage.sandbox.clock.now()
    first = stage.here
    await rebuild(stage)
    looks = [r for r in stage.asked("GET", since=first) if "/events" in r.path]
    assert looks
    assert min(record.at for record in looks) >= began + 60 + BOUND


async def test_who_asked_for_peace_in_the_run_before_is_not_asked_by_a_rebuild(stage: Stage) -> None:
    stage.timetable["ada"].append(lecture("Late", day=13))
    stage.sandbox.faults.add(member("POST", "ada"), 429, retry_after=3600)
    await stage.run(patience=0.0)
    asked = stage.here
    assert (await rebuild(stage)).unread_count == 1
    assert [record for record in stage.asked("GET", since=asked) if "/ada" in record.path] == []


async def test_a_create_that_is_late_is_adopted_all_the_same(stage: Stage) -> None:
    stage.timetable["bo"].append(lecture("Late", day=13))
    stage.sandbox.faults.add(member("POST", "bo"), "504-late", delay=300)
    await stage.run(patience=0.0)
    stage.lose_ledger()
    rebuilt = await rebuild(stage)
    assert rebuilt.adopted == 4
    await stage.assert_true()


async def test_what_was_changed_is_put_right_in_place_and_nothing_else_is_written(stage: Stage) -> None:
    event = stage.our_event("ada", "Logic")
    stage.mailbox("ada").edit_event(event, {"location": {"displayName": "home"}})
    stage.timetable["ada"][1] = lecture("Sets", day=12, place="A1")
    stage.lose_ledger()
    assert (await rebuild(stage)).differing == 2
    before = stage.here
    assert (await stage.run()).done == {Action.UPDATE: 2}
    assert [record.method for record in stage.asked(since=before) if record.status != 429] == ["PATCH"] * 2
    assert stage.our_event("ada", "Logic") == event
    await stage.assert_true()


async def test_what_is_wanted_no_more_is_deleted_by_the_run_after(stage: Stage) -> None:
    stage.timetable["ada"] = [lecture("Logic")]
    stage.lose_ledger()
    assert (await rebuild(stage)).adopted == 3
    assert (await stage.run()).done == {Action.DELETE: 1}
    await stage.assert_true()


async def test_of_two_that_bear_one_mark_none_is_taken_and_no_third_is_made(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    ada.copy_event(stage.our_event("ada", "Logic"))
    before = bytes_of(stage, "ada")
    stage.lose_ledger()
    rebuilt = await rebuild(stage)
    assert (rebuilt.adopted, rebuilt.held_count) == (2, 2)
    assert (await stage.run()).done == {}
    assert bytes_of(stage, "ada") == before
    assert {kind for kind, _ in await seen(stage, "ada")} == {Sighted.EXTRA}
    # Not after they were read back either.
    assert (await verify(stage)).seen == {Sighted.EXTRA: 2}
    assert (await stage.run()).done == {}


async def test_a_held_pair_is_free_again_when_its_owner_has_removed_what_was_too_much(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    copy = ada.copy_event(stage.our_event("ada", "Logic"))
    stage.lose_ledger()
    await rebuild(stage)
    ada.delete_event(copy)
    assert (await rebuild(stage)).adopted == 1
    await stage.assert_true()


async def test_a_copy_whose_original_is_gone_is_its_owners(stage: Stage) -> None:
    ada, event = stage.mailbox("ada"), stage.our_event("ada", "Logic")
    stage.clock.pass_time(3 * BOUND)
    ada.copy_event(event)
    ada.delete_event(event)
    before = bytes_of(stage, "ada")
    stage.lose_ledger()
    assert (await rebuild(stage)).held_count == 1
    await stage.run()
    assert bytes_of(stage, "ada") == before


@pytest.mark.needs("immutable_ids")
async def test_a_copy_is_not_taken_for_an_original_whose_id_the_ledger_knows(stage: Stage) -> None:
    """Made within the bound, it looks like an event whose answer was lost; but the ledger had the answer."""
    ada = stage.mailbox("ada")
    original = stage.our_event("ada", "Logic")
    copy = ada.copy_event(original)
    ada.delete_event(original)
    kept = msgspec.json.encode(ada.event(copy))
    stage.clock.pass_time(BOUND + 60)
    rebuilt = await rebuild(stage)
    assert (rebuilt.adopted, rebuilt.struck, rebuilt.held_count) == (0, 1, 1)
    stage.timetable["ada"] = []
    await stage.run()
    assert msgspec.json.encode(ada.event(copy)) == kept


@pytest.mark.stands_on("items_in_deleted_items_by_immutable_id")
async def test_incarnations_go_on_above_the_highest_that_was_seen(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    for round_ in range(2):
        ada.delete_event(stage.our_event("ada", "Logic"))
        stage.timetable["ada"][0] = lecture("Logic", place=f"A{round_}")
        grow_old(stage)
        await stage.run()
    stage.lose_ledger()
    await rebuild(stage)
    ada.delete_event(stage.our_event("ada", "Logic"))
    stage.clock.pass_time(BOUND + 60)
    await verify(stage)
    await stage.run()
    mark = mark_of(ada.event(stage.our_event("ada", "Logic")))
    assert mark is not None
    assert mark.incarnation > 3
    await stage.assert_true()


async def test_of_two_incarnations_the_later_one_is_ours(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    event = ada.event(stage.our_event("ada", "Logic"))
    second = ada.put_event(with_mark(event, incarnation=2, intent_at=int(stage.sandbox.clock.now())))
    stage.lose_ledger()
    rebuilt = await rebuild(stage)
    assert (rebuilt.adopted, rebuilt.held_count) == (3, 1)
    async with stage.ledger() as book:
        box = await book.mailboxes.find(stage.address("ada"))
        assert box is not None
        numbers = {item.number for one in await book.entries.event_ids(box.id) if (item := parse(one))}
    made = parse(second)
    assert made is not None
    assert made.number in numbers


async def test_a_mailbox_that_could_not_be_read_stays_held(stage: Stage) -> None:
    before = bytes_of(stage, "ada")
    stage.lose_ledger()
    stage.sandbox.faults.add(member("GET", "ada"), 500, times=100)
    rebuilt = await rebuild(stage)
    assert (rebuilt.mailboxes, rebuilt.unread_count) == (1, 1)
    stage.sandbox.faults.clear()
    stage.clock.pass_time(90_000)
    await stage.run()
    assert bytes_of(stage, "ada") == before
    assert (await rebuild(stage)).adopted == 2
    await stage.assert_true()


async def test_what_another_installation_marked_is_not_even_seen(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    event = ada.event(stage.our_event("ada", "Logic"))
    theirs = ada.put_event(with_mark(event, installation="0d0fbbd4-26e4-4d4a-8c2f-7a3c5f9f3a11"))
    kept = msgspec.json.encode(ada.event(theirs))
    stage.lose_ledger()
    rebuilt = await rebuild(stage)
    assert (rebuilt.adopted, rebuilt.held_count) == (3, 0)
    await stage.assert_true(but={"ada": None})
    assert msgspec.json.encode(ada.event(theirs)) == kept


async def test_what_its_owner_changed_is_known_to_be_theirs_where_the_ledger_was_sound(stage: Stage) -> None:
    event = stage.our_event("ada", "Logic")
    stage.mailbox("ada").edit_event(event, {"subject": "Mine"})
    stage.clock.pass_time(BOUND + 60)
    rebuilt = await rebuild(stage)
    assert (rebuilt.known, rebuilt.differing, rebuilt.held_count) == (3, 1, 0)
    assert await seen(stage, "ada") == [(Sighted.DRIFTED, "title")]
    assert (await stage.run()).done == {Action.UPDATE: 1}
    await stage.assert_true()


async def test_what_its_owner_deleted_stays_deleted_where_the_ledger_was_sound(stage: Stage) -> None:
    stage.policies = {"on_user_delete": "respect"}
    ada = stage.mailbox("ada")
    ada.delete_event(stage.our_event("ada", "Logic"))
    stage.clock.pass_time(BOUND + 60)
    assert (await rebuild(stage)).struck == 1
    assert (await stage.run()).done == {}
    stage.timetable["ada"][0] = lecture("Logic", place="A1")
    assert (await stage.run()).done == {Action.CREATE: 1}
    await stage.assert_true()


@pytest.mark.parametrize("effect", ["", "503-before", "drop-after"])
@pytest.mark.parametrize("of_deleted", ["duplicate", "existing"])
async def test_a_transaction_of_a_lost_ledger_is_not_taken_for_a_wish_of_the_owner(
    stage: Stage, of_deleted: Literal["duplicate", "existing"], effect: str
) -> None:
    """
    It had removed the event itself; then the meeting comes back, and the service remembers the create.

    Nor is it where the first attempt of the new ledger may have made an event as well.
    """
    stage.sandbox.switches.transaction_memory = math.inf
    stage.sandbox.switches.transaction_of_deleted = of_deleted
    stage.policies = {"on_user_delete": "respect"}
    logic = stage.timetable["ada"].pop(0)
    await stage.run()
    stage.lose_ledger()
    await rebuild(stage)
    stage.timetable["ada"].append(logic)
    if effect:
        stage.sandbox.faults.add(member("POST", "ada"), effect)
    for _ in range(3):
        await stage.run()
        stage.clock.pass_time(2 * BOUND)
    await stage.assert_true()


@pytest.mark.parametrize("answers", [None, 429])
@pytest.mark.parametrize("of_deleted", ["duplicate", "existing"])
async def test_however_often_its_owner_deleted_what_a_lost_ledger_made_another_version_is_delivered(
    stage: Stage, of_deleted: Literal["duplicate", "existing"], answers: int | None
) -> None:
    """The service knows two incarnations; and no refusal of the first attempt makes the second one a doubt."""
    stage.sandbox.switches.transaction_memory = math.inf
    stage.sandbox.switches.transaction_of_deleted = of_deleted
    stage.policies = {"on_user_delete": "respect"}
    ada = stage.mailbox("ada")
    for place in ("A1", "A2"):
        ada.delete_event(stage.our_event("ada", "Logic"))
        stage.timetable["ada"][0] = lecture("Logic", place=place)
        stage.clock.pass_time(BOUND)
        await stage.run()
    ada.delete_event(stage.our_event("ada", "Logic"))
    stage.timetable["ada"][0] = lecture("Logic", place="A3")
    stage.lose_ledger()
    await rebuild(stage)
    if answers is not None:
        stage.sandbox.faults.add(member("POST", "ada"), answers, retry_after=1)
    for _ in range(8):
        await stage.run()
        stage.clock.pass_time(2 * BOUND)
    await stage.assert_true()


async def test_a_sound_ledger_waits_only_for_what_it_has_sent_itself(stage: Stage) -> None:
    began = stage.sandbox.clock.now()
    await rebuild(stage)
    assert stage.sandbox.clock.now() < began + 60
    stage.timetable["bo"].append(lecture("Late", day=13))
    stage.sandbox.faults.add(member("POST", "bo"), "504-late", delay=300)
    sent_at = stage.sandbox.clock.now()
    await stage.run(patience=0.0)
    stage.clock.pass_time(100)
    assert (await rebuild(stage)).adopted == 1
    assert sent_at + 60 + BOUND <= stage.sandbox.clock.now() < sent_at + 60 + BOUND + 30
    await stage.assert_true()


@pytest.mark.parametrize(("edited", "sights"), [(False, []), (True, [(Sighted.DRIFTED, "title")])])
async def test_what_a_lost_answer_had_made_is_known_by_what_was_sent_even_if_no_timetable_is_read(
    stage: Stage, *, edited: bool, sights: list[tuple[Sighted, str]]
) -> None:
    """As those who leave need it: or what goes with them could never be put back."""
    stage.timetable["bo"].append(lecture("Late", day=13))
    stage.sandbox.faults.add(member("POST", "bo"), "504-after")
    await stage.run(patience=0.0)
    if edited:
        stage.mailbox("bo").edit_event(stage.our_event("bo", "Late"), {"subject": "Mine"})
    async with stage.ledger() as book:
        bo = await book.mailboxes.find(stage.address("bo"))
        assert bo is not None
        access, clock = stage.access(), stage.clock
        rebuilt = await rebuild_mailboxes(book, access, clock, [bo], owner=OWNER, bound=BOUND, timezone="UTC")
        bodies = [body for _, body in await book.entries.of_mailbox(bo)]
    assert (rebuilt.known, rebuilt.adopted, rebuilt.differing) == (1, 1, len(sights))
    assert [msgspec.json.decode(body)["subject"] for body in bodies] == ["Algebra", "Late"]
    assert await seen(stage, "bo") == sights


@pytest.mark.parametrize("lag", [0.0, 60.0])
async def test_what_a_lost_answer_had_changed_is_known_by_what_was_sent_too(stage: Stage, lag: float) -> None:
    """And waited for, since lists may show the version of before for a while."""
    stage.sandbox.switches.lookup_lag = lag
    stage.timetable["bo"] = [lecture("Algebra", place="A1")]
    stage.sandbox.faults.add(member("PATCH", "bo"), "504-after", times=None)
    await stage.run(patience=0.0)
    async with stage.ledger() as book:
        bo = await book.mailboxes.find(stage.address("bo"))
        assert bo is not None
        access, clock = stage.access(), stage.clock
        rebuilt = await rebuild_mailboxes(book, access, clock, [bo], owner=OWNER, bound=BOUND, timezone="UTC")
        ((_, body),) = await book.entries.of_mailbox(bo)
    assert (rebuilt.known, rebuilt.differing) == (1, 0)
    assert b"A1" in body


async def test_a_delete_that_is_late_is_waited_for_and_is_no_wish_of_the_owner(stage: Stage) -> None:
    stage.policies = {"on_user_delete": "respect"}
    algebra = stage.timetable["bo"].pop()
    stage.sandbox.faults.add(member("DELETE", "bo"), "504-late", delay=300)
    await stage.run(patience=0.0)
    assert (await rebuild(stage)).struck == 1
    stage.timetable["bo"].append(algebra)
    await stage.run()
    await stage.assert_true()


async def test_what_is_so_new_that_lists_lack_it_stays_known_and_is_not_made_twice(stage: Stage) -> None:
    stage.sandbox.switches.lookup_lag = 300.0
    stage.timetable["bo"].append(lecture("Young", day=14))
    await stage.run()
    rebuilt = await rebuild(stage)
    assert (rebuilt.mailboxes, rebuilt.known, rebuilt.struck) == (2, 4, 0)
    await stage.assert_true()
    stage.clock.pass_time(BOUND)
    await stage.assert_true()


@pytest.mark.parametrize(
    ("doubted", "stays"),
    # Of a mailbox that is in doubt already, nothing is approved.
    [("", 0), ("before", 1), ("since", 1)],
    ids=["sound", "doubted_before", "doubted_since"],
)
async def test_what_goes_with_who_has_left_goes_on_after_a_rebuild_if_it_was_not_doubted(
    stage: Stage, doubted: str, stays: int
) -> None:
    mode = LeaveMode.DELETE_ALL_EVENTS

    async def doubt() -> None:
        ledger = await stage.open_ledger()
        await ledger.doubt(9, 0.0)
        ledger.close()

    if doubted == "before":
        await doubt()
    async with stage.ledger() as book:
        bo = await book.mailboxes.find(stage.address("bo"))
        assert bo is not None
        now = stage.clock.now()
        await book.leaving.accept(bo.id, mode, await book.leaving.look(bo.id, mode, now), "", now)
    if doubted == "since":
        await doubt()
    await rebuild(stage)
    await stage.run()
    assert len(stage.mailbox("bo").events()) == stays
