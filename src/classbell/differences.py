"""What differs between two renderings, in the words of an event's fields. Pure; for people to read."""

from collections.abc import Callable
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
    result = _times(before, after, timezone)
    for field, read in _FIELDS.items():
        was, is_ = read(before), read(after)
        if was != is_:
            result.append(Difference(field=field, old=_short(was), new=_short(is_)))
    return result


def _times(before: dict[str, Any], after: dict[str, Any], timezone: str) -> list[Difference]:
    """The start where it moves, and the end only where that says more."""
    was, will = [(_time(e, "start", timezone), _time(e, "end", timezone)) for e in (before, after)]
    result = []
    if was[0] != will[0]:
        result.append(_moved("start", was[0], will[0], all_day=after["isAllDay"]))
    if was[1] - was[0] != will[1] - will[0]:
        result.append(_moved("end", was[1], will[1], all_day=after["isAllDay"]))
    return result


def _moved(field: str, old: datetime, new: datetime, *, all_day: bool) -> Difference:
    day = f"{new:%a %d %b}" if old.date() != new.date() else ""
    time = "" if all_day else f"{new:%H:%M}"
    return Difference(
        field=field,
        old=f"{old:%a %d %b}" if all_day else f"{old:%a %d %b %H:%M}",
        new=f"{day} {time}".strip() or f"{new:%a %d %b}",
    )


def _time(event: dict[str, Any], which: str, timezone: str) -> datetime:
    moment = datetime.fromisoformat(event[which]["dateTime"])
    return moment if event["isAllDay"] else wall(instant(moment, "UTC"), timezone)


def _reminder(event: dict[str, Any]) -> str:
    return f"{event['reminderMinutesBeforeStart']} min" if event["isReminderOn"] else "none"


_FIELDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "room": lambda event: event["location"]["displayName"],
    "title": lambda event: event["subject"],
    "all day": lambda event: "yes" if event["isAllDay"] else "no",
    "show as": lambda event: event["showAs"],
    "sensitivity": lambda event: event["sensitivity"],
    "reminder": _reminder,
    "categories": lambda event: ", ".join(event["categories"]),
    "text": lambda event: event["body"]["content"],
}


def _short(text: str) -> str:
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"
