"""A reset makes a calendar again that its owner had deleted, but none that is deleted after it."""

import pytest
from tests.deliver.office import synced
from tests.deliver.stage import BOUND, Stage, member
from tests.deliver.test_put_back import CLASSES, OURS, write_tables

from classbell.model import Suspended
from classbell.report import Report

pytestmark = pytest.mark.anyio

PROFILE = {"name": "all", "calendar": OURS, "on_calendar_delete": "stop"}


@pytest.fixture(autouse=True)
async def delivered(stage: Stage) -> None:
    """Ada and Bob have ten classes each in calendars of our own."""
    for name in ("ada", "bob"):
        stage.mailbox(name)
    assert (await sync(stage)).exit_code == 0


async def sync(stage: Stage) -> Report:
    return await synced(stage, write_tables(stage), profiles=[PROFILE])


async def reset(stage: Stage) -> Report:
    return await synced(stage, write_tables(stage), "ada", reset=True, profiles=[PROFILE])


def delete_her_calendar(stage: Stage) -> None:
    # Where the ids of deleted events still answer, it takes a look to notice, in which young events may be missing.
    stage.clock.pass_time(BOUND)
    (ours,) = (id_ for id_, name in stage.mailbox("ada").calendars().items() if name == OURS)
    stage.mailbox("ada").delete_calendar(ours)


async def test_a_calendar_that_its_owner_had_deleted_is_made_again(stage: Stage) -> None:
    delete_her_calendar(stage)
    assert (await reset(stage)).exit_code == 0
    assert len(stage.mailbox("ada").events()) == CLASSES


async def test_what_a_reset_left_to_later_runs_makes_none_again_that_was_deleted_after_it(
    stage: Stage,
) -> None:
    stage.sandbox.faults.add(member("PATCH", "ada"), 503, times=3, retry_after=3_600)
    assert (await reset(stage)).exit_code == 3
    delete_her_calendar(stage)
    stage.clock.pass_time(3_600)
    await sync(stage)
    assert OURS not in stage.mailbox("ada").calendars().values()
    async with stage.ledger() as book:
        assert [one.kind for one in await book.suspensions.all()] == [Suspended.CALENDAR]
