"""
A stage for deliveries: a tenant in the sandbox, a timetable in words, and one ledger file.

Clock and waiting are shared with the sandbox, so that ten minutes of waiting take no time.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import numpy as np

from classbell.access import DIALECTS, Access
from classbell.deliver import Charge, Delivery, Progress, Tally
from classbell.desired import Desired, MeetingKey, desired_state
from classbell.identity.certificates import Credential
from classbell.identity.tokens import Tokens
from classbell.ledger import Accepted, InstitutionLedger, Ledger
from classbell.life import LocalFiles
from classbell.model import Change, Coverage, Ids, Meeting, Snapshot, Window
from classbell.numbering import Numbering
from classbell.outlook.client import OutlookClient
from classbell.outlook.mark import MARK_PROPERTY, Mark
from classbell.outlook.pace import Pace
from classbell.people import Receipt
from classbell.plan import Plan, Terms, pairs_of, plan_changes
from classbell.ports import Transport
from classbell.renderings import Renderings
from classbell.sandbox import App, Mailbox, Record, RequestInfo, Sandbox, SandboxClock, Tenant
from classbell.settings import ProfileSettings, TenantSettings
from classbell.wishes import policies_of

INSTALLATION = "4a0f4e0e-93b1-4a4d-8a55-0f8f4f3a7f10"
INSTITUTION = "example"
# A Monday morning; every test begins then.
MONDAY = datetime(2026, 9, 21, 6, 0, tzinfo=UTC)
BOUND = 600.0
SEND_WITHIN = 60.0
WEEK = 7 * 86_400
DECADE = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))


State = tuple[Snapshot, Desired, Numbering[MeetingKey], Numbering[str], Renderings]


class SharedClock:
    """Our clock is the sandbox's, and ``ahead`` of it. Whoever waits lets that time pass at once, for both."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self.ahead = 0.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self._clock.now() + self.ahead

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._clock.advance(max(seconds, 0.0))
        await asyncio.sleep(0)

    def pass_time(self, seconds: float) -> None:
        self._clock.advance(seconds)


