"""
Suspensions: persons, and whole institutions, for whom nothing is written because somebody wants it so.

A person has at most one of them, and who gets nothing at all any more cannot be paused as well.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Select, delete, insert, select, update

from classbell.ledger.changes import IS_OPEN
from classbell.ledger.database import Database, insert_one
from classbell.ledger.gate import GOES_IN_LEAVING, UNLINKED
from classbell.ledger.schema import change, mailbox, pause, suspension
from classbell.model import ChangeState, Mailbox, Suspended


@dataclass(frozen=True, kw_only=True)
class Suspension:
    """Of one mailbox: why nothing is written there, since when, and until when if that is known."""

    mailbox: Mailbox
    kind: Suspended
    reason: str
    since: float
    until: float | None = None


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Of the whole institution: why nothing is written, since when, and until when if that is known."""

    reason: str
    since: float
    until: float | None = None


class Suspensions:
    """The institution's suspensions."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id
        self._mine = mailbox.c.institution_id == institution_id
        self._ours = select(mailbox.c.id).where(self._mine)

    async def all(self) -> list[Suspension]:
        """All of them, by address."""
        query = (
            select(suspension, mailbox.c.key, mailbox.c.address, mailbox.c.contacted_at)
            .join(mailbox, mailbox.c.id == suspension.c.mailbox_id)
            .where(self._mine)
            .order_by(mailbox.c.address)
        )

        def read(connection: Connection) -> list[Suspension]:
            return [
                Suspension(
                    mailbox=Mailbox(
                        id=row.mailbox_id,
                        key=row.key,
                        address=row.address,
                        contacted=row.contacted_at is not None,
                    ),
                    kind=Suspended(row.kind),
                    reason=row.reason,
                    since=row.since,
                    until=row.until,
                )
                for row in connection.execute(query)
            ]

        return await self._database.read(read)

    async def of(self, key: str) -> Suspension | None:
        """That of one person, by the key of the mailbox."""
        return next((one for one in await self.all() if one.mailbox.key == key), None)

    async def unlinked(self) -> list[int]:
        """The mailboxes of persons who get nothing any more, ascending."""
        query = UNLINKED.where(suspension.c.mailbox_id.in_(self._ours)).order_by(suspension.c.mailbox_id)
        return await self._database.read(lambda c: list(c.execute(query).scalars()))

    async def suspend(
        self, key: str, kind: Suspended, reason: str, now: float, until: float | None = None
    ) -> None:
        """Write nothing to a person's mailbox from now on; it is entered if the ledger does not know it."""

        def write(connection: Connection) -> None:
            number = connection.execute(select(mailbox.c.id).where(self._mine, mailbox.c.key == key)).scalar()
            if number is None:
                values = {"institution_id": self._institution_id, "key": key, "address": key}
                number = insert_one(connection, insert(mailbox), values)
            suspend(connection, number, kind, reason, now, until)

        await self._database.write(write)

    async def stop(self, number: int, reason: str, now: float) -> None:
        """Write nothing more to a mailbox whose owner has deleted our calendar."""

        def write(connection: Connection) -> None:
            known = connection.execute(
                select(suspension.c.mailbox_id).where(suspension.c.mailbox_id == number)
            ).first()
            ours = connection.execute(self._ours.where(mailbox.c.id == number)).first()
            if known is None and ours is not None:
                suspend(connection, number, Suspended.CALENDAR, reason, now, None)

        await self._database.write(write)

    async def lift(self, number: int, kind: Suspended | None = None) -> None:
        """Write to a mailbox again; if *kind* is given, only if it was suspended for that."""
        which = (suspension.c.mailbox_id == number) & suspension.c.mailbox_id.in_(self._ours)
        if kind is not None:
            which &= suspension.c.kind == kind.value

        def write(connection: Connection) -> None:
            self._keep_events(connection, select(suspension.c.mailbox_id).where(which))
            connection.execute(delete(suspension).where(which))

        await self._database.write(write)

    async def pause(self) -> Pause | None:
        """Whether the whole institution is paused."""
        query = select(pause).where(pause.c.institution_id == self._institution_id)

        def read(connection: Connection) -> Pause | None:
            row = connection.execute(query).one_or_none()
            return Pause(reason=row.reason, since=row.since, until=row.until) if row is not None else None

        return await self._database.read(read)

    async def pause_all(self, reason: str, now: float, until: float | None = None) -> None:
        """Write nothing for the institution from now on."""
        await self._database.write(lambda c: pause_all(c, self._institution_id, reason, now, until))

    async def resume_all(self) -> None:
        """Write for the institution again; persons who are suspended for themselves stay so."""
        purged = (suspension.c.kind == Suspended.PURGED.value) & suspension.c.mailbox_id.in_(self._ours)

        def write(connection: Connection) -> None:
            connection.execute(delete(pause).where(pause.c.institution_id == self._institution_id))
            left = select(suspension.c.mailbox_id).where(suspension.c.kind == Suspended.UNLINKED.value)
            self._keep_events(connection, self._ours.where(mailbox.c.id.not_in(left)))
            connection.execute(delete(suspension).where(purged))

        await self._database.write(write)

    def _keep_events(self, connection: Connection, boxes: Select[tuple[int]]) -> None:
        """Give up what was to go when they left, and stands there still."""
        connection.execute(
            update(change)
            .where(
                change.c.institution_id == self._institution_id,
                IS_OPEN,
                change.c.mailbox_id.in_(boxes),
                GOES_IN_LEAVING,
                change.c.state.in_((ChangeState.PENDING, ChangeState.WAITING)),
            )
            .values(state=ChangeState.SUPERSEDED)
        )

    async def expire(self, now: float) -> None:
        """
        End what was to end by now.

        What an unknown create has left behind is given up for persons who get nothing any more: it was looked for
        and not found, and must not be sent again.
        """
        given_up = (
            update(change)
            .where(
                change.c.institution_id == self._institution_id,
                IS_OPEN,
                change.c.mailbox_id.in_(UNLINKED),
                ~GOES_IN_LEAVING,
                change.c.state.in_((ChangeState.PENDING, ChangeState.WAITING)),
            )
            .values(state=ChangeState.SUPERSEDED)
        )

        def write(connection: Connection) -> None:
            connection.execute(
                delete(suspension).where(suspension.c.mailbox_id.in_(self._ours), suspension.c.until <= now)
            )
            connection.execute(
                delete(pause).where(pause.c.institution_id == self._institution_id, pause.c.until <= now)
            )
            connection.execute(given_up)

        await self._database.write(write)


def suspend(
    connection: Connection, number: int, kind: Suspended, reason: str, now: float, until: float | None
) -> None:
    """Suspend a mailbox, in the place of whatever suspension it had."""
    connection.execute(delete(suspension).where(suspension.c.mailbox_id == number))
    connection.execute(
        insert(suspension).values(mailbox_id=number, kind=kind.value, reason=reason, since=now, until=until)
    )


def pause_all(
    connection: Connection, institution_id: int, reason: str, now: float, until: float | None
) -> None:
    """Pause an institution, in the place of whatever pause it had."""
    connection.execute(delete(pause).where(pause.c.institution_id == institution_id))
    values = {"institution_id": institution_id, "reason": reason, "since": now, "until": until}
    connection.execute(insert(pause).values(values))
