"""
Which zone a feed means: the names after TZID and X-WR-TIMEZONE, and the definitions a feed brings along.

A name that is a known IANA zone wins over the definition embedded under it, because embedded ones are
often years old. Windows names follow CLDR's windowsZones, in the table that icalendar keeps.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import tzinfo

import icalendar
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from classbell.sources.parsed import ODD_CONTENT
from classbell.zones import zone

_IANA_SHAPE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")
_UTC_NAMES = frozenset(
    {"UTC", "GMT", "Z", "ETC/UTC", "ETC/GMT", "ETC/UCT", "ZULU", "COORDINATED UNIVERSAL TIME"}
)
_WINDOWS = {name.upper(): iana for name, iana in WINDOWS_TO_OLSON.items()}
# Files of the zone database that are no place: the first would mean the zone of whichever server reads.
_NO_PLACES = frozenset({"localtime", "posixrules", "Factory"})
_ZONE_PROPERTIES = (
    "TZOFFSETFROM",
    "TZOFFSETTO",
    "TZNAME",
    "DTSTART",
    "RRULE",
    "RDATE",
    "TZID",
    "BEGIN",
    "END",
)


def iana_name(tzid: str) -> str | None:
    """The IANA name that a zone's name means, if it is one, a Windows name, or one behind a vendor's prefix."""
    tzid = tzid.strip().strip('"').strip()
    if tzid.upper() in _UTC_NAMES:
        return "UTC"
    if tzid.upper() in _WINDOWS:
        return _WINDOWS[tzid.upper()]
    return next((name for name in _candidates(tzid) if _known(name)), None)


def _candidates(tzid: str) -> Iterator[str]:
    # "/freeassociation.sourceforge.net/Europe/Berlin" and the like: the longest tail that is a zone, so
    # that America/Argentina/Buenos_Aires is not cut short (RFC 5545, 3.2.19).
    parts = tzid.strip("/").replace(" ", "_").split("/")
    for length in (3, 2, 1):
        if length == len(parts) or (length > 1 and length < len(parts)):
            name = "/".join(parts[-length:])
            yield name
            yield "/".join(part.title() for part in parts[-length:])


def _known(name: str) -> bool:
    if name in _NO_PLACES or _IANA_SHAPE.fullmatch(name) is None:
        return False
    try:
        zone(name)
    except ValueError:
        return False
    return True


class FeedZones:
    """
    The zones of one calendar: resolves its TZIDs, remembering which it could not.

    Args:
        fallback: the IANA zone of times that name none, and of names that nobody knows.
        declared: the IANA zone that X-WR-TIMEZONE names, or None.
        definitions: the embedded VTIMEZONEs as lines.
    """

    def __init__(self, fallback: str, declared: str | None, definitions: Iterable[list[str]]) -> None:
        self.fallback = fallback
        self.declared = None if declared is None else zone(declared)
        self.unknown: set[str] = set()
        self._definitions = {name: lines for lines in definitions if (name := _tzid_of(lines))}
        self._resolved: dict[str, tzinfo] = {}

    def of(self, tzid: str | None) -> tzinfo:
        """The zone behind a TZID; without one, the zone of floating times."""
        if not tzid:
            return zone(self.fallback)
        found = self._resolved.get(tzid)
        if found is None:
            found = self._resolved[tzid] = self._resolve(tzid)
        return found

    def _resolve(self, tzid: str) -> tzinfo:
        name = iana_name(tzid)
        if name is not None:
            return zone(name)
        lines = self._definitions.get(tzid)
        embedded = None if lines is None else _embedded(lines)
        if embedded is None:
            self.unknown.add(tzid)
            return zone(self.fallback)
        return embedded


def _tzid_of(lines: list[str]) -> str:
    for line in lines:
        if line.startswith("TZID") and line[4:5] in (";", ":"):
            return line.partition(":")[2].strip().strip('"')
    return ""


def _embedded(lines: list[str]) -> tzinfo | None:
    """The zone that a VTIMEZONE describes, or None where it cannot be used."""
    for line in lines:
        if line.startswith("X-LIC-LOCATION:") and (name := iana_name(line.partition(":")[2])):
            return zone(name)
    # A zone changes its clocks a few times a year; anything denser would be expanded for hours.
    if any(line.startswith("RRULE") and "FREQ=YEARLY" not in line.upper() for line in lines):
        return None
    kept = [line for line in lines if line.startswith(_ZONE_PROPERTIES)]
    try:
        component = icalendar.Timezone.from_ical("\r\n".join(kept) + "\r\n")
        found = component.to_tz(lookup_tzid=False) if isinstance(component, icalendar.Timezone) else None
    except ODD_CONTENT:
        return None
    return found if isinstance(found, tzinfo) else None
