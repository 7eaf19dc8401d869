"""What runs have deleted, and what of it a person has had put back."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from classbell.ledger.bits import unsigned
from classbell.ledger.changes import IS_OPEN
from classbell.ledger.database import Database, parts_of
from classbell.ledger.keeping import restored
from classbell.ledger.outcomes import CREATING
from classbell.ledger.schema import change, entry, mailbox, meeting
from classbell.model import Action, ChangeState


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """An event that a run deleted: ``fingerprint`` says what it looked like, ``calendar`` is its calendar's name."""

    mailbox_id: int
    address: str
    meeting_id: int
    source: str
    fingerprint: int
    starts_at: int
    ends_at: int
    calendar: str


class Restoring:
    """The institution's deleted events, and those that were put back."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id
        self._ours = select(mailbox.c.id).where(mailbox.c.institution_id == institution_id)

    async def deleted(self, run_id: int, key: str | None = None) -> list[Deleted]:
        """
        What a run deleted and nobody has made again since, by mailbox and meeting.

        Args:
            key: if given, only that of one mailbox.
        """
        made = change.alias("made")
        calendar = (
            select(made.c.calendar)
            .where(
                made.c.mailbox_id == change.c.mailbox_id,
                made.c.operation == change.c.operation,
                made.c.action.in_(CREATING),
            )
            .limit(1)
            .scalar_subquery()
        )
        stands = (
            select(entry.c.event_id)
            .where(entry.c.mailbox_id == change.c.mailbox_id, entry.c.meeting_id == change.c.meeting_id)
            .exists()
        )
        under_way = select(change.c.mailbox_id, change.c.meeting_id).where(
            change.c.institution_id == self._institution_id, IS_OPEN
        )
        query = (
            select(change, meeting.c.source, mailbox.c.address, calendar.label("stood_in"))
            .join(mailbox, mailbox.c.id == change.c.mailbox_id)
            .join(meeting, meeting.c.id == change.c.meeting_id)
            .where(
                change.c.institution_id == self._institution_id,
                change.c.run_id == run_id,
                change.c.action == Action.DELETE,
                change.c.state == ChangeState.DONE,
                # Gone at the first attempt: its owner had removed it. At a later one it may have been us.
                (change.c.code == "") | (change.c.attempts > 1),
                ~stands,
            )
            .order_by(change.c.mailbox_id, change.c.meeting_id)
        )
        if key is not None:
            query = query.where(mailbox.c.key == key)

        def read(connection: Connection) -> list[Deleted]:
            busy = {(box, of) for box, of in connection.execute(under_way)}
            return [
                Deleted(
                    mailbox_id=row.mailbox_id,
                    address=row.address,
                    meeting_id=row.meeting_id,
                    source=row.source,
                    fingerprint=unsigned(row.previous),
                    starts_at=row.starts_at,
                    ends_at=row.ends_at,
                    calendar=row.stood_in or "",
                )
                for row in connection.execute(query)
                if (row.mailbox_id, row.meeting_id) not in busy
            ]

        return await self._database.read(read)

    async def pairs(self) -> list[tuple[int, int]]:
        """The pairs (mailbox, meeting) that were put back, and that no source names yet."""
        query = select(restored.c.mailbox_id, restored.c.meeting_id).where(
            restored.c.mailbox_id.in_(self._ours)
        )
        return await self._database.read(lambda c: [(box, of) for box, of in c.execute(query)])

    async def protect(self, pairs: Sequence[tuple[int, int]], now: float) -> None:
        """Note pairs that are about to be put back."""
        rows = [{"mailbox_id": box, "meeting_id": of, "restored_at": now} for box, of in pairs]

        def write(connection: Connection) -> None:
            self._release(connection, pairs)
            if rows:
                connection.execute(insert(restored), rows)

        await self._database.write(write)

    async def release(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Let pairs be as any other again."""
        await self._database.write(lambda connection: self._release(connection, pairs))

    def _release(self, connection: Connection, pairs: Sequence[tuple[int, int]]) -> None:
        of_mailbox: dict[int, list[int]] = {}
        for box, of in pairs:
            of_mailbox.setdefault(box, []).append(of)
        for box, meetings in of_mailbox.items():
            for part in parts_of(meetings):
                connection.execute(
                    delete(restored).where(
                        restored.c.mailbox_id == box,
                        restored.c.mailbox_id.in_(self._ours),
                        restored.c.meeting_id.in_(part),
                    )
                )
