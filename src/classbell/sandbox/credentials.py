"""
What an application proves itself with: registered certificates, and secrets.

Source: Graph page "keyCredential resource type" and Entra page "Application authentication certificate credentials".
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from classbell.sandbox.instants import stamp_text


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCredential:
    """
    A registered certificate; thumbprints are hexadecimal in upper case, ``der`` is the certificate.

    ``end`` may be earlier than the certificate's own. Until ``known_from``, in seconds of the sandbox's clock,
    the token endpoint has not heard of it.
    """

    key_id: str
    name: str
    der: bytes
    sha1: str
    sha256: str
    key: RSAPublicKey | None
    start: datetime
    end: datetime
    known_from: float

    def valid(self, now: float) -> bool:
        """Whether it is inside its dates."""
        return self.start.timestamp() <= now <= self.end.timestamp()

    def described(self, *, whole: bool) -> dict[str, Any]:
        """The credential as Graph tells it; only *whole* with the certificate itself."""
        return {
            "customKeyIdentifier": self.sha1,
            "displayName": self.name,
            "endDateTime": stamp_text(self.end.timestamp()),
            "key": base64.b64encode(self.der).decode() if whole else None,
            "keyId": self.key_id,
            "startDateTime": stamp_text(self.start.timestamp()),
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
        }


@dataclass(frozen=True, slots=True)
class Secret:
    """A client secret with its end in seconds of the sandbox's clock."""

    value: str
    end: float


def key_credential(
    certificate: x509.Certificate,
    key_id: str,
    known_from: float,
    *,
    name: str | None = None,
    end: datetime | None = None,
) -> KeyCredential:
    """The credential of a certificate; without *end*, as long as the certificate."""
    key = certificate.public_key()
    return KeyCredential(
        key_id=key_id,
        name=certificate.subject.rfc4514_string() if name is None else name,
        der=certificate.public_bytes(serialization.Encoding.DER),
        sha1=certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - a name, not a proof
        sha256=certificate.fingerprint(hashes.SHA256()).hex().upper(),
        key=key if isinstance(key, RSAPublicKey) else None,
        start=certificate.not_valid_before_utc,
        end=end or certificate.not_valid_after_utc,
        known_from=known_from,
    )
