"""Updates and deletes: of our own events only, and right whatever their owners and the network do."""

from collections.abc import Callable
from itertools import count

import pytest
from tests.deliver.interfaces import grow_old
from tests.deliver.stage import BOUND, DECADE, Stage, lecture, mark_of, member

from classbell.model import Action
from classbell.sandbox import RequestInfo

pytestmark = pytest.mark.anyio

LOST = pytest.mark.parametrize(
    "effect", ["drop-before", "drop-after", "503-before", "503-after", "504-after", "423-before"]
)


@pytest.fixture(autouse=True)
async def delivered(stage: Stage) -> None:
    """Ada has two lectures."""
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=12)]
    await stage.run()
    grow_old(stage)


def move(stage: Stage) -> None:
    stage.timetable["ada"] = [lecture("Logic", place="A1"), lecture("Sets", day=12)]


def operation_of(stage: Stage) -> str:
    """Under which operation Logic was made; Graph's ``transactionId`` is the same, where there is one."""
    event = stage.mailbox("ada").event(stage.our_event("ada", "Logic"))
    mark = mark_of(event)
    assert mark is not None
    assert event["transactionId"] == (mark.operation if stage.tenant_settings.api == "graph" else None)
    return mark.operation


def cancel(stage: Stage) -> None:
    stage.timetable["ada"] = [lecture("Sets", day=12)]


@LOST
@pytest.mark.parametrize(("change", "method"), [(move, "PATCH"), (cancel, "DELETE")])
async def test_a_change_whose_answer_is_lost_is_repeated_and_done_once(
    stage: Stage, change: Callable[[Stage], None], method: str, effect: str
) -> None:
    event = stage.our_event("ada", "Logic")
    change(stage)
    stage.sandbox.faults.add(member(method), effect)
    before = stage.here
    await stage.run()
    await stage.assert_true()
    first, *_ = stage.asked(method, since=before)
    assert {record.path for record in stage.asked(method, since=before)} == {first.path}
    if method == "PATCH":
        assert stage.our_event("ada", "Logic") == event


async def test_an_update_is_repeated_under_the_same_if_match(stage: Stage) -> None:
    """So that a second time can do no harm: somebody may have changed the event in between."""
    seen: list[str] = []

    def watch(info: RequestInfo) -> bool:
        if info.kind == "batch":
            seen.extend(p["headers"]["If-Match"] for p in info.body["requests"] if p["method"] == "PATCH")
        return False

    stage.sandbox.faults.add(watch, 500)
    stage.sandbox.faults.add(member("PATCH"), "504-before")
    move(stage)
    await stage.run()
    assert len(seen) == 2
    assert len(set(seen)) == 1
    await stage.assert_true()


async def test_a_lost_update_that_was_carried_out_is_not_forgotten_when_the_source_takes_it_back(
    stage: Stage,
) -> None:
    move(stage)
    stage.sandbox.faults.add(member("PATCH"), "504-after")
    await stage.run(patience=0.0)
    assert stage.shown("ada") == stage.wanted("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=12)]
    await stage.settle()
    await stage.assert_true()


async def test_a_refusal_of_the_repetition_proves_nothing_of_the_first_time(stage: Stage) -> None:
    move(stage)
    stage.sandbox.faults.add(member("PATCH"), "504-after")
    stage.sandbox.faults.add(member("PATCH"), 429, retry_after=300)
    await stage.run()
    assert stage.shown("ada") == stage.wanted("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=12)]
    await stage.settle()
    await stage.assert_true()


async def test_a_lost_delete_that_was_carried_out_is_not_forgotten_when_the_meeting_comes_back(
    stage: Stage,
) -> None:
    cancel(stage)
    stage.sandbox.faults.add(member("DELETE"), "504-after")
    await stage.run(patience=0.0)
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=12)]
    await stage.settle()
    await stage.assert_true()


@pytest.mark.stands_on("lookup_lag")
async def test_an_event_its_owner_edited_is_written_again_after_a_look_at_its_mark(stage: Stage) -> None:
    event = stage.our_event("ada", "Logic")
    stage.mailbox("ada").edit_event(event, {"subject": "Mine", "location": {"displayName": "home"}})
    move(stage)
    before = stage.here
    await stage.run()
    # Read by its id, then looked for among the calendars and in the one that there is.
    methods = [record.method for record in stage.asked(since=before)]
    assert methods == ["PATCH", "GET", "GET", "GET", "PATCH"]
    assert stage.our_event("ada", "Logic") == event
    await stage.assert_true()


async def test_an_event_its_owner_edited_is_deleted_all_the_same(stage: Stage) -> None:
    stage.mailbox("ada").edit_event(stage.our_event("ada", "Logic"), {"subject": "Mine"})
    cancel(stage)
    await stage.run()
    await stage.assert_true()


@pytest.mark.stands_on("items_in_deleted_items_by_immutable_id")
async def test_an_event_its_owner_removed_is_made_again_as_another_one(stage: Stage) -> None:
    event = stage.our_event("ada", "Logic")
    operation = operation_of(stage)
    stage.mailbox("ada").delete_event(event)
    move(stage)
    tally = await stage.run()
    assert tally.done[Action.CREATE] == 1
    made = stage.mailbox("ada").event(stage.our_event("ada", "Logic"))
    mark = mark_of(made)
    assert mark is not None
    assert mark.incarnation == 2
    assert mark.operation != operation
    await stage.assert_true()


