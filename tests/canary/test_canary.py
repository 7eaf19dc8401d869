"""The canary finds a secret in every form and in every place, and nothing where none is."""

import base64
import io
import sqlite3
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from urllib.parse import quote, quote_plus

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.canary.canary import Canary
from tests.canary.listening import CANARY

from classbell.identity.certificates import new_self_signed

SECRET = b"c4n4ry/+ in \xc3\xa4 mine? " + bytes(range(65, 120))
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def canary() -> Canary:
    made = Canary()
    made.watch(SECRET, "the secret")
    return made


@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc"])
@pytest.mark.parametrize(
    "form",
    [
        lambda content: content,
        lambda content: content.hex().encode(),
        lambda content: content.hex().upper().encode(),
        base64.b64encode,
        base64.urlsafe_b64encode,
        base64.encodebytes,
        lambda content: quote(base64.b64encode(content), safe="").encode(),
        lambda content: quote(content, safe="").encode(),
    ],
)
def test_a_secret_is_found_in_every_form_whatever_stands_around_it(
    canary: Canary, before: bytes, form: object
) -> None:
    assert callable(form)
    canary.hear(form(before + SECRET + b"after"), "here")
    assert canary.leaks() == ["here: the secret"]


def test_a_short_password_is_found_as_a_whole(canary: Canary) -> None:
    canary.watch(b"pass word 7", "a password")
    canary.hear(f"?p={quote_plus('pass word 7')}&q={quote('pass word 7')}", "here")
    assert canary.leaks() == ["here: a password"]


def test_a_password_that_is_an_ordinary_word_is_not_looked_for(canary: Canary) -> None:
    canary.watch(b"nothing", "a password")
    canary.hear("nothing was changed", "here")
    assert canary.leaks() == []


def test_a_certificate_that_was_given_as_a_password_makes_no_leak_of_every_other_certificate(
    canary: Canary,
) -> None:
    canary.watch(new_self_signed("x", now=time.time()).certificate, "a password")
    canary.hear(new_self_signed("y", now=time.time()).certificate, "here")
    assert canary.leaks() == []


def test_nothing_is_found_where_nothing_is(canary: Canary, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("c4n4ry in a mine, eyJ.no.token, -----BEGIN CERTIFICATE-----")
    assert canary.leaks(tmp_path) == []


def test_it_looks_into_databases_with_their_logs_and_into_archives_in_archives(
    canary: Canary, tmp_path: Path
) -> None:
    connection = sqlite3.connect(tmp_path / "ledger.db")
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE kept (value BLOB)")
        connection.execute("INSERT INTO kept VALUES (?)", (SECRET,))
        connection.commit()
        inner, outer = io.BytesIO(), io.BytesIO()
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("findings.json", base64.b64encode(SECRET))
        with zipfile.ZipFile(outer, "w") as archive:
            archive.writestr("inner.zip", inner.getvalue())
        (tmp_path / "support.zip").write_bytes(outer.getvalue())
        assert canary.leaks(tmp_path) == [
            f"{tmp_path}/ledger.db-wal: the secret",
            f"{tmp_path}/support.zip!inner.zip!findings.json: the secret",
        ]
    finally:
        connection.close()


def test_a_token_or_a_key_is_known_by_its_shape_whoever_made_it(canary: Canary) -> None:
    token = "eyJ" + "a" * 40 + "." + "b" * 40 + "." + "c" * 40
    canary.hear(f"Authorization: Bearer {token}", "one")
    canary.hear("found -----BEGIN RSA PRIVATE " + "KEY-----\n" + "M" * 64, "two")
    assert canary.leaks() == ["one: a JSON Web Token", "two: a private key"]


def test_files_that_are_there_to_hold_a_secret_are_no_leaks(canary: Canary, tmp_path: Path) -> None:
    pair = new_self_signed("x", now=time.time())
    (tmp_path / "key.pem").write_bytes(pair.key)
    (tmp_path / "password").write_bytes(SECRET + b"\n")
    (tmp_path / "store").write_bytes(b"in a form of its own: " + SECRET)
    canary.keeper(tmp_path / "store")
    assert canary.leaks(tmp_path) == []


def test_it_learns_keys_tokens_and_passwords_by_itself() -> None:
    pair = new_self_signed("x", now=time.time(), password=b"learnt-by-loading")
    key = load_pem_private_key(pair.key, b"learnt-by-loading")
    token = jwt.encode({"sub": "x"}, key, "RS256")  # type: ignore[arg-type]
    secrets = {
        "a password": b"learnt-by-loading",
        "a token or an assertion": token.partition(".")[2].encode(),
        "a private key": key.private_numbers().p.to_bytes(128, "big"),  # type: ignore[union-attr]
    }
    kinds = set(CANARY._patterns.values())
    assert set(secrets) <= kinds
    for kind, secret in secrets.items():
        assert any(pattern in secret for pattern, name in CANARY._patterns.items() if name == kind)


LEAKING = """
import jwt
pytest_plugins = ["tests.canary.plugin"]

def test_that_passes(tmp_path):
    token = jwt.encode({"sub": "x" * 40}, "k" * 32)
    (tmp_path / "kept").write_text(token.encode().hex() if %s else "nothing")
"""


@pytest.mark.prove
@pytest.mark.parametrize(("leaks", "processes"), [(True, "0"), (True, "2"), (False, "0"), (False, "2")])
def test_a_session_with_a_leak_fails_although_its_tests_pass(
    tmp_path: Path, *, leaks: bool, processes: str
) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.canary.plugin"]\n')
    (tmp_path / "test_one.py").write_text(
        LEAKING.replace('pytest_plugins = ["tests.canary.plugin"]\n', "") % leaks
    )
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            processes,
            "--rootdir",
            tmp_path,
            "-p",
            "no:cacheprovider",
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in ended.stdout
    assert ("a token or an assertion" in ended.stdout) is leaks
    assert ended.returncode == (1 if leaks else 0)
