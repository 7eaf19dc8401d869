"""
Held: what a run holds it does not do; nor does it delete what somebody has rejected, whether or not its plan knows of that.

Before anything leaves, a plan is judged. What it holds may be done only if somebody has approved that very change, or that
this run deletes it. Of updates and creates that were rejected nobody could say here whether it was this version.
"""

from collections.abc import Iterator
from typing import Any

from tests.simulation.checkers.decisions import SKEW, asked
from tests.simulation.checkers.deeds import PLANNED, deeds
from tests.simulation.checkers.reading import Case

# Of a source that is held nothing is applied, but what its last good read asked for goes on, except deletions.
_SHRUNK = "E-SRC-SHRUNK"
# So long a yes holds good.
_DAY = 86_400.0


def violations(case: Case) -> Iterator[str]:
    """What was done although it was held, and nobody had approved it."""
    for run in case.testimony["runs"]:
        held = {
            tuple(change): f"{hold['code']} {why}"
            for name, why in (("held", "held it"), ("rejected", "was rejected"))
            for hold in run.get(name, ())
            for change in hold["listed"]
            if change[2] == "delete" or (name == "held" and hold["code"] != _SHRUNK)
        }
        for event, step in deeds(case, run) if held else ():
            assert event.born.mark is not None
            for action in PLANNED.get(step.action, ()):
                change = (event.mailbox, event.born.mark.key, action)
                if change in held and not _approved(case, run, change, step.at):
                    told = f"{step.action} of {step.title} in {event.mailbox}"
                    yield f"record {step.number}: {told}, though {held[change]}"


def _approved(case: Case, run: dict[str, Any], change: tuple[str, str, str], at: float) -> bool:
    """Whether somebody had approved a change in the last day, or has agreed that this very run deletes it."""
    mailbox, key, action = change
    return (action == "delete" and [mailbox, key] in run.get("agreed", ())) or any(
        span.institution == run["institution"]
        and span.begin <= at
        and run["begin"] <= span.begin + _DAY + SKEW
        and [*change] in span.told["listed"]
        for span in asked(case, "approval")
    )
