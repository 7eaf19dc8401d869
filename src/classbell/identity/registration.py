"""
The certificates registered on our own application, which it may change itself: with a proof instead of a permission.

Sources: Graph pages "application: addKey", "application: removeKey" and "Get application".
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding

from classbell import headers
from classbell.errors import ClassbellError, ConfigurationError, RefusedError, ServiceUnavailable
from classbell.identity.assertions import proof
from classbell.identity.certificates import Credential
from classbell.identity.tokens import Tokens
from classbell.ports import Clock, NoAnswer, Response, Transport
from classbell.settings import TenantSettings

TIMEOUT = 60.0
_STAYS = "the certificates in use stay as they are."
_POLICY = (
    "KeyCredentialsInvalidEndDate",
    "PerAppPolicy",
    "CredentialInvalidLifetime",
    "CredentialTypeNotAllowed",
)
# The service's words for an id that no certificate has, or has no more.
_NOTHING_TO_REMOVE = "no credentials found to be removed"


class Uncertain(ServiceUnavailable):
    """No answer came, or one that does not say whether it was done."""


class Registration:
    """
    The registration of our application.

    Args:
        tokens: tokens of Microsoft Graph, whichever interface calendars are reached by.

    Raises:
        ConfigurationError: ``E-CERT-OBJECT-ID``, the configuration does not name it.
    """

    def __init__(self, transport: Transport, clock: Clock, tenant: TenantSettings, tokens: Tokens) -> None:
        if tenant.application_object_id is None:
            raise ConfigurationError(
                "E-CERT-OBJECT-ID",
                "The Object ID of the application is not configured.",
                why="an application is known by it, and not by its client id, where it changes its certificates.",
                do="copy the Object ID from App registrations > Overview into application_object_id under [tenant].",
                effect=_STAYS,
            )
        self._transport = transport
        self._clock = clock
        self._tokens = tokens
        self._object_id = tenant.application_object_id
        self._url = f"{tenant.graph}/v1.0/applications/{self._object_id}"

    async def add(self, added: Credential, signed_by: Credential) -> str:
        """
        Register a certificate beside those there are; the id that Entra ID gives it, or nothing if it tells none.

        Raises:
            Uncertain: it may have been done.
            ServiceUnavailable, RefusedError: it was not done.
        """
        der = added.certificate.public_bytes(Encoding.DER)
        credential = {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "key": base64.b64encode(der).decode(),
        }
        response = await self._post(
            "addKey", {"keyCredential": credential, "passwordCredential": None}, signed_by
        )
        return str(_content(response).get("keyId") or "")

    async def remove(self, key_id: str, signed_by: Credential) -> bool:
        """
        Take a certificate away; False if there is none of that id.

        Raises:
            Uncertain: it may have been done.
            ServiceUnavailable, RefusedError: it was not done.
        """
        try:
            await self._post("removeKey", {"keyId": key_id}, signed_by)
        except RefusedError as refusal:
            if _NOTHING_TO_REMOVE in refusal.why.lower():
                return False
            raise
        return True

    async def key_ids(self) -> Mapping[str, tuple[str, ...]] | None:
        """
        The ids of all registered certificates, by SHA-256 thumbprint; None if we may not see them.

        That takes a permission which we neither need nor ask for; some have it all the same.

        Raises:
            ServiceUnavailable, RefusedError: there is no token, or no answer.
        """
        response = await self._send("GET", f"{self._url}?$select=keyCredentials", b"")
        if response.status != 200:  # noqa: PLR2004 - HTTP
            return None
        found: dict[str, tuple[str, ...]] = {}
        for each in _content(response).get("keyCredentials") or ():
            if each.get("key"):
                thumbprint = hashlib.sha256(base64.b64decode(each["key"])).hexdigest().upper()
                found[thumbprint] = (*found.get(thumbprint, ()), str(each.get("keyId")))
        return found

    async def _post(self, action: str, content: Mapping[str, Any], signed_by: Credential) -> Response:
        signed = proof(signed_by, object_id=self._object_id, now=self._clock.now())
        body = msgspec.json.encode({**content, "proof": signed})
        response = await self._send("POST", f"{self._url}/{action}", body)
        if response.status in (200, 201, 204):
            return response
        raise _refused(response)

    async def _send(self, method: str, url: str, body: bytes) -> Response:
        token = await self._tokens.token()
        try:
            return await self._transport.request(
                method,
                url,
                headers={
                    "Authorization": f"Bearer {token}",
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                },
                body=body,
                timeout=TIMEOUT,
            )
        except NoAnswer as lost:
            kind = Uncertain if lost.sent else ServiceUnavailable
            raise _unavailable(kind, f"{lost.reason}.", "") from lost


def _refused(response: Response) -> ClassbellError:
    error = _content(response).get("error")
    told = error if isinstance(error, dict) else {}
    code, message = str(told.get("code") or f"HTTP {response.status}"), str(told.get("message") or "")
    if response.status == 429:  # noqa: PLR2004 - HTTP
        pause = headers.retry_after(response.headers)
        wait = f" for {pause:.0f} s" if pause else ""
        return _unavailable(ServiceUnavailable, f"it asks us to wait{wait}.", code)
    if response.status >= 500 or not told:  # noqa: PLR2004 - HTTP
        return _unavailable(Uncertain, "it is in trouble, or something on the way is.", code)
    if code == "Authentication_MissingOrMalformed":
        return RefusedError(
            "E-CERT-PROOF",
            "Microsoft does not take our proof of having a registered key.",
            why="application_object_id is that of another application, the certificate that signed is registered no"
            " more, or the clocks differ.",
            do="compare application_object_id with App registrations > Overview > Object ID; then: classbell doctor",
            effect=_STAYS,
            origin=code,
        )
    if any(word in code for word in _POLICY):
        return RefusedError(
            "E-CERT-POLICY",
            "A policy of the tenant does not allow this certificate.",
            why=f'Microsoft says: "{message}"',
            do="ask for a shorter life with --days, or have the institution's certificate authority sign one:"
            " classbell cert new --csr",
            effect=_STAYS,
            origin=code,
        )
    return RefusedError(
        "E-CERT-CHANGE",
        "Microsoft does not let the application change its certificates.",
        why=f'it says: "{message}"' if message else "it does not say why.",
        do="compare application_object_id with App registrations > Overview > Object ID.",
        effect=_STAYS,
        origin=code,
    )


def _unavailable(kind: type[ServiceUnavailable], why: str, origin: str) -> ServiceUnavailable:
    return kind(
        "E-CERT-LATER",
        "Microsoft Graph cannot change the application's certificates at the moment.",
        why=why,
        do="run the command again later; it goes on where it stopped.",
        effect=_STAYS,
        origin=origin,
    )


def _content(response: Response) -> dict[str, Any]:
    try:
        content = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return content if isinstance(content, dict) else {}
