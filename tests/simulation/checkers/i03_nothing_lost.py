"""
I3: once everything has come to rest, mailboxes hold what the timetables say, or the product says what waits and why.

What people did in Outlook since we last wrote is theirs: what they changed or removed counts as delivered.
"""

from collections.abc import Iterator
from typing import Any

from tests.simulation.checkers.reading import Case, Event, Pair


def violations(case: Case) -> Iterator[str]:
    """Pairs that are wrong although nothing is said to wait."""
    final = case.testimony["final"]
    if "at" not in final:
        return
    wanted = _wanted(case)
    for pair, told in wanted.items():
        # What lies behind is outside of the window, sooner or later.
        if told["start"] <= final["at"]:
            continue
        if case.waits(pair) is None and not _delivered(case.of_pair.get(pair, []), told):
            yield f"{told['title']} was never delivered to {pair[1]}, and nothing waits"
    for pair, events in case.of_pair.items():
        if pair not in wanted and case.waits(pair) is None:
            yield from _left_over(pair, events, final["at"])
    for told in final["waiting"]:
        if told["state"] in {"sent", "pending"} or not told["code"]:
            yield f"{told['key']} for {told['mailbox']} waits ({told['state']}) without a reason"


def _wanted(case: Case) -> dict[Pair, dict[str, Any]]:
    """What the last state of each source asks for."""
    last = {(state["institution"], state["source"]): state for state in case.testimony["states"]}
    return {
        (case.institutions[institution]["tenant"], pair["mailbox"], pair["key"]): pair
        for (institution, _), state in last.items()
        for pair in state["pairs"]
    }


def _delivered(events: list[Event], told: dict[str, Any]) -> bool:
    """Whether what we wrote last is what is wanted, and nobody but people removed it."""
    ours = [(step, event) for event in events for step in event.ours]
    if not ours:
        return False
    last, event = max(ours, key=lambda found: found[0].number)
    if last.action in {"delete", "purge"}:
        return False
    removal = next((step for step in reversed(event.steps) if not step.live), None)
    by_people = event.live or (removal is not None and not removal.by_us)
    return by_people and (last.title, last.start, last.end) == (told["title"], told["start"], told["end"])


def _left_over(pair: Pair, events: list[Event], now: float) -> Iterator[str]:
    for event in events:
        # What has ended is never removed; what people took back is theirs.
        if event.live and not event.back_by_hand and event.ours[-1].end > now:
            yield f"{event.ours[-1].title} still stands in {pair[1]}, and nothing waits"
