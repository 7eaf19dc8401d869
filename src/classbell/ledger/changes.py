"""
The durable changes of one institution: accepted plans, intents and outcomes.

A change row is written when its plan is accepted, marked sent before its request leaves, and concluded
after its answer. Whatever instant the process dies at, what is left tells the next run what to do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
    update,
)

from classbell.errors import LeaseHeld
from classbell.ledger.bits import unsigned
from classbell.ledger.database import Database
from classbell.ledger.entries import full_key
from classbell.ledger.gate import OPEN_GATE, STILL_WANTED
from classbell.ledger.outcomes import CREATING, record
from classbell.ledger.schema import DUE_STATES, OPEN_STATES, change, entry, mailbox, meeting
from classbell.ledger.waiting import Waiting, read_waiting
from classbell.model import Action, Change, ChangeState, Entry, Mailbox, Outcome, Policy, Reason
from classbell.operations import operation_id


def _spelled(states: Sequence[str]) -> ColumnElement[bool]:
    # Letter for letter the condition of a partial index: only then may the index answer (SQLite manual,
    # "Partial Indexes"). Without one, every query would walk through all changes that were ever made.
    # Of no type: as a Boolean it would be written "... = 1" for SQLite, which fits no index.
    listed = ", ".join(f"'{state}'" for state in states)
    return literal_column(f"change.state IN ({listed})")


# Of these nobody knows, or a person is to say, what becomes of them.
UNSETTLED = (ChangeState.SENT, ChangeState.UNKNOWN, ChangeState.HELD)

IS_OPEN = _spelled(OPEN_STATES)
IS_DUE = _spelled(DUE_STATES)


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A change about to be sent, and until when its request may leave (seconds)."""

    change: Change
    send_until: float


