"""Dates and times between the wire and microseconds since 1970."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(microseconds=1)
_WALL = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,12})?)?(?:Z|[+-]\d{2}:\d{2})?)?\Z", re.IGNORECASE
)


@lru_cache(maxsize=8192)
def microseconds(text: str, zone: tzinfo) -> int | None:
    """The instant of a date and time; its own offset wins over *zone*. None if it is not one."""
    if not _WALL.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
        aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return (aware - _EPOCH) // _STEP
    except (ValueError, OverflowError):
        return None


def instant_of(moment: datetime) -> int:
    """The microseconds since 1970 of an aware moment."""
    return (moment - _EPOCH) // _STEP


def wall(instant: int, zone: tzinfo) -> datetime:
    """The time on the wall of *zone*."""
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(zone)


@lru_cache(maxsize=8192)
def wall_text(instant: int, zone: tzinfo) -> str:
    """Start and end on the wire: seven fractional digits, no offset."""
    return wall(instant, zone).replace(tzinfo=None).isoformat(timespec="microseconds") + "0"


@lru_cache(maxsize=1024)
def stamp_text(seconds: float) -> str:
    """CreatedDateTime and lastModifiedDateTime: UTC, trailing zeros trimmed."""
    text = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat(timespec="microseconds")
    return text.rstrip("0").rstrip(".") + "Z"


def date_text(seconds: float) -> str:
    """The ``date`` of an error's innerError: UTC without a Z."""
    return (_EPOCH + timedelta(seconds=int(seconds))).replace(tzinfo=None).isoformat()
