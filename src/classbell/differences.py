"""What differs between two renderings, in the words of an event's fields. Pure; for people to read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from classbell.zones import instant, wall

_LONG = 60


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field that changes. Times are wall times of the institution's zone."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An event as people know it: ``start`` and ``end`` are wall times of the institution's zone."""

    subject: str
    location: str
    start: datetime
    end: datetime
    all_day: bool


def seen(body: bytes, timezone: str) -> Seen | None:
    """What people see of a rendering; None where its bytes are not kept."""
    if not body:
        return None
    event = msgspec.json.decode(body)
    return Seen(
        subject=event["subject"],
        location=event["location"]["displayName"],
        start=_time(event, "start", timezone),
        end=_time(event, "end", timezone),
        all_day=event["isAllDay"],
    )


def differences(old: bytes, new: bytes, timezone: str) -> list[Difference]:
    """
    The fields in which two renderings differ, in a fixed order; none if the bytes of one are not kept.

    Args:
        timezone: IANA name; the zone times are shown in.
    """
    if not old or not new:
        return []
    before, after = msgspec.json.decode(old), msgspec.json.decode(new)
    result = []
    for field, read in _FIELDS.items():
        was, is_ = read(before, timezone), read(after, timezone)
        if was != is_:
            result.append(Difference(field=field, old=_short(was), new=_short(is_)))
    return result


def _time(event: dict[str, Any], which: str, timezone: str) -> datetime:
    moment = datetime.fromisoformat(event[which]["dateTime"])
    return moment if event["isAllDay"] else wall(instant(moment, "UTC"), timezone)


def _when(which: str, event: dict[str, Any], timezone: str) -> str:
    moment = _time(event, which, timezone)
    return f"{moment:%a %d %b}" if event["isAllDay"] else f"{moment:%a %d %b %H:%M}"


def _reminder(event: dict[str, Any], _: str) -> str:
    return f"{event['reminderMinutesBeforeStart']} min" if event["isReminderOn"] else "none"


_FIELDS = {
    "start": lambda event, zone: _when("start", event, zone),
    "end": lambda event, zone: _when("end", event, zone),
    "room": lambda event, _: event["location"]["displayName"],
    "title": lambda event, _: event["subject"],
    "all day": lambda event, _: "yes" if event["isAllDay"] else "no",
    "show as": lambda event, _: event["showAs"],
    "sensitivity": lambda event, _: event["sensitivity"],
    "reminder": _reminder,
    "categories": lambda event, _: ", ".join(event["categories"]),
    "text": lambda event, _: event["body"]["content"],
}


def _short(text: str) -> str:
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"
