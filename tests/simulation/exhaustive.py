"""
Everything that can go wrong, one at a time, at every place where it can: at each call to a port a death, or a sleep
during which another process does the work; from each write on a full disk; each fault at each request; in ten scenarios.

A trial has a name, by which it can be played again: ``first delivery/death/17``, ``update/503-after/3``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.actors.installation import synced
from tests.simulation.draws import draws
from tests.simulation.equipment import Equipment
from tests.simulation.rest import calmed, rested
from tests.simulation.schedule import Told, told_of
from tests.simulation.world import Institution, Place, World

from classbell.sandbox import Mailbox, RequestInfo, Switches
from classbell.sandbox.store import Event

DEATH, SLEEP, FULL = "death", "sleep", "full"
FAULTS = (
    *(f"{status}-{moment}" for status in (500, 503) for moment in ("before", "after", "late")),
    *(f"{status}-before" for status in (400, 401, 403, 404, 409, 412, 413, 423, 429)),
    *(f"{what}-{moment}" for what in ("drop", "missing") for moment in ("before", "after", "late")),
    *("doubled-after", "cut-after", "empty-after", "html-after", "html-before"),
)
_PEOPLE = ("ada", "grace")
# Longer than a request may wait for its leaving, and than the bound after it.
_ASLEEP = 1500.0
_WRITES = frozenset({"transaction", "commit", "write file", "create file"})


async def _nothing(_world: World, _institution: Institution) -> None:
    """The first delivery is the scenario."""


async def _delivered(world: World, institution: Institution) -> None:
    """Everything is delivered, and contact is made."""
    await _one_sync(world, institution)


async def _class_changed(world: World, institution: Institution) -> None:
    await _delivered(world, institution)
    timetable = institution.timetables[0]
    timetable.change(draws("change"), world.date, next(iter(timetable.classes)))
    timetable.present(world.now())


async def _class_removed(world: World, institution: Institution) -> None:
    timetable = institution.timetables[0]
    # With its last class a source would be empty, which proves nothing.
    timetable.add(draws("add"), world.date)
    timetable.present(world.now())
    await _delivered(world, institution)
    timetable.remove(next(iter(timetable.classes)))
    timetable.present(world.now())


async def _class_cancelled(world: World, institution: Institution) -> None:
    await _delivered(world, institution)
    timetable = institution.timetables[0]
    timetable.cancel(next(iter(timetable.classes)))
    timetable.present(world.now())


async def _class_added(world: World, institution: Institution) -> None:
    await _delivered(world, institution)
    timetable = institution.timetables[0]
    timetable.add(draws("add"), world.date)
    timetable.present(world.now())


async def _edited_by_its_owner(world: World, institution: Institution) -> None:
    await _class_changed(world, institution)
    for mailbox, event in _ours(institution):
        mailbox.edit_event(mailbox.store.ids.immutable(event.number), {"importance": "high"})


async def _removed_by_its_owner(world: World, institution: Institution) -> None:
    await _class_changed(world, institution)
    for mailbox, event in _ours(institution):
        mailbox.delete_event(mailbox.store.ids.immutable(event.number))


async def _calendar_deleted(world: World, institution: Institution) -> None:
    await _delivered(world, institution)
    for mailbox in institution.mailboxes:
        for calendar in list(mailbox.calendars())[1:]:
            mailbox.delete_calendar(calendar)
    timetable = institution.timetables[0]
    timetable.add(draws("add"), world.date)
    timetable.present(world.now())


async def _answers_lost(world: World, institution: Institution) -> None:
    """The creates were made, and nobody knows; the bound is over."""
    world.sandbox.faults.add(
        lambda info: info.kind == "batch" and info.body["requests"][0]["method"] == "POST", "drop-after"
    )
    await _one_sync(world, institution)
    await asyncio.sleep(2000.0)


SCENARIOS: dict[str, tuple[str, Callable[[World, Institution], Awaitable[None]]]] = {
    "first delivery": ("north", _nothing),
    "first delivery to a calendar of our own": ("south", _nothing),
    "update": ("north", _class_changed),
    "removal": ("north", _class_removed),
    "cancellation": ("north", _class_cancelled),
    "addition": ("south", _class_added),
    "update of what its owner has edited": ("north", _edited_by_its_owner),
    "update of what its owner has removed": ("north", _removed_by_its_owner),
    "addition to a calendar that is gone": ("south", _calendar_deleted),
    "look for creates whose answers were lost": ("north", _answers_lost),
}


@dataclass
class Places:
    """At how many calls a process can die in a scenario, which of them write, and how many requests can go wrong."""

    calls: int = 0
    writes: list[int] = field(default_factory=list)
    requests: int = 0


def trials(equipment: Equipment, scenario: str) -> list[str]:
    """The names of all trials of a scenario."""
    places = Places()
    _played(f"{scenario}/none/0", equipment, places)
    return [
        *(f"{scenario}/{DEATH}/{number}" for number in range(1, places.calls + 1)),
        *(f"{scenario}/{SLEEP}/{number}" for number in range(1, places.calls + 1)),
        *(f"{scenario}/{FULL}/{number}" for number in places.writes),
        *(f"{scenario}/{fault}/{number}" for number in range(1, places.requests + 1) for fault in FAULTS),
    ]


def play_trial(name: str, equipment: Equipment) -> Told:
    """One trial to its end."""
    return _played(name, equipment, Places())


def _played(name: str, equipment: Equipment, places: Places) -> Told:
    scenario, what, number = name.rsplit("/", 2)
    owner, prelude = SCENARIOS[scenario]

    async def story(world: World) -> dict[str, Any]:
        institution = next(one for one in world.institutions if one.id == owner)
        await prelude(world, institution)
        picks = _Nth(int(number) if what in FAULTS else 0)
        effect = what if what in FAULTS else "503-before"
        world.sandbox.faults.add(picks, effect, times=None, retry_after=5, delay=300.0)
        world.tell(f"    {name}")
        await _one_sync(world, institution, what, int(number), places)
        places.requests = picks.count
        await calmed(world)
        # The other one does nothing, and nothing is asked of it.
        world.states[:] = [state for state in world.states if state["institution"] == owner]
        return await rested(world, [institution])

    # Unless it was remembered, a transactionId protects nobody.
    switches = Switches(transaction_memory=0.0, commit_bound=540.0)
    return told_of(name, equipment, story, switches=switches, classes=1, people=_PEOPLE)


class _Nth:
    """Matches the n-th request that it is asked about."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.count = 0

    def __call__(self, _info: RequestInfo) -> bool:
        self.count += 1
        return self.count == self.number


async def _one_sync(
    world: World,
    institution: Institution,
    what: str = "",
    number: int = 0,
    places: Places | None = None,
) -> None:
    """One run, whose process dies, falls asleep or finds the disk full at one of its calls to a port."""

    async def syncs(place: Place) -> str:
        # So small a world is beyond every limit at once.
        return await synced(place, institution, approving=True)

    async def work(place: Place) -> str:
        life = place.life

        def told(call: int, kind: str) -> None:
            if places is not None:
                places.calls = call
                places.writes += [call] * (kind in _WRITES)
            if call != number:
                return
            if what == FULL:
                world.disk.full = True
            elif what == SLEEP:
                life.frozen_until = world.loop.time() + _ASLEEP
                world.start("sync-beside", syncs, alone=False)

        life.told = told
        return await syncs(place)

    world.start("sync", work, dies_at=number if what == DEATH else 0)
    await world.quiet()


def _ours(institution: Institution) -> list[tuple[Mailbox, Event]]:
    return [
        (mailbox, event)
        for mailbox in institution.mailboxes
        for event in mailbox.store.live()
        if event.properties
    ]
