"""
The Entra half: the token endpoint v2.0 for client credentials with a certificate, metadata and keys.

Source: Entra pages "OAuth 2.0 client credentials flow", "Application authentication certificate credentials"
and "OpenID Connect on the Microsoft identity platform".
"""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from classbell.sandbox import aadsts
from classbell.sandbox.aadsts import EntraRefusal
from classbell.sandbox.access import Tokens
from classbell.sandbox.surroundings import Commons
from classbell.sandbox.tenant import GRAPH, OTHER_RESOURCES, App, KeyCredential, Tenant, is_guid

# Not documented; five minutes is what other Microsoft components allow.
SKEW = 300
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_SHARED_TENANTS = frozenset({"common", "consumers", "organizations"})
_NO_TENANT = "00000000-0000-0000-0000-000000000000"


class Entra:
    """The tenants' common front door."""

    def __init__(self, commons: Commons, tenants: Mapping[str, Tenant], tokens: Tokens) -> None:
        self._commons = commons
        self._tenants = tenants
        self._tokens = tokens

    def tenant(self, name: str) -> Tenant:
        """
        The tenant of a GUID or verified domain.

        Raises:
            EntraRefusal: there is none, or it cannot be a tenant's name.
        """
        for tenant in self._tenants.values():
            if tenant.is_called(name):
                return tenant
        if name == _NO_TENANT:
            raise aadsts.tenant_not_valid()
        if is_guid(name) or ("." in name.strip(".") and not set(name) - _DOMAIN_SIGNS):
            raise aadsts.tenant_not_found(name)
        raise aadsts.tenant_no_name(name)

    def metadata(self, name: str, base: str) -> dict[str, Any]:
        """The OpenID Connect metadata of a tenant, with its canonical id and the host asked."""
        tenant_id = self.tenant(name).tenant_id
        root = f"{base}/{tenant_id}"
        return {
            "token_endpoint": f"{root}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": [
                "client_secret_post",
                "private_key_jwt",
                "client_secret_basic",
            ],
            "jwks_uri": f"{root}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{root}/v2.0",
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": f"{GRAPH}/oidc/userinfo",
            "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
            "http_logout_supported": True,
            "frontchannel_logout_supported": True,
            "end_session_endpoint": f"{root}/oauth2/v2.0/logout",
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
        }

    def token(self, name: str, form: Mapping[str, str], base: str) -> tuple[Tenant, App, dict[str, Any]]:
        """
        Answer a token request of the client-credentials flow.

        Args:
            name: the tenant as it stands in the path.
            form: the fields of the request.
            base: scheme and host asked.

        Raises:
            EntraRefusal: with the AADSTS code that the service would give.
        """
        if not form.get("grant_type"):
            raise aadsts.parameter_missing("grant_type")
        if form["grant_type"] != "client_credentials":
            raise aadsts.grant_not_supported(form["grant_type"])
        if name.casefold() in _SHARED_TENANTS:
            raise aadsts.shared_tenant()
        tenant = self.tenant(name)
        app = self._app(tenant, name, form.get("client_id", ""))
        audience = self._audience(tenant, form.get("scope", ""), base)
        self._authenticate(tenant, app, form, base)
        token, life = self._tokens.issue(tenant, app, audience)
        answer = {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}
        return tenant, app, answer

    def _app(self, tenant: Tenant, name: str, client_id: str) -> App:
        if not client_id:
            raise aadsts.parameter_missing("client_id")
        app = tenant.apps.get(client_id.casefold())
        if app is None:
            raise aadsts.app_not_found(client_id, name)
        return app

    def _audience(self, tenant: Tenant, scope: str, base: str) -> str:
        if not scope.strip():
            raise aadsts.parameter_missing("scope")
        scopes = scope.split()
        if any(not each.endswith("/.default") for each in scopes):
            raise aadsts.scope_not_default(scope)
        if len(scopes) > 1:
            raise aadsts.several_resources()
        resource = scopes[0].removesuffix("/.default")
        if resource in (GRAPH, base):
            return GRAPH
        if resource.rstrip("/") in OTHER_RESOURCES:
            return resource
        raise aadsts.resource_not_found(resource, tenant.tenant_id)

    def _authenticate(self, tenant: Tenant, app: App, form: Mapping[str, str], base: str) -> None:
        assertion = form.get("client_assertion", "")
        if not assertion:
            if form.get("client_secret"):
                raise aadsts.secret_wrong(app.client_id)
            raise aadsts.credential_missing()
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise aadsts.parameter_missing("client_assertion_type")
        header, claims = _opened(assertion)
        self._check_claims(tenant, app, claims, base)
        credential = self._credential(app, header)
        self._check_signature(assertion, header, credential, app)
        self._check_times(claims)

    def _check_claims(self, tenant: Tenant, app: App, claims: dict[str, Any], base: str) -> None:
        issuer, subject, audience = claims.get("iss"), claims.get("sub"), claims.get("aud")
        if not isinstance(audience, str) or not isinstance(issuer, str):
            raise aadsts.assertion_malformed()
        if subject != issuer:
            raise aadsts.subject_not_issuer()
        if issuer.casefold() != app.client_id:
            raise aadsts.issuer_not_client()
        names = (tenant.tenant_id, tenant.domain.casefold())
        good = {f"{base}/{name}/oauth2/{version}token" for name in names for version in ("v2.0/", "")}
        if self._commons.switches.issuer_audience:
            good |= {f"{base}/{name}/v2.0" for name in names}
        if audience.casefold() not in {url.casefold() for url in good}:
            raise aadsts.audience_wrong()

    def _credential(self, app: App, header: dict[str, Any]) -> KeyCredential:
        prints = _thumbprints(header)
        now = self._commons.clock.now()
        for credential in app.credentials:
            if credential.known_from <= now and not prints.isdisjoint((credential.sha1, credential.sha256)):
                return credential
        raise aadsts.key_not_found(app.client_id, _named(header))

    def _check_signature(
        self, assertion: str, header: dict[str, Any], credential: KeyCredential, app: App
    ) -> None:
        if not isinstance(credential.key, RSAPublicKey):
            raise aadsts.key_not_supported()
        if header.get("alg") not in {"RS256", "PS256"}:
            raise aadsts.algorithm_not_supported(str(header.get("alg")))
        now = self._commons.clock.now()
        start, end = credential.start.timestamp(), credential.end.timestamp()
        if not start <= now <= end:
            raise aadsts.key_expired(app.client_id, _named(header), credential.start, credential.end)
        try:
            jwt.PyJWS().decode(assertion, credential.key, algorithms=["RS256", "PS256"])
        except jwt.PyJWTError:
            raise aadsts.signature_wrong(
                app.client_id, _named(header), credential.start, credential.end
            ) from None

    def _check_times(self, claims: dict[str, Any]) -> None:
        begin, end = claims.get("nbf", 0), claims.get("exp")
        # MSAL sends floats, others integers.
        if not isinstance(begin, (int, float)) or not isinstance(end, (int, float)):
            raise aadsts.assertion_malformed()
        now = self._commons.clock.now()
        if not begin - SKEW <= now <= end + SKEW:
            raise aadsts.assertion_out_of_time(now, begin, end)

    def refused(self, refusal: EntraRefusal, correlation: str) -> dict[str, Any]:
        """The error of the token endpoint in its exact shape."""
        stamp = datetime.fromtimestamp(int(self._commons.clock.now()), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        trace = str(self._commons.new_guid())
        correlation = correlation or str(self._commons.new_guid())
        description = (
            f"AADSTS{refusal.code}: {refusal.text} Trace ID: {trace} Correlation ID: {correlation} "
            f"Timestamp: {stamp}"
        )
        return {
            "error": refusal.error,
            "error_description": description,
            "error_codes": [refusal.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={refusal.code}",
        }


_DOMAIN_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")


def _opened(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, not yet verified."""
    parts = assertion.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        raise aadsts.assertion_malformed()
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(_padded(part))) for part in parts[:2])
    except (ValueError, binascii.Error):
        raise aadsts.assertion_malformed() from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise aadsts.assertion_malformed()
    return header, claims


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


def _named(header: dict[str, Any]) -> str:
    """The thumbprint as the error names it."""
    return _hex(header.get("x5t")) or _hex(header.get("x5t#S256"))
