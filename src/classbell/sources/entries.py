"""One VEVENT: its times with their zones, its id, and what tells an older version of it from a newer."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import icalendar

from classbell.sources.recurrence import Time
from classbell.sources.repair import ZONE_PARAMETER
from classbell.sources.texts import one_line, text_of
from classbell.sources.tzids import FeedZones

_NEEDED = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"})
_DAY = timedelta(days=1)
_LONGEST = timedelta(days=3660)
# Beyond these years no timetable reaches, and arithmetic with zones would leave the calendar.
YEARS = range(1900, 2200)


class Unusable(Exception):
    """An entry that cannot be read; the text says why, in words that follow "because"."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """
    A VEVENT with its times resolved: dates, or datetimes with a zone.

    ``recurrence_id`` is set where it overrides a date of a series; ``onward`` where it does so for all
    later ones too. ``modified`` and ``stamp`` are in seconds, 0 where the feed gives none.
    """

    component: icalendar.Component
    uid: str
    start: Time
    end: Time
    recurrence_id: Time | None
    onward: bool
    sequence: int | None
    modified: int
    stamp: int

    @property
    def repeats(self) -> bool:
        """Whether it is the master of a series."""
        return self.recurrence_id is None and ("RRULE" in self.component or "RDATE" in self.component)


def name_of(component: icalendar.Component) -> str:
    """How to name an entry to a person: by its title, else by its id."""
    name = one_line(text_of(component, "SUMMARY")) or text_of(component, "UID").strip()
    return f"the entry {name!r}" if name else "an entry without a title"


def read_entry(component: icalendar.Component, zones: FeedZones) -> Entry:
    """
    A VEVENT as an entry.

    Raises:
        Unusable: a time in it is missing or makes no sense.
    """
    broken = sorted({name for name, _ in component.errors if name in _NEEDED})
    if broken:
        raise Unusable(f"its {' and '.join(broken)} makes no sense")
    start = _time(component, "DTSTART", zones)
    if start is None:
        raise Unusable("it has no start")
    recurrence_id = first(component, "RECURRENCE-ID")
    return Entry(
        component=component,
        uid=text_of(component, "UID").strip(),
        start=start,
        end=_end(component, start, zones),
        recurrence_id=_time(component, "RECURRENCE-ID", zones),
        onward=recurrence_id is not None and "RANGE" in recurrence_id.params,
        sequence=_sequence(component),
        modified=_seconds(component, "LAST-MODIFIED"),
        stamp=_seconds(component, "DTSTAMP"),
    )


def current(entries: Iterable[Entry]) -> list[Entry]:
    """
    Of entries with one UID those that still hold; older versions are dropped.

    A lower SEQUENCE is an older version, and so is an earlier LAST-MODIFIED of the same start. Entries that
    nothing tells apart as versions are meetings of their own: some systems use one UID for several.
    """
    found = list(entries)
    if len(found) < 2:  # noqa: PLR2004
        return found
    newest = max(entry.sequence or 0 for entry in found)
    by_start: dict[Time, list[Entry]] = defaultdict(list)
    for entry in found:
        if (entry.sequence or 0) == newest:
            by_start[entry.start].append(entry)
    result: list[Entry] = []
    for same in by_start.values():
        latest = max(entry.modified for entry in same)
        # A feed may list the very same entry twice; that is one meeting.
        result.extend({_content(entry): entry for entry in same if entry.modified == latest}.values())
    return result


def _content(entry: Entry) -> tuple[Time, tuple[str, ...]]:
    names = ("SUMMARY", "LOCATION", "DESCRIPTION", "STATUS", "RRULE")
    return (entry.end, tuple(str(entry.component.get(name, "")) for name in names))


def current_overrides(entries: Iterable[Entry]) -> list[Entry]:
    """Of overrides the newest for each date that they override."""
    newest: dict[Time | None, Entry] = {}
    for entry in entries:
        known = newest.get(entry.recurrence_id)
        if known is None or _age(known) < _age(entry):
            newest[entry.recurrence_id] = entry
    return list(newest.values())


def _age(entry: Entry) -> tuple[int, int, int, str]:
    # The text decides where nothing else does, so that each read decides alike.
    return (entry.sequence or 0, entry.modified, entry.stamp, repr((entry.start, _content(entry))))


def first(component: icalendar.Component, name: str) -> Any:
    """The first value of a property, or None."""
    value = component.get(name)
    return value[0] if isinstance(value, list) else value


def times(component: icalendar.Component, name: str, zones: FeedZones) -> list[Any]:
    """
    The values of RDATE or EXDATE: dates, datetimes with a zone, or pairs of start and end (or length).

    Values no timetable can mean, such as the year 9999, are left out: they change nothing.

    Raises:
        Unusable: a value is no date.
    """
    lists = component.get(name, [])
    found: list[Any] = []
    for values in lists if isinstance(lists, list) else [lists]:
        zone = values.params.get(ZONE_PARAMETER)
        for value in values.dts:
            first_part = value.dt[0] if isinstance(value.dt, tuple) else value.dt
            if not isinstance(first_part, date):
                raise Unusable(f"its {name} makes no sense")
            if first_part.year not in YEARS:
                continue
            if isinstance(value.dt, tuple):
                found.append(tuple(_resolved(part, zone, zones) for part in value.dt))
            else:
                found.append(_resolved(value.dt, zone, zones))
    return found


def _time(component: icalendar.Component, name: str, zones: FeedZones) -> Time | None:
    value = first(component, name)
    if value is None:
        return None
    moment = value.dt
    if not isinstance(moment, date):
        raise Unusable(f"its {name} makes no sense")
    if moment.year not in YEARS:
        raise Unusable(f"its {name} is in the year {moment.year}")
    resolved: Time = _resolved(moment, value.params.get(ZONE_PARAMETER), zones)
    return resolved


def _resolved(moment: Any, zone: str | None, zones: FeedZones) -> Any:
    if isinstance(moment, datetime) and moment.tzinfo is None:
        return moment.replace(tzinfo=zones.of(zone))
    return moment


def _end(component: icalendar.Component, start: Time, zones: FeedZones) -> Time:
    end = _time(component, "DTEND", zones)
    duration = first(component, "DURATION")
    length = timedelta() if duration is None else duration.dt
    if abs(length) > _LONGEST:
        raise Unusable(f"it lasts {length.days:,} days")
    if not isinstance(start, datetime):
        # The end of whole days is exclusive; feeds that repeat the start there mean that one day.
        last = start + length if end is None else _day_after(end)
        return last if last > start else start + _DAY
    if end is None:
        # Exact time, not the hands of the clock: a meeting across a clock change is no longer for it.
        end = (start.astimezone(UTC) + length).astimezone(start.tzinfo)
    elif not isinstance(end, datetime):
        end = datetime.combine(end, time(), tzinfo=start.tzinfo)
    # An end before the start says nothing about the length.
    return max(start, end)


def _day_after(end: Time) -> date:
    """The day at whose beginning whole days end, from a DTEND that may be a time within the last day."""
    if isinstance(end, datetime):
        return end.date() if end.time() == time() else end.date() + _DAY
    return end


def _sequence(component: icalendar.Component) -> int | None:
    value = first(component, "SEQUENCE")
    return int(value) if isinstance(value, int) else None


def _seconds(component: icalendar.Component, name: str) -> int:
    moment = getattr(first(component, name), "dt", None) if name not in _broken(component) else None
    if not isinstance(moment, datetime):
        return 0
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _broken(component: icalendar.Component) -> set[str]:
    return {name for name, _ in component.errors if name}
