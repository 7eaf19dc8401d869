"""What keeps us from signing in: told in words, nothing written, and over once its cause is put right."""

import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from tests.cli.classbell import classbell
from tests.scenarios.campus import PEOPLE, Campus, as_tables, classes, moved, nothing_changed, open_campus
from tests.scenarios.world import World, put_secret, table
from tests.switching import registered_before

from classbell.identity.certificates import KeyPair, new_self_signed

# By each interface to calendars.
pytestmark = pytest.mark.usefixtures("each_api")


@pytest.fixture
def campus(world: World) -> Campus:
    return open_campus(world)


@pytest.fixture(scope="session")
def locked_pair() -> KeyPair:
    return new_self_signed("classbell", now=time.time() - 3600, password=b"correct horse")


@pytest.fixture(scope="session")
def expired_pair() -> KeyPair:
    return new_self_signed("classbell", now=time.time() - 10 * 86_400, days=5)


def test_without_a_configuration_nothing_is_done(tmp_path: Path) -> None:
    ended = classbell("apply", "--yes", cwd=tmp_path)
    assert ended.code == 2
    assert ended.err.startswith("E-CFG-NONE  ")
    assert "classbell init" in ended.err
    assert "  Why: " in ended.err
    assert list(tmp_path.iterdir()) == []


def register(campus: Campus, pair: KeyPair) -> None:
    """As an administrator did long enough ago for the service to know it."""
    with registered_before(campus.world.sandbox.clock):
        campus.institution.app.add_certificate(pair.certificate)


def the_moved_class_is_delivered(campus: Campus) -> bool:
    campus.applies()
    return campus.holds(moved(classes()))


def test_an_unknown_key_stops_everything_until_it_is_corrected(campus: Campus) -> None:
    campus.replace_in_file("[window]", "[safety.max_delets]\ncount = 1\n\n[window]")
    ended = campus.refuses("E-CFG-KEY", 2, says_why=False)
    assert 'unknown key "max_delets" in [safety].   Did you mean "max_deletes"?' in ended.err
    campus.replace_in_file("max_delets", "max_deletes")
    assert the_moved_class_is_delivered(campus)


def test_a_certificate_file_that_is_missing_is_named(campus: Campus) -> None:
    file = campus.institution.file.with_name("example-cert.pem")
    content = file.read_bytes()
    file.unlink()
    ended = campus.refuses("E-CERT-FILE", 2)
    assert "example-cert.pem" in ended.err
    put_secret(file, content)
    assert the_moved_class_is_delivered(campus)


def test_a_wrong_password_of_the_key_is_told_without_showing_it(campus: Campus, locked_pair: KeyPair) -> None:
    conf = campus.institution.file.parent
    put_secret(conf / "example-cert.pem", locked_pair.certificate)
    put_secret(conf / "example-key.pem", locked_pair.key)
    put_secret(conf / "password", b"hunter2\n")
    register(campus, locked_pair)
    campus.replace_in_file('key.pem" }', 'key.pem" }\nkey_password = { file = "password" }')
    ended = campus.refuses("E-CERT-PASSWORD", 2)
    assert "hunter2" not in ended.out + ended.err
    put_secret(conf / "password", b"correct horse\n")
    assert the_moved_class_is_delivered(campus)


def test_an_expired_certificate_is_replaced_by_a_new_one(
    campus: Campus, pair: KeyPair, expired_pair: KeyPair
) -> None:
    conf = campus.institution.file.parent
    put_secret(conf / "example-cert.pem", expired_pair.certificate)
    put_secret(conf / "example-key.pem", expired_pair.key)
    register(campus, expired_pair)
    campus.refuses("E-CERT-EXPIRED", 6)
    put_secret(conf / "example-cert.pem", pair.certificate)
    put_secret(conf / "example-key.pem", pair.key)
    assert the_moved_class_is_delivered(campus)


def test_a_certificate_that_is_not_registered_works_once_it_is(campus: Campus, pair: KeyPair) -> None:
    app = campus.institution.app
    for credential in list(app.credentials):
        app.remove_certificate(credential.sha1)
    ended = campus.refuses("E-CERT-UNREG", 6)
    assert "AADSTS" in ended.err
    register(campus, pair)
    assert the_moved_class_is_delivered(campus)


def _unknown_tenant(campus: Campus) -> tuple[str, str]:
    return campus.institution.tenant.tenant_id, str(uuid4())


def _unknown_application(campus: Campus) -> tuple[str, str]:
    return campus.institution.app.client_id, str(uuid4())


@pytest.mark.parametrize(
    ("code", "mistake"),
    [("E-TENANT", _unknown_tenant), ("E-APP", _unknown_application)],
    ids=["tenant", "application"],
)
def test_an_id_that_microsoft_does_not_know_is_told_as_such(
    campus: Campus, code: str, mistake: Callable[[Campus], tuple[str, str]]
) -> None:
    right, wrong = mistake(campus)
    campus.replace_in_file(right, wrong)
    campus.refuses(code, 6)
    campus.replace_in_file(wrong, right)
    assert the_moved_class_is_delivered(campus)


def test_without_the_permission_nothing_is_read_or_written_until_it_is_granted(campus: Campus) -> None:
    campus.institution.revoke()
    ended = campus.refuses("E-CONSENT", 6)
    assert "Calendars.ReadWrite" in ended.err
    campus.institution.grant()
    assert the_moved_class_is_delivered(campus)


def test_an_application_that_never_had_the_permission_makes_its_first_events_when_it_gets_it(
    world: World,
) -> None:
    as_tables(world.folder, classes(), [f"{name}@example.edu" for name in PEOPLE])
    campus = Campus(world, world.add_institution(table(world.folder), PEOPLE, timezone="UTC"))
    campus.institution.revoke()
    campus.refuses("E-CONSENT", 6)
    campus.institution.grant()
    campus.applies()
    assert campus.holds(classes())


def test_a_plan_needs_no_permission_and_shows_what_waits(campus: Campus) -> None:
    campus.institution.revoke()
    with campus.world.watched() as seen:
        ended = campus.run("plan")
    assert ended.code == 0
    assert "~ 3 update" in ended.out
    assert nothing_changed(seen)
    assert seen.records == []
