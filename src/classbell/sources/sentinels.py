"""
Sentinels: meetings or texts that a timetable always has. A read that lacks one is no good read.

The idea is that of a check file: what must be there shows that the right thing was read, and all of it.
"""

from collections.abc import Sequence

from classbell.model import Snapshot
from classbell.sources.tables import unusable

_SHOWN = 5


def check_sentinels(snapshot: Snapshot, sentinels: Sequence[str]) -> Snapshot:
    """
    The same snapshot, if each sentinel is the key of one of its meetings, or the whole text of a field.

    Raises:
        SourceUnusable: E-SRC-SENTINEL, one is absent; nothing of the snapshot may be used.
    """
    missing = set(sentinels)
    for meeting in snapshot.meetings:
        if not missing:
            break
        missing -= {meeting.key, *meeting.fields.values()}
    if not missing:
        return snapshot
    absent = [sentinel for sentinel in sentinels if sentinel in missing]
    more = f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
    raise unusable(
        snapshot.source,
        "E-SRC-SENTINEL",
        f"{len(absent)} of its {len(set(sentinels))} sentinels are absent:"
        f" {', '.join(absent[:_SHOWN])}{more}.",
        why="it was read without an error, and is still not the whole timetable, or another one",
        do="look at the source; if they are gone for good, take them out of sentinels in the configuration",
    )
