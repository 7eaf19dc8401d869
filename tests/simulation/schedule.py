"""
A schedule: what happens in one world, drawn from a seed, until everything has come to rest.

The same seed gives the same history, to the byte. What an outsider could know beside it (what timetables said,
which runs began, what the product says of what waits) is the testimony.
"""

import asyncio
import hashlib
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Any

import msgspec
from tests.simulation.actors import Act, Deed, all_acts, changing_over, forgetting
from tests.simulation.draws import draws
from tests.simulation.equipment import INSTALLATION, Equipment
from tests.simulation.lasting import with_lasting_ids
from tests.simulation.loop import Stuck, virtual_loop
from tests.simulation.rest import all_put_back, calmed, rested
from tests.simulation.world import AT_LEAST, MAX_DELETES, World

from classbell.sandbox import Switches
from classbell.settings.values import ApiName

OPERATIONS = 150
# The share of schedules at whose end everything deleted is put back.
_REVERSED = 0.3
# And of those in which all mailboxes are read back before the last runs.
_READ_BACK = 0.4
# The share of schedules that reach calendars by the interface before Graph.
_OLDER = 0.1

# What nobody knows of the service, each value as likely as the others of its row.
UNCERTAIN: dict[str, Sequence[Any]] = {
    "transaction_memory": (0.0, 300.0, inf),
    "duplicate_transaction_status": (400, 409),
    "transaction_of_deleted": ("existing", "duplicate", "forgotten"),
    "post_echo_zone": ("utc", "request"),
    "items_in_deleted_items_by_immutable_id": (404, 200),
    "unscoped_events_span_calendars": (False, True),
    "scoped_path_checks_calendar": (False, True),
    "if_match_on_delete": (True, False),
    "top_clamp": (1000, 2),
    "full_mailbox_status": (507, 403),
    "lookup_lag": (0.0, 60.0),
    "lookup_lag_spread": (False, True),
    "lagging_lists": ("filtered", "all"),
    # The way there and the queue of a batch take their part of the ten minutes as well.
    "commit_bound": (540.0, 60.0),
    "mailbox_concurrency": ("hard", "soft"),
    "slot_held": (0.0, 0.01),
    "tenant_requests": (inf, 200.0),
    "retry_after": ("seconds", "seconds", "absent", "decimal", "silly"),
    "stale_only_by_address": (True, False),
    "no_roles_answer": ("denied", "401", "403"),
}

POLICIES: dict[str, Sequence[str]] = {
    "on_user_edit": ("restore", "keep"),
    "on_user_delete": ("restore", "respect"),
    "on_calendar_delete": ("restore", "stop"),
}


