"""
Recurrence: on which days a series falls.

Days are counted as ordinals (1 is 0001-01-01). The arithmetic goes by periods, so that a view of one week costs
the same whether the series began last month or has no end.
Source: Graph pages "recurrencePattern resource type" and "recurrenceRange resource type"; days that a month does
not have fall on its last one, as [MS-OXOCAL] has it for RecurrencePattern.
"""

import calendar
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

import msgspec

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
INDEXES = ("first", "second", "third", "fourth", "last")

# The last day of a series without end: MAPI's dates end in August 4500.
LAST_DAY = date(4500, 8, 31).toordinal()
_WEEK = 7
_YEAR = 12


class Recurrence(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    A patterned recurrence; what its type does not use has the value that the service shows for it.

    ``first`` and ``last`` are ordinals of days, ``last`` 0 unless the range ends by date; ``count`` is 0 unless it
    is numbered; ``zone`` is the zone whose wall times it keeps.
    """

    type: str
    interval: int = 1
    month: int = 0
    day: int = 0
    days: tuple[str, ...] = ()
    week_start: str = "sunday"
    index: str = "first"
    range: str = "noEnd"
    first: int
    last: int = 0
    count: int = 0
    zone: str = ""


def days_between(recurrence: Recurrence, begin: int, end: int) -> Iterator[int]:
    """The days of a series from *begin* to *end*, both included, in order."""
    begin = max(begin, recurrence.first)
    end = min(end, last_day(recurrence))
    if end < begin:
        return
    for number in range(_period_of(recurrence, begin), _period_of(recurrence, end) + 1):
        for day in _period(recurrence, number):
            if begin <= day <= end:
                yield day


def days_before(recurrence: Recurrence, day: int) -> Iterator[int]:
    """The days of a series before *day*, the nearest first."""
    end = min(day - 1, last_day(recurrence))
    if end < recurrence.first:
        return
    for number in range(_period_of(recurrence, end), -1, -1):
        for earlier in reversed(_period(recurrence, number)):
            if recurrence.first <= earlier <= end:
                yield earlier


def days_after(recurrence: Recurrence, day: int) -> Iterator[int]:
    """The days of a series after *day*, the nearest first."""
    return days_between(recurrence, day + 1, LAST_DAY)


def falls_on(recurrence: Recurrence, day: int) -> bool:
    """Whether a series falls on a day."""
    return any(True for _ in days_between(recurrence, day, day))


@lru_cache(maxsize=4096)
def last_day(recurrence: Recurrence) -> int:
    """The day after which nothing of it comes; before ``first`` where nothing comes at all."""
    if recurrence.range == "endDate":
        return min(recurrence.last, LAST_DAY)
    if recurrence.range == "noEnd":
        return LAST_DAY
    left, found = recurrence.count, recurrence.first - 1
    for day in days_between(msgspec.structs.replace(recurrence, range="noEnd"), recurrence.first, LAST_DAY):
        found = day
        left -= 1
        if not left:
            break
    return found


def _period_of(recurrence: Recurrence, day: int) -> int:
    """The number of the period that a day lies in; the first day of the range lies in number 0."""
    first, when = date.fromordinal(recurrence.first), date.fromordinal(day)
    match recurrence.type:
        case "daily":
            return (day - recurrence.first) // recurrence.interval
        case "weekly":
            return (day - _week_of(recurrence)) // (_WEEK * recurrence.interval)
        case "absoluteMonthly" | "relativeMonthly":
            months = (when.year - first.year) * _YEAR + when.month - first.month
            return months // recurrence.interval
        case _:
            return (when.year - first.year) // recurrence.interval


def _week_of(recurrence: Recurrence) -> int:
    """The day on which the week of the first day begins."""
    begins = WEEKDAYS.index(recurrence.week_start)
    return recurrence.first - (date.fromordinal(recurrence.first).weekday() - begins) % _WEEK


def _period(recurrence: Recurrence, number: int) -> list[int]:
    """The days of the pattern in one period, in order; the range is not looked at."""
    first = date.fromordinal(recurrence.first)
    if recurrence.type == "daily":
        return [recurrence.first + number * recurrence.interval]
    if recurrence.type == "weekly":
        begin = _week_of(recurrence) + number * _WEEK * recurrence.interval
        begins = WEEKDAYS.index(recurrence.week_start)
        return sorted(begin + (WEEKDAYS.index(day) - begins) % _WEEK for day in recurrence.days)
    if recurrence.type.endswith("Monthly"):
        months = first.year * _YEAR + first.month - 1 + number * recurrence.interval
        return [_day_of_month(recurrence, months // _YEAR, months % _YEAR + 1)]
    return [_day_of_month(recurrence, first.year + number * recurrence.interval, recurrence.month)]


def _day_of_month(recurrence: Recurrence, year: int, month: int) -> int:
    weekday, length = calendar.monthrange(year, month)
    begin = date(year, month, 1).toordinal()
    if recurrence.type.startswith("absolute"):
        return begin + min(recurrence.day, length) - 1
    wanted = {WEEKDAYS.index(day) for day in recurrence.days}
    fitting = [begin + number for number in range(length) if (weekday + number) % _WEEK in wanted]
    return fitting[-1] if recurrence.index == "last" else fitting[INDEXES.index(recurrence.index)]