class Changes:
    """The institution's changes."""

    def __init__(self, database: Database, institution_id: int, installation: str, institution: str) -> None:
        self._database = database
        self._institution_id = institution_id
        self._installation = installation
        self._institution = institution
        self._mine = change.c.institution_id == institution_id

    async def adrift(self, now: float, bound: float) -> int:
        """
        Take up what a dead process left as sent: nobody knows what became of it.

        Creates wait until *bound* seconds after their last moment of sending; then a look decides.
        Updates and deletes are due at once, under the same ``If-Match``. Until then planning leaves the
        pair alone: the plan of another day must not rest on what the ledger says of it.
        """
        sent = self._mine & IS_OPEN & (change.c.state == ChangeState.SENT)
        creates = change.c.action.in_(CREATING)

        def write(connection: Connection) -> int:
            count = 0
            for which, due_at, doubted in ((creates, change.c.send_until + bound, 1), (~creates, now, 0)):
                taken = connection.execute(
                    update(change)
                    .where(sent, which)
                    .values(
                        state=ChangeState.UNKNOWN,
                        due_at=due_at,
                        doubted=doubted,
                        code="E-UNKNOWN",
                        detail="the process that sent it ended before an answer was recorded",
                    )
                )
                count += taken.rowcount
            return count

        return await self._database.write(write)

    async def unsettled(self) -> list[tuple[int, int]]:
        """The pairs (mailbox, meeting) that planning must leave alone: sent, unknown or held changes."""
        query = select(change.c.mailbox_id, change.c.meeting_id).where(
            self._mine,
            IS_OPEN,
            change.c.state.in_(UNSETTLED),
        )
        return await self._database.read(lambda c: [(a, b) for a, b in c.execute(query)])

    async def due(
        self, now: float, limit: int, after: tuple[int, int] = (-(2**62), 0), only: int | None = None
    ) -> list[Change]:
        """Changes to carry out or look after, soonest meetings first, from behind (start, id) *after*."""
        query = (
            _selected()
            .where(
                self._doable(only),
                change.c.due_at <= now,
                tuple_(change.c.starts_at, change.c.id) > after,
            )
            .order_by(change.c.starts_at, change.c.id)
            .limit(limit)
        )
        return await self._database.read(lambda c: [_change(row) for row in c.execute(query)])

    async def next_due(self, only: int | None = None, after: float = -1.0) -> float | None:
        """When the next open change comes due that was not yet at *after*; held ones never do."""
        query = select(func.min(change.c.due_at)).where(self._doable(only), change.c.due_at > after)
        return await self._database.read(lambda c: c.execute(query).scalar())

    async def open_count(self, only: int | None = None) -> int:
        """How many changes are open and may be carried out."""
        query = select(func.count()).select_from(change).where(self._doable(only))
        return await self._database.read(lambda c: int(c.execute(query).scalar_one()))

    def _doable(self, only: int | None) -> ColumnElement[bool]:
        """Open and not held nor under way, where people want something written."""
        mine = self._mine & IS_DUE & OPEN_GATE
        return mine if only is None else mine & (change.c.mailbox_id == only)

    async def waiting(self) -> list[Waiting]:
        """Open changes by state and reason."""
        return await self._database.read(
            lambda c: read_waiting(c, self._institution_id, self._mine & IS_OPEN)
        )

    async def of_mailbox(self, number: int, limit: int = 1000) -> list[tuple[Change, str, float | None, str]]:
        """A mailbox's newest changes, each with detail, when it ended, and Microsoft's request id."""
        query = (
            _selected()
            .add_columns(change.c.detail, change.c.finished_at, change.c.request_id)
            .where(self._mine, change.c.mailbox_id == number)
            .order_by(change.c.id.desc())
            .limit(limit)
        )
        return await self._database.read(
            lambda c: [
                (_change(row), row.detail, row.finished_at, row.request_id) for row in c.execute(query)
            ]
        )

    async def intend(self, intents: Sequence[Intent], now: float) -> None:
        """
        Mark changes as sent. Their requests may leave once this has returned.

        Raises:
            LeaseHeld: E-LEASE, one of them is no longer open; nothing is marked and nothing may be sent.
        """
        rows = [
            {
                "number": intent.change.id,
                "mine": self._institution_id,
                "at": now,
                "until": intent.send_until,
            }
            for intent in intents
        ]

        def write(connection: Connection) -> None:
            if rows and connection.execute(_INTEND, rows).rowcount != len(rows):
                raise LeaseHeld(
                    "E-LEASE",
                    "A change to be sent is no longer in the ledger as it was read.",
                    why="another Classbell process works on this institution, and planned, delivered or paused meanwhile",
                    do="wait until it has ended, or end it; then run this command again",
                    effect="this request was not sent",
                )

        await self._database.write(write)

    async def postpone(self, number: int, code: str, detail: str, due_at: float) -> None:
        """Let all unsent changes of a mailbox that were due before wait until *due_at*, with a reason."""
        statement = postponed(self._institution_id, number, code, detail, due_at)
        await self._database.write(lambda connection: connection.execute(statement))

    async def release(self, code: str, numbers: Iterable[int]) -> None:
        """Make due what waits for one reason in some mailboxes."""
        statement = (
            update(change)
            .where(
                self._mine,
                IS_OPEN,
                change.c.mailbox_id == bindparam("number"),
                change.c.state == ChangeState.WAITING,
                change.c.code == code,
            )
            .values(state=ChangeState.PENDING, code="", detail="", due_at=0)
        )
        rows = [{"number": number} for number in numbers]
        if rows:
            await self._database.write(lambda connection: connection.execute(statement, rows))

    async def release_held(self, number: int) -> None:
        """Try again what was held in a mailbox. A create is looked for again, never simply sent again."""
        held = self._mine & IS_OPEN & (change.c.mailbox_id == number) & (change.c.state == ChangeState.HELD)
        creates = change.c.action.in_(CREATING)

        def write(connection: Connection) -> None:
            for which, state in ((creates, ChangeState.UNKNOWN), (~creates, ChangeState.PENDING)):
                connection.execute(
                    update(change).where(held, which).values(state=state, attempts=0, due_at=0)
                )

        await self._database.write(write)

    async def conclude(self, outcomes: Iterable[Outcome], now: float, *, intended: bool = False) -> None:
        """
        Record what came of changes, together with what the ledger then holds.

        An outcome counts only for the attempt that it is of: if another process has meanwhile settled or
        sent its change, that one records what came of it.

        Args:
            intended: whether ``intend`` was called for the changes as they stand in the outcomes.
        """
        told = list(outcomes)
        sent = 1 if intended else 0
        await self._database.write(
            lambda connection: record(connection, self._institution_id, told, now, self._operation_of, sent)
        )

    def _operation_of(self, made: Change, incarnation: int) -> str:
        return operation_id(
            self._installation, self._institution, made.mailbox.key, made.meeting_key, incarnation
        )


