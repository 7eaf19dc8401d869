"""What doctor says when all is well, and what it says of each thing that is not."""

import re
import sqlite3
import time
from pathlib import Path

import filelock
import pytest
from tests.cli.classbell import classbell
from tests.doctor.world import CLOSED, PILOT, Clinic, of, open_clinic
from tests.scenarios.world import INSTALLATION, World

from classbell.identity.certificates import KeyPair, new_self_signed

GREEN = """\
 ok    config       1 institution, no unknown keys
 ok    database     writable, schema SCHEMA, SPACE free
 ok    lease        free
 ok    network      HOST reached
 ok    clock        0.N s from Microsoft's
 ok    certificate  example-cert.pem (CN=classbell-2026, SHA1)  valid 299 d, registered
 ok    certificate  second-cert.pem (CN=classbell-2027, SHA1)  valid 599 d, registered
 ok    token        for tenant TENANT as "Classbell", good for N min
 ok    calendar     pilot@example.edu: create, read, update, delete of a private test event; nothing of it remains
 ok    permission   granted in Exchange for chosen mailboxes, as the check of the calendar proves
 ok    scope        vc@example.edu: refused, as it must be
 ok    sources      timetable  1 meeting, 1 person, oldest file N s old
12 ok     exit 0
"""
WIDE = """\
 FAIL  scope        vc@example.edu must be refused but was allowed.   E-SCOPE-WIDE
                    Why: the app holds tenant-wide Calendars.ReadWrite in Entra; that grant adds to a scope in \
Exchange, it is not limited by it.
                    Fix: remove it under Entra > App registrations > API permissions (with a role scoped in \
Exchange in its place), or limit it with an application access policy; wait up to 2 h; run: classbell doctor scope
0 ok, 1 failure     exit 6
"""


def steady(text: str, clinic: Clinic) -> str:
    """Without what differs from one run to the next."""
    text = text.replace(clinic.institution.tenant.tenant_id, "TENANT")
    for pattern, instead in (
        (r"localhost:\d+", "HOST"),
        (r"schema \d+", "schema SCHEMA"),
        (r"\d+\.\d GB", "SPACE"),
        (r"0\.\d s from", "0.N s from"),
        (r"for \d+ min", "for N min"),
        (r"file \d+ s", "file N s"),
        (r"[0-9A-F]{8}\)", "SHA1)"),
    ):
        text = re.sub(pattern, instead, text)
    return text


def test_the_whole_report_where_all_is_well(clinic: Clinic) -> None:
    ended = clinic.doctor()
    assert steady(ended.out, clinic) == GREEN
    assert (ended.code, ended.err) == (0, "Next: classbell plan\n")
    assert (clinic.pilot.events(), clinic.pilot.deleted_events()) == ([], [])


def test_it_writes_to_no_mailbox_but_the_one_that_is_named(clinic: Clinic) -> None:
    clinic.app.grant("Calendars.ReadWrite")
    clinic.doctor()
    changed = {r.mailbox for r in clinic.world.sandbox.history if r.change is not None}
    assert changed == {PILOT}


def test_the_json_form(clinic: Clinic) -> None:
    (answer,) = clinic.doctor("--json").json
    assert set(answer) == {"findings", "counts", "exit", "bundle"}
    assert answer["counts"] == {"ok": 12, "warning": 0, "failure": 0, "untried": 0}
    assert (answer["exit"], answer["bundle"]) == (0, None)
    assert {tuple(one) for one in answer["findings"]} == {
        ("check", "state", "institution", "code", "what", "why", "do", "details")
    }
    assert {one["check"]: one["institution"] for one in answer["findings"]}["lease"] == ""
    assert [one["details"]["days_left"] for one in answer["findings"] if one["check"] == "certificate"] == [
        299,
        599,
    ]


def test_a_mailbox_that_a_grant_for_the_whole_tenant_opens_is_a_failure(clinic: Clinic) -> None:
    clinic.app.grant("Calendars.ReadWrite")
    ended = clinic.doctor("scope")
    assert (ended.out, ended.code) == (WIDE, 6)


@pytest.mark.prove
def test_a_scope_that_is_too_wide_is_told_apart_from_a_grant_in_entra(clinic: Clinic) -> None:
    clinic.app.exchange.assign("Application Calendars.ReadWrite", None)
    (finding,) = clinic.findings("scope")
    assert finding["code"] == "E-SCOPE-WIDE"
    assert "role assignment in Exchange" in finding["why"]
    assert "Set-ManagementScope" in finding["do"]