class SeededIds:
    """The same ids and draws in every run."""

    def __init__(self, seed: int = 0) -> None:
        self._random = Random(seed)  # noqa: S311 - reproducible on purpose

    def new_uuid(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def random(self) -> float:
        return self._random.random()


def lecture(
    key: str, title: str | None = None, *, day: int = 10, hour: int = 9, place: str = "B12"
) -> Meeting:
    """A lecture of an hour, so many days after the Monday."""
    start = datetime(2026, 9, 21, hour) + timedelta(days=day)  # noqa: DTZ001 - a wall time
    return Meeting(
        key=key,
        start=start,
        end=start + timedelta(hours=1),
        zone="UTC",
        fields={"title": title or key, "location": place},
    )


@dataclass(kw_only=True)
class Stage:
    """
    What a test works with.

    ``timetable`` is what should stand in whose calendar, by the local part of the address;
    ``calendar`` and ``policies`` are the profile's.
    """

    sandbox: Sandbox
    tenant: Tenant
    app: App
    folder: Path
    new_ledger: Path
    clock: SharedClock
    transport: Transport
    tenant_settings: TenantSettings
    credentials: Sequence[Credential]
    timetable: dict[str, list[Meeting]] = field(default_factory=dict)
    calendar: str = "default"
    policies: dict[str, str] = field(default_factory=dict)
    progress: list[Progress] = field(default_factory=list)

    def mailbox(self, name: str) -> Mailbox:
        """The mailbox of a person, made at first use."""
        address = self.address(name)
        return self.tenant.find(address) or self.tenant.add_mailbox(address)

    def begin_anew(self) -> None:
        """The Monday again, with an empty ledger; mailboxes stay as they are."""
        self.lose_ledger()
        self.sandbox.clock.set(MONDAY)

    def lose_ledger(self) -> None:
        """An empty ledger in the place of what was there."""
        for file in self.folder.glob("ledger.db*"):
            file.unlink()
        shutil.copy(self.new_ledger, self.folder / "ledger.db")

    def address(self, name: str) -> str:
        return f"{name}@{self.tenant.domain}"

    @asynccontextmanager
    async def ledger(self) -> AsyncIterator[InstitutionLedger]:
        """The ledger's file, opened as by a new process."""
        opened = await self.open_ledger()
        try:
            yield await opened.institution(INSTITUTION)
        finally:
            opened.close()

    async def open_ledger(self) -> Ledger:
        return await Ledger.open(f"sqlite:///{self.folder / 'ledger.db'}", INSTALLATION)

    def access(self, transport: Transport | None = None, *, in_flight: int = 16) -> Access:
        """Access as a new process has it, with no token yet."""
        way = transport or self.transport
        dialect = DIALECTS[self.tenant_settings.api]()
        tokens = Tokens(way, self.clock, SeededIds(), self.tenant_settings, self.credentials)
        return Access(
            tokens=tokens,
            client=OutlookClient(way, tokens, dialect, self.clock, self.tenant_settings.calendars),
            dialect=dialect,
            pace=Pace(self.clock, SeededIds(), batches=in_flight),
        )

    async def plan(self, book: InstitutionLedger) -> tuple[Plan, Callable[[], Accepted]]:
        """The plan that the timetable asks for now, and how to accept it."""
        snapshot, desired, meetings, mailboxes, renderings = await self.state(book)
        plan = await self._compare(book, desired, snapshot.coverage)
        wanted_again = desired.asks_for(await book.changes.unsettled())
        return plan, lambda: Accepted(
            plan=plan,
            calendars=desired.slots.calendars,
            fresh_mailboxes={key: key for key in mailboxes.fresh},
            fresh_meetings=list(meetings.fresh),
            renderings=renderings.fresh,
            sources_read=frozenset({snapshot.source}),
            wanted_again=wanted_again,
        )

    async def state(self, book: InstitutionLedger) -> State:
        """What the timetable asks for now."""
        meetings: Numbering[MeetingKey] = Numbering(await book.meetings.numbers())
        mailboxes: Numbering[str] = Numbering(await book.mailboxes.numbers())
        given = {"name": "all", "calendar": self.calendar} | self.policies
        profile = ProfileSettings.model_validate(given)
        renderings = Renderings([profile], LocalFiles(), await book.meetings.known_renderings())
        snapshot = self._snapshot()
        everybody = np.ones(len(snapshot.people), dtype=np.bool_)
        desired = desired_state(
            [Receipt(audience="all", profile="all", snapshot=snapshot, people=everybody)],
            meetings=meetings,
            mailboxes=mailboxes,
            calendars={"all": "" if self.calendar == "default" else self.calendar},
            render=renderings.render,
            policies=policies_of([profile]),
        )
        return snapshot, desired, meetings, mailboxes, renderings

    async def accept(self, book: InstitutionLedger) -> int:
        """Plan and accept; the ledger's revision."""
        _, accepted = await self.plan(book)
        return (await book.plans.accept(accepted(), self.clock.now())).revision

    def delivery(
        self,
        book: InstitutionLedger,
        *,
        revision: int = 1,
        transport: Transport | None = None,
        in_flight: int = 16,
        access: Access | None = None,
        **charge: Any,
    ) -> Delivery:
        """A delivery of what the ledger has open."""
        given = {"bound": BOUND} | charge
        return Delivery(
            book,
            access or self.access(transport, in_flight=in_flight),
            self.clock,
            Charge(installation=INSTALLATION, institution=INSTITUTION, revision=revision, **given),
            self.progress.append,
        )

    async def run(self, **options: Any) -> Tally:
        """One whole pass in a process of its own: plan, accept, deliver."""
        async with self.ledger() as book:
            return await self.delivery(book, revision=await self.accept(book), **options).run()

    async def settle(self, runs: int = 2) -> None:
        """Let every bound, fence and probe come due, and run."""
        for _ in range(runs):
            self.clock.pass_time(86_400.0)
            await self.run()

    async def open_changes(self) -> dict[tuple[str, str], Change]:
        """What is not done, by person and meeting."""
        async with self.ledger() as book:
            found = {}
            for number in (await book.mailboxes.numbers()).values():
                for change, *_ in await book.changes.of_mailbox(number):
                    if change.state.value not in {"done", "superseded"}:
                        name = change.mailbox.address.partition("@")[0]
                        found[name, change.meeting_key.partition(":")[2]] = change
            return found

    async def why_open(self) -> dict[tuple[str, str], tuple[str, str]]:
        """The state and code of what is not done."""
        return {pair: (c.state.value, c.code) for pair, c in (await self.open_changes()).items()}

    def shown(self, name: str) -> list[tuple[str, str, str]]:
        """What a person's calendars hold of ours: title, start and place, sorted."""
        return sorted(_facts(event) for event in self.mailbox(name).events() if mark_of(event) is not None)

    def wanted(self, name: str) -> list[tuple[str, str, str]]:
        """The same as the timetable has it."""
        return sorted(
            (m.fields["title"], m.start.isoformat(), m.fields["location"])
            for m in self.timetable.get(name, [])
        )

    def our_event(self, name: str, title: str) -> str:
        """The id of our event of that title."""
        (found,) = (
            event["id"]
            for event in self.mailbox(name).events()
            if event["subject"] == title and mark_of(event) is not None
        )
        return str(found)

    def asked(self, *methods: str, since: int = 0) -> list[Record]:
        """The requests to mailboxes so far, answered or not, batches not counted."""
        return [
            record
            for record in list(self.sandbox.history)[since:]
            if record.kind in {"request", "refusal"}
            and record.tenant == self.tenant.tenant_id
            and "/users/" in record.path
            and (not methods or record.method in methods)
        ]

    def exchanges(self, *, since: int = 0) -> int:
        """How many requests of any kind there were, tokens and batches included."""
        return sum(
            record.kind in {"request", "refusal"} and record.tenant == self.tenant.tenant_id
            for record in list(self.sandbox.history)[since:]
        )

    @property
    def here(self) -> int:
        """The present end of the history."""
        return len(self.sandbox.history)

    async def assert_true(self, *, but: Mapping[str, object] | None = None) -> None:
        """Every calendar is as the timetable says (*but* some people's), and a further run writes nothing."""
        for name in self.timetable:
            if name not in (but or {}):
                assert self.shown(name) == self.wanted(name), name
        before = self.here
        await self.run()
        assert self.asked("POST", "PATCH", "DELETE", since=before) == []
        await self.assert_packed()

    async def assert_packed(self) -> None:
        """The packed rows say exactly what the entry rows say, and none is stale."""
        async with self.ledger() as book:
            assert await book.entries.stale() == []
            packed = set()
            async for run in book.entries.delivered(_nowhere):
                packed |= set(
                    zip(
                        run.mailbox.tolist(),
                        run.meeting.tolist(),
                        run.fingerprint.tolist(),
                        run.starts.tolist(),
                        strict=True,
                    )
                )
            rows = set()
            for key in await book.mailboxes.numbers():
                owner = await book.mailboxes.find(key)
                assert owner is not None
                rows |= {
                    (owner.id, entry.meeting_id, entry.fingerprint, entry.starts_at)
                    for entry, _ in await book.entries.of_mailbox(owner)
                }
            assert packed == rows

    def _snapshot(self) -> Snapshot:
        people = tuple(sorted(self.timetable))
        meetings = {m.key: m for name in people for m in self.timetable[name]}
        keys = list(meetings)
        pairs = [(i, keys.index(m.key)) for i, name in enumerate(people) for m in self.timetable[name]]
        now = int(self.clock.now())
        return Snapshot(
            source="timetable",
            meetings=tuple(meetings.values()),
            people=tuple(self.address(name) for name in people),
            attendance=np.array(sorted(pairs), dtype=np.int32).reshape(-1, 2),
            coverage=Coverage(window=Window(begin=now - 10 * WEEK, end=now + 60 * WEEK)),
            digest=b"0" * 16,
        )

    async def _compare(self, book: InstitutionLedger, desired: Desired, coverage: Coverage) -> Plan:
        stale = await book.entries.stale()
        busy = [*await book.changes.unsettled(), *await book.sightings.blocking()]
        delivered = [run async for run in book.entries.delivered(_read_in_full, fresh=stale)]
        now = int(self.clock.now())
        return plan_changes(
            desired,
            delivered,
            Terms(
                now=now,
                window=Window(begin=now - WEEK, end=now + 30 * WEEK),
                coverages=[coverage],
                busy=pairs_of(busy),
                drifted=pairs_of(await book.sightings.drifted()),
                missing=pairs_of(await book.sightings.missing()),
                wishes=await book.wishes.all(),
                unlinked=np.array(await book.suspensions.unlinked(), dtype=np.int64),
            ),
        )


def mark_of(event: dict[str, Any]) -> Mark | None:
    """The mark that an event bears."""
    for found in event["singleValueExtendedProperties"]:
        if found["id"] == MARK_PROPERTY:
            return Mark.parse(found["value"])
    return None


def member(method: str, name: str = "") -> Callable[[RequestInfo], bool]:
    """Members of batches with this method, of one person's mailbox if *name* is given."""
    whose = f"{name}@" if name else ""
    return lambda info: info.kind == "member" and info.method == method and info.mailbox.startswith(whose)


def batch(info: RequestInfo) -> bool:
    """The envelope of any batch."""
    return info.kind == "batch"


def batch_of(method: str) -> Callable[[RequestInfo], bool]:
    """The envelope of a batch that has a member with this method."""
    return lambda info: batch(info) and any(part["method"] == method for part in info.body["requests"])


def _facts(event: dict[str, Any]) -> tuple[str, str, str]:
    return event["subject"], event["start"]["dateTime"][:19], event["location"]["displayName"]


def _nowhere(meetings: Ids) -> Any:
    return np.full(len(meetings), -1, dtype=np.int16)


def _read_in_full(meetings: Ids) -> Any:
    return np.zeros(len(meetings), dtype=np.int16)
