"""What stands in a calendar, in the few words in which a timetable says it."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from classbell.sandbox import Mailbox


class Standing(NamedTuple):
    """An event or a meeting: its start in UTC to the second, its length, title and place."""

    start: str
    length: timedelta
    title: str
    place: str

    @property
    def starts_at(self) -> datetime:
        return datetime.fromisoformat(self.start)


def events(mailbox: Mailbox, begin: datetime, end: datetime, *, timezone: str) -> list[tuple[Standing, str]]:
    """What the owner of a mailbox sees, sorted, each with its id; whole days begin at midnight in *timezone*."""
    return sorted((_standing(event, timezone), event["id"]) for event in mailbox.calendar_view(begin, end))


def told(start: datetime, end: datetime, title: str, place: str) -> Standing:
    """The same of two instants and two texts."""
    return Standing(utc(start), end - start, title, place)


def utc(moment: datetime) -> str:
    """A moment as the manifest of the real timetables writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def starts_sha256(meetings: Iterable[Standing]) -> str:
    """As the manifest of the real timetables takes it: the sorted starts, one a line."""
    return hashlib.sha256("\n".join(sorted(one.start for one in meetings)).encode()).hexdigest()


def _standing(event: dict[str, Any], timezone: str) -> Standing:
    moments = [
        _instant(event[part], ZoneInfo(timezone) if event["isAllDay"] else UTC) for part in ("start", "end")
    ]
    return told(moments[0], moments[1], event["subject"], event["location"]["displayName"])


def _instant(moment: dict[str, str], zone: Any) -> datetime:
    assert moment["timeZone"] == "UTC"
    return datetime.fromisoformat(moment["dateTime"][:19]).replace(tzinfo=zone).astimezone(UTC)
