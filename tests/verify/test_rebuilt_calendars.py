"""Which calendars are ours, as a rebuild learns it after a loss."""

import pytest
from tests.deliver.stage import DECADE, Stage, lecture
from tests.verify.readings import rebuild

from classbell.model import Suspended

pytestmark = pytest.mark.anyio

OURS = "Timetable"


@pytest.fixture(autouse=True)
async def delivered(stage: Stage) -> None:
    """Ada and Bo have a lecture in a calendar of our own each, and the ledger is lost."""
    stage.timetable = {"ada": [lecture("Logic")], "bo": [lecture("Algebra")]}
    for name in stage.timetable:
        stage.mailbox(name)
    stage.calendar = OURS
    await stage.run()
    stage.lose_ledger()


def calendars(stage: Stage, name: str) -> list[str]:
    """The ids of somebody's calendars of that name."""
    return [id_ for id_, called in stage.mailbox(name).calendars().items() if called == OURS]


async def stopped(stage: Stage) -> list[tuple[str, Suspended]]:
    async with stage.ledger() as book:
        return [(one.mailbox.address, one.kind) for one in await book.suspensions.all()]


async def test_a_calendar_that_is_deleted_after_a_rebuild_stops_us_where_that_is_wanted(stage: Stage) -> None:
    stage.policies = {"on_calendar_delete": "stop"}
    await rebuild(stage)
    (ours,) = calendars(stage, "ada")
    stage.mailbox("ada").delete_calendar(ours)
    for name in stage.timetable:
        stage.timetable[name].append(lecture("Sets", day=12))
    await stage.run()
    assert await stopped(stage) == [(stage.address("ada"), Suspended.CALENDAR)]
    assert calendars(stage, "ada") == []
    assert stage.shown("bo") == stage.wanted("bo")


async def test_a_calendar_of_that_name_in_which_nothing_of_ours_stands_is_its_owners_own(
    stage: Stage,
) -> None:
    stage.policies = {"on_calendar_delete": "stop"}
    (ours,) = calendars(stage, "ada")
    stage.mailbox("ada").delete_calendar(ours)
    own = stage.mailbox("ada").create_calendar(OURS)
    await rebuild(stage)
    stage.mailbox("ada").delete_calendar(own)
    await stage.settle()
    assert await stopped(stage) == []
    await stage.assert_true()


async def test_a_rebuild_of_a_sound_ledger_keeps_the_calendar_that_was_renamed(stage: Stage) -> None:
    await rebuild(stage)
    (ours,) = calendars(stage, "ada")
    stage.mailbox("ada").rename_calendar(ours, "Uni")
    stage.mailbox("ada").create_calendar(OURS)
    await rebuild(stage)
    stage.timetable["ada"].append(lecture("Sets", day=12))
    await stage.run()
    assert len(stage.mailbox("ada").calendar_view(*DECADE, calendar=ours)) == 2
