"""Administrators decide about people: a pause, a departure, a return; and look at what stands there."""

from collections.abc import Awaitable, Callable
from random import Random

from tests.simulation.actors import act
from tests.simulation.actors.installation import dies
from tests.simulation.actors.noting import decided, meetings_of, noted
from tests.simulation.world import Institution, Place, World

from classbell.cli.event_story import stories_of
from classbell.leaving import Departure, Farewell
from classbell.model import LeaveMode, Suspended
from classbell.people import mailbox_key
from classbell.readback import verification_of
from classbell.run import Office

Work = Callable[[Place], Awaitable[str]]
_DELETING = (LeaveMode.DELETE_FUTURE_EVENTS, LeaveMode.DELETE_ALL_EVENTS, LeaveMode.CLEANUP)


def _whom(world: World, random: Random, of_everybody: float) -> tuple[Institution, str]:
    """An institution, and somebody there, or nobody where it is about all of them."""
    institution = random.choice(world.institutions)
    person = random.choice(institution.mailboxes).address
    return institution, "" if random.random() < of_everybody else person


@act(2)
async def pause(world: World, random: Random) -> str:
    institution, person = _whom(world, random, of_everybody=0.2)
    seconds = random.choice((None, None, 7200.0, 100_000.0))

    async def work(place: Place) -> str:
        now = place.clock.now()
        until = now + seconds if seconds else None
        office = await place.office(await place.open(), institution)
        suspensions = office.ledger.suspensions
        if person:
            key = mailbox_key(person)
            known = await suspensions.of(key)
            if known is not None and known.kind is not Suspended.PAUSED:
                return f"{person} is {known.kind} anyway"
            if await office.ledger.persons.was_forgotten(key):
                return f"{person} is forgotten anyway"
            told = decided(place, institution, "pause", person, until=until)
            await suspensions.suspend(key, Suspended.PAUSED, "a holiday", now, until)
        else:
            told = decided(place, institution, "pause", until=until)
            await suspensions.pause_all("a move", now, until)
        told["done"] = world.now()
        return f"{person or institution.id} is paused"

    return begun(world, random, "pause", work, person or institution.id)


@act(3)
async def resume(world: World, random: Random) -> str:
    """Whoever was paused or has left gets everything again; most likely somebody who was."""
    stopped = [
        (told["institution"], told["mailbox"])
        for told in world.decisions
        if told["what"] in {"pause", "unlink", "forget"}
    ]
    if not stopped:
        return ""
    name, person = random.choice(stopped)
    institution = next(one for one in world.institutions if one.id == name)

    return begun(world, random, "resume", resuming(world, institution, person), person or institution.id)


def resuming(world: World, institution: Institution, person: str) -> Work:
    """What ``classbell resume`` does, for a person or for all of an institution."""

    async def work(place: Place) -> str:
        office = await place.office(await place.open(), institution)
        ledger = office.ledger
        told = decided(place, institution, "resume", person)
        if not person:
            await ledger.suspensions.resume_all()
        else:
            known = await ledger.suspensions.of(mailbox_key(person))
            if known is not None:
                await ledger.suspensions.lift(known.mailbox.id)
            if await ledger.persons.recall(mailbox_key(person)):
                # Nobody knows any more what was left there.
                world.lost = world.lost or _left_behind(world, institution.id, person)
        told["done"] = world.now()
        return f"{person or institution.id} is resumed"

    return work


def _left_behind(world: World, institution: str, person: str) -> bool:
    """Whether events of ours were left with somebody when they were forgotten."""
    return any(
        told["what"] == "forget" and told["left"]
        for told in world.decisions
        if (told["institution"], told["mailbox"]) == (institution, person)
    )


@act(2)
async def unlink(world: World, random: Random) -> str:
    institution, person = _whom(world, random, of_everybody=0.1)
    mode = random.choice((LeaveMode.UNLINK_ONLY, *_DELETING)) if person else LeaveMode.CLEANUP

    async def work(place: Place) -> str:
        with noted(place, institution, "unlink", person=person) as note:
            office = await place.office(await place.open(), institution)
            departure = Departure(office, mode, person=person or None)
            farewell = await departure.look()
            told = decided(
                place,
                institution,
                "unlink",
                person,
                mode=mode.value,
                deletes=farewell.left.deletes,
                unread=[one.mailbox.key for one in farewell.rebuilt.unread] if farewell.rebuilt else [],
                events=await _going(office, farewell, place.clock.now()),
            )
            departed = await departure.carry_out(farewell, "wanted so")
            told["done"] = world.now()
            note["outcome"] = "left"
            return f"{mode} {person or institution.id}: {departed.after}"

    return begun(world, random, "unlink", work, f"{mode} {person or institution.id}")


async def _going(office: Office, farewell: Farewell, now: float) -> list[list[str]]:
    """Mailbox and meeting of each event that is to go."""
    book = office.ledger
    meetings = await meetings_of(book)
    return [
        [key, meetings[of]]
        for key, number in (await book.mailboxes.numbers()).items()
        if farewell.mailbox is None or farewell.mailbox.id == number
        for of in await book.leaving.events(number, farewell.mode, now)
    ]


@act(3)
async def verify(world: World, random: Random) -> str:
    """Mailboxes are read back: all of them, one, or a share."""
    institution = random.choice(world.institutions)
    which = random.choice(("all", "all", "one", "sample"))
    address = random.choice(institution.mailboxes).address

    async def work(place: Place) -> str:
        with noted(place, institution, "verify") as note:
            office = await place.office(await place.open(), institution)
            verifying = verification_of(office, await office.access())
            if which == "all":
                verdict = await verifying.all()
            elif which == "sample":
                verdict = await verifying.sample(2)
            else:
                found = await office.ledger.mailboxes.find(mailbox_key(address))
                verdict = await verifying.some([found] if found else [])
            note["outcome"] = "read"
            seen = {kind.value: count for kind, count in verdict.seen.items()}
            return f"{institution.id}: {verdict.read} read, {verdict.unread_count} not; {seen}"

    return begun(world, random, "verify", work, f"{which} of {institution.id}")


@act(0.5)
async def explain(world: World, random: Random) -> str:
    """The way of each event of somebody."""
    institution, person = _whom(world, random, of_everybody=0.0)

    async def work(place: Place) -> str:
        with noted(place, institution, "explain") as note:
            office = await place.office(await place.open(), institution)
            stories = await stories_of(office, person, event=None, at=None)
            note["outcome"] = "told"
            return f"{len(stories)} events of {person}"

    return begun(world, random, "explain", work, person)


def begun(world: World, random: Random, name: str, work: Work, what: str, *, alone: bool = True) -> str:
    """A command is begun, as a process that has the lease if it needs it; nothing if it cannot have it."""
    if alone and world.lease and random.random() < 0.8:
        return ""
    dies_at = dies(random)
    world.start(name, work, dies_at=dies_at, alone=alone)
    return f"{name} {what} begins" + (f", and will die at call {dies_at}" if dies_at else "")
