"""
One calendar feed from bytes to meetings; runs in the parsing child.

Entries that stand in the feed as such are returned whatever the window; series are expanded inside it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import msgspec

from classbell.sources.entries import Entry, Unusable, name_of, read_entry
from classbell.sources.keys import Draft, is_lasting, keyed
from classbell.sources.parsed import ODD_CONTENT, Failure, ParsedFeed, ParsedMeeting, Problem, Unreadable
from classbell.sources.recurrence import Span, Time
from classbell.sources.repair import RawCalendar, calendars
from classbell.sources.series import Dated, dated
from classbell.sources.texts import fields_of, text_of
from classbell.sources.tzids import FeedZones, iana_name
from classbell.zones import instant, zone


def parse(payload: bytes, options: Mapping[str, Any]) -> bytes:
    """
    Parse one feed to the msgpack of a ``ParsedFeed``.

    Options: ``begin`` and ``end`` of the window in seconds; ``zone`` of the source or None; ``fallback``, the
    institution's zone; ``items`` and ``occurrences``, the limits.
    """
    return msgspec.msgpack.encode(read_feed(payload, options))


def read_feed(payload: bytes, options: Mapping[str, Any]) -> ParsedFeed:
    """The same as a value."""
    try:
        raw = calendars(payload)
    except Unreadable as unreadable:
        return ParsedFeed([], 0, [], unreadable.failure)
    entries = sum(len(calendar.events) for calendar in raw)
    if entries > options["items"]:
        return ParsedFeed([], entries, [], _too_many(entries, options["items"]))
    drafts: list[Draft] = []
    problems: list[Problem] = []
    for calendar in raw:
        if calendar.head.get("CALSCALE", "GREGORIAN").upper() != "GREGORIAN":
            return ParsedFeed([], entries, [], Failure("E-SRC-GARBAGE", "its dates are not Gregorian"))
        reading = _Reading(calendar, options)
        drafts.extend(reading.drafts())
        problems.extend(reading.problems)
    meetings = keyed(drafts)
    if len(meetings) > options["items"]:
        return ParsedFeed([], entries, [], _too_many(len(meetings), options["items"]))
    return ParsedFeed(meetings, entries, problems)


def _too_many(count: int, limit: int) -> Failure:
    return Failure("E-SRC-BIG", f"it has {count:,} entries; limits.items allows {limit:,}")


class _Reading:
    """Reads the entries of one VCALENDAR."""

    def __init__(self, raw: RawCalendar, options: Mapping[str, Any]) -> None:
        declared = iana_name(raw.head.get("X-WR-TIMEZONE", ""))
        self._zones = FeedZones(options["zone"] or declared or options["fallback"], declared, raw.zones)
        here = zone(self._zones.fallback)
        self._span = Span(
            begin=datetime.fromtimestamp(options["begin"], here),
            end=datetime.fromtimestamp(options["end"], here),
            most=options["occurrences"],
        )
        self._raw = raw
        self._all_cancelled = raw.head.get("METHOD", "").upper() == "CANCEL"
        self._last_fields: tuple[Entry, dict[str, str]] | None = None
        self.problems: list[Problem] = []

    def drafts(self) -> list[Draft]:
        """The dated meetings of the calendar, not yet keyed."""
        by_uid: dict[str, list[Entry]] = defaultdict(list)
        for number, entry in enumerate(self._entries()):
            # Entries without a UID are each on their own.
            by_uid[entry.uid or f"\0{number}"].append(entry)
        drafts = [
            self._draft(found)
            for entries in by_uid.values()
            for found in dated(entries, self._zones, self._span, self._lose_series)
        ]
        here = self._zones.fallback
        for name in sorted(self._zones.unknown):
            text = f"nobody knows the time zone {name!r}; its times are read in {here}"
            self.problems.append(Problem("E-SRC-ZONE", text, lost=False))
        return drafts

    def _entries(self) -> Iterator[Entry]:
        for lines in self._raw.events:
            try:
                component = icalendar.Event.from_ical("\r\n".join(lines) + "\r\n")
            except ODD_CONTENT:
                self._lose("E-SRC-ROW", _title_in(lines), "its lines make no sense")
                continue
            try:
                yield read_entry(component, self._zones)
            except Unusable as unusable:
                self._lose("E-SRC-ROW", name_of(component), str(unusable))

    def _lose_series(self, entry: Entry, why: str) -> None:
        self._lose("E-SRC-RULE", name_of(entry.component), why)

    def _lose(self, code: str, name: str, why: str) -> None:
        self.problems.append(Problem(code, f"{name} could not be read because {why}", lost=True))

    def _draft(self, found: Dated) -> Draft:
        entry = found.entry
        start, end, zone_name = self._placed(found.start, found.end)
        status = text_of(entry.component, "STATUS").strip().upper()
        meeting = ParsedMeeting(
            key="",
            start=start,
            end=end,
            zone=zone_name,
            all_day=not isinstance(found.start, datetime),
            cancelled=self._all_cancelled or status in {"CANCELLED", "CANCELED"},
            fields=self._fields(entry),
            lasting=is_lasting(entry.uid),
            sequence=entry.sequence,
            modified=entry.modified,
            stamp=entry.stamp,
        )
        return Draft(uid=entry.uid, identity=found.identity, original=found.original, meeting=meeting)

    def _fields(self, entry: Entry) -> dict[str, str]:
        # The dates of a series share their texts.
        if self._last_fields is None or self._last_fields[0] is not entry:
            self._last_fields = (entry, fields_of(entry.component))
        return self._last_fields[1]

    def _placed(self, start: Time, end: Time) -> tuple[datetime, datetime, str]:
        """Wall times with the name of their zone; UTC where the zone has no name, or an hour occurs twice."""
        if not isinstance(start, datetime) or not isinstance(end, datetime):
            return datetime.combine(start, time()), datetime.combine(end, time()), self._zones.fallback
        if isinstance(start.tzinfo, ZoneInfo) and start.tzinfo.key:
            walls = [moment.astimezone(start.tzinfo).replace(tzinfo=None, fold=0) for moment in (start, end)]
            exact = [int(start.timestamp()), int(end.timestamp())]
            if [instant(wall, start.tzinfo.key) for wall in walls] == exact:
                return walls[0], walls[1], start.tzinfo.key
        first, last = (moment.astimezone(UTC).replace(tzinfo=None, fold=0) for moment in (start, end))
        return first, last, "UTC"


def _title_in(lines: list[str]) -> str:
    title = next((line.partition(":")[2] for line in lines if line.startswith("SUMMARY")), "")
    return f"the entry {title!r}" if title else "an entry without a title"
