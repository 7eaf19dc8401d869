"""A change of the configuration waits for a person until all that comes of it could be seen."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
from tests.deliver.office import synced
from tests.deliver.stage import Stage

from classbell.report import Report

pytestmark = pytest.mark.anyio

CHANGED: dict[str, Any] = {"profiles": [{"name": "all", "subject": "Class: {{ title }}"}]}
DAYS = range(20)


def write(stage: Stage, *names: str, source: str = "a", days: Collection[int] = DAYS) -> None:
    """A class on each of some days, or what cannot be read if there are none."""
    rows = [f"{source}{n},2026-10-{1 + n:02}T09:00,2026-10-{1 + n:02}T10:00,{source}{n}" for n in days]
    attends = [f"{source}{n},{stage.address(name)}" for name in names for n in days]
    for part, head, lines in (
        ("meetings", "key,start,end,title", rows),
        ("attendance", "meeting,person", attends),
    ):
        (stage.folder / f"{source}-{part}.csv").write_text("\n".join([head, *lines, ""]))


async def sync(stage: Stage, **more: Any) -> Report:
    tables = {
        source: {
            "meetings": stage.folder / f"{source}-meetings.csv",
            "attendance": stage.folder / f"{source}-attendance.csv",
            "map": {"key": "key", "start": "start", "end": "end", "title": "title"},
        }
        for source in ("a", "b")
    }
    return await synced(stage, tables, safety={"max_changes_percent": 100}, **more)


def codes(report: Report) -> list[str]:
    return [hold.code for hold in report.holds]


@pytest.fixture(autouse=True)
async def delivered(stage: Stage) -> None:
    """Ada has the classes of one source, Bob those of another."""
    stage.mailbox("ada")
    stage.mailbox("bob")
    write(stage, "ada")
    write(stage, "bob", source="b")
    assert (await sync(stage)).exit_code == 0


@pytest.mark.parametrize("days", [(), range(10)], ids=["unread", "shrunk"])
async def test_what_comes_of_it_where_nothing_was_read_or_applied_waits_too(
    stage: Stage, days: Collection[int]
) -> None:
    for source in ("a", "b"):
        write(stage, "ada", "bob", source=source, days=days)
    assert "E-HOLD-CONFIG" not in codes(await sync(stage, **CHANGED))
    write(stage, "ada")
    write(stage, "bob", source="b")
    begin = stage.here
    report = await sync(stage, **CHANGED)
    assert codes(report) == ["E-HOLD-CONFIG"]
    assert (report.holds[0].changes, stage.asked("PATCH", since=begin)) == (40, [])


async def test_once_a_person_has_agreed_a_source_that_cannot_be_read_asks_no_more(stage: Stage) -> None:
    write(stage, "bob", source="b", days=())
    (hold,) = (await sync(stage, **CHANGED)).holds
    async with stage.ledger() as book:
        (stored,) = await book.holds.live()
        assert stored.id == hold.id
        await book.holds.approve(stored.id, "ann", stage.clock.now(), digest=stored.digest, needed=1)
    assert codes(await sync(stage, **CHANGED)) == []
    write(stage, "ada", days=range(1, 20))
    assert codes(await sync(stage, **CHANGED)) == []


async def test_nothing_waits_where_nothing_has_changed_whatever_cannot_be_read(stage: Stage) -> None:
    write(stage, "bob", source="b", days=())
    write(stage, "ada", days=range(1, 20))
    assert codes(await sync(stage)) == []
    # Nor where it never comes to anything: the first run that sees it all remembers it.
    write(stage, "bob", source="b")
    assert codes(await sync(stage, window={"timezone": "UTC", "future": timedelta(days=190)})) == []
    write(stage, "ada", days=range(2, 20))
    assert codes(await sync(stage, window={"timezone": "UTC", "future": timedelta(days=190)})) == []


async def test_what_is_held_whole_is_no_measure_of_what_a_source_has_lost(stage: Stage) -> None:
    write(stage, "ada", days=range(3, 20))
    assert codes(await sync(stage, **CHANGED)) == ["E-HOLD-CONFIG"]
    write(stage, "ada", days=range(5, 20))
    assert codes(await sync(stage)) == ["E-SRC-SHRUNK"]
