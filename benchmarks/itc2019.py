"""
Turns an instance of the International Timetabling Competition 2019 into a dated timetable.

That is a whole real university, with its courses, rooms and what its students asked for. An instance lists
what is allowed; a timetable has to choose. Each class takes its cheapest time and room in which the room is
free, those with the fewest choices first. Each student gets one class in each part of one configuration of
every course, within the limits of the classes, together with the parents of these, and where possible
without a clash. Who comes away with nothing comes first in the next attempt. All orders are fixed, so that
the same instance gives the same timetable.

    python benchmarks/itc2019.py INSTANCE.xml DIRECTORY [--weeks N] [--first-monday 2026-09-21]

writes ``meetings.csv`` and ``attendance.csv`` with the columns of the sample university, and prints counts.
Format: itc2019.org, "Format"; a slot is five minutes and slot 0 is midnight.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

from classbell.sample import COLUMNS

SLOT = timedelta(minutes=5)
TIME_WEIGHT = 3  # over rooms, as in the competition's own objective
ATTEMPTS = 4


@dataclass(frozen=True)
class Time:
    """A weekly time: ``weeks`` and ``days`` are bit strings, ``start`` and ``length`` in slots."""

    weeks: str
    days: str
    start: int
    length: int
    penalty: int = 0

    @classmethod
    def of(cls, element: ET.Element) -> "Time":
        """The time that a ``time`` or ``unavailable`` element means."""
        return cls(
            weeks=element.attrib["weeks"],
            days=element.attrib["days"],
            start=int(element.attrib["start"]),
            length=int(element.attrib["length"]),
            penalty=int(element.get("penalty", "0")),
        )

    def mask(self, slots_per_day: int) -> int:
        """The slots of the whole term that it covers, as bits."""
        span = ((1 << self.length) - 1) << self.start
        mask = 0
        for week, day in self.occurrences():
            mask |= span << ((week * len(self.days) + day) * slots_per_day)
        return mask

    def occurrences(self) -> Iterator[tuple[int, int]]:
        """Each (week, day) on which it takes place."""
        for week, in_week in enumerate(self.weeks):
            for day, on_day in enumerate(self.days):
                if in_week == on_day == "1":
                    yield week, day


@dataclass(frozen=True)
class Class:
    """A class with all that it may choose from; ``rooms`` is None where it needs no room."""

    id: str
    course: str
    parent: str | None
    limit: int
    times: tuple[Time, ...]
    rooms: tuple[tuple[str, int], ...] | None

    @property
    def choices(self) -> int:
        """How many pairs of time and room it may choose from."""
        return len(self.times) * (1 if self.rooms is None else len(self.rooms))

    def cheapest_first(self) -> list[tuple[Time, str]]:
        """Its pairs of time and room by penalty, equals as listed; the room is empty if none is needed."""
        rooms = (("", 0),) if self.rooms is None else self.rooms
        pairs = [(one, room) for one in self.times for room in rooms]
        pairs.sort(key=lambda pair: TIME_WEIGHT * pair[0].penalty + pair[1][1])
        return [(one, room) for one, (room, _) in pairs]


@dataclass(frozen=True)
class Instance:
    """
    A problem as published.

    ``courses`` has the configurations of each course, each a list of parts, each a list of class ids;
    ``wishes`` has the courses that each student asked for.
    """

    weeks: int
    slots_per_day: int
    unavailable: dict[str, tuple[Time, ...]]
    classes: dict[str, Class]
    courses: dict[str, list[list[list[str]]]]
    wishes: dict[str, list[str]]


def read(path: Path) -> Instance:
    """Read an instance."""
    root = ET.parse(path).getroot()  # noqa: S314 - a published file of our own choice
    classes = {
        element.attrib["id"]: _class(element, course.attrib["id"])
        for course in root.iterfind("courses/course")
        for element in course.iter("class")
    }
    return Instance(
        weeks=int(root.attrib["nrWeeks"]),
        slots_per_day=int(root.attrib["slotsPerDay"]),
        unavailable={
            room.attrib["id"]: tuple(map(Time.of, room.iterfind("unavailable")))
            for room in root.iterfind("rooms/room")
        },
        classes=classes,
        courses={
            course.attrib["id"]: [
                [[one.attrib["id"] for one in part.iterfind("class")] for part in config.iterfind("subpart")]
                for config in course.iterfind("config")
            ]
            for course in root.iterfind("courses/course")
        },
        wishes={
            student.attrib["id"]: [course.attrib["id"] for course in student.iterfind("course")]
            for student in root.iterfind("students/student")
        },
    )


def _class(element: ET.Element, course: str) -> Class:
    rooms = tuple((room.attrib["id"], int(room.get("penalty", "0"))) for room in element.iterfind("room"))
    return Class(
        id=element.attrib["id"],
        course=course,
        parent=element.get("parent"),
        limit=int(element.attrib["limit"]),
        times=tuple(map(Time.of, element.iterfind("time"))),
        rooms=None if element.get("room") == "false" else rooms,
    )


@dataclass(frozen=True)
class Placement:
    """The time and room (empty where none is needed) that a class has got, and its slots as bits."""

    time: Time
    room: str
    mask: int


class Solver:
    """
    Makes a timetable of an instance: ``placements`` by class, ``sections`` (class ids) by student.

    ``incomplete`` are the students who did not get all their courses, ``clashing`` those whose classes overlap.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.placements: dict[str, Placement] = {}
        self.sections: dict[str, list[str]] = {}
        self.incomplete: list[str] = []
        self.clashing: list[str] = []
        self._seats: dict[str, int] = {}

    def place_classes(self) -> None:
        """Give each class, as far as one is free, its cheapest time and room."""
        missed = Counter[str]()
        for _ in range(ATTEMPTS):
            order = sorted(
                self.instance.classes.values(), key=lambda one: (-missed[one.id], one.choices, int(one.id))
            )
            self._place_in_order(order)
            missed.update(one.id for one in order if one.id not in self.placements)
            if len(self.placements) == len(order):
                break

    def _place_in_order(self, order: Sequence[Class]) -> None:
        self.placements = {}
        slots = self.instance.slots_per_day
        taken = dict.fromkeys(self.instance.unavailable, 0)
        for room, closed in self.instance.unavailable.items():
            for weekly in closed:
                taken[room] |= weekly.mask(slots)
        for one in order:
            masks = {weekly: weekly.mask(slots) for weekly in one.times}
            for weekly, room in one.cheapest_first():
                if not room or not taken[room] & masks[weekly]:
                    self.placements[one.id] = Placement(weekly, room, masks[weekly])
                    if room:
                        taken[room] |= masks[weekly]
                    break

    def place_students(self) -> None:
        """Give each student the classes of all courses asked for, as far as there are seats."""
        order = list(self.instance.wishes)
        for _ in range(ATTEMPTS):
            self._seats = {one.id: one.limit for one in self.instance.classes.values()}
            self.incomplete, self.clashing = [], []
            for student in order:
                self.sections[student] = self._serve(student)
            if not self.incomplete:
                break
            waited = set(self.incomplete)
            order.sort(key=lambda student: student not in waited)

    def _serve(self, student: str) -> list[str]:
        busy = 0
        chosen: list[str] = []
        for course in self.instance.wishes[student]:
            sections = self._sections(course, busy)
            if sections is None:
                sections = self._sections(course, None)
                (self.incomplete if sections is None else self.clashing).append(student)
            for one in sections or ():
                self._seats[one] -= 1
                busy |= self.placements[one].mask
                chosen.append(one)
        return chosen

    def _sections(self, course: str, busy: int | None) -> list[str] | None:
        """A class in each part of one configuration; *busy* are the slots to keep clear of, if any."""
        for config in self.instance.courses[course]:
            parts = sorted(config, key=lambda part: max(map(self._depth, part)))
            found = self._choose(parts, [], busy)
            if found is not None:
                return found
        return None

    def _choose(
        self, parts: Sequence[Sequence[str]], chosen: list[str], busy: int | None
    ) -> list[str] | None:
        if not parts:
            return chosen
        for one in sorted(parts[0], key=lambda one: (-self._seats[one], int(one))):
            parent = self.instance.classes[one].parent
            placed = self.placements.get(one)
            if placed is None or self._seats[one] < 1 or (parent and parent not in chosen):
                continue
            if busy is not None and busy & placed.mask:
                continue
            now_busy = None if busy is None else busy | placed.mask
            found = self._choose(parts[1:], [*chosen, one], now_busy)
            if found is not None:
                return found
        return None

    def _depth(self, one: str) -> int:
        """How many ancestors a class has; its part comes after theirs."""
        parent = self.instance.classes[one].parent
        return 1 + self._depth(parent) if parent else 0


