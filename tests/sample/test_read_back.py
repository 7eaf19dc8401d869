"""The sample university as the product reads it, like any other source of tables."""

import asyncio
from datetime import date, datetime
from pathlib import Path

from classbell.life import live_ports
from classbell.model import Snapshot, Window
from classbell.sample import University
from classbell.settings import TableSource
from classbell.sources import open_source
from classbell.sources.child import ChildParser
from classbell.zones import instant

MONDAY = date(2026, 9, 21)
ALWAYS = Window(begin=0, end=2**40)
COLUMNS = ("key", "start", "end", "title", "module", "type", "room", "staff", "groups", "cancelled")


def read(university: University, directory: Path) -> Snapshot:
    university.write(directory)
    settings = TableSource(
        name="sample",
        meetings=directory / "meetings.csv",
        attendance=directory / "attendance.csv",
        map={name: name for name in COLUMNS},
    )

    async def go() -> Snapshot:
        async with live_ports(ChildParser()) as ports:
            return await open_source(settings, ports, timezone=university.timezone).read(ALWAYS)

    return asyncio.run(go())


def test_the_table_source_reads_a_university_whole(tmp_path: Path) -> None:
    university = University.generate(people=100, weeks=6, first_monday=MONDAY, timezone="Europe/London")
    snapshot = read(university, tmp_path)
    figures = university.figures()
    assert len(snapshot.meetings) == figures.meetings
    assert len(snapshot.attendance) == figures.pairs
    assert len(snapshot.people) == 100
    assert snapshot.remarks == ()
    # Nine in the morning in London, an hour before that in UTC while summer time lasts.
    assert min(meeting.starts_at for meeting in snapshot.meetings) == instant(datetime(2026, 9, 21, 8), "UTC")  # noqa: DTZ001 - wall time


def test_the_table_source_sees_the_cancelled_class_of_the_day(tmp_path: Path) -> None:
    university = University.generate(people=100, first_monday=MONDAY)
    changed, stories = university.day_of_changes(datetime(2026, 10, 5, 7, 30))  # noqa: DTZ001 - wall time
    snapshot = read(changed, tmp_path)
    cancelled = [meeting.key for meeting in snapshot.meetings if meeting.cancelled]
    assert cancelled == [key for story in stories if story.kind == "cancelled" for key in story.meetings]
