"""
What a request body may say about an event, and what the service refuses.

Source: Graph page "event resource type"; the refusals as met in issue threads.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

import msgspec

from classbell.sandbox import patterned, properties, series
from classbell.sandbox.content import Attendee, Content, Location
from classbell.sandbox.instants import microseconds, wall
from classbell.sandbox.refusals import (
    Refusal,
    bad_request,
    body_unreadable,
    invalid_request,
    not_reproduced,
    property_refused,
    zone_refused,
)
from classbell.sandbox.switches import Switches
from classbell.sandbox.zones import REFUSED, zone_of

# EWS schema limits, which the store keeps.
SUBJECT_LENGTH = 255
CATEGORY_LENGTH = 255
ATTENDEES = 500
# The dates of the store, in microseconds: 1601-01-02 (FILETIME) to 4500-09-01 (MAPI).
EARLIEST, LATEST = -11_644_387_200_000_000, 79_860_124_800_000_000

_READ_ONLY = frozenset(
    {
        "id",
        "changeKey",
        "createdDateTime",
        "lastModifiedDateTime",
        "bodyPreview",
        "originalStart",
        "originalStartTimeZone",
        "originalEndTimeZone",
        "isOrganizer",
        "responseStatus",
        "type",
        "seriesMasterId",
        "cancelledOccurrences",
        "exceptionOccurrences",
        "iCalUId",
        "isCancelled",
        "isDraft",
        "hasAttachments",
        "onlineMeeting",
        "onlineMeetingUrl",
        "webLink",
        "instances",
        "calendar",
    }
)
_ELSEWHERE = {
    "extensions": "open extensions",
    "attachments": "attachments",
}
# As .NET reads text where a value of another primitive type is expected.
_BOOLEANS = {"true": True, "false": False}
_WHOLE_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,10}\s*")


@dataclass(slots=True)
class Draft:
    """What a body asks for: changed fields of the content, properties, and a transaction id."""

    fields: dict[str, Any] = field(default_factory=dict)
    properties: list[tuple[str, str | None]] = field(default_factory=list)
    transaction: str | None = None

    def content(self, before: Content | None) -> Content:
        """
        The content after the change.

        Raises:
            Refusal: the whole is not possible: no start, an end before the start, half an all-day event.
        """
        if before is None and not ("start" in self.fields and "end" in self.fields):
            raise property_refused()
        content = Content(**self.fields) if before is None else msgspec.structs.replace(before, **self.fields)
        if content.all_day:
            _check_all_day(content)
        if content.end < content.start:
            raise property_refused()
        return content if content.recurrence is None else series.settled(content, before)


def read(body: Any, switches: Switches, *, creating: bool) -> Draft:
    """
    Read the body of a POST or PATCH of an event.

    Raises:
        Refusal: a property is unknown, read-only, of the wrong type or out of its range.
    """
    if not isinstance(body, dict):
        raise bad_request("Empty Payload. JSON content expected.")
    draft = Draft()
    for name, value in body.items():
        reader = _READERS.get(name)
        if reader is not None:
            draft.fields.update(reader(name, value))
        elif name == "singleValueExtendedProperties":
            draft.properties += properties.accepted(value)
        elif name == "multiValueExtendedProperties":
            draft.properties += properties.accepted_multiple(value)
        elif name == "transactionId":
            draft.transaction = _transaction(value, creating=creating)
        else:
            _check_ignorable(name, value, switches)
    _settle_subject(draft, switches)
    _settle_online(draft, body)
    return draft


def _settle_subject(draft: Draft, switches: Switches) -> None:
    subject = draft.fields.get("subject", "")
    if len(subject) > SUBJECT_LENGTH:
        if switches.long_subject == "refuse":
            raise property_refused()
        draft.fields["subject"] = subject[:SUBJECT_LENGTH]


def _settle_online(draft: Draft, body: dict[str, Any]) -> None:
    # A provider alone makes an online meeting, but not beside a no (python-o365 names one with every event).
    said = body.get("isOnlineMeeting")
    if said is not None and not _boolean("isOnlineMeeting", said):
        draft.fields.pop("online", None)


def _check_ignorable(name: str, value: Any, switches: Switches) -> None:
    if "@" in name or name == "organizer":
        return  # annotations mean nothing here; the organizer is always the mailbox's owner
    if name in _ELSEWHERE:
        if value:
            raise not_reproduced(_ELSEWHERE[name])
    elif name in _READ_ONLY:
        if switches.read_only_properties == "refuse":
            raise Refusal(
                400, "ErrorInvalidProperty", f"The property '{name}' is read-only and cannot be set."
            )
    else:
        raise body_unreadable(
            f"The property '{name}' does not exist on type 'microsoft.graph.event'. Make sure to only use "
            "property names that are defined by the type."
        )


def _check_all_day(content: Content) -> None:
    zone, other = zone_of(content.start_zone), zone_of(content.end_zone)
    if zone is None or not _is_midnight(content.start, zone):
        raise _not_midnight("Start")
    if other is not zone or not _is_midnight(content.end, zone):
        raise _not_midnight("End")
    if content.start == content.end:
        raise invalid_request("The duration of an event marked as All day must be at least 24 hours.")


def _not_midnight(name: str) -> Refusal:
    return invalid_request(f"The Event.{name} property for an all-day event needs to be set to midnight.")


def _is_midnight(instant: int, zone: tzinfo) -> bool:
    local = wall(instant, zone)
    return not (local.hour or local.minute or local.second or local.microsecond)


def _transaction(value: Any, *, creating: bool) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise _wrong_type("transactionId", "Edm.String")
    if not creating:
        raise property_refused()  # it is given once, with the create
    return value


def _wrong_type(name: str, expected: str) -> Refusal:
    return body_unreadable(
        f"Cannot convert the value of property '{name}' to the expected type '{expected}'."
    )


def _text(target: str) -> Callable[[str, Any], dict[str, Any]]:
    def reader(name: str, value: Any) -> dict[str, Any]:
        if value is not None and not isinstance(value, str):
            raise _wrong_type(name, "Edm.String")
        return {target: value or ""}

    return reader


def _flag(target: str, default: bool) -> Callable[[str, Any], dict[str, Any]]:  # noqa: FBT001 - a table's column
    def reader(name: str, value: Any) -> dict[str, Any]:
        return {target: default if value is None else _boolean(name, value)}

    return reader


def _boolean(name: str, value: Any) -> bool:
    # Text is converted to any primitive type (odata.net, ODataPayloadValueConverter); python-o365 sends "false".
    found = _BOOLEANS.get(value.strip().casefold()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise _wrong_type(name, "Edm.Boolean")
    return found


def _choice(target: str, *allowed: str) -> Callable[[str, Any], dict[str, Any]]:
    known = {name.casefold(): name for name in allowed}

    def reader(name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, str):
            raise _wrong_type(name, "enumeration")
        if value.casefold() not in known:
            raise body_unreadable(f"Requested value '{value}' was not found.")
        return {target: known[value.casefold()]}

    return reader


def _moment(target: str) -> Callable[[str, Any], dict[str, Any]]:
    def reader(name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise property_refused() if value is None else _wrong_type(name, "dateTimeTimeZone")
        text, zone_name = value.get("dateTime"), value.get("timeZone") or "UTC"
        if not isinstance(text, str) or not isinstance(zone_name, str):
            raise property_refused()
        zone = zone_of(zone_name)
        if zone is None:
            raise zone_refused(zone_name)
        instant = microseconds(text, zone)
        if instant is None or zone_name in REFUSED or not EARLIEST <= instant < LATEST:
            raise property_refused()
        return {target: instant, f"{target}_zone": zone_name}

    return reader


def _body(name: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {"body": "", "body_type": "html"}
    if not isinstance(value, dict):
        raise _wrong_type(name, "microsoft.graph.itemBody")
    kind = _choice("body_type", "text", "html")("contentType", value.get("contentType") or "text")
    return _text("body")("content", value.get("content")) | kind


def _location_of(value: Any) -> Location:
    if not isinstance(value, dict):
        raise _wrong_type("location", "microsoft.graph.location")
    name, email, uri = (
        value.get(name) or "" for name in ("displayName", "locationEmailAddress", "locationUri")
    )
    if not (isinstance(name, str) and isinstance(email, str) and isinstance(uri, str)):
        raise _wrong_type("location", "Edm.String")
    extra = {part: value[part] for part in ("address", "coordinates") if value.get(part)}
    return Location(name, email, uri, msgspec.json.encode(extra) if extra else b"")


def _location(name: str, value: Any) -> dict[str, Any]:
    del name
    place = Location() if value is None else _location_of(value)
    return {"locations": () if place == Location() else (place,)}


def _locations(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, list):
        raise _wrong_type(name, "Collection(microsoft.graph.location)")
    return {"locations": tuple(_location_of(place) for place in value)}


def _categories(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, list) or not all(isinstance(category, str) for category in value):
        raise _wrong_type(name, "Collection(Edm.String)")
    if any(not category or len(category) > CATEGORY_LENGTH for category in value):
        raise property_refused()
    return {"categories": tuple(dict.fromkeys(value))}


def _recurrence(name: str, value: Any) -> dict[str, Any]:
    return {name: None if value is None else patterned.read(value)}


def _minutes(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**31) <= value < 2**31:
        raise _wrong_type(name, "Edm.Int32")
    return {"reminder_minutes": value}


def _attendees(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, list):
        raise _wrong_type(name, "Collection(microsoft.graph.attendee)")
    if len(value) > ATTENDEES:
        raise property_refused()
    return {"attendees": tuple(_attendee(member) for member in value)}


def _attendee(member: Any) -> Attendee:
    mail = member.get("emailAddress") if isinstance(member, dict) else None
    if not isinstance(mail, dict) or not isinstance(mail.get("address"), str) or "@" not in mail["address"]:
        raise property_refused()
    kind = _choice("kind", "required", "optional", "resource")("type", member.get("type") or "required")
    return Attendee(mail["address"], str(mail.get("name") or mail["address"]), kind["kind"])


def _online(name: str, value: Any) -> dict[str, Any]:
    # Once an online meeting, always one: the service says it cannot be undone.
    return {"online": "teamsForBusiness"} if value is not None and _boolean(name, value) else {}


def _provider(name: str, value: Any) -> dict[str, Any]:
    chosen: str = _choice("online", "unknown", "skypeForBusiness", "skypeForConsumer", "teamsForBusiness")(
        name, value or "unknown"
    )["online"]
    return {} if chosen == "unknown" else {"online": chosen}


_READERS: dict[str, Callable[[str, Any], dict[str, Any]]] = {
    "subject": _text("subject"),
    "body": _body,
    "start": _moment("start"),
    "end": _moment("end"),
    "isAllDay": _flag("all_day", default=False),
    "location": _location,
    "locations": _locations,
    "categories": _categories,
    "importance": _choice("importance", "low", "normal", "high"),
    "sensitivity": _choice("sensitivity", "normal", "personal", "private", "confidential"),
    "showAs": _choice("show_as", "unknown", "free", "tentative", "busy", "oof", "workingElsewhere"),
    "isReminderOn": _flag("reminder_on", default=True),
    "reminderMinutesBeforeStart": _minutes,
    "responseRequested": _flag("response_requested", default=True),
    "allowNewTimeProposals": _flag("new_time_proposals", default=True),
    "hideAttendees": _flag("hide_attendees", default=False),
    "attendees": _attendees,
    "recurrence": _recurrence,
    "isOnlineMeeting": _online,
    "onlineMeetingProvider": _provider,
}
