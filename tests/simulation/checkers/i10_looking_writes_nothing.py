"""I10: looking writes nothing. Whoever only plans asks no mailbox anything; whoever reads back only reads."""

from collections.abc import Iterator

from tests.simulation.checkers.reading import Case

_ASK_NOTHING = frozenset({"plan", "explain"})
_ONLY_READ = frozenset({"verify", "rebuild"})


def violations(case: Case) -> Iterator[str]:
    """Processes that were only to look and sent something, or were only to read and wrote."""
    for run in case.testimony["runs"]:
        if run["kind"] in _ASK_NOTHING and run["requests"]:
            yield f"{run['process']} only looked, and sent {run['requests']} requests"
        if run["kind"] in _ONLY_READ and run["writes"]:
            yield f"{run['process']} was only to read, and wrote {run['writes']} times"
