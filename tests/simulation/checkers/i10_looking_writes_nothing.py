"""
I10: looking writes nothing. Whoever only plans asks no mailbox anything; whoever reads back only reads.

And what carries out a saved plan does nothing that is not in it, does it once, and within its time. What puts back makes
what it has told, and changes and deletes nothing. What was open before is left to the next run, however it was sent.
"""

from collections import Counter
from collections.abc import Iterator
from math import inf
from typing import Any

from tests.simulation.checkers.decisions import SKEW
from tests.simulation.checkers.deeds import PLANNED, deeds
from tests.simulation.checkers.reading import Case

_ASK_NOTHING = frozenset({"plan", "explain"})
_ONLY_READ = frozenset({"verify", "rebuild"})
# Nothing but what they have told beforehand.
_ONLY_THEIR_OWN = frozenset({"apply", "restore"})


def violations(case: Case) -> Iterator[str]:
    """Processes that were only to look and sent something, or only to read and wrote; plans exceeded or repeated."""
    for run in case.testimony["runs"]:
        if run["kind"] in _ASK_NOTHING and run["requests"]:
            yield f"{run['process']} only looked, and sent {run['requests']} requests"
        if run["kind"] in _ONLY_READ and run["writes"]:
            yield f"{run['process']} was only to read, and wrote {run['writes']} times"
        if run["kind"] in _ONLY_THEIR_OWN:
            yield from _exceeded(case, run)
        late = run["begin"] - run.get("until", inf)
        if run["kind"] == "apply" and late > SKEW and run["outcome"].isdecimal():
            yield f"{run['process']} carried out a plan {late:.0f} s after its time"
    carried_out = Counter(
        (run["institution"], run["digest"])
        for run in case.testimony["runs"]
        if run["kind"] == "apply" and run["outcome"].isdecimal()
    )
    for (institution, digest), times in carried_out.items():
        if times > 1:
            yield f"the plan {digest[:8]} was carried out {times} times for {institution}"


def _exceeded(case: Case, run: dict[str, Any]) -> Iterator[str]:
    """What was done while a saved plan was carried out, or something put back, and is not in it."""
    planned = {(mailbox, key, action) for mailbox, key, action in run["plan"]}
    for event, step in deeds(case, run):
        assert event.born.mark is not None
        allowed = {(event.mailbox, event.born.mark.key, action) for action in PLANNED.get(step.action, ())}
        if not allowed & planned:
            yield f"record {step.number}: {step.action} of {step.title} in {event.mailbox} is not in the plan"
