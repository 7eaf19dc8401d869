"""
The Entra half: the token endpoints v2.0 and v1 for client credentials, and who is who.

Source: Entra pages "OAuth 2.0 client credentials flow" and "Scopes and permissions in the Microsoft identity
platform".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from classbell.sandbox import aadsts, discovery
from classbell.sandbox.aadsts import EntraRefusal
from classbell.sandbox.access import Tokens
from classbell.sandbox.app import App
from classbell.sandbox.assertions import Authentication
from classbell.sandbox.surroundings import Commons
from classbell.sandbox.tenant import GRAPH, GRAPH_APP_ID, HERE, OTHER_RESOURCES, Tenant, is_guid
from classbell.sandbox.token_pace import TokenPace

# From this life on, in seconds, an answer says when to renew a token before its end.
LONG_LIFE = 7200

_SHARED_TENANTS = frozenset({"common", "consumers", "organizations"})
_NO_TENANT = "00000000-0000-0000-0000-000000000000"
_DOMAIN_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")


class Entra:
    """The tenants' common front door."""

    def __init__(self, commons: Commons, tenants: Mapping[str, Tenant], tokens: Tokens) -> None:
        self._commons = commons
        self._tenants = tenants
        self._tokens = tokens
        self._pace = TokenPace()

    def tenant(self, name: str) -> Tenant:
        """
        The tenant of a GUID or verified domain.

        Raises:
            EntraRefusal: there is none, or it cannot be a tenant's name.
        """
        found = self.known(name)
        if found is not None:
            return found
        if name == _NO_TENANT:
            raise aadsts.tenant_not_valid()
        if is_guid(name) or ("." in name.strip(".") and not set(name) - _DOMAIN_SIGNS):
            raise aadsts.tenant_not_found(name)
        raise aadsts.tenant_no_name(name)

    def known(self, name: str) -> Tenant | None:
        """The tenant of a GUID or verified domain, or None."""
        return next((tenant for tenant in self._tenants.values() if tenant.is_called(name)), None)

    def home(self, name: str, client_id: str) -> Tenant:
        """
        The tenant of a name, or where that is one of all tenants, the one that has the application.

        Raises:
            EntraRefusal: there is none.
        """
        if name.casefold() not in _SHARED_TENANTS:
            return self.tenant(name)
        for tenant in self._tenants.values():
            if client_id.casefold() in tenant.apps:
                return tenant
        raise aadsts.app_not_found(client_id, name)

    def metadata(self, name: str, base: str, *, legacy: bool = False) -> dict[str, Any]:
        """
        The OpenID Connect metadata of a tenant or of what all tenants share.

        Raises:
            EntraRefusal: there is no such tenant.
        """
        shared = name.casefold() in _SHARED_TENANTS
        return discovery.metadata(None if shared else self.tenant(name), name, base, legacy=legacy)

    def token(self, name: str, form: Mapping[str, str], base: str, *, legacy: bool = False) -> dict[str, Any]:
        """
        Answer a token request of the client-credentials flow.

        Args:
            name: the tenant as it stands in the path.
            form: the fields of the request.
            base: scheme and host asked.
            legacy: at the v1 endpoint.

        Raises:
            EntraRefusal: with the AADSTS code that the service would give.
        """
        if not form.get("grant_type"):
            raise self._missing("grant_type")
        if form["grant_type"] != "client_credentials":
            raise aadsts.grant_not_supported(form["grant_type"])
        if name.casefold() in _SHARED_TENANTS:
            raise self._shared(name, form.get("client_id", ""))
        tenant = self.tenant(name)
        if tenant.cloud != HERE:
            raise aadsts.other_cloud(self._commons.switches.other_cloud_code, name, tenant.cloud, HERE)
        app = self._app(tenant, name, form.get("client_id", ""))
        self._pace.count(app.client_id, self._commons.clock.now(), self._commons.switches.sign_in_limit)
        audience = self._of_resource(tenant, form, base) if legacy else self._of_scope(tenant, form, base)
        proved = Authentication(self._commons, tenant, app, base).check(form)
        if app.blocked_by is not None:
            raise aadsts.blocked_by_policy(app.blocked_by)
        token, begin, life = self._tokens.issue(tenant, app, audience, proved)
        return _told_v1(token, audience, begin, life) if legacy else _told(token, life)

    def _shared(self, name: str, client_id: str) -> EntraRefusal:
        if self._commons.switches.shared_endpoint_code == 9001023:  # noqa: PLR2004 - an AADSTS number
            return aadsts.shared_tenant()
        app = self._app(self.home(name, client_id), name, client_id)
        return aadsts.single_tenant(app.client_id, app.name)

    def _app(self, tenant: Tenant, name: str, client_id: str) -> App:
        if not client_id:
            raise self._missing("client_id")
        app = tenant.apps.get(client_id.casefold())
        if app is None or not app.installed:
            raise aadsts.app_not_found(client_id, name)
        if not app.enabled:
            raise aadsts.app_disabled(app.client_id, app.name)
        return app

    def _of_scope(self, tenant: Tenant, form: Mapping[str, str], base: str) -> str:
        if "resource" in form:
            raise aadsts.resource_parameter()
        scope = form.get("scope", "")
        if not scope.strip():
            raise self._missing("scope")
        scopes = scope.split()
        if any(not each.endswith("/.default") for each in scopes):
            raise aadsts.scope_not_default(scope, self._commons.switches.scope_refusal)
        if len(scopes) > 1:
            raise aadsts.several_resources(self._commons.switches.several_resources_error)
        return _audience(tenant, scopes[0].removesuffix("/.default"), base)

    def _of_resource(self, tenant: Tenant, form: Mapping[str, str], base: str) -> str:
        if not form.get("resource"):
            raise self._missing("resource")
        return _audience(tenant, form["resource"], base)

    def _missing(self, name: str) -> EntraRefusal:
        return aadsts.parameter_missing(name, self._commons.switches.missing_parameter_code)

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
            **refusal.further,
        }


def _audience(tenant: Tenant, resource: str, base: str) -> str:
    """What a token for a resource names as its audience: a slash at the end is kept."""
    bare = resource.rstrip("/")
    if bare == base:
        return GRAPH
    if bare in {GRAPH, GRAPH_APP_ID} or bare in OTHER_RESOURCES:
        return resource
    raise aadsts.resource_not_found(resource, tenant.tenant_id)


def _told(token: str, life: int) -> dict[str, Any]:
    told = {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life}
    if life >= LONG_LIFE:
        told["refresh_in"] = life // 2
    return told | {"access_token": token}


def _told_v1(token: str, audience: str, begin: int, life: int) -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "expires_in": str(life),
        "ext_expires_in": str(life),
        "expires_on": str(begin + life),
        "not_before": str(begin),
        "resource": audience,
        "access_token": token,
    }
