"""The guard of sources: one that has lost much since its last accepted read is most likely a broken export."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from classbell.model import Instants, Snapshot


@dataclass(frozen=True, kw_only=True)
class LastRead:
    """Of the last accepted snapshot of a source: when its live meetings start, and how far it reached."""

    starts: Instants
    covered_until: int


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
