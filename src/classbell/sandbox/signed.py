"""
Tokens that a client signs with a registered certificate: assertions, and proofs of possession.

Source: Entra page "Application authentication certificate credentials".
"""

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any

import jwt

from classbell.sandbox.credentials import KeyCredential


class Unreadable(Exception):
    """What should be a signed token is none."""


def opened(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Header and claims, not yet verified.

    Raises:
        Unreadable: it is no signed token.
    """
    parts = text.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        raise Unreadable
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(_padded(part))) for part in parts[:2])
    except (ValueError, binascii.Error, RecursionError):
        raise Unreadable from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Unreadable
    return header, claims


def find(credentials: Iterable[KeyCredential], header: dict[str, Any], now: float) -> KeyCredential | None:
    """The certificate that the header names, if it is registered and known by *now*."""
    prints = _thumbprints(header)
    for credential in credentials:
        if credential.known_from <= now and not prints.isdisjoint((credential.sha1, credential.sha256)):
            return credential
    return None


def is_signed_by(text: str, credential: KeyCredential, algorithms: Iterable[str]) -> bool:
    """Whether the certificate's key has made the signature."""
    if credential.key is None:
        return False
    try:
        jwt.PyJWS().decode(text, credential.key, algorithms=list(algorithms))
    except jwt.PyJWTError:
        return False
    return True


def named(header: dict[str, Any]) -> str:
    """The thumbprint as errors name it, or nothing."""
    return _hex(header.get("x5t")) or _hex(header.get("x5t#S256"))


def _padded(text: str) -> str:
    return text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)


def _hex(value: Any) -> str:
    try:
        return base64.urlsafe_b64decode(_padded(value)).hex().upper() if isinstance(value, str) else ""
    except (ValueError, binascii.Error):
        return ""


def _thumbprints(header: dict[str, Any]) -> set[str]:
    """All names under which the header may mean a certificate, in hexadecimal."""
    found = {_hex(header.get("x5t")), _hex(header.get("x5t#S256"))}
    kid = header.get("kid")
    if isinstance(kid, str):
        found |= {kid.replace(":", "").upper(), _hex(kid)}
    return found - {""}
