"""
Graph v1.0, as far as the sandbox reproduces it: which path takes which method, with which answers.

Source: Graph API reference v1.0.
"""

from collections.abc import Mapping
from typing import Any

from classbell.sandbox.description.operations import (
    JSON,
    PLAIN,
    Answer,
    Operation,
    header,
    in_path,
    query,
    refusals,
)
from classbell.sandbox.description.possessions import SETTINGS
from classbell.sandbox.description.shapes import ETAG, HTTPS_URL, NUMBER_AS_TEXT
from classbell.sandbox.description.terms import TEXT, Schema, choice, ref

ROOT = "/v1.0"
USER = f"{ROOT}/users/{{user}}"
CALENDARS = ("/calendar", "/calendars/{calendar}", "/calendarGroups/{group}/calendars/{calendar}")

PATH_PARAMETERS: dict[str, dict[str, Any]] = {
    "user": in_path(
        "user",
        "Object id or address; `users('…')` is understood as well.",
        {"type": "string", "minLength": 1},
    ),
    "calendar": in_path("calendar", "The id of a calendar.", {"type": "string", "minLength": 1}),
    "group": in_path("group", "The id of a calendar group.", {"type": "string", "minLength": 1}),
    "event": in_path(
        "event", "The id of an event or occurrence, of either kind.", {"type": "string", "minLength": 1}
    ),
    "category": in_path("category", "The id of a master category.", {"type": "string", "minLength": 1}),
    "setting": in_path("setting", "The name of a setting.", choice(*SETTINGS)),
    "standard": in_path("standard", "Whose names of time zones.", choice("Windows", "Iana")),
    "application": in_path(
        "application", "The object id of a registration.", {"type": "string", "minLength": 1}
    ),
    "client": in_path("client", "The client id of an application.", {"type": "string", "minLength": 1}),
}

PREFER = header(
    "Prefer",
    '`IdType="ImmutableId"`, `outlook.timezone="…"`, `outlook.body-content-type="text"`, `odata.maxpagesize=…`',
    {"type": "string", "examples": ['IdType="ImmutableId"', 'outlook.timezone="W. Europe Standard Time"']},
)
IF_MATCH = header(
    "If-Match", "The etag of the version that is meant, or `*`.", {"type": "string", "examples": ["*"]}
)
SELECT = query(
    "$select", "Properties, with commas.", {"type": "string", "examples": ["subject,start,end", "id"]}
)
NUMBER: Schema = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
PAGING = (
    query("$top", "The size of a page, 1000 at most.", NUMBER | {"minimum": 1}),
    query("$skip", "How many to leave out.", NUMBER),
)
OPTIONS = (
    SELECT,
    *PAGING,
    query(
        "$filter",
        "As far as the service: no `or`, no functions of dates.",
        TEXT | {"examples": ["subject eq 'Logic'"]},
    ),
    query("$orderby", "Properties with `asc` or `desc`.", TEXT | {"examples": ["start/dateTime desc"]}),
    query(
        "$expand", "`singleValueExtendedProperties` with a filter on their ids, `calendar` and others.", TEXT
    ),
    query("$count", "Whether to tell the number of all.", choice("true", "false")),
)
_MOMENT: Schema = {"type": "string", "examples": ["2026-09-21T00:00:00Z", "2026-09-28T00:00:00Z"]}
WINDOW = (
    query("startDateTime", "Where the window begins; UTC unless it says otherwise.", _MOMENT, required=True),
    query("endDateTime", "Where it ends; 1825 days later at most.", _MOMENT, required=True),
)

_COMMON = (400, 401, 403, 404, 413, 424, 429, 501, 503)
OTHERWISE = Answer(
    "What a scripted fault makes of the answer; the content is that of an error.", ref("error")
)
_ETAG = {"ETag": ETAG}
_CREATED = {"Location": HTTPS_URL}


def operation(
    summary: str,
    answers: Mapping[int, Answer],
    *further: int,
    body: str = "",
    parameters: tuple[Mapping[str, Any], ...] = (),
    body_required: bool = True,
) -> Operation:
    """One with the refusals that all have, and *further* ones; *body* is the name of the schema of what it takes."""
    return Operation(
        summary,
        {**answers, **refusals("error", *_COMMON, *further)},
        (*parameters, PREFER),
        {JSON: ref(body)} if body else {},
        body_required,
        OTHERWISE,
    )


