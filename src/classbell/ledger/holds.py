"""
Holds of one institution: what waits for a person, and what they decided.

A hold is the same one in the next run if code, scope and subject are; then its row is updated. Its exact
set is a sorted array of 64-bit digests, one per change: an approval is of that set, for one day, once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import numpy as np
from sqlalchemy import Connection, Integer, Row, Select, bindparam, delete, insert, select, update

from classbell.ledger.changes import IS_OPEN
from classbell.ledger.database import Database, insert_one, parts_of
from classbell.ledger.deletes import AcceptedDelete, Deletions, accepted_deletes, deletions
from classbell.ledger.schema import approval, change, configured, hold, mailbox
from classbell.ledger.words import among
from classbell.model import ChangeState, Fingerprints, Ids

# How long a yes holds good: what was right yesterday need not be today.
GOOD_FOR = 86_400.0
# Enough to look at; the digests name all of them.
LISTED = 50_000

HoldName = tuple[str, str, str]
"""Code, scope and subject."""


class HoldState(StrEnum):
    """
    Where a hold stands; the first three are live.

    open: nobody has decided. rejected: it is to stay held. approved: what it stops may pass once. used: it
    has passed. over: its cause has gone.
    """

    OPEN = "open"
    REJECTED = "rejected"
    APPROVED = "approved"
    USED = "used"
    OVER = "over"


_LIVE = (HoldState.OPEN, HoldState.REJECTED, HoldState.APPROVED)


@dataclass(frozen=True, kw_only=True)
class Found:
    """
    A hold as a run finds it.

    ``subject`` is a source's name or a mailbox's key. ``members`` are the ascending digests of its changes;
    ``listed`` has a row of mailbox, meeting, action, fingerprint and start for those that can be shown.
    """

    code: str
    scope: str
    subject: str
    text: str
    changes: int
    deletes: int
    members: Fingerprints = field(repr=False)
    listed: Ids = field(repr=False, default_factory=lambda: np.empty((0, 5), np.int64))

    @property
    def name(self) -> HoldName:
        """What makes it the same hold in the next run."""
        return self.code, self.scope, self.subject


@dataclass(frozen=True, kw_only=True)
class StoredHold(Found):
    """A hold as the ledger keeps it. ``approved_by`` are those whose yes was given, perhaps not enough yet."""

    id: int
    raised_at: float
    seen_at: float
    state: HoldState
    note: str
    decided_by: str
    decided_at: float | None
    expires_at: float | None
    approved_by: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """A short name of its exact set."""
        return digest_of(self.members)

    def covers(self, members: Fingerprints) -> bool:
        """Whether all these changes are in its set."""
        return bool(np.isin(members, self.members).all())

    def approved_at(self, now: float) -> bool:
        """Whether it is approved, and the approval holds good."""
        return self.state is HoldState.APPROVED and now < (self.expires_at or 0.0)


def digest_of(members: Fingerprints) -> str:
    """A short name of an exact set of changes."""
    return blake2b(members.tobytes(), digest_size=8).hexdigest()


class Holds:
    """The institution's holds, and the configuration that its delivered events follow."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id
        self._mine = {"mine": institution_id}

    async def live(self) -> list[StoredHold]:
        """Those that somebody may decide, oldest first."""
        return await self._database.read(self._live)

    async def newest(self, limit: int) -> list[StoredHold]:
        """Those that were raised last, newest first, whatever became of them."""
        wanted = self._mine | {"limit": limit}
        return await self._database.read(lambda c: _stored(c, c.execute(_NEWEST, wanted).all()))

    async def find(self, number: int) -> StoredHold | None:
        """The hold of this number."""
        wanted = self._mine | {"number": number}
        found = await self._database.read(lambda c: _stored(c, c.execute(_OF_NUMBER, wanted).all()))
        return found[0] if found else None

    async def used_since(self, moment: float) -> list[StoredHold]:
        """Those whose approval was used and had not expired at *moment*."""
        wanted = {**self._mine, "moment": moment}
        return await self._database.read(lambda c: _stored(c, c.execute(_USED_SINCE, wanted).all()))

    async def enter(
        self,
        found: Sequence[Found],
        now: float,
        *,
        kept: Iterable[HoldName] = (),
        over: Iterable[HoldName] | None = None,
    ) -> Mapping[HoldName, StoredHold]:
        """
        Enter what a run found; the live holds afterwards, by name.

        Args:
            kept: names of holds that stay as they are although they were not found: approved and to be used.
            over: the names of those whose cause has gone if they were not found; None for all.
        """

        def write(connection: Connection) -> Mapping[HoldName, StoredHold]:
            before = {one.name: one for one in self._live(connection)}
            for one in found:
                self._enter(connection, one, before.get(one.name), now)
            gone = before.keys() - {one.name for one in found} - set(kept)
            if over is not None:
                gone &= set(over)
            self._end(connection, [before[name].id for name in gone], HoldState.OVER)
            return {one.name: one for one in self._live(connection)}

        return await self._database.write(write)

    async def approve(
        self, number: int, account: str, now: float, *, digest: str, needed: int = 1
    ) -> StoredHold | None:
        """
        Say yes to a hold's exact set; the hold afterwards. None if it is not live, or its set is another by now.

        Args:
            needed: the yes of so many accounts makes an approval.
        """

        def write(connection: Connection) -> StoredHold | None:
            before = self._decidable(connection, number)
            if before is None or before.digest != digest:
                return None
            if account not in before.approved_by:
                connection.execute(insert(approval).values(hold_id=number, account=account, given_at=now))
            by = [*before.approved_by, *({account} - {*before.approved_by})]
            enough = len(by) >= needed
            state = HoldState.APPROVED if enough else HoldState.OPEN
            note = "" if enough else f"approved by {len(by)} of {needed}"
            until = now + GOOD_FOR if enough else None
            return self._decide(connection, number, state, by, now, until, note)

        return await self._database.write(write)

    async def reject(self, number: int, account: str, now: float) -> StoredHold | None:
        """Say no: it stays held until its cause has gone. None if it is not live."""

        def write(connection: Connection) -> StoredHold | None:
            if self._decidable(connection, number) is None:
                return None
            connection.execute(_WITHDRAW, {"number": number})
            return self._decide(connection, number, HoldState.REJECTED, [account], now)

        return await self._database.write(write)

    async def deleted_since(self, moment: float) -> Deletions:
        """What was deleted since then; that of which it is not certain yet is under way."""
        return await self._database.read(lambda c: deletions(c, self._institution_id, moment))

    async def accepted_deletes(self, moment: float) -> list[AcceptedDelete]:
        """The deletes that were accepted and are not done, as far as is known; of those held what was sent since then."""
        return await self._database.read(lambda c: accepted_deletes(c, self._institution_id, moment))

    async def accepted_pairs(self) -> Ids:
        """Rows of mailbox and meeting: changes that were accepted and not sent yet."""
        return await self._database.read(
            lambda c: np.array(
                [tuple(row) for row in c.execute(_ACCEPTED_PAIRS, self._mine)], dtype=np.int64
            ).reshape(-1, 2)
        )

    async def configuration(self) -> Mapping[str, bytes]:
        """The digest of each part of the configuration in the last accepted run; empty before the first."""
        return await self._database.read(lambda c: dict(c.execute(_CONFIGURATION, self._mine).all()))

    async def keep_configuration(self, digests: Mapping[str, bytes]) -> None:
        """Remember the configuration that an accepted run followed."""
        rows = [
            {"institution_id": self._institution_id, "part": part, "digest": digest}
            for part, digest in digests.items()
        ]

        def write(connection: Connection) -> None:
            connection.execute(_FORGET_CONFIGURATION, self._mine)
            connection.execute(_KEEP_CONFIGURATION, rows)

        await self._database.write(write)

    def _live(self, connection: Connection) -> list[StoredHold]:
        return _stored(connection, connection.execute(_ALL_LIVE, self._mine).all())

    def _decidable(self, connection: Connection, number: int) -> StoredHold | None:
        wanted = self._mine | {"number": number}
        found = _stored(connection, connection.execute(_DECIDABLE, wanted).all())
        return found[0] if found else None

    def _decide(
        self,
        connection: Connection,
        number: int,
        state: HoldState,
        by: Sequence[str],
        now: float,
        until: float | None = None,
        note: str = "",
    ) -> StoredHold | None:
        decision = {"state": state, "decided_by": ", ".join(by), "decided_at": now, "note": note}
        connection.execute(_CHANGE, {**self._mine, "number": number, "expires_at": until, **decision})
        return self._decidable(connection, number)

    def _enter(self, connection: Connection, found: Found, before: StoredHold | None, now: float) -> None:
        values: dict[str, object] = {
            "text": found.text,
            "changes": found.changes,
            "deletes": found.deletes,
            "members": found.members.tobytes(),
            "listed": found.listed[:LISTED].tobytes(),
            "seen_at": now,
        }
        if before is None:
            named = {"code": found.code, "scope": found.scope, "subject": found.subject}
            values |= named | {"raised_at": now, "state": HoldState.OPEN}
            insert_one(connection, _RAISE, values | {"institution_id": self._institution_id})
            return
        grown = not before.covers(found.members)
        lapsed = before.expires_at is not None and now >= before.expires_at
        if (grown and (before.state is not HoldState.OPEN or before.approved_by)) or lapsed:
            values |= {
                "state": HoldState.OPEN,
                "decided_by": "",
                "decided_at": None,
                "expires_at": None,
                "note": _undone(before, found, grown=grown),
            }
            connection.execute(_WITHDRAW, {"number": before.id})
        elif before.state is HoldState.APPROVED:
            # Approved while this run was under way: the approval is of the set that was seen, and stays so.
            return
        connection.execute(_CHANGE, {**self._mine, "number": before.id, **values})

    def _end(self, connection: Connection, numbers: Sequence[int], state: HoldState) -> None:
        for part in parts_of(numbers):
            connection.execute(_END, {**self._mine, "numbers": part, "into": state})


