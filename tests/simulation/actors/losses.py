"""The ledger's database is lost, or an old copy is put in its place; and it is rebuilt from the calendars."""

import shutil
from collections.abc import Awaitable, Callable
from random import Random

from tests.simulation.actors import act
from tests.simulation.actors.installation import dies
from tests.simulation.actors.noting import noted
from tests.simulation.world import WITNESS, Place, World

from classbell.readback import entered, go_beyond, rebuild_of, take_into_doubt
from classbell.run import Run

# Time to leave, the bound, and a minute in which lists lack what is new.
_SETTLED_AFTER = 60.0 + 600.0 + 60.0


@act(1)
async def back_up_ledger(world: World, _random: Random) -> str:
    """A copy of the database, while nobody works with it."""
    if world.processes:
        return ""
    world.equipment.let_go()
    shutil.copy(world.database, world.backup)
    world.backed_up_at = world.now()
    return "the ledger is backed up"


@act(0.4)
async def lose_ledger(world: World, random: Random) -> str:
    """The database is deleted, or the backup put back; the witness may be gone as well."""
    if world.processes:
        return ""
    old = world.backup.exists() and random.random() < 0.7
    without = random.random() < 0.5
    if without and not old and _written_lately(world):
        # Then a first contact may find nothing, and it is assumed that nobody does that.
        return ""
    world.equipment.let_go()
    shutil.copy(world.backup if old else world.equipment.ledger, world.database)
    if without:
        world.disk.remove(WITNESS)
    world.lost = True
    now = world.now()
    told = {"what": "loss", "institution": "", "mailbox": "", "asked": now, "done": now, "old": old}
    world.decisions.append(told | {"of": world.backed_up_at if old else None})
    what = "an old ledger is put back" if old else "the ledger is deleted"
    return what + (", and the witness deleted" if without else "")


def _written_lately(world: World) -> bool:
    """Whether something that we sent may not be made yet, or not be found yet."""
    since = world.now() - _SETTLED_AFTER
    return any(run["begin"] > since or (run["end"] or world.now()) > since for run in world.runs)


@act(8)
async def rebuild_ledger(world: World, random: Random) -> str:
    """Most likely where it is needed."""
    if (world.lease or not world.lost) and random.random() < 0.97:
        return ""
    dies_at = dies(random)
    world.start("rebuild", rebuilding(world), dies_at=dies_at)
    return "rebuild begins" + (f", and will die at call {dies_at}" if dies_at else "")


def rebuilding(world: World) -> Callable[[Place], Awaitable[str]]:
    """What ``classbell ledger rebuild`` does, for all institutions."""

    async def work(place: Place) -> str:
        ledger = await place.open(trusting=False)
        await take_into_doubt(ledger, place.witness, place.clock.now())
        told = []
        whole = True
        for institution in world.institutions:
            with noted(place, institution, "rebuild") as note:
                office = await place.office(ledger, institution)
                review = await Run(office).look()
                await entered(office, review, [])
                rebuilt = await rebuild_of(office, await office.access(), review).all()
                await go_beyond(ledger, place.witness, rebuilt)
                note["outcome"] = "rebuilt"
                note["unread"] = sorted(one.mailbox.key for one in rebuilt.unread)
                # Without its timetables nobody knows whom a lost ledger knew: they are read, and it is rebuilt again.
                whole = whole and not rebuilt.unread_count and not review.failed
                told.append(
                    f"{institution.id} {rebuilt.mailboxes} mailboxes, {rebuilt.known} known,"
                    f" {rebuilt.adopted} adopted, {rebuilt.struck} gone, {rebuilt.held_count} held,"
                    f" {rebuilt.unread_count} unread"
                )
        world.lost = world.lost and not whole
        return "; ".join(told)

    return work
