"""
What a mailbox holds beside calendars and events, and registrations of applications.

Source: Graph pages "calendarGroup", "outlookCategory", "mailboxSettings", "convertIdResult" and "application resource
type".
"""

from classbell.sandbox.description.events import CONTEXT, WEEKDAY
from classbell.sandbox.description.shapes import (
    CHANGE_KEY,
    CLOCK,
    GUID,
    MUTABLE_ID,
    STAMP,
)
from classbell.sandbox.description.terms import (
    FLAG,
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
)

_GROUP: dict[str, Schema] = {"id": MUTABLE_ID, "name": TEXT, "classId": GUID, "changeKey": CHANGE_KEY}
_PRESET = choice("none", *(f"preset{number}" for number in range(25)))
_CATEGORY: dict[str, Schema] = {"id": GUID, "displayName": TEXT, "color": _PRESET}

# Given back as they were set, but for what each reader of them checks.
_GIVEN_MOMENT = opened({"dateTime": TEXT, "timeZone": TEXT}, ["dateTime"])
_REPLIES: dict[str, Schema] = {
    "status": choice("disabled", "alwaysEnabled", "scheduled"),
    "externalAudience": choice("none", "contactsOnly", "all"),
    "internalReplyMessage": TEXT,
    "externalReplyMessage": TEXT,
    "scheduledStartDateTime": _GIVEN_MOMENT,
    "scheduledEndDateTime": _GIVEN_MOMENT,
}
_HOURS: dict[str, Schema] = {
    "daysOfWeek": listed(WEEKDAY),
    "startTime": CLOCK,
    "endTime": CLOCK,
    "timeZone": opened({"name": TEXT}, ["name"]),
}
_LANGUAGE: dict[str, Schema] = {"locale": TEXT, "displayName": TEXT}
_SETTINGS: dict[str, Schema] = {
    "timeZone": TEXT,
    "delegateMeetingMessageDeliveryOptions": choice(
        "sendToDelegateAndInformationToPrincipal", "sendToDelegateAndPrincipal", "sendToDelegateOnly"
    ),
    "dateFormat": TEXT,
    "timeFormat": TEXT,
    "userPurpose": const("user"),
    "automaticRepliesSetting": closed(_REPLIES),
    "language": closed(_LANGUAGE),
    "workingHours": closed(_HOURS),
}
_CHANGED_SETTINGS = {name: schema for name, schema in _SETTINGS.items() if name != "userPurpose"}
SETTINGS = tuple(_SETTINGS)

_FORMS = choice("entryId", "ewsId", "immutableEntryId", "restId", "restImmutableEntryId")
_KEY: dict[str, Schema] = {
    "customKeyIdentifier": matching(r"[0-9A-F]{40}"),
    "displayName": TEXT,
    "endDateTime": STAMP,
    "key": maybe(TEXT),
    "keyId": GUID,
    "startDateTime": STAMP,
    "type": const("AsymmetricX509Cert"),
    "usage": const("Verify"),
}
_APPLICATION: dict[str, Schema] = {
    "id": GUID,
    "appId": GUID,
    "displayName": TEXT,
    "publisherDomain": TEXT,
    "signInAudience": const("AzureADMyOrg"),
    "isFallbackPublicClient": maybe(FLAG),
    "keyCredentials": listed(closed(_KEY)),
    "passwordCredentials": listed({}, maxItems=0),
    "requiredResourceAccess": listed(
        closed({"resourceAppId": GUID, "resourceAccess": listed(closed({"id": GUID, "type": const("Role")}))})
    ),
    "web": closed({"redirectUris": listed(TEXT)}),
}

ANSWERS: dict[str, Schema] = {
    "calendarGroup": closed({**CONTEXT, **_GROUP}),
    "calendarGroups": closed({**CONTEXT, "value": listed(closed(_GROUP))}),
    "category": closed({**CONTEXT, **_CATEGORY}),
    "categories": closed({**CONTEXT, "value": listed(closed(_CATEGORY))}),
    "mailboxSettings": closed({**CONTEXT, **_SETTINGS}),
    # What was changed, and nothing else.
    "mailboxSettingsChanged": closed(CONTEXT, _CHANGED_SETTINGS),
    "mailboxSetting": {
        "oneOf": [
            closed({**CONTEXT, "value": TEXT}),
            closed({**CONTEXT, **_REPLIES}),
            closed({**CONTEXT, **_LANGUAGE}),
            closed({**CONTEXT, **_HOURS}),
        ]
    },
    "timeZones": closed(
        {**CONTEXT, "value": listed(closed({"alias": TEXT, "displayName": TEXT}), minItems=1)}
    ),
    "translatedIds": closed(
        {
            **CONTEXT,
            "value": listed(
                {
                    "oneOf": [
                        closed({"sourceId": TEXT, "targetId": TEXT}),
                        closed({"sourceId": TEXT, "errorDetails": closed({"code": TEXT, "message": TEXT})}),
                    ]
                },
                maxItems=1000,
            ),
        }
    ),
    "application": closed({**CONTEXT, **_APPLICATION}),
    "applicationSelected": closed({**CONTEXT, "id": GUID}, _APPLICATION),
    "addedKey": closed({**CONTEXT, **_KEY, "key": NULL}),
}

_NEW_KEY = opened(
    {
        "type": const("AsymmetricX509Cert"),
        "usage": const("Verify"),
        "key": maybe({"type": "string", "contentEncoding": "base64"}),
        "keyId": maybe(TEXT),
        "displayName": maybe(TEXT),
        "endDateTime": maybe({"type": "string", "format": "date-time"}),
    }
)
_PROOF = {
    "type": "string",
    "description": "A JWT of five to ten minutes, signed with a registered certificate.",
}

REQUESTS: dict[str, Schema] = {
    "givenGroup": opened({"name": {"type": "string", "minLength": 1}}, ["name"])
    | {"examples": [{"name": "Courses"}]},
    "givenCategory": opened(
        {"displayName": {"type": "string", "minLength": 1, "maxLength": 255}, "color": _PRESET},
        ["displayName"],
    )
    | {"examples": [{"displayName": "Lecture", "color": "preset2"}]},
    "changedCategory": opened({"color": _PRESET}),
    "givenSettings": opened(
        {
            "timeZone": TEXT,
            "dateFormat": TEXT,
            "timeFormat": TEXT,
            "delegateMeetingMessageDeliveryOptions": _SETTINGS["delegateMeetingMessageDeliveryOptions"],
            "language": opened({"locale": TEXT}, ["locale"]),
            "workingHours": opened(_HOURS),
            "automaticRepliesSetting": opened(_REPLIES),
        }
    ),
    "givenValue": opened({"value": TEXT}, ["value"]) | {"examples": [{"value": "Europe/Berlin"}]},
    "idsToTranslate": opened(
        {"inputIds": listed(TEXT, maxItems=1000), "sourceIdType": _FORMS, "targetIdType": _FORMS},
        ["inputIds", "sourceIdType", "targetIdType"],
    ),
    "changedApplication": opened({"keyCredentials": listed(_NEW_KEY), "displayName": TEXT}),
    "keyToAdd": opened(
        {"keyCredential": _NEW_KEY, "passwordCredential": NULL, "proof": _PROOF}, ["keyCredential", "proof"]
    ),
    "keyToRemove": opened({"keyId": TEXT, "proof": _PROOF}, ["keyId", "proof"]),
}
