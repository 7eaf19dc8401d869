"""
I1: nothing is written to an event that we did not create, and no answer carries one to us.

A copy of ours is its owner's, and so is whatever bears a forged mark. But for what nobody can tell: a copy that was made
within the bound of its original, which nobody heard of any more before its owner removed it.
"""

from collections.abc import Iterator

from tests.simulation.checkers.reading import SEND_WITHIN, Case, Event, Step


def violations(case: Case) -> Iterator[str]:
    """Writes to events and calendars of others, and answers that carried what bears no mark of ours."""
    for event in case.events.values():
        for step in event.steps[1:]:
            if step.by_us and not event.is_ours and not _taken_for_the_original(case, event, step):
                what = "a copy" if event.copy_of else "an event of others"
                yield f"record {step.number}: {step.action} of {what}, {step.title} in {event.mailbox}"
            if step.by_us and event.is_ours and step.app != event.born.app:
                yield f"record {step.number}: {step.action} of an event that another application made"
    yield from _calendars(case)
    yield from _read(case)


def _taken_for_the_original(case: Case, copy: Event, step: Step) -> bool:
    """Whether this is what ``docs/explanation/safety.md`` assumes that nobody does; a rebuild knows marks alone."""
    original = case.events.get(copy.copy_of)
    if original is None or not original.is_ours or original.born.mark is None:
        return False
    in_time = copy.born.at <= original.born.mark.intent_at + SEND_WITHIN + case.testimony["bound"]
    gone = next((s for s in original.steps if not s.live), None)
    rebuilt = any(
        run["kind"] in {"rebuild", "unlink"} and run["begin"] <= step.at for run in case.testimony["runs"]
    )
    return (
        in_time
        and (rebuilt or original.ours == [original.born])
        and gone is not None
        and (rebuilt or not gone.by_us)
        and gone.number < step.number
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
