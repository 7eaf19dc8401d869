"""
Sightings: what was found in mailboxes that is not as the ledger has it.

A sighting says what stood there when somebody looked; it is out of date as soon as the ledger says something
newer of its pair, and no query gives it then. What concerns no entry is only kept to be told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from classbell.ledger.changes import IS_OPEN
from classbell.ledger.database import Database, parts_of
from classbell.ledger.entries import mark_stale
from classbell.ledger.incarnations import remember
from classbell.ledger.outcomes import CREATING
from classbell.ledger.schema import change, entry, mailbox, sighting, verified
from classbell.ledger.wishes import Removed, keep_wishes
from classbell.model import ChangeState, Entry, Mailbox


class Sighted(StrEnum):
    """
    What was seen.

    drifted: an event of ours in which somebody has changed what we set. missing: an event of ours stands in no
    calendar any more. extra: it bears the mark of an operation that the ledger does not know. copy: it bears the
    mark of one that the ledger knows by another event, or knows to be over. forged: what it bears is no mark that
    we can have made for this mailbox.
    """

    DRIFTED = "drifted"
    MISSING = "missing"
    EXTRA = "extra"
    COPY = "copy"
    FORGED = "forged"


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """
    One event that is not as the ledger has it; ``meeting_id`` is None where the ledger knows no such meeting.

    ``etag`` is that of the event as it was seen; ``detail`` says in words what is the matter.
    """

    kind: Sighted
    event_id: str
    meeting_id: int | None = None
    etag: str = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """
    What a complete look through a mailbox has shown, ready to be kept.

    Args:
        mailbox: where.
        renewed: entries whose events stand there, each with the etag that was seen.
        missing: entries whose events stand there no more.
        sightings: everything that is not as the ledger has it, the missing ones too.
    """

    mailbox: Mailbox
    renewed: Sequence[tuple[Entry, str]] = ()
    missing: Sequence[Entry] = ()
    sightings: Sequence[Sighting] = ()


class Sightings:
    """What was seen in the institution's mailboxes."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id
        self._mine = mailbox.c.institution_id == institution_id

    async def keep(self, found: Sequence[Verified], now: float) -> None:
        """
        Keep what was seen in some mailboxes, in the place of what was seen there before.

        An entry whose event is missing is struck, and its incarnation remembered: what is made in its place is
        another one. An entry that has changed since it was read is left as it is.
        """
        await self._database.write(lambda connection: self._keep(connection, found, now))

    async def drifted(self) -> list[tuple[int, int]]:
        """The pairs (mailbox, meeting) whose event was seen to differ and was not written since."""
        query = (
            self._seen(Sighted.DRIFTED)
            .join(
                entry,
                (entry.c.mailbox_id == sighting.c.mailbox_id)
                & (entry.c.event_id == sighting.c.event_id)
                & (entry.c.meeting_id == sighting.c.meeting_id),
            )
            .where(entry.c.etag == sighting.c.etag)
        )
        return await self._pairs(query)

    async def missing(self) -> list[tuple[int, int]]:
        """The pairs whose event was seen to be gone and was not made again since."""
        return await self._pairs(self._without_entry(Sighted.MISSING))

    async def blocking(self) -> list[tuple[int, int]]:
        """The pairs for which an event stands there that the ledger cannot prove: none is made beside it."""
        return await self._pairs(self._without_entry(Sighted.EXTRA))

    async def of_mailbox(self, number: int) -> list[Sighting]:
        """What was last seen in a mailbox and still holds."""
        query = (
            select(sighting)
            .join(mailbox, mailbox.c.id == sighting.c.mailbox_id)
            .outerjoin(
                entry,
                (entry.c.mailbox_id == sighting.c.mailbox_id) & (entry.c.meeting_id == sighting.c.meeting_id),
            )
            .where(self._mine, mailbox.c.id == number, _HOLDS)
            .order_by(sighting.c.event_id)
        )
        return await self._database.read(lambda c: [_sighting(row) for row in c.execute(query)])

    async def mailboxes(self, limit: int, after: int = -1) -> list[Mailbox]:
        """The mailboxes in which events of ours may stand, by their numbers, from behind number *after*."""
        query = _MAILBOXES.where(self._mine, _OF_US, mailbox.c.id > after).order_by(mailbox.c.id).limit(limit)
        return await self._database.read(lambda c: [_mailbox(row) for row in c.execute(query)])

    async def longest_unseen(self, limit: int) -> list[Mailbox]:
        """Those of them that were not read back for the longest time; those never read back come first."""
        query = (
            _MAILBOXES.outerjoin(verified, verified.c.mailbox_id == mailbox.c.id)
            .where(self._mine, _OF_US)
            .order_by(func.coalesce(verified.c.verified_at, 0.0), mailbox.c.id)
            .limit(limit)
        )
        return await self._database.read(lambda c: [_mailbox(row) for row in c.execute(query)])

    async def count_mailboxes(self) -> int:
        """In how many mailboxes events of ours may stand."""
        query = select(func.count()).select_from(mailbox).where(self._mine, _OF_US)
        return await self._database.read(lambda c: int(c.execute(query).scalar_one()))

    def _seen(self, kind: Sighted) -> Select[Any]:
        return (
            select(sighting.c.mailbox_id, sighting.c.meeting_id)
            .join(mailbox, mailbox.c.id == sighting.c.mailbox_id)
            .where(self._mine, sighting.c.kind == kind, sighting.c.meeting_id.is_not(None))
            .distinct()
            .order_by(sighting.c.mailbox_id, sighting.c.meeting_id)
        )

    def _without_entry(self, kind: Sighted) -> Select[Any]:
        return (
            self._seen(kind)
            .outerjoin(
                entry,
                (entry.c.mailbox_id == sighting.c.mailbox_id) & (entry.c.meeting_id == sighting.c.meeting_id),
            )
            .where(entry.c.mailbox_id.is_(None))
        )

    async def _pairs(self, query: Select[Any]) -> list[tuple[int, int]]:
        return await self._database.read(lambda c: [(box, of) for box, of in c.execute(query)])

    def _keep(self, connection: Connection, found: Sequence[Verified], now: float) -> None:
        numbers = [one.mailbox.id for one in found]
        ours: set[int] = set()
        for part in parts_of(numbers):
            query = select(mailbox.c.id).where(self._mine, mailbox.c.id.in_(part))
            ours.update(connection.execute(query).scalars())
        found = [one for one in found if one.mailbox.id in ours]
        mark_stale(connection, self._institution_id, [one.mailbox.id for one in found if one.missing])
        for one in found:
            renewed = [_pair(known) | {"fresh": etag} for known, etag in one.renewed]
            if renewed:
                connection.execute(_RENEW, renewed)
            for known in one.missing:
                if connection.execute(_STRIKE, _pair(known)).rowcount:
                    remember(connection, one.mailbox.id, {known.meeting_id: known.incarnation})
                    connection.execute(_supersede(self._institution_id, known))
                    gone = Removed(one.mailbox.id, known.meeting_id, known.fingerprint, known.starts_at)
                    keep_wishes(connection, [gone], now)
            replace_sightings(connection, one.mailbox.id, one.sightings, now)


