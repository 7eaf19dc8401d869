"""
What one institution's ledger has delivered: the narrow row per pair, and the packed row per mailbox.

The rows are the truth. A packed row holds one mailbox's pairs as arrays, for planning to compare; it is
derived from the rows once per mailbox and run. A mailbox is marked stale in the same transaction that
changes its rows, so that a crash leaves no packed row that is wrong and trusted.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from msgspec import structs
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select, text, update

from classbell.ledger.bits import unsigned
from classbell.ledger.database import Database, parts_of
from classbell.ledger.schema import change, entry, mailbox, meeting, packed, rendering, sighting, stale
from classbell.model import Change, Entry, Ids, Mailbox
from classbell.plan import Delivered

SourcesOf = Callable[[Ids], NDArray[np.int16]]
"""Gives, for meeting numbers, the place of each one's source in the desired state, or -1."""

_MAILBOXES_AT_ONCE = 2000
_SIZE = 8
_NO_MAILBOX_BEYOND = 2**62


class _Packed(NamedTuple):
    """One mailbox's pairs: int64, except the fingerprints, which are uint64."""

    mailbox_id: int
    meetings: bytes
    fingerprints: bytes
    starts: bytes
    ends: bytes


class NewId(NamedTuple):
    """An id under which something in a mailbox was known, and the one under which it is known now."""

    was: str
    now: str


class Entries:
    """The institution's delivered events."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id
        self._mine = {"mine": institution_id}

    async def count(self) -> tuple[int, int]:
        """How many events are delivered, and in how many mailboxes."""

        def read(connection: Connection) -> tuple[int, int]:
            length, mailboxes = connection.execute(_COUNT_PACKED, self._mine).one()
            loose, others = connection.execute(_COUNT_ROWS, self._mine).one()
            return int(length) // _SIZE + loose, mailboxes + others

        return await self._database.read(read)

    async def of_mailbox(self, owner: Mailbox) -> list[tuple[Entry, bytes]]:
        """A mailbox's entries by start, each with the bytes that were delivered (empty if not kept)."""

        def read(connection: Connection) -> list[tuple[Entry, bytes]]:
            return [
                (_entry(row, owner), row.body or b"")
                for row in connection.execute(_OF_MAILBOX, self._mine | {"box": owner.id})
            ]

        return await self._database.read(read)

    async def event_ids(self, number: int) -> set[str]:
        """The ids of all events that the ledger knows in a mailbox."""
        there = self._mine | {"box": number}
        return await self._database.read(lambda c: set(c.execute(_EVENT_IDS, there).scalars()))

    async def of_changes(self, changes: Sequence[Change]) -> dict[int, Entry]:
        """The entries of the pairs of some changes as they are now, in mailboxes as they are now, by change."""
        owners = {change.id: change.mailbox for change in changes}

        def read(connection: Connection) -> dict[int, Entry]:
            return {
                row.change_id: _entry(row, structs.replace(owners[row.change_id], id_form=row.id_form))
                for part in parts_of(list(owners))
                for row in connection.execute(_OF_CHANGES, self._mine | {"numbers": part})
            }

        return await self._database.read(read)

    async def join(self, owner: Mailbox, ids: Iterable[NewId], id_form: str) -> None:
        """
        Give what is known of a mailbox the ids under which its events are known now.

        Args:
            ids: of entries, and of what else was seen there; what has got another id meanwhile keeps that.
            id_form: in which form all ids of this mailbox are from now on.
        """
        there = self._mine | {"box": owner.id}
        renamed = [there | {"was": one.was, "event": one.now} for one in ids]

        def write(connection: Connection) -> None:
            if renamed:
                connection.execute(_JOIN, renamed)
                # What was seen under the new id, before anybody knew whose it is, is out of date.
                connection.execute(_FORGET_SEEN, renamed)
                connection.execute(_SEEN_AS, renamed)
            connection.execute(_IN_FORM, there | {"form": id_form})

        await self._database.write(write)

    async def delivered(
        self, sources_of: SourcesOf, *, fresh: Sequence[int] = ()
    ) -> AsyncIterator[Delivered]:
        """
        All packed rows, in runs of ascending mailbox numbers.

        Args:
            fresh: mailboxes whose packed rows are stale; theirs are derived for this answer only.
        """
        derived = await self._database.read(lambda c: self._derive(c, fresh))
        outdated = set(fresh)
        after = -1
        while True:
            stored = await self._database.read(partial(_fetch, self._mine | {"after": after}))
            last = stored[-1].mailbox_id if len(stored) == _MAILBOXES_AT_ONCE else _NO_MAILBOX_BEYOND
            rows = [_Packed._make(row) for row in stored if row.mailbox_id not in outdated]
            rows += [row for row in derived if after < row.mailbox_id <= last]
            if rows:
                yield _run(sorted(rows, key=lambda row: row.mailbox_id), sources_of)
            if last == _NO_MAILBOX_BEYOND:
                return
            after = last

    async def stale(self) -> list[int]:
        """The mailboxes whose packed row is behind their rows."""
        return await self._database.read(lambda c: list(c.execute(_STALE, self._mine).scalars()))

    async def pack(self, numbers: Sequence[int], revision: int) -> None:
        """Derive the packed rows of some mailboxes from their rows."""
        for part in parts_of(sorted(numbers)):
            await self._database.write(partial(self._pack, numbers=part, revision=revision))

    def _pack(self, connection: Connection, numbers: Sequence[int], revision: int) -> None:
        rows = self._derive(connection, numbers)
        for statement in (_FORGET_PACKED, _NOT_STALE):
            connection.execute(statement, {**self._mine, "numbers": numbers})
        if rows:
            shared = {"institution_id": self._institution_id, "revision": revision}
            connection.execute(_PACK, [row._asdict() | shared for row in rows])

    def _derive(self, connection: Connection, numbers: Sequence[int]) -> list[_Packed]:
        """The packed rows of some mailboxes, from their rows; none for a mailbox that has nothing."""
        result: list[_Packed] = []
        for part in parts_of(sorted(numbers)):
            rows = connection.execute(_OF_SOME, {**self._mine, "numbers": part}).all()
            # Tuples: numpy takes ten times as long over rows.
            table = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 5)
            result += _packed_rows(table)
        return result


