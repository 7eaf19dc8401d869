"""What runs have deleted, and what of it a person has had put back."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, or_, select

from classbell.ledger.bits import unsigned
from classbell.ledger.changes import IS_OPEN
from classbell.ledger.database import Database
from classbell.ledger.gate import GOES_IN_LEAVING
from classbell.ledger.keeping import restored
from classbell.ledger.outcomes import CREATING
from classbell.ledger.schema import change, entry, mailbox, meeting
from classbell.model import Action, ChangeState


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """
    An event that a run deleted: ``fingerprint`` says what it looked like, ``calendar`` is its calendar's name.

    That is None where the ledger does not know any more, or never knew, how the event was made.
    """

    mailbox_id: int
    address: str
    meeting_id: int
    source: str
    fingerprint: int
    starts_at: int
    ends_at: int
    calendar: str | None


class Restoring:
    """The institution's deleted events, and those that were put back."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._mine = {"mine": institution_id}

    async def deleted(self, run_id: int, key: str | None = None) -> list[Deleted]:
        """
        What a run deleted and nobody has made again since, by mailbox and meeting.

        Args:
            key: if given, only that of one mailbox.
        """
        query = _DELETED if key is None else _DELETED_THERE
        wanted = {**self._mine, "number": run_id, "box": key}

        def read(connection: Connection) -> list[Deleted]:
            busy = {(box, of) for box, of in connection.execute(_UNDER_WAY, self._mine)}
            return [
                Deleted(
                    mailbox_id=row.mailbox_id,
                    address=row.address,
                    meeting_id=row.meeting_id,
                    source=row.source,
                    fingerprint=unsigned(row.previous),
                    starts_at=row.starts_at,
                    ends_at=row.ends_at,
                    calendar=row.stood_in,
                )
                for row in connection.execute(query, wanted)
                if (row.mailbox_id, row.meeting_id) not in busy
            ]

        return await self._database.read(read)

    async def open(self, run_id: int, key: str | None = None) -> list[tuple[int, int]]:
        """The pairs (mailbox, meeting) of which a run's deletes are still open, in all mailboxes or one."""
        query = _OPEN if key is None else _OPEN.where(mailbox.c.key == bindparam("box"))
        wanted = {**self._mine, "number": run_id, "box": key}
        return await self._database.read(lambda c: [(box, of) for box, of in c.execute(query, wanted)])

    async def pairs(self) -> list[tuple[int, int]]:
        """The pairs (mailbox, meeting) that were put back, and that no source names yet."""
        return await self._database.read(
            lambda c: [(box, of) for box, of in c.execute(_RESTORED, self._mine)]
        )

    async def protect(self, pairs: Sequence[tuple[int, int]], now: float) -> None:
        """Note pairs that are about to be put back."""
        rows = [{**self._mine, "box": box, "of": of, "at": now} for box, of in pairs]

        def write(connection: Connection) -> None:
            self._release(connection, pairs)
            if rows:
                connection.execute(_PROTECT, rows)

        await self._database.write(write)

    async def release(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Let pairs be as any other again."""
        await self._database.write(lambda connection: self._release(connection, pairs))

    def _release(self, connection: Connection, pairs: Sequence[tuple[int, int]]) -> None:
        rows = [self._mine | {"box": box, "of": of} for box, of in pairs]
        if rows:
            connection.execute(_RELEASE, rows)


_MINE = change.c.institution_id == bindparam("mine")
_OURS = select(mailbox.c.id).where(mailbox.c.institution_id == bindparam("mine"))

_made = change.alias("made")
_CALENDAR = (
    select(_made.c.calendar)
    .where(
        _made.c.mailbox_id == change.c.mailbox_id,
        _made.c.operation == change.c.operation,
        or_(*(_made.c.action == action for action in CREATING)),
    )
    .limit(1)
    .scalar_subquery()
)
_STANDS = (
    select(entry.c.event_id)
    .where(entry.c.mailbox_id == change.c.mailbox_id, entry.c.meeting_id == change.c.meeting_id)
    .exists()
)
_MADE_SINCE = (
    select(_made.c.id)
    .where(
        _made.c.mailbox_id == change.c.mailbox_id,
        _made.c.meeting_id == change.c.meeting_id,
        _made.c.id > change.c.id,
        or_(*(_made.c.action == action for action in CREATING)),
        _made.c.state == ChangeState.DONE,
    )
    .exists()
)
_DELETED = (
    select(change, meeting.c.source, mailbox.c.address, _CALENDAR.label("stood_in"))
    .join(mailbox, mailbox.c.id == change.c.mailbox_id)
    .join(meeting, meeting.c.id == change.c.meeting_id)
    .where(
        _MINE,
        change.c.run_id == bindparam("number"),
        change.c.action == Action.DELETE,
        change.c.state == ChangeState.DONE,
        # Gone at the first attempt: its owner had removed it. At a later one it may have been us.
        (change.c.code == "") | (change.c.attempts > 1),
        ~_STANDS,
        ~_MADE_SINCE,
    )
    .order_by(change.c.mailbox_id, change.c.meeting_id)
)
_DELETED_THERE = _DELETED.where(mailbox.c.key == bindparam("box"))
_OPEN = (
    select(change.c.mailbox_id, change.c.meeting_id)
    .join(mailbox, mailbox.c.id == change.c.mailbox_id)
    .where(
        _MINE,
        IS_OPEN,
        ~GOES_IN_LEAVING,
        change.c.run_id == bindparam("number"),
        change.c.action == Action.DELETE,
    )
)
_UNDER_WAY = select(change.c.mailbox_id, change.c.meeting_id).where(_MINE, IS_OPEN)

_RESTORED = select(restored.c.mailbox_id, restored.c.meeting_id).where(restored.c.mailbox_id.in_(_OURS))
# Nothing of somebody who was forgotten meanwhile.
_PROTECT = insert(restored).from_select(
    ["mailbox_id", "meeting_id", "restored_at"],
    select(
        mailbox.c.id,
        bindparam("of", type_=restored.c.meeting_id.type),
        bindparam("at", type_=restored.c.restored_at.type),
    ).where(mailbox.c.id == bindparam("box"), mailbox.c.institution_id == bindparam("mine")),
)
_RELEASE = delete(restored).where(
    restored.c.mailbox_id == bindparam("box"),
    restored.c.meeting_id == bindparam("of"),
    restored.c.mailbox_id.in_(_OURS),
)
