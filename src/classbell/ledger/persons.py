"""
Persons whom the ledger forgets.

All rows go that hang on their mailbox, whichever tables have such. What remains is a digest, by which they are
known again and given nothing: it names nobody, and only who has the address already can make it again.
"""

from hashlib import blake2b

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from classbell.ledger.changes import IS_OPEN
from classbell.ledger.database import Database
from classbell.ledger.incarnations import go_beyond
from classbell.ledger.schema import approval, change, entry, forgotten, hold, mailbox, metadata
from classbell.model import ChangeState

_encode = msgspec.json.Encoder().encode


class Persons:
    """Whom the institution's ledger has forgotten."""

    def __init__(self, database: Database, institution_id: int, installation: str, institution: str) -> None:
        self._database = database
        self._institution_id = institution_id
        self._salt = (installation, institution)
        self._mine = {"mine": institution_id}

    def digest(self, key: str) -> str:
        """What remains of somebody with this mailbox key."""
        return blake2b(_encode((*self._salt, key)), digest_size=16).hexdigest()

    async def forgotten(self) -> frozenset[str]:
        """The digests of all who were forgotten."""
        return await self._database.read(lambda c: frozenset(c.execute(_FORGOTTEN, self._mine).scalars()))

    async def standing(self, number: int) -> tuple[int, int]:
        """How many events of ours stand in a mailbox, and how many more may do."""
        ours = select(mailbox.c.id).where(
            mailbox.c.id == number, mailbox.c.institution_id == self._institution_id
        )
        events = select(func.count()).select_from(entry).where(entry.c.mailbox_id.in_(ours))
        perhaps = (
            select(func.count())
            .select_from(change)
            .where(
                change.c.institution_id == self._institution_id,
                change.c.mailbox_id == number,
                IS_OPEN,
                change.c.state.in_((ChangeState.SENT, ChangeState.UNKNOWN)),
            )
        )
        return await self._database.read(
            lambda c: (int(c.execute(events).scalar_one()), int(c.execute(perhaps).scalar_one()))
        )

    async def forget(self, number: int, key: str) -> None:
        """Erase all that hangs on a mailbox, and remember the digest of its key."""
        await self._database.write(lambda c: self._forget(c, number, key))

    async def recall(self, key: str) -> bool:
        """Forget that somebody was forgotten; whether they were."""
        values = {**self._mine, "of": self.digest(key)}
        return await self._database.write(lambda c: bool(c.execute(_RECALL, values).rowcount))

    def _forget(self, connection: Connection, number: int, key: str) -> None:
        ours = (mailbox.c.id == number, mailbox.c.institution_id == self._institution_id)
        if connection.execute(select(mailbox.c.id).where(*ours)).first() is None:
            return
        if connection.dialect.name == "sqlite":
            # Or the bytes would stay in the file until their page is used again (SQLite manual, "PRAGMA secure_delete").
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        go_beyond(connection, self._institution_id, number)
        for table in reversed(metadata.sorted_tables):
            if "mailbox_id" in table.c:
                connection.execute(delete(table).where(table.c.mailbox_id == number))
        named = select(hold.c.id).where(hold.c.institution_id == self._institution_id, hold.c.subject == key)
        connection.execute(delete(approval).where(approval.c.hold_id.in_(named)))
        connection.execute(delete(hold).where(hold.c.id.in_(named)))
        connection.execute(delete(mailbox).where(*ours))
        values = {"institution_id": self._institution_id, "digest": self.digest(key)}
        connection.execute(_RECALL, {**self._mine, "of": values["digest"]})
        connection.execute(insert(forgotten).values(values))


_MINE = forgotten.c.institution_id == bindparam("mine")
_FORGOTTEN = select(forgotten.c.digest).where(_MINE)
_RECALL = delete(forgotten).where(_MINE, forgotten.c.digest == bindparam("of"))
