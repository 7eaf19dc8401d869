"""
Guards: the verdict on a whole plan, before its first write. Pure.

A guard that trips holds what it concerns: a source, a mailbox, or all deletes of the institution. What
is not held goes on. Judged on the whole plan, so that a running delivery cannot slip past one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classbell.model import Action, Instants, Snapshot
from classbell.plan import Mask, Plan
from classbell.settings import SafetySettings


@dataclass(frozen=True, kw_only=True)
class LastRead:
    """Of the last accepted snapshot of a source: when its live meetings start, and how far it reached."""

    starts: Instants
    covered_until: int


@dataclass(frozen=True, kw_only=True)
class Hold:
    """
    Something that waits for a person.

    ``scope`` is "source", "mailbox" or "institution", ``subject`` its name or (for a mailbox) number;
    ``changes`` and ``deletes`` are what it stops.
    """

    code: str
    scope: str
    subject: str
    text: str
    changes: int
    deletes: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``passed`` is a mask over the plan; what it leaves out is in ``holds``, one per cause."""

    passed: Mask
    holds: tuple[Hold, ...]


@dataclass(frozen=True, kw_only=True)
class Shrinkage:
    """A source with fewer meetings than it had, in the span that both reads covered."""

    source: int
    name: str
    before: int
    after: int

    @property
    def percent(self) -> float:
        """The share that is gone."""
        return 100 * (self.before - self.after) / self.before if self.before else 0.0


def shrinkages(
    snapshots: Sequence[Snapshot], last: Mapping[str, LastRead], *, now: int
) -> tuple[Shrinkage, ...]:
    """
    Compare each snapshot with the one accepted before it.

    Only meetings that start between now and the nearer end of both reads are counted, so that a term
    running out is not taken for loss.
    """
    result = []
    for place, snapshot in enumerate(snapshots):
        before = last.get(snapshot.source)
        if before is None:
            continue
        end = min(before.covered_until, snapshot.coverage.window.end)
        result.append(
            Shrinkage(
                source=place,
                name=snapshot.source,
                before=int(np.count_nonzero((before.starts >= now) & (before.starts < end))),
                after=_count(live_starts(snapshot), now, end),
            )
        )
    return tuple(result)


def live_starts(snapshot: Snapshot) -> Instants:
    """When the meetings of a snapshot that are not cancelled start, ascending."""
    starts = [meeting.starts_at for meeting in snapshot.meetings if not meeting.cancelled]
    return np.sort(np.array(starts, dtype=np.int64))


def _count(starts: Instants, begin: int, end: int) -> int:
    return int(np.count_nonzero((starts >= begin) & (starts < end)))


def judge(
    plan: Plan, shrunk: Sequence[Shrinkage], safety: SafetySettings, *, allow_deletes: int = 0
) -> Verdict:
    """
    Decide what of a plan may be delivered.

    Args:
        allow_deletes: the number of deletions a person has agreed to; a plan with no more than that passes.
    """
    everything = np.ones(len(plan), dtype=np.bool_)
    if allow_deletes and plan.count(Action.DELETE) <= allow_deletes:
        return Verdict(passed=everything, holds=())
    passed = everything
    holds: list[Hold] = []
    for finding in (_shrunken, _per_mailbox, _too_many):
        stopped, found = finding(plan, shrunk, safety, passed)
        passed = passed & ~stopped
        holds += found
    return Verdict(passed=passed, holds=tuple(holds))


Finding = tuple[Mask, list[Hold]]


def _shrunken(plan: Plan, shrunk: Sequence[Shrinkage], safety: SafetySettings, passed: Mask) -> Finding:
    stopped = np.zeros(len(plan), dtype=np.bool_)
    holds = []
    for loss in shrunk:
        if loss.percent <= safety.source_shrink_percent:
            continue
        mine = passed & (plan.source == loss.source)
        stopped |= mine
        holds.append(
            _hold(
                plan,
                mine,
                "E-SRC-SHRUNK",
                "source",
                loss.name,
                f"Source {loss.name}: {loss.after} coming meetings, was {loss.before}"
                f" ({loss.percent:.0f} % fewer; at most {safety.source_shrink_percent:g} % pass unasked)."
                " Nothing from it is applied; calendars keep their events.",
            )
        )
    return stopped, holds


def _per_mailbox(plan: Plan, _: Sequence[Shrinkage], safety: SafetySettings, passed: Mask) -> Finding:
    limit = safety.per_mailbox
    deletes = passed & (plan.action == Action.DELETE)
    numbers, counts = np.unique(plan.mailbox[deletes], return_counts=True)
    coming = np.array([plan.upcoming.get(number, 0) for number in numbers.tolist()], dtype=np.int64)
    tripped = (coming >= limit.min_events) & (100 * counts > limit.percent * coming)
    stopped = passed & np.isin(plan.mailbox, numbers[tripped])
    # In the same ascending order: what is held concerns every mailbox that tripped, and no other.
    changes = np.unique(plan.mailbox[stopped], return_counts=True)[1]
    columns = (numbers[tripped], coming[tripped], counts[tripped], changes)
    holds = [
        Hold(
            code="E-HOLD-MAILBOX",
            scope="mailbox",
            subject=str(number),
            text=f"It would lose more than {limit.percent:g} % of its {has} coming events.",
            changes=of_all,
            deletes=losing,
        )
        for number, has, losing, of_all in zip(*(column.tolist() for column in columns), strict=True)
    ]
    return stopped, holds


def _too_many(plan: Plan, _: Sequence[Shrinkage], safety: SafetySettings, passed: Mask) -> Finding:
    limit = safety.max_deletes
    deletes = passed & (plan.action == Action.DELETE)
    count = int(np.count_nonzero(deletes))
    share = 100 * count / plan.delivered if plan.delivered else 0.0
    if count <= limit.at_least or (count <= limit.count and share <= limit.percent):
        return np.zeros(len(plan), dtype=np.bool_), []
    # A create beside a held delete may be the same class under a new id: both would stand there.
    replacing = (
        passed & (plan.action == Action.CREATE) & np.isin(plan.mailbox, np.unique(plan.mailbox[deletes]))
    )
    stopped = deletes | replacing
    text = (
        f"{count} deletions ({share:.1f} % of {plan.delivered} delivered events) are more than"
        f" {limit.count} or {limit.percent:g} % in one run. No event is deleted, and none created beside one"
        " that should have gone; other changes go on."
    )
    return stopped, [_hold(plan, stopped, "E-HOLD-DELETES", "institution", "", text)]


def _hold(plan: Plan, mask: NDArray[np.bool_], code: str, scope: str, subject: str, text: str) -> Hold:
    return Hold(
        code=code,
        scope=scope,
        subject=subject,
        text=text,
        changes=int(np.count_nonzero(mask)),
        deletes=int(np.count_nonzero(mask & (plan.action == Action.DELETE))),
    )
