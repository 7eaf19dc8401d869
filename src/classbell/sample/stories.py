"""
A day of changes at the sample university, each with what a timetabling office would say about it.

All changes concern meetings that have not yet begun, leave everybody in one place at a time, and touch no
meeting twice, so that each story can be found again in a plan.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Literal, TypeVar

from classbell.sample.campus import Person, Room, SampleMeeting
from classbell.sample.catalogue import Kind
from classbell.sample.term import FIRST_HOUR, HOURS_A_DAY

NOTICE = timedelta(hours=1)  # nothing that begins sooner is changed
SOON = timedelta(days=14)
AUDIENCE = 40  # a change is best shown on a class of about this many
SMALL_AUDIENCE = 25

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class ExpectedChange:
    """What a plan must hold because of a story."""

    action: Literal["create", "update", "delete"]
    person: str
    meeting: str


@dataclass(frozen=True, slots=True)
class PlannedStory:
    """
    One change at the university.

    ``text`` is one sentence for people; ``meetings`` are the keys and ``persons`` the addresses that it
    touches; ``changes`` are exactly those that a plan must hold for it.
    """

    kind: Literal["moved", "room", "cancelled", "regrouped"]
    text: str
    meetings: tuple[str, ...]
    persons: tuple[str, ...]
    changes: frozenset[ExpectedChange]


class Day:
    """A day's changes in the making: ``meetings`` holds the timetable as changed so far."""

    def __init__(
        self, people: Sequence[Person], meetings: Iterable[SampleMeeting], now: datetime, rng: Random
    ) -> None:
        self.people = people
        self.meetings = {meeting.key: meeting for meeting in meetings}
        self._rng = rng
        self._now = now
        self._upcoming = [
            meeting
            for meeting in self.meetings.values()
            if meeting.start > now + NOTICE and not meeting.cancelled
        ]
        if not self._upcoming:
            raise ValueError(f"no meeting begins after {now}: the term is over")
        end = max(now, self._upcoming[0].start) + SOON
        self._soon = [meeting for meeting in self._upcoming if meeting.start < end]
        self._touched: set[str] = set()

    def stories(self) -> list[PlannedStory]:
        """All that happens on the day; a story for which a small university has no room is left out."""
        told = (self._move(), self._change_room(), self._cancel(), self._regroup())
        return [story for story in told if story]

    def _move(self) -> PlannedStory | None:
        for meeting in self._candidates(AUDIENCE, {Kind.LECTURE}):
            for start in self._other_times(meeting):
                moved = replace(meeting, start=start, end=start + (meeting.end - meeting.start))
                if any(self._in_the_way(moved, other) for other in self._same_week(meeting)):
                    continue
                self._apply(moved)
                text = f"{_named(meeting)} moves to {_day_and_hour(start)}, same room."
                return self._story("moved", text, moved, "update")
        return None

    def _change_room(self) -> PlannedStory | None:
        rooms = sorted(
            {meeting.room for meeting in self.meetings.values()}, key=lambda room: (room.seats, room.name)
        )
        for meeting in self._candidates(AUDIENCE, set(Kind)):
            taken = {
                other.room for other in self._same_week(meeting) if other.overlaps(meeting.start, meeting.end)
            }
            for room in rooms:
                if not self._fits(meeting, room) or room in taken or room == meeting.room:
                    continue
                changed = replace(meeting, room=room)
                self._apply(changed)
                text = f"{_named(meeting)} is held in {room.name} instead of {meeting.room.name}."
                return self._story("room", text, changed, "update")
        return None

    def _cancel(self) -> PlannedStory | None:
        for meeting in self._candidates(SMALL_AUDIENCE, set(Kind)):
            cancelled = replace(meeting, cancelled=True)
            self._apply(cancelled)
            return self._story("cancelled", f"{_named(meeting)} is cancelled.", cancelled, "delete")
        return None

    def _regroup(self) -> PlannedStory | None:
        """A student leaves one group of a class for another; what has been attended stays attended."""
        for old, new in self._pairs_of_groups():
            busy_in_new = [(meeting.start, meeting.end) for meeting in new]
            for student in self._shuffled(sorted(self._students(old) - self._students(new))):
                own = [
                    meeting
                    for meeting in self._upcoming_now()
                    if student in meeting.attendees and meeting.series != old[0].series
                ]
                if any(meeting.overlaps(start, end) for meeting in own for start, end in busy_in_new):
                    continue
                return self._change_group(student, old, new)
        return None

    def _change_group(
        self, student: int, old: Sequence[SampleMeeting], new: Sequence[SampleMeeting]
    ) -> PlannedStory:
        person = self.people[student]
        for meeting in old:
            self._apply(replace(meeting, attendees=tuple(one for one in meeting.attendees if one != student)))
        for meeting in new:
            self._apply(replace(meeting, attendees=tuple(sorted((*meeting.attendees, student)))))
        left = (ExpectedChange("delete", person.address, meeting.key) for meeting in old)
        joined = (ExpectedChange("create", person.address, meeting.key) for meeting in new)
        text = (
            f"{person.name} changes from {old[0].groups} to {new[0].groups} of the {old[0].kind.value.lower()}: "
            f"{_day_and_hour(new[0].start, with_date=False)} instead of "
            f"{_day_and_hour(old[0].start, with_date=False)}."
        )
        keys = tuple(meeting.key for meeting in (*old, *new))
        return PlannedStory("regrouped", text, keys, (person.address,), frozenset((*left, *joined)))

    def _candidates(self, audience: int, kinds: set[Kind]) -> list[SampleMeeting]:
        """Untouched meetings of the next days, those nearest to an audience of that size first."""
        fitting = [
            meeting for meeting in self._soon if meeting.kind in kinds and meeting.key not in self._touched
        ]
        return sorted(
            self._shuffled(fitting), key=lambda meeting: abs(len(meeting.attendees) - audience) // 5
        )

    def _other_times(self, meeting: SampleMeeting) -> Iterator[datetime]:
        """The hours of the same week that are still to come, those of the same day first."""
        monday = meeting.start - timedelta(days=meeting.start.weekday())
        hours = -(-(meeting.end - meeting.start) // timedelta(hours=1))
        days = sorted(range(5), key=lambda day: abs(day - meeting.start.weekday()))
        for day in days:
            for hour in range(HOURS_A_DAY - hours + 1):
                start = (monday + timedelta(days=day)).replace(hour=FIRST_HOUR + hour, minute=0)
                if start > self._now + NOTICE and start != meeting.start:
                    yield start

    def _same_week(self, meeting: SampleMeeting) -> list[SampleMeeting]:
        week = meeting.start.isocalendar()[:2]
        return [
            other
            for other in self.meetings.values()
            if other.key != meeting.key and other.start.isocalendar()[:2] == week
        ]

    @staticmethod
    def _in_the_way(moved: SampleMeeting, other: SampleMeeting) -> bool:
        if not other.overlaps(moved.start, moved.end):
            return False
        return other.room == moved.room or not set(moved.attendees).isdisjoint(other.attendees)

    @staticmethod
    def _fits(meeting: SampleMeeting, room: Room) -> bool:
        """Labs have labs; all else can be held in any other room with enough seats."""
        same_sort = (room.kind is Kind.LAB) == (meeting.kind is Kind.LAB)
        return same_sort and room.seats >= len(meeting.attendees) - 1

    def _pairs_of_groups(self) -> Iterator[tuple[list[SampleMeeting], list[SampleMeeting]]]:
        """What is to come of one group and of another group of the same class, both untouched."""
        by_series: dict[str, list[SampleMeeting]] = {}
        for meeting in self._upcoming_now():
            if meeting.kind is not Kind.LECTURE:
                by_series.setdefault(meeting.series, []).append(meeting)
        untouched = {
            series: meetings
            for series, meetings in by_series.items()
            if self._touched.isdisjoint(meeting.key for meeting in meetings)
        }
        for series in self._shuffled(untouched):
            first = untouched[series][0]
            for other in self._shuffled(untouched):
                candidate = untouched[other][0]
                same_class = (candidate.module, candidate.kind) == (first.module, first.kind)
                if other != series and same_class and len(candidate.attendees) <= candidate.room.seats:
                    yield untouched[series], untouched[other]

    def _students(self, meetings: Sequence[SampleMeeting]) -> set[int]:
        return {one for one in meetings[0].attendees if self.people[one].role == "student"}

    def _upcoming_now(self) -> list[SampleMeeting]:
        current = (self.meetings[meeting.key] for meeting in self._upcoming)
        return [meeting for meeting in current if not meeting.cancelled]

    def _shuffled(self, items: Iterable[_Item]) -> list[_Item]:
        shuffled = list(items)
        self._rng.shuffle(shuffled)
        return shuffled

    def _apply(self, meeting: SampleMeeting) -> None:
        self.meetings[meeting.key] = meeting
        self._touched.add(meeting.key)

    def _story(
        self,
        kind: Literal["moved", "room", "cancelled"],
        text: str,
        meeting: SampleMeeting,
        action: Literal["update", "delete"],
    ) -> PlannedStory:
        persons = tuple(self.people[index].address for index in meeting.attendees)
        changes = frozenset(ExpectedChange(action, person, meeting.key) for person in persons)
        return PlannedStory(kind, text, (meeting.key,), persons, changes)


def _named(meeting: SampleMeeting) -> str:
    return f"{meeting.title}, {meeting.kind.value.lower()} of {_day_and_hour(meeting.start)},"


def _day_and_hour(moment: datetime, *, with_date: bool = True) -> str:
    return f"{moment:%A} {moment.day} {moment:%B %H:%M}" if with_date else f"{moment:%A %H:%M}"