@pytest.mark.stands_on("items_in_deleted_items_by_immutable_id")
async def test_an_event_removed_again_and_again_is_another_one_each_time(stage: Stage) -> None:
    operations = set()
    for round_ in range(4):
        event = stage.our_event("ada", "Logic")
        operations.add(operation_of(stage))
        stage.mailbox("ada").delete_event(event)
        stage.timetable["ada"] = [lecture("Logic", place=f"A{round_}"), lecture("Sets", day=12)]
        await stage.run()
        grow_old(stage)
    assert len(operations) == 4
    await stage.assert_true()


async def test_a_meeting_that_comes_back_after_its_delete_is_another_event(stage: Stage) -> None:
    operation = operation_of(stage)
    cancel(stage)
    await stage.run()
    stage.timetable["ada"].append(lecture("Logic"))
    await stage.run()
    assert operation_of(stage) != operation
    await stage.assert_true()


async def test_deleting_what_its_owner_has_removed_is_done(stage: Stage) -> None:
    stage.clock.pass_time(BOUND + 60)
    stage.mailbox("ada").delete_event(stage.our_event("ada", "Logic"))
    cancel(stage)
    tally = await stage.run()
    assert tally.done[Action.DELETE] == 1
    assert await stage.why_open() == {}
    await stage.assert_true()


async def test_an_event_its_owner_moved_to_another_calendar_is_changed_there(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    event = stage.our_event("ada", "Logic")
    other = ada.create_calendar("Private")
    ada.move_event(event, other)
    move(stage)
    await stage.run()
    assert stage.our_event("ada", "Logic") == event
    private = ada.calendar_view(*DECADE, calendar=other)
    assert [seen["location"]["displayName"] for seen in private] == ["A1"]
    await stage.assert_true()


# Where a DELETE does not obey If-Match, such an event goes when its meeting does: docs/reference/sandbox.md, Switches.
@pytest.mark.stands_on("if_match_on_delete")
@pytest.mark.parametrize("change", [move, cancel])
async def test_an_event_that_bears_another_mark_is_held_and_left_alone(
    stage: Stage, change: Callable[[Stage], None]
) -> None:
    """Some program has written the mark of one event into another."""
    ada = stage.mailbox("ada")
    event = stage.our_event("ada", "Logic")
    foreign = ada.event(stage.our_event("ada", "Sets"))["singleValueExtendedProperties"]
    ada.edit_event(event, {"subject": "Mine", "singleValueExtendedProperties": foreign})
    seen = ada.event(event)
    change(stage)
    await stage.run()
    assert await stage.why_open() == {("ada", "Logic"): ("held", "E-EVT-FOREIGN")}
    assert ada.event(event) == seen
    await stage.settle()
    assert ada.event(event) == seen
    await stage.assert_packed()


async def test_a_copy_of_our_event_is_never_touched(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    copy = ada.copy_event(stage.our_event("ada", "Logic"))
    seen = ada.event(copy)
    move(stage)
    await stage.run()
    cancel(stage)
    await stage.run()
    assert ada.event(copy) == seen


async def test_an_event_that_something_else_keeps_changing_is_left_for_a_while(stage: Stage) -> None:
    event = stage.our_event("ada", "Logic")

    def touched(info: RequestInfo) -> bool:
        if info.kind == "member" and info.method == "PATCH":
            stage.mailbox("ada").touch_event(event)
        return False

    stage.sandbox.faults.add(touched, 500)
    move(stage)
    before = stage.here
    await stage.run()
    assert await stage.why_open() == {("ada", "Logic"): ("waiting", "E-EVT-CONTESTED")}
    assert len(stage.asked("PATCH", since=before)) == 5
    stage.sandbox.faults.clear()
    await stage.settle(1)
    await stage.assert_true()


async def test_refusals_for_the_time_being_do_not_count_as_conflicts(stage: Stage) -> None:
    stage.sandbox.faults.add(member("PATCH"), 429, times=8, retry_after=1)
    stage.mailbox("ada").edit_event(stage.our_event("ada", "Logic"), {"subject": "Mine"})
    move(stage)
    await stage.run()
    await stage.assert_true()


async def test_conflicts_on_microsofts_own_side_pass(stage: Stage) -> None:
    stage.sandbox.faults.add(member("PATCH"), 412, times=2)
    stage.sandbox.faults.add(member("PATCH"), 409)
    move(stage)
    await stage.run()
    await stage.assert_true()


async def test_an_edit_that_was_met_is_put_right_though_the_update_that_met_it_is_wanted_no_more(
    stage: Stage,
) -> None:
    """The event was read again, and then its update had to wait; meanwhile the source took it back."""
    stage.clock.pass_time(BOUND + 60)
    stage.mailbox("ada").edit_event(stage.our_event("ada", "Logic"), {"subject": "Mine"})
    move(stage)
    patches = count(1)

    def second_patch(info: RequestInfo) -> bool:
        return member("PATCH")(info) and next(patches) == 2

    stage.sandbox.faults.add(second_patch, 429, retry_after=3600)
    await stage.run()
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=12)]
    await stage.settle()
    await stage.assert_true()
