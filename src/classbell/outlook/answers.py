"""
The table of answers: what each answer of the service means for one change or look.

This is the one place that reads statuses and codes. Rows follow the Graph errors page, the throttling
page and what other clients have reported of Exchange; codes are compared without regard to case, and
messages never (Microsoft says that they may change). The leading rule is that an answer to a write
proves what it says only if the service cannot have carried out the request: everything else is *unknown*
and is resolved by looking, never by guessing.
"""

from collections.abc import Container
from enum import Enum, auto

import msgspec

from classbell.outlook.dialect import Answer, Kind


class Meaning(Enum):
    """
    What became of a request.

    DONE: it was carried out. GONE: the event (or the calendar, for creates and looks) is not there.
    CONFLICT: somebody touched the event since we wrote it; read and decide again. BUSY: refused for
    now, for this mailbox. SERVICE_BUSY: refused for now, for the whole institution. UNKNOWN: a write of
    which nobody can say whether it was carried out. NOT_SENT: it never left; send it again. MAILBOX_OUT:
    this mailbox cannot be served until somebody changes something; probe it daily. UNAUTHORISED: our
    token is not accepted. FORBIDDEN: the token is good, but not for this mailbox.
    DUPLICATE_TRANSACTION: the transactionId has made an event before. REJECTED: the request itself is
    refused, and would be again.
    """

    DONE = auto()
    GONE = auto()
    CONFLICT = auto()
    BUSY = auto()
    SERVICE_BUSY = auto()
    UNKNOWN = auto()
    NOT_SENT = auto()
    MAILBOX_OUT = auto()
    UNAUTHORISED = auto()
    FORBIDDEN = auto()
    DUPLICATE_TRANSACTION = auto()
    REJECTED = auto()


class Fence(Enum):
    """Who must be left in peace for a while after this answer."""

    NOBODY = auto()
    MAILBOX = auto()
    INSTITUTION = auto()


class Diagnosis(msgspec.Struct, frozen=True, gc=False):
    """
    The meaning of one answer.

    Attributes:
        meaning: what became of the request.
        code: our error code; "" when done.
        reason: one line for a person; "" when done.
        fence: who must be left in peace, for ``retry_after`` seconds (None: the service did not say).
        origin: the service's own code and status, such as ``ApplicationThrottled`` or ``HTTP 502``.
    """

    meaning: Meaning
    code: str = ""
    reason: str = ""
    fence: Fence = Fence.NOBODY
    retry_after: float | None = None
    origin: str = ""


class _Row(msgspec.Struct, frozen=True, gc=False):
    meaning: Meaning
    code: str
    reason: str
    fence: Fence = Fence.NOBODY


_DONE = Diagnosis(Meaning.DONE)

