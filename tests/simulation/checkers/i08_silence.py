"""I8: nobody is invited and no mail goes out because of us."""

from collections.abc import Iterator

from tests.simulation.checkers.reading import Case


def violations(case: Case) -> Iterator[str]:
    """Events of ours with attendees, and mails that we caused."""
    for event in case.events.values():
        for step in event.ours:
            if step.attendees:
                yield f"record {step.number}: {step.title} in {event.mailbox} has {step.attendees} attendees"
    mails = [cause for cause in case.testimony["mails"] if cause.startswith("api:")]
    if mails:
        yield f"{len(mails)} mails went out because of {mails[0]}"
