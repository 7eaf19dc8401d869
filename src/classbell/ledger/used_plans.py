"""Saved plans that one institution has carried out: each at most once."""

from sqlalchemy import Connection, bindparam, delete, insert, select

from classbell.ledger.database import Database
from classbell.ledger.keeping import used_plan


class UsedPlans:
    """The institution's saved plans that were carried out, by their digest."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id
        self._mine = {"mine": institution_id}

    async def used_at(self, digest: str) -> float | None:
        """When a plan was carried out; None if it was not."""
        wanted = {**self._mine, "of": digest}
        return await self._database.read(lambda c: c.execute(_USED_AT, wanted).scalar())

    async def forget(self, before: float) -> None:
        """Forget those carried out before a moment: by then they are too old to be carried out anyway."""
        await self._database.write(lambda c: c.execute(_FORGET, {**self._mine, "before": before}))


def use_plan(connection: Connection, institution_id: int, digest: str, now: float) -> None:
    """Note that a plan is carried out, in the transaction that accepts it. A second time fails, whoever tries."""
    connection.execute(_USE, {"institution_id": institution_id, "digest": digest, "used_at": now})


_MINE = used_plan.c.institution_id == bindparam("mine")
_USED_AT = select(used_plan.c.used_at).where(_MINE, used_plan.c.digest == bindparam("of"))
_USE = insert(used_plan)
_FORGET = delete(used_plan).where(_MINE, used_plan.c.used_at < bindparam("before"))
