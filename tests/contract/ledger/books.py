"""Keeping a ledger's books as a run does: plans of a few changes in words, accepted and delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from classbell.ledger import Acceptance, Accepted, InstitutionLedger, Intent, NewRendering
from classbell.model import Action, Became, Change, Ids, Outcome, Reason
from classbell.numbering import Numbering
from classbell.plan import Delivered, Plan

INSTALLATION = "6f1c1c62-6c0e-4b57-9a5e-0d9d4d8f2a11"
SOURCE = "timetable"
NOW = 1_790_000_000.0
FORM = "restImmutableEntryId"
SEND_WITHIN = 60.0
HUGE = 2**64 - 1
"""A fingerprint that fits no signed number."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One change of a plan, by the keys of its mailbox and meeting."""

    person: str
    meeting: str
    action: Action = Action.CREATE
    reason: Reason = Reason.NEW_MEETING
    fingerprint: int = 1
    previous: int = 0
    starts: int = 1000
    ends: int = 2000
    source: str = SOURCE
    calendar: str = ""


def create(
    person: str, meeting: str, *, fingerprint: int = 1, starts: int = 1000, calendar: str = ""
) -> Wish:
    return Wish(
        person=person,
        meeting=meeting,
        fingerprint=fingerprint,
        starts=starts,
        ends=starts + 100,
        calendar=calendar,
    )


def update(person: str, meeting: str, *, fingerprint: int = 2, starts: int = 1000) -> Wish:
    wish = create(person, meeting, fingerprint=fingerprint, starts=starts)
    return replace(wish, action=Action.UPDATE, reason=Reason.CHANGED, previous=1)


def delete(person: str, meeting: str, *, starts: int = 1000) -> Wish:
    wish = create(person, meeting, fingerprint=0, starts=starts)
    return replace(wish, action=Action.DELETE, reason=Reason.REMOVED, previous=1)


async def accept(
    book: InstitutionLedger,
    *wishes: Wish,
    read: Sequence[str] = (SOURCE,),
    only: str | None = None,
    unread: Sequence[tuple[str, str]] = (),
    renderings: Sequence[NewRendering] = (),
    basis: int | None = None,
    policy: int = 0,
    approvals: Sequence[int] = (),
    now: float = NOW,
) -> Acceptance:
    """Accept a plan of these changes, numbered as planning numbers them."""
    meetings: Numbering[tuple[str, str]] = Numbering(await book.meetings.numbers())
    mailboxes: Numbering[str] = Numbering(await book.mailboxes.numbers())
    calendars = tuple(dict.fromkeys(("", *(wish.calendar for wish in wishes))))
    numbered = sorted(
        (mailboxes.number(wish.person), meetings.number((wish.source, wish.meeting)), index)
        for index, wish in enumerate(wishes)
    )
    rows = [wishes[index] for _, _, index in numbered]
    return await book.plans.accept(
        Accepted(
            plan=Plan(
                mailbox=_ids([box for box, _, _ in numbered]),
                meeting=_ids([of for _, of, _ in numbered]),
                action=np.array([row.action for row in rows], dtype=np.int8),
                reason=np.array([row.reason for row in rows], dtype=np.int8),
                fingerprint=np.array([row.fingerprint for row in rows], dtype=np.uint64),
                previous=np.array([row.previous for row in rows], dtype=np.uint64),
                starts=_ids([row.starts for row in rows]),
                ends=_ids([row.ends for row in rows]),
                source=np.zeros(len(rows), dtype=np.int16),
                calendar=np.array([calendars.index(row.calendar) for row in rows], dtype=np.int16),
                policy=np.full(len(rows), policy, dtype=np.int8),
            ),
            calendars=calendars,
            fresh_mailboxes={key: key for key in mailboxes.fresh},
            fresh_meetings=list(meetings.fresh),
            renderings=renderings,
            sources_read=frozenset(read),
            unread=frozenset((source, mailboxes.number(person)) for source, person in unread),
            only=None if only is None else mailboxes.number(only),
            approvals=approvals,
            basis=basis,
        ),
        now,
    )


async def due(book: InstitutionLedger, now: float = NOW, limit: int = 100) -> list[Change]:
    return await book.changes.due(now, limit)