def _packed_rows(table: Ids) -> list[_Packed]:
    """Packed rows from a table of (mailbox, meeting, fingerprint, start, end), ascending by the first two."""
    owners, begins = np.unique(table[:, 0], return_index=True)
    ends = np.append(begins[1:], len(table))[: len(owners)]
    return [
        _Packed(owner, *(table[begin:end, column].tobytes() for column in range(1, 5)))
        for owner, begin, end in zip(owners.tolist(), begins.tolist(), ends.tolist(), strict=True)
    ]


def mark_stale(connection: Connection, institution_id: int, numbers: Iterable[int]) -> None:
    """Mark mailboxes whose rows change in this transaction."""
    rows = [{"number": number, "mine": institution_id} for number in sorted(set(numbers))]
    if rows:
        connection.execute(_MARK_STALE, rows)


# The same words for SQLite and PostgreSQL, for which SQLAlchemy has two constructs.
_MARK_STALE = text(
    "INSERT INTO stale (mailbox_id) SELECT id FROM mailbox WHERE id = :number AND institution_id = :mine"
    " ON CONFLICT DO NOTHING"
)


def full_key(source: str, key: str) -> str:
    """A meeting's key in full, as it stands in marks: the source's name and the source's own key."""
    return f"{source}:{key}"


def _fetch(wanted: Mapping[str, int], connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(_PACKED, wanted).all()


def _run(rows: Sequence[_Packed], sources_of: SourcesOf) -> Delivered:
    meetings = np.frombuffer(b"".join(row.meetings for row in rows), dtype=np.int64)
    return Delivered(
        mailbox=np.repeat(
            np.array([row.mailbox_id for row in rows], dtype=np.int64),
            [len(row.meetings) // _SIZE for row in rows],
        ),
        meeting=meetings,
        fingerprint=np.frombuffer(b"".join(row.fingerprints for row in rows), dtype=np.uint64),
        starts=np.frombuffer(b"".join(row.starts for row in rows), dtype=np.int64),
        ends=np.frombuffer(b"".join(row.ends for row in rows), dtype=np.int64),
        source=sources_of(meetings),
    )


def _entry(row: Row[Any], owner: Mailbox) -> Entry:
    return Entry(
        mailbox=owner,
        meeting_id=row.meeting_id,
        meeting_key=full_key(row.source, row.key),
        event_id=row.event_id,
        etag=row.etag,
        fingerprint=unsigned(row.fingerprint),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        incarnation=row.incarnation,
        operation=row.operation,
        created_at=row.created_at or 0.0,
    )


_MINE = mailbox.c.institution_id == bindparam("mine")
_NUMBERED = mailbox.c.id.in_(bindparam("numbers", expanding=True))
_SOME = select(mailbox.c.id).where(_MINE, _NUMBERED)

_BODY = (
    select(rendering.c.body)
    .where(rendering.c.institution_id == bindparam("mine"), rendering.c.fingerprint == entry.c.fingerprint)
    .limit(1)
    .scalar_subquery()
)
_OF_MAILBOX = (
    select(entry, meeting.c.source, meeting.c.key, _BODY.label("body"))
    .join(meeting, meeting.c.id == entry.c.meeting_id)
    .where(entry.c.mailbox_id == bindparam("box"), meeting.c.institution_id == bindparam("mine"))
    .order_by(entry.c.starts_at, entry.c.meeting_id)
)
_OF_CHANGES = (
    select(entry, meeting.c.source, meeting.c.key, mailbox.c.id_form, change.c.id.label("change_id"))
    .join(change, (change.c.mailbox_id == entry.c.mailbox_id) & (change.c.meeting_id == entry.c.meeting_id))
    .join(meeting, meeting.c.id == entry.c.meeting_id)
    .join(mailbox, mailbox.c.id == entry.c.mailbox_id)
    .where(_MINE, change.c.id.in_(bindparam("numbers", expanding=True)))
)
_THE_BOX = (_MINE, mailbox.c.id == bindparam("box"))
_BOX_OF_OURS = select(mailbox.c.id).where(*_THE_BOX)
_JOIN, _SEEN_AS = (
    update(table)
    .where(table.c.mailbox_id.in_(_BOX_OF_OURS), table.c.event_id == bindparam("was"))
    .values(event_id=bindparam("event"))
    for table in (entry, sighting)
)
_FORGET_SEEN = delete(sighting).where(
    sighting.c.mailbox_id.in_(_BOX_OF_OURS), sighting.c.event_id == bindparam("event")
)
_IN_FORM = update(mailbox).where(*_THE_BOX).values(id_form=bindparam("form"))
_EVENT_IDS = (
    select(entry.c.event_id)
    .join(mailbox, mailbox.c.id == entry.c.mailbox_id)
    .where(_MINE, mailbox.c.id == bindparam("box"))
)
_OF_SOME = (
    select(mailbox.c.id, entry.c.meeting_id, entry.c.fingerprint, entry.c.starts_at, entry.c.ends_at)
    .join(entry, entry.c.mailbox_id == mailbox.c.id)
    .where(_MINE, _NUMBERED)
    .order_by(mailbox.c.id, entry.c.meeting_id)
)

_STALE = (
    select(stale.c.mailbox_id)
    .join(mailbox, mailbox.c.id == stale.c.mailbox_id)
    .where(_MINE)
    .order_by(stale.c.mailbox_id)
)
_NOT_STALE = delete(stale).where(stale.c.mailbox_id.in_(_SOME))

_OUR_PACKED = packed.c.institution_id == bindparam("mine")
_PACKED: Select[Any] = (
    select(packed.c.mailbox_id, packed.c.meetings, packed.c.fingerprints, packed.c.starts, packed.c.ends)
    .where(_OUR_PACKED, packed.c.mailbox_id > bindparam("after"))
    .order_by(packed.c.mailbox_id)
    .limit(_MAILBOXES_AT_ONCE)
)
_PACK = insert(packed)
_FORGET_PACKED = delete(packed).where(packed.c.mailbox_id.in_(_SOME))

_BEHIND = select(stale.c.mailbox_id)
_COUNT_PACKED = select(
    func.coalesce(func.sum(func.length(packed.c.meetings)), 0), func.count(packed.c.mailbox_id)
).where(_OUR_PACKED, packed.c.mailbox_id.not_in(_BEHIND))
_COUNT_ROWS = (
    select(func.count(), func.count(entry.c.mailbox_id.distinct()))
    .join(mailbox, mailbox.c.id == entry.c.mailbox_id)
    .where(_MINE, mailbox.c.id.in_(_BEHIND))
)
