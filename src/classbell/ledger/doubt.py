"""Doubt: a ledger that is not the newest one, or may not be, writes nothing until it is rebuilt."""

from enum import Enum, auto

from sqlalchemy import ColumnElement, Connection, case, or_, select, true, update

from classbell.ledger.changes import IS_OPEN
from classbell.ledger.codes import FENCED, LOST, NEVER
from classbell.ledger.schema import change, mailbox
from classbell.ledger.words import among
from classbell.model import ChangeState

_OLD = "an older copy of the ledger is in use; nothing is written there until it is rebuilt"
OVERTAKEN = "an event of a newer ledger stands there; nothing is written there until it is rebuilt"


class Doubt(Enum):
    """How much a ledger must be doubted: not at all, in one mailbox, or as a whole."""

    NONE = auto()
    MAILBOX = auto()
    LEDGER = auto()


def doubt(connection: Connection, why: str = _OLD, which: ColumnElement[bool] | None = None) -> None:
    """
    Hold every mailbox of every institution until it is rebuilt: this ledger is not the newest one.

    Nothing that is open goes on either, for it may have been carried out long ago. Who has asked to be left in peace is
    not asked by a rebuild before that is over.

    Args:
        which: if given, the mailboxes that alone are held.
    """
    mailboxes = true() if which is None else which
    values = {
        "contacted_at": None,
        "out_code": LOST,
        "out_detail": why,
        "retry_at": NEVER,
        "quiet_until": _QUIET,
    }
    connection.execute(update(mailbox).where(mailboxes).values(values))
    there = true() if which is None else change.c.mailbox_id.in_(select(mailbox.c.id).where(which))
    waiting = (ChangeState.PENDING, ChangeState.WAITING)
    unknown = (ChangeState.SENT, ChangeState.UNKNOWN)
    for states, into in ((waiting, ChangeState.WAITING), (unknown, ChangeState.UNKNOWN)):
        connection.execute(
            update(change)
            .where(IS_OPEN, there, or_(*(change.c.state == state for state in states)))
            .values(state=into, code=LOST, detail="waits until its mailbox is rebuilt", due_at=NEVER)
        )


_QUIET = case((among(mailbox.c.out_code, sorted(FENCED)), mailbox.c.retry_at), else_=mailbox.c.quiet_until)
