"""What runs say and remember of certificates and clocks."""

import json
import time

import pytest
from tests.scenarios.campus import Campus, classes, open_campus, write_tables
from tests.scenarios.world import World, put_secret

from classbell.identity.making import new_self_signed


@pytest.fixture
def campus(world: World) -> Campus:
    return open_campus(world)


def status(campus: Campus) -> dict[str, object]:
    (answer,) = campus.run("status", "--json").json
    (institution,) = answer["institutions"]
    found: dict[str, object] = institution
    return found


def add_certificate(campus: Campus, name: str, *, days: int, registered: bool) -> str:
    """Name another certificate in the institution's file; its certificate's PEM is registered or not."""
    pair = new_self_signed(name, now=time.time() - 3600, days=days)
    file = campus.institution.file
    put_secret(file.with_name(f"{name}-cert.pem"), pair.certificate)
    put_secret(file.with_name(f"{name}-key.pem"), pair.key)
    block = (
        f'[[tenant.certificates]]\ncertificate = {{ file = "{name}-cert.pem" }}\n'
        f'private_key = {{ file = "{name}-key.pem" }}\n\n[[sources]]'
    )
    campus.replace_in_file("[[sources]]", block)
    return campus.institution.app.add_certificate(pair.certificate) if registered else ""


def test_a_run_logs_its_sign_in_and_what_was_refused_before(campus: Campus) -> None:
    add_certificate(campus, "unknown", days=9000, registered=False)
    ended = campus.run("apply", "--yes", "-v")
    assert ended.code == 0
    logged = [line for line in ended.err.splitlines() if " identity: " in line]
    assert any("warning identity: certificate refused  thumbprint=" in line for line in logged)
    assert any("info    identity: signed in  tenant=" in line for line in logged)
    assert "eyJ" not in ended.err


def test_without_v_a_run_logs_warnings_only(campus: Campus) -> None:
    add_certificate(campus, "unknown", days=9000, registered=False)
    ended = campus.run("apply", "--yes")
    assert "certificate refused" in ended.err
    assert "signed in" not in ended.err


def test_the_next_process_begins_with_the_certificate_that_worked(campus: Campus) -> None:
    add_certificate(campus, "unknown", days=9000, registered=False)
    campus.run("apply", "--yes")
    refused = [r for r in campus.world.sandbox.history if r.path.endswith("/token") and r.status == 401]
    write_tables(campus, classes())
    campus.run("apply", "--yes")
    assert len(refused) == 1
    assert [
        r for r in campus.world.sandbox.history if r.path.endswith("/token") and r.status == 401
    ] == refused
    certificates = status(campus)["certificates"]
    assert isinstance(certificates, list)
    assert [(one["in_use"], one["refused"]) for one in certificates] == [
        (True, None),
        (False, "AADSTS700027"),
    ]


def test_status_warns_of_a_certificate_that_runs_out(campus: Campus) -> None:
    add_certificate(campus, "ending", days=10, registered=True)
    ended = campus.run("status")
    assert "W-CERT-EXPIRES  The certificate" in ended.err
    assert "runs out in 9 days" in ended.err
    certificates = status(campus)["certificates"]
    assert isinstance(certificates, list)
    assert [[warning["code"] for warning in one["warnings"]] for one in certificates] == [
        [],
        ["W-CERT-EXPIRES"],
    ]


def test_status_tells_of_a_clock_that_differs_by_minutes(campus: Campus) -> None:
    campus.world.sandbox.clock.offset += 100
    ended = campus.run("apply", "--yes")
    assert ended.code == 0
    assert "1 min 40 s behind Microsoft's" in campus.run("status").err
    assert json.dumps(status(campus)["warnings"]).count("E-CLOCK") == 1
