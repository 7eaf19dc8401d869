"""
Sightings: what was found in mailboxes that is not as the ledger has it.

A sighting says what stood there when somebody looked; it is out of date as soon as the ledger says something
newer of its pair, and no query gives it then. What concerns no entry is only kept to be told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
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
from classbell.ledger.mailboxes import mailbox_of
from classbell.ledger.outcomes import CREATING
from classbell.ledger.schema import change, entry, mailbox, sighting, verified
from classbell.ledger.sighted import Sighted
from classbell.ledger.wishes import Removed, keep_wishes
from classbell.ledger.words import among
from classbell.model import ChangeState, Entry, Mailbox


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """
    One event that is not as the ledger has it; ``meeting_id`` is None where the ledger knows no such meeting.

    ``etag`` is that of the event as it was seen; ``detail`` says in words what is the matter. ``starts_at`` and
    ``ends_at`` say when it stands there; 0 if that was not told.
    """

    kind: Sighted
    event_id: str
    meeting_id: int | None = None
    etag: str = ""
    detail: str = ""
    starts_at: int = 0
    ends_at: int = 0


@dataclass(frozen=True, kw_only=True)
class Extra:
    """An event that stands in a mailbox in the place of one that the ledger could prove; as ``Sighting``."""

    mailbox_id: int
    meeting_id: int | None
    starts_at: int
    ends_at: int


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
        self._mine = {"mine": institution_id}

    async def keep(self, found: Sequence[Verified], now: float) -> None:
        """
        Keep what was seen in some mailboxes, in the place of what was seen there before.

        An entry whose event is missing is struck, and its incarnation remembered: what is made in its place is
        another one. An entry that has changed since it was read is left as it is.
        """
        await self._database.write(lambda connection: self._keep(connection, found, now))

    async def drifted(self) -> list[tuple[int, int]]:
        """The pairs (mailbox, meeting) whose event was seen to differ and was not written since."""
        return await self._pairs(_DRIFTED)

    async def missing(self) -> list[tuple[int, int]]:
        """The pairs whose event was seen to be gone and was not made again since."""
        return await self._pairs(_MISSING)

    async def blocking(self) -> list[tuple[int, int]]:
        """The pairs for which an event stands there that the ledger cannot prove: none is made beside it."""
        return await self._pairs(_BLOCKING)

    async def extras(self) -> list[Extra]:
        """The events that none is to be made beside, under whatever key; those that are alike only once."""

        def read(connection: Connection) -> list[Extra]:
            return [Extra(**row) for row in connection.execute(_EXTRAS, self._mine).mappings()]

        return await self._database.read(read)

    async def of_mailbox(self, number: int) -> list[Sighting]:
        """What was last seen in a mailbox and still holds."""
        wanted = self._mine | {"box": number}
        return await self._database.read(lambda c: [_sighting(row) for row in c.execute(_OF_MAILBOX, wanted)])

    async def mailboxes(self, limit: int, after: int = -1) -> list[Mailbox]:
        """The mailboxes in which events of ours may stand, by their numbers, from behind number *after*."""
        wanted = self._mine | {"after": after, "limit": limit}
        return await self._database.read(lambda c: [mailbox_of(row) for row in c.execute(_BY_NUMBER, wanted)])

    async def longest_unseen(self, limit: int) -> list[Mailbox]:
        """Those of them that were not read back for the longest time; those never read back come first."""
        wanted = self._mine | {"limit": limit}
        return await self._database.read(lambda c: [mailbox_of(row) for row in c.execute(_BY_LOOK, wanted)])

    async def count_mailboxes(self) -> int:
        """In how many mailboxes events of ours may stand."""
        return await self._database.read(lambda c: int(c.execute(_HOW_MANY, self._mine).scalar_one()))

    async def _pairs(self, query: Select[Any]) -> list[tuple[int, int]]:
        return await self._database.read(lambda c: [(box, of) for box, of in c.execute(query, self._mine)])

    def _keep(self, connection: Connection, found: Sequence[Verified], now: float) -> None:
        numbers = [one.mailbox.id for one in found]
        ours: set[int] = set()
        for part in parts_of(numbers):
            ours.update(connection.execute(_OURS, {**self._mine, "numbers": part}).scalars())
        found = [one for one in found if one.mailbox.id in ours]
        mark_stale(connection, self._institution_id, [one.mailbox.id for one in found if one.missing])
        for one in found:
            renewed = [_pair(known) | {"fresh": etag} for known, etag in one.renewed]
            if renewed:
                connection.execute(_RENEW, renewed)
            for known in one.missing:
                if connection.execute(_STRIKE, _pair(known)).rowcount:
                    remember(connection, one.mailbox.id, {known.meeting_id: known.incarnation})
                    pair = {"box": known.mailbox.id, "of": known.meeting_id}
                    connection.execute(_SUPERSEDE, self._mine | pair)
                    gone = Removed(one.mailbox.id, known.meeting_id, known.fingerprint, known.starts_at)
                    keep_wishes(connection, [gone], now)
            replace_sightings(connection, one.mailbox.id, one.sightings, now)


def replace_sightings(connection: Connection, number: int, sightings: Sequence[Sighting], now: float) -> None:
    """
    Keep what was seen in a mailbox in the place of what was seen before.

    That an event is missing stays known until another one is made: nothing in the mailbox shows it any more.
    """
    connection.execute(_FORGET, {"box": number})
    rows = [
        {
            "mailbox_id": number,
            "event_id": one.event_id,
            "meeting_id": one.meeting_id,
            "kind": one.kind.value,
            "etag": one.etag,
            "detail": one.detail,
            "seen_at": now,
            "starts_at": one.starts_at,
            "ends_at": one.ends_at,
        }
        for one in sightings
    ]
    if rows:
        again = [{"box": number, "event": one.event_id} for one in sightings]
        connection.execute(_FORGET_EVENT, again)
        connection.execute(_SIGHT, rows)
    connection.execute(_FORGET_LOOK, {"box": number})
    connection.execute(_LOOK, {"mailbox_id": number, "verified_at": now})


# In a mailbox without first contact nothing of ours can stand that this ledger knows.
_OF_US = or_(
    mailbox.c.contacted_at.is_not(None),
    select(entry.c.mailbox_id).where(entry.c.mailbox_id == mailbox.c.id).exists(),
)

_MINE = mailbox.c.institution_id == bindparam("mine")
_OURS = select(mailbox.c.id).where(_MINE, mailbox.c.id.in_(bindparam("numbers", expanding=True)))
_LIMIT = bindparam("limit", type_=Integer)

_MAILBOXES: Select[Any] = select(
    mailbox.c.id, mailbox.c.key, mailbox.c.address, mailbox.c.contacted_at, mailbox.c.id_form
).where(_MINE, _OF_US)
_BY_NUMBER = _MAILBOXES.where(mailbox.c.id > bindparam("after")).order_by(mailbox.c.id).limit(_LIMIT)
_BY_LOOK = (
    _MAILBOXES.outerjoin(verified, verified.c.mailbox_id == mailbox.c.id)
    .order_by(func.coalesce(verified.c.verified_at, 0.0), mailbox.c.id)
    .limit(_LIMIT)
)
_HOW_MANY = select(func.count()).select_from(mailbox).where(_MINE, _OF_US)


def _seen(kind: Sighted) -> Select[Any]:
    return (
        select(sighting.c.mailbox_id, sighting.c.meeting_id)
        .join(mailbox, mailbox.c.id == sighting.c.mailbox_id)
        .where(_MINE, sighting.c.kind == kind, sighting.c.meeting_id.is_not(None))
        .distinct()
        .order_by(sighting.c.mailbox_id, sighting.c.meeting_id)
    )


_OF_THE_PAIR = (entry.c.mailbox_id == sighting.c.mailbox_id) & (entry.c.meeting_id == sighting.c.meeting_id)
_DRIFTED = (
    _seen(Sighted.DRIFTED)
    .join(entry, _OF_THE_PAIR & (entry.c.event_id == sighting.c.event_id))
    .where(entry.c.etag == sighting.c.etag)
)
_MISSING, _BLOCKING = (
    _seen(kind).outerjoin(entry, _OF_THE_PAIR).where(entry.c.mailbox_id.is_(None))
    for kind in (Sighted.MISSING, Sighted.EXTRA)
)


_EXTRAS = (
    select(sighting.c.mailbox_id, sighting.c.meeting_id, sighting.c.starts_at, sighting.c.ends_at)
    .join(mailbox, mailbox.c.id == sighting.c.mailbox_id)
    .outerjoin(entry, _OF_THE_PAIR)
    .where(_MINE, sighting.c.kind == Sighted.EXTRA, entry.c.mailbox_id.is_(None))
    .distinct()
    .order_by(sighting.c.mailbox_id, sighting.c.meeting_id, sighting.c.starts_at, sighting.c.ends_at)
)


def _still_holds() -> ColumnElement[bool]:
    drifted = (sighting.c.kind == Sighted.DRIFTED) & (entry.c.etag == sighting.c.etag)
    missing = (sighting.c.kind == Sighted.MISSING) & entry.c.mailbox_id.is_(None)
    others = ~among(sighting.c.kind, (Sighted.DRIFTED, Sighted.MISSING))
    return or_(drifted, missing, others)


_OF_MAILBOX = (
    select(sighting)
    .join(mailbox, mailbox.c.id == sighting.c.mailbox_id)
    .outerjoin(entry, _OF_THE_PAIR)
    .where(_MINE, mailbox.c.id == bindparam("box"), _still_holds())
    .order_by(sighting.c.event_id)
)

_THERE = sighting.c.mailbox_id == bindparam("box")
_FORGET = delete(sighting).where(
    _THERE,
    or_(sighting.c.kind != Sighted.MISSING, select(entry.c.mailbox_id).where(_OF_THE_PAIR).exists()),
)
_FORGET_EVENT = delete(sighting).where(_THERE, sighting.c.event_id == bindparam("event"))
_SIGHT = insert(sighting)
_FORGET_LOOK = delete(verified).where(verified.c.mailbox_id == bindparam("box"))
_LOOK = insert(verified)

# What was to be changed or removed is gone: the next plan asks for what is wanted then.
_SUPERSEDE = (
    update(change)
    .where(
        change.c.institution_id == bindparam("mine"),
        change.c.mailbox_id == bindparam("box"),
        change.c.meeting_id == bindparam("of"),
        IS_OPEN,
        ~among(change.c.action, CREATING),
        among(change.c.state, (ChangeState.PENDING, ChangeState.WAITING)),
    )
    .values(state=ChangeState.SUPERSEDED)
)

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
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )
