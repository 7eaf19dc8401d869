"""Runs and source states of one institution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from classbell.guards import LastRead, live_starts
from classbell.ledger.database import Database, insert_one
from classbell.ledger.keeping import fruitless
from classbell.ledger.schema import change, institution, run, source
from classbell.model import Action, ChangeState, Snapshot


@dataclass(frozen=True, kw_only=True)
class PastRun:
    """A run as the ledger remembers it; ``summary`` counts what it did."""

    id: int
    started_at: float
    finished_at: float | None
    exit_code: int | None
    summary: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class RunChanges:
    """How many changes of a run do the same, stand in the same state, and for the same reason."""

    action: Action
    state: ChangeState
    code: str
    detail: str
    changes: int
    mailboxes: int


@dataclass(frozen=True, kw_only=True)
class SourceState:
    """The last accepted read of a source."""

    name: str
    digest: bytes
    read_at: float
    last: LastRead


class Runs:
    """What was run and read for the institution."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id

    async def finish(self, run_id: int, exit_code: int, summary: Mapping[str, object], now: float) -> None:
        """Record how a run ended."""
        statement = (
            update(run)
            .where(run.c.id == run_id, run.c.institution_id == self._institution_id)
            .values(finished_at=now, exit_code=exit_code, summary=msgspec.json.encode(summary))
        )
        await self._database.write(lambda connection: connection.execute(statement))

    async def note(self, exit_code: int, summary: Mapping[str, object], began: float, now: float) -> int:
        """Record a run that ended before a plan was accepted; its number."""
        values = {
            "institution_id": self._institution_id,
            "started_at": began,
            "finished_at": now,
            "exit_code": exit_code,
            "summary": msgspec.json.encode(summary),
        }

        def write(connection: Connection) -> int:
            number = insert_one(connection, insert(run).values(values))
            connection.execute(insert(fruitless).values(run_id=number))
            return number

        return await self._database.write(write)

    async def newest(self) -> int:
        """The number of the newest run, 0 if there was none: what a plan is based on."""
        return await self._database.read(lambda c: newest_run(c, self._institution_id))

    async def quiet_until(self) -> float:
        """Until when the service asked that nothing at all be sent to it; 0.0 if it never did."""
        query = select(institution.c.quiet_until).where(institution.c.id == self._institution_id)
        return await self._database.read(lambda c: float(c.execute(query).scalar_one()))

    async def keep_quiet(self, until: float) -> None:
        """Remember until when nothing at all is to be sent, for the runs to come."""
        statement = (
            update(institution).where(institution.c.id == self._institution_id).values(quiet_until=until)
        )
        await self._database.write(lambda connection: connection.execute(statement))

    async def last(self, limit: int = 1) -> list[PastRun]:
        """The newest runs, newest first."""
        query = (
            select(run)
            .where(run.c.institution_id == self._institution_id)
            .order_by(run.c.id.desc())
            .limit(limit)
        )

        def read(connection: Connection) -> list[PastRun]:
            return [_past(row) for row in connection.execute(query)]

        return await self._database.read(read)

    async def find(self, number: int) -> PastRun | None:
        """The run of that number."""
        query = select(run).where(run.c.institution_id == self._institution_id, run.c.id == number)

        def read(connection: Connection) -> PastRun | None:
            row = connection.execute(query).one_or_none()
            return _past(row) if row is not None else None

        return await self._database.read(read)

    async def changes(self, number: int) -> list[RunChanges]:
        """How many changes of a run stand in each state, for each reason."""
        counted = (change.c.action, change.c.state, change.c.code)
        query = (
            select(
                *counted, func.min(change.c.detail), func.count(), func.count(change.c.mailbox_id.distinct())
            )
            .where(change.c.institution_id == self._institution_id, change.c.run_id == number)
            .group_by(*counted)
            .order_by(*counted)
        )
        return await self._database.read(
            lambda c: [
                RunChanges(
                    action=Action(action),
                    state=ChangeState(state),
                    code=code,
                    detail=detail,
                    changes=count,
                    mailboxes=boxes,
                )
                for action, state, code, detail, count, boxes in c.execute(query)
            ]
        )

    async def sources(self) -> dict[str, SourceState]:
        """The last accepted read of each source, by name."""
        query = select(source).where(source.c.institution_id == self._institution_id)

        def read(connection: Connection) -> dict[str, SourceState]:
            return {
                row.name: SourceState(
                    name=row.name,
                    digest=row.digest,
                    read_at=row.read_at,
                    last=LastRead(
                        starts=np.frombuffer(row.starts, dtype=np.int64), covered_until=row.covered_until
                    ),
                )
                for row in connection.execute(query)
            }

        return await self._database.read(read)

    async def keep_sources(self, snapshots: Sequence[Snapshot], now: float) -> None:
        """Remember snapshots as the last accepted ones."""
        rows = [
            {
                "institution_id": self._institution_id,
                "name": snapshot.source,
                "digest": snapshot.digest,
                "read_at": now,
                "starts": live_starts(snapshot).tobytes(),
                "covered_until": snapshot.coverage.window.end,
            }
            for snapshot in snapshots
        ]

        def write(connection: Connection) -> None:
            names = [row["name"] for row in rows]
            mine = source.c.institution_id == self._institution_id
            connection.execute(delete(source).where(mine, source.c.name.in_(names)))
            if rows:
                connection.execute(insert(source), rows)

        await self._database.write(write)


def _past(row: Row[Any]) -> PastRun:
    return PastRun(
        id=row.id,
        started_at=row.started_at,
        finished_at=row.finished_at,
        exit_code=row.exit_code,
        summary=msgspec.json.decode(row.summary) if row.summary else {},
    )


def newest_run(connection: Connection, institution_id: int) -> int:
    """The number of an institution's newest run that changed the ledger; 0 if there was none."""
    query = select(func.max(run.c.id)).where(
        run.c.institution_id == institution_id, run.c.id.not_in(select(fruitless.c.run_id))
    )
    return int(connection.execute(query).scalar() or 0)
