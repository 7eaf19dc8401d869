"""What a sandbox keeps in a folder between runs."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.sandbox.administrator import Administrator
from tests.sandbox.client import MONDAY, Certificate, Client, Wire, World, at, lecture, tag

from classbell.sandbox import Address, DataError, Record, Sandbox, SandboxFileError
from classbell.sandbox.keeping import rows
from classbell.sandbox.store import Event, Store

Opened = Callable[..., World]


@contextmanager
def opened(folder: Path, certificate: Certificate) -> Iterator[World]:
    """The sandbox of a folder with a tenant, an application and Ada's mailbox, made where they are missing."""
    sandbox = Sandbox(seed=5, data=folder)
    try:
        if not sandbox.tenants:
            sandbox.clock.set(MONDAY)
            tenant = sandbox.add_tenant("example.edu")
            app = tenant.register_app("Timetables")
            app.add_certificate(certificate.pem)
            app.grant("Calendars.ReadWrite")
            app.grant("MailboxSettings.ReadWrite")
            tenant.add_mailbox("ada@example.edu")
        (tenant,) = sandbox.tenants
        (app,) = tenant.apps.values()
        with sandbox.serve() as address:
            wire = Wire(address)
            ada = next(iter(tenant.mailboxes()))
            world = World(sandbox, address, tenant, app, certificate, wire, ada, Client(wire))
            world.graph = world.sign_in()
            yield world
            wire.close()
    finally:
        sandbox.close()


def told(history: Iterable[Record]) -> list[dict[str, Any]]:
    """The history as it is exported."""
    return [record.told() for record in history]


def test_mailboxes_calendars_and_events_come_back_as_they_were(
    tmp_path: Path, certificate: Certificate
) -> None:
    with opened(tmp_path, certificate) as world:
        ada = world.ada
        first = world.create(singleValueExtendedProperties=tag("x"), location={"displayName": "B 1"})["id"]
        world.create(attendees=[{"emailAddress": {"address": "guest@example.org"}}])
        other = ada.create_calendar("Other")
        ada.move_event(ada.copy_event(first), other)
        ada.rename_calendar(other, "Another")
        ada.delete_event(first)
        ada.purge_event(world.create()["id"])
        all_day = lecture(isAllDay=True, start=at("2026-09-23T00:00:00"), end=at("2026-09-24T00:00:00"))
        ada.put_event(all_day)
        pattern = {
            "pattern": {"type": "daily", "interval": 1},
            "range": {"type": "numbered", "startDate": "2026-09-21", "numberOfOccurrences": 5},
        }
        series = world.create(recurrence=pattern)["id"]
        days = world.graph.get(
            f"{world.home}/events/{series}/instances",
            {"startDateTime": "2026-09-21T00:00:00Z", "endDateTime": "2026-10-21T00:00:00Z"},
        ).body["value"]
        assert world.graph.patch(f"{world.home}/events/{days[1]['id']}", {"subject": "Late"}).status == 200
        assert world.graph.delete(f"{world.home}/events/{days[2]['id']}").status == 204
        view = ada.calendar_view(MONDAY, MONDAY.replace(day=30))
        before = (ada.events(), ada.deleted_events(), ada.calendars(), ada.id, view, world.sandbox.outbox)
    with opened(tmp_path, certificate) as world:
        ada = world.ada
        view = ada.calendar_view(MONDAY, MONDAY.replace(day=30))
        assert before == (
            ada.events(), ada.deleted_events(), ada.calendars(), ada.id, view, world.sandbox.outbox,
        )  # fmt: skip
        assert len(view) == 2 + 4 + 1
        assert [event["subject"] for event in view].count("Late") == 1


def test_settings_and_categories_of_a_mailbox_come_back(tmp_path: Path, certificate: Certificate) -> None:
    with opened(tmp_path, certificate) as world:
        zone = {"timeZone": "W. Europe Standard Time"}
        assert world.graph.patch(f"{world.home}/mailboxSettings", zone).status == 200
        category = {"displayName": "Timetable", "color": "preset3"}
        path = f"{world.home}/outlook/masterCategories"
        assert world.graph.post(path, category).status == 201
        before = world.graph.get(path).body["value"], world.graph.get(f"{world.home}/mailboxSettings").body
    with opened(tmp_path, certificate) as world:
        after = world.graph.get(path).body["value"], world.graph.get(f"{world.home}/mailboxSettings").body
        assert [category["displayName"] for category in before[0]].count("Timetable") == 1
        for body in (before[1], after[1]):
            body.pop("@odata.context")
        assert before == after


