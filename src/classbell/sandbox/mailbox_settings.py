"""
Settings of a mailbox, and the time zones that it may name.

Source: Graph pages "Get user mailbox settings", "Update user mailbox settings" (with its table of errors) and
"outlookUser: supportedTimeZones".
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from classbell.sandbox.asked import Asked
from classbell.sandbox.exchange import VERSION, Reply
from classbell.sandbox.instants import microseconds
from classbell.sandbox.recurrence import WEEKDAYS
from classbell.sandbox.refusals import Refusal, bad_request, body_unreadable, segment_unknown, zone_refused
from classbell.sandbox.zones import iana_names, windows_names, zone_of

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,12})?")
_ZONES = re.compile(
    r"supportedTimeZones(?:\(\)|\(TimeZoneStandard=microsoft\.graph\.timeZoneStandard'(?P<standard>\w+)'\))?",
    re.IGNORECASE,
)
_STATUSES = ("disabled", "alwaysEnabled", "scheduled")
_AUDIENCES = ("none", "contactsOnly", "all")
_DELIVERIES = (
    "sendToDelegateAndInformationToPrincipal",
    "sendToDelegateAndPrincipal",
    "sendToDelegateOnly",
)


def answer(asked: Asked, rest: list[str]) -> Reply:
    """Do what is asked of ``mailboxSettings`` and what follows it."""
    match rest:
        case []:
            return asked.by_method(GET=lambda: _show(asked), PATCH=lambda: _update(asked, asked.body()))
        case [name] if name in asked.store.personal.settings:
            if name == "timeZone":
                return asked.by_method(GET=lambda: _show_one(asked, name), PATCH=lambda: _update_zone(asked))
            return asked.by_method(GET=lambda: _show_one(asked, name))
        case _:
            raise segment_unknown(rest[-1])


def zones(asked: Asked, segment: str) -> Reply:
    """GET ``outlook/supportedTimeZones``, as Windows or IANA names."""
    found = _ZONES.fullmatch(segment)
    standard = (found["standard"] or "Windows").casefold() if found else ""
    if standard not in {"windows", "iana"}:
        raise bad_request(f"Requested value '{segment}' was not found.")
    names = windows_names() if standard == "windows" else iana_names()
    told = [
        {"alias": name, "displayName": _zone_title(name) if standard == "windows" else name} for name in names
    ]
    context = f"{asked.request.base}/{VERSION}/$metadata#Collection(microsoft.graph.timeZoneInformation)"
    return asked.by_method(GET=lambda: asked.reply(200, {"@odata.context": context, "value": told}))


def is_zones(segment: str) -> bool:
    """Whether a segment asks for the supported time zones."""
    return segment.partition("(")[0].casefold() == "supportedtimezones"


def _zone_title(name: str) -> str:
    zone = zone_of(name)
    moment = datetime(2026, 1, 1, tzinfo=UTC).astimezone(zone)
    offset = (moment.utcoffset() or timedelta()) - (moment.dst() or timedelta())
    minutes = round(offset.total_seconds() / 60)
    return f"(UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}) {name}"


def _show(asked: Asked) -> Reply:
    context = {"@odata.context": asked.context("mailboxSettings")}
    return asked.reply(200, context | asked.store.personal.settings)


def _show_one(asked: Asked, name: str) -> Reply:
    value = asked.store.personal.settings[name]
    told = value if isinstance(value, dict) else {"value": value}
    return asked.reply(200, {"@odata.context": asked.context(f"mailboxSettings/{name}")} | told)


def _update_zone(asked: Asked) -> Reply:
    _update(asked, {"timeZone": asked.body().get("value")})
    return _show_one(asked, "timeZone")


def _update(asked: Asked, body: dict[str, Any]) -> Reply:
    settings = asked.store.personal.settings
    changed: dict[str, Any] = {}
    for name, value in body.items():
        if "@" in name:
            continue
        reader = _READERS.get(name)
        if reader is None:
            raise body_unreadable(
                f"The property '{name}' does not exist on type 'microsoft.graph.mailboxSettings' or cannot be set."
            )
        changed[name] = reader(value, settings[name])
    settings.update(changed)
    asked.store.note("update-settings", ", ".join(changed), cause=asked.cause)
    return asked.reply(200, {"@odata.context": asked.context("mailboxSettings")} | changed)


def _text(value: Any, before: Any) -> str:
    del before
    if not isinstance(value, str):
        raise body_unreadable("Cannot convert the value to the expected type 'Edm.String'.")
    return value


def _zone(value: Any, before: Any) -> str:
    # It is given back in the form in which it was set.
    name = _text(value, before)
    if zone_of(name) is None:
        raise zone_refused(name)
    return name


def _choice(value: Any, allowed: tuple[str, ...]) -> str:
    found = {name.casefold(): name for name in allowed}.get(str(value).casefold())
    if found is None:
        raise Refusal(400, "InvalidArguments", f"Requested value '{value}' was not found.")
    return found


def _members(value: Any, known: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(name in known or "@" in name for name in value):
        raise body_unreadable("Cannot convert the value to the expected type.")
    return {name: part for name, part in value.items() if "@" not in name}


def _language(value: Any, before: dict[str, Any]) -> dict[str, Any]:
    told = _members(value, before)
    locale = _text(told.get("locale"), None)
    return {"locale": locale, "displayName": locale if locale != before["locale"] else before["displayName"]}


def _hours(value: Any, before: dict[str, Any]) -> dict[str, Any]:
    told = before | _members(value, before)
    for name in ("startTime", "endTime"):
        if not isinstance(told[name], str) or not _TIME.fullmatch(told[name]):
            raise body_unreadable(
                f"Cannot convert the literal '{told[name]}' to the expected type 'Edm.TimeOfDay'."
            )
    if told["startTime"] > told["endTime"]:
        raise Refusal(400, "ErrorInvalidTimeSettings", "Start Time should occur before End Time.")
    days = told["daysOfWeek"]
    if not isinstance(days, list):
        raise body_unreadable("The property 'daysOfWeek' does not have the expected collection type.")
    zone = told["timeZone"]
    if not isinstance(zone, dict) or not isinstance(zone.get("name"), str):
        raise body_unreadable("Cannot convert the value of 'timeZone' to the expected type.")
    if zone_of(zone["name"]) is None and "@odata.type" not in zone:
        raise Refusal(400, "InvalidTimeZone", "Time Zone settings provided are invalid.")
    return told | {"daysOfWeek": [_choice(day, WEEKDAYS) for day in days]}


def _replies(value: Any, before: dict[str, Any]) -> dict[str, Any]:
    told = before | _members(value, before)
    for name in ("scheduledStartDateTime", "scheduledEndDateTime"):
        moment = told[name]
        if not isinstance(moment, dict) or not isinstance(moment.get("dateTime"), str):
            raise body_unreadable(f"Cannot convert the value of '{name}' to the expected type.")
        if microseconds(moment["dateTime"], UTC) is None:
            raise body_unreadable(f"Cannot convert the value of '{name}' to the expected type.")
    for name in ("internalReplyMessage", "externalReplyMessage"):
        told[name] = _text(told[name], None)
    return told | {
        "status": _choice(told["status"], _STATUSES),
        "externalAudience": _choice(told["externalAudience"], _AUDIENCES),
    }


_READERS: dict[str, Callable[[Any, Any], Any]] = {
    "timeZone": _zone,
    "dateFormat": _text,
    "timeFormat": _text,
    "delegateMeetingMessageDeliveryOptions": lambda value, _: _choice(value, _DELIVERIES),
    "language": _language,
    "workingHours": _hours,
    "automaticRepliesSetting": _replies,
}
