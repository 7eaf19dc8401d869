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

from classbell.guards.judging import freed_by, judge
from classbell.guards.sources import LastRead, Shrinkage, live_starts, shrinkages
from classbell.guards.verdict import Approved, Circumstances, Hold, Name, Verdict
from classbell.guards.volume import DELETE_VOLUME, left_of_day

__all__ = [
    "DELETE_VOLUME",
    "Approved",
    "Circumstances",
    "Hold",
    "LastRead",
    "Name",
    "Shrinkage",
    "Verdict",
    "freed_by",
    "judge",
    "left_of_day",
    "live_starts",
    "shrinkages",
]
