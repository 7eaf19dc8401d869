"""
Microsoft Graph v1.0: how its calendar requests look.

Sources: the event, calendar and extended property pages of the Graph reference, "JSON batching", "Get
immutable identifiers for Outlook resources".
"""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote

import msgspec

from classbell.model import Entry, Mailbox
from classbell.outlook import batch
from classbell.outlook.dialect import Answer, Capabilities, Kind, Request, Seen, usable_etag
from classbell.outlook.mark import MARK_PROPERTY

# Immutable ids on every request, for ids in answers are of the kind the request prefers; UTC always, for
# without it the zone of an answer to POST and PATCH is not documented (create event page).
PREFER = 'IdType="ImmutableId", outlook.timezone="UTC"'

_encode = msgspec.json.Encoder().encode
_READING = _encode({"Prefer": PREFER})
_WRITING = _encode({"Content-Type": "application/json", "Prefer": PREFER})

_MARKING = b'"singleValueExtendedProperties":[{"id":' + _encode(MARK_PROPERTY) + b',"value":'

# Of an event only what tells it from others, mostly not its text (rule: only our own events, and no more
# of them than we need). The etag is an annotation and always comes along.
_READ_FIELDS = "id,createdDateTime"
_LOOK_FIELDS = "id,createdDateTime,subject,start,end,isAllDay"
# Only of our own: what a rendering sets.
_CONTENT_FIELDS = (
    f"{_LOOK_FIELDS},body,location,showAs,sensitivity,isReminderOn,reminderMinutesBeforeStart,categories"
)
_CALENDAR_FIELDS = "id,name,isDefaultCalendar,canEdit"
_PAGE = 100


