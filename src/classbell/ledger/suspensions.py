"""
Suspensions: persons, and whole institutions, for whom nothing is written because somebody wants it so.

A person has at most one of them, and who gets nothing at all any more cannot be paused as well.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Update, bindparam, delete, insert, or_, select, update

from classbell.ledger.changes import IS_OPEN
from classbell.ledger.database import Database, insert_one
from classbell.ledger.gate import GOES_IN_LEAVING, UNLINKED
from classbell.ledger.schema import change, mailbox, metadata, pause, suspension
from classbell.ledger.words import among
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
        self._mine = {"mine": institution_id}

    async def all(self) -> list[Suspension]:
        """All of them, by address."""

        def read(connection: Connection) -> list[Suspension]:
            return [
                Suspension(
                    mailbox=Mailbox(
                        id=row.mailbox_id,
                        key=row.key,
                        address=row.address,
                        contacted=row.contacted_at is not None,
                        id_form=row.id_form,
                    ),
                    kind=Suspended(row.kind),
                    reason=row.reason,
                    since=row.since,
                    until=row.until,
                )
                for row in connection.execute(_ALL, self._mine)
            ]

        return await self._database.read(read)

    async def of(self, key: str) -> Suspension | None:
        """That of one person, by the key of the mailbox."""
        return next((one for one in await self.all() if one.mailbox.key == key), None)

    async def unlinked(self) -> list[int]:
        """The mailboxes of persons who get nothing any more, ascending."""
        return await self._database.read(lambda c: list(c.execute(_UNLINKED, self._mine).scalars()))

    async def suspend(
        self, key: str, kind: Suspended, reason: str, now: float, until: float | None = None
    ) -> None:
        """Write nothing to a person's mailbox from now on; it is entered if the ledger does not know it."""

        def write(connection: Connection) -> None:
            number = connection.execute(_OF_KEY, {**self._mine, "name": key}).scalar()
            if number is None:
                values = {"institution_id": self._institution_id, "key": key, "address": key}
                number = insert_one(connection, _ENTER, values)
            suspend(connection, number, kind, reason, now, until)

        await self._database.write(write)

    async def stop(self, number: int, reason: str, now: float) -> None:
        """Write nothing more to a mailbox whose owner has deleted our calendar."""

        def write(connection: Connection) -> None:
            box = self._mine | {"box": number}
            if connection.execute(_TO_STOP, box).first() is not None:
                suspend(connection, number, Suspended.CALENDAR, reason, now, None)

        await self._database.write(write)

    async def lift(self, number: int, kind: Suspended | None = None) -> None:
        """
        Write to a mailbox again; if *kind* is given, only if it was suspended for that.

        Without *kind* it is forgotten where there never was anything but the suspension.
        """
        of = {**self._mine, "box": number, "kind": kind}

        def write(connection: Connection) -> None:
            keep_events, lift = (_KEEP_EVENTS, _LIFT) if kind is None else (_KEEP_EVENTS_IF, _LIFT_IF)
            connection.execute(keep_events, of)
            connection.execute(lift, of)
            if kind is None and not connection.execute(_HAS_ROWS, of).scalar():
                # Entered by a pause alone, perhaps of a misspelled address: nobody is to look for it later.
                connection.execute(_NEVER_MET, of)

        await self._database.write(write)

    async def pause(self) -> Pause | None:
        """Whether the whole institution is paused."""

        def read(connection: Connection) -> Pause | None:
            row = connection.execute(_PAUSE, self._mine).one_or_none()
            return Pause(reason=row.reason, since=row.since, until=row.until) if row is not None else None

        return await self._database.read(read)

    async def pause_all(self, reason: str, now: float, until: float | None = None) -> Pause:
        """
        Write nothing for the institution from now on; the pause that holds then.

        One without an end, as after a purge, stays so whatever is asked for: only to resume ends it.
        """

        def write(connection: Connection) -> Pause:
            row = connection.execute(_PAUSE, self._mine).one_or_none()
            if row is not None and row.until is None and until is not None:
                return Pause(reason=row.reason, since=row.since, until=None)
            pause_all(connection, self._institution_id, reason, now, until)
            return Pause(reason=reason, since=now, until=until)

        return await self._database.write(write)

    async def resume_all(self) -> None:
        """Write for the institution again; persons who are suspended for themselves stay so."""

        def write(connection: Connection) -> None:
            for statement in (_RESUME, _KEEP_EVENTS_OF_ALL, _COME_BACK):
                connection.execute(statement, self._mine)

        await self._database.write(write)

    async def expire(self, now: float) -> None:
        """
        End what was to end by now.

        What an unknown create has left behind is given up for persons who get nothing any more: it was looked for
        and not found, and must not be sent again.
        """

        def write(connection: Connection) -> None:
            for statement in (_EXPIRE, _EXPIRE_PAUSE, _GIVE_UP):
                connection.execute(statement, {**self._mine, "now": now})

        await self._database.write(write)


