"""
I10: looking writes nothing. Whoever only plans asks no mailbox anything; whoever reads back only reads.

And what carries out a saved plan does nothing that is not in it, does it once, and within its time.
"""

from collections import Counter
from collections.abc import Iterator
from math import inf
from typing import Any

from tests.simulation.checkers.decisions import SKEW
from tests.simulation.checkers.reading import Case

_ASK_NOTHING = frozenset({"plan", "explain"})
_ONLY_READ = frozenset({"verify", "rebuild"})

# What is there in a plan for it: an update of what is gone makes it again.
_PLANNED = {
    "create": ("create", "update"),
    "update": ("update",),
    "delete": ("delete",),
    "purge": ("delete",),
}


def violations(case: Case) -> Iterator[str]:
    """Processes that were only to look and sent something, or only to read and wrote; plans exceeded or repeated."""
    for run in case.testimony["runs"]:
        if run["kind"] in _ASK_NOTHING and run["requests"]:
            yield f"{run['process']} only looked, and sent {run['requests']} requests"
        if run["kind"] in _ONLY_READ and run["writes"]:
            yield f"{run['process']} was only to read, and wrote {run['writes']} times"
        if run["kind"] == "apply":
            yield from _exceeded(case, run)
            if run["begin"] > run.get("until", inf) + SKEW and run["outcome"].isdecimal():
                yield f"{run['process']} carried out a plan {run['begin'] - run['until']:.0f} s after its time"
    carried_out = Counter(
        (run["institution"], run["digest"])
        for run in case.testimony["runs"]
        if run["kind"] == "apply" and run["outcome"].isdecimal()
    )
    for (institution, digest), times in carried_out.items():
        if times > 1:
            yield f"the plan {digest[:8]} was carried out {times} times for {institution}"


def _exceeded(case: Case, run: dict[str, Any]) -> Iterator[str]:
    """What was done while a saved plan was carried out, and is neither in it nor was open before."""
    others = [
        other
        for other in case.testimony["runs"]
        if other is not run
        and other["institution"] == run["institution"]
        and other["kind"] not in _ASK_NOTHING | _ONLY_READ
        and other["begin"] <= run["end"]
        and (other["end"] is None or other["end"] >= run["begin"])
    ]
    if others:
        # Nobody can say whose deed it was.
        return
    planned = {(mailbox, key, action) for mailbox, key, action in run["plan"]}
    before = {(mailbox, key) for mailbox, key in run["open"]}
    tenant = case.institutions[run["institution"]]["tenant"]
    for pair, events in case.of_pair.items():
        if pair[0] != tenant or pair[1:] in before:
            continue
        for event in events:
            for step in event.ours:
                allowed = {(*pair[1:], action) for action in _PLANNED.get(step.action, ())}
                if run["begin"] <= step.at <= run["end"] and not allowed & planned:
                    yield f"record {step.number}: {step.action} of {step.title} in {pair[1]} is not in the plan"
