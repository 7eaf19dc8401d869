"""Certificates come, take over, expire and go while five hundred mailboxes of two institutions are being filled."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.scenarios.world import Institution, SharedClock, World, table

from classbell.cli.assembly import workplace
from classbell.identity.certificates import KeyPair, load_credential, new_self_signed
from classbell.identity.renewal import Renewal
from classbell.identity.retirement import retire
from classbell.identity.rotation import rotate
from classbell.ledger import InstitutionLedger
from classbell.life import LocalFiles, SystemIds
from classbell.model import CertificateUse
from classbell.ports import Ports
from classbell.report import Report
from classbell.run import Office, Run
from classbell.sandbox import Sandbox
from classbell.sources.child import ChildParser
from classbell.transport import AiohttpTransport

PEOPLE = 250
GROUP = 25
EVENTS = 6
# Each second of ours is so many for Classbell and for Microsoft.
SPEED = 8
MONDAY = datetime(2026, 9, 21, 9, tzinfo=UTC)


class QuickClock(SharedClock):
    """Waits in the sandbox's time, which runs faster than ours."""

    async def sleep(self, seconds: float) -> None:
        until = self.now() + seconds
        while self.now() < until:  # noqa: ASYNC110 - nobody announces that time has passed
            await asyncio.sleep(0.01)


@pytest.fixture
def quick_world(tmp_path: Path) -> Iterator[World]:
    # Tokens that live for a minute are had anew every thirty seconds of the sandbox.
    began = time.time()
    sandbox = Sandbox(seed=1, token_lifetime=60)
    sandbox.clock._base = lambda: MONDAY.timestamp() + (time.time() - began) * SPEED
    sandbox.switches.key_propagation = 20.0
    pair: KeyPair = new_self_signed("uploaded", now=MONDAY.timestamp() - 86_400, days=90)
    with sandbox.serve(directory=tmp_path / "ca") as address:
        world = World(sandbox, address, tmp_path, pair)
        with (tmp_path / "classbell.toml").open("a") as host:
            host.write("\n[engine]\nin_flight = 8\n")
        yield world


def open_institution(world: World, name: str) -> Institution:
    folder = world.folder / f"{name}-timetable"
    folder.mkdir()
    publish(world, name, "Lecture")
    people = [f"p{number}" for number in range(PEOPLE)]
    with (folder / "attendance.csv").open("w") as attends:
        attends.write("meeting,person\n")
        for at, person in enumerate(people):
            for number in range(EVENTS):
                attends.write(f"{at // GROUP}-{number},{person}@{name}.edu\n")
    made = world.add_institution(table(folder), people, id=name)
    text = made.file.read_text()
    text = text.replace("login_url", f'application_object_id = "{made.app.object_id}"\nlogin_url', 1)
    # Each run changes every title, which is otherwise for a person to look at.
    made.file.write_text(f"{text}\n[safety]\nmax_changes_percent = 100\n")
    return made


