"""The values of the sample university: its people, its rooms, its meetings."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from classbell.sample.catalogue import Kind


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a mailbox."""

    name: str
    address: str
    role: Literal["student", "lecturer"]


@dataclass(frozen=True, slots=True)
class Room:
    """A room, fit for the classes of one kind."""

    name: str
    building: str
    kind: Kind
    seats: int


@dataclass(frozen=True, slots=True)
class SampleMeeting:
    """
    One row of ``meetings.csv``, with those who attend as sorted indexes into the university's people.

    ``series`` names the weekly class it belongs to; ``key`` adds the week, and never changes. Times are
    wall times.
    """

    key: str
    series: str
    start: datetime
    end: datetime
    title: str
    module: str
    kind: Kind
    room: Room
    staff: str
    groups: str
    attendees: tuple[int, ...]
    cancelled: bool = False

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether it takes place at some moment of the span ``start <= t < end``."""
        return not self.cancelled and self.start < end and start < self.end
