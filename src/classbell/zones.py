"""IANA and Windows zone names, wall time and instants. Windows names follow CLDR's windowsZones."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@cache
def zone(name: str) -> ZoneInfo:
    """
    The zone of an IANA name.

    Raises:
        ValueError: *name* is no IANA zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, IsADirectoryError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone, such as Europe/London") from error


def instant(wall: datetime, zone_name: str) -> int:
    """
    Seconds since 1970 of a naive wall time in a zone.

    A wall time that a clock change skips is read as if the clock had not yet changed; one that occurs
    twice means the first.
    """
    return int(wall.replace(tzinfo=zone(zone_name)).timestamp())


def wall(moment: float, zone_name: str) -> datetime:
    """The naive wall time of an instant in a zone."""
    return datetime.fromtimestamp(moment, zone(zone_name)).replace(tzinfo=None)


def utc_text(moment: float) -> str:
    """An instant as ISO 8601 in UTC with whole seconds, e.g. ``2026-09-21T06:00:00Z``."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
