"""
An installation of the product beside a sandbox that serves: files as an administrator writes them, and runs.

The sandbox's clock is the product's, so that both live in the term of whatever timetable a test reads.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.scenarios.watch import Watch
from tests.switching import NotedSwitches, registered_before

from classbell.cli.assembly import workplace
from classbell.identity.certificates import KeyPair
from classbell.life import LocalFiles, SystemIds
from classbell.ports import Files, Ports
from classbell.report import Report, Review
from classbell.run import Run
from classbell.sandbox import Address, App, Mailbox, Sandbox, SandboxClock, Tenant
from classbell.settings import Configuration, load
from classbell.settings.values import ApiName
from classbell.sources.child import ChildParser
from classbell.transport import AiohttpTransport

INSTALLATION = "6f1c1c62-6c0e-4b57-9a5e-0d9d4d8f2a11"

HOST = f"""\
schema = 1
installation = "{INSTALLATION}"
"""

INSTITUTION = """\
schema = 1
id = "{id}"
name = "University of {title}"

[tenant]
{api}tenant_id = "{tenant_id}"
client_id = "{client_id}"
login_url = "{url}"
graph_url = "{url}"
ca_file = "{ca_file}"

[[tenant.certificates]]
certificate = {{ file = "{id}-cert.pem" }}
private_key = {{ file = "{id}-key.pem" }}

{sources}
[[audience]]
name = "everybody"
gets = {names}
profile = "standard"

[[profiles]]
name = "standard"

[window]
past = "{past}"
future = "{future}"
timezone = "{timezone}"

{more}
"""


class SharedClock:
    """The product's clock port over the sandbox's clock: what a test sets there is now for both."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))


def ics(
    name: str, feeds: Sequence[tuple[str, Path | str]], *, timezone: str = "", private: bool = False
) -> str:
    """The table of a source of feeds, each a person and an address."""
    listed = ",\n".join(
        f"  {{ person = {json.dumps(person)}, url = {json.dumps(str(url))} }}" for person, url in feeds
    )
    zone = f'timezone = "{timezone}"\n' if timezone else ""
    loopback = "allow_private_addresses = true\n" if private else ""
    return f'[[sources]]\nname = "{name}"\nkind = "ics"\n{zone}{loopback}feeds = [\n{listed}\n]\n'


def table(folder: Path | str, name: str = "timetable") -> str:
    """The table of a source that reads what ``classbell.sample.University`` writes into a folder."""
    return f"""\
[[sources]]
name = "{name}"
kind = "table"
meetings = "{folder}/meetings.csv"
attendance = "{folder}/attendance.csv"
map = {{ key = "key", start = "start", end = "end", title = "title", location = "room", cancelled = "cancelled" }}
"""


@dataclass(frozen=True, kw_only=True)
class Institution:
    """One institution: its side of the installation, and its tenant at Microsoft."""

    id: str
    tenant: Tenant
    app: App
    file: Path

    @property
    def domain(self) -> str:
        return self.tenant.domain

    def revoke(self) -> None:
        """Take the permission for calendars away, that of whichever interface."""
        self.app.revoke("Calendars.ReadWrite")
        self.app.revoke_exchange("Calendars.ReadWrite.All")

    def grant(self) -> None:
        self.app.grant("Calendars.ReadWrite")
        self.app.grant_exchange("Calendars.ReadWrite.All")

    def mailbox(self, name: str) -> Mailbox:
        return self.tenant.mailbox(f"{name}@{self.domain}")


@dataclass(frozen=True, kw_only=True)
class Synced:
    review: Review
    report: Report


