"""
The real timetables beside the repository, read here with two libraries alone, after the manifest's repairs.

Nothing of the product's own reader is used: what stands in calendars is judged by this.
"""

import html
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events  # type: ignore[import-untyped] # ships no types
from tests.scenarios.calendars import Standing, told

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MANIFEST = DATA / "manifest.json"
LONGEST = 255

# The repairs of the manifest, by its own names.
REPAIRS: dict[str, Callable[[bytes], bytes]] = {
    "line ends -> LF": lambda body: body.replace(b"\r\n", b"\n").replace(b"\r", b"\n"),
    "blank lines dropped": lambda body: (
        b"\n".join(line for line in body.split(b"\n") if line.strip()) + b"\n"
    ),
    "END:VCALENDAR added": lambda body: body + b"\nEND:VCALENDAR\n",
    "VALUE=DATE dropped from date-times": lambda body: body.replace(b";VALUE=DATE:2", b":2"),
}


@dataclass(frozen=True)
class Timetable:
    """A real timetable, with what the manifest says of it."""

    name: str
    path: Path
    timezone: str
    begin: datetime
    end: datetime
    occurrences: int
    starts_sha256: str
    repairs: tuple[str, ...]
    last: datetime

    @property
    def early(self) -> datetime:
        """A moment a little after the term began, with most of it still to come."""
        week = self.begin + timedelta(days=8)
        return week if self.last > week + timedelta(days=2) else self.begin + timedelta(days=1)

    def meetings(self, body: bytes | None = None) -> list[Standing]:
        """Every dated meeting in the manifest's window; of other content where *body* is given."""
        text = self.path.read_bytes() if body is None else body
        for repair in self.repairs:
            text = REPAIRS[repair](text)
        query = recurring_ical_events.of(icalendar.Calendar.from_ical(text))
        return sorted(self._meeting(entry) for entry in query.between(self.begin, self.end))

    def _meeting(self, entry: Any) -> Standing:
        start, end = (self._instant(entry[name].dt) for name in ("DTSTART", "DTEND"))
        return told(start, end, _line(entry.get("SUMMARY", "")), _line(entry.get("LOCATION", "")))

    def _instant(self, value: date) -> datetime:
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(self.timezone))
        return moment.astimezone(UTC)


def timetables() -> list[Timetable]:
    """All of them; none where the data are absent."""
    if not MANIFEST.is_file():
        return []
    files = json.loads(MANIFEST.read_text(encoding="utf-8"))["files"]
    return list(_real(file for file in files if file["file"].startswith("ics/real/")))


def _real(files: Iterable[dict[str, Any]]) -> Iterable[Timetable]:
    for file in files:
        begin, end = (datetime.fromisoformat(text) for text in file["window_utc"])
        yield Timetable(
            name=Path(file["file"]).stem,
            path=DATA / file["file"],
            timezone=file["assumed_tz"],
            begin=begin,
            end=end,
            occurrences=file["occurrences"],
            starts_sha256=file["starts_sha256"],
            repairs=tuple(file.get("lenient_repairs", ())),
            last=datetime.fromisoformat(file["last_occurrence_utc"]),
        )


def _line(text: Any) -> str:
    """A title or place as one line of plain text, as long as Outlook keeps it."""
    return " ".join(html.unescape(str(text)).split())[:LONGEST].rstrip()
