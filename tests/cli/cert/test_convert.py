"""``classbell cert convert``: from any form to any other, and the same pair in each."""

from itertools import product
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.cli.cert.commands import OTHER, PASSWORD, cert, good
from tests.cli.conftest import put

from classbell.identity import keystores
from classbell.identity.material import KeyEntry, Passwords

FORMS = ("pem", "pkcs12", "jks")


@pytest.fixture
def other(files: Path) -> Path:
    put(files, "other", OTHER.encode())
    return files


def opened(path: Path, store: str, key: str | None = None) -> KeyEntry:
    passwords = Passwords(store=store.encode(), key=key.encode() if key else None)
    return keystores.choose(keystores.read(path.read_bytes(), path.name, passwords), None, passwords)


@pytest.mark.parametrize(("first", "second"), list(product(FORMS, FORMS)))
def test_each_form_becomes_each_other(other: Path, first: str, second: str) -> None:
    good(
        *("convert", "key.pem", "cert.pem", "--to", first, "--out", "one"),
        *("--password-file", "password", "--new-password-file", "other"),
        cwd=other,
    )
    good(
        *("convert", "one", "--to", second, "--out", "two"),
        *("--password-file", "other", "--new-password-file", "password"),
        cwd=other,
    )
    certificate = x509.load_pem_x509_certificate((other / "cert.pem").read_bytes())
    for name, password in (("one", OTHER), ("two", PASSWORD)):
        assert (other / name).stat().st_mode & 0o777 == 0o600
        entry = opened(other / name, password)
        assert entry.certificate == certificate
        assert entry.key.public_key() == certificate.public_key()


def test_the_certificate_alone_needs_no_password_of_the_key(files: Path) -> None:
    good("convert", "key.pem", "cert.pem", "--to", "public", "--out", "up.crt", cwd=files)
    assert (files / "up.crt").read_bytes() == (files / "cert.pem").read_bytes()
    good("convert", "up.crt", "--to", "public-der", cwd=files)
    made = x509.load_der_x509_certificate((files / "up.cer").read_bytes())
    assert made.public_bytes(Encoding.PEM) == (files / "cert.pem").read_bytes()
    assert (files / "up.cer").stat().st_mode & 0o044


def test_a_java_key_may_have_a_password_of_its_own(other: Path) -> None:
    good(
        *("convert", "key.pem", "cert.pem", "--to", "jks", "--out", "store", "--password-file", "password"),
        *("--new-password-file", "other", "--new-key-password-file", "password"),
        cwd=other,
    )
    assert opened(other / "store", OTHER, PASSWORD)
    refused = cert(
        *("convert", "store", "--to", "pem", "--password-file", "other", "--new-password-file", "other"),
        cwd=other,
    )
    assert refused.err.startswith("E-CERT-PASSWORD")
    assert "--key-password-file" in refused.err
    good(
        *("convert", "store", "--to", "pem", "--password-file", "other", "--new-password-file", "other"),
        *("--key-password-file", "password"),
        cwd=other,
    )


def test_keys_are_never_written_over_certificates_only_with_force(files: Path) -> None:
    put(files, "store", b"precious")
    make = ("convert", "key.pem", "cert.pem", "--out", "store", "--password-file", "password")
    for force in ([], ["--force"]):
        ended = cert(*make, "--to", "jks", "--new-password-file", "password", *force, cwd=files)
        assert (ended.code, ended.err.partition("  ")[0]) == (2, "E-CERT-EXISTS")
    assert cert(*make, "--to", "public", cwd=files).code == 2
    assert (files / "store").read_bytes() == b"precious"
    good(*make, "--to", "public", "--force", cwd=files)
    assert (files / "store").read_bytes() == (files / "cert.pem").read_bytes()


@pytest.mark.parametrize("form", FORMS)
def test_a_file_with_a_key_is_not_written_over_by_a_certificate_either(files: Path, form: str) -> None:
    made = ("--out", "both.crt", "--password-file", "password", "--new-password-file", "password")
    good("convert", "key.pem", "cert.pem", "--to", form, *made, cwd=files)
    before = (files / "both.crt").read_bytes()
    # Without --out the new name is that of the file itself.
    ended = cert("convert", "both.crt", "--to", "public", "--force", "--password-file", "password", cwd=files)
    assert (ended.code, ended.err.partition("  ")[0]) == (2, "E-CERT-EXISTS")
    assert (files / "both.crt").read_bytes() == before


def test_a_key_without_encryption_must_be_wished_for(files: Path) -> None:
    make = ("convert", "key.pem", "cert.pem", "--to", "pem", "--out", "plain", "--password-file", "password")
    assert cert(*make, cwd=files).err.startswith("E-CERT-NO-PASSWORD")
    assert good(*make, "--no-new-password", cwd=files).err.startswith("W-CERT-PLAIN")
    assert b"BEGIN PRIVATE KEY" in (files / "plain").read_bytes()


WRONG = [
    ("--to", "pem", "--legacy"),
    ("--to", "pkcs12", "--new-key-password-file", "password"),
    ("--to", "jks", "--no-new-password"),
    ("--to", "public", "--new-password-file", "password"),
    ("--to", "xml"),
    (),
]


@pytest.mark.parametrize("options", WRONG)
def test_options_that_do_not_fit_each_other_are_refused(files: Path, options: tuple[str, ...]) -> None:
    ended = cert("convert", "key.pem", "cert.pem", "--out", "new", *options, cwd=files)
    assert (ended.code, ended.err.partition("  ")[0]) == (2, "E-USAGE")
    assert not (files / "new").exists()


def test_what_keytool_could_not_change_is_warned_of(files: Path) -> None:
    put(files, "short", b"abc")
    ended = good(
        *("convert", "key.pem", "cert.pem", "--to", "jks", "--password-file", "password"),
        *("--new-password-file", "short"),
        cwd=files,
    )
    assert ended.err.startswith("W-CERT-PASSWORD  The password has less than 6 characters")
    assert (files / "key.jks").is_file()
