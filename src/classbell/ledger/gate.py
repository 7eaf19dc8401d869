"""
The gate: which open changes must not be carried out because somebody wants nothing written there.

What is behind it stays as it is and keeps its own reason; it goes on when the gate opens. Of somebody who was
unlinked only what was approved with that goes through, and looks for what became of a create, which write nothing.
Where a whole institution leaves, what was approved goes through for those as well who are paused for themselves, and
stay so: who resumes the institution has said nothing of them.
"""

from sqlalchemy import ColumnElement, bindparam, case, func, or_, select

from classbell.ledger.schema import change, pause, suspension
from classbell.ledger.words import among
from classbell.model import Action, ChangeState, Reason, Suspended

_LEFT = (Suspended.UNLINKED.value, Suspended.PURGED.value)

UNLINKED = select(suspension.c.mailbox_id).where(among(suspension.c.kind, _LEFT))
"""The mailboxes of persons who get nothing any more."""

_STOPPED = select(suspension.c.mailbox_id).where(~among(suspension.c.kind, _LEFT))

GOES_IN_LEAVING: ColumnElement[bool] = (change.c.action == Action.DELETE) & (
    change.c.reason == Reason.UNLINKED
)
"""Whether a change was approved with a departure."""

_ALL_PAUSED = change.c.institution_id.in_(select(pause.c.institution_id))
_FOR_THEMSELVES = change.c.mailbox_id.in_(_STOPPED)

# An institution that leaves is paused in the same transaction, and nobody else's departure is carried out then.
OPEN_GATE: ColumnElement[bool] = (
    (~_ALL_PAUSED & ~_FOR_THEMSELVES) | (GOES_IN_LEAVING & (_ALL_PAUSED | ~_FOR_THEMSELVES))
) & (
    change.c.mailbox_id.not_in(UNLINKED)
    | GOES_IN_LEAVING
    | ((change.c.action == Action.CREATE) & (change.c.state == ChangeState.UNKNOWN))
)
"""Whether a change may be carried out as far as the wishes of people go."""


def _suspended(*kinds: str) -> ColumnElement[bool]:
    """Whether the mailbox of a change is suspended for one of these reasons: asked row by row, so by key."""
    which = among(suspension.c.kind, kinds)
    return (
        select(suspension.c.mailbox_id).where(suspension.c.mailbox_id == change.c.mailbox_id, which).exists()
    )


_PAUSED = select(pause.c.institution_id).where(pause.c.institution_id == change.c.institution_id).exists()
IS_PAUSED: ColumnElement[bool] = or_(_suspended(Suspended.PAUSED), _PAUSED)
"""Whether somebody has paused the mailbox of a change, or its institution."""

# A calendar that its owner has deleted is no matter: nothing can be written there.
STILL_WANTED: ColumnElement[bool] = or_(
    ~_suspended(Suspended.PAUSED, *_LEFT) & ~_PAUSED,
    GOES_IN_LEAVING & (~_suspended(Suspended.PAUSED) | _PAUSED),
)
"""Whether a change that was read a while ago may still be sent: another process may have closed the gate since."""

OUTLIVED: ColumnElement[bool] = (
    (change.c.action == Action.DELETE)
    & ~GOES_IN_LEAVING
    & among(change.c.state, (ChangeState.PENDING, ChangeState.WAITING))
    & (change.c.ends_at <= bindparam("now"))
)
"""Whether a delete waited until its event had ended: what has ended stays, unless its request may be under way already."""

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
