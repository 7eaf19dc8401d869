"""
I1: nothing is written to an event that we did not create, and no answer carries one to us.

A copy of ours is its owner's, and so is whatever bears a forged mark.
"""

from collections.abc import Iterator

from tests.simulation.checkers.reading import Case


def violations(case: Case) -> Iterator[str]:
    """Writes to events and calendars of others, and answers that carried what bears no mark of ours."""
    for event in case.events.values():
        for step in event.steps[1:]:
            if step.by_us and not event.is_ours:
                what = "a copy" if event.copy_of else "an event of others"
                yield f"record {step.number}: {step.action} of {what}, {step.title} in {event.mailbox}"
            if step.by_us and event.is_ours and step.app != event.born.app:
                yield f"record {step.number}: {step.action} of an event that another application made"
    yield from _calendars(case)
    yield from _read(case)


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
