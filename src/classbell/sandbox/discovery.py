"""
What clients look up before they sign in: metadata of tenants, and of the cloud.

Source: Entra page "OpenID Connect on the Microsoft identity platform"; the shape of instance discovery is in the
sources of MSAL.
"""

from typing import Any
from urllib.parse import urlsplit

from classbell.sandbox import aadsts
from classbell.sandbox.tenant import GRAPH, HERE, Tenant

# The sign-in services of the clouds; a client may ask for these at any of them.
_KNOWN_HOSTS = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
        "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
        "login.microsoftonline.us",
        "login-us.microsoftonline.com",
        "login.usgovcloudapi.net",
    }
)
_AUTHENTICATION = ["client_secret_post", "private_key_jwt", "client_secret_basic"]


def metadata(tenant: Tenant | None, name: str, base: str, *, legacy: bool) -> dict[str, Any]:
    """
    The OpenID Connect metadata of a tenant, with its canonical id and the host asked.

    Args:
        tenant: None for what all tenants share.
        name: such as ``common``, where there is no tenant.
        base: scheme and host asked.
        legacy: of the v1 endpoints.
    """
    root = f"{base}/{tenant.tenant_id if tenant else name}"
    mine = f"{root}/oauth2" if legacy else f"{root}/oauth2/v2.0"
    issued_for = tenant.tenant_id if tenant else "{tenantid}"
    return {
        "token_endpoint": f"{mine}/token",
        "token_endpoint_auth_methods_supported": _AUTHENTICATION,
        "jwks_uri": f"{base}/common/discovery/keys" if legacy else f"{root}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid"] if legacy else ["openid", "profile", "email", "offline_access"],
        "issuer": f"https://sts.windows.net/{issued_for}/" if legacy else f"{base}/{issued_for}/v2.0",
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"{root}/openid/userinfo" if legacy else f"{GRAPH}/oidc/userinfo",
        "authorization_endpoint": f"{mine}/authorize",
        "device_authorization_endpoint": f"{mine}/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{mine}/logout",
        "tenant_region_scope": "EU" if tenant else None,
        "cloud_instance_name": tenant.cloud if tenant else HERE,
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
    }


def instance(query: dict[str, str], base: str) -> dict[str, Any]:
    """
    Whether a host is a sign-in service, and where its metadata are: always here, never in the real cloud.

    Raises:
        EntraRefusal: it is none, or none is named.
    """
    endpoint = urlsplit(query.get("authorization_endpoint", ""))
    parts = endpoint.path.strip("/").split("/")
    if endpoint.scheme != "https" or not endpoint.hostname or not parts[0]:
        raise aadsts.discovery_malformed()
    here = urlsplit(base).hostname
    if endpoint.hostname not in _KNOWN_HOSTS | {here}:
        raise aadsts.instance_unknown()
    version = "/v2.0" if "v2.0" in parts else ""
    told: dict[str, Any] = {
        "tenant_discovery_endpoint": f"{base}/{parts[0]}{version}/.well-known/openid-configuration"
    }
    if query.get("api-version", "1.0") != "1.0":
        entry = {"preferred_network": here, "preferred_cache": here, "aliases": [here]}
        told |= {"api-version": "1.1", "metadata": [entry]}
    return told
