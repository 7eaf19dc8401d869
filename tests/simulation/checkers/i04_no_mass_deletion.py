"""
I4: bad input deletes nothing. Each deletion of ours is asked for by a good state of the source, or approved.

A bad state that can be read at all may cost what the limits let every run delete unasked, and no more. What has
ended is not deleted. Whatever the sources say, no 24 hours delete more unasked than a tenth of what stands, or a few.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.simulation.checkers.decisions import asked as decided
from tests.simulation.checkers.decisions import departures, losses
from tests.simulation.checkers.reading import Case, Event, Step

_DAY = 86_400.0
# The setting ``per_24h_percent``, left as it is.
_DAILY_SHARE = 0.10


def violations(case: Case) -> Iterator[str]:
    """Deletions that nothing good asked for, and deletions of what had ended."""
    absences = _Absences(case)
    removals = [
        (event, removal, f"record {removal.number}: {removal.title} was deleted from {event.mailbox}")
        for event, removal in _removals(case)
        if not _left(case, event, removal)
    ]
    doubtful: dict[tuple[str, float], list[str]] = defaultdict(list)
    for event, removal, text in removals:
        if _had_ended(case, event, removal, absences):
            yield f"{text} after it had ended"
        verdict = absences.judge(event, removal)
        if verdict is None:
            yield f"{text}, and no state of the source had left it out"
        elif isinstance(verdict, tuple) and not _approved_exactly(case, event, removal):
            doubtful[verdict].append(text)
    for (institution, at), texts in doubtful.items():
        runs = sum(
            run["institution"] == institution and (run["end"] is None or run["end"] >= at)
            for run in case.testimony["runs"]
        )
        if len(texts) > case.testimony["at_least"] * runs:
            yield f"{len(texts)} deletions because of one bad state of {institution}; first {texts[0]}"
    unasked: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for event, removal, text in removals:
        if not (absences.agreed(event, removal) or _approved_exactly(case, event, removal)):
            unasked[event.tenant].append((removal.at, text))
    for tenant, times in unasked.items():
        yield from _too_many_in_a_day(case, tenant, sorted(times))


def _removals(case: Case) -> Iterator[tuple[Event, Step]]:
    """The events of ours that we have deleted, each with the first time."""
    for event in case.events.values():
        removal = next((step for step in event.steps if step.by_us and not step.live), None)
        if removal is not None and event.is_ours and event.born.mark is not None:
            yield event, removal


def _too_many_in_a_day(case: Case, tenant: str, removals: list[tuple[float, str]]) -> Iterator[str]:
    """Deletions that nobody has approved, more of them within a day than the limit lets pass."""
    first = 0
    for place, (at, text) in enumerate(removals):
        while removals[first][0] <= at - _DAY:
            first += 1
        count = place - first + 1
        most = max(case.testimony["at_least"], _DAILY_SHARE * _stood(case, tenant, removals[first][0]))
        if count > most and not any(at - _DAY <= lost <= at for lost in losses(case)):
            yield f"{count} deletions within 24 hours, {most:.1f} may be unasked; last {text}"
            return


def _stood(case: Case, tenant: str, at: float) -> int:
    """How many events of ours stood in the mailboxes of a tenant at a moment."""
    return sum(
        [step for step in event.steps if step.at < at][-1].live
        for event in case.events.values()
        if event.is_ours and event.tenant == tenant and event.born.at < at
    )


def _left(case: Case, event: Event, removal: Step) -> bool:
    """Whether who has left wanted it gone; that their mode says so is another matter."""
    mark = event.born.mark
    assert mark is not None
    return bool(departures(case, mark.institution, event.mailbox, mark.key, removal.at))


def _approved_exactly(case: Case, event: Event, removal: Step) -> bool:
    """Whether somebody has approved this very deletion."""
    assert event.born.mark is not None
    return any(
        span.institution == event.born.mark.institution
        and span.begin <= removal.at
        and [event.mailbox, event.born.mark.key] in span.told["deletes"]
        for span in decided(case, "approval")
    )


class _Absences:
    """What the states of the sources asked for."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._states: dict[tuple[str, str], list[tuple[dict[str, Any], set[tuple[str, str]]]]] = defaultdict(
            list
        )
        for state in case.testimony["states"]:
            pairs = {(pair["mailbox"], pair["key"]) for pair in state["pairs"]}
            self._states[state["institution"], state["source"]].append((state, pairs))

    def judge(self, event: Event, removal: Step) -> str | tuple[str, float] | None:
        """``asked for``; the bad state that did; None if none did."""
        assert event.born.mark is not None
        institution, key = event.born.mark.institution, event.born.mark.key
        suspect: tuple[str, float] | None = None
        for place, (state, pairs) in enumerate(states := self._states[institution, key.partition(":")[0]]):
            until = states[place + 1][0]["at"] if place + 1 < len(states) else float("inf")
            if state["at"] > removal.at or until < event.born.at or (event.mailbox, key) in pairs:
                continue
            if state["good"] or self._approved(institution, state["at"], until):
                return "asked for"
            if state["readable"]:
                suspect = (institution, state["at"])
        return suspect

    def left_out(self, event: Event, begin: float, end: float) -> bool:
        """Whether at some time between the two its source did not name it."""
        assert event.born.mark is not None
        institution, key = event.born.mark.institution, event.born.mark.key
        states = self._states[institution, key.partition(":")[0]]
        ends = [state["at"] for state, _ in states[1:]] + [float("inf")]
        return any(
            state["at"] <= end
            and until >= begin
            and event.born.at <= end
            and (event.mailbox, key) not in pairs
            for (state, pairs), until in zip(states, ends, strict=True)
        )

    def agreed(self, event: Event, removal: Step) -> bool:
        """Whether a run that was let delete began since its source named it last."""
        assert event.born.mark is not None
        institution, key = event.born.mark.institution, event.born.mark.key
        named = [
            state["at"]
            for state, pairs in self._states[institution, key.partition(":")[0]]
            if state["at"] <= removal.at and (event.mailbox, key) in pairs
        ]
        return self._approved(institution, max(named, default=0.0), removal.at)

    def _approved(self, institution: str, begin: float, end: float) -> bool:
        return any(
            run["approved"] and run["institution"] == institution and begin <= run["begin"] <= end
            for run in self._case.testimony["runs"]
        )


def _had_ended(case: Case, event: Event, removal: Step, absences: _Absences) -> bool:
    """Whether it had ended when the run began that asked for its deletion first."""
    end = max(step.end for step in event.steps if step.number <= removal.number and step.by_us)
    if removal.at <= end:
        return False
    asked = [at for at, url in case.testimony["deletes"] if at <= removal.at and event.id in url]
    # What died may have been about to ask.
    asked += [
        run["end"]
        for run in case.testimony["runs"]
        if run["end"] is not None
        and not run["outcome"]
        and absences.left_out(event, run["begin"], run["end"])
    ]
    first = min([removal.at, *asked])
    begins = [
        run["begin"]
        for run in case.testimony["runs"]
        if run["begin"] <= first and (run["end"] is None or run["end"] + case.testimony["bound"] >= first)
    ]
    return bool(begins) and min(begins) > end
