"""Where ids do not last, an event that was moved is found by its mark; what is not proven is held."""

import pytest
from tests.deliver.stage import BOUND, Stage, lecture, member
from tests.verify.readings import rebuild, verify

from classbell.ledger import Sighted
from classbell.model import Action
from classbell.sandbox import RequestInfo

pytestmark = [pytest.mark.anyio, pytest.mark.lacks("immutable_ids")]


@pytest.fixture(autouse=True)
async def delivered(stage: Stage) -> None:
    """Ada has two lectures, old enough to be found in any list."""
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=12)]
    await stage.run()
    stage.clock.pass_time(2 * BOUND)


def move(stage: Stage) -> None:
    """Ada moves Logic to a calendar of her own."""
    ada = stage.mailbox("ada")
    ada.move_event(stage.our_event("ada", "Logic"), ada.create_calendar("Private"))


def cancel(stage: Stage) -> None:
    stage.timetable["ada"] = [lecture("Sets", day=12)]


def change(stage: Stage, place: str = "A1") -> None:
    stage.timetable["ada"] = [lecture("Logic", place=place), lecture("Sets", day=12)]


async def test_it_is_deleted_where_it_stands(stage: Stage) -> None:
    move(stage)
    cancel(stage)
    tally = await stage.run()
    assert tally.done[Action.DELETE] == 1
    await stage.assert_true()


async def test_it_is_found_again_after_each_move(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    calendars = [ada.create_calendar(name) for name in ("Private", "Other")]
    for place, calendar in zip(("A1", "A2", "A3"), (*calendars, calendars[0]), strict=True):
        ada.move_event(stage.our_event("ada", "Logic"), calendar)
        change(stage, place)
        await stage.run()
        await stage.assert_true()


async def test_it_is_found_after_a_conflict_too(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    ada.edit_event(stage.our_event("ada", "Logic"), {"subject": "Mine"})
    calendar = ada.create_calendar("Private")
    moved: list[str] = []

    def between(info: RequestInfo) -> bool:
        if member("GET")(info) and not moved:
            moved.append(stage.our_event("ada", "Mine"))
            ada.move_event(moved[0], calendar)
        return False

    stage.sandbox.faults.add(between, 500)
    change(stage)
    await stage.run()
    assert moved
    await stage.settle()
    await stage.assert_true()


async def test_what_is_dragged_back_amid_a_look_is_not_made_again(stage: Stage) -> None:
    """It stands in none of the lists: in one it stands no more, in the other not yet."""
    move(stage)
    ada = stage.mailbox("ada")
    looks: list[str] = []

    def between(info: RequestInfo) -> bool:
        if member("GET")(info) and "/events" in info.path:
            looks.append(info.path)
            if len(looks) == 2:
                ada.move_event(stage.our_event("ada", "Logic"))
        return False

    stage.sandbox.faults.add(between, 500)
    change(stage)
    await stage.run()
    assert len(looks) > 2
    await stage.settle()
    await stage.assert_true()
    assert len(ada.events()) == 2


async def test_a_delete_of_which_nobody_heard_stays_unknown_where_it_cannot_be_looked_for(
    stage: Stage,
) -> None:
    cancel(stage)
    stage.sandbox.faults.add(member("DELETE"), "504-after")
    await stage.run(patience=0.0)
    stage.clock.pass_time(2 * BOUND)
    stage.sandbox.faults.add(lambda info: member("GET")(info) and "/calendars" in info.path, 400, times=9)
    await stage.run(patience=0.0)
    assert await stage.why_open() == {("ada", "Logic"): ("unknown", "E-GRAPH-REJECTED")}
    stage.sandbox.faults.clear()
    await stage.settle()
    await stage.assert_true()


async def test_reading_back_follows_it(stage: Stage) -> None:
    move(stage)
    verdict = await verify(stage)
    assert (verdict.read, verdict.unlike) == (1, 0)
    change(stage)
    before = stage.here
    await stage.run()
    # Its new id is known by now.
    assert next(record.method for record in stage.asked(since=before)) == "PATCH"
    assert {record.status for record in stage.asked(since=before)} <= {200, 412}
    await stage.assert_true()


async def test_a_rebuild_follows_it(stage: Stage) -> None:
    move(stage)
    rebuilt = await rebuild(stage)
    assert (rebuilt.known, rebuilt.adopted, rebuilt.held_count, rebuilt.struck) == (2, 0, 0, 0)
    change(stage)
    await stage.run()
    await stage.assert_true()


async def test_one_that_lists_cannot_show_yet_is_not_taken_for_gone(stage: Stage) -> None:
    stage.sandbox.switches.lookup_lag = 300.0
    stage.timetable["ada"].append(lecture("Trees", day=13))
    await stage.run()
    ada = stage.mailbox("ada")
    ada.move_event(stage.our_event("ada", "Trees"), ada.create_calendar("Private"))
    stage.timetable["ada"][-1] = lecture("Trees", day=13, place="A1")
    for _ in range(2):
        await stage.run(patience=0.0)
        assert await stage.why_open() == {("ada", "Trees"): ("waiting", "E-EVT-GONE")}
        stage.clock.pass_time(70.0)
    await stage.settle()
    assert len(ada.events()) == 3
    await stage.assert_true()


async def test_one_that_its_owner_removed_is_made_again_once_that_is_sure(stage: Stage) -> None:
    stage.mailbox("ada").delete_event(stage.our_event("ada", "Logic"))
    change(stage)
    tally = await stage.run()
    assert tally.done[Action.CREATE] == 1
    await stage.assert_true()


async def test_of_an_event_and_its_later_copy_the_event_is_found(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    copy = ada.copy_event(stage.our_event("ada", "Logic"))
    original = next(
        event["id"]
        for event in ada.events()
        if event["subject"] == "Logic" and ada.event(copy)["id"] != event["id"]
    )
    ada.move_event(original, ada.create_calendar("Private"))
    cancel(stage)
    await stage.run()
    assert stage.shown("ada") == sorted([*stage.wanted("ada"), ("Logic", "2026-10-01T09:00:00", "B12")])
    assert ada.event(copy)["subject"] == "Logic"


async def test_a_copy_whose_original_is_gone_is_held_and_neither_written_nor_doubled(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    original = stage.our_event("ada", "Logic")
    copy = ada.copy_event(original)
    ada.delete_event(original)
    assert (await verify(stage)).seen[Sighted.FORGED] == 1
    await stage.run()
    assert await stage.why_open() == {}
    change(stage)
    await stage.run()
    assert await stage.why_open() == {("ada", "Logic"): ("held", "E-MARK-SEVERAL")}
    assert (await rebuild(stage)).held_count > 0
    await stage.settle()
    assert len(ada.events()) == 2
    assert ada.event(copy)["location"]["displayName"] == "B12"
