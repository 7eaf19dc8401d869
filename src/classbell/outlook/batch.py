"""
Batches on the wire: requests spliced together as bytes, answers read by types that skip what we need not.

A batch of twenty answers is some 60 KB of JSON of which we need three short strings a part, so the
decoder is told these and no more; rendered bodies are already bytes and are never parsed again.
The form is that of the JSON batching page.
"""

from collections.abc import Iterator, Sequence

import msgspec

from classbell.headers import seconds
from classbell.outlook.dialect import (
    Answer,
    Content,
    FoundCalendar,
    FoundEvent,
    Kind,
    Request,
    Seen,
    instant_of,
    usable_etag,
)
from classbell.outlook.mark import MARK_PROPERTY

MEMBERS = 20

_HEADS = tuple(b'{"id":"%d","method":"' % number for number in range(1, MEMBERS + 1))
_NOT_DONE = 300  # a status from here on says that the request was not carried out
# Tuples, for a set would ask each enumeration member for its hash, which is slow.
_OF_CALENDARS = (Kind.CALENDARS, Kind.CREATE_CALENDAR)
_LOOK = Kind.LOOK
_PLACES = {str(number): number - 1 for number in range(1, MEMBERS + 1)}


def encode(requests: Sequence[Request]) -> bytes:
    """
    The body of one batch; its answer is read by ``decode`` with the same *requests*.

    Raises:
        ValueError: there are none, or more than the service takes.
    """
    if not 0 < len(requests) <= MEMBERS:
        raise ValueError(f"a batch has 1 to {MEMBERS} members, not {len(requests)}")
    pieces: list[bytes] = []
    for head, request in zip(_HEADS, requests, strict=False):
        pieces += (
            b"," if pieces else b'{"requests":[',
            head,
            request.method.encode(),
            b'","url":"',
            request.path.encode(),
            b'","headers":',
            request.headers,
        )
        if request.body:
            pieces += (b',"body":', request.body)
        pieces.append(b"}")
    pieces.append(b"]}")
    return b"".join(pieces)


class _Inner(msgspec.Struct, gc=False, rename={"request_id": "request-id"}):
    request_id: str | None = None


class _Error(msgspec.Struct, gc=False, rename={"existing": "@event.existingEventId"}):
    code: str | None = None
    message: str | None = None
    innerError: _Inner | None = None  # noqa: N815 - the wire's own name
    existing: str | None = None


class _Property(msgspec.Struct, gc=False):
    id: str
    value: str | None = None


class _When(msgspec.Struct, gc=False, rename="camel"):
    date_time: str = ""


class _Text(msgspec.Struct, gc=False):
    content: str | None = None


class _Place(msgspec.Struct, gc=False, rename="camel"):
    display_name: str | None = None


class _Item(
    msgspec.Struct,
    gc=False,
    rename={
        "etag": "@odata.etag",
        "created": "createdDateTime",
        "all_day": "isAllDay",
        "properties": "singleValueExtendedProperties",
        "default": "isDefaultCalendar",
        "editable": "canEdit",
        "show_as": "showAs",
        "reminds": "isReminderOn",
        "minutes": "reminderMinutesBeforeStart",
    },
):
    """An element of a list: an event or a calendar."""

    id: str
    etag: str = ""
    created: str | None = None
    properties: list[_Property] | None = None
    subject: str | None = None
    start: _When | None = None
    end: _When | None = None
    all_day: bool = False
    body: _Text | None = None
    location: _Place | None = None
    show_as: str | None = None
    sensitivity: str | None = None
    reminds: bool | None = None
    minutes: int | None = None
    categories: list[str] | None = None
    name: str | None = None
    default: bool = False
    editable: bool = False


class _Body(
    msgspec.Struct,
    gc=False,
    rename={
        "etag": "@odata.etag",
        "created": "createdDateTime",
        "properties": "singleValueExtendedProperties",
        "next_link": "@odata.nextLink",
        "default": "isDefaultCalendar",
        "editable": "canEdit",
    },
):
    """Any answer; of an event only what a create or an update has to remember."""

    id: str | None = None
    etag: str | None = None
    created: str | None = None
    error: _Error | None = None
    value: list[_Item] | None = None
    next_link: str | None = None
    properties: list[_Property] | None = None
    name: str | None = None
    default: bool = False
    editable: bool = False


class _Headers(
    msgspec.Struct, gc=False, rename={"retry_after": "Retry-After", "lower_retry_after": "retry-after"}
):
    retry_after: str | float | None = None
    lower_retry_after: str | float | None = None


class _Part(msgspec.Struct, gc=False):
    id: str
    status: int
    # A body that is no JSON comes as base64 text (JSON batching page).
    body: _Body | str | None = None
    headers: _Headers | None = None


class _Envelope(msgspec.Struct, gc=False):
    responses: list[_Part]


class _LooseEnvelope(msgspec.Struct, gc=False):
    responses: list[msgspec.Raw]


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_loosely = msgspec.json.Decoder(_LooseEnvelope).decode
_decode_part = msgspec.json.Decoder(_Part).decode
_decode_body = msgspec.json.Decoder(_Body).decode

