"""
Outlook REST API v2.0: the names it has, and which path takes which method.

Its objects are those of Graph in PascalCase, as far as they existed when it was frozen.
Source: "Outlook Calendar REST API reference (version 2.0)".
"""

from collections.abc import Mapping
from typing import Any

from classbell.sandbox.description import events, graph
from classbell.sandbox.description.operations import JSON, PLAIN, Answer, Operation, query, refusals
from classbell.sandbox.description.shapes import HTTPS_URL, MUTABLE_EVENT_ID, NUMBER_AS_TEXT, STAMP
from classbell.sandbox.description.terms import COUNT, TEXT, Schema, closed, listed, maybe, opened, ref

ROOT = "/api/v2.0"
MIXED = "multipart/mixed"
USER = f"{ROOT}/users/{{user}}"
CALENDARS = ("/calendar", "/calendars/{calendar}")

_EVENT_NAMES = (
    "createdDateTime", "lastModifiedDateTime", "changeKey", "categories", "originalStartTimeZone",
    "originalEndTimeZone", "iCalUId", "reminderMinutesBeforeStart", "isReminderOn", "hasAttachments", "subject",
    "bodyPreview", "importance", "sensitivity", "isAllDay", "isCancelled", "isOrganizer", "responseRequested",
    "seriesMasterId", "showAs", "type", "webLink", "onlineMeetingUrl", "recurrence", "responseStatus", "body",
    "start", "end", "location", "locations", "attendees", "organizer",
)  # fmt: skip
_CALENDAR_NAMES = ("name", "color", "changeKey", "canShare", "canViewPrivateItems", "canEdit", "owner")
_PARTS = (
    "dateTimeTimeZone",
    "emailAddress",
    "itemBody",
    "responseStatus",
    "location",
    "attendee",
    "recurrence",
)
# Sent as they came: what people put into an address keeps its names.
_BODY_TYPES = {"text": "Text", "html": "HTML"}


def _named(name: str) -> str:
    return name if name == "iCalUId" or name.startswith("@") else name[:1].upper() + name[1:]


