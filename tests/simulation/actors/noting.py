"""What the installation's processes do, noted for those who judge afterwards."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from tests.simulation.world import Institution, Place

from classbell.errors import ClassbellError
from classbell.ledger import HoldState, InstitutionLedger, StoredHold, full_key
from classbell.model import Action, Ids
from classbell.run import Office, Review


@contextmanager
def noted(place: Place, institution: Institution, kind: str, **more: Any) -> Iterator[dict[str, Any]]:
    """One process at work for an institution: when, how it ended, and what it sent."""
    world = place.world
    note: dict[str, Any] = {
        "process": place.life.name,
        "kind": kind,
        "institution": institution.id,
        "person": "",
        "approved": 0,
        "begin": world.now(),
        "end": None,
        "outcome": "",
        "requests": 0,
        "writes": 0,
    } | more
    world.runs.append(note)
    try:
        yield note
    except ClassbellError as error:
        note["outcome"] = error.code
        raise
    finally:
        note["end"] = world.now()
        note["requests"] = place.transport.requests
        note["writes"] = place.transport.writes


def decided(
    place: Place, institution: Institution, what: str, mailbox: str = "", **more: Any
) -> dict[str, Any]:
    """
    What an administrator decides: ``asked`` now; ``done`` is entered once it is known to be so.

    ``mailbox`` is empty if it is about the whole institution.
    """
    told: dict[str, Any] = {
        "what": what,
        "institution": institution.id,
        "mailbox": mailbox,
        "asked": place.world.now(),
        "done": None,
    } | more
    place.world.decisions.append(told)
    return told


async def meetings_of(book: InstitutionLedger) -> dict[int, str]:
    """The keys of meetings in full, by their numbers."""
    return {number: full_key(*key) for key, number in (await book.meetings.numbers()).items()}


@asynccontextmanager
async def holds_noted(
    place: Place, office: Office, review: Review, note: dict[str, Any]
) -> AsyncIterator[None]:
    """Note beside a run what it holds; and what of that and of more is rejected when it ends, unless it died."""
    note["held"] = [
        {"code": hold.code, "listed": named(review, hold.places)} for hold in review.verdict.holds
    ]
    note["rejected"] = []
    try:
        yield
    except ClassbellError:
        with suppress(ClassbellError), place.life.aside():
            note["rejected"] = await _rejected(office.ledger)
        raise
    with place.life.aside():
        note["rejected"] = await _rejected(office.ledger)


async def _rejected(book: InstitutionLedger) -> list[dict[str, Any]]:
    return [
        {"code": hold.code, "listed": await changes_of(book, hold)}
        for hold in await book.holds.live()
        if hold.state is HoldState.REJECTED
    ]


def named(review: Review, places: Ids) -> list[list[str]]:
    """Mailbox, meeting and action of some changes of a plan."""
    some = review.plan.chosen(places)
    boxes, meetings = review.mailboxes.keys(), review.meetings.keys()
    return sorted(
        [boxes[box], full_key(*meetings[of]), Action(action).name.lower()]
        for box, of, action in zip(
            some.mailbox.tolist(), some.meeting.tolist(), some.action.tolist(), strict=True
        )
        # What another process has entered while this plan was made has no name in it, and it will not be accepted.
        if box in boxes and of in meetings
    )


async def changes_of(book: InstitutionLedger, hold: StoredHold) -> list[list[str]]:
    """Mailbox, meeting and action of each change that a hold lists, of mailboxes that the ledger still knows."""
    boxes = {number: key for key, number in (await book.mailboxes.numbers()).items()}
    meetings = await meetings_of(book)
    return sorted(
        [boxes[box], meetings[of], Action(action).name.lower()]
        for box, of, action, *_ in hold.listed.tolist()
        # One that was only ever suspended is known no more when that ends.
        if box in boxes and of in meetings
    )
