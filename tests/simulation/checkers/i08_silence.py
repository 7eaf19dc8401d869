"""I8: nobody is invited or reminded, nothing is an online meeting, and no mail goes out because of us."""

from collections.abc import Iterator

from tests.simulation.checkers.reading import Case


def violations(case: Case) -> Iterator[str]:
    """Events of ours with attendees, reminders that no profile asks for, and mails that we caused."""
    for event in case.events.values():
        for step in event.ours:
            if step.attendees:
                yield f"record {step.number}: {step.title} in {event.mailbox} has {step.attendees} attendees"
            if step.online:
                yield f"record {step.number}: {step.title} in {event.mailbox} is an online meeting"
            # What is removed reminds nobody, whoever had asked for it.
            if step.live and step.reminder is not None:
                yield f"record {step.number}: {step.title} reminds {event.mailbox} {step.reminder} min before"
    mails = [cause for cause in case.testimony["mails"] if cause.startswith("api:")]
    if mails:
        yield f"{len(mails)} mails went out because of {mails[0]}"
