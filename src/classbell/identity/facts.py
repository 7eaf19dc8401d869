"""What can be shown of a certificate: everything an administrator compares, and never a key."""

from base64 import b64encode
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa

from classbell.identity import material
from classbell.identity.material import Keystore


@dataclass(frozen=True, kw_only=True)
class Facts:
    """
    A certificate in the words of the Entra admin center.

    Attributes:
        alias: of its key; empty if no key is known to be with it.
        subject: whom it names, as in "CN=classbell,O=Example University".
        issuer: who has signed it.
        serial: its number, in hexadecimal.
        not_before: from when it is valid, in seconds since 1970.
        not_after: until when.
        days_left: whole days until then; negative afterwards.
        key_kind: "RSA", or the name of another kind, which Entra ID does not take.
        bits: of an RSA key; 0 for others.
        sha1: the thumbprint that the Entra admin center shows, in hexadecimal.
        sha256: the newer thumbprint, in hexadecimal.
        sha1_base64: the same as ``sha1``, as customKeyIdentifier in the application's manifest has it.
        sha256_base64: the same as ``sha256``.
        self_signed: whether it has signed itself.
    """

    alias: str
    subject: str
    issuer: str
    serial: str
    not_before: float
    not_after: float
    days_left: int
    key_kind: str
    bits: int
    sha1: str
    sha256: str
    sha1_base64: str
    sha256_base64: str
    self_signed: bool


def facts(certificate: x509.Certificate, now: float, *, alias: str = "") -> Facts:
    """What can be shown of a certificate; *now* is in seconds since 1970."""
    sha1, sha256 = material.sha1(certificate), material.sha256(certificate)
    kind, bits = _key(certificate)
    not_after = certificate.not_valid_after_utc.timestamp()
    return Facts(
        alias=alias,
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:X}",
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=not_after,
        days_left=material.days_left(not_after, now),
        key_kind=kind,
        bits=bits,
        sha1=material.shown(sha1),
        sha256=material.shown(sha256),
        sha1_base64=b64encode(sha1).decode(),
        sha256_base64=b64encode(sha256).decode(),
        self_signed=certificate.subject == certificate.issuer,
    )


def all_facts(store: Keystore, now: float) -> tuple[Facts, ...]:
    """The certificates of a file: those that are kept with a key first, under its alias; each once."""
    named = {key.certificate: key.alias for key in store.keys if key.certificate is not None}
    others = {one: "" for one in store.certificates if one not in named}
    return tuple(facts(one, now, alias=alias) for one, alias in (named | others).items())


def _key(certificate: x509.Certificate) -> tuple[str, int]:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "unknown", 0
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size
    return type(key).__name__.removeprefix("_").removesuffix("PublicKey"), 0
