"""Runs and source states of one institution."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np
from sqlalchemy import Connection, Integer, Row, bindparam, delete, func, insert, select, update

from classbell.guards import LastRead, live_starts
from classbell.ledger.database import Database, insert_one
from classbell.ledger.keeping import fruitless as fruitless_run
from classbell.ledger.schema import change, institution, run, source
from classbell.model import Action, ChangeState, RunKind, Snapshot


@dataclass(frozen=True, kw_only=True)
class PastRun:
    """A run as the ledger remembers it; ``summary`` counts what it did, ``kind`` is empty where it was not noted."""

    id: int
    kind: RunKind | Literal[""]
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
        self._mine = {"mine": institution_id}

    async def finish(
        self,
        run_id: int,
        exit_code: int,
        summary: Mapping[str, object],
        now: float,
        *,
        fruitless: bool = False,
    ) -> None:
        """Record how a run ended; one that was *fruitless* makes no saved plan stale."""
        ended = {"finished_at": now, "exit_code": exit_code, "summary": msgspec.json.encode(summary)}
        values = {**self._mine, "number": run_id, **ended}

        def write(connection: Connection) -> None:
            connection.execute(_FINISH, values)
            if fruitless:
                connection.execute(_FRUITLESS, {"run_id": run_id})

        await self._database.write(write)

    async def note(
        self,
        exit_code: int,
        summary: Mapping[str, object],
        began: float,
        now: float,
        *,
        kind: RunKind = RunKind.SYNC,
    ) -> int:
        """Record a run that ended before a plan was accepted; its number."""
        values = {
            "institution_id": self._institution_id,
            "kind": kind,
            "started_at": began,
            "finished_at": now,
            "exit_code": exit_code,
            "summary": msgspec.json.encode(summary),
        }

        def write(connection: Connection) -> int:
            number = insert_one(connection, BEGIN, values)
            connection.execute(_FRUITLESS, {"run_id": number})
            return number

        return await self._database.write(write)

    async def record(
        self, kind: RunKind, exit_code: int, summary: Mapping[str, object], began: float, now: float
    ) -> None:
        """Record a run that has changed the ledger without a plan: those that were made before are stale."""
        values = {
            "institution_id": self._institution_id,
            "kind": kind,
            "started_at": began,
            "finished_at": now,
            "exit_code": exit_code,
            "summary": msgspec.json.encode(summary),
        }
        await self._database.write(lambda connection: connection.execute(BEGIN, values))

    async def newest(self) -> int:
        """The number of the newest run, 0 if there was none: what a plan is based on."""
        return await self._database.read(lambda c: newest_run(c, self._institution_id))

    async def changed_since(self, basis: int) -> int:
        """The newest run after a plan's basis that makes it stale; 0 if there is none."""
        return await self._database.read(lambda c: changed_since(c, self._institution_id, basis))

    async def quiet_until(self) -> float:
        """Until when the service asked that nothing at all be sent to it; 0.0 if it never did."""
        return await self._database.read(lambda c: float(c.execute(_QUIET_UNTIL, self._mine).scalar_one()))

    async def keep_quiet(self, until: float) -> None:
        """Remember until when nothing at all is to be sent, for the runs to come."""
        values = {**self._mine, "quiet_until": until}
        await self._database.write(lambda connection: connection.execute(_KEEP_QUIET, values))

    async def last(self, limit: int = 1) -> list[PastRun]:
        """The newest runs, newest first."""
        wanted = self._mine | {"limit": limit}
        return await self._database.read(lambda c: [_past(row) for row in c.execute(_LAST, wanted)])

    async def find(self, number: int) -> PastRun | None:
        """The run of that number."""

        def read(connection: Connection) -> PastRun | None:
            row = connection.execute(_OF_NUMBER, self._mine | {"number": number}).one_or_none()
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

    async def done(self, numbers: Sequence[int]) -> dict[int, Counter[Action]]:
        """Of some runs how many of their changes are done, by action: where no summary says it."""
        found: dict[int, Counter[Action]] = {number: Counter() for number in numbers}

        def read(connection: Connection) -> None:
            wanted = {**self._mine, "numbers": list(found)}
            for number, action, count in connection.execute(_DONE, wanted):
                found[number][Action(action)] = count

        if found:
            await self._database.read(read)
        return found

    async def sources(self) -> dict[str, SourceState]:
        """The last accepted read of each source, by name."""

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
                for row in connection.execute(_SOURCES, self._mine)
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
            if rows:
                connection.execute(_FORGET_SOURCE, [self._mine | {"of": row["name"]} for row in rows])
                connection.execute(_KEEP_SOURCE, rows)

        await self._database.write(write)


def _past(row: Row[Any]) -> PastRun:
    return PastRun(
        id=row.id,
        kind=RunKind(row.kind) if row.kind else "",
        started_at=row.started_at,
        finished_at=row.finished_at,
        exit_code=row.exit_code,
        summary=msgspec.json.decode(row.summary) if row.summary else {},
    )


def newest_run(connection: Connection, institution_id: int) -> int:
    """The number of an institution's newest run, whatever came of it; 0 if there was none."""
    return int(connection.execute(_NEWEST, {"mine": institution_id}).scalar() or 0)


def overtaken(connection: Connection, institution_id: int, basis: int | None, *, saved: bool) -> bool:
    """
    Whether another run may know better than a plan that is based on one; None is never overtaken.

    What somebody has *saved* is outdated only by a run that was not fruitless.
    """
    if basis is None:
        return False
    if saved:
        return changed_since(connection, institution_id, basis) > 0
    return basis != newest_run(connection, institution_id)


def changed_since(connection: Connection, institution_id: int, basis: int) -> int:
    """The number of the newest run after another one that was not fruitless; 0 if there is none."""
    return int(connection.execute(_CHANGED, {"mine": institution_id, "basis": basis}).scalar() or 0)


BEGIN = insert(run)
"""Enters a run."""

_MINE = run.c.institution_id == bindparam("mine")
_FINISH = update(run).where(_MINE, run.c.id == bindparam("number"))
_FRUITLESS = insert(fruitless_run)
_LAST = select(run).where(_MINE).order_by(run.c.id.desc()).limit(bindparam("limit", type_=Integer))
_OF_NUMBER = select(run).where(_MINE, run.c.id == bindparam("number"))
_NEWEST = select(func.max(run.c.id)).where(_MINE)
_CHANGED = _NEWEST.where(run.c.id > bindparam("basis"), run.c.id.not_in(select(fruitless_run.c.run_id)))

_DONE = (
    select(change.c.run_id, change.c.action, func.count())
    .where(
        change.c.institution_id == bindparam("mine"),
        change.c.run_id.in_(bindparam("numbers", expanding=True)),
        change.c.state == ChangeState.DONE,
    )
    .group_by(change.c.run_id, change.c.action)
    .order_by(change.c.action)
)

_OURSELVES = institution.c.id == bindparam("mine")
_QUIET_UNTIL = select(institution.c.quiet_until).where(_OURSELVES)
_KEEP_QUIET = update(institution).where(_OURSELVES)

_OUR_SOURCES = source.c.institution_id == bindparam("mine")
_SOURCES = select(source).where(_OUR_SOURCES)
_FORGET_SOURCE = delete(source).where(_OUR_SOURCES, source.c.name == bindparam("of"))
_KEEP_SOURCE = insert(source)