@dataclass
class Told:
    """What became of a schedule: its history, the testimony beside it, and the trace for people."""

    seed: str
    history: list[dict[str, Any]] = field(default_factory=list)
    testimony: dict[str, Any] = field(default_factory=dict)
    trace: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Of the whole history."""
        lines = hashlib.sha256()
        for record in self.history:
            lines.update(msgspec.json.encode(record) + b"\n")
        return lines.hexdigest()


def play(seed: str, equipment: Equipment, operations: int = OPERATIONS) -> Told:
    """Play one schedule to its end."""
    random = draws(f"{seed}/schedule")

    async def story(world: World) -> dict[str, Any]:
        await _drawn(world, random, operations, asides)
        await calmed(world)
        final = await rested(world, world.institutions, read_back=read_back)
        return final | (await all_put_back(world) if reversed_too else {})

    switches = Switches(**{name: random.choice(values) for name, values in UNCERTAIN.items()})
    wanted = draws(f"{seed}/policies")
    reversed_too = draws(f"{seed}/reversed").random() < _REVERSED
    api = drawn_api(seed)
    asides = _asides(seed, api)
    read_back = draws(f"{seed}/read back").random() < _READ_BACK
    policies = {
        name: {key: wanted.choice(values) for key, values in POLICIES.items()} for name in ("north", "south")
    }
    skew = random.choice((0.0, 0.0, -40.0, 25.0))
    return told_of(seed, equipment, story, switches=switches, skew=skew, policies=policies, api=api)


def drawn_api(seed: str) -> ApiName:
    """By which interface calendars are reached in a schedule."""
    return "outlook-rest-v2" if draws(f"{seed}/api").random() < _OLDER else "graph"


def _asides(seed: str, api: ApiName) -> list[tuple[Deed, Random]]:
    """What may happen after each step of a schedule, with draws of its own."""
    forgets, changes = draws(f"{seed}/forgetting"), draws(f"{seed}/changing over")
    asides: list[tuple[Deed, Random]] = []
    if forgets.random() < forgetting.OF_SCHEDULES:
        asides.append((forgetting.forget_somebody, forgets))
    if api != "graph" and changes.random() < changing_over.OF_SCHEDULES:
        asides.append((changing_over.change_over, changes))
    return asides


def told_of(
    seed: str,
    equipment: Equipment,
    story: Callable[[World], Awaitable[dict[str, Any]]],
    switches: Switches,
    **options: Any,
) -> Told:
    """
    Play a story in a world of its own.

    Args:
        story: what happens; returns what was found when everything had come to rest.
        options: of the world.
    """
    # The same place each time, so that the engines find it.
    folder = equipment.folder / "world"
    folder.mkdir()
    told = Told(seed)
    try:
        with virtual_loop() as loop:
            world = World(
                loop=loop, seed=seed, equipment=equipment, folder=folder, switches=switches, **options
            )
            world.tell(f"{switches}, {options}")
            final: dict[str, Any] = {}
            try:
                final = loop.run_until_complete(story(world))
            except Stuck as stuck:
                world.surprises.append(str(stuck))
            records = (record.told() for record in world.sandbox.history)
            told.history = [record | {"path": with_lasting_ids(record["path"])} for record in records]
            told.testimony = _testimony(world, final)
            told.trace = world.trace
    finally:
        equipment.let_go()
        shutil.rmtree(folder)
    return told


async def _drawn(
    world: World, random: Random, operations: int, asides: Sequence[tuple[Deed, Random]]
) -> None:
    acts = _drawn_acts(random)
    weights = [act.weight for act in acts]
    longest = random.choice((1.0, 30.0, 600.0))
    number = 0
    while number < operations:
        act = random.choices(acts, weights)[0]
        happened = await act.deed(world, random)
        if not happened:
            continue
        number += 1
        world.tell(f"{number:3} {happened}")
        for deed, draws_of_its_own in asides:
            if told := await deed(world, draws_of_its_own):
                world.tell(f"    {told}")
        await asyncio.sleep(random.choice((0.0, random.uniform(0, 1), random.uniform(0, longest))))


def _drawn_acts(random: Random) -> list[Act]:
    """Some of the acts: what is left out of a schedule cannot hide what the others do."""
    return [act for act in all_acts() if act.always or random.random() < 0.6]


def _testimony(world: World, final: dict[str, Any]) -> dict[str, Any]:
    return {
        "installation": INSTALLATION,
        "institutions": [
            {
                "id": institution.id,
                "tenant": institution.tenant.tenant_id,
                "app": institution.app.client_id,
                "calendar": institution.calendar,
                "mailboxes": [mailbox.address for mailbox in institution.mailboxes],
                "policies": dict(world.policies.get(institution.id, {})),
            }
            for institution in world.institutions
        ],
        "at_least": AT_LEAST,
        "max_deletes": MAX_DELETES,
        "bound": 600.0,
        # Whether the service deletes what has changed since we wrote it.
        "unconditional_deletes": not world.switches.if_match_on_delete,
        "states": world.states,
        "runs": world.runs,
        "decisions": world.decisions,
        "deaths": world.deaths,
        "lost": world.network.lost,
        "ways": world.network.ways,
        "deletes": [(at, with_lasting_ids(url)) for at, url in world.network.deletes],
        "mails": [mail.cause for mail in world.sandbox.outbox],
        "surprises": world.surprises,
        "final": final,
    }
