"""Open changes by what they wait for, whoever planned them."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, exists, func, select

from classbell.ledger.codes import LOST
from classbell.ledger.gate import CODES, TRIED_AT, WHY, WHY_IN_WORDS
from classbell.ledger.schema import OPEN_STATES, change, mailbox, pause, suspension
from classbell.ledger.words import among
from classbell.model import ChangeState, Suspended


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """
    How many open changes stand in a state for the same reason, and when the first is due.

    None stand in mailboxes in doubt of which it is not known whether anything is to be done there.
    """

    state: ChangeState
    code: str
    detail: str
    changes: int
    mailboxes: int
    due_at: float


def read_waiting(connection: Connection, institution_id: int, only: str | None = None) -> list[Waiting]:
    """The open changes of an institution, or of the mailbox with a key, by state and reason."""
    mine = {"mine": institution_id}
    found = [
        Waiting(
            state=ChangeState(state), code=code, detail=detail, changes=count, mailboxes=boxes, due_at=due
        )
        for state, code, detail, count, boxes, due in connection.execute(
            _WAITING if only is None else _WAITING_THERE, mine | {"box": only}
        )
    ]
    row = connection.execute(_PAUSE, mine).one_or_none()
    if row is None:
        return found + _doubted(connection, mine | {"box": only})
    return [
        replace(one, code=CODES[Suspended.PAUSED], detail=row.reason, due_at=row.until or 0.0)
        for one in found
    ]


def _doubted(connection: Connection, asked: dict[str, object]) -> list[Waiting]:
    """The mailboxes in doubt in which nothing waits: without a rebuild nobody knows whether all is well there."""
    count, detail = connection.execute(_DOUBTED if asked["box"] is None else _DOUBTED_THERE, asked).one()
    if not count:
        return []
    waits = ChangeState.WAITING
    return [Waiting(state=waits, code=LOST, detail=detail, changes=0, mailboxes=count, due_at=0.0)]


_WAITING = (
    select(
        change.c.state,
        WHY.label("why"),
        func.min(WHY_IN_WORDS),
        func.count(),
        func.count(change.c.mailbox_id.distinct()),
        func.min(TRIED_AT),
    )
    .outerjoin(suspension, suspension.c.mailbox_id == change.c.mailbox_id)
    .where(change.c.institution_id == bindparam("mine"), among(change.c.state, OPEN_STATES))
    .group_by(change.c.state, "why")
    .order_by(change.c.state, "why")
)
_WAITING_THERE = _WAITING.where(
    change.c.mailbox_id.in_(
        select(mailbox.c.id).where(
            mailbox.c.institution_id == bindparam("mine"), mailbox.c.key == bindparam("box")
        )
    )
)

_DOUBTED = select(func.count(), func.min(mailbox.c.out_detail)).where(
    mailbox.c.institution_id == bindparam("mine"),
    mailbox.c.out_code == LOST,
    ~exists().where(suspension.c.mailbox_id == mailbox.c.id),
    ~exists().where(
        change.c.mailbox_id == mailbox.c.id, change.c.code == LOST, among(change.c.state, OPEN_STATES)
    ),
)
_DOUBTED_THERE = _DOUBTED.where(mailbox.c.key == bindparam("box"))

_PAUSE = select(pause).where(pause.c.institution_id == bindparam("mine"))
