"""
Events and calendars of Graph, in answers and in requests.

Source: Graph pages "event resource type", "calendar resource type" and the pages of their parts.
"""

from collections.abc import Mapping

from classbell.sandbox.description.shapes import (
    CHANGE_KEY,
    DATE_TIME_ZONE,
    DAY,
    ETAG,
    EVENT_ID,
    HTTPS_URL,
    ICAL_UID,
    MUTABLE_ID,
    STAMP,
)
from classbell.sandbox.description.terms import (
    ANYTHING,
    COUNT,
    FLAG,
    INT32,
    NULL,
    TEXT,
    Schema,
    choice,
    closed,
    const,
    listed,
    matching,
    maybe,
    opened,
    ref,
)

WEEKDAY = choice("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
IMPORTANCE = choice("low", "normal", "high")
SENSITIVITY = choice("normal", "personal", "private", "confidential")
SHOW_AS = choice("unknown", "free", "tentative", "busy", "oof", "workingElsewhere")
PROVIDER = choice("unknown", "skypeForBusiness", "skypeForConsumer", "teamsForBusiness")
COLOR = choice(
    "auto", "lightBlue", "lightGreen", "lightOrange", "lightGray", "lightYellow", "lightTeal", "lightPink",
    "lightBrown", "lightRed", "maxColor",
)  # fmt: skip
_PATTERN = choice("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly")
_WEEK = choice("first", "second", "third", "fourth", "last")
_RANGE = choice("endDate", "noEnd", "numbered")
_TYPE = choice("singleInstance", "occurrence", "exception", "seriesMaster")

_ATTENDEE = closed(
    {
        "type": choice("required", "optional", "resource"),
        "status": ref("responseStatus"),
        "emailAddress": ref("emailAddress"),
    }
)
_LOCATION = closed(
    {"displayName": TEXT, "locationType": const("default"), "uniqueIdType": choice("private", "unknown")},
    {
        "uniqueId": TEXT,
        "locationEmailAddress": TEXT,
        "locationUri": TEXT,
        "address": {"type": "object"},
        "coordinates": {"type": "object"},
    },
)
_RECURRENCE = closed(
    {
        "pattern": closed(
            {
                "type": _PATTERN,
                "interval": {"type": "integer", "minimum": 1, "maximum": 999},
                "month": {"type": "integer", "minimum": 0, "maximum": 12},
                "dayOfMonth": {"type": "integer", "minimum": 0, "maximum": 31},
                "firstDayOfWeek": WEEKDAY,
                "index": _WEEK,
            },
            {"daysOfWeek": listed(WEEKDAY, minItems=1, uniqueItems=True)},
        ),
        "range": closed(
            {
                "type": _RANGE,
                "startDate": DAY,
                "endDate": DAY,
                "recurrenceTimeZone": TEXT,
                "numberOfOccurrences": {"type": "integer", "minimum": 0, "maximum": 999},
            }
        ),
    }
)

# Every event has these, unless $select chooses.
WHOLE: dict[str, Schema] = {
    "@odata.etag": ETAG,
    "id": EVENT_ID,
    "createdDateTime": STAMP,
    "lastModifiedDateTime": STAMP,
    "changeKey": CHANGE_KEY,
    "categories": listed(TEXT, uniqueItems=True),
    "transactionId": maybe(TEXT),
    "originalStartTimeZone": TEXT,
    "originalEndTimeZone": TEXT,
    "iCalUId": ICAL_UID,
    "reminderMinutesBeforeStart": INT32,
    "isReminderOn": FLAG,
    "hasAttachments": const(value=False),
    "subject": {"type": "string", "maxLength": 255},
    "bodyPreview": {"type": "string", "maxLength": 255},
    "importance": IMPORTANCE,
    "sensitivity": SENSITIVITY,
    "isAllDay": FLAG,
    "isCancelled": const(value=False),
    "isOrganizer": const(value=True),
    "isDraft": const(value=False),
    "responseRequested": FLAG,
    "seriesMasterId": maybe(EVENT_ID),
    "showAs": SHOW_AS,
    "type": _TYPE,
    "webLink": HTTPS_URL,
    "onlineMeetingUrl": NULL,
    "isOnlineMeeting": FLAG,
    "onlineMeetingProvider": PROVIDER,
    "allowNewTimeProposals": FLAG,
    "hideAttendees": FLAG,
    "recurrence": maybe(ref("recurrence")),
    "responseStatus": ref("responseStatus"),
    "body": ref("itemBody"),
    "start": ref("dateTimeTimeZone"),
    "end": ref("dateTimeTimeZone"),
    "location": ref("location"),
    "locations": listed(ref("location")),
    "attendees": listed(ref("attendee"), maxItems=500),
    "organizer": closed({"emailAddress": ref("emailAddress")}),
    "onlineMeeting": maybe(closed({"joinUrl": HTTPS_URL})),
}
_OF_AN_OCCURRENCE: dict[str, Schema] = {"originalStart": STAMP}
# What $expand and $select bring beside them, and nothing else.
_EXPANDED: dict[str, Schema] = {
    "singleValueExtendedProperties": listed(closed({"id": TEXT, "value": TEXT}), minItems=1),
    "multiValueExtendedProperties": listed(closed({"id": TEXT, "value": listed(TEXT)}), minItems=1),
    "calendar": ref("calendarInside"),
    "cancelledOccurrences": listed(matching(r"OID\..+\.[0-9]{4}-[0-9]{2}-[0-9]{2}")),
    "exceptionOccurrences": listed(ref("eventSelected")),
}
CONTEXT: dict[str, Schema] = {"@odata.context": HTTPS_URL}

CALENDAR: dict[str, Schema] = {
    "id": MUTABLE_ID,
    "name": TEXT,
    "color": COLOR,
    "hexColor": const(""),
    "isDefaultCalendar": FLAG,
    "changeKey": CHANGE_KEY,
    "canShare": FLAG,
    "canViewPrivateItems": FLAG,
    "canEdit": FLAG,
    "allowedOnlineMeetingProviders": listed(PROVIDER),
    "defaultOnlineMeetingProvider": PROVIDER,
    "isTallyingResponses": FLAG,
    "isRemovable": FLAG,
    "owner": ref("emailAddress"),
}


def page(of: Schema, *, count: bool = False) -> Schema:
    """A list as it is answered: a page of it, with the link to the next one if there is one."""
    optional = {"@odata.nextLink": HTTPS_URL} | ({"@odata.count": COUNT} if count else {})
    return closed({**CONTEXT, "value": listed(of)}, optional)


def selected(whole: Mapping[str, Schema], *always: str) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """The members of an object of which ``$select`` may leave out all but some: required and optional ones."""
    return (
        {name: whole[name] for name in always},
        {name: schema for name, schema in whole.items() if name not in always},
    )


_ALWAYS, _SOMETIMES = selected(WHOLE, "@odata.etag", "id")
_CALENDAR_ALWAYS, _CALENDAR_SOMETIMES = selected(CALENDAR, "id")
_BESIDE = {**_OF_AN_OCCURRENCE, **_EXPANDED}

ANSWERS: dict[str, Schema] = {
    "dateTimeTimeZone": DATE_TIME_ZONE,
    "emailAddress": closed({"name": TEXT, "address": TEXT}),
    "itemBody": closed({"contentType": choice("text", "html"), "content": TEXT}),
    "responseStatus": closed({"response": choice("none", "organizer"), "time": STAMP}),
    "location": _LOCATION,
    "attendee": _ATTENDEE,
    "recurrence": _RECURRENCE,
    "event": closed(WHOLE, _BESIDE),
    "eventSelected": closed(_ALWAYS, {**_SOMETIMES, **_BESIDE}),
    "eventRead": closed({**CONTEXT, **WHOLE}, _BESIDE),
    "eventReadSelected": closed({**CONTEXT, **_ALWAYS}, {**_SOMETIMES, **_BESIDE}),
    # Hidden properties never come back from the write that set them.
    "eventWritten": closed({**CONTEXT, **WHOLE}, _OF_AN_OCCURRENCE),
    "events": page(ref("event"), count=True),
    "eventsSelected": page(ref("eventSelected"), count=True),
    "calendarInside": closed(CALENDAR),
    "calendar": closed({**CONTEXT, **CALENDAR}),
    "calendarSelected": closed({**CONTEXT, **_CALENDAR_ALWAYS}, _CALENDAR_SOMETIMES),
    "calendars": page(ref("calendarInside")),
    "calendarsSelected": page(closed(_CALENDAR_ALWAYS, _CALENDAR_SOMETIMES)),
}

_MOMENT = opened({"dateTime": {"type": "string", "examples": ["2026-09-21T10:00:00"]}, "timeZone": TEXT})
_PLACE = maybe(
    opened({"displayName": maybe(TEXT), "locationEmailAddress": maybe(TEXT), "locationUri": maybe(TEXT)})
)
_GIVEN: dict[str, Schema] = {
    "subject": maybe({"type": "string", "maxLength": 255}),
    "body": maybe(opened({"contentType": choice("text", "html"), "content": maybe(TEXT)})),
    "start": _MOMENT,
    "end": _MOMENT,
    "isAllDay": maybe(FLAG),
    "location": _PLACE,
    "locations": listed(_PLACE),
    "categories": listed({"type": "string", "minLength": 1, "maxLength": 255}),
    "importance": IMPORTANCE,
    "sensitivity": SENSITIVITY,
    "showAs": SHOW_AS,
    "isReminderOn": maybe(FLAG),
    "reminderMinutesBeforeStart": INT32,
    "responseRequested": maybe(FLAG),
    "allowNewTimeProposals": maybe(FLAG),
    "hideAttendees": maybe(FLAG),
    "isOnlineMeeting": maybe(FLAG),
    "onlineMeetingProvider": maybe(PROVIDER),
    "attendees": listed(
        opened(
            {
                "type": choice("required", "optional", "resource"),
                "emailAddress": opened(
                    {"address": {"type": "string", "format": "email"}, "name": TEXT}, ["address"]
                ),
            },
            ["emailAddress"],
        ),
        maxItems=500,
    ),
    "recurrence": maybe(ref("givenRecurrence")),
    "singleValueExtendedProperties": listed(opened({"id": ref("propertyId"), "value": maybe(TEXT)}, ["id"])),
    "multiValueExtendedProperties": listed(
        opened({"id": ref("propertyId"), "value": maybe(listed(TEXT))}, ["id"])
    ),
}
_ONLY_ONCE: dict[str, Schema] = {"transactionId": maybe(TEXT)}

REQUESTS: dict[str, Schema] = {
    "propertyId": {
        "type": "string",
        "description": "Type and GUID with a name, with a number, or a type with a property tag.",
        "examples": [
            "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Tag",
            "Integer {66f5a359-4659-4830-9070-00047ec6ac6e} Id 0x8233",
            "String 0x3FFB",
        ],
    },
    "givenRecurrence": opened(
        {
            "pattern": opened(
                {
                    "type": _PATTERN,
                    "interval": {"type": "integer", "minimum": 1, "maximum": 99},
                    "month": {"type": "integer", "minimum": 0, "maximum": 12},
                    "dayOfMonth": {"type": "integer", "minimum": 0, "maximum": 31},
                    "daysOfWeek": listed(WEEKDAY),
                    "firstDayOfWeek": WEEKDAY,
                    "index": _WEEK,
                },
                ["type", "interval"],
            ),
            "range": opened(
                {
                    "type": _RANGE,
                    "startDate": {"type": "string", "format": "date"},
                    "endDate": {"type": "string", "format": "date"},
                    "recurrenceTimeZone": TEXT,
                    "numberOfOccurrences": {"type": "integer", "minimum": 0, "maximum": 999},
                },
                ["type", "startDate"],
            ),
        },
        ["pattern", "range"],
    ),
    "givenEvent": opened({**_GIVEN, **_ONLY_ONCE}, ["start", "end"])
    | {
        "examples": [
            {
                "subject": "Logic",
                "start": {"dateTime": "2026-09-21T10:00:00", "timeZone": "UTC"},
                "end": {"dateTime": "2026-09-21T11:00:00", "timeZone": "UTC"},
            }
        ]
    },
    "changedEvent": opened(_GIVEN) | {"examples": [{"subject": "Logic II"}]},
    "givenCalendar": opened({"name": {"type": "string", "minLength": 1}, "color": COLOR}, ["name"])
    | {"examples": [{"name": "Timetable"}]},
    "changedCalendar": opened({"name": {"type": "string", "minLength": 1}, "color": COLOR}),
    "comment": opened({"Comment": maybe(TEXT), "comment": maybe(TEXT)}),
    "anything": ANYTHING,
}