@pytest.mark.prove
def test_an_address_that_is_no_mailbox_proves_nothing_of_the_scope(clinic: Clinic) -> None:
    clinic.app.grant("Calendars.ReadWrite")
    clinic.change(CLOSED, "nobody@example.edu")
    assert of(clinic.findings("scope"), "scope") == [("warning", "W-SCOPE-NOBODY")]


@pytest.mark.prove
def test_a_small_difference_of_clocks_is_a_warning(clinic: Clinic) -> None:
    clinic.world.sandbox.clock.advance(130)
    ended = clinic.doctor("clock")
    assert "This computer's clock is 2 min" in ended.out
    assert " s behind Microsoft's.   E-CLOCK" in ended.out
    assert ended.code == 0


def test_a_large_difference_of_clocks_is_a_failure_and_what_rests_on_sign_in_is_not_tried(
    clinic: Clinic,
) -> None:
    clinic.world.sandbox.clock.advance(3600)
    ended = clinic.doctor("--json")
    findings = ended.json[0]["findings"]
    assert of(findings, "clock") == [("failure", "E-CLOCK")]
    assert of(findings, "token") == [("failure", "E-CLOCK")]
    for check in ("calendar", "permission", "scope"):
        assert of(findings, check) == [("untried", "")]
    assert of(findings, "sources") == [("ok", "")]
    assert ended.code == 6


def test_a_certificate_that_is_not_registered_is_bearable_beside_one_that_is(clinic: Clinic) -> None:
    second = clinic.app.credentials[-1]
    clinic.app.remove_certificate(second.sha1)
    assert of(clinic.findings("certificate"), "certificate") == [
        ("ok", ""),
        ("warning", "E-CERT-UNREG"),
        ("warning", "W-CERT-ONE"),
    ]


def test_without_any_registered_certificate_nothing_else_of_microsoft_is_tried(clinic: Clinic) -> None:
    clinic.app.credentials.clear()
    ended = clinic.doctor("--json")
    findings = ended.json[0]["findings"]
    assert of(findings, "certificate") == [("failure", "E-CERT-UNREG")] * 2
    for check in ("token", "calendar", "permission", "scope"):
        assert of(findings, check) == [("untried", "")]
    told = next(one["what"] for one in findings if one["check"] == "token")
    assert told == 'not tried, because the check "certificate" failed'
    assert ended.code == 6


def test_one_certificate_alone_is_a_warning(world: World) -> None:
    clinic = open_clinic(world)
    findings = clinic.findings("certificate")
    assert of(findings, "certificate") == [("ok", ""), ("warning", "W-CERT-ONE")]
    assert findings[1]["do"] == "classbell cert rotate -i example"


@pytest.mark.prove
def test_certificates_that_have_run_out_or_soon_will_are_told(world: World) -> None:
    clinic = open_clinic(world)
    clinic.add_certificate("old", new_self_signed("old", now=time.time() - 10 * 86_400, days=5))
    clinic.add_certificate("soon", new_self_signed("soon", now=time.time() - 60, days=20))
    found = of(clinic.findings("certificate"), "certificate")
    assert ("warning", "E-CERT-EXPIRED") in found
    assert ("warning", "W-CERT-EXPIRES") in found


def test_a_key_that_others_may_read_is_a_failure_where_it_is_the_only_one(world: World) -> None:
    clinic = open_clinic(world)
    (clinic.folder / "conf.d" / "example-key.pem").chmod(0o644)
    findings = clinic.findings("certificate")
    assert of(findings, "certificate") == [("failure", "E-SECRET-MODE")]
    assert "chmod" in findings[0]["do"]


def test_a_permission_that_is_granted_nowhere_is_a_failure(clinic: Clinic) -> None:
    clinic.app.exchange.unassign("Application Calendars.ReadWrite")
    ended = clinic.doctor("--json")
    findings = ended.json[0]["findings"]
    assert of(findings, "calendar") == [("failure", "E-MBX-DENIED")]
    assert of(findings, "permission") == [("failure", "E-CONSENT")]
    assert of(findings, "scope") == [("untried", "")]
    assert ended.code == 6


@pytest.mark.prove
def test_permissions_that_are_not_needed_are_a_risk_by_name(clinic: Clinic) -> None:
    clinic.app.roles.update({"Place.Read.All", "MailboxSettings.Read", "User.Read.All"})
    (_, finding) = clinic.findings("permission")
    assert (finding["state"], finding["code"]) == ("warning", "W-PERMISSION-EXTRA")
    assert finding["details"]["permissions"] == ["Place.Read.All"]


