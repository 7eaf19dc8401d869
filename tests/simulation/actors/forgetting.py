"""
Administrators have everything erased that is known of somebody; and some come back as if they were new.

No act like the others: it has draws of its own, so that schedules without it stay as they are.
"""

import asyncio
from random import Random

from tests.simulation.actors.administrator import begun, resuming
from tests.simulation.actors.noting import decided, noted
from tests.simulation.world import Institution, Place, World

from classbell.errors import HeldError
from classbell.forgetting import forget, forgettable

# The share of schedules in which people are forgotten, and how often after each step.
OF_SCHEDULES = 0.3
_AT_A_STEP = 0.12
_COMES_BACK = 0.3


async def forget_somebody(world: World, random: Random) -> str:
    """Most likely somebody who has left; what stands there may stay. Or somebody who was forgotten comes back."""
    if random.random() >= _AT_A_STEP:
        return ""
    gone = [(told["institution"], told["mailbox"]) for told in world.decisions if told["what"] == "forget"]
    if gone and random.random() < _COMES_BACK:
        institution, person = _named(world, random.choice(gone))
        return begun(world, random, "resume", resuming(world, institution, person), person)
    institution, person = _whom(world, random)
    leave_events = random.random() < 0.4
    thinking = random.choice((0.0, 0.0, random.uniform(1, 1500)))
    if not person:
        return ""

    async def work(place: Place) -> str:
        with noted(place, institution, "forget", person=person) as note:
            office = await place.office(await place.open(), institution)
            found = await forgettable(office, person, leave_events=leave_events)
            await asyncio.sleep(thinking)
            left = found.remains.events + found.remains.in_doubt
            told = decided(place, institution, "forget", person, left=left)
            try:
                await forget(office, found)
            except HeldError as error:
                if error.code == "E-LEAVE-CHANGED":
                    world.decisions.remove(told)
                raise
            told["done"] = world.now()
            note["outcome"] = "forgotten"
            return f"{person} is forgotten, and {left} events are left"

    return begun(world, random, "forget", work, person)


def _whom(world: World, random: Random) -> tuple[Institution, str]:
    """Somebody who has left, or now and then anybody; or nobody."""
    left = [
        (told["institution"], told["mailbox"])
        for told in world.decisions
        if told["what"] == "unlink" and told["mailbox"]
    ]
    institution = random.choice(world.institutions)
    anybody = random.choice(institution.mailboxes).address if random.random() < 0.2 else ""
    if not left or anybody:
        return institution, anybody
    return _named(world, random.choice(left))


def _named(world: World, name: tuple[str, str]) -> tuple[Institution, str]:
    return next(one for one in world.institutions if one.id == name[0]), name[1]
