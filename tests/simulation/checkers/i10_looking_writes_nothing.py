"""I10, as far as there is something to look with: a plan that is only looked at asks no mailbox anything."""

from collections.abc import Iterator

from tests.simulation.checkers.reading import Case


def violations(case: Case) -> Iterator[str]:
    """Runs that were only to look and sent something."""
    for run in case.testimony["runs"]:
        if run["only_look"] and run["requests"]:
            yield f"{run['process']} only looked, and sent {run['requests']} requests"
