"""
Places the classes of a term, week by week the same, so that no student, lecturer or room is in two places.

A week is a bit mask of its teaching hours. Classes that many attend are placed first; a group for which no
hour is free is divided, and where every suitable room is taken another one is built, so that a term can be
made for a university of any size.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from classbell.sample.campus import Person, Room, SampleMeeting
from classbell.sample.catalogue import (
    BUILDINGS,
    DEPARTMENTS,
    FIRST_NAMES,
    LAST_NAMES,
    SEATS,
    Department,
    Kind,
    Series,
)

FIRST_HOUR = 9
HOURS_A_DAY = 9
DAYS = 5
WEDNESDAY = 2
NOON_BIT = 4  # 13:00: Wednesday afternoons belong to sports
GROUP_SIZE = 20
COHORT_SIZE = 150
ONE_COHORT = 45  # students below which a university has a single year
STUDENTS_A_DEPARTMENT = 70
LECTURERS_SHARE = 0.08
READING_WEEK_FROM = 6  # a shorter term has no reading week
# Rooms are not filled to the last hour: a class that has to move finds somewhere to go.
ROOM_HOURS = 28


@dataclass(slots=True)
class _Staffed:
    """A lecturer's week."""

    index: int
    busy: int = 0


@dataclass(slots=True)
class _Booked:
    """A room's week."""

    room: Room
    busy: int = 0


@dataclass(frozen=True, slots=True)
class _Cohort:
    """The students of one year in one stream of a department, and the groups they keep all year."""

    label: str
    students: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Module:
    code: str
    title: str
    label: str
    pattern: tuple[Series, ...]
    students: tuple[int, ...]
    department: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A class that needs a place in the week."""

    series: str
    module: _Module
    kind: Kind
    hours: int
    label: str
    students: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A class at its place in the week; ``bit`` is its first hour."""

    wanted: _Wanted
    bit: int
    room: Room
    lecturer: int
    attendees: tuple[int, ...]


def _windows(hours: int) -> list[tuple[int, int]]:
    """Each place in the week where so many hours fit: the first hour's bit number, and the mask."""
    found = []
    for day in range(DAYS):
        length = NOON_BIT if day == WEDNESDAY else HOURS_A_DAY
        for hour in range(length - hours + 1):
            bit = day * HOURS_A_DAY + hour
            found.append((bit, ((1 << hours) - 1) << bit))
    return found


_WINDOWS = {hours: _windows(hours) for hours in (1, 2)}


def make_people(rng: Random, count: int, domain: str) -> tuple[Person, ...]:
    """So many people with addresses that are all different; the lecturers come first."""
    lecturers = max(2, round(count * LECTURERS_SHARE))
    taken: dict[str, int] = {}
    people = []
    for number in range(count):
        first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
        local = f"{first}.{last}".lower()
        taken[local] = seen = taken.get(local, 0) + 1
        address = f"{local}{seen if seen > 1 else ''}@{domain}"
        people.append(Person(f"{first} {last}", address, "lecturer" if number < lecturers else "student"))
    return tuple(people)


