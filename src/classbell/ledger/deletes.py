"""What runs have deleted, and what they are about to: for the limit of a day."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, func, literal_column, select

from classbell.ledger.changes import IS_OPEN
from classbell.ledger.gate import UNLINKED
from classbell.ledger.schema import change, meeting
from classbell.ledger.words import among
from classbell.model import Action, ChangeState


class AcceptedDelete(NamedTuple):
    """
    A delete that is under way.

    ``source`` has asked for it, or somebody ``has_left``; ``sent`` says that it may have been carried out.
    """

    mailbox_id: int
    meeting_id: int
    source: str
    has_left: bool
    sent: bool


def count_deleted(connection: Connection, institution_id: int, moment: float) -> int:
    """How many events of an institution were deleted since a moment, for certain."""
    found = connection.execute(_DELETED, {"mine": institution_id, "moment": moment})
    return int(found.scalar_one())


def accepted_deletes(connection: Connection, institution_id: int) -> list[AcceptedDelete]:
    """The deletes of an institution that were accepted and are not done, as far as is known."""
    return [
        AcceptedDelete(box, of, source, bool(left), bool(sent))
        for box, of, source, left, sent in connection.execute(_ACCEPTED, {"mine": institution_id})
    ]


_SENT = (ChangeState.SENT, ChangeState.UNKNOWN)
_MINE = change.c.institution_id == bindparam("mine")
# Spelled out, so that the partial index may answer.
_DELETES: ColumnElement[bool] = literal_column(f"change.action = {int(Action.DELETE)}")

_DELETED = select(func.count()).where(
    _MINE, _DELETES, change.c.finished_at >= bindparam("moment"), change.c.state == ChangeState.DONE
)
_ACCEPTED = (
    select(
        change.c.mailbox_id,
        change.c.meeting_id,
        meeting.c.source,
        change.c.mailbox_id.in_(UNLINKED).label("has_left"),
        among(change.c.state, _SENT).label("sent"),
    )
    .join(meeting, meeting.c.id == change.c.meeting_id)
    .where(
        _MINE,
        IS_OPEN,
        change.c.action == Action.DELETE,
        among(change.c.state, (ChangeState.PENDING, ChangeState.WAITING, *_SENT)),
    )
)