class GraphDialect:
    """The dialect of Microsoft Graph v1.0; see ``Dialect`` for the methods."""

    capabilities = Capabilities(
        transaction_id=True,
        immutable_ids=True,
        permanent_delete=True,
        batch_size=batch.MEMBERS,
        # "Outlook service limits", throttling page: four members at once, whatever their mailboxes.
        batch_in_flight=4,
    )
    root = "/v1.0"
    batch_path = "/v1.0/$batch"
    headers: dict[str, str] = {"Accept": "application/json", "Prefer": PREFER}  # noqa: RUF012 - never changed

    def create(self, mailbox: Mailbox, rendering: bytes, operation: str, mark: str) -> Request:
        """Mark and transactionId ride inside the create, so that no event of ours ever stands unmarked."""
        return Request(
            kind=Kind.CREATE,
            method="POST",
            path=_events(mailbox.address, mailbox.calendar_id),
            headers=_WRITING,
            body=b'%b,"transactionId":"%b",%b%b}]}'
            % (_opened(rendering), operation.encode(), _MARKING, _encode(mark)),
        )

    def update(self, entry: Entry, rendering: bytes) -> Request:
        """Sends the rendering and nothing else: what it does not name stays as the user has it."""
        return Request(
            kind=Kind.UPDATE,
            method="PATCH",
            path=_event(entry),
            headers=_encode(
                {"Content-Type": "application/json", "Prefer": PREFER, "If-Match": _proof(entry)}
            ),
            body=rendering,
        )

    def delete(self, entry: Entry) -> Request:
        """Moves the event to the user's Deleted Items."""
        return Request(
            kind=Kind.DELETE,
            method="DELETE",
            path=_event(entry),
            headers=_encode({"Prefer": PREFER, "If-Match": _proof(entry)}),
        )

    def delete_permanently(self, entry: Entry) -> Request:
        """Moves the event to where only an administrator's search finds it (event: permanentDelete page)."""
        return Request(
            kind=Kind.DELETE,
            method="POST",
            path=f"{_event(entry)}/permanentDelete",
            headers=_encode({"Prefer": PREFER, "If-Match": _proof(entry)}),
        )

    def read(self, entry: Entry) -> Request:
        """Asks by our id, for our mark, for the etag."""
        return Request(
            kind=Kind.READ,
            method="GET",
            path=f"{_event(entry)}?$select={_READ_FIELDS}&{_EXPAND_MARK}",
            headers=_READING,
        )

    def look(self, mailbox: Mailbox, calendar_id: str, prefix: str, *, content: bool = False) -> Request:
        """Asks by our mark, so that nobody else's event is ever sent to us; never calendarView (500 there)."""
        # No $orderby: the ordered property would have to stand in the filter as well, first
        # ("InefficientFilter", query parameters page).
        condition = _escaped(
            f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARK_PROPERTY}' "
            f"and startswith(ep/value,{_literal(prefix)}))"
        )
        return Request(
            kind=Kind.LOOK,
            method="GET",
            path=f"{_events(mailbox.address, calendar_id)}?$filter={condition}"
            f"&{_EXPAND_MARK}&$select={_CONTENT_FIELDS if content else _LOOK_FIELDS}&$top={_PAGE}",
            headers=_READING,
        )

    def calendars(self, mailbox: Mailbox) -> Request:
        """Names and ids only."""
        return Request(
            kind=Kind.CALENDARS,
            method="GET",
            path=f"{_user(mailbox.address)}/calendars?$select={_CALENDAR_FIELDS}&$top={_PAGE}",
            headers=_READING,
        )

    def create_calendar(self, mailbox: Mailbox, name: str) -> Request:
        """The service refuses a second calendar of one name (409 ErrorFolderExists)."""
        return Request(
            kind=Kind.CREATE_CALENDAR,
            method="POST",
            path=f"{_user(mailbox.address)}/calendars",
            headers=_WRITING,
            body=_encode({"name": name}),
        )

    def encode(self, requests: Sequence[Request]) -> bytes:
        """See ``batch.encode``."""
        return batch.encode(requests)

    def decode(self, requests: Sequence[Request], body: bytes, seen: Seen) -> list[Answer]:
        """See ``batch.decode``."""
        return batch.decode(requests, body, seen)

    def decode_one(self, kind: Kind, status: int, body: bytes, seen: Seen) -> Answer:
        """See ``batch.decode_one``."""
        return batch.decode_one(kind, status, body, seen)

    def decode_refusal(self, status: int, body: bytes, seen: Seen) -> Answer:
        """See ``batch.decode_refusal``."""
        return batch.decode_refusal(status, body, seen)


def _opened(rendering: bytes) -> bytes:
    """A rendering without its closing brace, so that members can be added."""
    if not rendering.endswith(b"}") or rendering == b"{}":
        raise ValueError("a rendering is one JSON object with members")
    return rendering[:-1]


def _proof(entry: Entry) -> str:
    if not entry.etag or usable_etag(entry.etag) != entry.etag:
        raise ValueError("an event is written only under an etag of our own; read it first")
    return entry.etag


def _literal(text: str) -> str:
    """An OData string: quotes inside it are doubled."""
    return "'" + text.replace("'", "''") + "'"


def _escaped(text: str) -> str:
    # Spaces as %20, never "+"; parentheses and quotes stay, escaped ones have been answered with a 500
    # (extended properties overview page; reports of other clients).
    return quote(text, safe="()'$=,")


_EXPAND_MARK = "$expand=" + _escaped(f"singleValueExtendedProperties($filter=id eq '{MARK_PROPERTY}')")


@lru_cache(maxsize=4096)
def _user(address: str) -> str:
    return f"/users/{quote(address, safe='@')}"


@lru_cache(maxsize=4096)
def _events(address: str, calendar_id: str) -> str:
    if calendar_id:
        return f"{_user(address)}/calendars/{quote(calendar_id, safe='')}/events"
    return f"{_user(address)}/calendar/events"


def _event(entry: Entry) -> str:
    if not entry.event_id:
        raise ValueError("an entry names the event it stands for")
    return f"{_user(entry.mailbox.address)}/events/{quote(entry.event_id, safe='')}"
