"""The story of each event in a mailbox: every change that was ever planned for it and is still kept."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from classbell.ledger.bits import unsigned
from classbell.ledger.database import Database
from classbell.ledger.entries import full_key
from classbell.ledger.schema import change, entry, meeting, run
from classbell.model import Action, ChangeState, Reason

_MOST = 5000


@dataclass(frozen=True, kw_only=True)
class Told:
    """
    One change and what came of it. Times are seconds since 1970, 0.0 where it did not happen yet.

    ``planned_at`` is when the run began that planned it; ``request_id`` is Microsoft's for the last answer
    that bore one.
    ``fingerprint`` is that of the rendering which it writes, or of a delete that which it removes.
    """

    meeting_key: str
    run_id: int
    planned_at: float
    action: Action
    reason: Reason
    state: ChangeState
    fingerprint: int
    starts_at: int
    ends_at: int
    incarnation: int
    attempts: int
    sent_at: float
    finished_at: float
    due_at: float
    code: str
    detail: str
    request_id: str


class Stories:
    """The stories of the institution's events."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id

    async def of_mailbox(self, number: int) -> list[Told]:
        """All changes of a mailbox, in the order in which they were planned."""
        query = (
            select(change, run.c.started_at, meeting.c.source, meeting.c.key.label("meeting_key"))
            .join(run, run.c.id == change.c.run_id)
            .join(meeting, meeting.c.id == change.c.meeting_id)
            .where(change.c.institution_id == self._institution_id, change.c.mailbox_id == number)
            .order_by(change.c.id.desc())
            .limit(_MOST)
        )

        def read(connection: Connection) -> list[Told]:
            return [
                Told(
                    meeting_key=full_key(row.source, row.meeting_key),
                    run_id=row.run_id,
                    planned_at=row.started_at,
                    action=Action(row.action),
                    reason=Reason(row.reason),
                    state=ChangeState(row.state),
                    fingerprint=unsigned(row.fingerprint or row.previous),
                    starts_at=row.starts_at,
                    ends_at=row.ends_at,
                    incarnation=row.incarnation,
                    attempts=row.attempts,
                    sent_at=row.sent_at,
                    finished_at=row.finished_at or 0.0,
                    due_at=row.due_at,
                    code=row.code,
                    detail=row.detail,
                    request_id=row.request_id,
                )
                for row in connection.execute(query)
            ][::-1]

        return await self._database.read(read)

    async def written_at(self, number: int) -> dict[str, float]:
        """When each event in a mailbox was last written, by its id."""
        query = (
            select(entry.c.event_id, entry.c.delivered_at)
            .join(meeting, meeting.c.id == entry.c.meeting_id)
            .where(meeting.c.institution_id == self._institution_id, entry.c.mailbox_id == number)
        )
        return await self._database.read(lambda c: dict(c.execute(query).all()))
