"""What runs have deleted, and what they are about to: for the limit of a day."""

from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    select,
)

from classbell.ledger.changes import IS_OPEN
from classbell.ledger.gate import UNLINKED
from classbell.ledger.keeping import counted_delete
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
    since = {"mine": institution_id, "moment": moment}
    done, gone = connection.execute(_DELETED, since).one()
    more_done, more_gone = connection.execute(_COUNTED, since).one()
    return Deletions(done + more_done, gone + more_gone)


def count_on(connection: Connection, institution_id: int, number: int, now: float) -> None:
    """Go on counting what was deleted lately from a mailbox whose rows are to go: when it was, and of nobody any more."""
    standing = set(connection.execute(_STANDING, {"box": number}).scalars())
    wanted = {"mine": institution_id, "box": number, "moment": now - _COUNTED_FOR}
    rows = []
    for of, at in connection.execute(_DELETED_THERE, wanted):
        rows.append({"institution_id": institution_id, "finished_at": at, "gone": int(of not in standing)})
        # Of one pair only the last deletion has left nothing.
        standing.add(of)
    if rows:
        connection.execute(insert(counted_delete), rows)


def forget_counts(connection: Connection, institution_id: int, now: float) -> None:
    """Forget what was counted of nobody, once it is older than any limit asks for."""
    connection.execute(_OUTDATED, {"mine": institution_id, "moment": now - _COUNTED_FOR})


def accepted_deletes(connection: Connection, institution_id: int, moment: float) -> list[AcceptedDelete]:
    """
    The deletes of an institution that were accepted and are not done, as far as is known.

    One that is held is not to be done any more. If it was sent since a moment, it may have been carried out all the same.
    """
    wanted = {"mine": institution_id, "moment": moment}
    return [
        AcceptedDelete(box, of, source, bool(left), bool(sent))
        for box, of, source, left, sent in connection.execute(_ACCEPTED, wanted)
    ]


# The limit is of a day.
_COUNTED_FOR = 2 * 86_400.0
_SENT = (ChangeState.SENT, ChangeState.UNKNOWN, ChangeState.HELD)
_UNDER_WAY = (ChangeState.PENDING, ChangeState.WAITING, ChangeState.SENT, ChangeState.UNKNOWN)
_MINE = change.c.institution_id == bindparam("mine")
# Spelled out, so that the partial index may answer.
IS_DELETE: ColumnElement[bool] = literal_column(f"change.action = {int(Action.DELETE)}")

_OF_PAIRS = (
    select(func.count().label("times"), (func.count(entry.c.event_id) == 0).label("gone"))
    .select_from(change)
    .outerjoin(
        entry, (entry.c.mailbox_id == change.c.mailbox_id) & (entry.c.meeting_id == change.c.meeting_id)
    )
    .where(_MINE, IS_DELETE, change.c.finished_at >= bindparam("moment"), change.c.state == ChangeState.DONE)
    .group_by(change.c.mailbox_id, change.c.meeting_id)
    .subquery()
)
_DELETED = select(
    func.coalesce(func.sum(_OF_PAIRS.c.times), 0),
    func.coalesce(func.sum(case((_OF_PAIRS.c.gone, 1), else_=0)), 0),
)
_DELETED_THERE = (
    select(change.c.meeting_id, change.c.finished_at)
    .where(_MINE, IS_DELETE, change.c.finished_at >= bindparam("moment"), change.c.state == ChangeState.DONE)
    .where(change.c.mailbox_id == bindparam("box"))
    .order_by(change.c.finished_at.desc(), change.c.id.desc())
)
_STANDING = select(entry.c.meeting_id).where(entry.c.mailbox_id == bindparam("box"))
_OF_NOBODY = counted_delete.c.institution_id == bindparam("mine")
_OUTDATED = delete(counted_delete).where(_OF_NOBODY, counted_delete.c.finished_at < bindparam("moment"))
_COUNTED = select(func.count(), func.coalesce(func.sum(counted_delete.c.gone), 0)).where(
    _OF_NOBODY, counted_delete.c.finished_at >= bindparam("moment")
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
        among(change.c.state, _UNDER_WAY)
        | ((change.c.state == ChangeState.HELD) & (change.c.sent_at >= bindparam("moment"))),
    )
)
