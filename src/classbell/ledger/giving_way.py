"""
Giving way: what becomes of open changes of earlier plans when another one is accepted.

What was never sent and is not asked for again is given up. What may have been sent cannot be called back; but a delete
that nobody asks for any more is not sent a second time: its event is looked for, and stays if it is there.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import BindParameter, Connection, Select, bindparam, delete, select, update

from classbell.ledger.changes import IS_OPEN, UNSETTLED
from classbell.ledger.database import parts_of
from classbell.ledger.gate import GOES_IN_LEAVING, UNLINKED
from classbell.ledger.outcomes import CREATING
from classbell.ledger.rows import ROWS_AT_ONCE, Rows
from classbell.ledger.schema import change, meeting
from classbell.ledger.words import among
from classbell.model import Action, ChangeState, Reason
from classbell.plan import Mask

if TYPE_CHECKING:
    from classbell.ledger.acceptance import Accepted


def give_way(
    connection: Connection, institution_id: int, accepted: "Accepted", rows: Rows, run_id: int
) -> Mask:
    """
    Supersede open changes that a new plan does not repeat; a mask of those rows that it does.

    What it repeats is its run's from now on. Of a source that it does not answer for, only deletes are given up: whether
    they are still wanted nobody knows.
    """
    query = _TO_GIVE_WAY if accepted.only is None else _TO_GIVE_WAY_THERE
    wanted = {"mine": institution_id, "box": accepted.only}
    repeated = np.zeros(len(rows), dtype=np.bool_)
    untried: list[dict[str, int]] = []
    tried: list[dict[str, int]] = []
    kept: list[int] = []
    for found in connection.execute(query, wanted).partitions(ROWS_AT_ONCE):
        places = rows.places([row.mailbox_id for row in found], [row.meeting_id for row in found])
        asked = rows.repeat(
            places,
            [row.action for row in found],
            [row.fingerprint for row in found],
            [row.calendar for row in found],
            [row.policy for row in found],
        )
        repeated[places[asked]] = True
        kept += [found[index].id for index in np.flatnonzero(asked).tolist()]
        for index in np.flatnonzero(~asked).tolist():
            row = found[index]
            if places[index] >= 0 or not stays(row, accepted):
                (tried if row.sent_at else untried).append({"number": row.id})
    for part in parts_of(kept):
        connection.execute(_TAKE_OVER, {"numbers": part, "run": run_id})
    if untried:
        connection.execute(_REMOVE, untried)
    if tried:
        connection.execute(_SUPERSEDE, tried)
    return repeated


def stays(row: Any, accepted: "Accepted") -> bool:
    """Whether an open change goes on that a new plan does not speak of."""
    if row.source not in accepted.sources_read:
        return not (accepted.is_of_now and row.action == Action.DELETE)
    # Of what a person has had put back it is known that no source names it.
    unknown = row.reason == Reason.PUT_BACK or (row.source, row.mailbox_id) in accepted.unread
    return row.action in CREATING and unknown


def reprieve(connection: Connection, institution_id: int, accepted: "Accepted") -> None:
    """Let deletes that may have been sent be looked for only, where nobody asks for them now; and all others go on."""
    query = _UNHEARD if accepted.only is None else _UNHEARD_THERE
    spared: list[int] = []
    condemned: list[int] = []
    for row in connection.execute(query, {"mine": institution_id, "box": accepted.only}):
        wanted = (row.mailbox_id, row.meeting_id) in accepted.wanted_again
        if wanted or row.source not in accepted.sources_read:
            spared.append(row.id)
        elif row.reason == Reason.REPRIEVED:
            condemned.append(row.id)
    for numbers, reason in ((spared, Reason.REPRIEVED), (condemned, Reason.REMOVED)):
        for part in parts_of(numbers):
            connection.execute(_CALL_IT, {"numbers": part, "why": reason})


def take_back(connection: Connection, institution_id: int, run_id: int, only: int | None) -> None:
    """Give up the deletes of a run that are open, in all mailboxes or one; of those that may have been sent only a second sending."""
    mine = {"mine": institution_id, "run": run_id, "box": only}
    for statement in (_TAKE_BACK, _SPARE):
        connection.execute(statement if only is None else statement.where(_THERE), mine)


_MINE = change.c.institution_id == bindparam("mine")
_THERE = change.c.mailbox_id == bindparam("box")
_NEVER_SENT = among(change.c.state, (ChangeState.PENDING, ChangeState.WAITING))
_SOME: BindParameter[list[int]] = bindparam("numbers", expanding=True)

_TO_GIVE_WAY = (
    select(
        change.c.id,
        change.c.mailbox_id,
        change.c.meeting_id,
        change.c.action,
        change.c.fingerprint,
        change.c.sent_at,
        change.c.calendar,
        change.c.policy,
        change.c.reason,
        meeting.c.source,
    )
    .join(meeting, meeting.c.id == change.c.meeting_id)
    .where(
        _MINE,
        IS_OPEN,
        _NEVER_SENT,
        # What was approved for them goes on, whatever timetables say.
        change.c.mailbox_id.not_in(UNLINKED),
    )
)
_TO_GIVE_WAY_THERE = _TO_GIVE_WAY.where(_THERE)
_REMOVE = delete(change).where(change.c.id == bindparam("number"))
_SUPERSEDE = update(change).where(change.c.id == bindparam("number")).values(state=ChangeState.SUPERSEDED)
_TAKE_OVER = update(change).where(change.c.id.in_(_SOME)).values(run_id=bindparam("run"))

# What a person is to decide is never sent unasked, but tried again if somebody asks for it.
_DELETES = (_MINE, IS_OPEN, change.c.action == Action.DELETE, ~GOES_IN_LEAVING)
_UNHEARD: Select[Any] = (
    select(change.c.id, change.c.mailbox_id, change.c.meeting_id, change.c.reason, meeting.c.source)
    .join(meeting, meeting.c.id == change.c.meeting_id)
    .where(*_DELETES, among(change.c.state, UNSETTLED))
)
_UNHEARD_THERE = _UNHEARD.where(_THERE)
_CALL_IT = update(change).where(change.c.id.in_(_SOME)).values(reason=bindparam("why"))

_OF_RUN = (*_DELETES, change.c.run_id == bindparam("run"))
_TAKE_BACK = update(change).where(*_OF_RUN, _NEVER_SENT).values(state=ChangeState.SUPERSEDED)
_SPARE = update(change).where(*_OF_RUN, among(change.c.state, UNSETTLED)).values(reason=Reason.REPRIEVED)
