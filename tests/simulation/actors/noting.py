"""What the installation's processes do, noted for those who judge afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.simulation.world import Institution, Place

from classbell.errors import ClassbellError
from classbell.ledger import InstitutionLedger, full_key


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
