"""One guard after the other; what a person has approved passes them all."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from classbell.guards.configuration import changed_configuration
from classbell.guards.losses import restored, shrunken
from classbell.guards.verdict import Approved, Circumstances, Guard, Hold, Matter, Name, Verdict
from classbell.guards.volume import DELETE_VOLUME, all_changed, per_day, per_mailbox, per_run
from classbell.model import Action
from classbell.plan import Mask, Plan
from classbell.settings import SafetySettings

# A guard does not judge what one before it has stopped. The day's total comes last: all that passes counts.
GUARDS: tuple[Guard, ...] = (
    shrunken,
    restored,
    changed_configuration,
    all_changed,
    per_mailbox,
    per_run,
    per_day,
)

_NO_APPROVALS: Mapping[Name, Approved] = {}


def judge(
    plan: Plan,
    circumstances: Circumstances,
    safety: SafetySettings,
    *,
    allow_deletes: int = 0,
    approvals: Mapping[Name, Approved] = _NO_APPROVALS,
    agreed: Mask | None = None,
) -> Verdict:
    """
    Decide what of a plan may be delivered.

    Args:
        allow_deletes: the number of deletions a person has agreed to; of a plan with no more than that no hold of
            ``DELETE_VOLUME`` is left, and every other one is.
        approvals: by the name of a hold, what a person approved of it. It passes if it is no more than that;
            and then no other guard stops it, for the person has seen this very set.
        agreed: a mask of what was approved and accepted by an earlier run that could not finish.
    """
    matter = Matter(
        plan=plan,
        circumstances=circumstances,
        safety=safety,
        passed=np.ones(len(plan), dtype=np.bool_),
        agreed=np.zeros(len(plan), dtype=np.bool_) if agreed is None else agreed,
    )
    freed = freed_by(allow_deletes, plan)
    holds: list[Hold] = []
    used: list[Name] = []
    for guard in GUARDS:
        passed, free = matter.passed.copy(), matter.agreed.copy()
        for hold in guard(matter):
            if hold.code in freed:
                continue
            approved = approvals.get(hold.name)
            if approved is not None and approved(hold.places):
                free[hold.places] = True
                used.append(hold.name)
            else:
                passed[hold.places] = False
                holds.append(hold)
        matter = replace(matter, passed=passed, agreed=free)
    return Verdict(passed=matter.passed, holds=tuple(holds), used=tuple(used))


def freed_by(allow_deletes: int, plan: Plan) -> frozenset[str]:
    """The codes of the holds that there are none of, once a person has agreed to so many deletions."""
    return DELETE_VOLUME if allow_deletes and plan.count(Action.DELETE) <= allow_deletes else frozenset()
