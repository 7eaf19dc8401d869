"""Where nobody outside Microsoft knows how the service behaves, delivery is right either way."""

import math
from typing import Any, Literal

import pytest
from tests.deliver.stage import Stage, lecture, mark_of, member

from classbell.model import ChangeState, LeaveMode

pytestmark = pytest.mark.anyio

# Alone, each value has its turn with ``--each-switch``.
TOGETHER: list[dict[str, Any]] = [
    {"transaction_memory": 300.0, "transaction_of_deleted": "duplicate"},
    {"transaction_memory": math.inf, "transaction_of_deleted": "duplicate"},
    {"lookup_lag": 60.0, "lookup_lag_spread": True, "lagging_lists": "all", "transaction_memory": 0.0},
]


@pytest.mark.parametrize("calendar", ["default", "Timetable"])
async def test_a_few_days_of_a_term_end_true(stage: Stage, calendar: str) -> None:
    """Under the defaults, and with ``--each-switch`` under every value that can matter."""
    await live_through_a_few_days(stage, calendar)


@pytest.mark.prove
@pytest.mark.parametrize("switches", TOGETHER, ids=str)
async def test_several_surprises_together_change_nothing(stage: Stage, switches: dict[str, Any]) -> None:
    vars(stage.sandbox.switches).update(switches)
    await live_through_a_few_days(stage, "default")


@pytest.mark.parametrize("calendar", ["default", "Timetable"])
@pytest.mark.parametrize("status", [200, 404])
async def test_what_its_owner_removed_is_made_again_even_if_its_id_still_answers(
    stage: Stage, status: Literal[200, 404], calendar: str
) -> None:
    """In Deleted Items nobody would see the change."""
    stage.sandbox.switches.items_in_deleted_items_by_immutable_id = status
    stage.calendar = calendar
    ada = stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=11)]
    await stage.run()
    stage.clock.pass_time(3_600)
    ada.delete_event(stage.our_event("ada", "Logic"))
    ada.move_event(stage.our_event("ada", "Sets"), ada.create_calendar("Private"))
    sets = stage.our_event("ada", "Sets")
    stage.timetable["ada"] = [lecture("Logic", place="A1"), lecture("Sets", day=11, place="A1")]
    await stage.run()
    await stage.settle()
    await stage.assert_true()
    assert stage.our_event("ada", "Sets") == sets, "what was only moved is not made again"


@pytest.mark.parametrize("obeyed", [True, False])
@pytest.mark.parametrize("effect", ["504-after", "drop-after"])
async def test_a_delete_whose_answer_was_lost_leaves_its_event_in_deleted_items(
    stage: Stage, effect: str, *, obeyed: bool
) -> None:
    """Its id may still answer there: deleted a second time it would be gone for good."""
    switches = stage.sandbox.switches
    switches.items_in_deleted_items_by_immutable_id, switches.if_match_on_delete = 200, obeyed
    ada = stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=11)]
    await stage.run()
    stage.clock.pass_time(3_600)
    stage.timetable["ada"] = [lecture("Sets", day=11)]
    stage.sandbox.faults.add(member("DELETE"), effect)
    await stage.run()
    await stage.settle()
    await stage.assert_true()
    assert [event["subject"] for event in ada.deleted_events()] == ["Logic"]
    assert await deleted_by_us(stage) == 1, "it can be put back"


async def deleted_by_us(stage: Stage) -> int:
    """How many events runs have deleted that can be put back."""
    async with stage.ledger() as book:
        return sum([len(await book.restoring.deleted(run.id)) for run in await book.runs.last(9)])


@pytest.mark.parametrize("if_match", [True, False])
async def test_a_delete_whose_answer_was_lost_is_not_sent_anew_because_its_owner_leaves(
    stage: Stage, *, if_match: bool
) -> None:
    stage.sandbox.switches.items_in_deleted_items_by_immutable_id = 200
    stage.sandbox.switches.if_match_on_delete = if_match
    ada = stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic")]
    await stage.run()
    stage.clock.pass_time(3_600)
    stage.timetable["ada"] = []
    stage.sandbox.faults.add(member("DELETE"), "504-after")
    await stage.run(patience=0.0)
    async with stage.ledger() as book:
        box = await book.mailboxes.find(stage.address("ada"))
        assert box is not None
        mode, now = LeaveMode.DELETE_ALL_EVENTS, stage.clock.now()
        await book.leaving.accept(box.id, mode, await book.leaving.look(box.id, mode, now), "", now)
    await stage.settle()
    assert [event["subject"] for event in ada.deleted_events()] == ["Logic"]
    assert await deleted_by_us(stage) == 1, "it can be put back"


