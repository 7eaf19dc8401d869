"""Whether an institution is in quarantine, since when, and when it is probed next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from classbell.ledger.changes import IS_DUE
from classbell.ledger.database import Database
from classbell.ledger.gate import OPEN_GATE
from classbell.ledger.schema import change, quarantine


@dataclass(frozen=True, kw_only=True)
class InQuarantine:
    """Why an institution is in quarantine, since when, how many probes have failed, and when the next is due."""

    code: str
    detail: str
    since: float
    probes: int
    probe_at: float


class Quarantines:
    """The institution's quarantine."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id
        self._mine = {"mine": institution_id}

    async def standing(self) -> InQuarantine | None:
        """The quarantine it is in; None if it is in none."""
        return await self._database.read(self._found)

    async def failed(self, code: str, detail: str, now: float, waits: Sequence[float]) -> InQuarantine:
        """
        Put it into quarantine, or note that a probe has failed. One that was not due yet puts nothing off.

        Args:
            waits: seconds until the first probe, the second and so on; the last holds for all further ones.
        """
        why = {"code": code, "detail": detail}

        def write(connection: Connection) -> InQuarantine:
            before = self._found(connection)
            if before is None:
                begun = {"since": now, "probes": 0, "probe_at": now + waits[0]}
                connection.execute(_PUT_IN, {"institution_id": self._institution_id, **why, **begun})
            elif now >= before.probe_at:
                probes = before.probes + 1
                wait = waits[min(probes, len(waits) - 1)]
                again = {"probes": probes, "probe_at": now + wait}
                connection.execute(_CHANGE, {**self._mine, **why, **again})
            else:
                connection.execute(_CHANGE, {**self._mine, **why})
            return _stored(connection.execute(_FIND, self._mine).one())

        return await self._database.write(write)

    async def leave(self) -> None:
        """End it."""
        await self._database.write(lambda c: c.execute(_END, self._mine))

    async def probe_mailbox(self, now: float, run: int | None = None) -> int | None:
        """The number of the mailbox with the change, of one run or any, that is first due where something is wanted."""
        if run is None:
            wanted = {**self._mine, "now": now}
            return await self._database.read(lambda c: c.execute(_FIRST_DUE, wanted).scalar())
        of_run = {**self._mine, "now": now, "run": run}
        return await self._database.read(lambda c: c.execute(_FIRST_DUE_OF_RUN, of_run).scalar())

    def _found(self, connection: Connection) -> InQuarantine | None:
        row = connection.execute(_FIND, self._mine).one_or_none()
        return None if row is None else _stored(row)


def _stored(row: Row[Any]) -> InQuarantine:
    return InQuarantine(
        code=row.code, detail=row.detail, since=row.since, probes=row.probes, probe_at=row.probe_at
    )


_MINE = quarantine.c.institution_id == bindparam("mine")
_FIND = select(quarantine).where(_MINE)
_PUT_IN = insert(quarantine)
_CHANGE = update(quarantine).where(_MINE)
_END = delete(quarantine).where(_MINE)
_FIRST_DUE = (
    select(change.c.mailbox_id)
    .where(
        change.c.institution_id == bindparam("mine"),
        IS_DUE,
        OPEN_GATE,
        change.c.due_at <= bindparam("now"),
    )
    .order_by(change.c.starts_at, change.c.id)
    .limit(1)
)
_FIRST_DUE_OF_RUN = _FIRST_DUE.where(change.c.run_id == bindparam("run"))
