"""Removing what is old: renderings that stand nowhere, changes that have ended, runs without changes."""

from sqlalchemy import Connection, delete, insert, or_, select

from classbell.ledger.changes import IS_OPEN
from classbell.ledger.database import Database, parts_of
from classbell.ledger.deletes import forget_counts
from classbell.ledger.keeping import fruitless, idle_rendering, pruned, used_plan
from classbell.ledger.runs import newest_run
from classbell.ledger.schema import (
    change,
    entry,
    mailbox,
    rendering,
    run,
)
from classbell.model import ChangeState

# To look for it takes a walk through all entries: once a day is enough.
_EVERY = 20 * 3600.0
_ENDED = (ChangeState.DONE, ChangeState.SUPERSEDED)


class Pruning:
    """Removes what is old of one institution."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id

    async def prune(self, now: float, *, payload: float, runs: float) -> bool:
        """
        Remove what is older than it is to be kept, at most once a day; whether it was time to.

        Args:
            payload: seconds for which a rendering is kept that no event bears and no open change wants.
            runs: seconds for which runs and ended changes are kept.
        """

        def write(connection: Connection) -> bool:
            last = connection.execute(
                select(pruned.c.pruned_at).where(pruned.c.institution_id == self._institution_id)
            ).scalar()
            if last is not None and last <= now < last + _EVERY:
                return False
            self._prune_renderings(connection, now, now - payload)
            self._prune_changes(connection, now - runs)
            self._prune_runs(connection, now - runs)
            forget_counts(connection, self._institution_id, now)
            connection.execute(
                delete(used_plan).where(
                    used_plan.c.institution_id == self._institution_id, used_plan.c.used_at < now - runs
                )
            )
            connection.execute(delete(pruned).where(pruned.c.institution_id == self._institution_id))
            connection.execute(insert(pruned).values(institution_id=self._institution_id, pruned_at=now))
            return True

        return await self._database.write(write)

    def _prune_renderings(self, connection: Connection, now: float, before: float) -> None:
        mine = rendering.c.institution_id == self._institution_id
        kept = set(connection.execute(select(rendering.c.fingerprint).where(mine)).scalars())
        idle = kept - self._in_use(connection)
        ours = idle_rendering.c.institution_id == self._institution_id
        known = dict(
            connection.execute(select(idle_rendering.c.fingerprint, idle_rendering.c.since).where(ours)).all()
        )
        old = [one for one in idle if known.get(one, now) < before]
        for part in parts_of(old):
            connection.execute(delete(rendering).where(mine, rendering.c.fingerprint.in_(part)))
        for part in parts_of([one for one in known if one not in idle] + old):
            connection.execute(delete(idle_rendering).where(ours, idle_rendering.c.fingerprint.in_(part)))
        fresh = [
            {"institution_id": self._institution_id, "fingerprint": one, "since": now}
            for one in sorted(idle - known.keys())
        ]
        if fresh:
            connection.execute(insert(idle_rendering), fresh)

    def _in_use(self, connection: Connection) -> set[int]:
        """The fingerprints that events bear, or that open changes know."""
        owners = select(mailbox.c.id).where(mailbox.c.institution_id == self._institution_id)
        open_ = (change.c.institution_id == self._institution_id, IS_OPEN)
        queries = (
            select(entry.c.fingerprint).where(entry.c.mailbox_id.in_(owners)).distinct(),
            select(change.c.fingerprint).where(*open_).distinct(),
            select(change.c.previous).where(*open_).distinct(),
        )
        return {int(one) for query in queries for one in connection.execute(query).scalars()}

    def _prune_changes(self, connection: Connection, before: float) -> None:
        mine = run.c.institution_id == self._institution_id
        began = select(run.c.id).where(mine, run.c.started_at < before)
        # What gave way to a newer plan has no end of its own.
        old = (change.c.finished_at < before) | (change.c.finished_at.is_(None) & change.c.run_id.in_(began))
        connection.execute(
            delete(change).where(
                change.c.institution_id == self._institution_id, change.c.state.in_(_ENDED), old
            )
        )

    def _prune_runs(self, connection: Connection, before: float) -> None:
        # What the newest run is, is what plans are based on.
        newest = newest_run(connection, self._institution_id)
        query = select(run.c.id).where(
            run.c.institution_id == self._institution_id,
            or_(run.c.finished_at < before, run.c.finished_at.is_(None)),
            run.c.started_at < before,
            run.c.id != newest,
            run.c.id.not_in(select(change.c.run_id).where(change.c.institution_id == self._institution_id)),
        )
        for part in parts_of(list(connection.execute(query).scalars())):
            connection.execute(delete(fruitless).where(fruitless.c.run_id.in_(part)))
            connection.execute(delete(run).where(run.c.id.in_(part)))
