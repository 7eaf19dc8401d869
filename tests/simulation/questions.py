"""What the product says at the end of what it does not do, asked as people ask it."""

from typing import Any

from tests.simulation.actors.noting import meetings_of
from tests.simulation.world import Institution, Place, World

from classbell.ledger import InstitutionLedger, Sighted
from classbell.ledger.codes import LOST


async def stopped(world: World) -> list[dict[str, Any]]:
    """What guards have stopped of the last plans, so that a person is asked."""
    found: list[dict[str, Any]] = []

    async def tell(place: Place) -> str:
        ledger = await place.open()
        for institution in world.institutions:
            book = await ledger.institution(institution.id)
            boxes = {number: key for key, number in (await book.mailboxes.numbers()).items()}
            meetings = await meetings_of(book)
            found.extend(
                {
                    "institution": institution.id,
                    "mailbox": boxes[box],
                    "key": meetings[of],
                    "code": hold.code,
                }
                for hold in await book.holds.live()
                for box, of, *_ in hold.listed.tolist()
                # One that was only ever suspended is known no more when that ends.
                if box in boxes and of in meetings
            )
        return f"{len(found)} changes are stopped"

    world.start("holds", tell)
    await world.quiet()
    return found


async def blocked(book: InstitutionLedger, institution: Institution) -> list[dict[str, Any]]:
    """Pairs for which nothing is made, since what stands there cannot be proven to be ours."""
    boxes = {number: key for key, number in (await book.mailboxes.numbers()).items()}
    meetings = await meetings_of(book)
    return [
        {
            "institution": institution.id,
            "mailbox": boxes[box],
            "key": meetings[of],
            "state": "held",
            "code": "E-EVT-FOREIGN",
            "detail": "what stands there bears our mark, and the ledger does not know it",
        }
        for box, of in await book.sightings.blocking()
    ]


async def left_to_people(world: World) -> list[str]:
    """The ids of events that ``explain`` says to be nobody's to touch but a person's."""
    found: list[str] = []

    async def tell(place: Place) -> str:
        ledger = await place.open()
        for institution in world.institutions:
            book = await ledger.institution(institution.id)
            for number in (await book.mailboxes.numbers()).values():
                seen = await book.sightings.of_mailbox(number)
                found.extend(one.event_id for one in seen if one.kind is Sighted.EXTRA)
        return f"{len(found)} events are left to people"

    world.start("explain", tell)
    await world.quiet()
    return found


async def not_provable(world: World) -> list[dict[str, Any]]:
    """Events beside which nothing is made at the very same time, each under the key of its meeting."""
    found: list[dict[str, Any]] = []

    async def tell(place: Place) -> str:
        ledger = await place.open()
        for institution in world.institutions:
            book = await ledger.institution(institution.id)
            boxes = {number: key for key, number in (await book.mailboxes.numbers()).items()}
            meetings = await meetings_of(book)
            found.extend(
                {
                    "institution": institution.id,
                    "mailbox": boxes[one.mailbox_id],
                    "key": "" if one.meeting_id is None else meetings[one.meeting_id],
                    "start": one.starts_at,
                    "end": one.ends_at,
                }
                for one in await book.sightings.extras()
            )
        return f"{len(found)} events are not provably ours"

    world.start("explain", tell)
    await world.quiet()
    return found


async def astray(world: World) -> list[dict[str, Any]]:
    """Pairs whose event cannot be found any more without doubt, as verify lists them: others bear its mark."""
    found: list[dict[str, Any]] = []

    async def tell(place: Place) -> str:
        ledger = await place.open()
        for institution in world.institutions:
            book = await ledger.institution(institution.id)
            meetings = await meetings_of(book)
            for mailbox, number in (await book.mailboxes.numbers()).items():
                found.extend(
                    {"institution": institution.id, "mailbox": mailbox, "key": meetings[one.meeting_id]}
                    for one in await book.sightings.of_mailbox(number)
                    if one.kind is Sighted.FORGED and one.meeting_id is not None
                )
        return f"{len(found)} events are not where they were"

    world.start("explain", tell)
    await world.quiet()
    return found


async def lost_mailboxes(world: World) -> list[dict[str, Any]]:
    """Mailboxes of which ``status`` says that nothing is written there until they are rebuilt."""
    found: list[dict[str, Any]] = []

    async def tell(place: Place) -> str:
        ledger = await place.open()
        for institution in world.institutions:
            book = await ledger.institution(institution.id)
            found.extend(
                {"institution": institution.id, "mailbox": one.mailbox.key}
                for one in await book.mailboxes.out()
                if one.code == LOST
            )
        return f"{len(found)} mailboxes are in doubt"

    world.start("status", tell)
    await world.quiet()
    return found
