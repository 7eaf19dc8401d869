"""Values that the tests of the wire share."""

import json
from typing import Any

from classbell.model import Entry, Mailbox
from classbell.outlook.dialect import Seen
from classbell.outlook.mark import Mark

INSTALLATION = "7885c852-6065-4136-833e-5ef5a4c9919b"
ADA = Mailbox(id=1, key="ada@example.edu", address="ada@example.edu")
ETAG = 'W/"nNaJPqV8c0CahseLUSq6VQAAamaclA=="'
SEEN = Seen(request_id="envelope", service_time=1_790_000_000.0)


def mark(meeting_key: str = "ALG/L1/3", **changes: Any) -> Mark:
    parts: dict[str, Any] = {
        "installation": INSTALLATION,
        "institution": "example",
        "mailbox_key": ADA.key,
        "meeting_key": meeting_key,
        "incarnation": 1,
        "intent_at": 1_790_000_000,
        "revision": 7,
    }
    return Mark(**(parts | changes))


def entry(event_id: str = "AAkALgAA-event_1", etag: str = ETAG, mailbox: Mailbox = ADA) -> Entry:
    return Entry(
        mailbox=mailbox,
        meeting_id=1,
        meeting_key="ALG/L1/3",
        event_id=event_id,
        etag=etag,
        fingerprint=1,
        starts_at=1_790_000_000,
        ends_at=1_790_003_600,
        incarnation=1,
        operation=mark().operation,
    )


def rendering(subject: str = "Algorithms", start: str = "2026-10-05T09:00:00", **more: Any) -> bytes:
    return json.dumps(
        {
            "subject": subject,
            "start": {"dateTime": start, "timeZone": "UTC"},
            "end": {"dateTime": start.replace("09:", "10:"), "timeZone": "UTC"},
            "isReminderOn": False,
        }
        | more
    ).encode()


def batch_answer(*parts: Any) -> bytes:
    return json.dumps({"responses": parts}).encode()
