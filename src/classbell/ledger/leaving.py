"""
Leaving: a person, or a whole institution, wants nothing of us any more.

What goes is decided in one transaction from the entries alone, whatever timetables say: nothing is read for it,
and exactly as many events are marked for deletion as somebody was told.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Insert,
    Select,
    Text,
    bindparam,
    case,
    false,
    func,
    insert,
    literal,
    select,
    update,
)

from classbell.errors import HeldError
from classbell.ledger.acceptance import SHARDS
from classbell.ledger.changes import IS_OPEN, UNSETTLED
from classbell.ledger.codes import LOST
from classbell.ledger.database import Database, insert_one
from classbell.ledger.holds import end_all
from classbell.ledger.outcomes import CREATING
from classbell.ledger.runs import BEGIN
from classbell.ledger.schema import change, entry, ledger, mailbox, sighting, suspension
from classbell.ledger.sighted import Sighted
from classbell.ledger.suspensions import pause_all, suspend
from classbell.ledger.words import among
from classbell.model import Action, ChangeState, LeaveMode, Reason, RunKind, Suspended


@dataclass(frozen=True, kw_only=True)
class Left:
    """
    What leaving means, in numbers of events: what stands there of ours now, and what goes.

    ``coming`` are those that start in the future; ``uncertain`` creates of which nobody knows yet whether they were
    made, ``open`` changes that are given up. ``strange`` are events that bear our mark and that nobody can prove to be
    ours, as far as mailboxes were read: they stay. Nothing goes from ``doubted`` mailboxes: they must be rebuilt first.
    ``digest`` is of the very events that go: as many others are not what somebody was told.
    """

    mailboxes: int
    events: int
    coming: int
    deletes: int
    uncertain: int
    open: int
    strange: int = 0
    doubted: int = 0
    digest: bytes = field(default=b"", compare=False, repr=False)

    @property
    def after(self) -> int:
        """How many events of ours will stand there."""
        return self.events - self.deletes


@dataclass(frozen=True, kw_only=True)
class AcceptedLeave:
    """The run that owns the deletes, and the ledger's new revision."""

    run_id: int
    revision: int


def departure(number: int | None, mode: LeaveMode) -> dict[str, object]:
    """What is recorded of the run of a departure from its beginning: how, and of which mailbox if not of all."""
    return {"mode": mode} if number is None else {"mode": mode, "mailbox": number}


