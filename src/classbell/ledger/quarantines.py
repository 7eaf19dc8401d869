"""Whether an institution is in quarantine, since when, and when it is probed next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from classbell.ledger.changes import IS_DUE
from classbell.ledger.database import Database
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
        self._mine = quarantine.c.institution_id == institution_id

    async def standing(self) -> InQuarantine | None:
        """The quarantine it is in; None if it is in none."""
        return await self._database.read(self._found)

    async def failed(self, code: str, detail: str, now: float, waits: Sequence[float]) -> InQuarantine:
        """
        Put it into quarantine, or note that a probe has failed. One that was not due yet puts nothing off.

        Args:
            waits: seconds until the first probe, the second and so on; the last holds for all further ones.
        """

        def write(connection: Connection) -> InQuarantine:
            before = self._found(connection)
            if before is None:
                connection.execute(
                    insert(quarantine).values(
                        institution_id=self._institution_id,
                        code=code,
                        detail=detail,
                        since=now,
                        probes=0,
                        probe_at=now + waits[0],
                    )
                )
            elif now >= before.probe_at:
                probes = before.probes + 1
                wait = waits[min(probes, len(waits) - 1)]
                connection.execute(
                    update(quarantine)
                    .where(self._mine)
                    .values(code=code, detail=detail, probes=probes, probe_at=now + wait)
                )
            else:
                connection.execute(update(quarantine).where(self._mine).values(code=code, detail=detail))
            return _stored(connection.execute(select(quarantine).where(self._mine)).one())

        return await self._database.write(write)

    async def leave(self) -> None:
        """End it."""
        await self._database.write(lambda c: c.execute(delete(quarantine).where(self._mine)))

    async def probe_mailbox(self, now: float) -> int | None:
        """The number of the mailbox with the change that is due first; None if nothing is due."""
        query = (
            select(change.c.mailbox_id)
            .where(change.c.institution_id == self._institution_id, IS_DUE, change.c.due_at <= now)
            .order_by(change.c.starts_at, change.c.id)
            .limit(1)
        )
        return await self._database.read(lambda c: c.execute(query).scalar())

    def _found(self, connection: Connection) -> InQuarantine | None:
        row = connection.execute(select(quarantine).where(self._mine)).one_or_none()
        return None if row is None else _stored(row)


def _stored(row: Row[Any]) -> InQuarantine:
    return InQuarantine(
        code=row.code, detail=row.detail, since=row.since, probes=row.probes, probe_at=row.probe_at
    )
