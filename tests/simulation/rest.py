"""What comes in the end: everything is well, and comes to rest; then all that was deleted is put back."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.simulation.actors.installation import synced
from tests.simulation.actors.losses import rebuilding
from tests.simulation.actors.noting import decided, noted
from tests.simulation.actors.plans import deleting_runs, put_back
from tests.simulation.actors.service import permit
from tests.simulation.network import USUAL
from tests.simulation.questions import astray, blocked, left_to_people, lost_mailboxes, not_provable, stopped
from tests.simulation.world import Institution, Place, World

from classbell.ledger.gate import CODES
from classbell.model import ChangeState
from classbell.people import mailbox_key
from classbell.readback import verification_of

# Longer than any bound, fence or probe.
A_DAY_AND_MORE = 95_000.0
# Runs until the last bound has come due.
MOST_BOUNDS = 4
_MOST_REBUILDS = 3
_BEFORE_THE_GATE = (ChangeState.PENDING, ChangeState.WAITING, ChangeState.UNKNOWN)


async def calmed(world: World) -> None:
    """Everything that went wrong ends."""
    world.sandbox.faults.clear()
    world.network.change(USUAL, down=False)
    world.disk.full = False
    permit(world)
    for institution in world.institutions:
        for mailbox in institution.mailboxes:
            mailbox.state = "active"
        for timetable in institution.timetables:
            timetable.present(world.now())
    world.tell("    everything is well from now on")
    await world.quiet()
    for _ in range(_MOST_REBUILDS):
        if not world.lost:
            break
        await asyncio.sleep(A_DAY_AND_MORE)
        world.start("rebuild", rebuilding(world))
        await world.quiet()
    for institution in world.institutions:
        _resume(world, institution)
        await world.quiet()


def _resume(world: World, institution: Institution) -> None:
    """End the pause of an institution; persons who are paused or have left stay so."""

    async def work(place: Place) -> str:
        book = await (await place.open()).institution(institution.id)
        if await book.suspensions.pause() is None:
            return "was not paused"
        told = decided(place, institution, "resume")
        await book.suspensions.resume_all()
        told["done"] = world.now()
        return f"{institution.id} is resumed"

    world.start("resume", work)


async def rested(
    world: World, institutions: Sequence[Institution], *, read_back: bool = False
) -> dict[str, Any]:
    """Two runs after everything has come due; of a third, and of what still waits then, is told."""
    bounds = 0
    while bounds < MOST_BOUNDS:
        bounds += 1
        # An unknown create can turn out to be another bound's matter, and then one of another incarnation.
        await asyncio.sleep(A_DAY_AND_MORE)
        await _all_synced(world, institutions, approving=True)
        # What waits for somebody's word to be looked up is not under way.
        shut_out = frozenset(CODES.values())
        waiting = await _waiting(world, [])
        if not any(told["state"] == "unknown" and told["code"] not in shut_out for told in waiting):
            break
    # What status tells to rebuild a person does: our mark may stand with somebody who was forgotten and came back.
    if await lost_mailboxes(world):
        world.start("rebuild", rebuilding(world))
        await world.quiet()
    for _ in range(2):
        await asyncio.sleep(A_DAY_AND_MORE)
        await _all_synced(world, institutions, approving=True)
    known: dict[str, Any] = {"bounds": bounds}
    if read_back:
        known["read_back"] = world.now()
        await _all_read_back(world, institutions)
        for _ in range(2):
            await asyncio.sleep(A_DAY_AND_MORE)
            await _all_synced(world, institutions, approving=True)
    await asyncio.sleep(A_DAY_AND_MORE)
    begin = len(world.sandbox.history)
    await _all_synced(world, institutions, approving=False)
    third = [begin, len(world.sandbox.history)]
    suspended: list[dict[str, Any]] = []
    waiting = await _waiting(world, suspended)
    held = await stopped(world)
    told = {"third_run": third, "waiting": waiting, "suspended": suspended, "stopped": held}
    told |= {"beside": await not_provable(world), "left_to_people": await left_to_people(world)}
    told["lost"] = await lost_mailboxes(world)
    if world.api != "graph":
        told |= {"astray": await astray(world)}
    return known | told | {"at": world.now()}


async def _all_read_back(world: World, institutions: Sequence[Institution]) -> None:
    for institution in institutions:

        async def work(place: Place, institution: Institution = institution) -> str:
            with noted(place, institution, "verify") as note:
                office = await place.office(await place.open(), institution)
                verdict = await verification_of(office, await office.access()).all()
                note["outcome"] = "read"
                return f"{institution.id}: {verdict.read} read, {verdict.unread_count} not"

        world.start("final verify", work)
        await world.quiet()


async def all_put_back(world: World) -> dict[str, Any]:
    """At the very end all that runs have deleted comes back, and stays through a run."""
    begin = len(world.sandbox.history)
    for institution in world.institutions:

        async def work(place: Place, institution: Institution = institution) -> str:
            office = await place.office(await place.open(), institution)
            told = [
                await put_back(place, institution, office, number) for number in await deleting_runs(office)
            ]
            return "; ".join(told)

        world.start("final restore", work)
        await world.quiet()
    await asyncio.sleep(A_DAY_AND_MORE)
    await _all_synced(world, world.institutions, approving=False)
    waiting = await _waiting(world, [])
    return {"restored": {"begin": begin, "end": len(world.sandbox.history), "waiting": waiting}}


async def _waiting(world: World, suspended: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the product says of what is not done, and into *suspended* of who gets nothing."""
    waiting: list[dict[str, Any]] = []

    async def tell(place: Place) -> str:
        ledger = await place.open()
        for institution in world.institutions:
            book = await ledger.institution(institution.id)
            kinds = {one.mailbox.id: one.kind for one in await book.suspensions.all()}
            forgotten = await book.persons.forgotten()
            suspended.extend(
                {"institution": institution.id, "mailbox": mailbox.address, "kind": "forgotten"}
                for mailbox in institution.mailboxes
                if book.persons.digest(mailbox_key(mailbox.address)) in forgotten
            )
            for key, number in (await book.mailboxes.numbers()).items():
                if number in kinds:
                    suspended.append({"institution": institution.id, "mailbox": key, "kind": kinds[number]})
                waiting.extend(
                    {
                        "institution": institution.id,
                        "mailbox": change.mailbox.key,
                        "key": change.meeting_key,
                        "state": change.state.value,
                        "code": CODES[kinds[number]]
                        if number in kinds and change.state in _BEFORE_THE_GATE
                        else change.code,
                        "detail": detail,
                    }
                    for change, detail, *_ in await book.changes.of_mailbox(number)
                    if change.state not in {ChangeState.DONE, ChangeState.SUPERSEDED}
                )
            waiting.extend(await blocked(book, institution))
        return f"{len(waiting)} changes wait"

    world.start("status", tell)
    await world.quiet()
    return waiting


async def _all_synced(world: World, institutions: Sequence[Institution], *, approving: bool) -> None:
    for institution in institutions:

        async def work(place: Place, institution: Institution = institution) -> str:
            return await synced(place, institution, approving=approving)

        world.start("final sync", work)
        await world.quiet()