def use(connection: Connection, institution_id: int, numbers: Sequence[int]) -> int:
    """Use approvals up, in the transaction that accepts what they let pass; how many were still to be used."""
    used = 0
    for part in parts_of(numbers):
        used += connection.execute(_USE, {"mine": institution_id, "numbers": part}).rowcount
    return used


def end_all(connection: Connection, institution_id: int, mailboxes: Select[Any] | None) -> None:
    """Let live holds be over whose cause has gone: all, or those of some *mailboxes* (a query for their numbers)."""
    ending = update(hold).where(hold.c.institution_id == institution_id, among(hold.c.state, _LIVE))
    if mailboxes is not None:
        keys = select(mailbox.c.key).where(mailbox.c.id.in_(mailboxes))
        ending = ending.where(hold.c.scope == "mailbox", hold.c.subject.in_(keys))
    connection.execute(ending.values(state=HoldState.OVER))


def _undone(before: StoredHold, found: Found, *, grown: bool) -> str:
    """Why what was decided no longer counts."""
    word = "rejection" if before.state is HoldState.REJECTED else "approval"
    if not grown:
        return f"the {word} by {before.decided_by} has expired"
    new = len(found.members) - int(np.count_nonzero(np.isin(found.members, before.members)))
    return f"the {word} by {before.decided_by} is void: {new} changes were not part of it"