@dataclass(frozen=True)
class Counts:
    """What a dated timetable holds: ``pairs`` are meetings and who attends."""

    classes: int
    classes_placed: int
    students: int
    students_complete: int
    students_with_clashes: int
    first_week: int
    weeks: int
    meetings: int
    people_with_meetings: int
    pairs: int


@dataclass(frozen=True)
class Meeting:
    """A class on one date, in wall time."""

    key: str
    start: datetime
    end: datetime
    of: Class
    room: str


def busiest_weeks(solved: Solver, weeks: int) -> int:
    """The first of so many weeks in which most classes meet, the nearest to mid-term of equals."""
    total = solved.instance.weeks
    active = [sum(one.time.weeks[week] == "1" for one in solved.placements.values()) for week in range(total)]
    middle = (total - weeks) / 2
    return max(
        range(total - weeks + 1), key=lambda at: (sum(active[at : at + weeks]), -abs(at - middle), -at)
    )


def dated(solved: Solver, first_week: int, weeks: int, first_monday: date) -> list[Meeting]:
    """The meetings of these weeks of the term, the first of which begins on *first_monday*."""
    meetings = []
    for number, placed in solved.placements.items():
        one = solved.instance.classes[number]
        for week, day in placed.time.occurrences():
            if first_week <= week < first_week + weeks:
                midnight = datetime.combine(
                    first_monday + timedelta(weeks=week - first_week, days=day), time()
                )
                start = midnight + placed.time.start * SLOT
                end = start + placed.time.length * SLOT
                meetings.append(Meeting(f"{number}-W{week + 1:02}-D{day + 1}", start, end, one, placed.room))
    return sorted(meetings, key=lambda meeting: (meeting.start, int(meeting.of.id)))


