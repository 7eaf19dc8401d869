"""
I1: nothing is written to an event that we did not create, and no answer carries one to us.

A copy of ours is its owner's, and so is whatever bears a forged mark. But for what nobody can tell: a double that was made
within the bound of its original, which nobody heard of any more before its owner removed it.
"""

from collections.abc import Iterator

from tests.simulation.checkers.reading import SEND_WITHIN, STAMPS, Case, Event, Step


def violations(case: Case) -> Iterator[str]:
    """Writes to events and calendars of others, and answers that carried what bears no mark of ours."""
    for event in case.events.values():
        for step in event.steps[1:]:
            if step.by_us and not event.is_ours and not taken_for_the_original(case, event, step):
                what = "a copy" if event.copy_of else "an event of others"
                yield f"record {step.number}: {step.action} of {what}, {step.title} in {event.mailbox}"
            if step.by_us and event.is_ours and step.app != event.born.app:
                yield f"record {step.number}: {step.action} of an event that another application made"
    yield from _calendars(case)
    yield from _read(case)


def taken_for_the_original(case: Case, double: Event, step: Step) -> bool:
    """Whether this is what ``docs/explanation/safety.md`` assumes that nobody does; a rebuild knows marks alone."""
    mark = double.born.mark
    if mark is None or double.born.at > mark.intent_at + SEND_WITHIN + case.testimony["bound"] + STAMPS:
        return False
    originals = [
        event
        for event in case.of_pair.get((double.tenant, double.mailbox, mark.key), ())
        if event.born.mark is not None and event.born.mark.operation == mark.operation
    ]
    return bool(originals) and all(_only_ever_removed(case, event, step) for event in originals)


def _only_ever_removed(case: Case, original: Event, step: Step) -> bool:
    """Whether its owner had removed it before the step, and we made it and knew no more of it, or rebuilt after that."""
    gone = next((s for s in original.steps if not s.live), None)
    if gone is None or gone.number >= step.number:
        return False
    unheard_of = original.ours == [original.born] and not gone.by_us
    return unheard_of or _rebuilt(case, original, gone.at, step.at)


def _rebuilt(case: Case, event: Event, begin: float, end: float) -> bool:
    """Whether between two moments the ledger of its mailbox may have been made again from the marks."""
    assert event.born.mark is not None
    return any(
        run["kind"] in {"rebuild", "unlink"}
        and run["institution"] == event.born.mark.institution
        and run["person"] in {"", event.mailbox}
        and run["begin"] <= end
        and (run["end"] is None or run["end"] >= begin)
        for run in case.testimony["runs"]
    )


def _calendars(case: Case) -> Iterator[str]:
    for record in case.history:
        action = record["detail"].get("action", "")
        if action.endswith("-calendar") and action != "create-calendar" and record["app"]:
            yield f"record {record['number']}: {action} in {record['mailbox']}"


def _read(case: Case) -> Iterator[str]:
    installation = case.testimony["installation"]
    for record in case.requests():
        for name in record["detail"].get("events", ()):
            event = case.events[name]
            marks = [step.mark for step in event.steps if step.number <= record["number"]]
            mark = marks[-1] if marks else None
            if not event.is_ours and (mark is None or mark.installation != installation):
                yield f"record {record['number']}: an answer carried {event.steps[-1].title} of {event.mailbox}"