@pytest.mark.parametrize(
    "name",
    [
        "Mail.Read",
        pytest.param("full_access_as_app", marks=pytest.mark.prove),
        pytest.param("Application.ReadWrite.All", marks=pytest.mark.prove),
    ],
)
def test_a_permission_that_reads_mail_or_takes_over_the_tenant_is_a_failure(
    clinic: Clinic, name: str
) -> None:
    clinic.app.roles.add(name)
    ended = clinic.doctor("permission")
    assert f"far more than calendars: {name}.   E-PERMISSION-WIDE" in ended.out
    assert ended.code == 6


def test_without_a_probe_mailbox_it_says_what_is_not_proven(clinic: Clinic) -> None:
    clinic.change(f'probe_mailbox = "{PILOT}"\n', "")
    ended = clinic.doctor("--json")
    findings = ended.json[0]["findings"]
    assert of(findings, "calendar") == [("warning", "W-PROBE-NONE")]
    assert of(findings, "permission") == [("warning", "W-PERMISSION-UNPROVEN")]
    assert ended.code == 0


@pytest.mark.prove
def test_a_probe_mailbox_that_does_not_exist_is_a_failure(clinic: Clinic) -> None:
    clinic.app.grant("Calendars.ReadWrite")
    clinic.change(PILOT, "nobody@example.edu")
    ended = clinic.doctor("calendar")
    assert "nobody@example.edu" in ended.out
    assert "E-MBX-404" in ended.out
    # What the configuration names is wrong, not what is granted.
    assert ended.code == 2


@pytest.mark.prove
def test_a_mailbox_that_is_throttled_is_a_failure_for_now(clinic: Clinic) -> None:
    clinic.world.sandbox.faults.add(
        lambda info: info.kind == "member", "429-before", times=None, retry_after=600
    )
    ended = clinic.doctor("calendar")
    assert "E-GRAPH-429" in ended.out
    assert ended.code == 5


def test_a_source_that_cannot_be_read_is_a_failure_and_the_others_go_on(clinic: Clinic) -> None:
    (clinic.folder / "example-timetable" / "meetings.csv").unlink()
    ended = clinic.doctor("--json")
    findings = ended.json[0]["findings"]
    assert of(findings, "config") == [("failure", "E-CFG-FILE")]
    assert of(findings, "sources") == [("failure", "E-SRC-FILE")]
    assert of(findings, "calendar") == [("ok", "")]


def test_remarks_on_a_source_are_warnings(clinic: Clinic) -> None:
    feed = Path(__file__).parents[1] / "feeds" / "zone_that_nobody_knows.ics"
    source = (
        f'[[sources]]\nname = "feeds"\nkind = "ics"\nfeeds = [{{ person = "{PILOT}", url = "{feed}" }}]\n'
    )
    clinic.change("[[audience]]", f"{source}\n[[audience]]")
    ended = clinic.doctor("sources")
    assert "warn  sources" in ended.out
    assert "E-SRC-ZONE" in ended.out
    assert ended.code == 0