def postponed(institution_id: int, number: int, code: str, detail: str, due_at: float) -> Update:
    """Lets the unsent changes of a mailbox that were due before wait until *due_at*, with a reason."""
    return (
        update(change)
        .where(
            change.c.institution_id == institution_id,
            change.c.mailbox_id == number,
            IS_OPEN,
            change.c.state.in_((ChangeState.PENDING, ChangeState.WAITING)),
            # What waits longer for a reason of its own keeps it.
            change.c.due_at <= due_at,
        )
        .values(state=ChangeState.WAITING, code=code, detail=detail, due_at=due_at)
    )


_INTEND = (
    update(change)
    .where(change.c.id == bindparam("number"), change.c.institution_id == bindparam("mine"), IS_DUE)
    .where(STILL_WANTED)
    .values(
        state=ChangeState.SENT,
        sent_at=bindparam("at"),
        send_until=bindparam("until"),
        attempts=change.c.attempts + 1,
    )
)


def _selected() -> Select[Any]:
    return (
        select(
            change.c.id,
            change.c.mailbox_id,
            change.c.meeting_id,
            change.c.action,
            change.c.reason,
            change.c.state,
            change.c.fingerprint,
            change.c.starts_at,
            change.c.ends_at,
            change.c.calendar,
            change.c.incarnation,
            change.c.operation,
            change.c.due_at,
            change.c.sent_at,
            change.c.send_until,
            change.c.attempts,
            change.c.code,
            change.c.policy,
            change.c.doubted,
            mailbox.c.key.label("mailbox_key"),
            mailbox.c.address,
            mailbox.c.contacted_at,
            meeting.c.source,
            meeting.c.key.label("meeting_key"),
            entry.c.event_id,
            entry.c.etag,
            entry.c.fingerprint.label("entry_fingerprint"),
            entry.c.starts_at.label("entry_starts_at"),
            entry.c.ends_at.label("entry_ends_at"),
            entry.c.incarnation.label("entry_incarnation"),
            entry.c.operation.label("entry_operation"),
        )
        .join(mailbox, mailbox.c.id == change.c.mailbox_id)
        .join(meeting, meeting.c.id == change.c.meeting_id)
        .outerjoin(
            entry, (entry.c.mailbox_id == change.c.mailbox_id) & (entry.c.meeting_id == change.c.meeting_id)
        )
    )


def _change(row: Row[Any]) -> Change:
    owner = Mailbox(
        id=row.mailbox_id, key=row.mailbox_key, address=row.address, contacted=row.contacted_at is not None
    )
    key = full_key(row.source, row.meeting_key)
    return Change(
        id=row.id,
        mailbox=owner,
        meeting_id=row.meeting_id,
        meeting_key=key,
        action=Action(row.action),
        reason=Reason(row.reason),
        state=ChangeState(row.state),
        fingerprint=unsigned(row.fingerprint),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        incarnation=row.incarnation,
        operation=row.operation,
        calendar=row.calendar,
        entry=_entry(row, owner, key) if row.event_id is not None else None,
        due_at=row.due_at,
        sent_at=row.sent_at,
        send_until=row.send_until,
        attempts=row.attempts,
        code=row.code,
        policy=Policy(row.policy),
        doubted=bool(row.doubted),
    )


def _entry(row: Row[Any], owner: Mailbox, key: str) -> Entry:
    return Entry(
        mailbox=owner,
        meeting_id=row.meeting_id,
        meeting_key=key,
        event_id=row.event_id,
        etag=row.etag,
        fingerprint=unsigned(row.entry_fingerprint),
        starts_at=row.entry_starts_at,
        ends_at=row.entry_ends_at,
        incarnation=row.entry_incarnation,
        operation=row.entry_operation,
    )
