"""
The timetables of one institution as its office keeps them, and what it lets others read of them.

A good presentation is what is true; a bad one is what goes wrong with files: absent, empty, cut off, shrunk.
Every presentation is noted with what it says, for those who judge afterwards.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulation.ports import Disk

ZONE = "Europe/Berlin"


@dataclass(frozen=True, kw_only=True)
class Class:
    """One dated class; its version grows with every change and stands in its title."""

    key: str
    version: int
    start: datetime
    hours: int = 1
    room: str = "B12"
    cancelled: bool = False

    @property
    def title(self) -> str:
        return f"{self.key} v{self.version}"

    @property
    def end(self) -> datetime:
        return self.start + timedelta(hours=self.hours)

    def instants(self) -> tuple[int, int]:
        """Begin and end in seconds since 1970."""
        zone = ZoneInfo(ZONE)
        return (
            int(self.start.replace(tzinfo=zone).timestamp()),
            int(self.end.replace(tzinfo=zone).timestamp()),
        )


@dataclass
class Timetable:
    """
    One source.

    Attributes:
        classes: by key.
        pairs: (key, address) of who attends.
        states: what was presented, and when.
    """

    institution: str
    name: str
    folder: Path
    disk: Disk
    people: Sequence[str]
    states: list[dict[str, Any]]
    classes: dict[str, Class] = field(default_factory=dict)
    pairs: dict[tuple[str, str], None] = field(default_factory=dict)
    _last: int = 0

    @property
    def meetings_file(self) -> Path:
        return self.folder / f"{self.name}-meetings.csv"

    @property
    def attendance_file(self) -> Path:
        return self.folder / f"{self.name}-attendance.csv"

    def add(self, random: Random, now: datetime) -> None:
        """A new class within the coming months, with some of the people."""
        self._last += 1
        key = f"{self.name[0]}{self._last}"
        self.classes[key] = Class(key=key, version=1, start=self._moment(random, now))
        for person in random.sample(list(self.people), random.randint(1, len(self.people))):
            self.pairs[key, person] = None

    def change(self, random: Random, now: datetime, key: str) -> None:
        """Move a class, or give it another room, or another length."""
        one = self.classes[key]
        changes: Mapping[str, Any] = random.choice(
            (
                {"start": self._moment(random, now)},
                {"start": one.start + timedelta(hours=random.choice((-2, -1, 1, 2)))},
                {"room": f"{random.choice('ABCD')}{random.randint(1, 9)}"},
                {"hours": random.randint(1, 3)},
            )
        )
        self.classes[key] = replace(one, version=one.version + 1, **changes)

    def cancel(self, key: str) -> None:
        """Cancel a class, or hold it after all."""
        one = self.classes[key]
        self.classes[key] = replace(one, version=one.version + 1, cancelled=not one.cancelled)

    def remove(self, key: str) -> None:
        """Take a class out."""
        del self.classes[key]
        self.pairs = {pair: None for pair in self.pairs if pair[0] != key}

    def present(self, at: float) -> None:
        """Let others read what is true."""
        self._write(at, list(self.classes), list(self.pairs), good=True, how="true")

    def present_shrunk(self, at: float, random: Random) -> None:
        """Let others read less than a third of the classes, or of who attends them."""
        keys, pairs = list(self.classes), list(self.pairs)
        if random.random() < 0.5:
            kept = set(random.sample(keys, max(1, len(keys) * 3 // 10)))
            keys = [key for key in keys if key in kept]
        else:
            chosen = set(random.sample(pairs, max(1, len(pairs) * 3 // 10)))
            pairs = [pair for pair in pairs if pair in chosen]
        self._write(at, keys, pairs, good=False, how="shrunk")

    def present_broken(self, at: float, random: Random) -> None:
        """Let others find a file absent, empty, cut off or of another kind."""
        path = random.choice((self.meetings_file, self.attendance_file))
        how = random.choice(("absent", "empty", "cut", "a page", "titles only"))
        if path not in self.disk:
            return
        content = self.disk.read(path)
        # Cut where no row ends, as a copy does that ran out of space.
        cut = content[: max(1, len(content) * random.randint(20, 80) // 100)].rstrip(b"\n")
        if how == "absent":
            self.disk.remove(path)
        else:
            titles = content.partition(b"\n")[0] + b"\n"
            broken = {
                "empty": b"",
                "cut": cut,
                "a page": b"<!DOCTYPE html><p>Sign in</p>",
                "titles only": titles,
            }
            self.disk.put(path, broken[how])
        self._note(at, [], good=False, how=f"{path.name} {how}", readable=how == "cut")

    def _moment(self, random: Random, now: datetime) -> datetime:
        day = (now + timedelta(days=random.choice((1, 2, 3, random.randint(1, 120))))).date()
        return datetime(day.year, day.month, day.day, random.randint(8, 18))  # noqa: DTZ001 - a wall time

    def _write(
        self, at: float, keys: Sequence[str], pairs: Sequence[tuple[str, str]], *, good: bool, how: str
    ) -> None:
        classes = [self.classes[key] for key in keys]
        rows = [
            [
                c.key,
                f"{c.start:%Y-%m-%dT%H:%M}",
                f"{c.end:%Y-%m-%dT%H:%M}",
                c.title,
                c.room,
                "yes" * c.cancelled,
            ]
            for c in classes
        ]
        attending = [pair for pair in pairs if pair[0] in keys]
        self.disk.put(self.meetings_file, _csv(["key", "start", "end", "title", "room", "cancelled"], rows))
        self.disk.put(self.attendance_file, _csv(["meeting", "person"], attending))
        self._note(
            at, [(self.classes[key], person) for key, person in attending], good=good, how=how, readable=True
        )

    def _note(
        self, at: float, pairs: Sequence[tuple[Class, str]], *, good: bool, how: str, readable: bool
    ) -> None:
        self.states.append(
            {
                "at": at,
                "institution": self.institution,
                "source": self.name,
                "good": good,
                "how": how,
                "readable": readable,
                "pairs": [
                    {"mailbox": person, "key": f"{self.name}:{c.key}", "title": c.title}
                    | dict(zip(("start", "end"), c.instants(), strict=True))
                    for c, person in pairs
                    if not c.cancelled
                ],
            }
        )


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
