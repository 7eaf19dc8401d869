"""
A dialect: how requests and answers look on the wire of one calendar service, and what it can.

The engine reads the capabilities and nowhere else asks which dialect it speaks. The builders that
change or delete an event take a ledger entry, never a bare id.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Protocol

import msgspec

from classbell.model import Entry, Mailbox


class Kind(IntEnum):
    """What a request is for; the same answer can mean different things to different kinds."""

    CREATE = 1
    UPDATE = 2
    DELETE = 3
    READ = 4
    LOOK = 5
    CALENDARS = 6
    CREATE_CALENDAR = 7

    @property
    def writes(self) -> bool:
        """Whether it may change something in a mailbox."""
        return self in _WRITING


_WRITING = frozenset({Kind.CREATE, Kind.UPDATE, Kind.DELETE, Kind.CREATE_CALENDAR})


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    One member of a batch, ready to be spliced into it.

    ``path`` is relative to the version root, begins with a slash and is percent-encoded. ``headers`` is
    one JSON object and ``body`` empty or one JSON value, both as bytes.
    """

    kind: Kind
    method: str
    path: str
    headers: bytes
    body: bytes = b""


class Content(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    What people see of an event of ours: the fields that a rendering sets, as the service gives them back.

    ``body`` is HTML, which the service rewrites (event resource, "body"); ``reminder`` is in minutes, None
    for none. Times stand in the ``FoundEvent``.
    """

    body: str
    location: str
    show_as: str
    sensitivity: str
    reminder: int | None
    categories: tuple[str, ...]


class FoundEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    An event as a read or a look shows it.

    ``mark`` is None where the event has none. ``start`` and ``end`` are the service's own texts in UTC
    (dates at midnight for all-day events); compare instants, not texts. ``created_at`` is 0.0 if unknown.
    ``content`` is there only if it was asked for.
    """

    id: str
    etag: str
    created_at: float
    mark: str | None
    subject: str
    start: str
    end: str
    all_day: bool
    content: Content | None = None


class FoundCalendar(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A calendar of a mailbox."""

    id: str
    name: str
    default: bool
    editable: bool


class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    What the headers of one exchange say; the same for every member of a batch.

    ``diagnostics`` is why Exchange itself refuses a token: a number, then the reason in words.
    """

    request_id: str = ""
    service_time: float = 0.0
    retry_after: float | None = None
    diagnostics: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    What came back for one request. ``answers.classify`` says what it means.

    Attributes:
        status: its HTTP status; None if no readable answer came.
        sent: False only if it is certain that the request never left.
        whole: the answer was given to the batch as a whole, before any of its members was looked at.
        code: the service's error code, as sent; "" if none.
        message: the service's error text, for people only.
        retry_after: seconds the service asked us to wait; None if it did not say.
        event_id, etag: of the event created, updated or read. An etag that could not serve as an
            ``If-Match`` is given as "".
        created: when the event was created, as the service writes it; ``created_at`` reads it.
        mark: of the event read, if it bears one.
        events: what a look found; None if the answer held no list.
        next_link: where a look goes on; "" at its end.
        calendars: of a list of calendars; the one created, for a created calendar.
        existing_id: the event that a transactionId already made, where the service names it.
        request_id: the service's own id of the request, for its support.
        service_time: the service's ``Date``, seconds since 1970; 0.0 if it gave none.
    """

    status: int | None
    sent: bool = True
    whole: bool = False
    code: str = ""
    message: str = ""
    retry_after: float | None = None
    event_id: str = ""
    etag: str = ""
    created: str = ""
    mark: str | None = None
    events: tuple[FoundEvent, ...] | None = None
    next_link: str = ""
    calendars: tuple[FoundCalendar, ...] | None = None
    existing_id: str = ""
    request_id: str = ""
    service_time: float = 0.0

    @property
    def created_at(self) -> float:
        """When the event was created, seconds since 1970; 0.0 if the answer does not say."""
        return instant_of(self.created)


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """
    What a dialect can. The engine asks nothing else about it.

    Attributes:
        transaction_id: a repeated create with the same transactionId makes no second event. Nothing rests on it,
            for how long it is remembered is not documented: who does not know looks, under every dialect.
        immutable_ids: ids survive a move inside the mailbox. Without, an event that its id no longer finds is
            sought by its mark.
        id_form: what kind of ids these are, in the words of Graph's ``translateExchangeIds``. Dialects of one
            form understand each other's ids.
        permanent_delete: an event can be removed past the user's Deleted Items.
        batch_size: members of one batch at most.
        retired_on: when Microsoft ended it in Exchange Online, as an ISO date; empty while it is served.
    """

    transaction_id: bool
    immutable_ids: bool
    id_form: str
    permanent_delete: bool
    batch_size: int
    retired_on: str = ""


class Dialect(Protocol):
    """The requests of one service, its batch form and its way of answering."""

    capabilities: Capabilities
    root: str
    """Path of the version root, such as ``/v1.0``; follows the base URL."""
    batch_path: str
    """Path of the batch endpoint, relative to the base URL."""
    headers: dict[str, str]
    """Headers of every request that is not a batch member."""
    batch_headers: dict[str, str]
    """What the request of a batch says beside what every one says."""

    def create(self, mailbox: Mailbox, rendering: bytes, operation: str, mark: str) -> Request:
        """
        Create an event.

        Args:
            mailbox: where; its ``calendar_id`` says in which calendar.
            rendering: one JSON object without transactionId and mark.
            operation: the operation id, sent as transactionId.
            mark: the text of the mark.
        """
        ...

    def update(self, entry: Entry, rendering: bytes) -> Request:
        """
        Change our event to a rendering, if nobody has touched it since *entry* was written.

        Raises:
            ValueError: the entry has no etag to prove that with; read the event first.
        """
        ...

    def delete(self, entry: Entry) -> Request:
        """
        Delete our event, if nobody has touched it since *entry* was written.

        Raises:
            ValueError: the entry has no etag to prove that with; read the event first.
        """
        ...

    def delete_permanently(self, entry: Entry) -> Request:
        """
        Delete our event past the user's Deleted Items; only where the dialect and its cloud can.

        Raises:
            ValueError: the entry has no etag to prove that with; read the event first.
        """
        ...

    def read(self, entry: Entry) -> Request:
        """Read our event and its mark."""
        ...

    def look(self, mailbox: Mailbox, calendar_id: str, prefix: str, *, content: bool = False) -> Request:
        """
        List the events of one calendar ("" is the default one) whose mark begins with *prefix*.

        Args:
            content: with what people see of them; without, only with what tells one from another.
        """
        ...

    def calendars(self, mailbox: Mailbox) -> Request:
        """List the calendars of a mailbox."""
        ...

    def create_calendar(self, mailbox: Mailbox, name: str) -> Request:
        """Create a calendar of our own."""
        ...

    def encode(self, requests: Sequence[Request]) -> bytes:
        """The body of a batch; at most ``capabilities.batch_size`` requests."""
        ...

    def decode(self, requests: Sequence[Request], body: bytes, seen: Seen) -> list[Answer]:
        """
        The answers to *requests*, in their order, from the body of a batch's answer.

        A part that is missing, doubled or unreadable gives an answer with status None.
        """
        ...

    def decode_one(self, kind: Kind, status: int, body: bytes, seen: Seen) -> Answer:
        """The answer to a request that was sent alone."""
        ...

    def decode_refusal(self, status: int, body: bytes, seen: Seen) -> Answer:
        """What a batch was answered as a whole, when that was not a batch's answer."""
        ...


def instant_of(text: str | None) -> float:
    """A point in time as the service writes it, in seconds since 1970; 0.0 if it is none."""
    if not text:
        return 0.0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_ETAG = re.compile(r'(?:W/)?"[^"\x00-\x1f]+"')


def usable_etag(etag: str) -> str:
    """*etag* if it names exactly one state of an event, else "". A star or a list would prove nothing."""
    return etag if _ETAG.fullmatch(etag) else ""