def test_an_application_comes_back_with_all_that_it_may(tmp_path: Path, certificate: Certificate) -> None:
    with opened(tmp_path, certificate) as world:
        world.tenant.add_mailbox("bob@example.edu")
        world.app.restrict_to(["bob@example.edu"])
        world.app.exchange.assign("Application Calendars.Read", ["ada@example.edu"])
        world.app.require("Calendars.Read")
        world.tenant.cloud = "microsoftonline.us"
    sandbox = Sandbox(data=tmp_path)
    (tenant,) = sandbox.tenants
    assert tenant.cloud == "microsoftonline.us"
    tenant.cloud = "microsoftonline.com"
    sandbox.close()
    with opened(tmp_path, certificate) as world:
        assert world.app.required == {"Calendars.Read"}
        assert world.graph.get("/users/bob@example.edu/events").status == 200
        assert world.graph.get(world.events).status == 200
        assert world.graph.post(world.events, lecture()).status == 403


def test_the_history_goes_on_with_the_next_number(tmp_path: Path, certificate: Certificate) -> None:
    with opened(tmp_path, certificate) as world:
        world.graph.batch(*({"method": "GET", "url": world.events} for _ in range(3)))
        first = told(world.sandbox.history)
    with opened(tmp_path, certificate) as world:
        history = world.sandbox.history
        world.graph.batch({"method": "GET", "url": world.events})
        assert told(history)[: len(first)] == first
        assert [record.number for record in history] == list(range(1, len(history) + 1))
        assert history[len(first) - 1].told() == first[-1] == history[-len(history) + len(first) - 1].told()
        assert (
            told(history[len(first) - 2 : len(first) + 1]) == told(history)[len(first) - 2 : len(first) + 1]
        )
        batches = [record.detail["batch"] for record in history if "batch" in record.detail]
        assert sorted(set(batches)) == [1, 2]
        everything = told(history)
        admin = Administrator(world.address)
        assert admin.get("/history?after=0").lines == everything
        assert f"{everything[0]['number']} " in admin.get("/pages/history").text
        admin.close()
        world.sandbox.export_history(tmp_path / "export.jsonl")
    kept = (tmp_path / "history.jsonl").read_text()
    assert [json.loads(line) for line in kept.splitlines()] == everything
    assert (tmp_path / "export.jsonl").read_text() == kept


def test_a_long_history_is_read_from_any_place(tmp_path: Path) -> None:
    sandbox = Sandbox(data=tmp_path)
    ada = sandbox.add_tenant("example.edu").add_mailbox("ada@example.edu")
    for number in range(5000):
        ada.put_event(lecture(subject=str(number)))
        if number % 700 == 0:
            sandbox._keeper.flush()  # type: ignore[union-attr] # stretches as a thread writes them
    sandbox.close()
    again = Sandbox(data=tmp_path)
    try:
        assert len(again.history) == 5000
        for place in (0, 1, 999, 1000, 1400, 1401, 2800, 4998, 4999, -1, -5000):
            assert again.history[place].detail["subject"] == str(place % 5000)
        assert [record.detail["subject"] for record in again.history] == [str(n) for n in range(5000)]
        with pytest.raises(IndexError):
            again.history[5000]
    finally:
        again.close()


def test_a_transaction_id_is_remembered_also_of_what_is_away(
    tmp_path: Path, certificate: Certificate
) -> None:
    with opened(tmp_path, certificate) as world:
        kept = world.create(transactionId="t-1")["id"]
        gone = world.create(transactionId="t-2")["id"]
        world.ada.purge_event(gone)
    with opened(tmp_path, certificate) as world:
        assert world.create(transactionId="t-1")["id"] == kept
        assert world.create(transactionId="t-2")["id"] == gone
        assert len(world.ada.events()) == 1
        world.sandbox.switches.transaction_of_deleted = "forgotten"
        assert world.create(transactionId="t-2")["id"] not in {kept, gone}


