"""Mailboxes of one institution: keys, addresses, first contact, and those that are out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, literal, select, update

from classbell.ledger.changes import IS_OPEN, postpone
from classbell.ledger.codes import FENCED, LOST, NEVER
from classbell.ledger.database import Database
from classbell.ledger.schema import change, entry, mailbox
from classbell.model import ChangeState, Mailbox


@dataclass(frozen=True, kw_only=True)
class OutMailbox:
    """
    A mailbox to which nothing is delivered for now, and why.

    ``retry_at`` is when it is tried again; until ``quiet_until`` the service asked us to leave it in peace.
    """

    mailbox: Mailbox
    code: str
    detail: str
    retry_at: float
    quiet_until: float


class Mailboxes:
    """The institution's mailboxes."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id
        self._mine = {"mine": institution_id}

    async def numbers(self) -> dict[str, int]:
        """The number of every known mailbox key."""
        return await self._database.read(lambda c: dict(c.execute(_NUMBERS, self._mine).all()))

    async def out(self) -> list[OutMailbox]:
        """The mailboxes that are out, by address."""

        def read(connection: Connection) -> list[OutMailbox]:
            return [
                OutMailbox(
                    mailbox=mailbox_of(row),
                    code=row.out_code,
                    detail=row.out_detail,
                    retry_at=row.retry_at,
                    quiet_until=row.retry_at if row.out_code in FENCED else row.quiet_until,
                )
                for row in connection.execute(_OUT, self._mine)
            ]

        return await self._database.read(read)

    async def find(self, key: str) -> Mailbox | None:
        """The mailbox of a key, if the ledger knows it."""

        def read(connection: Connection) -> Mailbox | None:
            row = connection.execute(_OF_KEY, {**self._mine, "name": key}).one_or_none()
            return mailbox_of(row) if row is not None else None

        return await self._database.read(read)

    async def contacted(self, numbers: Sequence[int], now: float, id_form: str) -> None:
        """Record that the look at first contact ended well, and in which form ids will be there if there are none yet."""
        boxes = [{**self._mine, "box": number} for number in numbers]

        def write(connection: Connection) -> None:
            connection.execute(_CHANGE, [box | {"contacted_at": now} for box in boxes])
            connection.execute(_IN_FORM, [box | {"form": id_form} for box in boxes])

        if boxes:
            await self._database.write(write)

    async def served_beside(self, numbers: Iterable[int], code: str) -> bool:
        """Whether first contact was made with any mailbox beside these that is not out with this code."""
        besides = {**self._mine, "why": code, "numbers": sorted(set(numbers))}
        return await self._database.read(lambda c: c.execute(_SERVED, besides).first() is not None)

    async def put_out(self, number: int, code: str, detail: str, retry_at: float) -> None:
        """
        Deliver nothing to a mailbox until *retry_at*; its open changes wait with this reason.

        Doubt stays whatever else is wrong: only a rebuild ends it.
        """
        box = self._mine | {"box": number}
        values = {"out_code": code, "out_detail": detail, "retry_at": retry_at}

        def write(connection: Connection) -> None:
            if connection.execute(_OUT_CODE, box).first() is not None:
                connection.execute(_CHANGE, {**box, **values})
                postpone(connection, self._institution_id, number, code, detail, retry_at)
            elif code in FENCED:
                connection.execute(_CHANGE, {**box, "quiet_until": retry_at})

        await self._database.write(write)

    async def put_in(self, number: int) -> None:
        """Deliver to a mailbox again, unless it is in doubt; what waited because it was out is due now."""
        box = self._mine | {"box": number}

        def write(connection: Connection) -> None:
            code = connection.execute(_OUT_CODE, box).scalar()
            if not code:
                return
            connection.execute(_RELEASE, {**box, "why": code})
            connection.execute(_CHANGE, {**box, "out_code": "", "out_detail": "", "retry_at": 0})

        await self._database.write(write)


def mailbox_of(row: Row[Any]) -> Mailbox:
    """The mailbox of a row that names its columns as the table does."""
    return Mailbox(
        id=row.id,
        key=row.key,
        address=row.address,
        contacted=row.contacted_at is not None,
        id_form=row.id_form,
    )


_MINE = mailbox.c.institution_id == bindparam("mine")
_THE_BOX = (_MINE, mailbox.c.id == bindparam("box"))
_SOME: BindParameter[Sequence[int]] = bindparam("numbers", expanding=True)

_NUMBERS = select(mailbox.c.key, mailbox.c.id).where(_MINE)
_OUT = select(mailbox).where(_MINE, mailbox.c.out_code != "").order_by(mailbox.c.address)
# Of who is not in doubt. That a first contact found what it did not know is no doubt yet: the next one looks again.
_OUT_CODE = select(mailbox.c.out_code).where(
    *_THE_BOX, (mailbox.c.out_code != LOST) | (mailbox.c.retry_at < NEVER)
)
_OF_KEY = select(mailbox).where(_MINE, mailbox.c.key == bindparam("name"))
_CHANGE = update(mailbox).where(*_THE_BOX)
_IN_FORM = (
    update(mailbox)
    .where(*_THE_BOX, ~select(entry.c.mailbox_id).where(entry.c.mailbox_id == mailbox.c.id).exists())
    .values(id_form=bindparam("form"))
)
_SERVED = (
    select(literal(1))
    .where(_MINE, mailbox.c.contacted_at.is_not(None), mailbox.c.out_code != bindparam("why"))
    .where(mailbox.c.id.not_in(_SOME))
    .limit(1)
)

_RELEASE = (
    update(change)
    .where(
        change.c.institution_id == bindparam("mine"),
        change.c.mailbox_id == bindparam("box"),
        IS_OPEN,
        change.c.state == ChangeState.WAITING,
        change.c.code == bindparam("why"),
    )
    .values(state=ChangeState.PENDING, code="", detail="", due_at=0)
)
