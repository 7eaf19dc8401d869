"""A whole run over a real table: what it remembers of its end, and what a person in a hurry can do."""

import pytest
from tests.deliver.interfaces import revoke
from tests.deliver.office import synced
from tests.deliver.stage import Stage, member

from classbell.errors import ConfigurationError, RefusedError, SourceUnusable
from classbell.report import Report

pytestmark = pytest.mark.anyio


def write_tables(stage: Stage, *names: str, place: str = "B12") -> None:
    rows = [f"L{n},2026-10-{10 + n:02}T09:00,2026-10-{10 + n:02}T10:00,L{n},{place}" for n in range(3)]
    (stage.folder / "meetings.csv").write_text("\n".join(["id,from,to,title,room", *rows, ""]))
    attends = [f"L{n},{stage.address(name)}" for name in names for n in range(3)]
    (stage.folder / "attendance.csv").write_text("\n".join(["meeting,person", *attends, ""]))


async def sync(stage: Stage, person: str | None = None) -> Report:
    table = {
        "meetings": stage.folder / "meetings.csv",
        "attendance": stage.folder / "attendance.csv",
        "map": {"key": "id", "start": "from", "end": "to", "title": "title", "location": "room"},
    }
    return await synced(stage, {"timetable": table}, person)


async def test_a_run_that_is_refused_is_remembered_with_its_end(stage: Stage) -> None:
    write_tables(stage, "ada")
    stage.mailbox("ada")
    revoke(stage)
    with pytest.raises(RefusedError) as caught:
        await sync(stage)
    async with stage.ledger() as book:
        (last,) = await book.runs.last()
    assert last.exit_code == 6
    assert last.finished_at is not None
    assert (last.summary["error"], last.summary["planned"]) == (caught.value.code, {"create": 3})


async def test_the_report_of_a_run_adds_up(stage: Stage) -> None:
    write_tables(stage, "ada", "bob", "cyd")
    stage.mailbox("ada")
    stage.mailbox("bob")
    report = await sync(stage)
    assert sum(report.tally.done.values()) == 6
    assert [(w.code, w.changes, w.mailboxes) for w in report.waiting] == [("E-MBX-404", 3, 1)]
    assert report.exit_code == 3


async def test_a_person_who_is_asked_for_is_served_though_the_mailbox_was_out(stage: Stage) -> None:
    write_tables(stage, "ada", "bob")
    stage.mailbox("ada").state = "unlicensed"
    stage.mailbox("bob")
    assert (await sync(stage)).exit_code == 3
    stage.mailbox("ada").state = "active"
    assert (await sync(stage)).exit_code == 3
    assert (await sync(stage, "ada")).exit_code == 0
    assert len(stage.shown("ada")) == 3


async def test_a_peace_that_the_service_asked_for_is_kept_whoever_is_in_a_hurry(stage: Stage) -> None:
    write_tables(stage, "ada")
    stage.mailbox("ada")
    stage.sandbox.faults.add(member("POST"), 429, retry_after=1800)
    assert (await sync(stage)).exit_code == 3
    stage.clock.pass_time(600)
    before = stage.here
    assert (await sync(stage, "ada")).exit_code == 3
    assert stage.asked(since=before) == []
    stage.clock.pass_time(1300)
    assert (await sync(stage)).exit_code == 0
    assert len(stage.shown("ada")) == 3


async def test_somebody_whom_no_source_names_is_unknown(stage: Stage) -> None:
    write_tables(stage, "ada")
    with pytest.raises(ConfigurationError) as caught:
        await sync(stage, "bob")
    assert caught.value.code == "E-PERSON-UNKNOWN"


async def test_nobody_is_called_unknown_whom_an_unread_source_may_name(stage: Stage) -> None:
    write_tables(stage, "ada")
    (stage.folder / "attendance.csv").write_text("meeting,person\n")
    with pytest.raises(SourceUnusable) as caught:
        await sync(stage, "ada")
    assert caught.value.code == "E-SRC-EMPTY"


async def test_who_asks_for_one_person_is_told_of_nobody_else(stage: Stage) -> None:
    write_tables(stage, "ada", "bob", "cyd")
    stage.mailbox("ada")
    stage.mailbox("bob")
    assert (await sync(stage)).exit_code == 3
    report = await sync(stage, "ada")
    assert (report.waiting, report.exit_code) == ((), 0)
    report = await sync(stage, "cyd")
    assert [(w.code, w.changes, w.mailboxes) for w in report.waiting] == [("E-MBX-404", 3, 1)]
    assert report.exit_code == 3
