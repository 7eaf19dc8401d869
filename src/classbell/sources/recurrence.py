"""
Series: which dates a repeating entry has inside a window.

A rule is vetted before anything is expanded: a feed of 187 bytes can ask for hundreds of thousands of
dates. Expansion itself is recurring-ical-events' work, on a bare copy of the entry with its zones resolved.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import icalendar
import recurring_ical_events  # type: ignore[import-untyped] # ships no types

from classbell.sources.parsed import ODD_CONTENT

Time = date | datetime

_FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_MOST_PER_DAY = 24
_MOST_BY_VALUES = 400
# Each day between the first date and the end of the window is looked at once: 200,000 days take 0.3 s.
_MOST_DAYS = 200_000
_LAST_YEAR = 2199
_DAY = timedelta(days=1)
_MARK = "X-ENTRY"


class RuleRefused(Exception):
    """A series that will not be expanded; the text says why, in words that follow "because"."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """
    The dates asked for, by their start: ``begin <= start < end``; ``most`` a series may have in it.

    Both ends are in the zone of floating times, so that whole days are compared there.
    """

    begin: datetime
    end: datetime
    most: int


@dataclass(frozen=True, kw_only=True)
class Change:
    """An override that moves the dates from ``original`` on (RANGE=THISANDFUTURE): ``start``, ``end``."""

    original: Time
    start: Time
    end: Time


@dataclass(frozen=True, kw_only=True)
class Series:
    """
    A repeating entry with resolved times; ``start`` and ``end`` are its first date.

    Dates that it leaves out are the caller's to leave out.
    """

    start: Time
    end: Time
    rules: Sequence[icalendar.vRecur]
    extra: Sequence[Time | tuple[datetime, datetime]]
    changes: Sequence[Change] = ()

    @property
    def several_a_day(self) -> bool:
        """Whether two dates of the series can fall on one day, so that a day does not name one of them."""
        if len(self.rules) > 1 or any(_times_a_day(rule) > 1 for rule in self.rules):
            return True
        days = [_day(self.start), *(_day(extra) for extra in self.extra)]
        return len(set(days)) < len(days)


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One date of a series; ``change`` is the index into ``changes`` of what moved it, or None."""

    original: Time
    start: Time
    end: Time
    change: int | None


def expand(series: Series, span: Span) -> list[Occurrence]:
    """
    The dates of a series that start inside a span.

    Raises:
        RuleRefused: a rule is senseless, or would cost or give too much.
    """
    series = _tidied(series)
    for rule in series.rules:
        _vet(rule, series.start, span)
    if len(series.extra) > 100 * span.most:
        raise RuleRefused("it lists too many dates")
    try:
        found = _query(series, span)
    except ODD_CONTENT as error:
        raise RuleRefused("its rule cannot be worked out") from error
    if len(found) > span.most:
        raise RuleRefused(f"it has {len(found):,} dates in the window; {span.most:,} are allowed")
    return found


def happens_once(series: Series) -> bool:
    """Whether a series has no date but its first, as far as that shows without expanding it."""
    return not series.extra and not series.changes and all(_once(rule, series.start) for rule in series.rules)


def _once(rule: icalendar.vRecur, start: Time) -> bool:
    if str(_first(rule, "FREQ")).upper() not in _FREQUENCIES or _times_a_day(rule) > 1:
        return False
    until = _first(rule, "UNTIL")
    if until is None:
        return _first(rule, "COUNT") == 1 and not any(name.startswith("BY") for name in rule)
    return isinstance(until, date) and until.year <= _LAST_YEAR and _until(until, start) < start + _DAY


def _query(series: Series, span: Span) -> list[Occurrence]:
    begin, end = span.begin, span.end
    if not isinstance(series.start, datetime):
        # Whole days are compared as dates of the series, without a zone.
        begin, end = begin.replace(tzinfo=None), end.replace(tzinfo=None)
    with warnings.catch_warnings():
        # COUNT and UNTIL together: not allowed, met nevertheless, and clear in what they mean.
        warnings.filterwarnings("ignore", "Using both 'count' and 'until'", DeprecationWarning)
        parts = recurring_ical_events.of(_bare_calendar(series)).between(begin, end)
    found = []
    for part in parts:
        start, stop = part["DTSTART"].dt, part["DTEND"].dt
        if begin <= _comparable(start, begin) < end:
            index = int(part[_MARK])
            change = series.changes[index] if index >= 0 else None
            original = start if change is None else start - _shift(change)
            found.append(
                Occurrence(original=original, start=start, end=stop, change=None if index < 0 else index)
            )
    return found


