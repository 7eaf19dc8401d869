"""
Requests for calendars in Exchange Online, as both of its interfaces have them.

Microsoft Graph and the older Outlook REST have one model: the same paths, methods and options, the same batch
in JSON. They differ in how they spell names and in what came later; each says that of itself.
Sources: the event, calendar and extended property pages of the Graph reference, "JSON batching".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

import msgspec

from classbell.model import Entry, Mailbox
from classbell.outlook import batch
from classbell.outlook.dialect import Answer, Capabilities, Kind, Request, Seen, usable_etag
from classbell.outlook.mark import MARK_PROPERTY

_encode = msgspec.json.Encoder().encode

# Of an event only what tells it from others, mostly not its text (rule: only our own events, and no more
# of them than we need). The etag is an annotation and always comes along.
_READ_FIELDS = ("id", "createdDateTime")
_LOOK_FIELDS = (*_READ_FIELDS, "subject", "start", "end", "isAllDay")
# Only of our own: what a rendering sets.
_CONTENT_FIELDS = (
    *_LOOK_FIELDS,
    "body",
    "location",
    "showAs",
    "sensitivity",
    "isReminderOn",
    "reminderMinutesBeforeStart",
    "categories",
)
_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """
    How an interface spells what both have.

    Attributes:
        prefer: the ``Prefer`` header of every request.
        name: gives the name of a property, from Graph's.
        key, value: names of the two parts of an extended property.
        calendar_fields: what is asked of calendars, in Graph's names.
    """

    prefer: str
    name: Callable[[str], str]
    key: str
    value: str
    calendar_fields: tuple[str, ...]

    def names(self, fields: Sequence[str]) -> str:
        """A list of properties for ``$select``."""
        return ",".join(map(self.name, fields))


class ExchangeDialect:
    """What the dialects of Exchange Online share; see ``Dialect`` for the methods."""

    capabilities: Capabilities
    root: str
    batch_path: str
    headers: dict[str, str]
    batch_headers: dict[str, str]

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling
        self._prefer = spelling.prefer
        self._reading = _encode({"Prefer": self._prefer})
        self._writing = _encode({"Content-Type": "application/json", "Prefer": self._prefer})
        self._properties = spelling.name("singleValueExtendedProperties")
        self._marking = b'"%b":[{"%b":%b,"%b":' % (
            self._properties.encode(),
            spelling.key.encode(),
            _encode(MARK_PROPERTY),
            spelling.value.encode(),
        )
        self._expand_mark = "$expand=" + _escaped(
            f"{self._properties}($filter={spelling.key} eq '{MARK_PROPERTY}')"
        )
        self._read_query = f"$select={spelling.names(_READ_FIELDS)}&{self._expand_mark}"
        self._looks = {
            content: f"{self._expand_mark}&$select={spelling.names(fields)}&$top={_PAGE}"
            for content, fields in ((False, _LOOK_FIELDS), (True, _CONTENT_FIELDS))
        }

    def create(self, mailbox: Mailbox, rendering: bytes, operation: str, mark: str) -> Request:
        """The mark rides inside the create, so that no event of ours ever stands unmarked."""
        return Request(
            kind=Kind.CREATE,
            method="POST",
            path=_events(mailbox.address, mailbox.calendar_id),
            headers=self._writing,
            body=b"%b,%b%b}]}" % (self.beginning(rendering, operation), self._marking, _encode(mark)),
        )

    def update(self, entry: Entry, rendering: bytes) -> Request:
        """Sends the rendering and nothing else: what it does not name stays as the user has it."""
        return Request(
            kind=Kind.UPDATE,
            method="PATCH",
            path=_event(entry),
            headers=_encode(
                {"Content-Type": "application/json", "Prefer": self._prefer, "If-Match": _proof(entry)}
            ),
            body=self.spelt(rendering),
        )

    def delete(self, entry: Entry) -> Request:
        """Moves the event to the user's Deleted Items."""
        return Request(
            kind=Kind.DELETE,
            method="DELETE",
            path=_event(entry),
            headers=_encode({"Prefer": self._prefer, "If-Match": _proof(entry)}),
        )

    def delete_permanently(self, entry: Entry) -> Request:
        """Moves the event to where only an administrator's search finds it (event: permanentDelete page)."""
        if not self.capabilities.permanent_delete:
            raise ValueError("this dialect cannot delete past the Deleted Items")
        return Request(
            kind=Kind.DELETE,
            method="POST",
            path=f"{_event(entry)}/permanentDelete",
            headers=_encode({"Prefer": self._prefer, "If-Match": _proof(entry)}),
        )

    def read(self, entry: Entry) -> Request:
        """Asks by our id, for our mark, for the etag."""
        return Request(
            kind=Kind.READ, method="GET", path=f"{_event(entry)}?{self._read_query}", headers=self._reading
        )

    def look(self, mailbox: Mailbox, calendar_id: str, prefix: str, *, content: bool = False) -> Request:
        """Asks by our mark, so that nobody else's event is ever sent to us; never calendarView (500 there)."""
        # No $orderby: the ordered property would have to stand in the filter as well, first
        # ("InefficientFilter", query parameters page).
        key, value = self._spelling.key, self._spelling.value
        condition = _escaped(
            f"{self._properties}/Any(ep: ep/{key} eq '{MARK_PROPERTY}' "
            f"and startswith(ep/{value},{_literal(prefix)}))"
        )
        return Request(
            kind=Kind.LOOK,
            method="GET",
            path=f"{_events(mailbox.address, calendar_id)}?$filter={condition}&{self._looks[content]}",
            headers=self._reading,
        )

    def calendars(self, mailbox: Mailbox) -> Request:
        """Names and ids only."""
        fields = self._spelling.names(self._spelling.calendar_fields)
        return Request(
            kind=Kind.CALENDARS,
            method="GET",
            path=f"{_user(mailbox.address)}/calendars?$select={fields}&$top={_PAGE}",
            headers=self._reading,
        )

    def create_calendar(self, mailbox: Mailbox, name: str) -> Request:
        """The service refuses a second calendar of one name (409 ErrorFolderExists)."""
        return Request(
            kind=Kind.CREATE_CALENDAR,
            method="POST",
            path=f"{_user(mailbox.address)}/calendars",
            headers=self._writing,
            body=_encode({self._spelling.name("name"): name}),
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

    def spelt(self, rendering: bytes) -> bytes:
        """A rendering in this interface's words."""
        return rendering

    def beginning(self, rendering: bytes, operation: str) -> bytes:
        """The body of a create without its closing brace, so that the mark can be added."""
        del operation
        return opened(self.spelt(rendering))


def opened(rendering: bytes) -> bytes:
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


@lru_cache(maxsize=4096)
def _user(address: str) -> str:
    return f"/users/{quote(address, safe='@')}"


@lru_cache(maxsize=4096)
def _events(address: str, calendar_id: str) -> str:
    if calendar_id:
        return f"{_user(address)}/calendars/{quote(calendar_id, safe='')}/events"
    return f"{_user(address)}/calendar/events"


def _event(entry: Entry) -> str:
    if not entry.event_id or entry.is_lost:
        raise ValueError("an entry names the event it stands for")
    return f"{_user(entry.mailbox.address)}/events/{quote(entry.event_id, safe='')}"