def publish(world: World, name: str, title: str) -> None:
    with (world.folder / f"{name}-timetable" / "meetings.csv").open("w") as meetings:
        meetings.write("key,start,end,title,room,cancelled\n")
        for group in range(PEOPLE // GROUP):
            for number in range(EVENTS):
                start = MONDAY.replace(tzinfo=None) + timedelta(days=1 + number, hours=group % 8)
                end = start + timedelta(hours=1)
                meetings.write(
                    f"{group}-{number},{start:%Y-%m-%dT%H:%M},{end:%Y-%m-%dT%H:%M},{title},Room,\n"
                )


def renewal(world: World, institution: Institution, ports: Ports) -> Renewal:
    return Renewal(
        institution=institution.id,
        tenant=world.configuration.institution(institution.id).tenant,
        file=institution.file,
        transport=ports.transport,
        clock=ports.clock,
        ids=ports.ids,
        files=ports.files,
        environ={},
    )


async def used(ledger: InstitutionLedger, clock: QuickClock, sha256: str) -> None:
    """Wait until the sync has signed in with a certificate."""
    while (await ledger.certificates.recall()).get(sha256, CertificateUse()).worked_at == 0.0:
        await clock.sleep(5)


async def renew(
    world: World, institution: Institution, ledger: InstitutionLedger, ports: Ports, clock: QuickClock
) -> None:
    """A second certificate comes, the first goes; a third comes, the second expires and goes."""
    uploaded = institution.app.credentials[0]
    second = await rotate(renewal(world, institution, ports))
    await used(ledger, clock, second.credential.sha256)
    await retire(renewal(world, institution, ports), key_id=uploaded.key_id)
    third = await rotate(renewal(world, institution, ports), days=400, again=True)
    await used(ledger, clock, third.credential.sha256)
    with world.sandbox._commons.lock:
        at = next(
            i for i, key in enumerate(institution.app.credentials) if key.sha256 == second.credential.sha256
        )
        ended = datetime.fromtimestamp(clock.now() - 1, UTC)
        institution.app.credentials[at] = replace(institution.app.credentials[at], end=ended)
    await retire(renewal(world, institution, ports))


async def keep_delivering(world: World, office: Office, renewed: asyncio.Task[None]) -> list[Report]:
    """Fill the calendars, and go on changing them until all is done that happens to certificates."""
    reports: list[Report] = []
    while not renewed.done() or not reports:
        publish(world, office.settings.id, f"Lecture in version {len(reports)}")
        run = Run(office)
        reports.append(await run.carry_out(await run.look()))
    return reports


async def everything(world: World, institutions: list[Institution]) -> tuple[list[list[Report]], list[int]]:
    """The reports of each institution's runs, and how many certificates the ledger knows of each."""
    clock = QuickClock(world.sandbox.clock)
    async with AiohttpTransport(clock, world.address.ca_file, environ={}) as transport:
        ports = Ports(
            transport=transport, clock=clock, ids=SystemIds(), files=LocalFiles(), parser=ChildParser()
        )
        async with workplace(world.configuration, writing=True, ports=ports) as place:
            offices = [await place.office(place.configuration.institution(each.id)) for each in institutions]
            work = []
            async with asyncio.TaskGroup() as tasks:
                for office, each in zip(offices, institutions, strict=True):
                    renewed = tasks.create_task(renew(world, each, office.ledger, ports, clock))
                    work.append(tasks.create_task(keep_delivering(world, office, renewed)))
            known = [len(await office.ledger.certificates.recall()) for office in offices]
            return [task.result() for task in work], known


@pytest.mark.timeout(300)
@pytest.mark.prove
def test_no_request_fails_for_lack_of_a_token_while_certificates_come_and_go(quick_world: World) -> None:
    world = quick_world
    institutions = [open_institution(world, name) for name in ("north", "south")]
    reports, known = asyncio.run(everything(world, institutions))
    assert known == [3, 3]
    for institution, runs in zip(institutions, reports, strict=True):
        assert {(run.exit_code, run.waiting) for run in runs} == {(0, ())}
        for number in range(PEOPLE):
            titles = [event["subject"] for event in institution.mailbox(f"p{number}").events()]
            assert titles == [f"Lecture in version {len(runs) - 1}"] * EVENTS
        # One is left, of three, and it is the one that is registered.
        (left,) = world.configuration.institution(institution.id).tenant.certificates
        credential = load_credential(left, LocalFiles(), {}, None)
        assert [key.sha256 for key in institution.app.credentials] == [credential.sha256]
    history = world.sandbox.history
    assert [r for r in history if r.status == 401 and not r.path.endswith("/token")] == []
    # The certificates that were refused were those that Microsoft did not know yet, or no more.
    assert {r.detail["code"] for r in history if r.kind == "refusal" and r.path.endswith("/token")} == {
        "AADSTS700027"
    }
    homes = {each.app.client_id: each.tenant.tenant_id for each in institutions}
    assert {r.tenant for r in history if r.app} == set(homes.values())
    assert [r for r in history if r.app and homes[r.app] != r.tenant] == []
