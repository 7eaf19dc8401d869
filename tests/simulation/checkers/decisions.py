"""
What administrators decided, as spans of time in which something must not happen.

A decision counts from when it was known to be made; what ends it counts from when it was asked for. Where the
ledger was lost, what was decided was lost with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

from tests.simulation.checkers.reading import Case

# Our clock and the service's may differ by so much, and a day that is counted by one ends so much later by the other.
SKEW = 60.0


@dataclass(frozen=True)
class Span:
    """From when to when a decision held good for a mailbox, or for all of an institution (empty)."""

    institution: str
    mailbox: str
    begin: float
    end: float
    told: dict[str, Any]

    def covers(self, institution: str, mailbox: str) -> bool:
        """Whether it is about this mailbox."""
        return self.institution == institution and self.mailbox in {"", mailbox}


def spans(case: Case, what: str) -> Iterator[Span]:
    """The spans of all decisions of one kind that were certainly made."""
    for told in case.testimony["decisions"]:
        if told["what"] != what or told["done"] is None:
            continue
        until = told.get("until")
        end = min(_ended(case, told), inf if until is None else until - SKEW)
        if end > told["done"]:
            yield Span(told["institution"], told["mailbox"], told["done"], end, told)


def asked(case: Case, what: str) -> Iterator[Span]:
    """The same, from when each was asked for, whether or not it was made."""
    for told in case.testimony["decisions"]:
        if told["what"] == what:
            yield Span(told["institution"], told["mailbox"], told["asked"], _ended(case, told), told)


def departures(case: Case, institution: str, mailbox: str, key: str, until: float) -> list[Span]:
    """
    Those with which it was agreed that what stands there for a meeting goes, asked for before a moment.

    Whoever leaves agrees to what stood there when they were asked: a later departure adds to an earlier one, and
    does not take from it.
    """
    return [
        span
        for span in asked(case, "unlink")
        if span.covers(institution, mailbox) and [mailbox, key] in span.told["events"] and span.begin <= until
    ]


def losses(case: Case, institution: str = "", mailbox: str = "") -> list[float]:
    """When the ledger was lost, or an old one put in its place; or, of a mailbox, when its owner was forgotten."""
    return [
        told["asked"]
        for told in case.testimony["decisions"]
        if told["what"] == "loss"
        or (told["what"] == "forget" and (told["institution"], told["mailbox"]) == (institution, mailbox))
    ]


def in_doubt(case: Case, institution: str, mailbox: str, moment: float) -> bool:
    """
    Whether the ledger was lost at a moment, and did not know a mailbox again yet: what happened there nobody saw.

    It knows one that a rebuild has read, and one in which we have made something since: before that it was looked at.
    """
    lost = sorted(at for at in losses(case, institution, mailbox) if at <= moment)
    if not lost:
        return False
    rebuilt = any(
        run["kind"] == "rebuild"
        and run["institution"] == institution
        and run["outcome"] == "rebuilt"
        and mailbox not in run["unread"]
        and lost[-1] <= run["end"] <= moment
        for run in case.testimony["runs"]
    )
    tenant = case.institutions[institution]["tenant"]
    return not rebuilt and not any(
        event.is_ours
        and (event.tenant, event.mailbox) == (tenant, mailbox)
        and lost[-1] + case.testimony["bound"] + SKEW < event.born.at <= moment
        for event in case.events.values()
    )


def _ended(case: Case, told: dict[str, Any]) -> float:
    ends = [at for at in losses(case) if at >= told["asked"]]
    ends += [
        other["asked"]
        for other in case.testimony["decisions"]
        if other["what"] == "resume"
        and (other["institution"], other["mailbox"]) == (told["institution"], told["mailbox"])
        and other["asked"] >= told["asked"]
    ]
    # Another pause takes the place of the one before, with an end of its own.
    ends += [
        other["asked"]
        for other in case.testimony["decisions"]
        if other["what"] == told["what"] == "pause"
        and (other["institution"], other["mailbox"]) == (told["institution"], told["mailbox"])
        and other["asked"] > told["asked"]
    ]
    return min(ends, default=inf)