_NOT_SENT = _Row(Meaning.NOT_SENT, "E-GRAPH-UNSENT", "The request could not be sent; nothing was changed.")
_LOST = _Row(
    Meaning.UNKNOWN,
    "E-GRAPH-LOST",
    "The answer was lost on its way; whether Microsoft made the change will be looked up.",
)
_LOST_READ = _Row(Meaning.BUSY, "E-GRAPH-LOST", "The answer to a question was lost; it is asked again.")
_HALF = _Row(
    Meaning.UNKNOWN,
    "E-GRAPH-LOST",
    "Microsoft reported success without saying which event; it will be looked up.",
)
_BROKEN = _Row(
    Meaning.UNKNOWN,
    "E-GRAPH-5XX",
    "Microsoft reported a fault of its own; whether the change was made will be looked up.",
    Fence.MAILBOX,
)
_BROKEN_READ = _Row(
    Meaning.BUSY,
    "E-GRAPH-5XX",
    "Microsoft reported a fault of its own while reading; asked again later.",
    Fence.MAILBOX,
)
_UNSURE = _Row(
    Meaning.UNKNOWN,
    "E-GRAPH-UNSURE",
    "The mailbox was being changed by something else; whether our event was made will be looked up.",
)
_THROTTLED = _Row(
    Meaning.BUSY,
    "E-GRAPH-429",
    "The mailbox takes no more requests for the moment; tried again when Microsoft allows it.",
    Fence.MAILBOX,
)
_NOT_TRIED = _Row(
    Meaning.BUSY,
    "E-GRAPH-429",
    "Microsoft did not get round to the request; it is sent again.",
    Fence.MAILBOX,
)
_ALL_THROTTLED = _Row(
    Meaning.SERVICE_BUSY,
    "E-GRAPH-BUSY",
    "Microsoft takes no more requests from this application for the moment.",
    Fence.INSTITUTION,
)
_ALL_BROKEN = _Row(
    Meaning.UNKNOWN,
    "E-GRAPH-5XX",
    "Microsoft's entrance reported a fault; whether the change was made will be looked up.",
    Fence.INSTITUTION,
)
_NOT_MICROSOFT = _Row(
    Meaning.SERVICE_BUSY,
    "E-GRAPH-ANSWER",
    "The answer is not Microsoft's: a proxy, a sign-in page, or a wrong graph_url or outlook_url is in between.",
    Fence.INSTITUTION,
)
_RETIRED = _Row(
    Meaning.SERVICE_BUSY,
    "E-API-RETIRED",
    "Calendars are no longer served there; Outlook REST, which api can name, was retired by Microsoft.",
    Fence.INSTITUTION,
)
_NO_MAILBOX = _Row(
    Meaning.MAILBOX_OUT,
    "E-MBX-404",
    "There is no mailbox that Microsoft 365 can reach: unlicensed, on-premises, new, or removed.",
)
_FULL = _Row(
    Meaning.MAILBOX_OUT, "E-MBX-FULL", "The mailbox is full; its owner or an administrator must make room."
)
_PERHAPS_FULL = _Row(
    Meaning.UNKNOWN, "E-MBX-FULL", "The mailbox is full; whether the event still went in will be looked up."
)
_CHANGE_PERHAPS_FULL = _Row(
    Meaning.UNKNOWN,
    "E-MBX-FULL",
    "The mailbox is full; whether the change still went in the repetition will show.",
    Fence.MAILBOX,
)
_DENIED = _Row(
    Meaning.FORBIDDEN,
    "E-MBX-DENIED",
    "Microsoft does not let this application into the mailbox: a policy excludes it, or the permission"
    " was not granted.",
)
_NO_TOKEN = _Row(
    Meaning.UNAUTHORISED,
    "E-TOKEN-REJECTED",
    "Microsoft did not accept our access token, not even a fresh one.",
    Fence.INSTITUTION,
)
_EVENT_GONE = _Row(Meaning.GONE, "E-EVT-GONE", "The event is no longer there; somebody removed it.")
_CALENDAR_GONE = _Row(Meaning.GONE, "E-CAL-GONE", "The calendar is no longer there; somebody removed it.")
_CHANGED = _Row(
    Meaning.CONFLICT,
    "E-EVT-CHANGED",
    "The event was changed in Outlook since we wrote it; it is read before anything else.",
)
_USED = _Row(
    Meaning.DUPLICATE_TRANSACTION,
    "E-EVT-MADE",
    "This event has been made before; it will be looked up.",
)
_CALENDAR_EXISTS = _Row(
    Meaning.UNKNOWN, "E-CAL-EXISTS", "A calendar of this name is already there; it will be looked up."
)
_REJECTED = _Row(Meaning.REJECTED, "E-EVT-REJECTED", "Microsoft does not accept the event as it is.")
_TOO_LARGE = _Row(Meaning.REJECTED, "E-EVT-LARGE", "The event is larger than Microsoft accepts.")
_BAD_QUESTION = _Row(Meaning.REJECTED, "E-GRAPH-REJECTED", "Microsoft does not accept the request.")

_ANY = frozenset(Kind)
_WRITES = frozenset(kind for kind in Kind if kind.writes)
_READS = _ANY - _WRITES
_CREATES = frozenset({Kind.CREATE, Kind.CREATE_CALENDAR})
_CHANGES = frozenset({Kind.UPDATE, Kind.DELETE})
_OF_EVENTS = _CHANGES | {Kind.READ}

_WITH_ETAG = (Kind.CREATE, Kind.UPDATE, Kind.READ)
_WITH_CALENDARS = (Kind.CALENDARS, Kind.CREATE_CALENDAR)

_4XX = range(400, 500)
_5XX = range(500, 1000)
_NO_CONTENT = 204
_REDIRECTS_FROM = 300
# Answers under which nobody knows whether the request went any further.
_ASTRAY = (*range(_REDIRECTS_FROM, 400), 408)

_NO_CODE = frozenset({""})
_QUOTA = frozenset({"errorquotaexceeded"})
_NOT_FOUND = frozenset({"erroritemnotfound"})
_MAILBOX_CODES = frozenset(
    {
        "mailboxnotenabledforrestapi",
        "mailboxnotsupportedforrestapi",
        "errorinvaliduser",
        "resourcenotfound",
        "request_resourcenotfound",
    }
)


class _Rule(msgspec.Struct, frozen=True, gc=False):
    """Whom it applies to; ``codes`` is None for all, and in lower case."""

    kinds: frozenset[Kind]
    statuses: Container[int]
    codes: frozenset[str] | None
    row: _Row


