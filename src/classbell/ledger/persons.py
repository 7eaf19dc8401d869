"""
Persons whom the ledger forgets.

All rows go that hang on their mailbox, whichever tables have such. What remains is a digest, by which they are
known again and given nothing: it names nobody, and only who has the address already can make it again. And, for the
limit of a day, when something was deleted of somebody.
"""

from dataclasses import dataclass
from hashlib import blake2b

import msgspec
import numpy as np
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from classbell.errors import HeldError
from classbell.ledger.changes import IS_OPEN
from classbell.ledger.codes import LOST
from classbell.ledger.database import Database, insert_one
from classbell.ledger.deletes import count_on
from classbell.ledger.incarnations import go_beyond
from classbell.ledger.outcomes import CREATING
from classbell.ledger.runs import BEGIN
from classbell.ledger.schema import approval, change, entry, forgotten, hold, ledger, mailbox, metadata
from classbell.model import ChangeState, RunKind

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, kw_only=True)
class Remains:
    """
    What may stand in a mailbox that nobody could tell any more to be ours.

    ``events`` do stand there. Of creates ``in_doubt`` a person is to say whether they were made. ``unsettled`` are events
    that a look may not find yet, and requests of which nobody knows yet what came of them; ``lost`` says that nothing
    here can be relied on until the mailbox is rebuilt.
    """

    events: int
    in_doubt: int
    unsettled: int
    lost: bool

    @property
    def may_stay(self) -> bool:
        """Whether all of it would be found by somebody who knows nothing of it."""
        return not (self.unsettled or self.lost)


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

    async def was_forgotten(self, key: str) -> bool:
        """Whether somebody was forgotten."""
        return self.digest(key) in await self.forgotten()

    async def remains(self, number: int, settled: float) -> Remains:
        """What may stand in a mailbox of ours; what was written there before the moment *settled* is found by any look."""
        return await self._database.read(lambda c: self._remains(c, number, settled))

    async def forget(self, number: int, key: str, expected: Remains, now: float, settled: float) -> int:
        """
        Erase all that hangs on a mailbox, and remember the digest of its key; the ledger's new revision.

        It counts as a run that has changed the ledger: no plan that was made before is accepted any more.

        Args:
            expected: what somebody was told that it leaves there.

        Raises:
            HeldError: E-LEAVE-CHANGED, it is something else by now; nothing is erased.
        """
        return await self._database.write(lambda c: self._forget(c, number, key, expected, now, settled))

    async def recall(self, key: str) -> bool:
        """Forget that somebody was forgotten; whether they were."""
        values = {**self._mine, "of": self.digest(key)}
        return await self._database.write(lambda c: bool(c.execute(_RECALL, values).rowcount))

    def _remains(self, connection: Connection, number: int, settled: float) -> Remains:
        ours = select(mailbox.c.id).where(
            mailbox.c.id == number, mailbox.c.institution_id == self._institution_id
        )
        events = select(func.count()).select_from(entry).where(entry.c.mailbox_id.in_(ours))
        open_ = select(func.count()).where(
            change.c.institution_id == self._institution_id, change.c.mailbox_id == number, IS_OPEN
        )
        sent = open_.where(change.c.state.in_((ChangeState.SENT, ChangeState.UNKNOWN)))
        held = open_.where(change.c.state == ChangeState.HELD, change.c.action.in_(CREATING))
        young = events.where(entry.c.delivered_at > settled)
        return Remains(
            events=connection.execute(events).scalar_one(),
            in_doubt=connection.execute(held).scalar_one(),
            unsettled=connection.execute(sent).scalar_one() + connection.execute(young).scalar_one(),
            lost=connection.execute(ours.where(mailbox.c.out_code == LOST)).first() is not None,
        )

    def _forget(
        self, connection: Connection, number: int, key: str, expected: Remains, now: float, settled: float
    ) -> int:
        ours = (
            mailbox.c.id == number,
            mailbox.c.institution_id == self._institution_id,
            mailbox.c.key == key,
        )
        found = self._remains(connection, number, settled)
        same = (found.events, found.in_doubt) == (expected.events, expected.in_doubt) and found.may_stay
        if not same or connection.execute(select(mailbox.c.id).where(*ours)).first() is None:
            raise HeldError(
                "E-LEAVE-CHANGED",
                "What stands in this calendar is not what it was when it was counted.",
                why="another process has worked on it since then",
                do="run the command again and look at the new numbers",
                effect="nothing was changed",
            )
        go_beyond(connection, self._institution_id, number)
        count_on(connection, self._institution_id, number, now)
        for table in reversed(metadata.sorted_tables):
            if "mailbox_id" in table.c:
                connection.execute(delete(table).where(table.c.mailbox_id == number))
        self._erase_from_holds(connection, number, key)
        connection.execute(delete(mailbox).where(*ours))
        values = {"institution_id": self._institution_id, "digest": self.digest(key)}
        connection.execute(_RECALL, {**self._mine, "of": values["digest"]})
        connection.execute(insert(forgotten).values(values))
        run = {"institution_id": self._institution_id, "kind": RunKind.FORGET, "started_at": now}
        insert_one(connection, BEGIN, run | {"finished_at": now, "exit_code": 0})
        connection.execute(update(ledger).values(revision=ledger.c.revision + 1))
        return int(connection.execute(select(ledger.c.revision)).scalar_one())

    def _erase_from_holds(self, connection: Connection, number: int, key: str) -> None:
        """Holds of the mailbox go; what others list of it goes out of them."""
        mine = hold.c.institution_id == self._institution_id
        named = select(hold.c.id).where(mine, hold.c.scope == "mailbox", hold.c.subject == key)
        connection.execute(delete(approval).where(approval.c.hold_id.in_(named)))
        connection.execute(delete(hold).where(mine, hold.c.scope == "mailbox", hold.c.subject == key))
        for row in connection.execute(select(hold.c.id, hold.c.listed).where(mine)).all():
            listed = np.frombuffer(row.listed, dtype=np.int64).reshape(-1, 5)
            others = listed[listed[:, 0] != number]
            if len(others) < len(listed):
                connection.execute(update(hold).where(hold.c.id == row.id).values(listed=others.tobytes()))


_MINE = forgotten.c.institution_id == bindparam("mine")
_FORGOTTEN = select(forgotten.c.digest).where(_MINE)
_RECALL = delete(forgotten).where(_MINE, forgotten.c.digest == bindparam("of"))
