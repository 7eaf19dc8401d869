"""Calendars of our own, by mailbox and name: which are there, and which are perhaps being made."""

from collections.abc import Sequence

from sqlalchemy import (
    BindParameter,
    Column,
    Connection,
    Delete,
    Float,
    ForeignKey,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
)

from classbell.ledger.changes import IS_DUE
from classbell.ledger.database import Database, parts_of
from classbell.ledger.gate import OPEN_GATE
from classbell.ledger.schema import change, mailbox, metadata
from classbell.model import Change

calendar = Table(
    "calendar",
    metadata,
    Column("mailbox_id", ForeignKey("mailbox.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("calendar_id", Text, nullable=False),
)

calendar_intent = Table(
    "calendar_intent",
    metadata,
    Column("mailbox_id", ForeignKey("mailbox.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("send_until", Float, nullable=False, comment="by the service's clock"),
)

Place = tuple[int, str]
"""The number of a mailbox, and the name of a calendar there."""


class Calendars:
    """Those in the institution's mailboxes."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._mine = {"mine": institution_id}

    async def known(self, numbers: Sequence[int]) -> dict[Place, str]:
        """The ids of those in mailboxes of these numbers."""

        def read(connection: Connection) -> dict[Place, str]:
            return {
                (row.mailbox_id, row.name): row.calendar_id
                for part in parts_of(numbers)
                for row in connection.execute(_KNOWN, {**self._mine, "numbers": part})
            }

        return await self._database.read(read)

    async def intended(self, numbers: Sequence[int]) -> dict[Place, float]:
        """
        Those of which nobody can say whether they were made, in mailboxes of these numbers.

        Each with the service's time up to which the request for it may have left.
        """

        def read(connection: Connection) -> dict[Place, float]:
            return {
                (row.mailbox_id, row.name): row.send_until
                for part in parts_of(numbers)
                for row in connection.execute(_INTENDED, {**self._mine, "numbers": part})
            }

        return await self._database.read(read)

    async def intend(self, changes: Sequence[Change], send_until: float) -> set[int]:
        """
        Record, before a request leaves, that the calendars of changes are to be made, and until when that may be asked for.

        Returns:
            The ids of those that may go on: another process may have closed the gate since they were read.
        """

        def write(connection: Connection) -> set[int]:
            numbers = {**self._mine, "numbers": [change.id for change in changes]}
            going = set(connection.execute(_STILL_OPEN, numbers).scalars())
            for one in changes:
                if one.id in going:
                    values = self._values((one.mailbox.id, one.calendar))
                    connection.execute(_FORGET_INTENT, values)
                    connection.execute(_KEEP_INTENT, {**values, "until": send_until})
            return going

        return await self._database.write(write) if changes else set()

    async def withdraw(self, places: Sequence[Place]) -> None:
        """Record that these were certainly not made."""

        def write(connection: Connection) -> None:
            connection.execute(_FORGET_INTENT, [self._values(place) for place in places])

        if places:
            await self._database.write(write)

    async def keep(self, place: Place, calendar_id: str) -> None:
        """Remember the id of one that is there; a later one of the same name takes its place."""
        values = {**self._values(place), "calendar": calendar_id}

        def write(connection: Connection) -> None:
            connection.execute(_FORGET_INTENT, values)
            connection.execute(_FORGET, values)
            connection.execute(_KEEP, values)

        await self._database.write(write)

    def _values(self, place: Place) -> dict[str, int | str]:
        number, name = place
        return {**self._mine, "box": number, "word": name}


_MINE = mailbox.c.institution_id == bindparam("mine")
_THE_BOX = select(mailbox.c.id).where(_MINE, mailbox.c.id == bindparam("box"))
_SOME: BindParameter[Sequence[int]] = bindparam("numbers", expanding=True)


def _forget(table: Table) -> Delete:
    return delete(table).where(table.c.mailbox_id.in_(_THE_BOX), table.c.name == bindparam("word"))


_NAME = bindparam("word", type_=calendar.c.name.type)

_KNOWN = select(calendar).join(mailbox).where(_MINE, mailbox.c.id.in_(_SOME))
_FORGET = _forget(calendar)
_KEEP = insert(calendar).from_select(
    ["mailbox_id", "name", "calendar_id"],
    _THE_BOX.add_columns(_NAME, bindparam("calendar", type_=calendar.c.calendar_id.type)),
)
_STILL_OPEN = select(change.c.id).where(
    change.c.institution_id == bindparam("mine"), change.c.id.in_(_SOME), IS_DUE, OPEN_GATE
)
_INTENDED = select(calendar_intent).join(mailbox).where(_MINE, mailbox.c.id.in_(_SOME))
_FORGET_INTENT = _forget(calendar_intent)
_KEEP_INTENT = insert(calendar_intent).from_select(
    ["mailbox_id", "name", "send_until"],
    _THE_BOX.add_columns(_NAME, bindparam("until", type_=calendar_intent.c.send_until.type)),
)
