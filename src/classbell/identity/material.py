"""
Key material, whichever form it was kept in: keys that are still closed, keys that are open, certificates.

``pem``, ``pkcs12`` and ``jks`` know one form each; ``keystores`` finds out which one it is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_DAY = 86_400


class Form(StrEnum):
    """How key material is written down."""

    PEM = "pem"
    DER = "der"
    PKCS12 = "pkcs12"
    JKS = "jks"

    @property
    def label(self) -> str:
        """The form's usual name."""
        return {"pem": "PEM", "der": "DER", "pkcs12": "PKCS#12", "jks": "Java keystore (JKS)"}[self.value]


@dataclass(frozen=True, kw_only=True)
class Passwords:
    """
    What opens key material; None where nothing is given, which is not the same as empty.

    Attributes:
        store: opens a PKCS#12 or Java keystore.
        key: opens the key itself; of a keystore the store's serves where this is None.
    """

    store: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class SealedKey:
    """
    A private key as a file holds it, not opened yet.

    Attributes:
        alias: its name in the keystore; a number counted from 1 where the form has no names.
        certificate: the one kept with it; None if the form does not say which it is.
        chain: the certificates kept with it behind its own.
        unseal: opens it; raises ConfigurationError ``E-CERT-PASSWORD``, ``E-CERT-FILE`` or ``E-CERT-KIND``.
    """

    alias: str
    certificate: x509.Certificate | None = field(default=None, repr=False)
    chain: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    unseal: Callable[[Passwords], PrivateKeyTypes] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Keystore:
    """
    All that was found in one file, or in several together.

    Attributes:
        place: where it is from, for messages.
        form: of its first file.
        keys: the private keys, each still closed.
        certificates: every certificate, also those that are kept with a key.
    """

    place: str
    form: Form
    keys: tuple[SealedKey, ...] = ()
    certificates: tuple[x509.Certificate, ...] = field(default=(), repr=False)

    @property
    def aliases(self) -> tuple[str, ...]:
        """The names of its keys."""
        return tuple(key.alias for key in self.keys)


@dataclass(frozen=True, kw_only=True)
class KeyEntry:
    """
    An open private key with its certificate and the chain above that, nearest authority first.

    The key is RSA with at least 2048 bits, and belongs to the certificate.
    """

    alias: str
    key: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate = field(repr=False)
    chain: tuple[x509.Certificate, ...] = field(default=(), repr=False)


def sha1(certificate: x509.Certificate) -> bytes:
    """The thumbprint by which the Entra admin center shows a certificate."""
    return certificate.fingerprint(hashes.SHA1())  # noqa: S303 - a name, not a proof


def sha256(certificate: x509.Certificate) -> bytes:
    """The newer thumbprint."""
    return certificate.fingerprint(hashes.SHA256())


def shown(thumbprint: bytes) -> str:
    """A thumbprint in hexadecimal, as the Entra admin center writes it."""
    return thumbprint.hex().upper()


def days_left(until: float, now: float) -> int:
    """Whole days from *now* to *until*, both in seconds since 1970; negative afterwards."""
    return int((until - now) // _DAY)


def load_certificate(der: bytes) -> x509.Certificate:
    """
    A certificate from its binary form, all that is shown of it readable.

    Raises:
        ValueError: it is none, or damaged.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        # These are read when they are asked for: better that they fail here.
        _ = (certificate.subject, certificate.issuer, certificate.not_valid_before_utc)
        _ = (certificate.serial_number, certificate.not_valid_after_utc)
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from None
    return certificate


def belongs(certificate: x509.Certificate, key: PrivateKeyTypes | rsa.RSAPublicKey) -> bool:
    """Whether a certificate is of this key."""
    try:
        public = key if isinstance(key, rsa.RSAPublicKey) else key.public_key()
        return certificate.public_key() == public
    except (ValueError, UnsupportedAlgorithm):
        return False  # a key of a kind that cannot be read is not ours


def issuing_none(certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """Of a certificate with its chain, in any order, the one that issued no other; else the first."""
    issuers = [one.issuer for one in certificates if one.issuer != one.subject]
    return next((one for one in certificates if one.subject not in issuers), certificates[0])


def chain_of(
    certificate: x509.Certificate, others: Iterable[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """The authorities above a certificate, as far as *others* has them: its issuer first, the root last."""
    left = [other for other in others if other != certificate]
    chain: list[x509.Certificate] = []
    here = certificate
    while (issuer := next((other for other in left if _issued(here, other)), None)) is not None:
        chain.append(issuer)
        left = [other for other in left if other != issuer]
        here = issuer
    return tuple(chain)


def _issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