@dataclass(slots=True)
class Term:
    """A term in the making; ``meetings`` carries it through."""

    rng: Random
    people: tuple[Person, ...]
    _week_of_student: dict[int, int] = field(default_factory=dict)
    _staff: list[list[_Staffed]] = field(default_factory=list)
    _rooms: dict[Kind, list[_Booked]] = field(default_factory=dict)
    _built: int = 0

    def meetings(self, first_monday: date, weeks: int) -> tuple[SampleMeeting, ...]:
        """All meetings of the term, ordered by start and key."""
        placed = list(self._place_all())
        reading = weeks // 2 if weeks >= READING_WEEK_FROM else None
        dated = [
            self._dated(one, first_monday, week) for one in placed for week in range(weeks) if week != reading
        ]
        return tuple(sorted(dated, key=lambda meeting: (meeting.start, meeting.key)))

    def _place_all(self) -> Iterator[_Placed]:
        students = [index for index, person in enumerate(self.people) if person.role == "student"]
        lecturers = [index for index, person in enumerate(self.people) if person.role == "lecturer"]
        departments = min(len(DEPARTMENTS), max(1, round(len(students) / STUDENTS_A_DEPARTMENT)))
        departments = min(departments, len(lecturers))
        self._week_of_student = dict.fromkeys(students, 0)
        self._staff = [[_Staffed(index) for index in lecturers[d::departments]] for d in range(departments)]
        self._rooms = {kind: [] for kind in Kind}
        modules = [
            module
            for number in range(departments)
            for module in self._modules(number, students[number::departments])
        ]
        yield from self._place_lectures(modules)
        for module in modules:
            for series in module.pattern:
                if series.grouped:
                    yield from self._place_groups(module, series)

    def _modules(self, department_number: int, students: Sequence[int]) -> Iterator[_Module]:
        """The modules of a department, those that everybody of a cohort takes before the electives."""
        department = DEPARTMENTS[department_number]
        years = len(department.years) if len(students) >= ONE_COHORT else 1
        streams = max(1, round(len(students) / years / COHORT_SIZE))
        for stream in range(streams):
            letter = _letters(stream)
            cohorts = [
                _Cohort(
                    f"{department.code}{year + 1}{letter}",
                    tuple(students[stream * years + year :: streams * years]),
                )
                for year in range(years)
            ]
            yield from self._core_modules(department, department_number, cohorts, letter)
            yield from self._electives(department, department_number, cohorts[1:], letter)

    @staticmethod
    def _core_modules(
        department: Department, department_number: int, cohorts: Sequence[_Cohort], letter: str
    ) -> Iterator[_Module]:
        for year, cohort in enumerate(cohorts, start=1):
            for number, title in enumerate(department.years[year - 1], start=1):
                yield _Module(
                    code=f"{department.code}{year}0{number}{letter}",
                    title=title,
                    label=cohort.label,
                    pattern=department.patterns[(number + year) % len(department.patterns)],
                    students=cohort.students,
                    department=department_number,
                )

    def _electives(
        self, department: Department, department_number: int, cohorts: Sequence[_Cohort], letter: str
    ) -> Iterator[_Module]:
        """One elective for each student of the later years, who sit in it together."""
        choices: list[list[int]] = [[] for _ in department.electives]
        for cohort in cohorts:
            for student in cohort.students:
                self.rng.choice(choices).append(student)
        for number, (title, students) in enumerate(zip(department.electives, choices, strict=True), start=1):
            if students:
                yield _Module(
                    code=f"{department.code}25{number}{letter}",
                    title=title,
                    label=" and ".join(cohort.label for cohort in cohorts),
                    pattern=department.patterns[number % len(department.patterns)],
                    students=tuple(students),
                    department=department_number,
                )

    def _place_lectures(self, modules: Sequence[_Module]) -> Iterator[_Placed]:
        for module in modules:
            days: set[int] = set()
            # The module's own lecturer gives all its lectures; the others are there for the worst case.
            staff = list(self._by_load(module.department))
            lectures = [series for series in module.pattern if not series.grouped]
            for number, series in enumerate(lectures, start=1):
                name = f"{module.code}-LEC{number}"
                wanted = _Wanted(name, module, series.kind, series.hours, module.label, module.students)
                placed = self._place(wanted, staff, days)
                assert placed is not None, f"no hour for {name}"  # noqa: S101 - lectures come first: hours are free
                days.add(placed.bit // HOURS_A_DAY)
                yield placed

    def _place_groups(self, module: _Module, series: Series) -> Iterator[_Placed]:
        count = max(2 if len(module.students) > 1 else 1, -(-len(module.students) // GROUP_SIZE))
        size = -(-len(module.students) // count)
        waiting = [module.students[at : at + size] for at in range(0, len(module.students), size)]
        number = 1
        while waiting:
            students = waiting.pop(0)
            name = f"{module.code}-{series.kind.value[:3].upper()}{number}"
            label = f"{module.code} group {number}"
            wanted = _Wanted(name, module, series.kind, series.hours, label, students)
            placed = self._place(wanted, self._by_load(module.department), set())
            if placed is None:
                assert len(students) > 1, f"no hour for {name}"  # noqa: S101 - one student has free hours
                half = len(students) // 2
                waiting[:0] = [students[:half], students[half:]]
                continue
            number += 1
            yield placed

    def _by_load(self, department: int) -> Iterator[_Staffed]:
        """The department's lecturers, the least busy first; then, should none be free, everybody else."""
        yield from sorted(self._staff[department], key=lambda lecturer: lecturer.busy.bit_count())
        for number, staff in enumerate(self._staff):
            if number != department:
                yield from staff

    def _place(self, wanted: _Wanted, staff: Iterable[_Staffed], days: set[int]) -> _Placed | None:
        """Find an hour, a lecturer and a room; *days* are avoided where possible."""
        busy = 0
        for student in wanted.students:
            busy |= self._week_of_student[student]
        for lecturer in staff:
            free = [window for window in _WINDOWS[wanted.hours] if not window[1] & (busy | lecturer.busy)]
            if not free:
                continue
            other_days = [window for window in free if window[0] // HOURS_A_DAY not in days]
            bit, mask, booked = self._find_room(wanted.kind, len(wanted.students), other_days or free)
            for student in wanted.students:
                self._week_of_student[student] |= mask
            lecturer.busy |= mask
            booked.busy |= mask
            attendees = tuple(sorted((*wanted.students, lecturer.index)))
            return _Placed(wanted, bit, booked.room, lecturer.index, attendees)
        return None

    def _find_room(
        self, kind: Kind, students: int, windows: Sequence[tuple[int, int]]
    ) -> tuple[int, int, _Booked]:
        """The smallest room with enough seats that is free in one of the windows, or else a new one."""
        for booked in self._rooms[kind]:
            if booked.room.seats < students or booked.busy.bit_count() >= ROOM_HOURS:
                continue
            free = [window for window in windows if not window[1] & booked.busy]
            if free:
                return *self.rng.choice(free), booked
        seats = next((size for size in SEATS[kind] if size >= students), students)
        built = _Booked(self._build(kind, seats))
        self._rooms[kind].append(built)
        self._rooms[kind].sort(key=lambda booked: booked.room.seats)
        return *self.rng.choice(windows), built

    def _build(self, kind: Kind, seats: int) -> Room:
        """Rooms are numbered through the buildings: Hooke 1.01, Somerville 1.01 ... Hooke 1.02."""
        number, building = divmod(self._built, len(BUILDINGS))
        floor, door = divmod(number, 12)
        self._built += 1
        name = BUILDINGS[building]
        return Room(f"{name} {floor + 1}.{door + 1:02}", f"{name} Building", kind, seats)

    def _dated(self, placed: _Placed, first_monday: date, week: int) -> SampleMeeting:
        wanted = placed.wanted
        day, hour = divmod(placed.bit, HOURS_A_DAY)
        start = datetime.combine(first_monday + timedelta(weeks=week, days=day), time(FIRST_HOUR + hour))
        return SampleMeeting(
            key=f"{wanted.series}-W{week + 1:02}",
            series=wanted.series,
            start=start,
            end=start + timedelta(hours=wanted.hours, minutes=-10),
            title=f"{wanted.module.code} {wanted.module.title}",
            module=wanted.module.code,
            kind=wanted.kind,
            room=placed.room,
            staff=self.people[placed.lecturer].name,
            groups=wanted.label,
            attendees=placed.attendees,
        )


def _letters(stream: int) -> str:
    """Empty for the first stream, then B, C ... Z, and numbers beyond."""
    if stream == 0:
        return ""
    return chr(ord("A") + stream) if stream < 26 else f"S{stream + 1}"  # noqa: PLR2004 - the alphabet
