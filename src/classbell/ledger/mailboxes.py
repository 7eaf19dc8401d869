"""Mailboxes of one institution: keys, addresses, first contact, and those that are out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, literal, select, update

from classbell.ledger.changes import IS_OPEN, postpone
from classbell.ledger.database import Database, parts_of
from classbell.ledger.schema import calendar, change, mailbox
from classbell.model import ChangeState, Mailbox


@dataclass(frozen=True, kw_only=True)
class OutMailbox:
    """A mailbox to which nothing is delivered for now, and why; ``retry_at`` is when it is tried again."""

    mailbox: Mailbox
    code: str
    detail: str
    retry_at: float


class Mailboxes:
    """The institution's mailboxes."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id
        self._mine = mailbox.c.institution_id == institution_id

    async def numbers(self) -> dict[str, int]:
        """The number of every known mailbox key."""
        query = select(mailbox.c.key, mailbox.c.id).where(self._mine)
        return await self._database.read(lambda c: dict(c.execute(query).all()))

    async def out(self) -> list[OutMailbox]:
        """The mailboxes that are out, by address."""
        query = select(mailbox).where(self._mine, mailbox.c.out_code != "").order_by(mailbox.c.address)

        def read(connection: Connection) -> list[OutMailbox]:
            return [
                OutMailbox(
                    mailbox=_mailbox(row), code=row.out_code, detail=row.out_detail, retry_at=row.retry_at
                )
                for row in connection.execute(query)
            ]

        return await self._database.read(read)

    async def find(self, key: str) -> Mailbox | None:
        """The mailbox of a key, if the ledger knows it."""
        query = select(mailbox).where(self._mine, mailbox.c.key == key)

        def read(connection: Connection) -> Mailbox | None:
            row = connection.execute(query).one_or_none()
            return _mailbox(row) if row is not None else None

        return await self._database.read(read)

    async def contacted(self, numbers: Sequence[int], now: float) -> None:
        """Record that the look at first contact ended well."""
        statement = (
            update(mailbox).where(self._mine, mailbox.c.id == bindparam("number")).values(contacted_at=now)
        )
        rows = [{"number": number} for number in numbers]
        if rows:
            await self._database.write(lambda c: c.execute(statement, rows))

    async def served_beside(self, numbers: Iterable[int], code: str) -> bool:
        """Whether first contact was made with any mailbox beside these that is not out with this code."""
        query = (
            select(literal(1))
            .where(self._mine, mailbox.c.contacted_at.is_not(None), mailbox.c.out_code != code)
            .where(mailbox.c.id.not_in(set(numbers)))
            .limit(1)
        )
        return await self._database.read(lambda c: c.execute(query).first() is not None)

    async def calendars(self, numbers: Sequence[int]) -> dict[tuple[int, str], str]:
        """The ids of our own calendars: by mailbox number and calendar name."""
        query = select(calendar).join(mailbox, mailbox.c.id == calendar.c.mailbox_id).where(self._mine)

        def read(connection: Connection) -> dict[tuple[int, str], str]:
            return {
                (row.mailbox_id, row.name): row.calendar_id
                for part in parts_of(numbers)
                for row in connection.execute(query.where(mailbox.c.id.in_(part)))
            }

        return await self._database.read(read)

    async def keep_calendar(self, number: int, name: str, calendar_id: str) -> None:
        """Remember the id of a calendar of ours; a later one of the same name takes its place."""
        ours = select(mailbox.c.id).where(self._mine, mailbox.c.id == number)
        row = select(mailbox.c.id, literal(name), literal(calendar_id)).where(
            self._mine, mailbox.c.id == number
        )

        def write(connection: Connection) -> None:
            connection.execute(
                delete(calendar).where(calendar.c.mailbox_id.in_(ours), calendar.c.name == name)
            )
            connection.execute(insert(calendar).from_select(["mailbox_id", "name", "calendar_id"], row))

        await self._database.write(write)

    async def put_out(self, number: int, code: str, detail: str, retry_at: float) -> None:
        """Deliver nothing to a mailbox until *retry_at*; its open changes wait with this reason."""
        statement = (
            update(mailbox)
            .where(self._mine, mailbox.c.id == number)
            .values(out_code=code, out_detail=detail, retry_at=retry_at)
        )

        def write(connection: Connection) -> None:
            connection.execute(statement)
            postpone(connection, self._institution_id, number, code, detail, retry_at)

        await self._database.write(write)

    async def put_in(self, number: int) -> None:
        """Deliver to a mailbox again; what waited because it was out is due now."""
        box = (self._mine, mailbox.c.id == number)
        waiting = (
            change.c.institution_id == self._institution_id,
            change.c.mailbox_id == number,
            IS_OPEN,
            change.c.state == ChangeState.WAITING,
        )

        def write(connection: Connection) -> None:
            code = connection.execute(select(mailbox.c.out_code).where(*box)).scalar()
            if not code:
                return
            connection.execute(
                update(change)
                .where(*waiting, change.c.code == code)
                .values(state=ChangeState.PENDING, code="", detail="", due_at=0)
            )
            connection.execute(update(mailbox).where(*box).values(out_code="", out_detail="", retry_at=0))

        await self._database.write(write)


def _mailbox(row: Row[Any]) -> Mailbox:
    return Mailbox(id=row.id, key=row.key, address=row.address, contacted=row.contacted_at is not None)
