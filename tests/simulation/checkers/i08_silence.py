"""I8: nobody is invited or reminded, nothing is an online meeting, and no mail goes out because of us."""

from collections.abc import Iterator
from itertools import pairwise

from tests.simulation.checkers.reading import Case, Event, Step


def violations(case: Case) -> Iterator[str]:
    """Events of ours with attendees, reminders that no profile asks for, and mails that we caused."""
    for event in case.events.values():
        kept = _reminders_kept(case, event)
        for step in event.ours:
            if step.attendees:
                yield f"record {step.number}: {step.title} in {event.mailbox} has {step.attendees} attendees"
            if step.online:
                yield f"record {step.number}: {step.title} in {event.mailbox} is an online meeting"
            # What is removed reminds nobody, whoever had asked for it.
            if step.live and step.reminder is not None and step not in kept:
                yield f"record {step.number}: {step.title} reminds {event.mailbox} {step.reminder} min before"
    mails = [cause for cause in case.testimony["mails"] if cause.startswith("api:")]
    if mails:
        yield f"{len(mails)} mails went out because of {mails[0]}"


def _reminders_kept(case: Case, event: Event) -> list[Step]:
    """Updates that left a reminder as somebody else had set it, where what its owner has changed stays."""
    told = case.of_tenant.get(event.tenant)
    if told is None or told["policies"].get("on_user_edit") != "keep":
        return []
    return [
        step for before, step in pairwise(event.steps) if before.live and step.reminder == before.reminder
    ]
