"""What earlier plans have left open and a run carries out beside its own plan: for whoever looks at that plan."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, select

from classbell.ledger.changes import IS_OPEN
from classbell.ledger.gate import GOES_IN_LEAVING, OPEN_GATE, OUTLIVED
from classbell.ledger.giving_way import stays
from classbell.ledger.rows import ROWS_AT_ONCE, Rows
from classbell.ledger.schema import change, meeting
from classbell.model import Action, ChangeState

if TYPE_CHECKING:
    from classbell.ledger.acceptance import Accepted

_NEVER_SENT = (ChangeState.PENDING, ChangeState.WAITING)


@dataclass(frozen=True, kw_only=True)
class LeftOpen:
    """Changes by action that go on, and how many deletes are only looked for: nobody asks for them any more."""

    going: Mapping[Action, int]
    looked_for: int


def left_open(connection: Connection, institution_id: int, accepted: "Accepted", now: float) -> LeftOpen:
    """What would go on if a plan, whose mailboxes and meetings may still be provisional, were accepted now."""
    rows = Rows(
        plan=accepted.plan,
        mailbox=accepted.plan.mailbox,
        meeting=accepted.plan.meeting,
        calendars=accepted.calendars,
    )
    query = _GOES_ON if accepted.only is None else _GOES_ON_THERE
    wanted = {"mine": institution_id, "now": now, "box": accepted.only}
    going: Counter[Action] = Counter()
    looked_for = 0
    for found in connection.execute(query, wanted).partitions(ROWS_AT_ONCE):
        places = rows.places([row.mailbox_id for row in found], [row.meeting_id for row in found])
        for row, place in zip(found, places.tolist(), strict=True):
            never_sent = row.state in _NEVER_SENT
            if not row.leaving and not never_sent and _is_spared(row, accepted):
                looked_for += 1
            elif row.leaving or not never_sent or (place < 0 and stays(row, accepted)):
                going[Action(row.action)] += 1
    return LeftOpen(going=going, looked_for=looked_for)


def _is_spared(row: Any, accepted: "Accepted") -> bool:
    wanted = (row.mailbox_id, row.meeting_id) in accepted.wanted_again
    return row.action == Action.DELETE and (wanted or row.source not in accepted.sources_read)


_GOES_ON = (
    select(
        change.c.mailbox_id,
        change.c.meeting_id,
        change.c.action,
        change.c.reason,
        change.c.state,
        meeting.c.source,
        GOES_IN_LEAVING.label("leaving"),
    )
    .join(meeting, meeting.c.id == change.c.meeting_id)
    .where(
        change.c.institution_id == bindparam("mine"),
        IS_OPEN,
        # Held changes wait for a person.
        change.c.state != ChangeState.HELD,
        OPEN_GATE,
        ~OUTLIVED,
    )
)
_GOES_ON_THERE = _GOES_ON.where(change.c.mailbox_id == bindparam("box"))
