"""
Registrations of applications, as Graph shows them: only what an application needs to renew its own certificates.

Source: Graph pages "Get application", "Update application", "application: addKey", "application: removeKey" and
"keyCredential resource type".
"""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from cryptography import x509

from classbell.sandbox import proof
from classbell.sandbox.access import Access
from classbell.sandbox.app import ROLE_IDS, App
from classbell.sandbox.credentials import KeyCredential
from classbell.sandbox.exchange import VERSION, Reply, Request
from classbell.sandbox.refusals import (
    Refusal,
    bad_request,
    directory_denied,
    directory_not_found,
    not_reproduced,
    segment_unknown,
)
from classbell.sandbox.surroundings import Commons
from classbell.sandbox.tenant import GRAPH_APP_ID, Tenant

_WRITING = frozenset(
    {"Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Directory.ReadWrite.All"}
)
_READING = _WRITING | {"Application.Read.All", "Directory.Read.All"}
# What an application may only do to itself and to what it owns.
_ONLY_OWN = frozenset({"Application.ReadWrite.OwnedBy"})

_BY_CLIENT_ID = re.compile(r"applications\(appId='([^']*)'\)\Z", re.IGNORECASE)
_PROPERTY = re.compile(r"[A-Za-z]\w*", re.ASCII)
_BAD_KEYS = "Invalid value specified for property 'keyCredentials' of resource 'Application'."


def concerns(segments: Sequence[str]) -> bool:
    """Whether a path leads to registrations."""
    return bool(segments) and segments[0].casefold().partition("(")[0] == "applications"


def answer(request: Request, access: Access, segments: Sequence[str], commons: Commons) -> Reply:
    """
    Do what is asked of a registration.

    Raises:
        Refusal: it cannot be done.
    """
    by_client_id = _BY_CLIENT_ID.match(segments[0])
    rest = list(segments[1:])
    if by_client_id:
        name, client_id = by_client_id[1], True
    elif rest:
        name, client_id = rest.pop(0), False
    else:
        raise not_reproduced("the list of applications")
    asked = _Asked(request, access, commons, name, client_id=client_id)
    match (request.method, [segment.removeprefix("microsoft.graph.") for segment in rest]):
        case ("GET", []):
            return asked.show()
        case ("PATCH", []):
            return asked.update()
        case ("POST", ["addKey"]):
            return asked.add_key()
        case ("POST", ["removeKey"]):
            return asked.remove_key()
        case (_, []):
            raise not_reproduced(f"{request.method} of an application")
        case (_, [segment, *_]):
            raise segment_unknown(segment)
    raise AssertionError  # the patterns above leave nothing out


