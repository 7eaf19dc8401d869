"""
I4: bad input deletes nothing. Each deletion of ours is asked for by a good state of the source, or approved.

A bad state that can be read at all may cost what the limits let every run delete unasked, and no more. What has
ended is not deleted. Whatever the sources say, no 24 hours delete more unasked than a tenth of what stands, or a few.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.simulation.checkers.absences import Absences, Bad
from tests.simulation.checkers.days import beside_others, stood, too_many
from tests.simulation.checkers.decisions import SKEW, departures
from tests.simulation.checkers.decisions import asked as decided
from tests.simulation.checkers.reading import Case, Event, Step


def violations(case: Case) -> Iterator[str]:
    """Deletions that nothing good asked for, and deletions of what had ended."""
    absences = Absences(case)
    removals = [
        (event, removal, f"record {removal.number}: {removal.title} was deleted from {event.mailbox}")
        for event, removal in _removals(case)
        if not _left(case, event, removal)
    ]
    doubtful: dict[Bad, list[str]] = defaultdict(list)
    for event, removal, text in removals:
        if _had_ended(case, event, removal, absences):
            yield f"{text} after it had ended"
        verdict = absences.judge(event, removal)
        if verdict is None:
            yield f"{text}, and no state of the source had left it out"
        elif isinstance(verdict, tuple) and not _approved_exactly(case, event, removal):
            doubtful[verdict].append(text)
    for bad, texts in doubtful.items():
        if len(texts) > of_a_run(case, bad[0], bad[2]) * absences.readers(bad):
            yield f"{len(texts)} deletions because of one bad state of {bad[0]}; first {texts[0]}"
    unasked = [
        (event, removal, text)
        for event, removal, text in removals
        if not (absences.agreed(event, removal) or _approved_exactly(case, event, removal))
    ]
    yield from too_many(case, absences, unasked)
    yield from beside_others(case, absences, unasked, list(_removals(case)))


def of_a_run(case: Case, institution: str, at: float) -> float:
    """How many deletions the limits let one run make unasked, of what stood there at a moment."""
    count, percent = case.testimony["max_deletes"]
    share = percent / 100 * stood(case, case.institutions[institution]["tenant"], at)
    return float(max(case.testimony["at_least"], min(count, share)))


def _removals(case: Case) -> Iterator[tuple[Event, Step]]:
    """The events of ours that we have deleted where they stood, with each time."""
    for event in case.events.values():
        if not event.is_ours or event.born.mark is None:
            continue
        for before, step in pairwise(event.steps):
            if step.by_us and before.live and not step.live:
                yield event, step


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


def _had_ended(case: Case, event: Event, removal: Step, absences: Absences) -> bool:
    """Whether it had ended when the run began that asked for its deletion first."""
    written = [step for step in event.ours if step.number < removal.number]
    known = [step for step in written if case.heard(step)][-1:]
    # Of what was written since nobody may have heard.
    end = max(step.end for step in [*known, *written[-2:]])
    # By our clock it may be so much earlier.
    if removal.at <= end + SKEW:
        return False
    first = absences.first_asked(event, removal)
    begins = [
        run["begin"]
        for run in case.testimony["runs"]
        if run["begin"] <= first and (run["end"] is None or run["end"] + case.testimony["bound"] >= first)
    ]
    return bool(begins) and min(begins) > end
