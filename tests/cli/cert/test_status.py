"""``classbell cert status``: registered? valid? used? Golden texts of a rollover under way."""

import re
import time

import pytest
from tests.cli.cert.commands import Installed
from tests.cli.classbell import classbell
from tests.cli.conftest import put

from classbell.identity.certificates import new_self_signed

BLOCK = """
[[tenant.certificates]]
certificate = { file = "new-cert.pem" }
private_key = { file = "new-key.pem" }
"""
GOLDEN = """\
University of example  (example)
certificate          thumbprint                                days left  registered  used
conf.d/old-cert.pem  {old}  20         yes         not yet
conf.d/new-cert.pem  {new}  364        no          not yet
W-CERT-EXPIRES  The certificate {conf}/old-cert.pem runs out in 20 days (thumbprint {old}).
  Why:    it is valid until {until}.
  Do:     another one takes over; once it works: classbell cert retire
E-CERT-UNREG  Microsoft refused our certificate (thumbprint {new}).  [AADSTS700027]
  Why:    it is not registered on the application {client} in tenant {tenant}.
  Effect: Calendars stay as they are until this is repaired.
  Do:     upload the certificate (never the key) under App registrations > Certificates & secrets > Certificates; it takes effect within minutes.
"""


@pytest.fixture
def two(example: Installed) -> Installed:
    """The one that is registered runs out soon; its successor is configured, and not uploaded yet."""
    old = new_self_signed("classbell", now=time.time() - 10 * 86_400 + 60, days=30)
    put(example.conf, "old-cert.pem", old.certificate)
    put(example.conf, "old-key.pem", old.key)
    new = new_self_signed("classbell", now=time.time() - 3600)
    put(example.conf, "new-cert.pem", new.certificate)
    put(example.conf, "new-key.pem", new.key)
    text = example.file.read_text()
    at = text.index("\n# Where timetables")
    example.file.write_text(text[:at] + BLOCK + text[at:])
    example.app.add_certificate(old.certificate)
    return example


def test_it_says_how_each_stands(two: Installed) -> None:
    ended = two.good("status")
    (answer,) = two.good("status", "--json").json
    old, new = answer["institutions"][0]["certificates"]
    assert ended.out == GOLDEN.format(
        conf=two.conf,
        client=two.app.client_id,
        tenant=two.tenant.tenant_id,
        old=old["sha1"],
        new=new["sha1"],
        until=old["valid_until"],
    )
    assert (old["registered"], new["registered"]) == (True, False)
    assert [one["code"] for one in new["warnings"]] == ["E-CERT-UNREG"]


def test_the_one_in_use_is_the_one_that_the_last_run_has_signed_in_with(two: Installed) -> None:
    two.tenant.add_mailbox("ada@example.edu")
    (two.conf / "feed.ics").write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
        f"SUMMARY:Lecture\r\nDTSTART:{time.strftime('%Y%m%dT100000Z', time.gmtime(time.time() + 86_400))}\r\n"
        "DURATION:PT1H\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    text = two.file.read_text()
    two.file.write_text(text.replace("https://example.edu/feed.ics", "feed.ics"))
    assert classbell("apply", "--yes", cwd=two.folder).code == 0
    (answer,) = two.good("status", "--json").json
    old, new = answer["institutions"][0]["certificates"]
    assert (old["in_use"], new["in_use"]) == (True, False)
    assert old["last_worked"]
    assert "now, last " in two.good("status").out


@pytest.mark.parametrize("asked", ["status", "check"])
def test_what_keeps_one_institution_from_microsoft_keeps_no_other_from_its_turn(
    example: Installed, asked: str
) -> None:
    text = example.file.read_text()
    for old, new in (("example", "another"), (example.tenant.tenant_id, "another.edu")):
        text = text.replace(f'"{old}"', f'"{new}"', 1)
    (example.conf / "another.toml").write_text(re.sub(r'ca_file = ".*"', 'ca_file = "none.pem"', text))
    (answer,) = example.cert(asked, "--json").json
    another, mine = answer["institutions"]
    assert (another["id"], mine["id"]) == ("another", "example")
    told = [another.get("error"), *(each.get("error") for each in another["certificates"])]
    assert "E-CA-FILE" in [each["code"] for each in told if each]
    (certificate,) = mine["certificates"]
    assert certificate.get("ok") or certificate.get("registered")
    assert example.cert(asked).code == 2


def test_where_nothing_signs_in_the_exit_code_says_so(example: Installed) -> None:
    example.app.enabled = False
    ended = example.cert("status")
    assert ended.code == 6
    assert "not known" in ended.out
    assert "[AADSTS7000112]" in ended.out


def test_one_that_cannot_be_read_is_told_beside_the_others(two: Installed) -> None:
    (two.conf / "new-key.pem").unlink()
    ended = two.good("status")
    assert "cannot be used" in ended.out
    assert "E-SECRET-FILE" in ended.out


def test_a_sign_in_service_that_is_down_is_no_refusal(example: Installed) -> None:
    example.sandbox.faults.add(lambda request: request.path.endswith("/token"), 503, times=None)
    ended = example.cert("status")
    assert ended.code == 5
    assert "not known" in ended.out
