"""No run ends by an error that no command could explain to an administrator, and none waits for ever."""

from collections.abc import Iterator

from tests.simulation.checkers.reading import Case


def violations(case: Case) -> Iterator[str]:
    """Such errors."""
    yield from case.testimony["surprises"]