def _read(
    summary: str, whole: str, *parameters: Mapping[str, Any], further: tuple[int, ...] = ()
) -> Operation:
    """A look that ``$select`` may narrow."""
    answer = Answer("As asked.", ref(f"{whole}Selected"), whole=ref(whole))
    return operation(summary, {200: answer}, *further, parameters=parameters)


def _counted(summary: str, *parameters: Mapping[str, Any], further: tuple[int, ...] = ()) -> Operation:
    return operation(
        summary, {200: Answer("The number.", NUMBER_AS_TEXT, PLAIN)}, *further, parameters=parameters
    )


_NO_CONTENT = {204: Answer("Done.")}


def _of_events(prefix: str) -> dict[str, dict[str, Operation]]:
    one = f"{prefix}/events/{{event}}"
    return {
        f"{prefix}/events": {
            "get": _read("List events: single ones and series, in no particular order.", "events", *OPTIONS),
            "post": operation(
                "Create an event; a repeated create that is recognised answers the same.",
                {201: Answer("Created, or there already.", ref("eventWritten"), headers=_ETAG | _CREATED)},
                409,
                507,
                body="givenEvent",
            ),
        },
        f"{prefix}/events/$count": {"get": _counted("Count events.", *OPTIONS)},
        one: {
            "get": operation(
                "Read an event.",
                {200: Answer("The event.", ref("eventReadSelected"), whole=ref("eventRead"), headers=_ETAG)},
                parameters=(SELECT, OPTIONS[5]),
            ),
            "patch": operation(
                "Change an event.",
                {200: Answer("The whole event.", ref("eventWritten"), headers=_ETAG)},
                412,
                body="changedEvent",
                parameters=(IF_MATCH,),
            ),
            "delete": operation(
                "Delete an event, into Deleted Items.", _NO_CONTENT, 412, parameters=(IF_MATCH,)
            ),
        },
        f"{one}/permanentDelete": {
            "post": operation("Delete an event for good.", _NO_CONTENT, 412, parameters=(IF_MATCH,))
        },
        f"{one}/cancel": {
            "post": operation(
                "Cancel a meeting.", {202: Answer("Cancelled.")}, body="comment", body_required=False
            )
        },
        f"{one}/calendar": {"get": _read("The calendar of an event.", "calendar", SELECT)},
        f"{one}/instances": {
            "get": _read(
                "List the days of a series in a window.", "events", *WINDOW, *OPTIONS, further=(500,)
            )
        },
        f"{one}/instances/$count": {
            "get": _counted("Count the days of a series in a window.", *WINDOW, *OPTIONS, further=(500,))
        },
        f"{prefix}/calendarView": {
            "get": _read(
                "List what stands in a window, by start.", "events", *WINDOW, *OPTIONS, further=(500,)
            )
        },
        f"{prefix}/calendarView/$count": {
            "get": _counted("Count what stands in a window.", *WINDOW, *OPTIONS, further=(500,))
        },
    }


def _of_calendars(prefix: str) -> dict[str, dict[str, Operation]]:
    return {
        prefix: {
            "get": _read("Read a calendar.", "calendar", SELECT),
            "patch": operation(
                "Change name or colour of a calendar.",
                {200: Answer("The calendar.", ref("calendar"))},
                409,
                body="changedCalendar",
            ),
            "delete": operation("Delete a calendar with its events; never the default one.", _NO_CONTENT),
        },
        f"{prefix}/permanentDelete": {"post": operation("Delete a calendar for good.", _NO_CONTENT)},
    }


_NAME_FILTER = query("$filter", "By name.", TEXT | {"examples": ["name eq 'Timetable'"]})


def _list_of_calendars(path: str) -> dict[str, dict[str, Operation]]:
    return {
        path: {
            "get": _read("List calendars.", "calendars", SELECT, *PAGING, _NAME_FILTER),
            "post": operation(
                "Create a calendar.",
                {201: Answer("Created.", ref("calendar"), headers=_CREATED)},
                409,
                body="givenCalendar",
            ),
        }
    }


