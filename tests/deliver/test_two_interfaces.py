"""From one interface to the other, with events that are delivered: the same events, under other ids."""

import sqlite3

import pytest
from tests.deliver.stage import BOUND, Stage, lecture
from tests.verify.readings import rebuild, verify

from classbell.ledger import Sighted
from classbell.settings.values import ApiName

pytestmark = [pytest.mark.anyio, pytest.mark.prove]


@pytest.fixture(autouse=True)
async def delivered(stage: Stage) -> None:
    """Ada has three lectures, Bob one of them; both are old enough to be found in any list."""
    for name in ("ada", "bob"):
        stage.mailbox(name)
    stage.timetable = {
        "ada": [lecture("Logic"), lecture("Sets", day=12), lecture("Trees", day=13)],
        "bob": [lecture("Logic")],
    }
    await stage.run()
    stage.clock.pass_time(2 * BOUND)


def change_over(stage: Stage) -> None:
    """From now on by the other interface."""
    other: ApiName = "outlook-rest-v2" if stage.tenant_settings.api == "graph" else "graph"
    stage.tenant_settings = stage.tenant_settings.model_copy(update={"api": other})


def change_logic(stage: Stage, place: str) -> None:
    stage.timetable["ada"][0] = stage.timetable["bob"][0] = lecture("Logic", place=place)


async def finish(stage: Stage) -> None:
    """Everything is right, nothing stands twice, and a further run asks nobody anything."""
    await stage.assert_true()
    assert await stage.why_open() == {}
    before = stage.here
    await stage.run()
    assert stage.asked(since=before) == []


async def test_where_nothing_is_to_be_delivered_no_mailbox_is_asked_anything(stage: Stage) -> None:
    for _ in range(2):
        change_over(stage)
        await finish(stage)


async def test_what_changes_afterwards_is_changed_and_not_made_again_there_and_back(stage: Stage) -> None:
    before = {name: len(stage.mailbox(name).events()) for name in ("ada", "bob")}
    for place in ("A1", "A2", "A3"):
        change_over(stage)
        change_logic(stage, place)
        await stage.run()
        await finish(stage)
    assert {name: len(stage.mailbox(name).events()) for name in ("ada", "bob")} == before


async def test_deletes_and_creates_find_their_way_as_well(stage: Stage) -> None:
    change_over(stage)
    stage.timetable["ada"] = [lecture("Sets", day=12), lecture("Graphs", day=14)]
    await stage.run()
    await finish(stage)
    change_over(stage)
    stage.timetable["ada"] = [lecture("Graphs", day=14, place="C9")]
    await stage.run()
    await finish(stage)


async def test_a_mailbox_is_looked_through_once(stage: Stage) -> None:
    change_over(stage)
    for place in ("A1", "A2"):
        before = stage.here
        change_logic(stage, place)
        await stage.run()
        looked = [r for r in stage.asked("GET", since=before) if r.mailbox.startswith("ada")]
        # Among the calendars, and in the one that there is.
        assert len(looked) == (2 if place == "A1" else 0)


async def test_what_its_owner_did_meanwhile_is_met_as_ever(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    ada.edit_event(stage.our_event("ada", "Logic"), {"subject": "Mine"})
    ada.move_event(stage.our_event("ada", "Sets"), ada.create_calendar("Private"))
    ada.delete_event(stage.our_event("ada", "Trees"))
    change_over(stage)
    stage.timetable["ada"] = [
        lecture(title, day=day, place="A1") for title, day in (("Logic", 10), ("Sets", 12), ("Trees", 13))
    ]
    stage.timetable["bob"] = [lecture("Logic", place="A1")]
    await stage.settle()
    await finish(stage)


async def test_a_copy_is_told_from_the_event_by_its_etag_however_young(stage: Stage) -> None:
    stage.timetable["ada"].append(lecture("Graphs", day=14))
    await stage.run()
    ada = stage.mailbox("ada")
    copy = ada.copy_event(stage.our_event("ada", "Graphs"))
    stage.clock.pass_time(2 * BOUND)
    change_over(stage)
    stage.timetable["ada"][-1] = lecture("Graphs", day=14, place="A1")
    await stage.run()
    assert await stage.why_open() == {}
    assert ada.event(copy)["location"]["displayName"] == "B12"
    changed = [event for event in ada.events() if event["location"]["displayName"] == "A1"]
    assert len(changed) == 1


def forget_when_events_were_created(stage: Stage) -> None:
    """As a ledger has it that was made before that was noted."""
    with sqlite3.connect(stage.folder / "ledger.db") as database:
        database.execute("UPDATE entry SET created_at = NULL")


async def test_a_copy_is_told_from_an_event_that_was_edited_by_when_each_was_created(stage: Stage) -> None:
    stage.timetable["ada"].append(lecture("Graphs", day=14))
    await stage.run()
    ada = stage.mailbox("ada")
    original = stage.our_event("ada", "Graphs")
    copy = ada.copy_event(original)
    ada.edit_event(original, {"importance": "high"})
    stage.clock.pass_time(2 * BOUND)
    change_over(stage)
    stage.timetable["ada"][-1] = lecture("Graphs", day=14, place="A1")
    await stage.settle()
    assert ada.event(copy)["location"]["displayName"] == "B12"
    assert ada.event(original)["location"]["displayName"] == "A1"
    assert await stage.why_open() == {}


async def test_what_cannot_be_told_from_its_copies_is_held_and_neither_written_nor_made_again(
    stage: Stage,
) -> None:
    stage.timetable["ada"].append(lecture("Graphs", day=14))
    await stage.run()
    forget_when_events_were_created(stage)
    ada = stage.mailbox("ada")
    original = stage.our_event("ada", "Graphs")
    ada.copy_event(original)
    ada.edit_event(original, {"importance": "high"})
    stage.clock.pass_time(2 * BOUND)
    before = len(ada.events())
    change_over(stage)
    stage.timetable["ada"][-1] = lecture("Graphs", day=14, place="A1")
    verdict = await verify(stage)
    assert verdict.seen[Sighted.FORGED] == 1
    await stage.settle()
    assert len(ada.events()) == before
    assert all(event["location"]["displayName"] == "B12" for event in ada.events())


async def test_reading_back_finds_everything_in_its_place(stage: Stage) -> None:
    change_over(stage)
    verdict = await verify(stage)
    assert (verdict.read, verdict.unlike, verdict.unread) == (2, 0, [])
    before = stage.here
    change_logic(stage, "A1")
    await stage.run()
    assert stage.asked("GET", since=before) == []
    await finish(stage)


async def test_a_rebuild_keeps_everything(stage: Stage) -> None:
    change_over(stage)
    rebuilt = await rebuild(stage)
    assert (rebuilt.known, rebuilt.adopted, rebuilt.held_count, rebuilt.struck) == (4, 0, 0, 0)
    await finish(stage)


async def test_a_look_that_fails_changes_nothing_and_is_made_again(stage: Stage) -> None:
    change_over(stage)
    change_logic(stage, "A1")
    stage.sandbox.faults.add(lambda info: info.kind == "member" and info.method == "GET", 503, times=40)
    await stage.run(patience=0.0)
    assert stage.asked("PATCH") == []
    assert {state for state, _ in (await stage.why_open()).values()} == {"waiting"}
    stage.sandbox.faults.clear()
    await stage.settle()
    await finish(stage)