class Leaving:
    """Who leaves the institution's calendars, and what goes with them."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id

    @property
    def _mine(self) -> ColumnElement[bool]:
        return mailbox.c.institution_id == self._institution_id

    async def look(self, number: int | None, mode: LeaveMode, now: float) -> Left:
        """
        What leaving would mean.

        Args:
            number: of the mailbox; None for all of the institution.
        """
        return await self._database.read(lambda c: self._look(c, number, mode, now))

    async def events(self, number: int, mode: LeaveMode, now: float) -> list[int]:
        """The numbers of the meetings whose events would go from one mailbox, soonest first."""
        query = (
            select(entry.c.meeting_id)
            .where(entry.c.mailbox_id.in_(self._boxes(number)), _goes(mode, now))
            .order_by(entry.c.starts_at, entry.c.meeting_id)
        )
        return await self._database.read(lambda c: list(c.execute(query).scalars()))

    async def accept(
        self, number: int | None, mode: LeaveMode, expected: Left, reason: str, now: float
    ) -> AcceptedLeave:
        """
        Suspend whom it concerns, give up what was open there, and make the deletes durable.

        A whole institution is paused by it as well.

        Raises:
            HeldError: E-LEAVE-CHANGED, it is no longer what somebody was told; nothing of it is kept.
        """
        return await self._database.write(lambda c: self._accept(c, number, mode, expected, reason, now))

    def _accept(
        self,
        connection: Connection,
        number: int | None,
        mode: LeaveMode,
        expected: Left,
        reason: str,
        now: float,
    ) -> AcceptedLeave:
        found = self._look(connection, number, mode, now)
        _as_told(found, expected)
        kind = RunKind.UNLINK if number is not None else RunKind.PURGE
        values = {"institution_id": self._institution_id, "kind": kind, "started_at": now}
        run_id = insert_one(
            connection, BEGIN, values | {"summary": msgspec.json.encode(departure(number, mode))}
        )
        updates = self._unheard(connection, number, Action.UPDATE)
        deletes = self._unheard(connection, number, Action.DELETE)
        given_up = (
            update(change).where(self._open(number), ~_uncertain()).values(state=ChangeState.SUPERSEDED)
        )
        connection.execute(given_up)
        connection.execute(self._deletes(number, mode, run_id, now))
        if updates:
            connection.execute(_SHOWS_PERHAPS, [row | {"run": run_id} for row in updates])
        if deletes:
            connection.execute(_GONE_PERHAPS, [row | {"run": run_id} for row in deletes])
        into = Suspended.UNLINKED if number is not None else Suspended.PURGED
        if number is None:
            pause_all(connection, self._institution_id, reason, now, None)
        # Who is paused, or has left, for themselves stays so even if the institution comes back.
        stays = suspension.c.kind != Suspended.PURGED if number is None else suspension.c.kind == into
        left = select(suspension.c.mailbox_id).where(stays)
        for box in connection.execute(self._boxes(number).where(mailbox.c.id.not_in(left))).scalars().all():
            suspend(connection, box, into, reason, now, None)
        # What was held there is given up with everything else: nobody is to decide it any more.
        end_all(connection, self._institution_id, self._boxes(number) if number is not None else None)
        connection.execute(update(ledger).values(revision=ledger.c.revision + 1))
        revision = int(connection.execute(select(ledger.c.revision)).scalar_one())
        return AcceptedLeave(run_id=run_id, revision=revision)

    def _look(self, connection: Connection, number: int | None, mode: LeaveMode, now: float) -> Left:
        of_entries = select(
            func.count(),
            func.coalesce(func.sum(_flag(entry.c.starts_at > now)), 0),
            func.coalesce(func.sum(_flag(_goes(mode, now))), 0),
            func.count(entry.c.mailbox_id.distinct()),
        ).where(entry.c.mailbox_id.in_(self._boxes(number)))
        events, coming, deletes, mailboxes = connection.execute(of_entries).one()
        of_changes = select(func.count(), func.coalesce(func.sum(_flag(_uncertain())), 0)).where(
            self._open(number)
        )
        opened, uncertain = connection.execute(of_changes).one()
        of_doubt = select(func.count()).where(mailbox.c.id.in_(self._boxes(number)), _IN_DOUBT)
        return Left(
            mailboxes=mailboxes,
            events=events,
            coming=coming,
            deletes=deletes,
            uncertain=uncertain,
            open=opened - uncertain,
            strange=connection.execute(self._strange(number)).scalar_one(),
            doubted=connection.execute(of_doubt).scalar_one(),
            digest=self._digest(connection, number, mode, now) if deletes else b"",
        )

    def _digest(self, connection: Connection, number: int | None, mode: LeaveMode, now: float) -> bytes:
        """Of the events that go, each in its calendar and for its meeting."""
        going = (
            select(entry.c.mailbox_id, entry.c.meeting_id, entry.c.event_id)
            .where(entry.c.mailbox_id.in_(self._boxes(number)), _goes(mode, now))
            .order_by(entry.c.mailbox_id, entry.c.meeting_id)
        )
        digest = sha256()
        for box, of, event_id in connection.execute(going):
            digest.update(f"{box} {of} {event_id}\n".encode())
        return digest.digest()

    def _strange(self, number: int | None) -> Select[Any]:
        ours = (entry.c.mailbox_id == sighting.c.mailbox_id) & (entry.c.event_id == sighting.c.event_id)
        return (
            select(func.count())
            .select_from(sighting.outerjoin(entry, ours))
            .where(
                sighting.c.mailbox_id.in_(self._boxes(number)),
                among(sighting.c.kind, (Sighted.EXTRA, Sighted.COPY, Sighted.FORGED)),
                entry.c.mailbox_id.is_(None),
            )
        )

    def _boxes(self, number: int | None) -> Select[Any]:
        boxes = select(mailbox.c.id).where(self._mine)
        return boxes if number is None else boxes.where(mailbox.c.id == number)

    def _open(self, number: int | None) -> ColumnElement[bool]:
        mine = (change.c.institution_id == self._institution_id) & IS_OPEN
        return mine if number is None else mine & (change.c.mailbox_id == number)

    def _unheard(self, connection: Connection, number: int | None, action: Action) -> list[dict[str, Any]]:
        """What updates or deletes have asked for of which nobody knows whether they went through."""
        query = select(
            change.c.mailbox_id.label("box"),
            change.c.meeting_id.label("of"),
            change.c.fingerprint.label("version"),
            change.c.starts_at.label("start"),
            change.c.ends_at.label("end"),
            change.c.attempts.label("tries"),
        ).where(self._open(number), change.c.action == action, change.c.state.in_(UNSETTLED))
        return [dict(row) for row in connection.execute(query).mappings()]

    def _deletes(self, number: int | None, mode: LeaveMode, run_id: int, now: float) -> Insert:
        row = {
            "institution_id": literal(self._institution_id),
            "shard": entry.c.mailbox_id % SHARDS,
            "run_id": literal(run_id),
            "mailbox_id": entry.c.mailbox_id,
            "meeting_id": entry.c.meeting_id,
            "action": literal(int(Action.DELETE)),
            "reason": literal(int(Reason.UNLINKED)),
            "state": literal(ChangeState.PENDING.value, Text),
            "fingerprint": literal(0),
            "previous": entry.c.fingerprint,
            "starts_at": entry.c.starts_at,
            "ends_at": entry.c.ends_at,
            "calendar": literal("", Text),
            "incarnation": entry.c.incarnation,
            "operation": entry.c.operation,
            "due_at": literal(0.0, Float),
        }
        chosen = select(*row.values()).where(entry.c.mailbox_id.in_(self._boxes(number)), _goes(mode, now))
        return insert(change).from_select(list(row), chosen)


def _as_told(found: Left, expected: Left) -> None:
    """
    Make sure that what goes is what somebody was told.

    Raises:
        HeldError: E-LEAVE-CHANGED.
    """
    if (found.events, found.deletes, found.digest) == (expected.events, expected.deletes, expected.digest):
        return
    told = f"{expected.deletes} of {expected.events}"
    if (found.events, found.deletes) == (expected.events, expected.deletes):
        what = f"{told} events would go by now, as before, but not the same ones."
    else:
        what = f"{found.deletes} of {found.events} events would go by now, not {told}."
    raise HeldError(
        "E-LEAVE-CHANGED",
        what,
        why="another run has worked on these calendars since they were counted, or time has passed",
        do="run the command again and look at the new numbers",
        effect="no calendar was changed",
    )


_THEIR_DELETE = (
    update(change)
    .where(change.c.run_id == bindparam("run"))
    .where(change.c.mailbox_id == bindparam("box"), change.c.meeting_id == bindparam("of"))
)
# An event may show what was sent last: that is what a restoration puts back.
_SHOWS_PERHAPS = _THEIR_DELETE.values(
    previous=bindparam("version"), starts_at=bindparam("start"), ends_at=bindparam("end")
)
# Or it may be gone by a delete of before. Sent as a new one, this one would remove it from Deleted Items as well.
_GONE_PERHAPS = _THEIR_DELETE.values(state=ChangeState.UNKNOWN, attempts=bindparam("tries"))


_IN_DOUBT = mailbox.c.out_code == LOST


def _goes(mode: LeaveMode, now: float) -> ColumnElement[bool]:
    """Which entries' events go."""
    if mode is LeaveMode.UNLINK_ONLY:
        return false()
    known = entry.c.mailbox_id.not_in(select(mailbox.c.id).where(_IN_DOUBT))
    return known & (entry.c.starts_at > now) if mode is LeaveMode.DELETE_FUTURE_EVENTS else known


def _uncertain() -> ColumnElement[bool]:
    """Creates of which nobody knows, or a person is to say, what became of them."""
    return change.c.action.in_(CREATING) & change.c.state.in_(UNSETTLED)


def _flag(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)