def test_a_database_of_a_newer_version_is_a_failure_and_the_rest_is_tried(clinic: Clinic) -> None:
    assert clinic.doctor("database").code == 0
    with sqlite3.connect(clinic.world.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    ended = clinic.doctor("--json")
    findings = ended.json[0]["findings"]
    assert of(findings, "database") == [("failure", "E-DB-NEWER")]
    assert of(findings, "calendar") == [("ok", "")]
    assert ended.code == 1


@pytest.mark.prove
def test_a_database_that_cannot_be_written_is_a_failure(clinic: Clinic) -> None:
    clinic.world.database.mkdir()
    findings = clinic.findings("database")
    assert of(findings, "database") == [("failure", "E-DB-OPEN")]


def test_a_ledger_that_everybody_may_read_is_a_warning(clinic: Clinic) -> None:
    assert of(clinic.findings("database"), "database") == [("ok", "")]
    clinic.world.database.chmod(0o644)
    findings = clinic.findings("database")
    assert of(findings, "database") == [("warning", "W-DB-READABLE"), ("ok", "")]
    assert findings[0]["do"].startswith(f"chmod o= {clinic.world.database}")


@pytest.mark.prove
def test_a_database_that_is_locked_is_a_failure_for_now(clinic: Clinic) -> None:
    assert clinic.doctor("database").code == 0
    connection = sqlite3.connect(clinic.world.database, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        ended = clinic.doctor("database")
    finally:
        connection.close()
    assert "E-DB-BUSY" in ended.out
    assert ended.code == 5


def test_a_ledger_older_than_its_witness_is_a_failure(clinic: Clinic) -> None:
    witness = clinic.world.database.with_name("classbell.db.witness")
    witness.write_text(f'{{"installation":"{INSTALLATION}","revision":7}}', encoding="utf-8")
    ended = clinic.doctor("database")
    assert "E-LEDGER-OLD" in ended.out
    assert ended.code == 4


def test_a_lease_that_is_held_is_a_warning(clinic: Clinic) -> None:
    with filelock.FileLock(clinic.world.database.with_name("classbell.db.lease")):
        ended = clinic.doctor("lease")
    assert "warn  lease" in ended.out
    assert ended.code == 0


@pytest.mark.prove
def test_two_doctors_do_not_probe_one_mailbox_at_once(clinic: Clinic) -> None:
    with filelock.FileLock(clinic.world.database.with_name("classbell.db.probe-example.lease")):
        findings = clinic.findings("calendar")
    assert of(findings, "calendar") == [("untried", "")]
    assert "another doctor" in findings[0]["what"]


def test_where_microsoft_cannot_be_reached_what_is_here_is_checked_all_the_same(clinic: Clinic) -> None:
    text = clinic.institution.file.read_text(encoding="utf-8")
    clinic.institution.file.write_text(re.sub(r"localhost:\d+", "localhost:9", text), encoding="utf-8")
    ended = clinic.doctor("--json")
    findings = ended.json[0]["findings"]
    assert of(findings, "network") == [("failure", "E-LOGIN-DOWN"), ("failure", "E-GRAPH-DOWN")]
    assert of(findings, "certificate") == [("ok", ""), ("ok", ""), ("untried", "")]
    assert of(findings, "token") == [("untried", "")]
    assert of(findings, "sources") == [("ok", "")]
    assert ended.code == 5


def test_a_configuration_that_cannot_be_read_leaves_all_else_untried(clinic: Clinic) -> None:
    clinic.change("client_id", "client_id_")
    ended = clinic.doctor("--json")
    findings = ended.json[0]["findings"]
    assert {one["state"] for one in findings if one["check"] == "config"} == {"failure"}
    assert {one["state"] for one in findings if one["check"] != "config"} == {"untried"}
    assert ended.code == 2


@pytest.mark.prove
def test_only_the_checks_that_are_named_are_told(clinic: Clinic) -> None:
    assert {one["check"] for one in clinic.findings("clock", "sources")} == {"clock", "sources"}


@pytest.mark.prove
def test_a_named_check_tells_the_failure_that_it_rests_on(clinic: Clinic) -> None:
    clinic.app.credentials.clear()
    told = [(one["check"], one["state"]) for one in clinic.findings("scope")]
    assert told == [("certificate", "failure"), ("certificate", "failure"), ("scope", "untried")]


def test_a_check_that_does_not_exist_is_answered_with_the_nearest(clinic: Clinic) -> None:
    ended = clinic.doctor("calender")
    assert 'There is no check "calender".   Did you mean "calendar"?' in ended.err
    assert ended.code == 2


def test_what_is_wrong_with_one_institution_keeps_no_other_from_its_turn(
    clinic: Clinic, second_pair: KeyPair
) -> None:
    other = open_clinic(clinic.world, id="other")
    other.add_certificate("third", second_pair)
    clinic.app.credentials.clear()
    ended = clinic.doctor()
    broken, _, well = ended.out.partition("University of Other\n")
    assert "FAIL  certificate" in broken
    assert " ok    calendar     pilot@other.edu" in well
    assert "FAIL" not in well
    assert ended.code == 6
    assert clinic.doctor("-i", "other").code == 0


def test_an_institution_whose_file_is_not_finished_keeps_no_other_from_its_turn(clinic: Clinic) -> None:
    other = open_clinic(clinic.world, id="other")
    other.change("client_id", "client_id_")
    ended = clinic.doctor("network", "--json")
    assert [(one["check"], one["state"], one["institution"]) for one in ended.json[0]["findings"]] == [
        ("config", "failure", ""),
        ("network", "ok", "example"),
    ]
    assert ended.code == 2
    assert clinic.doctor("network", "-i", "example").code == 0
    assert clinic.doctor("network", "-i", "other").code == 2


def test_what_config_check_finds_doctor_finds_too_also_beside_a_good_certificate(clinic: Clinic) -> None:
    (clinic.folder / "conf.d" / "example-key.pem").chmod(0o644)
    checked = classbell("config", "check", cwd=clinic.folder)
    assert checked.code == 2
    assert "E-SECRET-MODE" in checked.err
    assert of(clinic.findings("config"), "config") == [("failure", "E-SECRET-MODE")]
    assert clinic.doctor("config").code == 2