def _stored(connection: Connection, rows: Sequence[Row[Any]]) -> list[StoredHold]:
    by: dict[int, list[str]] = {}
    for part in parts_of([row.id for row in rows if row.decided_at is not None]):
        for number, account in connection.execute(_APPROVALS, {"numbers": part}):
            by.setdefault(number, []).append(account)
    return [
        StoredHold(
            id=row.id,
            code=row.code,
            scope=row.scope,
            subject=row.subject,
            text=row.text,
            changes=row.changes,
            deletes=row.deletes,
            members=np.frombuffer(row.members, dtype=np.uint64),
            listed=np.frombuffer(row.listed, dtype=np.int64).reshape(-1, 5),
            raised_at=row.raised_at,
            seen_at=row.seen_at,
            state=HoldState(row.state),
            note=row.note,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            expires_at=row.expires_at,
            approved_by=tuple(by.get(row.id, ())),
        )
        for row in rows
    ]


_MINE = hold.c.institution_id == bindparam("mine")
_NUMBERED = hold.c.id.in_(bindparam("numbers", expanding=True))

_ALL_LIVE = select(hold).where(_MINE, among(hold.c.state, _LIVE)).order_by(hold.c.id)
_DECIDABLE = _ALL_LIVE.where(hold.c.id == bindparam("number"))
_NEWEST = select(hold).where(_MINE).order_by(hold.c.id.desc()).limit(bindparam("limit", type_=Integer))
_OF_NUMBER = select(hold).where(_MINE, hold.c.id == bindparam("number"))
_USED_SINCE = select(hold).where(
    _MINE, hold.c.state == HoldState.USED, hold.c.expires_at > bindparam("moment")
)
_RAISE = insert(hold)
_CHANGE = update(hold).where(_MINE, hold.c.id == bindparam("number"))
_END = update(hold).where(_MINE, _NUMBERED).values(state=bindparam("into"))
_USE = update(hold).where(_MINE, _NUMBERED, hold.c.state == HoldState.APPROVED).values(state=HoldState.USED)

_APPROVALS = (
    select(approval.c.hold_id, approval.c.account)
    .where(approval.c.hold_id.in_(bindparam("numbers", expanding=True)))
    .order_by(approval.c.given_at, approval.c.account)
)
_WITHDRAW = delete(approval).where(approval.c.hold_id == bindparam("number"))

_ACCEPTED_PAIRS = select(change.c.mailbox_id, change.c.meeting_id).where(
    change.c.institution_id == bindparam("mine"),
    IS_OPEN,
    among(change.c.state, (ChangeState.PENDING, ChangeState.WAITING)),
)

_CONFIGURATION = select(configured.c.part, configured.c.digest).where(
    configured.c.institution_id == bindparam("mine")
)
_FORGET_CONFIGURATION = delete(configured).where(configured.c.institution_id == bindparam("mine"))
_KEEP_CONFIGURATION = insert(configured)
