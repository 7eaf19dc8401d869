"""The rows of a plan with lasting numbers: what acceptance writes, and what it compares with what is open."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from classbell.ledger.outcomes import CREATING
from classbell.model import Ids
from classbell.plan import Mask, Plan, pair_keys

# Rows are made and written in parts, so that a first load of millions needs no more memory than a small one.
ROWS_AT_ONCE = 5000

PLANNED = (
    "mailbox_id",
    "meeting_id",
    "action",
    "reason",
    "fingerprint",
    "previous",
    "starts_at",
    "ends_at",
    "calendar",
    "policy",
)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A plan with lasting numbers, ready to be written."""

    plan: Plan
    mailbox: Ids
    meeting: Ids
    calendars: Sequence[str]

    def __len__(self) -> int:
        return len(self.plan)

    def parts(self, wanted: Mask) -> "Iterator[Rows]":
        """The wanted rows, some at a time."""
        places = np.flatnonzero(wanted)
        for begin in range(0, len(places), ROWS_AT_ONCE):
            part = places[begin : begin + ROWS_AT_ONCE]
            yield Rows(
                plan=self.plan.chosen(part),
                mailbox=self.mailbox[part],
                meeting=self.meeting[part],
                calendars=self.calendars,
            )

    def rows(self) -> Iterator[tuple[int, int, dict[str, object]]]:
        """Mailbox, meeting, and what the plan says of each."""
        plan = self.plan
        columns = (
            self.mailbox.tolist(),
            self.meeting.tolist(),
            plan.action.tolist(),
            plan.reason.tolist(),
            plan.fingerprint.view(np.int64).tolist(),
            plan.previous.view(np.int64).tolist(),
            plan.starts.tolist(),
            plan.ends.tolist(),
            [self.calendars[index] for index in plan.calendar.tolist()],
            plan.policy.tolist(),
        )
        for values in zip(*columns, strict=True):
            yield values[0], values[1], dict(zip(PLANNED, values, strict=True))

    @cached_property
    def _order(self) -> tuple[Ids, Ids]:
        """The pairs in ascending order, and where each stands."""
        keys = pair_keys(self.mailbox, self.meeting)
        order = np.argsort(keys)
        return keys[order], order

    def places(self, mailboxes: Sequence[int], meetings: Sequence[int]) -> Ids:
        """Where pairs stand in the plan; -1 for those that do not."""
        keys, order = self._order
        pairs = pair_keys(np.array(mailboxes, dtype=np.int64), np.array(meetings, dtype=np.int64))
        near = np.searchsorted(keys, pairs)
        inside = near < len(keys)
        found = np.full(len(pairs), -1, dtype=np.int64)
        hit = keys[near[inside]] == pairs[inside]
        found[np.flatnonzero(inside)[hit]] = order[near[inside][hit]]
        return found

    def repeat(
        self,
        places: Ids,
        actions: Sequence[int],
        fingerprints: Sequence[int],
        calendars: Sequence[str],
        policies: Sequence[int],
    ) -> Mask:
        """Whether the plan asks at these places for exactly this; only a create minds its calendar."""
        plan = self.plan
        asked = places >= 0
        at = places[asked]
        action = np.array(actions, dtype=np.int8)[asked]
        number = {name: index for index, name in enumerate(self.calendars)}
        calendar = np.array([number.get(name, -1) for name in calendars], dtype=np.int16)[asked]
        asked[asked] = (
            (plan.action[at] == action)
            & (plan.fingerprint[at].view(np.int64) == np.array(fingerprints, dtype=np.int64)[asked])
            & (~np.isin(action, CREATING) | (plan.calendar[at] == calendar))
            & (plan.policy[at] == np.array(policies, dtype=np.int8)[asked])
        )
        return asked
