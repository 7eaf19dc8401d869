"""Holding what a source that has lost too much asks for."""

from collections.abc import Iterator

import numpy as np

from classbell.guards.verdict import Hold, Matter
from classbell.model import Action
from classbell.plan import Mask, pair_keys


def shrunken(matter: Matter) -> Iterator[Hold]:
    """Everything of a source that has shrunk too much, and what may replace it from another one."""
    plan, limit = matter.plan, matter.safety.source_shrink_percent
    taken = np.zeros(len(plan), dtype=np.bool_)
    for loss in matter.circumstances.shrunk:
        if loss.percent <= limit:
            continue
        mine = matter.open & (plan.source == loss.source) & ~taken
        mine |= _replacing(matter, mine & matter.deletes) & ~taken
        taken |= mine
        yield matter.hold(
            mine,
            "E-SRC-SHRUNK",
            "source",
            loss.name,
            f"Source {loss.name}: {loss.after} coming meetings, was {loss.before}"
            f" ({loss.percent:.0f} % fewer; at most {limit:g} % pass unasked)."
            " Nothing from it is applied; calendars keep their events.",
        )


def restored(matter: Matter) -> Iterator[Hold]:
    """The deletes of events that a person has had put back: the source still does not name them."""
    plan = matter.plan
    mine = matter.deletes & np.isin(pair_keys(plan.mailbox, plan.meeting), matter.circumstances.restored)
    count = int(np.count_nonzero(mine))
    if count:
        yield matter.hold(
            mine,
            "E-HOLD-RESTORED",
            "institution",
            "",
            f"{count} events that were put back by classbell restore are still in no timetable. They stay until they"
            " are, or until somebody agrees that they go.",
        )


def _replacing(matter: Matter, deletes: Mask) -> Mask:
    """Creates at the very time of a held delete of the same mailbox: both would stand there."""
    plan = matter.plan
    creates = matter.open & (plan.action == Action.CREATE)
    same_mailbox = creates & np.isin(plan.mailbox, plan.mailbox[deletes])
    # Starts are counted from the first of them, so that a pair fits one number.
    first = int(plan.starts.min()) if len(plan) else 0
    moments = pair_keys(plan.mailbox, plan.starts - first)
    both: Mask = same_mailbox & np.isin(moments, moments[deletes])
    return both
