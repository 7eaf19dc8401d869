"""A small sample university in a term of its own, as an institution of the world."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.scenarios.world import Institution, World, table

from classbell.sample import SampleMeeting, University
from classbell.sandbox import Mailbox

TIMEZONE = "Europe/London"
FIRST_MONDAY = date(2026, 9, 21)
# The Wednesday of the first week of the term.
NOW = datetime(2026, 9, 23, 11, tzinfo=UTC)


def open_university(
    world: World,
    university: University,
    *,
    id: str = "example",  # noqa: A002 -- as the institution's file calls it
    more: str = "",
) -> Institution:
    """The institution whose timetable stands in the folder ``<id>-timetable``, with a mailbox for everybody."""
    folder = world.folder / f"{id}-timetable"
    university.write(folder)
    people = [person.address.partition("@")[0] for person in university.people]
    return world.add_institution(table(folder), people, id=id, timezone=TIMEZONE, more=more)


def republish(world: World, university: University, *, id: str = "example") -> None:  # noqa: A002
    """Put another version of the timetable in its place."""
    university.write(world.folder / f"{id}-timetable")


def starts_in_utc(meeting: SampleMeeting) -> str:
    start = meeting.start.replace(tzinfo=ZoneInfo(TIMEZONE)).astimezone(UTC)
    return f"{start:%Y-%m-%dT%H:%M:%S}"


def event_of(mailbox: Mailbox, meeting: SampleMeeting) -> dict[str, Any]:
    """The one event that stands for a meeting in a calendar, by its title and start."""
    (found,) = [
        event
        for event in mailbox.events()
        if event["subject"] == meeting.title and event["start"]["dateTime"].startswith(starts_in_utc(meeting))
    ]
    return found