_NOTHING = _Body()


def decode(requests: Sequence[Request], body: bytes, seen: Seen) -> list[Answer]:
    """The answers to *requests* in their order; see ``Dialect.decode``."""
    found: list[_Part | None] = [None] * len(requests)
    doubled = set()
    for part in _parts(body):
        place = _PLACES.get(part.id, len(found))
        if place >= len(found):
            continue
        if found[place] is not None:
            doubled.add(place)
        found[place] = part
    return [
        _lost(seen) if part is None or place in doubled else _answer(request.kind, part, seen)
        for place, (request, part) in enumerate(zip(requests, found, strict=True))
    ]


def decode_one(kind: Kind, status: int, body: bytes, seen: Seen) -> Answer:
    """The answer to a request sent alone; see ``Dialect.decode_one``."""
    try:
        read = _decode_body(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _lost(seen)
    return _answer(kind, _Part(id="", status=status, body=read), seen)


def decode_refusal(status: int, body: bytes, seen: Seen) -> Answer:
    """What a batch was answered as a whole; see ``Dialect.decode_refusal``."""
    try:
        error = _decode_body(body).error or _Error()
    except (msgspec.DecodeError, UnicodeDecodeError):
        error = _Error()  # a gateway's web page: the status alone has to say it
    return Answer(
        status=status,
        whole=True,
        code=error.code or "",
        message=error.message or "",
        retry_after=seen.retry_after,
        request_id=_request_id(error, seen),
        service_time=seen.service_time,
    )


def _parts(body: bytes) -> Iterator[_Part]:
    try:
        yield from _decode_envelope(body).responses
    except (msgspec.DecodeError, UnicodeDecodeError):
        # One part of an unknown shape must not cost us the answers beside it.
        yield from _readable_parts(body)


def _readable_parts(body: bytes) -> Iterator[_Part]:
    try:
        loose = _decode_loosely(body).responses
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    for raw in loose:
        try:
            yield _decode_part(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue


def _lost(seen: Seen) -> Answer:
    return Answer(status=None, request_id=seen.request_id, service_time=seen.service_time)


def _answer(kind: Kind, part: _Part, seen: Seen) -> Answer:
    body = part.body if isinstance(part.body, _Body) else _NOTHING
    if body.error is not None or part.status >= _NOT_DONE:
        return _refusal(part, body.error or _Error(), seen)
    return Answer(
        status=part.status,
        event_id=body.id or "",
        etag=usable_etag(body.etag) if body.etag else "",
        created=body.created or "",
        mark=_mark(body.properties) if body.properties else None,
        events=_events(body.value) if kind is _LOOK and body.value is not None else None,
        calendars=_calendars(kind, body) if kind in _OF_CALENDARS else None,
        next_link=body.next_link or "",
        request_id=seen.request_id,
        service_time=seen.service_time,
    )


def _refusal(part: _Part, error: _Error, seen: Seen) -> Answer:
    headers = part.headers or _Headers()
    asked = headers.retry_after if headers.retry_after is not None else headers.lower_retry_after
    return Answer(
        # An error under a good status contradicts itself: nobody can say what was done.
        status=part.status if part.status >= _NOT_DONE else None,
        code=error.code or "",
        message=error.message or "",
        retry_after=seconds(asked, seen.service_time) if asked is not None else seen.retry_after,
        existing_id=error.existing or "",
        request_id=_request_id(error, seen),
        service_time=seen.service_time,
    )


def _request_id(error: _Error, seen: Seen) -> str:
    inner = error.innerError
    return (inner.request_id if inner else None) or seen.request_id


def _mark(properties: list[_Property]) -> str | None:
    # The service may give the id back in another case (extended properties overview page).
    wanted = MARK_PROPERTY.lower()
    return next((each.value for each in properties if each.id.lower() == wanted), None)


def _events(items: list[_Item]) -> tuple[FoundEvent, ...]:
    return tuple(
        FoundEvent(
            id=item.id,
            etag=usable_etag(item.etag),
            created_at=instant_of(item.created),
            mark=_mark(item.properties) if item.properties else None,
            subject=item.subject or "",
            start=item.start.date_time if item.start else "",
            end=item.end.date_time if item.end else "",
            all_day=item.all_day,
            content=_content(item, item.body) if item.body is not None else None,
        )
        for item in items
    )


def _content(item: _Item, body: _Text) -> Content:
    return Content(
        body=body.content or "",
        location=(item.location.display_name or "") if item.location else "",
        show_as=item.show_as or "",
        sensitivity=item.sensitivity or "",
        reminder=(item.minutes or 0) if item.reminds else None,
        categories=tuple(item.categories or ()),
    )


def _calendars(kind: Kind, body: _Body) -> tuple[FoundCalendar, ...] | None:
    if kind is Kind.CREATE_CALENDAR:
        if not body.id:
            return None
        return (
            FoundCalendar(id=body.id, name=body.name or "", default=body.default, editable=body.editable),
        )
    if body.value is None:
        return None
    return tuple(
        FoundCalendar(id=item.id, name=item.name or "", default=item.default, editable=item.editable)
        for item in body.value
    )
