"""
A day's changes in a real feed: one meeting an hour later, one gone, one new, each written in the feed's form.

The feed is changed byte by byte, so that everything odd about it stays as it was.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from tests.scenarios.calendars import Standing
from tests.scenarios.real import Timetable

_BLOCK = re.compile(rb"BEGIN:VEVENT.*?END:VEVENT[^\r\n]*[\r\n]*", re.DOTALL)
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|$)(?:[ \t][^\r\n]*(?:\r\n|\r|\n|$))*")
_TIME = re.compile(rb"(DT(?:START|END)\b[^:\r\n]*:\d{8}T)(\d\d)(?=\d{4})")
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Day:
    """
    What happened, in bytes and in meetings.

    ``moved`` pairs each moved meeting with what it became; ``removed`` are those that stand no more, and
    ``ended`` those whose entry is gone as well, but which are over and therefore stay in calendars.
    """

    body: bytes
    moved: list[tuple[Standing, Standing]]
    removed: list[Standing]
    ended: list[Standing]
    added: list[Standing]


@dataclass(frozen=True)
class _Entry:
    """One VEVENT of a feed."""

    timetable: Timetable
    head: bytes
    text: bytes
    tail: bytes

    @cached_property
    def meetings(self) -> list[Standing]:
        return self.timetable.meetings(self.head + self.text + self.tail)

    @property
    def repeats(self) -> bool:
        return b"RRULE" in self.text

    def with_text(self, text: bytes) -> "_Entry":
        return _Entry(self.timetable, self.head, text, self.tail)

    def later(self) -> "_Entry":
        """The same an hour later; an id that states the start goes with it."""
        start = re.search(rb"DTSTART[^:\r\n]*:(\d{8}T\d{6})", self.text)
        assert start is not None
        text = _TIME.sub(lambda found: found[1] + b"%02d" % (int(found[2]) + 1), self.text)
        digits = start[1]
        moved = digits[:9] + b"%02d" % (int(digits[9:11]) + 1) + digits[11:]
        return self.with_text(text.replace(b"/" + digits + b"@", b"/" + moved + b"@"))

    def another(self) -> "_Entry":
        """A new meeting in the form of this one."""
        return self.with_text(b"".join(self._renamed()))

    def _renamed(self) -> Iterator[bytes]:
        for line in _LINE.findall(self.text):
            name = re.split(rb"[;:]", line, maxsplit=1)[0]
            end = re.search(rb"[\r\n]*$", line)
            if name in {b"RRULE", b"EXDATE", b"RDATE"}:
                continue
            new = {b"UID": b"added-by-the-timetable-office", b"SUMMARY": b"Guest lecture"}.get(name)
            kept = line.partition(b":")[0]
            yield line if new is None or end is None else kept + b":" + new + end[0]


def day_of_changes(timetable: Timetable) -> Day:
    """Move the first meeting that can be moved, remove the next one of the kind, and add one."""
    body = timetable.path.read_bytes()
    entries = _changeable(timetable, body)
    first = next(entries)
    second = next(entries, None)
    later, another = first.later(), first.another()
    changed = body.replace(first.text, later.text + another.text)
    gone: list[Standing] = []
    if second is not None:
        changed = changed.replace(second.text, b"")
        gone = second.meetings
    return Day(
        body=changed,
        moved=list(zip(first.meetings, later.meetings, strict=True)),
        removed=[one for one in gone if one.starts_at > timetable.early],
        ended=[one for one in gone if one.starts_at <= timetable.early],
        added=another.meetings,
    )


def _changeable(timetable: Timetable, body: bytes) -> Iterator[_Entry]:
    """Entries of coming meetings whose change can be told from every other; single ones, where there are any."""
    blocks = list(_BLOCK.finditer(body))
    head, tail = body[: blocks[0].start()], body[blocks[-1].end() :]
    whole = timetable.meetings()
    entries = [_Entry(timetable, head, block[0], tail) for block in blocks]
    single = [entry for entry in entries if not entry.repeats]
    standing = Counter(whole)
    titled = Counter((one.title, _day(one, timetable)) for one in whole)
    for entry in single or entries:
        if not _TIME.search(entry.text) or b"SUMMARY" not in entry.text or body.count(entry.text) > 1:
            continue
        if not all(standing[one] == 1 for one in entry.meetings) or not _fits(entry):
            continue
        alone = all(titled[one.title, _day(one, timetable)] == 1 for one in entry.meetings)
        # Where entries have no id, their title and day tell them apart.
        if b"UID:" in entry.text or alone:
            yield entry


def _fits(entry: _Entry) -> bool:
    """Whether it is still to come, has a length, and may be an hour later on the same day."""
    hours = sorted(int(hour) for _, hour in _TIME.findall(entry.text))
    # Start and end are times, and no hour of the clock is left behind.
    if len(hours) != 2 or hours[0] == hours[1] or hours[1] > 21 or not entry.meetings:
        return False
    soon = entry.timetable.early + timedelta(hours=6)
    last = entry.meetings[-1]
    if (last if entry.repeats else entry.meetings[0]).starts_at < soon:
        return False
    return all(
        _day(one, entry.timetable) == _day(one, entry.timetable, one.length + _HOUR) for one in entry.meetings
    )


def _day(one: Standing, timetable: Timetable, after: timedelta = timedelta()) -> str:
    return f"{(one.starts_at + after).astimezone(ZoneInfo(timetable.timezone)):%Y-%m-%d}"
