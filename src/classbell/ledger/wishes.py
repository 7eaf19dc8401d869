"""
Wishes: what the owners of calendars have deleted there, and which version of it.

They are noticed when a change meets an event that is gone, and when a mailbox is read back. Whether they
count says the profile, at planning; here they are only kept, until an event is made again for the pair or
its meeting is wanted no more.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select

from classbell.ledger.bits import signed
from classbell.ledger.database import Database, parts_of
from classbell.ledger.schema import mailbox, meeting, wish
from classbell.plan import Wishes, pair_keys


class Removed(NamedTuple):
    """An event that its owner has deleted: of which pair, which rendering, and when it was to start."""

    mailbox_id: int
    meeting_id: int
    fingerprint: int
    starts_at: int


class OwnersWishes:
    """What the owners of the institution's calendars have deleted."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._mine = {"mine": institution_id}

    async def all(self) -> Wishes:
        """All wishes, for planning."""

        def read(connection: Connection) -> Wishes:
            rows = connection.execute(_ALL, self._mine).all()
            table = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 4)
            return Wishes(
                pairs=pair_keys(table[:, 0], table[:, 1]),
                fingerprint=table[:, 2].astype(np.int64).view(np.uint64),
                starts=table[:, 3],
            )

        return await self._database.read(read)

    async def sources(self) -> list[str]:
        """The source of each wish's meeting, in the order of ``all``."""
        return await self._database.read(lambda c: list(c.execute(_SOURCES, self._mine).scalars()))

    async def of_mailbox(self, number: int) -> list[str]:
        """The keys of the meetings whose events the owner of a mailbox has deleted, each with its source."""
        there = self._mine | {"box": number}
        return await self._database.read(
            lambda c: [f"{source}:{key}" for source, key in c.execute(_OF_MAILBOX, there)]
        )

    async def forget(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Forget the wishes of some pairs (mailbox, meeting)."""
        rows = [self._mine | {"box": box, "of": of} for box, of in pairs]
        if rows:
            await self._database.write(lambda c: c.execute(_FORGET, rows))

    async def forget_all(self, number: int) -> None:
        """Forget all wishes of one mailbox."""
        await self._database.write(lambda c: c.execute(_FORGET_ALL, self._mine | {"box": number}))


def keep_wishes(connection: Connection, removed: Iterable[Removed], now: float) -> None:
    """Keep that some events were deleted by their owners."""
    rows = [one._asdict() | {"fingerprint": signed(one.fingerprint), "noticed_at": now} for one in removed]
    drop_wishes(connection, [(row["mailbox_id"], row["meeting_id"]) for row in rows])
    if rows:
        connection.execute(_KEEP, rows)


def drop_wishes(connection: Connection, pairs: Sequence[tuple[object, object]]) -> None:
    """Forget the wishes of pairs for which an event stands there again."""
    for part in parts_of(pairs):
        connection.execute(_DROP, [{"box": box, "of": of} for box, of in part])


_MINE = mailbox.c.institution_id == bindparam("mine")
_ALL = (
    select(wish.c.mailbox_id, wish.c.meeting_id, wish.c.fingerprint, wish.c.starts_at)
    .join(mailbox, mailbox.c.id == wish.c.mailbox_id)
    .where(_MINE)
    .order_by(wish.c.mailbox_id, wish.c.meeting_id)
)
_SOURCES = (
    select(meeting.c.source)
    .join(wish, wish.c.meeting_id == meeting.c.id)
    .join(mailbox, mailbox.c.id == wish.c.mailbox_id)
    .where(_MINE)
    .order_by(wish.c.mailbox_id, wish.c.meeting_id)
)
_OF_MAILBOX = (
    select(meeting.c.source, meeting.c.key)
    .join(wish, wish.c.meeting_id == meeting.c.id)
    .join(mailbox, mailbox.c.id == wish.c.mailbox_id)
    .where(_MINE, wish.c.mailbox_id == bindparam("box"))
    .order_by(wish.c.starts_at, meeting.c.key)
)
_FORGET_ALL = delete(wish).where(
    wish.c.mailbox_id == bindparam("box"), wish.c.mailbox_id.in_(select(mailbox.c.id).where(_MINE))
)
_FORGET = _FORGET_ALL.where(wish.c.meeting_id == bindparam("of"))
_KEEP = insert(wish)
_DROP = delete(wish).where(wish.c.mailbox_id == bindparam("box"), wish.c.meeting_id == bindparam("of"))
