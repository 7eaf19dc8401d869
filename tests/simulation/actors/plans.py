"""Plans that are saved and carried out later, or refused; what is held and decided; and what is put back."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.simulation.actors import act
from tests.simulation.actors.administrator import begun
from tests.simulation.actors.noting import changes_of, decided, holds_noted, meetings_of, noted
from tests.simulation.equipment import INSTALLATION
from tests.simulation.world import PLANS, Institution, Place, World

from classbell.cli.kept_plans import write
from classbell.cli.plan_view import PlanView
from classbell.ledger import Ledger, full_key
from classbell.restoration import Restoration
from classbell.run import Office, Run
from classbell.saved import (
    Ground,
    SavedPlan,
    check_ground,
    check_institution,
    decode,
    left_to_do,
    review_of,
    save,
    saved_institution,
)

_RUNS = 1000


@act(1.5)
async def save_plan(world: World, random: Random) -> str:
    """``plan -o FILE``, for one institution or for all."""
    chosen, path = _some(world, random), _file(random)

    async def work(place: Place) -> str:
        return await _saved(place, await place.open(), chosen, path)

    return begun(world, random, "plan", work, f"into {path.name}", alone=False)


@act(2)
async def apply_plan(world: World, random: Random) -> str:
    """``apply FILE``: exactly that plan, or nothing; perhaps for the second time."""
    found = world.disk.matching(PLANS, "*.plan")
    if not found:
        return ""
    path = random.choice(found)

    async def work(place: Place) -> str:
        return await _carried_out(place, await place.open(), path)

    return begun(world, random, "apply", work, path.name)


@act(1.5)
async def plan_and_apply(world: World, random: Random) -> str:
    """One after the other, as people do it who look at plans; perhaps the second one twice."""
    chosen, path = _some(world, random), _file(random)
    thinking, twice = random.choice((0.0, random.uniform(1, 900))), random.random() < 0.3

    async def work(place: Place) -> str:
        ledger = await place.open()
        told = await _saved(place, ledger, chosen, path)
        await asyncio.sleep(thinking)
        told += "; " + await _carried_out(place, ledger, path)
        return told + ("; " + await _carried_out(place, ledger, path) if twice else "")

    return begun(world, random, "plan-apply", work, f"by {path.name}")


def _some(world: World, random: Random) -> list[Institution]:
    return world.institutions if random.random() < 0.3 else [random.choice(world.institutions)]


def _file(random: Random) -> Path:
    return PLANS / f"{random.randint(1, 3)}.plan"


async def _saved(place: Place, ledger: Ledger, chosen: Sequence[Institution], path: Path) -> str:
    parts = []
    for institution in chosen:
        with noted(place, institution, "plan") as note:
            office = await place.office(ledger, institution)
            review = await Run(office).look()
            view = await PlanView.of(institution.settings, review, office.ledger)
            parts.append(saved_institution(institution.settings, review, view.bodies))
            note["outcome"] = "looked"
    plan = save(await _ground(place, ledger), parts)
    write(place.files, path, plan)
    return f"{plan.name} in {path.name}"


async def _carried_out(place: Place, ledger: Ledger, path: Path) -> str:
    plan = decode(place.files.read(path), path.name)
    check_ground(plan, await _ground(place, ledger))
    by_id = {institution.id: institution for institution in place.world.institutions}
    meant = [await place.office(ledger, by_id[saved.id]) for saved in plan.institutions]
    offices = await left_to_do(plan, meant)
    for office in offices:
        saved = next(one for one in plan.institutions if one.id == office.settings.id)
        await check_institution(plan, saved, office)
    return "; ".join([await _applied(place, plan, by_id[office.settings.id], office) for office in offices])


async def _applied(place: Place, plan: SavedPlan, institution: Institution, office: Office) -> str:
    saved = next(one for one in plan.institutions if one.id == institution.id)
    with noted(
        place,
        institution,
        "apply",
        digest=plan.digest,
        until=plan.until,
        plan=sorted(
            [box, full_key(change.source, change.meeting), change.action]
            for change in saved.changes
            for box in change.mailboxes
        ),
    ) as note:
        run = Run(office)
        review = await run.entered(await run.judged(await review_of(plan, saved, office)))
        async with holds_noted(place, office, review, note):
            report = await run.carry_out(review)
        # What is held whole is not carried out, and may be later.
        note["outcome"] = str(report.exit_code) if len(review.passed) else "held"
        return f"{institution.id} {report.exit_code} {dict(report.tally.done)}"


async def _ground(place: Place, ledger: Ledger) -> Ground:
    return Ground(installation=INSTALLATION, revision=await ledger.revision(), now=place.clock.now())


@act(3)
async def decide_hold(world: World, random: Random) -> str:
    """``holds approve`` or ``reject``, of exactly what is held now."""
    yes, which = random.random() < 0.75, random.random()

    async def work(place: Place) -> str:
        ledger = await place.open()
        live = [
            (institution, book, hold)
            for institution in world.institutions
            for book in [await ledger.institution(institution.id)]
            for hold in await book.holds.live()
        ]
        if not live:
            return "nothing is held"
        institution, book, hold = live[int(which * len(live))]
        if not yes:
            await book.holds.reject(hold.id, "ops", place.clock.now())
            return f"{hold.code} is rejected"
        listed = await changes_of(book, hold)
        told = decided(
            place,
            institution,
            "approval",
            code=hold.code,
            changes=hold.changes,
            deletes=sorted([box, key] for box, key, action in listed if action == "delete"),
            listed=listed,
        )
        done = await book.holds.approve(hold.id, "ops", place.clock.now(), digest=hold.digest, needed=1)
        if done is not None:
            told["done"] = world.now()
        return f"{hold.code} of {hold.changes} changes is approved"

    return begun(world, random, "holds", work, "are looked at", alone=False)


@act(1.5)
async def restore_run(world: World, random: Random) -> str:
    """``restore --run ID``: what one run deleted comes back, or what it deleted of one person."""
    institution = random.choice(world.institutions)
    which = random.random()
    person = random.choice((None, None, random.choice(institution.mailboxes).address))

    async def work(place: Place) -> str:
        office = await place.office(await place.open(), institution)
        numbers = await deleting_runs(office)
        if not numbers:
            return "no run has deleted anything"
        return await put_back(place, institution, office, numbers[int(which * len(numbers))], person)

    return begun(world, random, "restore", work, f"in {institution.id}")


async def deleting_runs(office: Office) -> list[int]:
    """The runs that have deleted something that can be put back, the newest first."""
    return [
        past.id
        for past in await office.ledger.runs.last(_RUNS)
        if await office.ledger.restoring.deleted(past.id)
    ]


async def put_back(
    place: Place, institution: Institution, office: Office, number: int, person: str | None = None
) -> str:
    """Put back what a run deleted, noted."""
    with noted(place, institution, "restore", person=person or "", plan=[]) as note:
        restoration = Restoration(office, number, person)
        found = await restoration.look()
        meetings = await meetings_of(office.ledger)
        events = sorted([one.address, meetings[one.meeting_id]] for one in found.events)
        note["plan"] = [[*pair, "create"] for pair in events]
        told = decided(place, institution, "restore", person or "", events=events)
        done = await restoration.carry_out(found)
        told["done"] = place.world.now()
        note["outcome"] = str(done.exit_code)
        return f"{institution.id}: {done.created} of {len(found.events)} of run {number} are back"
