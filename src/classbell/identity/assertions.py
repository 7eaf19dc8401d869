"""
What a certificate's key signs: the assertion that a sign-in shows, and the proof that changes of keys need.

Sources: Entra page "Application authentication certificate credentials"; Graph page "Generate proof of
possession tokens for rolling keys". Both are as good as a password for their ten minutes: they are made for
one request and kept nowhere.
"""

from base64 import urlsafe_b64encode
from typing import Literal
from uuid import UUID

import jwt

from classbell.identity.certificates import Credential
from classbell.identity.material import sha1, sha256

LIFETIME = 600
# The retired Azure AD Graph: a fixed audience, in every cloud.
PROOF_AUDIENCE = "00000002-0000-0000-c000-000000000000"

Signature = Literal["PS256", "RS256"]


def assertion(
    credential: Credential, signature: Signature, *, url: str, client_id: str, now: float, unique: UUID
) -> str:
    """
    The client assertion of one sign-in.

    Args:
        credential: what signs it.
        signature: PS256 names the certificate by its SHA-256 thumbprint, RS256 by its SHA-1. The other two
            pairs are not sent: nobody knows whether Entra ID takes them.
        url: the token endpoint that is asked.
        client_id: the application.
        now: seconds since 1970.
        unique: the assertion's id.
    """
    begin = int(now)
    claims = {
        "aud": url,
        "iss": client_id,
        "sub": client_id,
        "jti": str(unique),
        "nbf": begin,
        "iat": begin,
        "exp": begin + LIFETIME,
    }
    named = _sha256(credential) if signature == "PS256" else _sha1(credential)
    return jwt.encode(claims, credential.key, algorithm=signature, headers=named)


def proof(credential: Credential, *, object_id: str, now: float) -> str:
    """
    The proof that an application holds a key which is registered already.

    Args:
        credential: registered and valid.
        object_id: the Object ID of the application's registration, which is not its client id.
        now: seconds since 1970.
    """
    begin = int(now)
    claims = {"aud": PROOF_AUDIENCE, "iss": object_id, "nbf": begin, "exp": begin + LIFETIME}
    # As the page's own sample signs; whether PS256 would do is not documented.
    return jwt.encode(claims, credential.key, algorithm="RS256", headers=_sha1(credential))


def _sha256(credential: Credential) -> dict[str, str]:
    return {"x5t#S256": _base64url(sha256(credential.certificate))}


def _sha1(credential: Credential) -> dict[str, str]:
    return {"x5t": _base64url(sha1(credential.certificate))}


def _base64url(digest: bytes) -> str:
    return urlsafe_b64encode(digest).decode().rstrip("=")