@pytest.mark.stands_on("if_match_on_delete")
async def test_an_event_that_its_owner_removed_before_us_stays_in_their_deleted_items(stage: Stage) -> None:
    stage.sandbox.switches.items_in_deleted_items_by_immutable_id = 200
    ada = stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=11)]
    await stage.run()
    stage.clock.pass_time(3_600)
    ada.delete_event(stage.our_event("ada", "Logic"))
    stage.timetable["ada"] = [lecture("Sets", day=11)]
    await stage.run()
    await stage.settle()
    await stage.assert_true()
    assert [event["subject"] for event in ada.deleted_events()] == ["Logic"]
    assert await deleted_by_us(stage) == 0


async def test_a_delete_that_was_not_carried_out_is_repeated(stage: Stage) -> None:
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=11)]
    await stage.run()
    stage.clock.pass_time(3_600)
    stage.timetable["ada"] = [lecture("Sets", day=11)]
    stage.sandbox.faults.add(member("DELETE"), "504-before", times=2)
    await stage.run()
    await stage.settle()
    await stage.assert_true()


@pytest.mark.parametrize("effect", ["504-before", "drop-before", "504-after", "504-late"])
async def test_what_may_have_been_deleted_and_is_wanted_again_is_not_deleted_a_second_time(
    stage: Stage, effect: str
) -> None:
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=11)]
    await stage.run()
    event = stage.our_event("ada", "Logic")
    stage.clock.pass_time(3_600)
    logic = stage.timetable["ada"].pop(0)
    stage.sandbox.faults.add(member("DELETE"), effect)
    await stage.run(patience=0.0)
    assert (await stage.open_changes())["ada", "Logic"].state is ChangeState.UNKNOWN
    stage.timetable["ada"].append(logic)
    since = stage.here
    await stage.run()
    await stage.settle()
    await stage.run()
    assert stage.asked("DELETE", since=since) == []
    await stage.assert_true()
    assert await stage.why_open() == {}
    assert (stage.our_event("ada", "Logic") == event) is effect.endswith("before")


async def test_what_may_have_been_deleted_goes_on_once_it_is_wanted_no_more_after_all(stage: Stage) -> None:
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=11)]
    await stage.run()
    stage.clock.pass_time(3_600)
    logic = stage.timetable["ada"].pop(0)
    stage.sandbox.faults.add(member("DELETE"), "504-before")
    await stage.run(patience=0.0)
    stage.timetable["ada"].append(logic)
    await stage.run()
    stage.timetable["ada"].remove(logic)
    await stage.settle()
    await stage.assert_true()
    assert [subject for subject, *_ in stage.shown("ada")] == ["Sets"]


async def live_through_a_few_days(stage: Stage, calendar: str) -> None:
    """Lost answers, an edit, a removal and a drag by the owner, moves, cancellations, comings back."""
    stage.calendar = calendar
    ada = stage.mailbox("ada")
    stage.timetable["ada"] = [lecture(f"L{n}", day=20 + n) for n in range(6)]
    stage.sandbox.faults.add(member("POST"), "504-after", times=2)
    await stage.run()
    await stage.settle()
    await stage.assert_true()

    ada.edit_event(stage.our_event("ada", "L0"), {"subject": "Mine"})
    ada.delete_event(stage.our_event("ada", "L1"))
    ada.move_event(stage.our_event("ada", "L2"), ada.create_calendar("Private"))
    stage.timetable["ada"] = [lecture(f"L{n}", day=20 + n, place="A1") for n in range(5)]
    stage.sandbox.faults.add(member("PATCH"), "504-after")
    stage.sandbox.faults.add(member("DELETE"), "drop-after")
    await stage.run()
    await stage.settle()
    await stage.assert_true()

    stage.timetable["ada"] = [lecture(f"L{n}", day=20 + n) for n in range(6)]
    stage.sandbox.faults.add(member("POST"), "drop-after")
    await stage.run()
    await stage.settle()
    await stage.assert_true()
    keys = [mark.meeting_key for event in ada.events() if (mark := mark_of(event)) is not None]
    assert len(keys) == len(set(keys)) == 6
