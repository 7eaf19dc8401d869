"""Key material as the real openssl makes it is read and checked, and each fault is named."""

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st
from tests.identity.keys import make_pair, openssl, settings

from classbell.errors import ClassbellError, ConfigurationError, RefusedError
from classbell.identity.certificates import (
    Credential,
    load_credential,
    new_self_signed,
)
from classbell.life import LocalFiles
from classbell.settings import CertificateSettings

FILES = LocalFiles()
# A little later, so that what openssl makes during the test is valid already.
NOW = time.time() + 3600
PASSWORD = "correct horse 8f3e"
OTHER = new_self_signed("another of the chain", now=NOW).certificate


def load(described: CertificateSettings, now: float = NOW) -> Credential:
    return load_credential(described, FILES, {}, now)


def refused(described: CertificateSettings, now: float = NOW) -> ClassbellError:
    with pytest.raises(ClassbellError) as caught:
        load(described, now)
    error = caught.value
    assert error.what
    assert error.why
    assert error.do
    assert PASSWORD not in f"{error} {error.what} {error.why} {error.do} {error.__cause__}"
    return error


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with key.pem (encrypted), plain.pem (the same key) and cert.pem."""
    folder = tmp_path_factory.mktemp("pair")
    make_pair(folder, password=PASSWORD)
    openssl("pkey", "-in", "key.pem", "-passin", f"pass:{PASSWORD}", "-out", "plain.pem", cwd=folder)
    (folder / "plain.pem").chmod(0o600)
    return folder


def with_key(pair: Path, folder: Path, *conversion: str) -> CertificateSettings:
    """The pair with its key in the form that an openssl command gives it."""
    shutil.copy(pair / "cert.pem", folder)
    openssl(*conversion, "-in", pair / "plain.pem", "-out", "key.pem", cwd=folder)
    (folder / "key.pem").chmod(0o600)
    return settings(folder, password=PASSWORD)


def test_the_pair_that_the_usual_command_makes_works_unchanged(pair: Path) -> None:
    credential = load(settings(pair, password=PASSWORD))
    signature = credential.key.sign(b"x", padding.PKCS1v15(), SHA256())
    public = credential.certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(signature, b"x", padding.PKCS1v15(), SHA256())
    assert credential.days_left(NOW) == 3649


def test_thumbprints_are_those_that_openssl_shows(pair: Path) -> None:
    credential = load(settings(pair, password=PASSWORD))
    for digest, ours in (("-sha1", credential.sha1), ("-sha256", credential.sha256)):
        openssl("x509", "-in", "cert.pem", "-fingerprint", "-noout", digest, "-out", "print", cwd=pair)
        shown = (pair / "print").read_text().split("=")[1].strip().replace(":", "")
        assert ours == shown


@pytest.mark.parametrize(
    "conversion",
    [
        ("pkey", "-aes256", "-passout", f"pass:{PASSWORD}"),
        ("pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1", "-passout", f"pass:{PASSWORD}"),
        ("pkcs8", "-topk8", "-scrypt", "-passout", f"pass:{PASSWORD}"),
        ("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-passout", f"pass:{PASSWORD}"),
        ("pkcs8", "-topk8", "-nocrypt"),
        ("rsa", "-traditional"),
        ("rsa", "-traditional", "-aes256", "-passout", f"pass:{PASSWORD}"),
        ("rsa", "-traditional", "-des3", "-passout", f"pass:{PASSWORD}"),
    ],
    ids=" ".join,
)
def test_every_usual_form_of_the_key_is_read(pair: Path, tmp_path: Path, conversion: tuple[str, ...]) -> None:
    described = with_key(pair, tmp_path, *conversion)
    assert load(described).sha1 == load(settings(pair, password=PASSWORD)).sha1


def test_a_cipher_that_is_no_longer_in_use_is_named_with_the_command_that_changes_it(
    pair: Path, tmp_path: Path
) -> None:
    described = with_key(
        pair, tmp_path, "rsa", "-traditional", "-camellia256", "-passout", f"pass:{PASSWORD}"
    )
    error = refused(described)
    assert error.code == "E-CERT-KIND"
    assert "openssl pkey" in error.do


@pytest.mark.parametrize(
    "arrange",
    [
        lambda key, cert: key + cert,
        lambda key, cert: cert + key,
        lambda key, cert: OTHER + cert + key + OTHER,
        lambda key, cert: b"Bag Attributes\n    friendlyName: x\n" + key + OTHER + cert,
        lambda key, cert: b"\xef\xbb\xbf" + (key + cert).replace(b"\n", b"\r\n"),
    ],
    ids=["key first", "certificate first", "chain around", "bag attributes", "windows line ends"],
)
def test_key_and_certificate_may_share_a_file_in_any_order(
    pair: Path, tmp_path: Path, arrange: Callable[[bytes, bytes], bytes]
) -> None:
    path = tmp_path / "both.pem"
    path.write_bytes(arrange((pair / "key.pem").read_bytes(), (pair / "cert.pem").read_bytes()))
    path.chmod(0o600)
    credential = load(settings(tmp_path, certificate="both.pem", key="both.pem", password=PASSWORD))
    assert credential.sha1 == load(settings(pair, password=PASSWORD)).sha1


def test_a_certificate_in_binary_form_is_read(pair: Path, tmp_path: Path) -> None:
    openssl("x509", "-in", pair / "cert.pem", "-outform", "der", "-out", "cert.cer", cwd=tmp_path)
    shutil.copy(pair / "key.pem", tmp_path)
    described = settings(tmp_path, certificate="cert.cer", password=PASSWORD)
    assert load(described).sha1 == load(settings(pair, password=PASSWORD)).sha1


def test_a_key_may_come_from_the_environment(pair: Path) -> None:
    described = CertificateSettings.model_validate(
        {"certificate": {"file": pair / "cert.pem"}, "private_key": {"env": "KEY"}}
    )
    environ = {"KEY": (pair / "plain.pem").read_text()}
    assert load_credential(described, FILES, environ, NOW).days_left(NOW) > 3000


def test_a_missing_certificate_file_is_named(pair: Path) -> None:
    error = refused(settings(pair, certificate="nowhere.pem", password=PASSWORD))
    assert isinstance(error, ConfigurationError)
    assert error.code == "E-CERT-FILE"
    assert str(pair / "nowhere.pem") in error.what


def test_a_wrong_password_is_said_as_such(pair: Path) -> None:
    # About one wrong password in two hundred unpacks to something that looks right at first: try many.
    for number in range(40):
        error = refused(settings(pair, password=f"wrong {number}"))
        assert (type(error), error.code) == (ConfigurationError, "E-CERT-PASSWORD")
        assert "password does not open" in error.what


@pytest.mark.parametrize("password", [None, ""])
def test_a_missing_password_is_said_as_such(pair: Path, password: str | None) -> None:
    error = refused(settings(pair, password=password))
    assert (type(error), error.code) == (ConfigurationError, "E-CERT-PASSWORD")
    assert "no password" in error.what


def test_a_password_for_a_key_without_one_does_no_harm(pair: Path) -> None:
    assert load(settings(pair, key="plain.pem", password=PASSWORD)).days_left(NOW) > 3000


def test_a_key_of_another_certificate_is_recognised(pair: Path, tmp_path: Path) -> None:
    make_pair(tmp_path)
    shutil.copy(pair / "cert.pem", tmp_path)
    error = refused(settings(tmp_path))
    assert (type(error), error.code) == (ConfigurationError, "E-CERT-MATCH")


@pytest.mark.parametrize(
    ("algorithm", "words"), [("rsa:1024", "1024 bits"), ("ec:curve", "not an RSA key"), ("ed25519", "RSA")]
)
def test_keys_that_entra_does_not_take_are_refused(tmp_path: Path, algorithm: str, words: str) -> None:
    if algorithm == "ec:curve":
        openssl("ecparam", "-name", "prime256v1", "-out", "curve", cwd=tmp_path)
    make_pair(tmp_path, algorithm=algorithm)
    error = refused(settings(tmp_path))
    assert (type(error), error.code) == (ConfigurationError, "E-CERT-KIND")
    assert words in f"{error.what} {error.why}"


def test_an_expired_certificate_is_refused_with_its_date(pair: Path) -> None:
    later = NOW + 3651 * 86_400
    error = refused(settings(pair, password=PASSWORD), now=later)
    assert (type(error), error.code) == (RefusedError, "E-CERT-EXPIRED")
    end = datetime.fromtimestamp(load(settings(pair, password=PASSWORD)).not_after, UTC)
    assert f"valid until {end:%Y-%m-%dT%H:%M:%SZ}" in error.why


def test_a_certificate_that_is_not_valid_yet_is_refused(pair: Path) -> None:
    error = refused(settings(pair, password=PASSWORD), now=NOW - 10 * 86_400)
    assert (type(error), error.code) == (RefusedError, "E-CERT-NOT-YET")


@pytest.mark.parametrize("part", ["cert.pem", "key.pem"])
@pytest.mark.parametrize("damage", ["utf-16", "empty", "text", "half"])
def test_a_file_with_something_else_in_it_is_named(
    pair: Path, tmp_path: Path, part: str, damage: str
) -> None:
    shutil.copy(pair / "cert.pem", tmp_path)
    shutil.copy(pair / "plain.pem", tmp_path / "key.pem")
    content = (tmp_path / part).read_text()
    (tmp_path / part).write_bytes(
        {
            "utf-16": content.encode("utf-16"),
            "empty": b"",
            "text": b"see the other file",
            "half": content[: len(content) // 2].encode(),
        }[damage]
    )
    (tmp_path / "key.pem").chmod(0o600)
    error = refused(settings(tmp_path))
    assert (type(error), error.code) == (ConfigurationError, "E-CERT-FILE")
    assert str(tmp_path / part) in error.what
    assert ("UTF-16" in error.what) == (damage == "utf-16")


@given(place=st.floats(0, 0.999), byte=st.integers(0, 255), cut=st.booleans())
def test_whatever_is_damaged_there_is_an_error_of_ours_and_never_the_password(
    pair: Path, tmp_path_factory: pytest.TempPathFactory, place: float, byte: int, *, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    shutil.copy(pair / "cert.pem", folder)
    content = bytearray((pair / "key.pem").read_bytes())
    spot = int(place * len(content))
    content = content[:spot] if cut else content
    if not cut:
        content[spot] = byte
    (folder / "key.pem").write_bytes(content)
    (folder / "key.pem").chmod(0o600)
    try:
        load(settings(folder, password=PASSWORD))
    except ClassbellError:
        refused(settings(folder, password=PASSWORD))


def test_a_pair_made_here_is_read_by_openssl_and_by_us(tmp_path: Path) -> None:
    begin = int(NOW) - 7200
    made = new_self_signed("classbell", now=begin, days=90, password=PASSWORD.encode())
    (tmp_path / "key.pem").write_bytes(made.key)
    (tmp_path / "key.pem").chmod(0o600)
    (tmp_path / "cert.pem").write_bytes(made.certificate)
    openssl("pkey", "-in", "key.pem", "-passin", f"pass:{PASSWORD}", "-check", "-noout", cwd=tmp_path)
    openssl("verify", "-CAfile", "cert.pem", "cert.pem", cwd=tmp_path)
    credential = load(settings(tmp_path, password=PASSWORD))
    assert credential.not_before == begin
    assert credential.not_after == begin + 90 * 86_400
    assert load_pem_private_key(made.key, PASSWORD.encode())


def test_a_credential_shown_in_a_log_shows_no_key(pair: Path) -> None:
    shown = repr(load(settings(pair, password=PASSWORD)))
    assert str(pair / "cert.pem") in shown
    assert "RSAPrivateKey" not in shown