async def send(book: InstitutionLedger, changes: Sequence[Change], now: float = NOW) -> frozenset[int]:
    """Make intents durable, as just before the requests leave; the numbers of those that must not leave."""
    return await book.changes.intend(
        [Intent(change=one, send_until=now + SEND_WITHIN) for one in changes], now
    )


async def conclude(
    book: InstitutionLedger, change: Change, became: Became, *, now: float = NOW, **said: object
) -> None:
    """Record one outcome; *said* are further fields of it."""
    known: dict[str, object] = {"event_id": "", "etag": ""}
    if became is Became.DONE and change.action is not Action.DELETE:
        known = {"event_id": event_id(change), "etag": f"etag-{change.fingerprint}"}
    fields = {"change": change, "became": became} | known | said
    intended = await _attempts(book, change) > change.attempts
    outcome = Outcome(**fields)  # type: ignore[arg-type]
    await book.changes.conclude([outcome], now, intended=intended, id_form=FORM)


async def _attempts(book: InstitutionLedger, change: Change) -> int:
    """How often a change has been sent by now."""
    found = await book.changes.of_mailbox(change.mailbox.id)
    return next((one.attempts for one, *_ in found if one.id == change.id), 0)


async def deliver(book: InstitutionLedger, now: float = NOW) -> list[Change]:
    """Carry out whatever is due, and all of it well; the changes."""
    changes = await due(book, now)
    await send(book, changes, now)
    for change in changes:
        await conclude(book, change, Became.DONE, now=now)
    return changes


def event_id(change: Change) -> str:
    """The id that the service gives the event of a change: an update leaves it as it was."""
    return change.entry.event_id if change.entry else f"event-{change.operation}"


async def packed(
    book: InstitutionLedger, *, fresh: Sequence[int] = ()
) -> dict[tuple[int, int], tuple[int, int, int]]:
    """What planning is told: per (mailbox, meeting) fingerprint, start and end."""
    told = {}
    async for run in book.entries.delivered(_nowhere, fresh=fresh):
        pairs = list(zip(run.mailbox.tolist(), run.meeting.tolist(), strict=True))
        assert pairs == sorted(set(pairs))
        told.update(dict(zip(pairs, _facts(run), strict=True)))
    return told


async def rows(book: InstitutionLedger) -> dict[tuple[int, int], tuple[int, int, int]]:
    """The same as the rows have it, which are the truth."""
    found = {}
    for key in await book.mailboxes.numbers():
        owner = await book.mailboxes.find(key)
        assert owner is not None
        for entry, _ in await book.entries.of_mailbox(owner):
            found[owner.id, entry.meeting_id] = (entry.fingerprint, entry.starts_at, entry.ends_at)
    return found


async def pack(book: InstitutionLedger, revision: int = 1) -> None:
    """Refresh packed rows, as at the end of a run."""
    await book.entries.pack(await book.entries.stale(), revision)


async def entries(book: InstitutionLedger, person: str) -> Mapping[str, tuple[str, str, int]]:
    """A person's entries by meeting key: event id, etag and incarnation."""
    owner = await book.mailboxes.find(person)
    assert owner is not None
    return {
        entry.meeting_key: (entry.event_id, entry.etag, entry.incarnation)
        for entry, _ in await book.entries.of_mailbox(owner)
    }


async def delivered(book: InstitutionLedger) -> None:
    """Ann's algebra stands in her calendar."""
    await accept(book, create("ann", "algebra"))
    await deliver(book)


async def sent_update(book: InstitutionLedger) -> Change:
    """An update of it whose answer has not come."""
    await delivered(book)
    await accept(book, update("ann", "algebra"))
    (change,) = await due(book)
    await send(book, [change])
    return change


def _facts(run: Delivered) -> list[tuple[int, int, int]]:
    return list(zip(run.fingerprint.tolist(), run.starts.tolist(), run.ends.tolist(), strict=True))


def _nowhere(meetings: Ids) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    return np.full(len(meetings), -1, dtype=np.int16)


def _ids(numbers: Sequence[int]) -> Ids:
    return np.array(numbers, dtype=np.int64)
