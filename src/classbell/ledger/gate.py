"""
The gate: which open changes must not be carried out because somebody wants nothing written there.

What is behind it stays as it is and keeps its own reason; it goes on when the gate opens. Of somebody who was
unlinked only what was approved with that goes through, and looks for what became of a create, which write nothing.
"""

from sqlalchemy import ColumnElement, case, func, or_, select

from classbell.ledger.schema import change, pause, suspension
from classbell.model import Action, ChangeState, Reason, Suspended

_LEFT = (Suspended.UNLINKED.value, Suspended.PURGED.value)

UNLINKED = select(suspension.c.mailbox_id).where(suspension.c.kind.in_(_LEFT))
"""The mailboxes of persons who get nothing any more."""

_STOPPED = select(suspension.c.mailbox_id).where(suspension.c.kind.not_in(_LEFT))

OPEN_GATE: ColumnElement[bool] = change.c.mailbox_id.not_in(_STOPPED) & (
    change.c.mailbox_id.not_in(UNLINKED)
    | (change.c.action == Action.DELETE)
    | ((change.c.action == Action.CREATE) & (change.c.state == ChangeState.UNKNOWN))
)
"""Whether a change may be carried out as far as the wishes of people go."""

# Asked row by row, so by key. A calendar that its owner has deleted is no matter: nothing can be written there.
_SUSPENDED = (
    select(suspension.c.mailbox_id)
    .where(
        suspension.c.mailbox_id == change.c.mailbox_id,
        or_(
            suspension.c.kind == Suspended.PAUSED.value,
            # Spelled out: a list cannot be given to many rows at once.
            or_(*(suspension.c.kind == kind for kind in _LEFT)) & (change.c.action != Action.DELETE),
        ),
    )
    .exists()
)
_PAUSED = (
    select(pause.c.institution_id)
    .where(pause.c.institution_id == change.c.institution_id, change.c.reason != Reason.UNLINKED)
    .exists()
)
STILL_WANTED: ColumnElement[bool] = ~_SUSPENDED & ~_PAUSED
"""Whether a change that was read a while ago may still be sent: another process may have closed the gate since."""

CODES = {
    Suspended.PAUSED: "E-PAUSED",
    Suspended.UNLINKED: "E-UNLINKED",
    Suspended.PURGED: "E-UNLINKED",
    Suspended.CALENDAR: "E-CAL-STOPPED",
}

_SHUT = ~OPEN_GATE
# Of a change joined with its mailbox's suspension: why it waits, in one word and in a sentence.
WHY = case(
    *((_SHUT & (suspension.c.kind == kind.value), code) for kind, code in CODES.items()), else_=change.c.code
)
WHY_IN_WORDS = case((_SHUT, suspension.c.reason), else_=change.c.detail)
TRIED_AT = case((_SHUT, func.coalesce(suspension.c.until, 0.0)), else_=change.c.due_at)
