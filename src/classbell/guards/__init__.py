"""
Guards: the verdict on a whole plan, before its first write. Pure.

A guard that trips holds what it concerns: a source, a mailbox, all deletes of the institution, or the
whole plan. What is not held goes on. Judged on the whole plan, so that a running delivery cannot slip past
one.

    sources        a source that has lost too much
    volume         too much at once: everything changed, a mailbox, a run, a day
    configuration  the first plan after somebody changed who gets what, or how it looks
    judging        one after the other, and what people have approved
"""

from classbell.guards.judging import judge
from classbell.guards.sources import LastRead, Shrinkage, live_starts, shrinkages
from classbell.guards.verdict import Approved, Circumstances, Hold, Name, Verdict

__all__ = [
    "Approved",
    "Circumstances",
    "Hold",
    "LastRead",
    "Name",
    "Shrinkage",
    "Verdict",
    "judge",
    "live_starts",
    "shrinkages",
]
