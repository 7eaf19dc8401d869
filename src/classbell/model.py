"""
The frozen values that all parts exchange; the words are those of ``docs/glossary.md``.

This module holds no behaviour beyond what follows from the values themselves. Instants are whole
seconds since 1970-01-01T00:00Z (``int``); wall times are naive ``datetime`` beside an IANA zone name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, IntFlag, StrEnum
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from classbell.zones import instant

Instants = NDArray[np.int64]
Fingerprints = NDArray[np.uint64]
Ids = NDArray[np.int64]
Indexes = NDArray[np.int32]


class Meeting(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """
    One dated teaching activity at the source: a lecture on one day.

    ``key`` is the source's own stable id of this occurrence, unique within its source; it does not
    change when the meeting moves, wherever the source allows that. ``start`` and ``end`` are naive wall
    times in ``zone``; an all-day meeting has both at midnight and ``end`` exclusive. ``fields`` are the
    texts that templates use; the common names are title, location, description, module, type, staff,
    groups and notes.
    """

    key: str
    start: datetime
    end: datetime
    zone: str
    all_day: bool = False
    cancelled: bool = False
    fields: Mapping[str, str] = {}

    @cached_property
    def starts_at(self) -> int:
        """The instant of the start, in seconds."""
        return instant(self.start, self.zone)

    @cached_property
    def ends_at(self) -> int:
        """The instant of the end, in seconds."""
        return instant(self.end, self.zone)


@dataclass(frozen=True, kw_only=True)
class Window:
    """A half-open span of instants, ``begin <= t < end``, in seconds."""

    begin: int
    end: int

    def __contains__(self, moment: int) -> bool:
        return self.begin <= moment < self.end


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """
    What a read really saw; absence proves something only inside it.

    ``unread`` names the persons of whom some part could not be read (one of their feeds failed, say):
    nothing that they miss is taken for removed.
    """

    window: Window
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Something a person should know about a read that did succeed: one cause, one remark."""

    code: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """
    The result of one complete read of a source.

    ``attendance`` has shape (n, 2): each row pairs an index into ``people`` with an index into
    ``meetings``; rows are unique and sorted. ``digest`` (16 bytes) is equal for equal content.
    """

    source: str
    meetings: tuple[Meeting, ...]
    people: tuple[str, ...]
    attendance: Indexes = field(repr=False)
    coverage: Coverage
    digest: bytes
    remarks: tuple[Remark, ...] = ()


class Rendering(msgspec.Struct, frozen=True, kw_only=True):
    """
    A meeting in a profile, as the JSON object Graph will get, with its fingerprint.

    ``body`` is one complete JSON object without the parts that belong to one mailbox (``transactionId``
    and the mark); delivery splices these in before the closing brace. ``fingerprint`` is below 2**64.
    """

    fingerprint: int
    body: bytes


class Action(IntEnum):
    """What a change does. ``skip`` is display only and never stored."""

    CREATE = 1
    UPDATE = 2
    DELETE = 3
    ADOPT = 4
    REKEY = 5
    FORGET = 6


class Reason(IntEnum):
    """
    Why a change was planned.

    reprieved: a delete that may have been sent, and that nobody asks for any more; its event is only looked for.
    """

    NEW_MEETING = 1
    JOINED = 2
    CHANGED = 3
    CANCELLED = 4
    REMOVED = 5
    LEFT = 6
    RESTORED = 7
    EDITED = 8
    UNLINKED = 9
    RESET = 10
    PUT_BACK = 11
    UNLIKE = 12
    REPRIEVED = 13
    CONFIGURED = 14


class Policy(IntFlag):
    """
    What a profile says of what the owner of a calendar does to our events there; 0: it is put right again.

    keep edits: what the owner has changed stays until the meeting's own value changes. respect deletions: what
    the owner has deleted stays so until the meeting changes. stop without calendar: if the owner deletes our
    calendar, nothing more is delivered there.
    """

    KEEP_EDITS = 1
    RESPECT_DELETIONS = 2
    STOP_WITHOUT_CALENDAR = 4


class Suspended(StrEnum):
    """
    Why nothing is written to a mailbox although events of ours may stand there.

    paused: somebody has said so, until they say otherwise. unlinked: the person gets nothing any more. purged: the
    whole institution gets nothing any more. calendar: its owner has deleted our calendar, and the profile says to
    stop then.
    """

    PAUSED = "paused"
    UNLINKED = "unlinked"
    PURGED = "purged"
    CALENDAR = "calendar"


class RunKind(StrEnum):
    """Which command a run was of: the first two deliver timetables, the last two write to no calendar."""

    SYNC = "sync"
    APPLY = "apply"
    RESTORE = "restore"
    UNLINK = "unlink"
    PURGE = "purge"
    FORGET = "forget"
    REBUILD = "rebuild"


