"""What a run deleted is put back, but for who wants no such calendar any more."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.deliver.office import opened, synced
from tests.deliver.stage import BOUND, Stage

from classbell.model import Suspended
from classbell.restoration import Restoration, Restored

pytestmark = pytest.mark.anyio

OURS = "Timetable"
CLASSES = 10


def write_tables(stage: Stage, *, without: int = -1) -> dict[str, dict[str, Any]]:
    """Ten classes but one, which Ada and Bob attend."""
    kept = [n for n in range(CLASSES) if n != without]
    rows = [f"L{n},2026-10-{10 + n}T09:00,2026-10-{10 + n}T10:00,L{n}" for n in kept]
    attends = [f"L{n},{stage.address(name)}" for name in ("ada", "bob") for n in kept]
    for name, head, lines in (
        ("meetings", "key,start,end,title", rows),
        ("attendance", "meeting,person", attends),
    ):
        (stage.folder / f"{name}.csv").write_text("\n".join([head, *lines, ""]))
    table = {
        "meetings": stage.folder / "meetings.csv",
        "attendance": stage.folder / "attendance.csv",
        "map": {"key": "key", "start": "start", "end": "end", "title": "title"},
    }
    return {"timetable": table}


async def put_back_after_ada_deleted_her_calendar(stage: Stage, policy: str) -> Restored:
    """The second run has deleted a class of both, and Ada her calendar after it."""
    profile = {"name": "all", "calendar": OURS, "on_calendar_delete": policy}
    for name in ("ada", "bob"):
        stage.mailbox(name)
    await synced(stage, write_tables(stage), profiles=[profile])
    sources = write_tables(stage, without=3)
    assert (await synced(stage, sources, profiles=[profile])).exit_code == 0
    stage.clock.pass_time(BOUND)
    (ours,) = (id_ for id_, name in stage.mailbox("ada").calendars().items() if name == OURS)
    stage.mailbox("ada").delete_calendar(ours)
    return await put_back(stage, profile)


async def put_back(stage: Stage, profile: dict[str, str]) -> Restored:
    """What the run has deleted that deleted two."""
    async with opened(stage, write_tables(stage, without=3), profiles=[profile]) as office:
        (deleting,) = [
            run.id for run in await office.ledger.runs.last(9) if run.summary["done"] == {"delete": 2}
        ]
        restoration = Restoration(office, deleting)
        return await restoration.carry_out(await restoration.look())


async def test_what_was_made_so_long_ago_that_nobody_knows_where_comes_back_where_its_profile_says(
    stage: Stage,
) -> None:
    profile = {"name": "all", "calendar": OURS}
    for name in ("ada", "bob"):
        stage.mailbox(name)
    await synced(stage, write_tables(stage), profiles=[profile])
    stage.clock.pass_time(BOUND)
    async with stage.ledger() as book:
        assert await book.pruning.prune(stage.clock.now(), payload=BOUND, runs=0)
    await synced(stage, write_tables(stage, without=3), profiles=[profile])
    done = await put_back(stage, profile)
    assert (done.created, done.waiting) == (2, ())
    (ours,) = (id_ for id_, name in stage.mailbox("ada").calendars().items() if name == OURS)
    assert (
        len(
            stage.mailbox("ada").calendar_view(
                datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC), ours
            )
        )
        == CLASSES
    )


async def test_a_calendar_that_was_to_stop_us_is_not_made_again_to_put_something_back(stage: Stage) -> None:
    done = await put_back_after_ada_deleted_her_calendar(stage, "stop")
    assert OURS not in stage.mailbox("ada").calendars().values()
    assert len(stage.mailbox("bob").events()) == CLASSES
    assert [(waiting.code, waiting.changes) for waiting in done.waiting] == [("E-CAL-STOPPED", 1)]
    async with stage.ledger() as book:
        assert [one.kind for one in await book.suspensions.all()] == [Suspended.CALENDAR]


async def test_where_it_is_made_again_anyway_it_is_made_for_what_is_put_back_as_well(stage: Stage) -> None:
    done = await put_back_after_ada_deleted_her_calendar(stage, "restore")
    assert (done.created, done.waiting) == (2, ())
    assert OURS in stage.mailbox("ada").calendars().values()