def _supersede(institution_id: int, known: Entry) -> Update:
    """What was to be changed or removed is gone: the next plan asks for what is wanted then."""
    return (
        update(change)
        .where(
            change.c.institution_id == institution_id,
            change.c.mailbox_id == known.mailbox.id,
            change.c.meeting_id == known.meeting_id,
            IS_OPEN,
            change.c.action.not_in(CREATING),
            change.c.state.in_((ChangeState.PENDING, ChangeState.WAITING)),
        )
        .values(state=ChangeState.SUPERSEDED)
    )


def replace_sightings(connection: Connection, number: int, sightings: Sequence[Sighting], now: float) -> None:
    """
    Keep what was seen in a mailbox in the place of what was seen before.

    That an event is missing stays known until another one is made: nothing in the mailbox shows it any more.
    """
    again = [one.event_id for one in sightings]
    awaited = (
        select(entry.c.mailbox_id)
        .where(entry.c.mailbox_id == sighting.c.mailbox_id, entry.c.meeting_id == sighting.c.meeting_id)
        .exists()
    )
    connection.execute(
        delete(sighting).where(
            sighting.c.mailbox_id == number, or_(sighting.c.kind != Sighted.MISSING, awaited)
        )
    )
    for part in parts_of(again):
        connection.execute(
            delete(sighting).where(sighting.c.mailbox_id == number, sighting.c.event_id.in_(part))
        )
    rows = [
        {
            "mailbox_id": number,
            "event_id": one.event_id,
            "meeting_id": one.meeting_id,
            "kind": one.kind.value,
            "etag": one.etag,
            "detail": one.detail,
            "seen_at": now,
        }
        for one in sightings
    ]
    if rows:
        connection.execute(insert(sighting), rows)
    connection.execute(delete(verified).where(verified.c.mailbox_id == number))
    connection.execute(insert(verified), [{"mailbox_id": number, "verified_at": now}])


# In a mailbox without first contact nothing of ours can stand that this ledger knows.
_OF_US = or_(
    mailbox.c.contacted_at.is_not(None),
    select(entry.c.mailbox_id).where(entry.c.mailbox_id == mailbox.c.id).exists(),
)

_MAILBOXES: Select[Any] = select(mailbox.c.id, mailbox.c.key, mailbox.c.address, mailbox.c.contacted_at)


def _still_holds() -> ColumnElement[bool]:
    drifted = (sighting.c.kind == Sighted.DRIFTED) & (entry.c.etag == sighting.c.etag)
    missing = (sighting.c.kind == Sighted.MISSING) & entry.c.mailbox_id.is_(None)
    others = sighting.c.kind.not_in((Sighted.DRIFTED.value, Sighted.MISSING.value))
    return or_(drifted, missing, others)


_HOLDS = _still_holds()

_SAME_EVENT = (
    entry.c.mailbox_id == bindparam("box"),
    entry.c.meeting_id == bindparam("of"),
    entry.c.event_id == bindparam("event"),
    entry.c.etag == bindparam("known"),
)
_RENEW = update(entry).where(*_SAME_EVENT).values(etag=bindparam("fresh"))
_STRIKE = delete(entry).where(*_SAME_EVENT)


def _pair(known: Entry) -> dict[str, object]:
    return {
        "box": known.mailbox.id,
        "of": known.meeting_id,
        "event": known.event_id,
        "known": known.etag,
    }


def _sighting(row: Row[Any]) -> Sighting:
    return Sighting(
        kind=Sighted(row.kind),
        event_id=row.event_id,
        meeting_id=row.meeting_id,
        etag=row.etag,
        detail=row.detail,
    )


def _mailbox(row: Row[Any]) -> Mailbox:
    return Mailbox(id=row.id, key=row.key, address=row.address, contacted=row.contacted_at is not None)