def address(student: str, domain: str) -> str:
    """Where a student's calendar is, e.g. ``student00042@example.edu``."""
    return f"student{student:0>5}@{domain}"


def write(
    instance: Instance, directory: Path, *, weeks: int | None, first_monday: date, domain: str = "example.edu"
) -> Counts:
    """
    Solve an instance and write its two tables.

    Args:
        weeks: how many weeks, from mid-term; None means the whole term.
        first_monday: the Monday of the first week that is written.
        domain: of the students' addresses.
    """
    solved = Solver(instance)
    solved.place_classes()
    solved.place_students()
    weeks = weeks or instance.weeks
    first_week = busiest_weeks(solved, weeks)
    meetings = dated(solved, first_week, weeks, first_monday)
    attending: dict[str, list[str]] = {number: [] for number in instance.classes}
    for student, sections in solved.sections.items():
        for number in sections:
            attending[number].append(address(student, domain))
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "meetings.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(map(_row, meetings))
    with (directory / "attendance.csv").open("w", encoding="utf-8", newline="") as file:
        file.write("meeting,person\n")
        for meeting in meetings:
            file.writelines(f"{meeting.key},{person}\n" for person in attending[meeting.of.id])
    return Counts(
        classes=len(instance.classes),
        classes_placed=len(solved.placements),
        students=len(instance.wishes),
        students_complete=len(instance.wishes) - len(set(solved.incomplete)),
        students_with_clashes=len(set(solved.clashing)),
        first_week=first_week + 1,
        weeks=weeks,
        meetings=len(meetings),
        people_with_meetings=len({one for meeting in meetings for one in attending[meeting.of.id]}),
        pairs=sum(len(attending[meeting.of.id]) for meeting in meetings),
    )


def _row(meeting: Meeting) -> dict[str, str]:
    return {
        "key": meeting.key,
        "start": meeting.start.isoformat(timespec="minutes"),
        "end": meeting.end.isoformat(timespec="minutes"),
        "title": f"Course {meeting.of.course}",
        "module": f"C{meeting.of.course}",
        "type": "Class",
        "room": f"Room {meeting.room}" if meeting.room else "",
        "groups": f"Class {meeting.of.id}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Turn an ITC-2019 instance into a dated timetable.")
    parser.add_argument("instance", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--weeks", type=int, help="only so many weeks, from mid-term (default: all)")
    parser.add_argument("--first-monday", type=date.fromisoformat, default=date(2026, 9, 21))
    arguments = parser.parse_args()
    if not arguments.instance.is_file():
        parser.error(f"{arguments.instance} is absent; instances are published at itc2019.org")
    counts = write(
        read(arguments.instance),
        arguments.directory,
        weeks=arguments.weeks,
        first_monday=arguments.first_monday,
    )
    for name, count in asdict(counts).items():
        print(f"{name.replace('_', ' '):24}{count:>10,}")


if __name__ == "__main__":
    main()
