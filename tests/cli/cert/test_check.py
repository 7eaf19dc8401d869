"""``classbell cert check``: each configured certificate opened and signed in with; golden texts of what it says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.cert.commands import OTHER, PASSWORD, Installed, cert, installed
from tests.cli.conftest import put

from classbell.identity.certificates import KeyPair, load_credential
from classbell.life import LocalFiles
from classbell.settings import load

GOOD = """\
University of example  (example)
  ok    conf.d/old-cert.pem   {sha1}
        Microsoft gives a token for it; 364 days left.
"""
UNREGISTERED = """\
University of example  (example)
  FAIL  conf.d/old-cert.pem   {sha1}
        E-CERT-UNREG  Microsoft refused our certificate (thumbprint {sha1}).  [AADSTS700027]
          Why:    it is not registered on the application {client} in tenant {tenant}.
          Effect: Calendars stay as they are until this is repaired.
          Do:     upload the certificate (never the key) under App registrations > Certificates & secrets > Certificates; it takes effect within minutes.
"""
WRONG_PASSWORD = """\
University of example  (example)
  FAIL  conf.d/old-cert.pem
        E-CERT-PASSWORD  The password does not open the private key in {conf}/old-key.pem.
          Why:    key_password is wrong, or the file is damaged.
          Do:     check the password: classbell cert show FILE asks for it and says whether it fits.
"""


@pytest.fixture
def sealed(tmp_path: Path, sealed_pair: KeyPair) -> Iterator[Installed]:
    with installed(tmp_path, sealed_pair, password=PASSWORD) as made:
        yield made


def sha1(example: Installed) -> str:
    settings = load(example.folder / "classbell.toml", LocalFiles(), {}).institution().tenant
    return load_credential(settings.certificates[0], LocalFiles(), {}, None).sha1


def told(text: str, example: Installed, sha1: str) -> str:
    return text.format(
        conf=example.conf, sha1=sha1, client=example.app.client_id, tenant=example.tenant.tenant_id
    )


def test_a_certificate_that_signs_in_is_said_so(sealed: Installed) -> None:
    ended = sealed.good("check")
    assert ended.out == told(GOOD, sealed, sha1(sealed))
    assert ended.err == ""


def test_one_that_microsoft_does_not_know_is_named_with_what_to_do(example: Installed) -> None:
    example.app.remove_certificate(sha1(example))
    ended = example.cert("check")
    assert ended.out == told(UNREGISTERED, example, sha1(example))
    assert ended.code == 6


def test_a_wrong_password_is_said_before_microsoft_is_asked(sealed: Installed) -> None:
    name = sha1(sealed)
    put(sealed.conf, "password", OTHER.encode())
    ended = sealed.cert("check")
    assert ended.out == told(WRONG_PASSWORD, sealed, name)
    assert ended.code == 2
    assert not any(record.path.endswith("/token") for record in sealed.sandbox.history)


def test_a_key_that_others_can_read_is_refused_with_the_command(example: Installed) -> None:
    (example.conf / "old-key.pem").chmod(0o644)
    ended = example.cert("check")
    assert ended.code == 2
    assert "E-SECRET-MODE" in ended.out
    assert "chmod" in ended.out


@pytest.mark.parametrize(
    ("wrong", "code"), [("client", "E-APP"), ("tenant", "E-TENANT"), ("expired", "E-CERT-EXPIRED")]
)
def test_what_microsoft_refuses_is_explained(
    example: Installed, expired: KeyPair, wrong: str, code: str
) -> None:
    text = example.file.read_text()
    if wrong == "client":
        text = text.replace(example.app.client_id, "99999999-0000-4000-8000-000000000000")
    if wrong == "tenant":
        text = text.replace(example.tenant.tenant_id, "elsewhere.example")
    if wrong == "expired":
        put(example.conf, "old-cert.pem", expired.certificate)
        put(example.conf, "old-key.pem", expired.key)
    example.file.write_text(text)
    (answer,) = (ended := example.cert("check", "--json")).json
    (found,) = answer["institutions"][0]["certificates"]
    assert (ended.code, answer["ok"], found["ok"]) == (6, False, False)
    assert found["error"]["code"] == code
    assert found["error"]["do"]


def test_a_password_that_is_typed_in_cannot_be_asked_for_here(sealed: Installed) -> None:
    text = sealed.file.read_text()
    sealed.file.write_text(
        text.replace('key_password = { file = "password" }', "key_password = { prompt = true }")
    )
    ended = sealed.cert("check")
    assert ended.code == 2
    assert "E-SECRET-PROMPT" in ended.out


def test_without_a_configuration_it_says_so(tmp_path: Path) -> None:
    assert cert("check", cwd=tmp_path).err.startswith("E-CFG-NONE")