def test_no_id_is_given_twice(tmp_path: Path, certificate: Certificate) -> None:
    seen: list[str] = []
    for run in range(3):
        with opened(tmp_path, certificate) as world:
            mailbox = world.tenant.add_mailbox(f"s{run}@example.edu")
            seen += [
                mailbox.id,
                mailbox.put_event(lecture()),
                world.create()["id"],
                world.ada.create_calendar(str(run)),
            ]
            world.ada.purge_event(seen[-2])
    assert len(set(seen)) == len(seen)


def test_the_clock_runs_on(tmp_path: Path) -> None:
    base = [1000.0]
    sandbox = Sandbox(base=lambda: base[0], data=tmp_path)
    sandbox.add_tenant("example.edu")
    sandbox.clock.set(MONDAY)
    sandbox.close()
    base[0] += 60
    again = Sandbox(base=lambda: base[0], data=tmp_path)
    assert again.clock.now() == MONDAY.timestamp() + 60
    again.close()


FILE = """
clock = 2026-09-21T06:00:00Z
[[tenants]]
domain = "example.edu"
mailboxes = ["ada@example.edu", "{second}@example.edu"]
[[tenants.apps]]
name = "Timetables"
permissions = ["{permission}"]
"""


def test_a_file_adds_what_is_missing_and_leaves_what_is_kept(tmp_path: Path) -> None:
    path, data = tmp_path / "sandbox.toml", tmp_path / "data"
    path.write_text(FILE.format(second="bob", permission="Calendars.Read"))
    sandbox = Sandbox.from_file(path, data)
    (tenant,) = sandbox.tenants
    tenant.mailbox("ada@example.edu").state = "full"
    event = tenant.mailbox("bob@example.edu").put_event(lecture())
    sandbox.clock.advance(86_400)
    sandbox.close()
    path.write_text(FILE.format(second="eve", permission="Calendars.ReadWrite"))
    again = Sandbox.from_file(path, data)
    (tenant,) = again.tenants
    assert [(box.address[:3], box.state) for box in tenant.mailboxes()] == [
        ("ada", "full"),
        ("bob", "active"),
        ("eve", "active"),
    ]
    assert tenant.mailbox("bob@example.edu").event(event)["subject"] == "Logic"
    assert [(app.name, app.roles) for app in tenant.apps.values()] == [("Timetables", {"Calendars.Read"})]
    assert again.clock.now() > MONDAY.timestamp() + 86_000
    again.close()


def test_a_wrong_file_lets_go_of_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.toml"
    path.write_text("[[tenants]]\ndomain = 'example.edu'\ntenant_id = 'x'")
    with pytest.raises(SandboxFileError):
        Sandbox.from_file(path, tmp_path / "data")
    Sandbox(data=tmp_path / "data").close()


