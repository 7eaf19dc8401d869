"""
A made-up university, generated from a seed in any size, as input for the demo, for tests and benchmarks.

It writes what a timetabling office would hand over: a table of dated meetings and a table of who attends.
The same arguments always give the same university, byte for byte.
"""

import csv
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from random import Random
from typing import Self
from zoneinfo import ZoneInfo

from classbell.sample.campus import Person, Room, SampleMeeting
from classbell.sample.stories import Day, ExpectedChange, PlannedStory
from classbell.sample.term import Term, make_people

__all__ = ["ExpectedChange", "Figures", "Person", "PlannedStory", "Room", "SampleMeeting", "University"]

SMALLEST = 20

# Of ``meetings.csv``; ``attendance.csv`` has meeting and person.
COLUMNS = (
    "key",
    "start",
    "end",
    "title",
    "module",
    "type",
    "room",
    "building",
    "staff",
    "groups",
    "cancelled",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """How large a university is; ``pairs`` counts who attends what, cancelled meetings left out."""

    students: int
    lecturers: int
    modules: int
    rooms: int
    meetings: int
    pairs: int


@dataclass(frozen=True, kw_only=True)
class University:
    """
    People and a term of meetings; ``meetings`` are ordered by start, their attendees index ``people``.

    ``first_monday`` opens the term; times are wall times in ``timezone``.
    """

    seed: int
    first_monday: date
    weeks: int
    timezone: str
    people: tuple[Person, ...] = field(repr=False)
    meetings: tuple[SampleMeeting, ...] = field(repr=False)

    @classmethod
    def generate(
        cls,
        *,
        seed: int = 1,
        people: int = 300,
        weeks: int = 12,
        first_monday: date,
        domain: str = "example.edu",
        timezone: str = "Europe/London",
    ) -> Self:
        """
        Make a university.

        Args:
            seed: the same seed gives the same university.
            people: students and lecturers together, at least 20.
            weeks: length of the term; from six weeks on, the middle one is a reading week without classes.
            first_monday: the first day of the term.
            domain: of everybody's address.
            timezone: IANA name.

        Raises:
            ValueError: too few people or weeks, or *first_monday* is no Monday.
        """
        if people < SMALLEST or weeks < 1:
            raise ValueError(f"a university has at least {SMALLEST} people and one week")
        if first_monday.weekday() != 0:
            raise ValueError(f"{first_monday} is not a Monday")
        rng = Random(seed)  # noqa: S311 - a sample, no secret
        persons = make_people(rng, people, domain)
        return cls(
            seed=seed,
            first_monday=first_monday,
            weeks=weeks,
            timezone=timezone,
            people=persons,
            meetings=Term(rng, persons).meetings(first_monday, weeks),
        )

    def figures(self) -> Figures:
        """Count people, modules, rooms, meetings and pairs."""
        held = [meeting for meeting in self.meetings if not meeting.cancelled]
        lecturers = sum(person.role == "lecturer" for person in self.people)
        return Figures(
            students=len(self.people) - lecturers,
            lecturers=lecturers,
            modules=len({meeting.module for meeting in held}),
            rooms=len({meeting.room for meeting in held}),
            meetings=len(held),
            pairs=sum(len(meeting.attendees) for meeting in held),
        )

    def write(self, directory: Path) -> None:
        """
        Write ``meetings.csv`` and ``attendance.csv`` (header ``meeting,person``) into a directory.

        Raises:
            OSError: the directory cannot be made or written.
        """
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / "meetings.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(map(_row, self.meetings))
        # Keys and addresses need no quoting, and there may be millions of lines.
        addresses = [person.address for person in self.people]
        with (directory / "attendance.csv").open("w", encoding="utf-8", newline="") as file:
            file.write("meeting,person\n")
            file.writelines(
                chain.from_iterable(
                    (f"{meeting.key},{addresses[index]}\n" for index in meeting.attendees)
                    for meeting in self.meetings
                )
            )

    def day_of_changes(self, now: datetime) -> tuple[Self, list[PlannedStory]]:
        """
        The university after a day of changes, and what happened on it.

        A lecture is moved, a room changed, a class cancelled, and a student put into another group.

        Args:
            now: the moment of the changes; naive means wall time. What begins within the hour stays.

        Returns:
            The changed university, and the stories in this order. The same moment gives the same day.

        Raises:
            ValueError: no meeting begins after *now*.
        """
        wall = now.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None) if now.tzinfo else now
        rng = Random(f"{self.seed} {wall.isoformat()}")  # noqa: S311 - a sample, no secret
        day = Day(self.people, self.meetings, wall, rng)
        stories = day.stories()
        ordered = sorted(day.meetings.values(), key=lambda meeting: (meeting.start, meeting.key))
        return replace(self, meetings=tuple(ordered)), stories


def _row(meeting: SampleMeeting) -> tuple[str, ...]:
    return (
        meeting.key,
        meeting.start.isoformat(timespec="minutes"),
        meeting.end.isoformat(timespec="minutes"),
        meeting.title,
        meeting.module,
        meeting.kind.value,
        meeting.room.name,
        meeting.room.building,
        meeting.staff,
        meeting.groups,
        "yes" if meeting.cancelled else "",
    )
