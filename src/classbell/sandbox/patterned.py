"""
A ``patternedRecurrence`` on the wire: what is taken, and what is shown of what was taken.

Source: Graph pages "patternedRecurrence", "recurrencePattern" and "recurrenceRange resource type"; the limits are those
of the EWS schema (interval 999 days, 99 of everything else; 999 occurrences).
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from classbell.sandbox.recurrence import INDEXES, WEEKDAYS, Recurrence
from classbell.sandbox.refusals import Refusal, body_unreadable, zone_refused
from classbell.sandbox.zones import zone_of

MOST_DAYS, MOST_PERIODS, MOST_OCCURRENCES = 999, 99, 999
_LONGEST_MONTH, _MONTHS = 31, 12

_TYPES = ("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly")
_RANGES = ("endDate", "noEnd", "numbered")
_PATTERN_NAMES = frozenset(
    {"type", "interval", "month", "dayOfMonth", "daysOfWeek", "firstDayOfWeek", "index"}
)
_RANGE_NAMES = frozenset({"type", "startDate", "endDate", "recurrenceTimeZone", "numberOfOccurrences"})
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NO_DATE = "0001-01-01"


def invalid_recurrence() -> Refusal:
    """400: every value can be read, and no series can be made of them."""
    return Refusal(400, "ErrorCalendarInvalidRecurrence", "The recurrence is invalid.")


def read(value: Any) -> Recurrence:
    """
    The recurrence of a body, not yet compared with the event's start; ``zone`` is empty where none is given.

    What the type does not use is checked as well, and then forgotten.

    Raises:
        Refusal: it is malformed or incomplete, or out of range.
    """
    whole = _members(value, "patternedRecurrence", frozenset({"pattern", "range"}))
    pattern = _members(whole.get("pattern"), "recurrencePattern", _PATTERN_NAMES)
    limits = _members(whole.get("range"), "recurrenceRange", _RANGE_NAMES)
    kind = _choice(pattern.get("type"), _TYPES)
    span = _choice(limits.get("type"), _RANGES)
    month = _number(pattern, "month", most=_MONTHS)
    day = _number(pattern, "dayOfMonth", most=_LONGEST_MONTH)
    days = _days(pattern.get("daysOfWeek"))
    index = _choice(pattern.get("index") or "first", INDEXES)
    count = _number(limits, "numberOfOccurrences", most=MOST_OCCURRENCES)
    first, last = _day(limits.get("startDate")), _day(limits.get("endDate"))
    by_day, in_year = kind.startswith("absolute"), kind.endswith("Yearly")
    by_weekday = kind == "weekly" or kind.startswith("relative")
    if (
        (by_day and not day)
        or (in_year and not month)
        or (by_weekday and not days)
        or first is None
        or (span == "endDate" and (last is None or last < first))
        or (span == "numbered" and not count)
    ):
        raise invalid_recurrence()
    return Recurrence(
        type=kind,
        interval=_interval(pattern, kind),
        month=month if in_year else 0,
        day=day if by_day else 0,
        days=days if by_weekday else (),
        week_start=_choice(pattern.get("firstDayOfWeek") or "sunday", WEEKDAYS),
        index=index if kind.startswith("relative") else "first",
        range=span,
        first=first,
        last=last if span == "endDate" and last else 0,
        count=count if span == "numbered" else 0,
        zone=_zone(limits.get("recurrenceTimeZone")),
    )


def shown(recurrence: Recurrence) -> dict[str, Any]:
    """The recurrence as JSON values; unused members have their empty values."""
    pattern: dict[str, Any] = {
        "type": recurrence.type,
        "interval": recurrence.interval,
        "month": recurrence.month,
        "dayOfMonth": recurrence.day,
    }
    if recurrence.days:
        pattern["daysOfWeek"] = list(recurrence.days)
    pattern |= {"firstDayOfWeek": recurrence.week_start, "index": recurrence.index}
    last = date.fromordinal(recurrence.last).isoformat() if recurrence.last else _NO_DATE
    limits = {
        "type": recurrence.range,
        "startDate": date.fromordinal(recurrence.first).isoformat(),
        "endDate": last,
        "recurrenceTimeZone": recurrence.zone,
        "numberOfOccurrences": recurrence.count,
    }
    return {"pattern": pattern, "range": limits}


def _members(value: Any, kind: str, names: frozenset[str]) -> Mapping[str, Any]:
    if value is None:
        raise invalid_recurrence()
    if not isinstance(value, dict):
        raise body_unreadable(f"Cannot convert the value to the expected type 'microsoft.graph.{kind}'.")
    for name in value:
        if name not in names and "@" not in name:
            raise body_unreadable(f"The property '{name}' does not exist on type 'microsoft.graph.{kind}'.")
    return value


def _choice(value: Any, allowed: tuple[str, ...]) -> str:
    if value is None:
        raise invalid_recurrence()
    found = (
        {name.casefold(): name for name in allowed}.get(value.casefold()) if isinstance(value, str) else None
    )
    if found is None:
        raise body_unreadable(f"Requested value '{value}' was not found.")
    return found


def _number(members: Mapping[str, Any], name: str, *, most: int) -> int:
    value = members.get(name)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise body_unreadable(
            f"Cannot convert the value of property '{name}' to the expected type 'Edm.Int32'."
        )
    if not 0 <= value <= most:
        raise invalid_recurrence()
    return value


def _interval(pattern: Mapping[str, Any], kind: str) -> int:
    found = _number(pattern, "interval", most=MOST_DAYS if kind == "daily" else MOST_PERIODS)
    if not found:
        raise invalid_recurrence()
    return found


def _days(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise body_unreadable("The property 'daysOfWeek' does not have the expected collection type.")
    return tuple(dict.fromkeys(_choice(day, WEEKDAYS) for day in value))


def _day(value: Any) -> int | None:
    if value is None or value == _NO_DATE:
        return None
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value).toordinal()
    except ValueError:
        pass
    # As clients met it that sent a time along or another order: sdk-php issue 355, sdk-javascript issue 404.
    raise Refusal(400, "UnableToDeserializePostBody", "were unable to deserialize ")


def _zone(value: Any) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise body_unreadable(
            "Cannot convert the value of property 'recurrenceTimeZone' to the expected type."
        )
    if zone_of(value) is None:
        raise zone_refused(value)
    return value