def test_a_folder_serves_one_sandbox_at_a_time(tmp_path: Path) -> None:
    first = Sandbox(data=tmp_path)
    with pytest.raises(DataError, match="another sandbox"):
        Sandbox(data=tmp_path)
    first.close()
    first.close()
    Sandbox(data=tmp_path).close()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / "sandbox.sqlite").write_bytes(b"no database at all" * 100), "no state"),
        (lambda folder: (folder / "history.jsonl").write_bytes(b""), "shorter"),
        (
            lambda folder: (
                sqlite3.connect(folder / "sandbox.sqlite", isolation_level=None)
                .execute("UPDATE meta SET value = 99 WHERE key = 'format'")
                .connection.close()
            ),
            "another version",
        ),
    ],
)
def test_a_damaged_folder_is_refused_in_words(
    tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    sandbox = Sandbox(data=tmp_path)
    sandbox.add_tenant("example.edu").add_mailbox("ada@example.edu").put_event(lecture())
    sandbox.close()
    spoil(tmp_path)
    with pytest.raises(DataError, match=says):
        Sandbox(data=tmp_path)


@contextmanager
def served(folder: Path, certificate: Certificate, *, largest_file: int = 0) -> Iterator[tuple[Any, World]]:
    """The command in a process of its own, and a client that is signed in."""
    (folder / "cert.pem").write_bytes(certificate.pem)
    (folder / "sandbox.toml").write_text(
        """
        clock = 2026-09-21T06:00:00Z
        [[tenants]]
        domain = "example.edu"
        mailboxes = ["ada@example.edu"]
        [[tenants.apps]]
        name = "Timetables"
        certificates = ["cert.pem"]
        permissions = ["Calendars.ReadWrite"]
        """
    )
    command = [sys.executable, "-m", "classbell", "--json", "sandbox", "serve", str(folder / "sandbox.toml")]
    command += ["--data", str(folder / "data")]
    if largest_file:
        command = ["prlimit", f"--fsize={largest_file}", *command]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = next(line for line in map(json.loads, process.stdout) if line["type"] == "serving")
        address = Address(told["login_url"], Path(told["ca_file"]))
        assert address.ca_file == folder / "data" / "sandbox-ca.pem"
        admin = Administrator(address)
        (app,) = admin.get("/tenants/example.edu/apps").body
        tenant = admin.get("/tenants/example.edu").body["tenant_id"]
        admin.close()
        # The ids are those of the process; nothing else of this sandbox is used.
        twin = Sandbox()
        home = twin.add_tenant("example.edu", tenant)
        wire = Wire(address)
        twin.clock.set(MONDAY)
        world = World(
            twin,
            address,
            home,
            home.register_app("Timetables", app["client_id"]),
            certificate,
            wire,
            home.add_mailbox("ada@example.edu"),
            Client(wire),
        )
        world.graph = world.sign_in()
        try:
            yield process, world
        finally:
            wire.close()
            process.kill()


def test_a_killed_sandbox_loses_its_last_moments_at_most(tmp_path: Path, certificate: Certificate) -> None:
    with served(tmp_path, certificate) as (process, world):
        early = [world.create(transactionId=f"e-{number}")["id"] for number in range(20)]
        world.ada.address = "renamed@example.edu"
        admin = Administrator(world.address)
        admin.do(
            "PATCH", "/tenants/example.edu/mailboxes/ada@example.edu", {"address": "renamed@example.edu"}
        )
        admin.close()
        time.sleep(1.5)  # several times the moment that it may be behind, also on a busy machine
        late = [world.create()["id"] for number in range(20)]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    again = Sandbox(data=tmp_path / "data")
    try:
        (mailbox,) = again.tenants[0].mailboxes()
        found = {event["id"] for event in mailbox.events()}
        assert mailbox.address == "renamed@example.edu"
        assert set(early) <= found <= {*early, *late}
        made = {record.detail["event"] for record in again.history if record.detail.get("action") == "create"}
        assert made == found
        mailbox.put_event(lecture())
        assert [record.number for record in again.history] == list(range(1, len(again.history) + 1))
    finally:
        again.close()


@pytest.mark.prove
def test_a_full_disk_is_told_at_the_end_and_serving_goes_on(tmp_path: Path, certificate: Certificate) -> None:
    with served(tmp_path, certificate, largest_file=300_000) as (process, world):
        for _ in range(400):
            world.create(body={"contentType": "text", "content": os.urandom(500).hex()})
        time.sleep(1)
        assert world.graph.get(world.events).status == 200
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
        assert process.returncode == 2
        assert "E-SANDBOX-DATA" in out
    again = Sandbox(data=tmp_path / "data")
    made = sum(record.detail.get("action") == "create" for record in again.history)
    assert made == len(next(again.tenants[0].mailboxes()).events())
    again.close()


def test_everything_that_an_event_and_a_mailbox_hold_is_kept() -> None:
    """Whoever adds a field decides here whether it is kept."""
    assert Event.__struct_fields__ == rows.EVENT_FIELDS
    kept = {"ids", "calendars", "changes", "events", "series", "transactions"}
    through_counters = {"_last_folder", "_last_number", "_last_version", "_personal"}
    given = {"_around", "address", "tenant"}
    assert set(Store.__slots__) == kept | through_counters | given
