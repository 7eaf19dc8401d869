"""What a run has certainly done itself: it was at work alone, and nothing of before was still on its way."""

from collections.abc import Iterator
from typing import Any

from tests.simulation.checkers.reading import Case, Event, Step

# These write nothing, which is judged elsewhere.
LOOKING = frozenset({"plan", "explain", "verify", "rebuild"})

# By what is done to an event, what in a plan asks for it: an update of what is gone makes it again.
PLANNED = {
    "create": ("create", "update"),
    "update": ("update",),
    "delete": ("delete",),
    "purge": ("delete",),
}


def deeds(case: Case, run: dict[str, Any]) -> Iterator[tuple[Event, Step]]:
    """What a run did to events that we made; nothing if another one of its institution was at work beside it."""
    if any(_beside(run, other) for other in case.testimony["runs"]):
        # Nobody can say whose deed it was.
        return
    tenant = case.institutions[run["institution"]]["tenant"]
    for pair, events in case.of_pair.items():
        for event in events if pair[0] == tenant else ():
            for step in event.ours:
                if run["begin"] <= step.at <= run["end"] and not _sent_before(case, run, step):
                    yield event, step


def _beside(run: dict[str, Any], other: dict[str, Any]) -> bool:
    return (
        other is not run
        and other["institution"] == run["institution"]
        and other["kind"] not in LOOKING
        and other["begin"] <= run["end"]
        and (other["end"] is None or other["end"] >= run["begin"])
    )


def _sent_before(case: Case, run: dict[str, Any], step: Step) -> bool:
    """Whether its request may have left before the run began, and was given up before it was carried out."""
    on_its_way = any(begin < run["begin"] and step.at <= end for begin, end, _ in case.testimony["lost"])
    return on_its_way or case.came_late(step)
