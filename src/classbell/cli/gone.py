"""What is gone from calendars that were read back: since this look, and since an earlier one."""

from collections.abc import Sequence
from dataclasses import dataclass

from classbell.ledger import Absence, Sighted, Sighting
from classbell.model import Mailbox
from classbell.run import Office
from classbell.verify import Verdict
from classbell.wishes import gone_from

_MISSING = "our event stands in no calendar any more"
_RESPECTED = "deleted by its owner, respected"


@dataclass(frozen=True, kw_only=True)
class Told:
    """
    How many events are missing, and how many stay deleted because their owners want that.

    ``sightings`` are those that the ledger remembers, ``pairs`` are their mailboxes and meetings.
    """

    missing: int
    respected: int
    sightings: list[tuple[Mailbox, Sighting]]
    pairs: set[tuple[int, int]]


async def gone_by(office: Office, verdict: Verdict) -> Told:
    """What is gone from the mailboxes that were read: until it is put right, it is told each time."""
    known = await gone_from(office.ledger, office.settings, office.ports.clock.now())
    missing = [one for one in known.missing if one.mailbox.id in verdict.boxes]
    respected = [one for one in known.respected if one.mailbox.id in verdict.boxes]
    pairs = _pairs(missing) | _pairs(respected)
    return Told(
        missing=len(missing) + len(verdict.missing - pairs),
        respected=len(respected),
        sightings=[
            *((one.mailbox, _sighting(one, _MISSING)) for one in missing),
            *((one.mailbox, _sighting(one, _RESPECTED)) for one in respected),
        ],
        pairs=pairs,
    )


def _pairs(found: Sequence[Absence]) -> set[tuple[int, int]]:
    return {(one.mailbox.id, one.meeting_id) for one in found}


def _sighting(one: Absence, detail: str) -> Sighting:
    return Sighting(
        kind=Sighted.MISSING,
        event_id="",
        meeting_id=one.meeting_id,
        detail=detail,
        starts_at=one.starts_at,
    )
