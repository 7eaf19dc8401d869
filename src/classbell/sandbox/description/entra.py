"""
Entra ID: token endpoints, metadata, keys, instance discovery, admin consent.

Source: Entra pages "OAuth 2.0 client credentials flow", "OpenID Connect on the Microsoft identity platform" and "Admin
consent on the Microsoft identity platform".
"""

from typing import Any

from classbell.sandbox.description.operations import HTML, PLAIN, Answer, Operation, in_path, query
from classbell.sandbox.description.shapes import HTTPS_URL, NUMBER_AS_TEXT
from classbell.sandbox.description.terms import (
    FLAG,
    TEXT,
    Schema,
    choice,
    closed,
    const,
    listed,
    matching,
    maybe,
    opened,
    ref,
)

FORM = "application/x-www-form-urlencoded"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

PATH_PARAMETERS: dict[str, dict[str, Any]] = {
    "tenant": in_path(
        "tenant",
        "GUID or verified domain; for what all tenants share, `common` or `organizations`.",
        {"type": "string", "minLength": 1},
    )
}

_TOKEN = matching(r"[\w-]+\.[\w-]+\.[\w-]+")
_SECONDS: Schema = {"type": "integer", "minimum": 1}
_TEXTS = listed(TEXT, minItems=1)
_METADATA: dict[str, Schema] = {
    "token_endpoint": HTTPS_URL,
    "token_endpoint_auth_methods_supported": _TEXTS,
    "jwks_uri": HTTPS_URL,
    "response_modes_supported": _TEXTS,
    "subject_types_supported": listed(const("pairwise"), minItems=1),
    "id_token_signing_alg_values_supported": listed(const("RS256"), minItems=1),
    "response_types_supported": _TEXTS,
    "scopes_supported": _TEXTS,
    "issuer": HTTPS_URL,
    "request_uri_parameter_supported": FLAG,
    "userinfo_endpoint": HTTPS_URL,
    "authorization_endpoint": HTTPS_URL,
    "device_authorization_endpoint": HTTPS_URL,
    "http_logout_supported": FLAG,
    "frontchannel_logout_supported": FLAG,
    "end_session_endpoint": HTTPS_URL,
    "tenant_region_scope": maybe(TEXT),
    "cloud_instance_name": TEXT,
    "cloud_graph_host_name": TEXT,
    "msgraph_host": TEXT,
}
_ASKED: dict[str, Schema] = {
    "grant_type": const("client_credentials"),
    "client_id": TEXT,
    "client_assertion_type": const(_ASSERTION_TYPE),
    "client_assertion": {"type": "string", "description": "A JWT signed with a registered certificate."},
    "client_secret": TEXT,
}

SCHEMAS: dict[str, Schema] = {
    "tokenRequest": opened({**_ASKED, "scope": TEXT}, ["grant_type", "client_id", "scope"]),
    "tokenRequestV1": opened({**_ASKED, "resource": TEXT}, ["grant_type", "client_id", "resource"]),
    "token": closed(
        {
            "token_type": const("Bearer"),
            "expires_in": _SECONDS,
            "ext_expires_in": _SECONDS,
            "access_token": _TOKEN,
        },
        {"refresh_in": _SECONDS},
    ),
    "tokenV1": closed(
        {
            "token_type": const("Bearer"),
            "expires_in": NUMBER_AS_TEXT,
            "ext_expires_in": NUMBER_AS_TEXT,
            "expires_on": NUMBER_AS_TEXT,
            "not_before": NUMBER_AS_TEXT,
            "resource": TEXT,
            "access_token": _TOKEN,
        }
    ),
    "metadata": closed(_METADATA),
    "keys": closed(
        {
            "keys": listed(
                closed(
                    {"kty": const("RSA"), "use": const("sig"), "kid": TEXT, "x5t": TEXT, "n": TEXT, "e": TEXT}
                ),
                minItems=1,
            )
        }
    ),
    "instance": closed(
        {"tenant_discovery_endpoint": HTTPS_URL},
        {
            "api-version": const("1.1"),
            "metadata": listed(
                closed(
                    {"preferred_network": TEXT, "preferred_cache": TEXT, "aliases": listed(TEXT, minItems=1)}
                ),
                minItems=1,
            ),
        },
    ),
    "decision": opened({"decision": choice("accept", "cancel")}),
}

_OTHERWISE = Answer("What a scripted fault makes of the answer.", ref("tokenError"))
_BAD = Answer("The request is wrong.", ref("tokenError"))
_UNPROVED = Answer("The application does not prove who it is.", ref("tokenError"))
_TOO_MANY = Answer(
    "Too many requests; a line of text by the switch `sign_in_throttle_body`.",
    ref("tokenError"),
    beside={PLAIN: TEXT},
)
_PAGE = Answer("A page for a person.", {"type": "string", "pattern": "^<!DOCTYPE html>"}, HTML)


def _token(kind: str, asked: str) -> Operation:
    return Operation(
        "Get an access token by client credentials.",
        {200: Answer("A token.", ref(kind)), 400: _BAD, 401: _UNPROVED, 429: _TOO_MANY},
        (),
        {FORM: ref(asked)},
        otherwise=_OTHERWISE,
        tag="Entra",
        open_to_all=True,
    )


def _look(summary: str, answer: str, *parameters: dict[str, Any], bad: bool = True) -> Operation:
    answers = {200: Answer("As asked.", ref(answer))} | ({400: _BAD} if bad else {})
    return Operation(summary, answers, parameters, otherwise=_OTHERWISE, tag="Entra", open_to_all=True)


_WISH = (
    query("client_id", "The application.", TEXT, required=True),
    query("redirect_uri", "Where to go afterwards; a registered one.", TEXT),
    query("state", "Comes back as it is.", TEXT),
    query("scope", "At the v2.0 endpoint the resource with `/.default`.", TEXT),
)


def _consent(method: str) -> Operation:
    posted = method == "post"
    answers = {200: _PAGE, 400: _PAGE}
    if posted:
        answers[302] = Answer("Back to the application.", headers={"Location": TEXT})
    return Operation(
        "Grant what the registration asks for, or do not." if posted else "Ask a person for consent.",
        answers,
        _WISH,
        {FORM: ref("decision")} if posted else {},
        tag="Entra",
        open_to_all=True,
    )


def paths() -> dict[str, dict[str, Operation]]:
    """All paths with their operations by method."""
    metadata = {"get": _look("Metadata of OpenID Connect.", "metadata")}
    keys = {"get": _look("The keys that sign tokens.", "keys", bad=False)}
    consent = {method: _consent(method) for method in ("get", "post")}
    return {
        "/{tenant}/oauth2/v2.0/token": {"post": _token("token", "tokenRequest")},
        "/{tenant}/oauth2/token": {"post": _token("tokenV1", "tokenRequestV1")},
        "/{tenant}/v2.0/.well-known/openid-configuration": metadata,
        "/{tenant}/.well-known/openid-configuration": metadata,
        "/{tenant}/discovery/v2.0/keys": keys,
        "/{tenant}/discovery/keys": keys,
        "/{tenant}/discovery/instance": {
            "get": _look(
                "Whether a host is a sign-in service.",
                "instance",
                query("authorization_endpoint", "The endpoint in question.", TEXT, required=True),
                query("api-version", "1.1 also tells the hosts that are one.", choice("1.0", "1.1")),
            )
        },
        "/{tenant}/adminconsent": consent,
        "/{tenant}/v2.0/adminconsent": consent,
    }
