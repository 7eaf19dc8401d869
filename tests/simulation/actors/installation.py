"""The installation: its administrator lets it run, its processes die, sleep, and run beside each other."""

import asyncio
from random import Random
from typing import Any

from tests.simulation.actors import act
from tests.simulation.actors.noting import holds_noted, named, noted
from tests.simulation.world import Institution, Place, World

from classbell.model import Action
from classbell.run import Office, Report, Review, Run

_WHATEVER = 1_000_000
_GUARDS = 7


async def synced(
    place: Place,
    institution: Institution,
    *,
    person: str | None = None,
    allow_deletes: int = 0,
    approving: bool = False,
    thinking: float = 0.0,
    only_look: bool = False,
    reset: bool = False,
) -> str:
    """
    One run, noted for those who judge.

    Args:
        approving: whether somebody approves whatever it holds, as it is shown.
    """
    kind = "plan" if only_look else "sync"
    # Who has not seen a plan yet has agreed to nothing.
    approved = _WHATEVER if approving else allow_deletes
    said: dict[str, Any] = {"person": person or "", "approved": approved, "agreed": []}
    with noted(place, institution, kind, **said, reset=reset) as note:
        office = await place.office(await place.open(), institution)
        run = Run(office, person=person, allow_deletes=allow_deletes, reset=reset)
        review = await run.look()
        if only_look:
            note["outcome"] = "looked"
            return f"{institution.id} looked"
        if approving:
            review = await all_approved(run, office, review)
        if approved:
            note["agreed"] = agreed_to(review, approved)
        await asyncio.sleep(thinking)
        async with holds_noted(place, office, review, note):
            report = await run.carry_out(review)
        note["outcome"] = str(report.exit_code)
        return f"{institution.id} {told(report)}"


async def all_approved(run: Run, office: Office, review: Review) -> Review:
    """A review once all that it holds is approved; what one guard stops, others have not judged yet."""
    for _ in range(_GUARDS):
        if not review.verdict.holds:
            break
        review = await run.entered(review)
        for number in [hold.id for hold in review.verdict.holds if hold.id is not None]:
            stored = await office.ledger.holds.find(number)
            if stored is not None:
                now = office.ports.clock.now()
                await office.ledger.holds.approve(number, "ops", now, digest=stored.digest)
        review = await run.judged(review)
    return review


def agreed_to(review: Review, allow_deletes: int) -> list[list[str]]:
    """The deletions that somebody lets pass who allows a run so many, by mailbox and meeting; none if they are more."""
    if review.plan.count(Action.DELETE) > allow_deletes:
        return []
    going = review.verdict.passed & (review.plan.action == Action.DELETE)
    return [change[:2] for change in named(review, going.nonzero()[0])]


def told(report: Report) -> str:
    """What came of a run, in a line."""
    holds = sorted({hold.code for hold in report.holds})
    waiting = [f"{w.changes} {w.state.value} {w.code}" for w in report.waiting]
    return f"{report.exit_code} {dict(report.tally.done)} holds {holds} waiting {waiting}"


def dies(random: Random) -> int:
    """A process makes some sixty calls to its ports when there is little to do."""
    return random.randint(1, 120) if random.random() < 0.25 else 0


def start(world: World, random: Random, name: str, *, alone: bool = True, **options: object) -> str:
    """Start a run for some institution, for one of its people if it is to be ``for_person``."""
    if alone and world.lease and random.random() < 0.8:
        return ""
    institution = random.choice(world.institutions)
    if options.pop("for_person", False):
        options["person"] = random.choice(institution.mailboxes).address

    async def work(place: Place) -> str:
        return await synced(place, institution, **options)  # type: ignore[arg-type]

    dies_at = dies(random)
    world.start(name, work, dies_at=dies_at, alone=alone)
    return f"{name} for {institution.id} begins" + (f", and will die at call {dies_at}" if dies_at else "")


@act(16, always=True)
async def sync(world: World, random: Random) -> str:
    return start(world, random, "sync")


@act(2)
async def sync_approved(world: World, random: Random) -> str:
    return start(world, random, "sync-approved", allow_deletes=random.choice((5, 50)))


@act(2)
async def sync_after_thought(world: World, random: Random) -> str:
    return start(world, random, "sync-after-thought", thinking=random.uniform(1, 900))


@act(2)
async def sync_person(world: World, random: Random) -> str:
    return start(world, random, "sync-person", for_person=True)


@act(1)
async def sync_reset(world: World, random: Random) -> str:
    return start(world, random, "sync-reset", for_person=True, reset=True)


@act(1)
async def plan(world: World, random: Random) -> str:
    return start(world, random, "plan", alone=False, only_look=True)


@act(2)
async def sync_beside(world: World, random: Random) -> str:
    """A second runner, whose lease the first has lost without knowing."""
    thinking = random.choice((0.0, 0.0, random.uniform(1, 900)))
    return start(world, random, "sync-beside", alone=False, thinking=thinking)


@act(1)
async def freeze_process(world: World, random: Random) -> str:
    if not world.processes:
        return ""
    life = random.choice(list(world.processes.values()))
    seconds = random.choice((20, 90, 800, 2500))
    life.frozen_until = world.loop.time() + seconds
    return f"{life.name} is stopped for {seconds} s"


@act(3)
async def kill_process(world: World, random: Random) -> str:
    if not world.processes:
        return ""
    life = random.choice(list(world.processes.values()))
    life.dies_at = life.calls + random.randint(1, 30)
    return f"{life.name} will die at call {life.dies_at}"


@act(0.7)
async def disk_is_full(world: World, random: Random) -> str:
    world.disk.full = not world.disk.full and random.random() < 0.8
    return "the disk is full" if world.disk.full else "there is room on the disk"


@act(2)
async def disk_has_room(world: World, _random: Random) -> str:
    world.disk.full = False
    return "there is room on the disk"


@act(8, always=True)
async def time_passes(world: World, random: Random) -> str:
    began = world.now()
    await asyncio.sleep(random.choice((30, 300, 700, 3600, 20_000, 90_000)) * random.uniform(0.5, 1.5))
    return f"{world.now() - began:.0f} s have passed"
