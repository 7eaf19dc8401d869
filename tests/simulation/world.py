"""
The world of a simulation: one sandbox, two institutions with like-named people, one installation.

Everything is in one process and on one loop: the real engine, the real ledger on a real file, the sandbox. What
the installation's processes leave behind is in that file and on the disk; everything else ends with them.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from tests.simulation.draws import draws
from tests.simulation.equipment import INSTALLATION, MONDAY, Equipment
from tests.simulation.life import Dead, Life
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import ADDRESS, Network, SimulatedTransport
from tests.simulation.ports import Disk, SimulatedClock, SimulatedDatabase, SimulatedFiles, SimulatedIds
from tests.simulation.timetable import ZONE, Timetable

from classbell.access import DIALECTS, Access
from classbell.errors import ClassbellError
from classbell.identity.tokens import Tokens
from classbell.ledger import Ledger
from classbell.outlook.client import OutlookClient
from classbell.outlook.pace import Pace
from classbell.ports import Ports
from classbell.run import Office
from classbell.sandbox import App, Mailbox, Sandbox, Switches, Tenant
from classbell.settings import InstitutionSettings
from classbell.settings.values import ApiName
from classbell.sources.child import ChildParser
from classbell.witness import Witness

PEOPLE = ("ada", "grace", "alan", "edsger")
DISK = Path("/disk")
WITNESS = DISK / "ledger.witness"
PLANS = DISK / "plans"
CLASSES = 8
_BEGIN = MONDAY.timestamp()
# So many events each run may delete unasked, whatever share they are.
AT_LEAST = 3
# And so many, if they are not more than such a share in percent.
MAX_DELETES = (8, 25.0)


@dataclass(kw_only=True)
class Institution:
    """One institution: its settings, its tenant, its timetables."""

    settings: InstitutionSettings
    tenant: Tenant
    app: App
    calendar: str
    timetables: list[Timetable]

    @property
    def id(self) -> str:
        return self.settings.id

    @property
    def mailboxes(self) -> list[Mailbox]:
        return list(self.tenant.mailboxes())


class Place:
    """What one process of the installation works with."""

    def __init__(self, world: "World", life: Life, number: int) -> None:
        self.world = world
        self.life = life
        self.clock = SimulatedClock(world.now, world.skew, life)
        self.ids = SimulatedIds(draws(f"{world.seed}/{number}"))
        self.files = SimulatedFiles(world.disk, life)
        self.transport = SimulatedTransport(world.network, self.clock, life)
        self._database: SimulatedDatabase | None = None

    async def open(self, *, trusting: bool = True) -> Ledger:
        """The ledger, trusted only if it is the newest, as a command opens it; or to be rebuilt."""
        world = self.world
        self._database = SimulatedDatabase.inhabited(
            world.database_url, self.life, world.disk, world.equipment.engines
        )
        ledger = Ledger(self._database, INSTALLATION)
        if trusting:
            revision = await ledger.revision()
            self.witness.confirm(revision)
            self.witness.bear(revision)
        return ledger

    @property
    def witness(self) -> Witness:
        return Witness(self.files, WITNESS, INSTALLATION)

    async def office(self, ledger: Ledger, institution: Institution) -> Office:
        """The office of an institution."""

        async def access() -> Access:
            tenant = institution.settings.tenant
            dialect = DIALECTS[tenant.api]()
            tokens = Tokens(self.transport, self.clock, self.ids, tenant, self.world.equipment.credentials)
            return Access(
                tokens=tokens,
                client=OutlookClient(self.transport, tokens, dialect, self.clock, tenant.calendars),
                dialect=dialect,
                pace=Pace(self.clock, self.ids, batches=self.world.batches),
            )

        return Office(
            installation=INSTALLATION,
            settings=institution.settings,
            ledger=await ledger.institution(institution.id),
            ports=Ports(
                transport=self.transport,
                clock=self.clock,
                ids=self.ids,
                files=self.files,
                parser=ChildParser(),
            ),
            witness=self.witness,
            access=access,
        )

    def close(self) -> None:
        """What was not committed is gone."""
        if self._database is not None:
            self._database.close()
            self.world.equipment.engines.append(self._database.engine)


@dataclass
class World:
    """
    Everything there is.

    Attributes:
        trace: what happened, a line each, for people.
        surprises: errors that no command would explain; each is a finding.
        processes: those alive, by name; ``lease`` is the one that holds it.
        skew: by how many seconds the computers of the installation are ahead of the service.
        batches: how many batches a process has on its way at most.
        classes: how many classes each timetable has at the beginning, and which ``people`` there are.
        policies: what the profile of each institution says of what people do to our events.
        api: by which interface calendars are reached.
        lost: whether the ledger is not the newest one, and was not rebuilt since.
        backed_up_at: when its copy was made.
        decisions: what administrators have decided: pauses, departures, resets, approvals.
    """

    loop: VirtualLoop
    seed: str
    equipment: Equipment
    folder: Path
    switches: Switches
    skew: float = 0.0
    batches: int = 8
    classes: int = CLASSES
    people: tuple[str, ...] = PEOPLE
    policies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    api: ApiName = "graph"
    trace: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    processes: dict[str, Life] = field(default_factory=dict)
    lease: str = ""
    lost: bool = False
    backed_up_at: float = 0.0
    states: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    deaths: list[tuple[float, str]] = field(default_factory=list)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _started: int = 0

    def __post_init__(self) -> None:
        self.disk = Disk(self.now)
        self.sandbox = Sandbox(
            seed=draws(f"{self.seed}/sandbox").getrandbits(32),
            switches=self.switches,
            base=self.now,
        )
        latency = draws(f"{self.seed}/latency")
        self.sandbox.latency = lambda: latency.uniform(0.0, 0.4)
        self.network = Network(self.sandbox.application(), draws(f"{self.seed}/network"), now=self.now)
        shutil.copy(self.equipment.ledger, self.database)
        random = draws(f"{self.seed}/timetables")
        self.institutions = [
            self._institution("north", ("lectures", "exams"), "default", random),
            self._institution("south", ("lectures",), "Timetable", random),
        ]

    @property
    def database(self) -> Path:
        return self.folder / "ledger.db"

    @property
    def backup(self) -> Path:
        """An old copy of the database, if there is one."""
        return self.folder / "backup.db"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.database}"

    def now(self) -> float:
        """The service's time, in seconds since 1970."""
        return _BEGIN + self.loop.time()

    @property
    def date(self) -> datetime:
        """The same as a date."""
        return datetime.fromtimestamp(self.now(), UTC)

    def tell(self, text: str) -> None:
        """A line for whoever reads the trace."""
        self.trace.append(f"{self.date:%m-%d %H:%M:%S.%f}"[:-3] + f"  {text}")

    def start(
        self, name: str, work: Callable[[Place], Awaitable[str]], *, dies_at: int = 0, alone: bool = True
    ) -> asyncio.Task[None] | None:
        """
        Start a process; None if it is to be *alone* and another one holds the lease.

        Args:
            work: what it does; how it ended, in a word.
            dies_at: the number of the call to a port at which it dies.
        """
        if alone and self.lease:
            self.tell(f"{name}: the lease is held by {self.lease}")
            return None
        self._started += 1
        name = f"{name}#{self._started}"
        life = Life(name, dies_at=dies_at)
        self.processes[name] = life
        if alone:
            self.lease = name
        self._tasks[name] = task = self.loop.create_task(self._process(life, work, self._started))
        return task

    async def _process(self, life: Life, work: Callable[[Place], Awaitable[str]], number: int) -> None:
        place = Place(self, life, number)
        job = self.loop.create_task(self._worked(work, place))
        ended = self.loop.create_task(life.ended.wait())
        await asyncio.wait({job, ended}, return_when=asyncio.FIRST_COMPLETED)
        if life.dead:
            job.cancel()
            self.deaths.append((self.now(), life.name))
        (outcome,) = await asyncio.gather(job, return_exceptions=True)
        ended.cancel()
        place.close()
        if life.dead:
            outcome = f"died at call {life.calls}"
        elif isinstance(outcome, ClassbellError):
            outcome = outcome.code
        elif isinstance(outcome, BaseException):
            self.surprises.append(f"{life.name}: {outcome!r}")
        self.tell(f"{life.name}: {outcome}")
        del self.processes[life.name], self._tasks[life.name]
        if self.lease == life.name:
            self.lease = ""

    async def _worked(self, work: Callable[[Place], Awaitable[str]], place: Place) -> str:
        try:
            return await work(place)
        except Dead:
            raise asyncio.CancelledError from None

    async def quiet(self) -> None:
        """Wait until no process is at work and nothing is on its way."""
        while self._tasks or self.network.under_way:
            await asyncio.wait({*self._tasks.values(), *self.network.under_way})

    def _institution(self, name: str, sources: tuple[str, ...], calendar: str, random: Random) -> Institution:
        tenant = self.sandbox.add_tenant(f"{name}.example")
        app = tenant.register_app("Classbell")
        app.add_certificate(self.equipment.pem)
        app.grant("Calendars.ReadWrite")
        app.grant_exchange("Calendars.ReadWrite.All")
        tenant.add_mailboxes(f"{person}@{tenant.domain}" for person in self.people)
        folder = DISK / name
        timetables = [
            Timetable(
                institution=name,
                name=source,
                folder=folder,
                disk=self.disk,
                people=[f"{person}@{tenant.domain}" for person in self.people],
                states=self.states,
            )
            for source in sources
        ]
        for timetable in timetables:
            for _ in range(self.classes):
                timetable.add(random, MONDAY)
            timetable.present(self.now())
        settings = InstitutionSettings.model_validate(
            {
                "schema": 1,
                "id": name,
                "name": name.title(),
                "tenant": {
                    "api": self.api,
                    "tenant_id": tenant.tenant_id,
                    "client_id": app.client_id,
                    "login_url": ADDRESS,
                    "graph_url": ADDRESS,
                    "certificates": [self.equipment.certificate],
                },
                "sources": [_source(timetable) for timetable in timetables],
                "audience": [{"name": "all", "gets": list(sources), "profile": "all"}],
                "profiles": [{"name": "all", "calendar": calendar, **self.policies.get(name, {})}],
                "window": {"timezone": ZONE},
                "safety": {
                    "max_deletes": dict(
                        zip(("count", "percent", "at_least"), (*MAX_DELETES, AT_LEAST), strict=True)
                    ),
                    "per_mailbox": {"percent": 60, "min_events": 4},
                },
            }
        )
        return Institution(
            settings=settings, tenant=tenant, app=app, calendar=calendar, timetables=timetables
        )


def _source(timetable: Timetable) -> dict[str, Any]:
    return {
        "name": timetable.name,
        "kind": "table",
        "meetings": timetable.meetings_file,
        "attendance": timetable.attendance_file,
        "map": {
            "key": "key",
            "start": "start",
            "end": "end",
            "title": "title",
            "location": "room",
            "cancelled": "cancelled",
        },
    }
