"""``classbell init --sandbox`` and ``classbell sandbox register``: a rehearsal with ids as they come from Entra ID."""

import asyncio
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from tests.cli.classbell import classbell
from tests.transport.raw_server import answering, raw_server, server_tls

from classbell.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(seed=0)


@pytest.fixture
def folder(tmp_path: Path, sandbox: Sandbox) -> Iterator[Path]:
    """A rehearsal whose sandbox serves, with a certificate."""
    (tmp_path / "sandbox").mkdir()
    with sandbox.serve(directory=tmp_path / "sandbox") as address:
        port = address.url.rpartition(":")[2]
        assert classbell("init", "--sandbox", port, cwd=tmp_path).code == 0
        told = tomllib.loads((tmp_path / "sandbox.toml").read_text())["tenants"]
        sandbox.add_tenant(told[0]["domain"]).add_mailboxes(told[0]["mailboxes"])
        made = classbell("cert", "new", "--configure", "--password-file", "conf.d/pw", cwd=tmp_path)
        assert made.code == 0, made.err
        yield tmp_path


def test_the_file_of_the_sandbox_is_one_that_it_reads(tmp_path: Path) -> None:
    assert classbell("init", "--sandbox", "8443", cwd=tmp_path).code == 0
    (tenant,) = Sandbox.from_file(tmp_path / "sandbox.toml").tenants
    assert tenant.domain == "example.edu"
    assert "8443" in (tmp_path / "conf.d" / "example.toml").read_text()


def test_an_application_is_registered_whose_ids_complete_the_configuration(
    folder: Path, sandbox: Sandbox
) -> None:
    (ids,) = classbell("sandbox", "register", "--json", cwd=folder).json
    (app,) = sandbox.tenants[0].apps.values()
    told = ids.pop("certificates")
    assert told == [{"sha1": one.sha1, "key_id": one.key_id} for one in app.credentials]
    assert ids == {
        "tenant_id": sandbox.tenants[0].tenant_id,
        "client_id": app.client_id,
        "application_object_id": app.object_id,
    }
    assert len(app.credentials) == 1
    # Asked for, and not granted: consent is a step of its own.
    assert (app.required, app.roles) == ({"Calendars.ReadWrite"}, set())
    answers = [part for key, value in ids.items() for part in ("--answer", f"{key}={value}")]
    assert classbell("setup", *answers, cwd=folder).code == 0
    assert classbell("config", "check", cwd=folder).code == 0
    assert classbell("cert", "check", cwd=folder).code == 0


def test_what_was_registered_before_is_found_again_and_gets_what_it_lacks(
    folder: Path, sandbox: Sandbox
) -> None:
    first = classbell("sandbox", "register", cwd=folder)
    (app,) = sandbox.tenants[0].apps.values()
    assert app.name == "Classbell for Example University"
    assert f"has the key id {app.credentials[0].key_id}" in first.err
    # Of this name already, before its ids are in the configuration.
    assert classbell("sandbox", "register", cwd=folder).out == first.out
    answers = [
        part for line in first.out.splitlines() for part in ("--answer", line.replace(' = "', "=")[:-1])
    ]
    assert classbell("setup", *answers, cwd=folder).code == 0
    # By its id, whatever it is called.
    app.name = "Another name"
    again = ["cert", "new", "--configure", "--no-password", "--dir", "keys"]
    assert classbell(*again, cwd=folder).code == 0
    assert classbell("sandbox", "register", cwd=folder).out == first.out
    assert len(sandbox.tenants[0].apps) == 1
    assert len(app.credentials) == 2


def test_without_a_certificate_it_says_how_to_come_by_one(folder: Path, sandbox: Sandbox) -> None:
    for path in (folder / "conf.d").glob("*.crt"):
        path.unlink()
    ended = classbell("sandbox", "register", cwd=folder)
    assert ended.code == 0
    assert "classbell cert new -i example --configure" in ended.err
    (app,) = sandbox.tenants[0].apps.values()
    assert app.credentials == []


def test_in_a_real_cloud_nothing_is_registered(folder: Path) -> None:
    file = folder / "conf.d" / "example.toml"
    text = file.read_text()
    file.write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith(("login_", "graph_")))
    )
    ended = classbell("sandbox", "register", cwd=folder)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("E-SANDBOX-NONE")


def test_a_sandbox_that_is_not_there_is_said_so(folder: Path) -> None:
    file = folder / "conf.d" / "example.toml"
    # Port 1 of this computer: nothing listens there.
    lines = [
        f'{line.partition(" ")[0]} = "https://localhost:1"' if line.startswith(("login_", "graph_")) else line
        for line in file.read_text().splitlines()
    ]
    file.write_text("\n".join(lines))
    ended = classbell("sandbox", "register", cwd=folder)
    assert (ended.code, ended.err.partition("  ")[0]) == (5, "E-SANDBOX-DOWN")


@pytest.mark.anyio
async def test_what_answers_and_is_no_sandbox_gets_nothing_registered(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
    authority = trustme.CA()
    async with raw_server(answering(answer), server_tls(authority, "localhost")) as server:
        port = server.url.rpartition(":")[2]
        assert classbell("init", "--sandbox", port, cwd=tmp_path).code == 0
        (tmp_path / "sandbox").mkdir()
        authority.cert_pem.write_to_path(str(tmp_path / "sandbox" / "sandbox-ca.pem"))
        ended = await asyncio.to_thread(classbell, "sandbox", "register", cwd=tmp_path)
    assert (ended.code, ended.err.partition("  ")[0]) == (2, "E-SANDBOX-NONE")
    assert "what answers at login_url is none" in ended.err


def test_one_of_several_tenants_must_be_named(folder: Path, sandbox: Sandbox) -> None:
    sandbox.add_tenant("other.edu")
    ended = classbell("sandbox", "register", cwd=folder)
    assert ended.code == 2
    assert "example.edu, other.edu" in ended.err
    assert classbell("sandbox", "register", "--tenant", "other.edu", cwd=folder).code == 0
    assert [len(tenant.apps) for tenant in sandbox.tenants] == [0, 1]
