"""How far a plan reaches: what was seen of which source, and which meetings are whose."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from classbell.desired import Desired, MeetingKey
from classbell.errors import LeaseHeld
from classbell.model import Coverage, Ids, Snapshot, Window
from classbell.report import Review

# Of a withdrawn source everything is known to be wanted no more.
ALL = Coverage(window=Window(begin=-(2**62), end=2**62))


def coverages(review: Review) -> dict[str, Coverage]:
    """What was seen of each source that a plan answers for."""
    read = {snapshot.source: snapshot.coverage for snapshot in review.snapshots}
    wanted = {name: read[name] for name in review.desired.sources}
    return wanted | dict.fromkeys(review.withdrawn, ALL)


def in_order(snapshots: Sequence[Snapshot], desired: Desired) -> list[Snapshot]:
    """Snapshots in the order of ``Desired.sources``."""
    by_name = {snapshot.source: snapshot for snapshot in snapshots}
    return [by_name[name] for name in desired.sources]


def source_places(
    numbers: Mapping[MeetingKey, int], sources: Sequence[str]
) -> Callable[[Ids], NDArray[np.int16]]:
    """
    How to tell, of many meeting numbers, the place of each one's source in *sources*; -1 if not there.

    What is returned raises LeaseHeld, E-LEASE, for a meeting that was entered since the numbers were read.
    """
    place = {name: index for index, name in enumerate(sources)}
    table = np.full(max(numbers.values(), default=0) + 1, -1, dtype=np.int16)
    for (source, _), number in numbers.items():
        table[number] = place.get(source, -1)

    def places(meetings: Ids) -> NDArray[np.int16]:
        if meetings.size and meetings.max() >= len(table):
            raise LeaseHeld(
                "E-LEASE",
                "Another plan for this institution was accepted while this one was being made.",
                why="another Classbell process works on this institution",
                do="run this command again; it then plans from what is there now",
                effect="no calendar was changed by this command",
            )
        return table[meetings]

    return places
