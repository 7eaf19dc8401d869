"""
Events and calendars as JSON values, as the service answers with them.

Source: Graph pages "event resource type" and "dateTimeTimeZone resource type".
"""

from collections.abc import Collection
from datetime import UTC, tzinfo
from typing import Any, NamedTuple

import msgspec

from classbell.sandbox.bodies import as_html, as_text, preview
from classbell.sandbox.content import Content, Location
from classbell.sandbox.ids import MailboxIds
from classbell.sandbox.instants import stamp_text, wall_text
from classbell.sandbox.patterned import shown
from classbell.sandbox.properties import is_multiple, values_of
from classbell.sandbox.store import Calendar, Event, Occurrence
from classbell.sandbox.zones import zone_of

EVENT_NAMES = frozenset(
    {
        "id",
        "createdDateTime",
        "lastModifiedDateTime",
        "changeKey",
        "categories",
        "transactionId",
        "originalStartTimeZone",
        "originalEndTimeZone",
        "originalStart",
        "iCalUId",
        "reminderMinutesBeforeStart",
        "isReminderOn",
        "hasAttachments",
        "subject",
        "bodyPreview",
        "importance",
        "sensitivity",
        "isAllDay",
        "isCancelled",
        "isOrganizer",
        "isDraft",
        "responseRequested",
        "seriesMasterId",
        "showAs",
        "type",
        "webLink",
        "onlineMeetingUrl",
        "isOnlineMeeting",
        "onlineMeetingProvider",
        "allowNewTimeProposals",
        "hideAttendees",
        "recurrence",
        "responseStatus",
        "body",
        "start",
        "end",
        "location",
        "locations",
        "attendees",
        "organizer",
        "onlineMeeting",
        "cancelledOccurrences",
        "exceptionOccurrences",
        "singleValueExtendedProperties",
        "multiValueExtendedProperties",
        "extensions",
        "attachments",
        "instances",
        "calendar",
    }
)


class View(NamedTuple):
    """How a caller wants to see events: the Prefer headers, in effect."""

    zone: tzinfo = UTC
    zone_name: str = "UTC"
    text: bool = False
    immutable: bool = False
    echo: bool = False


class Owner(NamedTuple):
    """Whose mailbox it is, and the GUIDs of its ids."""

    address: str
    name: str
    ids: MailboxIds


def event_id(event: Event, owner: Owner, *, immutable: bool) -> str:
    """The id of an event of the kind asked for; that of an occurrence is made of its series and its day."""
    if event.on_day is not None:
        if immutable:
            return owner.ids.immutable_occurrence(event.number, event.on_day)
        return owner.ids.occurrence(event.folder, event.number, event.on_day)
    return series_id(event, owner, immutable=immutable)


def series_id(event: Event, owner: Owner, *, immutable: bool) -> str:
    """The id of the stored item: of the series, where *event* is an occurrence of it."""
    if immutable:
        return owner.ids.immutable(event.number)
    return owner.ids.mutable(event.folder, event.number)


def etag(version: int, owner: Owner) -> str:
    """The weak etag of a version."""
    return f'W/"{owner.ids.change_key(version)}"'


def event_json(event: Event, owner: Owner, view: View) -> dict[str, Any]:
    """The whole event as JSON values, without navigation properties and what only ``$select`` brings."""
    content = event.content
    told = _common_json(event, owner, view)
    if isinstance(event, Occurrence):
        told["seriesMasterId"] = series_id(event, owner, immutable=view.immutable)
        told["originalStart"] = stamp_text(event.original / 1_000_000)
    elif content.recurrence is not None:
        told["recurrence"] = shown(content.recurrence)
    return told