def suspend(
    connection: Connection, number: int, kind: Suspended, reason: str, now: float, until: float | None
) -> None:
    """Suspend a mailbox, in the place of whatever suspension it had."""
    connection.execute(_FORGET, {"box": number})
    values = {"mailbox_id": number, "kind": kind.value, "reason": reason, "since": now, "until": until}
    connection.execute(_SUSPEND, values)


def pause_all(
    connection: Connection, institution_id: int, reason: str, now: float, until: float | None
) -> None:
    """Pause an institution, in the place of whatever pause it had."""
    connection.execute(_RESUME, {"mine": institution_id})
    values = {"institution_id": institution_id, "reason": reason, "since": now, "until": until}
    connection.execute(_PAUSE_ALL, values)


_OURS = select(mailbox.c.id).where(mailbox.c.institution_id == bindparam("mine"))
_IS_OURS = suspension.c.mailbox_id.in_(_OURS)

_ALL = (
    select(suspension, mailbox.c.key, mailbox.c.address, mailbox.c.contacted_at, mailbox.c.id_form)
    .join(mailbox, mailbox.c.id == suspension.c.mailbox_id)
    .where(mailbox.c.institution_id == bindparam("mine"))
    .order_by(mailbox.c.address)
)
_UNLINKED = UNLINKED.where(_IS_OURS).order_by(suspension.c.mailbox_id)
_OF_KEY = _OURS.where(mailbox.c.key == bindparam("name"))
_ENTER = insert(mailbox)
_TO_STOP = _OURS.where(mailbox.c.id == bindparam("box"), mailbox.c.id.not_in(select(suspension.c.mailbox_id)))
_SUSPEND = insert(suspension)
_FORGET = delete(suspension).where(suspension.c.mailbox_id == bindparam("box"))

_THAT = (suspension.c.mailbox_id == bindparam("box")) & _IS_OURS
_THAT_IF = _THAT & (suspension.c.kind == bindparam("kind"))
_LIFT = delete(suspension).where(_THAT)
_LIFT_IF = delete(suspension).where(_THAT_IF)
_HAS_ROWS = select(
    or_(
        *(
            select(table.c.mailbox_id).where(table.c.mailbox_id == bindparam("box")).exists()
            for table in metadata.sorted_tables
            if "mailbox_id" in table.c
        )
    )
)
_NEVER_MET = delete(mailbox).where(
    mailbox.c.id == bindparam("box"),
    mailbox.c.institution_id == bindparam("mine"),
    mailbox.c.contacted_at.is_(None),
)
_COME_BACK = delete(suspension).where(suspension.c.kind == Suspended.PURGED.value, _IS_OURS)
_EXPIRE = delete(suspension).where(_IS_OURS, suspension.c.until <= bindparam("now"))

_OUR_PAUSE = pause.c.institution_id == bindparam("mine")
_PAUSE = select(pause).where(_OUR_PAUSE)
_PAUSE_ALL = insert(pause)
_RESUME = delete(pause).where(_OUR_PAUSE)
_EXPIRE_PAUSE = delete(pause).where(_OUR_PAUSE, pause.c.until <= bindparam("now"))

_NOT_SENT = (
    change.c.institution_id == bindparam("mine"),
    IS_OPEN,
    among(change.c.state, (ChangeState.PENDING, ChangeState.WAITING)),
)


def _given_up(*where: ColumnElement[bool]) -> Update:
    return update(change).where(*_NOT_SENT, *where).values(state=ChangeState.SUPERSEDED)


# What was to go when they left, and stands there still.
_KEEP_EVENTS, _KEEP_EVENTS_IF, _KEEP_EVENTS_OF_ALL = (
    _given_up(GOES_IN_LEAVING, change.c.mailbox_id.in_(boxes))
    for boxes in (
        select(suspension.c.mailbox_id).where(_THAT),
        select(suspension.c.mailbox_id).where(_THAT_IF),
        _OURS.where(
            mailbox.c.id.not_in(
                select(suspension.c.mailbox_id).where(suspension.c.kind == Suspended.UNLINKED.value)
            )
        ),
    )
)
_GIVE_UP = _given_up(change.c.mailbox_id.in_(UNLINKED), ~GOES_IN_LEAVING)
