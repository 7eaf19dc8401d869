"""The archive for support helps, and holds no secret in any form, and no person."""

import base64
import json
import stat
import time
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.doctor.world import PILOT, Clinic, open_clinic, write_timetable
from tests.scenarios.world import World, put_secret

from classbell.doctor.bundle import Redactor
from classbell.identity.certificates import new_self_signed

PASSWORD = "Pa55/word+with=signs & ümlaut"  # as somebody might choose it
FEED = "https://feeds.example.net/private/7f3a9c2e1b/calendar.ics?key=tok3n-in-a-query"


def content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}


def forms(secret: bytes) -> list[bytes]:
    return [
        secret,
        secret.hex().encode(),
        secret.hex().upper().encode(),
        base64.b64encode(secret).rstrip(b"="),
        base64.urlsafe_b64encode(secret).rstrip(b"="),
        quote(secret).encode(),
        quote(secret, safe="").encode(),
        json.dumps(secret.decode())[1:-1].encode(),
    ]


def test_it_holds_versions_settings_findings_and_counts(clinic: Clinic) -> None:
    ended = clinic.doctor("--bundle", "support.zip")
    assert ended.code == 0
    path = clinic.folder / "support.zip"
    parts = content(path)
    assert set(parts) == {
        "README.txt", "versions.json", "findings.json", "configuration.json", "files.json", "ledger.json",
    }  # fmt: skip
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(parts["versions.json"])["packages"]["sqlalchemy"]
    assert len(json.loads(parts["findings.json"])) == 12
    rows = {row["path"]: row["value"] for row in json.loads(parts["configuration.json"])}
    assert rows["institutions.example.window.past"] == "7d"
    assert [row["mode"] for row in json.loads(parts["files.json"])] == ["0600", "0600"]
    assert json.loads(parts["ledger.json"])["example"]["events"] == 0


@pytest.mark.prove
def test_no_secret_is_in_it_in_any_form_and_no_name_of_a_mailbox(world: World) -> None:
    clinic = open_clinic(world)
    locked = new_self_signed("locked", now=time.time() - 60, password=PASSWORD.encode())
    clinic.add_certificate("locked", locked)
    put_secret(clinic.folder / "conf.d" / "password", f"{PASSWORD}\n".encode())
    clinic.change(
        'private_key = { file = "locked-key.pem" }',
        'private_key = { file = "locked-key.pem" }\nkey_password = { file = "password" }',
    )
    # Secrets and persons where none belong: names, findings, the addresses of feeds.
    clinic.change(
        'name = "University of Example"', f'name = "of {PILOT} {quote(PASSWORD)} {PASSWORD.encode().hex()}"'
    )
    clinic.change(
        "[[audience]]",
        f'[[sources]]\nname = "feeds"\nkind = "ics"\nfeeds = [{{ person = "{PILOT}", url = "{FEED}" }}]\n\n[[audience]]',
    )
    write_timetable(clinic.folder / "example-timetable", person="Jane Smith")
    clinic.doctor("--bundle", "support.zip")
    parts = content(clinic.folder / "support.zip")
    text = b"\n".join(parts.values())
    assert b"university" not in parts["README.txt"].lower()
    key = b"".join(world.pair.key.splitlines()[1:-1])
    for secret in (PASSWORD.encode(), b"tok3n-in-a-query", b"7f3a9c2e1b", key, world.pair.key, locked.key):
        assert [form for form in forms(secret) if form in text] == []
    assert b"PRIVATE KEY" not in text
    assert b"eyJ" not in text
    assert PILOT.encode() not in text
    assert b"person-" in text
    assert b"https://feeds.example.net/" in text


def test_it_is_written_also_where_the_configuration_cannot_be_read(clinic: Clinic) -> None:
    clinic.change("client_id", "client_id_")
    assert clinic.doctor("--bundle", "support.zip").code == 2
    assert set(content(clinic.folder / "support.zip")) == {"README.txt", "versions.json", "findings.json"}


def test_a_file_that_is_there_is_never_replaced(clinic: Clinic) -> None:
    (clinic.folder / "support.zip").write_text("mine")
    ended = clinic.doctor("lease", "--bundle", "support.zip")
    assert "E-BUNDLE-WRITE" in ended.err
    assert ended.code == 2
    assert (clinic.folder / "support.zip").read_text() == "mine"


@pytest.mark.parametrize("form", forms(PASSWORD.encode())[:7])
def test_a_planted_secret_is_taken_out_of_a_text(form: bytes) -> None:
    text = f"before {form.decode()} after"
    assert Redactor([PASSWORD.encode()], "salt").text(text) == "before [redacted] after"


def test_a_pseudonym_is_the_same_for_the_same_person_and_another_in_another_installation() -> None:
    one, other = Redactor([], "one"), Redactor([], "other")
    assert one.text("Ada@example.edu") == one.text("ada@example.edu")
    assert one.text("ada@example.edu") != one.text("bob@example.edu")
    assert one.text("ada@example.edu") != other.text("ada@example.edu")
    assert one.text("ada@example.edu").endswith("@example.edu")


@pytest.mark.prove
def test_the_addresses_of_feeds_that_a_file_lists_are_not_in_it_either(clinic: Clinic) -> None:
    feeds = clinic.folder / "conf.d" / "feeds.csv"
    # Nothing listens there, so that the finding names the feed.
    feeds.write_text(
        f"person,url\n{PILOT},https://127.0.0.1:9/private/7f3a9c2e1b/calendar.ics\n", encoding="utf-8"
    )
    clinic.change(
        "[[audience]]",
        '[[sources]]\nname = "feeds"\nkind = "ics"\nfeeds = "feeds.csv"\nallow_private_addresses = true\n\n[[audience]]',
    )
    ended = clinic.doctor("sources", "--bundle", "support.zip")
    assert "7f3a9c2e1b" in ended.out
    parts = content(clinic.folder / "support.zip")
    assert b"https://127.0.0.1:9/" in parts["findings.json"]
    assert [name for name, part in parts.items() if b"7f3a9c2e1b" in part] == []
