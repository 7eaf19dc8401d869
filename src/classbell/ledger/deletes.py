"""What runs have deleted, and what they are about to: for the limit of a day."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, case, func, literal_column, select

from classbell.ledger.changes import IS_OPEN
from classbell.ledger.gate import UNLINKED
from classbell.ledger.schema import change, entry, meeting
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


class Deletions(NamedTuple):
    """How many there were, and how many events stood before that do not stand any more: others were put back since."""

    done: int
    gone: int


def deletions(connection: Connection, institution_id: int, moment: float) -> Deletions:
    """What was deleted of an institution since a moment, for certain."""
    done, gone = connection.execute(_DELETED, {"mine": institution_id, "moment": moment}).one()
    return Deletions(done, gone)


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

_OF_PAIRS = (
    select(func.count().label("times"), (func.count(entry.c.event_id) == 0).label("gone"))
    .select_from(change)
    .outerjoin(
        entry, (entry.c.mailbox_id == change.c.mailbox_id) & (entry.c.meeting_id == change.c.meeting_id)
    )
    .where(_MINE, _DELETES, change.c.finished_at >= bindparam("moment"), change.c.state == ChangeState.DONE)
    .group_by(change.c.mailbox_id, change.c.meeting_id)
    .subquery()
)
_DELETED = select(
    func.coalesce(func.sum(_OF_PAIRS.c.times), 0),
    func.coalesce(func.sum(case((_OF_PAIRS.c.gone, 1), else_=0)), 0),
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