class _Asked:
    """One request about one registration."""

    def __init__(
        self, request: Request, access: Access, commons: Commons, name: str, *, client_id: bool
    ) -> None:
        self._request = request
        self._access = access
        self._commons = commons
        self._name = name
        apps = access.tenant.apps
        self._found: App | None
        if client_id:
            self._found = apps.get(name.casefold())
        else:
            self._found = next((app for app in apps.values() if app.object_id == name.casefold()), None)

    def show(self) -> Reply:
        app = self._app(_READING)
        query = parse_qs(self._request.query)
        wanted = [
            name.strip() for part in query.get("$select", []) for name in part.split(",") if name.strip()
        ]
        for name in wanted:
            if not _PROPERTY.fullmatch(name):
                raise bad_request(
                    f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type "
                    "'microsoft.graph.application'."
                )
        told = _described(app, self._access.tenant, whole="keyCredentials" in wanted)
        if wanted:
            told = {name: value for name, value in told.items() if name in {*wanted, "id"}}
        select = f"({','.join(wanted)})" if wanted else ""
        context = f"{self._request.base}/{VERSION}/$metadata#applications{select}/$entity"
        return Reply(200, {"@odata.context": context, **told})

    def update(self) -> Reply:
        app = self._app(_WRITING)
        body = self._body()
        for name in body:
            if name not in {"keyCredentials", "displayName"}:
                raise not_reproduced(f"a change of an application's {name}")
        if "keyCredentials" in body:
            if not isinstance(body["keyCredentials"], list):
                raise _request_refused(_BAD_KEYS)
            # All are read before any is taken, so that a bad one changes nothing.
            app.credentials[:] = [self._key(app, told) for told in body["keyCredentials"]]
        if isinstance(body.get("displayName"), str):
            app.name = body["displayName"]
        return Reply(204)

    def add_key(self) -> Reply:
        app = self._app(_WRITING, itself=True)
        body = self._body()
        proof.check(body.get("proof"), app, self._commons)
        told = body.get("keyCredential")
        if not isinstance(told, dict):
            raise _request_refused(_BAD_KEYS)
        if told.get("type") == "X509CertAndPassword":
            raise not_reproduced("certificates with a password")
        added = self._key(app, {**told, "keyId": None})
        app.credentials.append(added)
        context = f"{self._request.base}/{VERSION}/$metadata#microsoft.graph.keyCredential"
        return Reply(200, {"@odata.context": context, **added.described(whole=False)})

    def remove_key(self) -> Reply:
        app = self._app(_WRITING, itself=True)
        body = self._body()
        proof.check(body.get("proof"), app, self._commons)
        left = [known for known in app.credentials if known.key_id != body.get("keyId")]
        if len(left) == len(app.credentials):
            raise _request_refused("No credentials found to be removed.")
        app.credentials[:] = left
        return Reply(204)

    def _app(self, permissions: frozenset[str], *, itself: bool = False) -> App:
        """The registration, if the application may do this to it; *itself*: to its own without permission."""
        mine = self._found is self._access.app
        held = permissions & self._access.roles
        if not (mine and itself) and not (held if mine else held - _ONLY_OWN):
            raise directory_denied()
        if self._found is None:
            raise directory_not_found(self._name)
        return self._found

    def _body(self) -> dict[str, Any]:
        if not isinstance(self._request.body, dict):
            raise bad_request("Empty Payload. JSON content expected.")
        return self._request.body

    def _key(self, app: App, told: Any) -> KeyCredential:
        if not isinstance(told, dict):
            raise _request_refused(_BAD_KEYS)
        known = next((each for each in app.credentials if each.key_id == told.get("keyId")), None)
        if told.get("key") is None:
            if known is not None and self._commons.switches.null_keys_kept:
                return known
            raise _request_refused(_BAD_KEYS)
        if (told.get("type"), told.get("usage")) != ("AsymmetricX509Cert", "Verify"):
            raise _request_refused(_BAD_KEYS)
        certificate = _certificate(told["key"])
        der = base64.b64decode(told["key"])
        # Sent again it is the same credential, long known to the token endpoint.
        same = next((each for each in app.credentials if each.der == der), known)
        if same is not None and same.der == der:
            return same
        name, end = told.get("displayName"), _moment(told.get("endDateTime"))
        self._check_end(certificate, end)
        return app.new_key(certificate, name=name if isinstance(name, str) else None, end=end)

    def _check_end(self, certificate: x509.Certificate, end: datetime | None) -> None:
        if end is not None and end > certificate.not_valid_after_utc:
            raise Refusal(400, "KeyCredentialsInvalidEndDate", "Key credential end date is invalid.")
        longest = self._access.tenant.longest_key_life
        last = end or certificate.not_valid_after_utc
        if longest is not None and last - certificate.not_valid_before_utc > longest:
            raise Refusal(
                400,
                "CredentialInvalidLifetimeAsPerAppPolicy",
                "Credential lifetime exceeds the max value allowed as per assigned policy.",
            )


def _described(app: App, tenant: Tenant, *, whole: bool) -> dict[str, Any]:
    asked_for = [{"id": ROLE_IDS[name], "type": "Role"} for name in sorted(app.required)]
    return {
        "id": app.object_id,
        "appId": app.client_id,
        "displayName": app.name,
        "publisherDomain": tenant.domain,
        "signInAudience": "AzureADMyOrg",
        "isFallbackPublicClient": app.public or None,
        "keyCredentials": [known.described(whole=whole) for known in app.credentials],
        "passwordCredentials": [],
        "requiredResourceAccess": (
            [{"resourceAppId": GRAPH_APP_ID, "resourceAccess": asked_for}] if asked_for else []
        ),
        "web": {"redirectUris": list(app.redirect_uris)},
    }


def _certificate(text: Any) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    except (ValueError, TypeError, binascii.Error):
        raise _request_refused(_BAD_KEYS) from None


def _moment(text: Any) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise _request_refused(_BAD_KEYS) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _request_refused(message: str) -> Refusal:
    return Refusal(400, "Request_BadRequest", message)