# The first rule that applies decides.
_MEMBER_RULES = (
    # Reported by others as 400 and as 409.
    _Rule(frozenset({Kind.CREATE}), _4XX, frozenset({"errorduplicatetransactionid"}), _USED),
    _Rule(frozenset({Kind.CREATE_CALENDAR}), _4XX, frozenset({"errorfolderexists"}), _CALENDAR_EXISTS),
    _Rule(_ANY, {429}, None, _THROTTLED),
    _Rule(_ANY, {424}, None, _NOT_TRIED),
    _Rule(_WRITES, _ASTRAY, None, _LOST),
    _Rule(_READS, _ASTRAY, None, _LOST_READ),
    # Which status a full mailbox answers with is not documented. Under a 5xx a write is unknown like any other.
    _Rule(_CREATES, _5XX, _QUOTA, _PERHAPS_FULL),
    _Rule(_CHANGES, _5XX, _QUOTA, _CHANGE_PERHAPS_FULL),
    _Rule(_ANY, (*_4XX, *_5XX), _QUOTA, _FULL),
    _Rule(_WRITES, _5XX, None, _BROKEN),
    _Rule(_READS, _5XX, None, _BROKEN_READ),
    # Usually 404, also seen as 403.
    _Rule(_ANY, _4XX, _MAILBOX_CODES, _NO_MAILBOX),
    _Rule(_ANY, {401}, frozenset({"nopermissionsinaccesstoken"}), _DENIED),
    _Rule(_ANY, {401}, None, _NO_TOKEN),
    _Rule(_ANY, {403}, None, _DENIED),
    # A 404 of any other code proves nothing about the event, so that no ledger row is dropped for it.
    _Rule(_OF_EVENTS, {404}, _NOT_FOUND, _EVENT_GONE),
    _Rule(_ANY, {404}, _NOT_FOUND, _CALENDAR_GONE),
    # ErrorIrresolvableConflict and ConcurrentItemSave: after both the event has been found to exist.
    _Rule(_CREATES, {409, 412, 423}, None, _UNSURE),
    _Rule(_CHANGES, {409, 412}, None, _CHANGED),
    _Rule(_CHANGES, {423}, None, _BROKEN),
    # Somebody else is at work there at this moment.
    _Rule(_READS, {409, 412, 423}, None, _BROKEN_READ),
    _Rule(_WRITES, {413}, None, _TOO_LARGE),
    _Rule(_WRITES, _4XX, None, _REJECTED),
    _Rule(_READS, _4XX, None, _BAD_QUESTION),
)

# For what a batch is answered as a whole; where none applies, the rules for members do.
_WHOLE_RULES = (
    # How Outlook REST says that a token names no permission, in its header x-ms-diagnostics.
    _Rule(_ANY, {401}, frozenset({"2000008"}), _DENIED),
    _Rule(_ANY, {401}, None, _NO_TOKEN),
    _Rule(_ANY, {410}, None, _RETIRED),
    _Rule(_ANY, {429}, None, _ALL_THROTTLED),
    _Rule(_WRITES, (*_5XX, *_ASTRAY), None, _ALL_BROKEN),
    _Rule(_READS, _5XX, None, _ALL_THROTTLED),
    _Rule(_READS, _ASTRAY, None, _NOT_MICROSOFT),
    _Rule(_WRITES, {413}, None, _TOO_LARGE),
    # The page of a proxy, instead of Graph's answer: Graph has not seen the request.
    _Rule(_ANY, _4XX, _NO_CODE, _NOT_MICROSOFT),
    # Of a batch they say nothing that could be meant for a member: no If-Match of ours was judged by it.
    _Rule(_CHANGES, {409, 412, 423}, None, _BROKEN),
    *_MEMBER_RULES,
)


def classify(kind: Kind, answer: Answer) -> Diagnosis:
    """What *answer* means for a request of *kind*. Total: every answer has a meaning."""
    status = answer.status
    if status is not None and status < _REDIRECTS_FROM and _complete(kind, answer):
        return _DONE
    row = _row(kind, answer)
    return Diagnosis(row.meaning, row.code, row.reason, row.fence, answer.retry_after, _origin(answer))


def _complete(kind: Kind, answer: Answer) -> bool:
    """Whether a success says all that has to be remembered of it."""
    if kind in _WITH_ETAG:
        return bool(answer.event_id and answer.etag)
    if kind in _WITH_CALENDARS:
        return answer.calendars is not None
    if kind is Kind.DELETE:
        # "204 No Content" (page "Delete event"); a page of a proxy or of the service comes as 200.
        return answer.status == _NO_CONTENT
    return answer.events is not None


def _row(kind: Kind, answer: Answer) -> _Row:
    status = answer.status
    if not answer.sent:
        return _NOT_SENT
    if status is None:
        return _LOST if kind.writes else _LOST_READ
    if status < _REDIRECTS_FROM:
        return _HALF if kind.writes else _LOST_READ
    code = answer.code.lower()
    for rule in _WHOLE_RULES if answer.whole else _MEMBER_RULES:
        if kind in rule.kinds and status in rule.statuses and (rule.codes is None or code in rule.codes):
            return rule.row
    return _LOST if kind.writes else _LOST_READ


def _origin(answer: Answer) -> str:
    if answer.code:
        return answer.code
    return f"HTTP {answer.status}" if answer.status is not None else ""