def _pascal(schema: Any) -> Any:
    """The schema of the same in this API."""
    if isinstance(schema, list):
        return [_pascal(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    told: dict[str, Any] = {}
    for key, part in schema.items():
        match key:
            case "properties":
                told[key] = {_named(name): _pascal(inner) for name, inner in part.items()}
            case "required":
                told[key] = [_named(name) for name in part]
            case "enum":
                told[key] = [_BODY_TYPES.get(word, _named(word)) for word in part]
            case "const" if isinstance(part, str):
                told[key] = _named(part)
            case "$ref":
                told[key] = part.replace("/schemas/", "/schemas/outlook.")
            case _:
                told[key] = _pascal(part)
    return told


def _chosen(whole: Mapping[str, Schema], names: tuple[str, ...]) -> dict[str, Schema]:
    return {_named(name): _pascal(whole[name]) for name in names}


_ADDRESS: dict[str, Schema] = {"@odata.id": HTTPS_URL}
_EVENT_ID: dict[str, Schema] = {"@odata.etag": events.WHOLE["@odata.etag"], "Id": MUTABLE_EVENT_ID}
_EVENT = _chosen(events.WHOLE, _EVENT_NAMES) | {"SeriesMasterId": maybe(MUTABLE_EVENT_ID)}
_EXTENDED = {
    "SingleValueExtendedProperties": listed(closed({"PropertyId": TEXT, "Value": TEXT}), minItems=1),
    "MultiValueExtendedProperties": listed(closed({"PropertyId": TEXT, "Value": listed(TEXT)}), minItems=1),
    "Calendar": closed({"Id": TEXT, **_chosen(events.CALENDAR, _CALENDAR_NAMES)}),
}
_SOMETIMES = {"OriginalStart": STAMP, **_EXTENDED}
_CALENDAR_ID = {"Id": events.CALENDAR["id"]}
_CALENDAR = _chosen(events.CALENDAR, _CALENDAR_NAMES)
_CONTEXT = events.CONTEXT


def _page(of: str) -> Schema:
    further = {"@odata.nextLink": HTTPS_URL, "@odata.count": COUNT}
    return closed({**_CONTEXT, "value": listed(ref(of))}, further)


SCHEMAS: dict[str, Schema] = {
    **{f"outlook.{name}": _pascal(events.ANSWERS[name]) for name in _PARTS},
    "outlookEvent": closed({**_ADDRESS, **_EVENT_ID, **_EVENT}, _SOMETIMES),
    "outlookEventSelected": closed({**_ADDRESS, **_EVENT_ID}, {**_EVENT, **_SOMETIMES}),
    "outlookEventRead": closed({**_CONTEXT, **_ADDRESS, **_EVENT_ID, **_EVENT}, _SOMETIMES),
    "outlookEventReadSelected": closed({**_CONTEXT, **_ADDRESS, **_EVENT_ID}, {**_EVENT, **_SOMETIMES}),
    "outlookEventWritten": closed({**_CONTEXT, **_ADDRESS, **_EVENT_ID, **_EVENT}, {"OriginalStart": STAMP}),
    "outlookEvents": _page("outlookEvent"),
    "outlookEventsSelected": _page("outlookEventSelected"),
    "outlookCalendarRead": closed({**_CONTEXT, **_ADDRESS, **_CALENDAR_ID, **_CALENDAR}),
    "outlookCalendarReadSelected": closed({**_CONTEXT, **_ADDRESS, **_CALENDAR_ID}, _CALENDAR),
    "outlookCalendar": closed({**_ADDRESS, **_CALENDAR_ID, **_CALENDAR}),
    "outlookCalendarSelected": closed({**_ADDRESS, **_CALENDAR_ID}, _CALENDAR),
    "outlookCalendars": _page("outlookCalendar"),
    "outlookCalendarsSelected": _page("outlookCalendarSelected"),
    "outlookGivenEvent": opened(
        {
            "Subject": maybe({"type": "string", "maxLength": 255}),
            "Start": opened({"DateTime": TEXT, "TimeZone": TEXT}),
            "End": opened({"DateTime": TEXT, "TimeZone": TEXT}),
            "Body": maybe(opened({"ContentType": {"enum": ["Text", "HTML"]}, "Content": TEXT})),
            "IsAllDay": {"type": "boolean"},
            "ShowAs": _pascal(events.SHOW_AS),
            "Sensitivity": _pascal(events.SENSITIVITY),
            "Importance": _pascal(events.IMPORTANCE),
            "Categories": listed({"type": "string", "minLength": 1}),
            "Location": maybe(opened({"DisplayName": TEXT})),
            "SingleValueExtendedProperties": listed(
                opened({"PropertyId": ref("propertyId"), "Value": maybe(TEXT)}, ["PropertyId"])
            ),
        }
    )
    | {
        "examples": [
            {
                "Subject": "Logic",
                "Start": {"DateTime": "2026-09-21T10:00:00", "TimeZone": "UTC"},
                "End": {"DateTime": "2026-09-21T11:00:00", "TimeZone": "UTC"},
            }
        ]
    },
    "outlookGivenCalendar": opened(
        {"Name": {"type": "string", "minLength": 1}, "Color": _pascal(events.COLOR)}
    ),
}

_COMMON = (400, 403, 404, 410, 413, 429, 501, 503)
_OTHERWISE = Answer(
    "What a scripted fault makes of the answer; the content is that of an error.", ref("outlookError")
)
# Without content: the reason stands in a header alone.
_UNAUTHORIZED = {
    401: Answer(
        "The token is missing, garbled, expired, weak, without permissions, or for somebody else.",
        headers={"x-ms-diagnostics": {"type": "string", "pattern": "^[0-9]{7};"}, "WWW-Authenticate": TEXT},
    )
}
_NO_CONTENT = {204: Answer("Done.")}
_ETAG = {"ETag": events.WHOLE["@odata.etag"]}
_CREATED = {"Location": HTTPS_URL}
_SELECT = query("$select", "Properties, with commas.", TEXT | {"examples": ["Subject,Start,End"]})
_OPTIONS = (
    _SELECT,
    *graph.PAGING,
    query("$filter", "In this API's names.", TEXT | {"examples": ["Subject eq 'Logic'"]}),
    query("$orderby", "In this API's names.", TEXT | {"examples": ["Start/DateTime desc"]}),
    query("$expand", "In this API's names.", TEXT),
    query("$count", "Whether to tell the number of all.", {"enum": ["true", "false"]}),
)


def _operation(
    summary: str,
    answers: Mapping[int, Answer],
    *further: int,
    body: str = "",
    parameters: tuple[Mapping[str, Any], ...] = (),
) -> Operation:
    return Operation(
        summary,
        {**answers, **_UNAUTHORIZED, **refusals("outlookError", *_COMMON, *further)},
        (*parameters, graph.PREFER),
        {JSON: ref(body)} if body else {},
        otherwise=_OTHERWISE,
        tag="Outlook REST",
    )


def _read(
    summary: str, whole: str, *parameters: Mapping[str, Any], further: tuple[int, ...] = ()
) -> Operation:
    answer = Answer("As asked.", ref(f"{whole}Selected"), whole=ref(whole))
    return _operation(summary, {200: answer}, *further, parameters=parameters)


def _counted(summary: str, *parameters: Mapping[str, Any], further: tuple[int, ...] = ()) -> Operation:
    return _operation(
        summary, {200: Answer("The number.", NUMBER_AS_TEXT, PLAIN)}, *further, parameters=parameters
    )


def _of_events(prefix: str) -> dict[str, dict[str, Operation]]:
    one, window = f"{prefix}/events/{{event}}", graph.WINDOW
    return {
        f"{prefix}/events": {
            "get": _read("List events.", "outlookEvents", *_OPTIONS),
            "post": _operation(
                "Create an event.",
                {201: Answer("Created.", ref("outlookEventWritten"), headers=_ETAG | _CREATED)},
                507,
                body="outlookGivenEvent",
            ),
        },
        f"{prefix}/events/$count": {"get": _counted("Count events.", *_OPTIONS)},
        one: {
            "get": _read("Read an event.", "outlookEventRead", _SELECT),
            "patch": _operation(
                "Change an event.",
                {200: Answer("The whole event.", ref("outlookEventWritten"), headers=_ETAG)},
                412,
                body="outlookGivenEvent",
                parameters=(graph.IF_MATCH,),
            ),
            "delete": _operation("Delete an event.", _NO_CONTENT, 412, parameters=(graph.IF_MATCH,)),
        },
        f"{one}/instances": {
            "get": _read("List the days of a series.", "outlookEvents", *window, *_OPTIONS, further=(500,))
        },
        f"{one}/instances/$count": {"get": _counted("Count them.", *window, *_OPTIONS, further=(500,))},
        f"{prefix}/calendarview": {
            "get": _read("List what stands in a window.", "outlookEvents", *window, *_OPTIONS, further=(500,))
        },
        f"{prefix}/calendarview/$count": {"get": _counted("Count it.", *window, *_OPTIONS, further=(500,))},
    }


def _of_calendars() -> dict[str, dict[str, Operation]]:
    told: dict[str, dict[str, Operation]] = {
        "/calendars": {
            "get": _read("List calendars.", "outlookCalendars", _SELECT, *graph.PAGING),
            "post": _operation(
                "Create a calendar.",
                {201: Answer("Created.", ref("outlookCalendarRead"), headers=_CREATED)},
                409,
                body="outlookGivenCalendar",
            ),
        },
        "/calendars/$count": {"get": _counted("Count calendars.")},
    }
    for prefix in CALENDARS:
        told[prefix] = {
            "get": _read("Read a calendar.", "outlookCalendarRead", _SELECT),
            "patch": _operation(
                "Change a calendar.",
                {200: Answer("The calendar.", ref("outlookCalendarRead"))},
                409,
                body="outlookGivenCalendar",
            ),
            "delete": _operation("Delete a calendar; never the default one.", _NO_CONTENT),
        }
    return told


_BATCH = Operation(
    "Several requests in one, in JSON or as multipart/mixed, answered in their order until the first that fails.",
    {
        200: Answer("An answer to each that was done.", ref("batchAnswer"), beside={MIXED: TEXT}),
        **_UNAUTHORIZED,
        **refusals("outlookError", 400, 410, 413, 501),
    },
    (graph.PREFER,),
    {JSON: ref("outlookBatchRequest"), MIXED: TEXT},
    otherwise=_OTHERWISE,
    tag="Outlook REST",
)


def paths() -> dict[str, dict[str, Operation]]:
    """All paths with their operations by method."""
    below: dict[str, dict[str, Operation]] = {"/$batch": {"post": _BATCH}}
    for prefix in ("", *CALENDARS):
        below |= _of_events(prefix)
    below |= _of_calendars()
    return {
        f"{ROOT}/$batch": {"post": _BATCH},
        f"{ROOT}/me/$batch": {"post": _BATCH},
        **{f"{USER}{path}": operations for path, operations in below.items()},
    }
