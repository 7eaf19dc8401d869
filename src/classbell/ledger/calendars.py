"""Calendars of our own, by mailbox and name: which are there, and which are perhaps being made."""

from collections.abc import Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True, kw_only=True)
class Intended:
    """Of some changes the ids of those whose calendar is asked for now, and of those where it perhaps was made before."""

    going: set[int] = field(default_factory=set)
    uncertain: set[int] = field(default_factory=set)


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

    async def intend(self, wanted: Sequence[tuple[Change, float]], send_until: float) -> Intended:
        """
        Record, before a request leaves, that the calendars of changes are to be made, and until when that may be asked for.

        Another process may have closed the gate since the changes were read, or asked for the same calendar.

        Args:
            wanted: changes whose calendar is in no list, each with the service's time by which a request for it must
                have left to be in that list, if it was carried out.
            send_until: the service's time after which no request leaves.
        """

        def write(connection: Connection) -> Intended:
            found = Intended()
            numbers = [one.id for one, _ in wanted]
            boxes = [one.mailbox.id for one, _ in wanted]
            going = set(connection.execute(_STILL_OPEN, {**self._mine, "numbers": numbers}).scalars())
            earlier = {
                (row.mailbox_id, row.name): row.send_until
                for row in connection.execute(_INTENDED, {**self._mine, "numbers": boxes})
            }
            for one, listed in wanted:
                place = (one.mailbox.id, one.calendar)
                if earlier.get(place, listed) > listed:
                    found.uncertain.add(one.id)
                elif one.id in going:
                    found.going.add(one.id)
                    connection.execute(_FORGET_INTENT, self._values(place))
                    connection.execute(_KEEP_INTENT, {**self._values(place), "until": send_until})
            return found

        return await self._database.write(write) if wanted else Intended()

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