@dataclass
class World:
    """
    A folder with a configuration, a sandbox that serves, and the certificate registered there.

    ``api`` is the interface to calendars of the institutions that are added from now on.
    """

    sandbox: Sandbox
    address: Address
    folder: Path
    pair: KeyPair
    api: ApiName = "graph"
    institutions: dict[str, Institution] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "conf.d").mkdir()
        (self.folder / "classbell.toml").write_text(HOST, encoding="utf-8")
        self.clock = SharedClock(self.sandbox.clock)

    def add_institution(
        self,
        sources: str | Sequence[str],
        people: Sequence[str],
        *,
        id: str = "example",  # noqa: A002 -- as the file calls it
        past: str = "7d",
        future: str = "200d",
        timezone: str = "Europe/London",
        more: str = "",
    ) -> Institution:
        """A tenant with mailboxes for *people*, our application in it, and the institution's file."""
        tenant = self.sandbox.add_tenant(f"{id}.edu")
        app = tenant.register_app("Classbell")
        with registered_before(self.sandbox.clock):
            app.add_certificate(self.pair.certificate)
        app.grant("Calendars.ReadWrite")
        if self.api != "graph":
            app.grant_exchange("Calendars.ReadWrite.All")
        tenant.add_mailboxes(f"{name}@{tenant.domain}" for name in people)
        conf = self.folder / "conf.d"
        put_secret(conf / f"{id}-cert.pem", self.pair.certificate)
        put_secret(conf / f"{id}-key.pem", self.pair.key)
        tables = [sources] if isinstance(sources, str) else list(sources)
        text = INSTITUTION.format(
            id=id,
            title=id.title(),
            api="" if self.api == "graph" else f'api = "{self.api}"\n',
            tenant_id=tenant.tenant_id,
            client_id=app.client_id,
            url=self.address.url,
            ca_file=self.address.ca_file,
            sources="\n".join(tables),
            names=json.dumps([_name(table) for table in tables]),
            past=past,
            future=future,
            timezone=timezone,
            more=more,
        )
        file = conf / f"{id}.toml"
        file.write_text(text, encoding="utf-8")
        self.institutions[id] = made = Institution(id=id, tenant=tenant, app=app, file=file)
        return made

    def set_time(self, moment: datetime) -> None:
        """Make it *moment* for Microsoft and for the product."""
        self.sandbox.clock.set(moment)

    @property
    def configuration(self) -> Configuration:
        return load(self.folder / "classbell.toml", LocalFiles(), {})

    @property
    def database(self) -> Path:
        return self.folder / "classbell.db"

    def sync(
        self,
        id: str = "example",  # noqa: A002 -- as the file calls it
        files: Files | None = None,
    ) -> Synced:
        """One whole run for one institution, put together as the command line does it."""
        return asyncio.run(self._run(id, files or LocalFiles()))

    def cancelled(self, turns: int) -> None:
        """A run that is cancelled after so many turns of its loop, if it has not ended by then."""

        async def run() -> None:
            running = asyncio.ensure_future(self._run("example", LocalFiles()))
            for _ in range(turns):
                await asyncio.sleep(0)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

        asyncio.run(run())

    async def _run(self, id: str, files: Files) -> Synced:  # noqa: A002 -- as the file calls it
        async with AiohttpTransport(self.clock, environ={}) as transport:
            ports = Ports(
                transport=transport,
                clock=self.clock,
                ids=SystemIds(),
                files=files,
                parser=ChildParser(),
            )
            async with workplace(self.configuration, writing=True, ports=ports) as place:
                work = Run(await place.office(place.configuration.institution(id)))
                review = await work.look()
                return Synced(review=review, report=await work.carry_out(review))

    def synced(self, id: str = "example") -> Synced:  # noqa: A002 -- as the file calls it
        """The same, where nothing stands in its way."""
        done = self.sync(id)
        assert (done.report.exit_code, done.report.waiting, done.report.remarks) == (0, (), ()), done.report
        return done

    @contextmanager
    def watched(self) -> Iterator[Watch]:
        """What Microsoft sees while the block runs."""
        watch = Watch(self.sandbox.history)
        yield watch
        watch.end()


def put_secret(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def _name(table: str) -> str:
    return table.partition('name = "')[2].partition('"')[0]


@contextmanager
def new_world(folder: Path, pair: KeyPair) -> Iterator[World]:
    """A world without an institution; its sandbox serves until the block ends."""
    sandbox = Sandbox(seed=1, switches=NotedSwitches())
    with sandbox.serve(directory=folder / "ca") as address:
        yield World(sandbox, address, folder, pair)