def _common_json(event: Event, owner: Owner, view: View) -> dict[str, Any]:
    content = event.content
    own_id = event_id(event, owner, immutable=view.immutable)
    key = owner.ids.change_key(event.version)
    kind, body = content.body_type, content.body
    shown = as_text(body, kind) if view.text else as_html(body, kind)
    places = [_location(place) for place in content.locations]
    return {
        "@odata.etag": f'W/"{key}"',
        "id": own_id,
        "createdDateTime": stamp_text(event.created),
        "lastModifiedDateTime": stamp_text(event.modified),
        "changeKey": key,
        "categories": list(content.categories),
        "transactionId": event.transaction or None,
        "originalStartTimeZone": content.start_zone,
        "originalEndTimeZone": content.end_zone,
        "iCalUId": owner.ids.ical_uid(event.number, event.created, event.on_day),
        "reminderMinutesBeforeStart": content.reminder_minutes,
        "isReminderOn": content.reminder_on,
        "hasAttachments": False,
        "subject": content.subject,
        "bodyPreview": preview(body, kind),
        "importance": content.importance,
        "sensitivity": content.sensitivity,
        "isAllDay": content.all_day,
        "isCancelled": False,
        "isOrganizer": True,
        "isDraft": False,
        "responseRequested": content.response_requested,
        "seriesMasterId": None,
        "showAs": content.show_as,
        "type": event.kind,
        "webLink": "https://outlook.office365.com/owa/?itemid="
        + own_id.replace("=", "%3D")
        + "&exvsurl=1&path=/calendar/item",
        "onlineMeetingUrl": None,
        "isOnlineMeeting": bool(content.online),
        "onlineMeetingProvider": content.online or "unknown",
        "allowNewTimeProposals": content.new_time_proposals,
        "hideAttendees": content.hide_attendees,
        "recurrence": None,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "body": {"contentType": "text" if view.text else "html", "content": shown},
        "start": _moment(content.start, content.start_zone, content, view),
        "end": _moment(content.end, content.end_zone, content, view),
        "location": _combined(places),
        "locations": places,
        "attendees": [
            {
                "type": member.kind,
                "status": {"response": "none", "time": "0001-01-01T00:00:00Z"},
                "emailAddress": {"name": member.name, "address": member.address},
            }
            for member in content.attendees
        ],
        "organizer": {"emailAddress": {"name": owner.name, "address": owner.address}},
        "onlineMeeting": {"joinUrl": f"https://teams.microsoft.com/l/meetup-join/{event.number}"}
        if content.online
        else None,
    }


def chosen(whole: dict[str, Any], select: Collection[str] | None) -> dict[str, Any]:
    """The part of an event or calendar that ``$select`` names; id and etag always come along."""
    if select is None:
        return whole
    return {name: value for name, value in whole.items() if name in select or name in {"id", "@odata.etag"}}


def properties_json(event: Event, wanted: Collection[str] | None) -> list[dict[str, str]]:
    """The single-value extended properties of an event, all or those wanted."""
    return [
        {"id": name, "value": value}
        for name, value in event.properties
        if (wanted is None or name in wanted) and not is_multiple(name)
    ]


def multiples_json(event: Event, wanted: Collection[str]) -> list[dict[str, Any]]:
    """The multi-value extended properties wanted of an event."""
    return [
        {"id": name, "value": values_of(value)}
        for name, value in event.properties
        if name in wanted and is_multiple(name)
    ]


def calendar_json(calendar: Calendar, owner: Owner) -> dict[str, Any]:
    """A calendar as JSON values; its id is constant, whatever kind of id is preferred."""
    default = calendar.is_default
    return {
        "id": owner.ids.mutable(calendar.parent, calendar.number),
        "name": calendar.name,
        "color": calendar.color,
        "hexColor": "",
        "isDefaultCalendar": default,
        "changeKey": owner.ids.change_key(calendar.version),
        "canShare": True,
        "canViewPrivateItems": True,
        "canEdit": True,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness",
        "isTallyingResponses": default,
        "isRemovable": not default,
        "owner": {"name": owner.name, "address": owner.address},
    }


def _moment(instant: int, sent_zone: str, content: Content, view: View) -> dict[str, str]:
    zone, name = view.zone, view.zone_name
    if view.echo:
        zone, name = zone_of(sent_zone) or UTC, sent_zone
    if content.all_day:
        # All-day events float: midnight stays midnight and only the label changes (docs issue 6003).
        zone = zone_of(content.start_zone) or UTC
    return {"dateTime": wall_text(instant, zone), "timeZone": name}


def _location(place: Location) -> dict[str, Any]:
    told: dict[str, Any] = {
        "displayName": place.name,
        "locationType": "default",
        "uniqueId": place.name,
        "uniqueIdType": "private",
    }
    if place.email:
        told["locationEmailAddress"] = place.email
    if place.uri:
        told["locationUri"] = place.uri
    if place.extra:
        told |= msgspec.json.decode(place.extra)
    return told


def _combined(places: list[dict[str, Any]]) -> dict[str, Any]:
    if not places:
        return {
            "displayName": "",
            "locationType": "default",
            "uniqueIdType": "unknown",
            "address": {},
            "coordinates": {},
        }
    if len(places) == 1:
        return places[0]
    names = "; ".join(place["displayName"] for place in places)
    return {**places[0], "displayName": names, "uniqueId": names}
