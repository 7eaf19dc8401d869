"""
Times and yes-or-no in the cells of a table.

Times are local unless they carry an offset. Dates are ISO, or with dots and the day first; dates with
slashes are refused, because 03/04 means two different days.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})\.(\d{1,2})\.(\d{4})")
_TIME = re.compile(r"(\d{1,2})[:.h](\d{2})(?::(\d{2})(?:\.\d+)?)?")
_OFFSET = re.compile(r"(?:Z|[+-]\d{2}:?\d{2})$", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
# Day 0 of Excel's count of days, which believes that 1900 had a 29 February.
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 -- wall time
_EXCEL_DAYS = range(20_000, 80_000)
_DAY = timedelta(days=1)
_TRUE = frozenset(
    {"1", "true", "yes", "y", "x", "cancelled", "canceled", "ja", "oui", "si", "sí", "wahr", "vrai"}
)
_FALSE = frozenset(
    {"", "0", "false", "no", "n", "nein", "nee", "non", "nej", "falsch", "faux", "planned", "active"}
)


class CellRefused(Exception):
    """A cell that cannot be read; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """Wall times; ``in_utc`` where the cells carried offsets. ``end`` of whole days is exclusive."""

    start: datetime
    end: datetime
    all_day: bool = False
    in_utc: bool = False


def times_of(day: str | None, start: str, end: str) -> Times:
    """
    The times of a meeting.

    Args:
        day: the cell of the date column where there is one; then start and end are times of day. With no
            start and no end it is a whole day.
        start, end: date-times, or dates for whole days, the last one included.

    Raises:
        CellRefused: they cannot be read, or the end lies before the start.
    """
    times = _of_date_times(start, end) if day is None else _of_day(_day_of(day), start, end)
    if times.end < times.start:
        raise CellRefused(f'it ends ("{end}") before it starts ("{start}")')
    return times


def truth(text: str) -> bool:
    """
    Whether a cell says yes.

    Raises:
        CellRefused: it says neither yes nor no.
    """
    word = text.strip().casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise CellRefused(f'"{text}" is neither yes nor no')


def _of_day(day: date, start: str, end: str) -> Times:
    if not start and not end:
        midnight = datetime.combine(day, time())
        return Times(start=midnight, end=midnight + _DAY, all_day=True)
    begin, stop = _on(day, start), _on(day, end)
    # 00:00 as an end is the midnight that closes the day.
    return Times(start=begin, end=stop + _DAY if stop < begin and stop.time() == time() else stop)


def _of_date_times(start: str, end: str) -> Times:
    first, last = _as_date(start), _as_date(end)
    if first is not None and last is not None:
        begin = datetime.combine(first, time())
        return Times(start=begin, end=datetime.combine(last, time()) + _DAY, all_day=True)
    begin, zoned = _as_date_time(start)
    if _TIME.fullmatch(end):
        return Times(start=begin, end=_on(begin.date(), end), in_utc=zoned)
    stop, stop_zoned = _as_date_time(end)
    if zoned != stop_zoned:
        raise CellRefused(f'only one of "{start}" and "{end}" has an offset')
    return Times(start=begin, end=stop, in_utc=zoned)


def _day_of(text: str) -> date:
    day = _as_date(text) or _as_date(text.removesuffix("T00:00:00").removesuffix(" 00:00:00"))
    if day is None:
        raise CellRefused(f'"{text}" is no date such as 2026-09-21')
    return day


@lru_cache(maxsize=4096)
def _as_date(text: str) -> date | None:
    match = _DATE.fullmatch(text)
    try:
        if match is not None:
            year, month, day = (match[1], match[2], match[3]) if match[1] else (match[6], match[5], match[4])
            return date(int(year), int(month), int(day))
        if text.isdigit() and int(text) in _EXCEL_DAYS:
            return (_EXCEL_EPOCH + timedelta(days=int(text))).date()
    except ValueError as error:
        raise CellRefused(f'"{text}" is a day that does not exist') from error
    return None


def _as_date_time(text: str) -> tuple[datetime, bool]:
    if _NUMBER.fullmatch(text) and int(float(text)) in _EXCEL_DAYS:
        return _rounded(_EXCEL_EPOCH + timedelta(days=float(text))), False
    offset = _OFFSET.search(text)
    if offset is not None and ":" in text[: offset.start()]:
        try:
            moment = datetime.fromisoformat(text.replace(" ", "T", 1))
        except ValueError as error:
            raise CellRefused(f'"{text}" is no time such as 2026-09-21T09:00') from error
        return _rounded(moment.astimezone(UTC).replace(tzinfo=None)), True
    parts = re.split(r"[T ]+", text, maxsplit=1)
    day = _as_date(parts[0])
    if day is None or len(parts) != 2:  # noqa: PLR2004 -- a date and a time
        raise CellRefused(f'"{text}" is no time such as 2026-09-21T09:00')
    return _on(day, parts[1]), False


def _on(day: date, text: str) -> datetime:
    """A time of day on a day; 24:00 is the midnight after it."""
    match = _TIME.fullmatch(text)
    if match is not None:
        hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
        if (hour < 24 and minute < 60 and second < 60) or (hour, minute, second) == (24, 0, 0):  # noqa: PLR2004
            return datetime.combine(day, time()) + timedelta(hours=hour, minutes=minute, seconds=second)
    elif _NUMBER.fullmatch(text) and float(text) < 1:
        return _rounded(datetime.combine(day, time()) + timedelta(days=float(text)))
    raise CellRefused(f'"{text}" is no time of day such as 09:00')


def _rounded(moment: datetime) -> datetime:
    # Excel keeps times as parts of a day, so 09:00 may come as 08:59:59.999.
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)
