"""What waits for a decision, or was refused one, does not pass in pieces: for one person, or while a source is unread."""

from collections.abc import Collection, Mapping
from typing import Any

import pytest
from tests.deliver.office import synced
from tests.deliver.stage import Stage

from classbell.report import Report

pytestmark = pytest.mark.anyio

SAFETY = {
    "max_deletes": {"count": 5, "percent": 100, "per_24h_percent": 100, "at_least": 0},
    "source_shrink_percent": 100,
    "max_changes_percent": 60,
}
GONE = (0, 1, 2)


def write(
    stage: Stage, *, gone: Collection[int] = (), hours: Mapping[int, int] | None = None, source: str = ""
) -> None:
    """Ten classes but some, which Ada and Bob attend, at nine or at another hour."""
    at = dict.fromkeys((n for n in range(10) if n not in gone), 9) | dict(hours or {})
    rows = [f"m{n},2026-10-{10 + n}T{hour:02}:00,2026-10-{10 + n}T20:00,m{n}" for n, hour in at.items()]
    attends = [f"m{n},{stage.address(name)}" for name in ("ada", "bob") for n in at]
    for part, head, lines in (
        ("meetings", "key,start,end,title", rows),
        ("attendance", "meeting,person", attends),
    ):
        (stage.folder / f"{source}{part}.csv").write_text("\n".join([head, *lines, ""]))


def table(stage: Stage, source: str = "") -> dict[str, Any]:
    return {
        "meetings": stage.folder / f"{source}meetings.csv",
        "attendance": stage.folder / f"{source}attendance.csv",
        "map": {"key": "key", "start": "start", "end": "end", "title": "title"},
    }


async def sync(stage: Stage, person: str | None = None, **more: Any) -> Report:
    return await synced(stage, {"timetable": table(stage)}, person, safety=SAFETY, **more)


def held(report: Report) -> list[tuple[str, int]]:
    return [(hold.code, hold.changes) for hold in report.holds]


@pytest.fixture(autouse=True)
async def delivered(stage: Stage) -> None:
    stage.mailbox("ada")
    stage.mailbox("bob")
    write(stage)
    assert (await sync(stage)).exit_code == 0


@pytest.mark.parametrize("rejected", [False, True])
async def test_her_part_of_what_is_held_for_all_stays_and_everything_else_goes_on(
    stage: Stage, *, rejected: bool
) -> None:
    write(stage, gone=GONE)
    (hold,) = (await sync(stage)).holds
    assert (hold.code, hold.deletes) == ("E-HOLD-DELETES", 6)
    if rejected:
        async with stage.ledger() as book:
            await book.holds.reject(hold.id or 0, "ann", stage.clock.now())
    write(stage, gone=GONE, hours={9: 11})
    begin = stage.here
    report = await sync(stage, "ada")
    assert (held(report), report.holds[0].id, report.exit_code) == ([("E-HOLD-DELETES", 3)], hold.id, 4)
    assert (len(stage.asked("DELETE", since=begin)), len(stage.asked("PATCH", since=begin))) == (0, 1)


async def test_it_goes_once_a_person_has_agreed(stage: Stage) -> None:
    write(stage, gone=GONE)
    await sync(stage)
    async with stage.ledger() as book:
        (stored,) = await book.holds.live()
        await book.holds.approve(stored.id, "ann", stage.clock.now(), digest=stored.digest, needed=1)
    begin = stage.here
    assert held(await sync(stage, "ada")) == []
    assert len(stage.asked("DELETE", since=begin)) == 3
    assert held(await sync(stage)) == []
    assert len(stage.asked("DELETE", since=begin)) == 6


async def test_so_does_a_plan_that_is_held_whole_but_not_one_of_another_configuration(stage: Stage) -> None:
    write(stage, hours=dict.fromkeys(range(10), 11))
    assert held(await sync(stage)) == [("E-HOLD-CHANGES", 20)]
    begin = stage.here
    assert held(await sync(stage, "ada")) == [("E-HOLD-CHANGES", 10)]
    assert stage.asked("PATCH", since=begin) == []
    # To look at a new template in one mailbox first is the careful way.
    write(stage)
    template = [{"name": "all", "subject": "Class: {{ title }}"}]
    assert held(await sync(stage, profiles=template)) == [("E-HOLD-CONFIG", 20)]
    assert held(await sync(stage, "ada", profiles=template)) == []


@pytest.mark.parametrize("rejected", [False, True])
async def test_what_is_held_of_two_sources_does_not_go_while_one_of_them_is_unread(
    stage: Stage, *, rejected: bool
) -> None:
    """A part of too much is not too much; nor does it void what was said of the whole."""

    async def both() -> Report:
        sources = {"timetable": table(stage), "labs": table(stage, "labs-")}
        return await synced(stage, sources, safety=SAFETY)

    write(stage, source="labs-")
    assert (await both()).exit_code in {0, 4}
    async with stage.ledger() as book:
        for one in await book.holds.live():
            await book.holds.approve(one.id, "ann", stage.clock.now(), digest=one.digest)
    assert (await both()).exit_code == 0
    write(stage, gone=(0, 1))
    write(stage, gone=(2, 3), source="labs-")
    (hold,) = (await both()).holds
    assert (hold.code, hold.deletes) == ("E-HOLD-DELETES", 8)
    if rejected:
        async with stage.ledger() as book:
            await book.holds.reject(hold.id or 0, "ann", stage.clock.now())
    (stage.folder / "labs-meetings.csv").unlink()
    begin = stage.here
    report = await both()
    assert (held(report), report.holds[0].id) == ([("E-HOLD-DELETES", 4)], hold.id)
    assert stage.asked("DELETE", since=begin) == []
    async with stage.ledger() as book:
        (stored,) = await book.holds.live()
    assert (stored.deletes, stored.state) == (8, "rejected" if rejected else "open")
    write(stage, source="labs-")
    assert held(await both()) == []
    assert len(stage.asked("DELETE", since=begin)) == 4