def _single(
    name: str, given: str, changed: str, *conflict: int
) -> tuple[dict[str, Operation], dict[str, Operation]]:
    """The operations of a simple collection and of its members: create, then read, change and delete."""
    return (
        {"post": operation("Create one.", {201: Answer("Created.", ref(name))}, 409, body=given)},
        {
            "get": operation("Read one.", {200: Answer("As asked.", ref(name))}),
            "patch": operation("Change one.", {200: Answer("Changed.", ref(name))}, *conflict, body=changed),
            "delete": operation("Delete one.", _NO_CONTENT),
        },
    )


def _of_the_owner() -> dict[str, dict[str, Operation]]:
    zones = operation(
        "The time zones that a mailbox may name.", {200: Answer("All of them.", ref("timeZones"))}
    )
    categories, category = _single("category", "givenCategory", "changedCategory")
    groups, group = _single("calendarGroup", "givenGroup", "givenGroup", 409)
    changed = Answer("What was changed.", ref("mailboxSettingsChanged"))
    setting = Answer("The setting.", ref("mailboxSetting"))
    return {
        "/calendarGroups": {
            "get": operation("List calendar groups.", {200: Answer("All of them.", ref("calendarGroups"))})
        }
        | groups,
        "/calendarGroups/{group}": group,
        "/calendars/$count": {"get": _counted("Count calendars.")},
        "/mailboxSettings": {
            "get": operation("Read the settings.", {200: Answer("All of them.", ref("mailboxSettings"))}),
            "patch": operation("Change settings.", {200: changed}, body="givenSettings"),
        },
        "/mailboxSettings/timeZone": {
            "get": operation("Read the time zone.", {200: setting}),
            "patch": operation("Change the time zone.", {200: setting}, body="givenValue"),
        },
        "/mailboxSettings/{setting}": {"get": operation("Read a setting.", {200: setting})},
        "/outlook/masterCategories": {
            "get": operation("List master categories.", {200: Answer("All of them.", ref("categories"))})
        }
        | categories,
        "/outlook/masterCategories/$count": {"get": _counted("Count master categories.")},
        "/outlook/masterCategories/{category}": category,
        "/outlook/supportedTimeZones": {"get": zones},
        "/outlook/supportedTimeZones()": {"get": zones},
        "/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'{standard}')": {
            "get": zones
        },
        "/translateExchangeIds": {
            "post": operation(
                "Translate ids of one form into another.",
                {200: Answer("One by one.", ref("translatedIds"))},
                body="idsToTranslate",
            )
        },
    }


def _of_applications(path: str) -> dict[str, dict[str, Operation]]:
    return {
        path: {
            "get": _read("Read a registration.", "application", SELECT),
            "patch": operation("Change a registration.", _NO_CONTENT, body="changedApplication"),
        },
        f"{path}/addKey": {
            "post": operation("Add a certificate.", {200: Answer("Added.", ref("addedKey"))}, body="keyToAdd")
        },
        f"{path}/removeKey": {"post": operation("Remove a certificate.", _NO_CONTENT, body="keyToRemove")},
    }


_BATCH = Operation(
    "Up to twenty requests in one, answered in any order.",
    {
        200: Answer("An answer to each.", ref("batchAnswer")),
        **refusals("error", 400, 401, 413),
    },
    (),
    {JSON: ref("batchRequest")},
    otherwise=OTHERWISE,
)


def paths() -> dict[str, dict[str, Operation]]:
    """All paths with their operations by method."""
    below: dict[str, dict[str, Operation]] = {}
    for prefix in ("", *CALENDARS):
        below |= _of_events(prefix)
    for prefix in CALENDARS:
        below |= _of_calendars(prefix)
    for path in ("/calendars", "/calendarGroups/{group}/calendars"):
        below |= _list_of_calendars(path)
    below |= _of_the_owner()
    applications = f"{ROOT}/applications"
    return {
        f"{ROOT}/$batch": {"post": _BATCH},
        **{f"{USER}{path}": operations for path, operations in below.items()},
        **_of_applications(f"{applications}/{{application}}"),
        **_of_applications(f"{applications}(appId='{{client}}')"),
    }
