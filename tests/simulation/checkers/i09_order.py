"""I9: an older state of a meeting never takes the place of a newer one. Titles end in their version."""

from collections.abc import Iterator

from tests.simulation.checkers.reading import Case


def violations(case: Case) -> Iterator[str]:
    """What we wrote after something newer."""
    for pair, events in case.of_pair.items():
        steps = sorted((step for event in events for step in event.ours if step.live), key=lambda s: s.number)
        newest = 0
        for step in steps:
            version = int(step.title.rpartition(" v")[2])
            if version < newest:
                yield f"record {step.number}: {step.title} after v{newest} in {pair[1]}"
            newest = max(newest, version)
