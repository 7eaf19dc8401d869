"""Keys with certificates for tests: made once, as keys take time."""

import traceback
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from classbell.errors import ConfigurationError
from classbell.identity import keystores, making
from classbell.identity.material import KeyEntry, Keystore, Passwords
from classbell.life import SystemClock

# Distinctive, so that a search of messages for them means something.
STORE = b"store-pass 4c1b"
KEY = b"key-pass 9d7e"
NOW = SystemClock().now()
CODES = {
    *("E-CERT-FILE", "E-CERT-FORM", "E-CERT-PASSWORD", "E-CERT-ALIAS", "E-CERT-MATCH", "E-CERT-KIND"),
}
PASSWORDS = Passwords(store=STORE, key=KEY)


@cache
def entry(name: str = "classbell") -> KeyEntry:
    made = making.self_signed(making.new_key(), making.Subject(common_name=name), now=NOW - 60)
    return KeyEntry(alias=name, key=made.key, certificate=made.certificate)


@cache
def chained() -> KeyEntry:
    """One whose chain has two authorities."""
    root, middle, leaf = entry("root"), entry("middle"), entry("leaf")
    middle_certificate = _signed(middle, root)
    certificate = _signed(leaf, middle)
    return KeyEntry(
        alias="leaf", key=leaf.key, certificate=certificate, chain=(middle_certificate, _signed(root, root))
    )


def _signed(one: KeyEntry, by: KeyEntry) -> x509.Certificate:
    old = one.certificate
    return (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(by.certificate.subject)
        .public_key(one.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc)
        .sign(by.key, hashes.SHA256())
    )


@cache
def foreign(kind: str) -> KeyEntry:
    """A key that Entra ID does not take, as if it were one."""
    made: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind == "ec":
        made = ec.generate_private_key(ec.SECP256R1())
    else:
        made = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - what is refused
    name = entry().certificate.subject
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(made.public_key())
        .serial_number(1)
        .not_valid_before(entry().certificate.not_valid_before_utc)
        .not_valid_after(entry().certificate.not_valid_after_utc)
        .sign(made, hashes.SHA256())
    )
    return KeyEntry(alias=kind, key=made, certificate=certificate)  # type: ignore[arg-type]


def opened(content: bytes, alias: str | None = None, passwords: Passwords = PASSWORDS) -> KeyEntry:
    return keystores.choose(read(content, passwords), alias, passwords)


def read(content: bytes, passwords: Passwords = PASSWORDS) -> Keystore:
    return keystores.read(content, "the file", passwords)


def refusal(content: bytes, alias: str | None = None, passwords: Passwords = PASSWORDS) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        opened(content, alias, passwords)
    check_words(caught.value)
    return caught.value


def check_words(error: ConfigurationError) -> None:
    """An error says all of it, and no password anywhere, nor in its traceback."""
    assert error.code in CODES
    assert error.what
    assert error.why
    assert error.do
    text = f"{error.what} {error.why} {error.do} {error.effect} {''.join(traceback.format_exception(error))}"
    for password in (STORE, KEY):
        assert password.decode() not in text
        assert password.hex() not in text