class LeaveMode(StrEnum):
    """
    What becomes of the events of somebody who leaves.

    unlink only: all stay. delete future events: those that start in the future go. delete all events: all go that
    the ledger knows. cleanup: all go that this installation ever made there, also what the ledger no longer knew.
    """

    UNLINK_ONLY = "UNLINK_ONLY"
    DELETE_FUTURE_EVENTS = "DELETE_FUTURE_EVENTS"
    DELETE_ALL_EVENTS = "DELETE_ALL_EVENTS"
    CLEANUP = "CLEANUP"


class ChangeState(StrEnum):
    """
    Where a change stands; the first four are open.

    pending: accepted, nothing sent. sent: the intent is durable, the request may be on its way.
    unknown: no answer that proves what became of it; it waits for a look. waiting: refused for now, with
    a reason, tried again when due. done: outcome recorded. held: a person must decide. superseded: a
    newer plan took its place before it was sent.
    """

    PENDING = "pending"
    SENT = "sent"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    DONE = "done"
    HELD = "held"
    SUPERSEDED = "superseded"


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """
    Where events are delivered: ``key`` is the person's stable id, or else the address in lower case.

    ``calendar_id`` is empty for the default calendar, else the id of our own calendar there. ``id_form`` says in
    which form its entries have the ids of their events; see ``Capabilities``.
    """

    id: int
    key: str
    address: str
    calendar_id: str = ""
    contacted: bool = False
    id_form: str = ""


MIXED_FORMS = "mixed"
"""The ``id_form`` of a mailbox whose entries have ids of more than one form; no dialect has it."""

LOST_ID = "?"
"""With what stands in the place of an id that nobody knows any more begins; no id of an event does."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """
    A row of the ledger: one event that we delivered. The only thing an update or delete may start from.

    ``etag`` is what the service gave for our own last write (or for a read whose mark agreed).
    ``operation`` is the operation id of the create, which also stands in the event's mark. ``created_at`` is when the
    service says that the event was made; 0.0 where that is not known, or was not asked of the ledger.
    """

    mailbox: Mailbox
    meeting_id: int
    meeting_key: str
    event_id: str
    etag: str
    fingerprint: int
    starts_at: int
    ends_at: int
    incarnation: int
    operation: str
    created_at: float = 0.0

    @property
    def is_lost(self) -> bool:
        """Whether its event is known by no id any more; only its mark can find it."""
        return self.event_id.startswith(LOST_ID)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """
    One durable row of an accepted plan, with what delivery needs to carry it out.

    ``fingerprint`` names the rendering wanted (0 for deletes). ``operation`` is the operation id: derived
    from installation, institution, mailbox key, meeting key and incarnation. ``due_at`` is when it may be
    tried; ``send_until`` is the end of its last intent (0 before the first). ``calendar`` is the name of
    the calendar a create goes to, empty for the default one. ``entry`` is the ledger's row of the pair.
    ``code`` is why it is not done yet, where that is known; ``policy`` the profile's when it was planned.
    ``doubted`` says of a create that an attempt at this incarnation may have been carried out.
    """

    id: int
    mailbox: Mailbox
    meeting_id: int
    meeting_key: str
    action: Action
    reason: Reason
    state: ChangeState
    fingerprint: int
    starts_at: int
    ends_at: int
    incarnation: int
    operation: str
    calendar: str = ""
    entry: Entry | None = None
    due_at: float = 0.0
    sent_at: float = 0.0
    send_until: float = 0.0
    attempts: int = 0
    code: str = ""
    policy: Policy = Policy(0)
    doubted: bool = False


class Became(StrEnum):
    """
    What came of a sent change, as the ledger records it.

    done: carried out. gone: the event to change is no longer there. waiting: certainly not carried out,
    to be tried again. unknown: nothing proves either. renewed: not carried out, but our event's etag was
    read afresh. spared: a delete that nobody asks for any more, and whose event stands. held: a person must decide.
    """

    DONE = "done"
    GONE = "gone"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    RENEWED = "renewed"
    SPARED = "spared"
    HELD = "held"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """
    The outcome of one change.

    ``due_at`` is when to look or try again; ``etag`` and ``event_id`` are those of our event after a
    change that is done or renewed; without an ``event_id`` a renewed one keeps its own. ``created_at`` is when the
    service made an event that was created or found; 0.0 if it does not say.
    """

    change: Change
    became: Became
    event_id: str = ""
    etag: str = ""
    created_at: float = 0.0
    due_at: float = 0.0
    code: str = ""
    detail: str = ""
    request_id: str = ""


class CertificateUse(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is remembered of a certificate: when it last got us a token, and when and why it was last refused.

    Times are seconds since 1970; 0.0 if that never happened. ``refusal`` is the other side's code.
    """

    worked_at: float = 0.0
    refused_at: float = 0.0
    refusal: str = ""
