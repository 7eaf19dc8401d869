"""
Errors and batches: the envelopes of Graph, of Outlook REST, and of the token endpoint.

Source: Graph pages "Microsoft Graph error responses and resource types" and "Combine multiple HTTP requests using JSON
batching"; Entra page "Microsoft Entra authentication and authorization error codes".
"""

from classbell.sandbox.description.shapes import DATE_WITHOUT_ZONE, EVENT_ID, GUID, HTTPS_URL, NUMBER_AS_TEXT
from classbell.sandbox.description.terms import TEXT, Schema, closed, const, listed, maybe, opened, ref

_CODE: Schema = {"type": "string", "minLength": 1}
_STATUS: Schema = {"type": "integer", "minimum": 200, "maximum": 599}
_HEADERS: Schema = {"type": "object", "additionalProperties": TEXT}


def _error(inner: Schema) -> Schema:
    return closed(
        {
            "error": closed(
                {"code": _CODE, "message": TEXT, "innerError": inner}, {"@event.existingEventId": EVENT_ID}
            )
        }
    )


def _batch(most: int | None) -> Schema:
    part = opened(
        {
            "id": _CODE,
            "method": {"type": "string", "examples": ["GET", "POST", "PATCH", "DELETE"]},
            "url": TEXT,
            "headers": maybe(_HEADERS),
            "body": {},
            "dependsOn": maybe(listed(TEXT)),
        },
        ["id", "method", "url"],
    )
    limits = {} if most is None else {"maxItems": most}
    return opened({"requests": listed(part, minItems=1, **limits)}, ["requests"])


_ANSWERED = closed({"id": _CODE, "status": _STATUS, "headers": _HEADERS, "body": {}})

SCHEMAS: dict[str, Schema] = {
    "error": _error(closed({"date": DATE_WITHOUT_ZONE, "request-id": TEXT, "client-request-id": TEXT})),
    "outlookError": _error(closed({"requestId": TEXT, "date": DATE_WITHOUT_ZONE})),
    "batchRequest": _batch(20),
    "outlookBatchRequest": _batch(None),
    "batchAnswer": closed({"responses": listed(_ANSWERED, maxItems=40)}),
    "tokenError": {
        "oneOf": [
            closed(
                {
                    "error": _CODE,
                    "error_description": {"type": "string", "pattern": "^AADSTS[0-9]+: "},
                    "error_codes": listed({"type": "integer"}, minItems=1, maxItems=1),
                    "timestamp": {
                        "type": "string",
                        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
                    },
                    "trace_id": GUID,
                    "correlation_id": TEXT,
                    "error_uri": HTTPS_URL,
                },
                {"suberror": TEXT, "claims": TEXT},
            ),
            ref("tokenTrouble"),
        ]
    },
    # What a fault at the token endpoint says in few words.
    "tokenTrouble": closed({"error": const("temporarily_unavailable"), "error_description": TEXT}),
    "number": NUMBER_AS_TEXT,
}