def _shift(change: Change) -> timedelta:
    if isinstance(change.start, datetime) and isinstance(change.original, datetime):
        return change.start - change.original
    return _day(change.start) - _day(change.original)


def _comparable(moment: Time, like: datetime) -> datetime:
    if isinstance(moment, datetime):
        return moment
    return datetime.combine(moment, time(), tzinfo=like.tzinfo)


def _bare_calendar(series: Series) -> icalendar.Calendar:
    calendar = icalendar.Calendar()
    master = _bare_event(series.start, series.end, -1)
    for rule in series.rules:
        master.add("RRULE", rule)
    if series.extra:
        master.add("RDATE", list(series.extra))
    calendar.add_component(master)
    for index, change in enumerate(series.changes):
        event = _bare_event(change.start, change.end, index)
        event.add("RECURRENCE-ID", change.original, parameters={"RANGE": "THISANDFUTURE"})
        calendar.add_component(event)
    return calendar


def _bare_event(start: Time, end: Time, mark: int) -> icalendar.Event:
    event = icalendar.Event()
    event.add("UID", "series")
    event.add("DTSTART", start)
    event.add("DTEND", end)
    event.add(_MARK, str(mark))
    return event


def _tidied(series: Series) -> Series:
    """The series with each UNTIL in the form of its start; a rule that ends before it began is dropped."""
    rules = []
    for rule in series.rules:
        until = _first(rule, "UNTIL")
        if until is None:
            rules.append(rule)
            continue
        if not isinstance(until, date):
            raise RuleRefused("its UNTIL makes no sense")
        if until.year > _LAST_YEAR:
            # 9999 and its like mean that there is no end; as instants they do not exist in every zone.
            rules.append(icalendar.vRecur({name: rule[name] for name in rule if name != "UNTIL"}))
            continue
        last = _until(until, series.start)
        if last >= series.start:
            tidied = icalendar.vRecur(rule)
            tidied["UNTIL"] = [last]
            rules.append(tidied)
    return replace(series, rules=rules)


def _until(until: Time, start: Time) -> Time:
    # RFC 5545 wants UTC here; real feeds have floating or date-only values. They are read in the zone of
    # the start, and a date means its whole day.
    if not isinstance(start, datetime):
        return _day(until)
    if not isinstance(until, datetime):
        until = datetime.combine(until, time(23, 59, 59))
    if until.tzinfo is None:
        until = until.replace(tzinfo=start.tzinfo)
    return until.astimezone(UTC)


def _day(moment: Time | tuple[datetime, datetime]) -> date:
    if isinstance(moment, tuple):
        moment = moment[0]
    return moment.date() if isinstance(moment, datetime) else moment


def _vet(rule: icalendar.vRecur, start: Time, span: Span) -> None:
    frequency = str(_first(rule, "FREQ") or "").upper()
    if frequency not in _FREQUENCIES:
        raise RuleRefused(f"it repeats {frequency.lower() or 'without saying how often'}")
    for name in ("INTERVAL", "COUNT"):
        number = _first(rule, name)
        if number is not None and (not isinstance(number, int) or number < 1):
            raise RuleRefused(f"its {name} is {number}")
    by_values = sum(len(values) for name, values in rule.items() if name.startswith("BY"))
    if _times_a_day(rule) > _MOST_PER_DAY or by_values > _MOST_BY_VALUES:
        raise RuleRefused("its rule is denser than any timetable")
    days = (span.end.date() - _day(start)).days
    if days * _times_a_day(rule) > _MOST_DAYS:
        raise RuleRefused(f"it began in the year {start.year}")


def _times_a_day(rule: icalendar.vRecur) -> int:
    return math.prod(len(rule.get(name, ())) or 1 for name in ("BYHOUR", "BYMINUTE", "BYSECOND"))


def _first(rule: icalendar.vRecur, name: str) -> Any:
    values: Any = rule.get(name, ())
    return next(iter(values if isinstance(values, list | tuple) else [values]), None)
