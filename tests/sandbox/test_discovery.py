"""What clients look up before they sign in, and the v1 endpoints."""

from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from tests.sandbox.client import Answer, Client, World
from tests.sandbox.test_tokens import decoded, refused

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def ask_v1(world: World, **fields: str | None) -> Answer:
    """A request to the v1 token endpoint as it should be, but for what is given."""
    form = {
        "grant_type": "client_credentials",
        "client_id": world.app.client_id,
        "resource": "https://graph.microsoft.com",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": world.assertion(),
    } | fields
    sent = urlencode({name: value for name, value in form.items() if value is not None})
    return world.wire.send("POST", f"/{world.tenant.tenant_id}/oauth2/token", sent.encode(), FORM)


def look_up(world: World, version: str, endpoint: str | None) -> Answer:
    query = {"api-version": version} | ({} if endpoint is None else {"authorization_endpoint": endpoint})
    return world.wire.send("GET", f"/common/discovery/instance?{urlencode(query)}")


def test_the_v1_endpoint_tells_its_numbers_as_text_and_names_the_resource(world: World) -> None:
    told = ask_v1(world).body
    assert set(told) == {
        "token_type", "expires_in", "ext_expires_in", "expires_on", "not_before", "resource", "access_token",
    }  # fmt: skip
    assert told["resource"] == "https://graph.microsoft.com"
    claims = decoded(Answer(200, {}, told))
    assert told["not_before"] == str(claims["nbf"])
    assert int(told["expires_in"]) == claims["exp"] - claims["iat"] - 300
    assert Client(world.wire, told["access_token"]).get(world.events).status == 200


@pytest.mark.parametrize(
    "resource",
    [
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/",
        "00000003-0000-0000-c000-000000000000",
    ],
)
def test_graph_takes_tokens_for_each_of_its_names(world: World, resource: str) -> None:
    answer = ask_v1(world, resource=resource)
    claims = decoded(answer)
    assert (claims["aud"], claims["roles"]) == (resource, ["Calendars.ReadWrite"])
    assert Client(world.wire, answer.body["access_token"]).get(world.events).status == 200


def test_a_slash_at_the_end_of_a_resource_is_kept_in_the_audience(world: World) -> None:
    answer = world.ask_token(scope="https://graph.microsoft.com//.default")
    assert decoded(answer)["aud"] == "https://graph.microsoft.com/"


def test_the_sandboxs_own_address_is_graph_at_the_v1_endpoint_too(world: World) -> None:
    answer = ask_v1(world, resource=world.address.graph_url)
    assert decoded(answer)["aud"] == "https://graph.microsoft.com"


def test_an_unknown_resource_is_refused_at_the_v1_endpoint_as_well(world: World) -> None:
    answer = ask_v1(world, resource="https://graph.microsoft.us")
    refused(answer, 400, "invalid_resource", 500011)


def test_the_v1_endpoint_wants_a_resource_and_no_scope(world: World) -> None:
    answer = ask_v1(world, resource=None, scope="https://graph.microsoft.com/.default")
    assert refused(answer, 400, "invalid_request", 900144).endswith("parameter: 'resource'.")


def test_the_v2_endpoint_takes_no_resource(world: World) -> None:
    answer = world.ask_token(resource="https://graph.microsoft.com")
    refused(answer, 400, "invalid_request", 901002)


def test_the_assertion_is_checked_at_the_v1_endpoint_as_well(world: World) -> None:
    world.app.remove_certificate(world.app.credentials[0].sha1)
    refused(ask_v1(world), 401, "invalid_client", 700027)


@pytest.mark.parametrize("by", ["guid", "domain"])
def test_v1_metadata_name_the_v1_endpoints(world: World, by: str) -> None:
    name = world.tenant.tenant_id if by == "guid" else world.tenant.domain
    answer = world.wire.send("GET", f"/{name}/.well-known/openid-configuration")
    root = f"{world.address.login_url}/{world.tenant.tenant_id}"
    assert answer.body["token_endpoint"] == f"{root}/oauth2/token"
    assert answer.body["authorization_endpoint"] == f"{root}/oauth2/authorize"
    assert answer.body["issuer"] == f"https://sts.windows.net/{world.tenant.tenant_id}/"
    assert answer.body["jwks_uri"] == f"{world.address.login_url}/common/discovery/keys"


def test_v1_metadata_of_an_unknown_tenant_are_an_invalid_tenant(world: World) -> None:
    answer = world.wire.send("GET", "/nowhere.example.org/.well-known/openid-configuration")
    refused(answer, 400, "invalid_tenant", 90002)


def test_common_has_metadata_with_a_place_for_the_tenant(world: World) -> None:
    told = world.wire.send("GET", "/common/v2.0/.well-known/openid-configuration").body
    assert told["issuer"] == f"{world.address.login_url}/{{tenantid}}/v2.0"
    assert told["token_endpoint"] == f"{world.address.login_url}/common/oauth2/v2.0/token"


@pytest.mark.parametrize("version", ["", ".well-known", "v2.0/.well-known"])
def test_metadata_lead_to_keys_that_tokens_are_signed_with(world: World, version: str) -> None:
    path = f"/{world.tenant.domain}/{version}/openid-configuration"
    uri = (
        world.wire.send("GET", path).body["jwks_uri"]
        if version
        else f"{world.address.login_url}/{world.tenant.tenant_id}/discovery/keys"
    )
    keys = world.wire.send("GET", uri.removeprefix(world.address.login_url)).body["keys"]
    token = world.ask_token().body["access_token"]
    key = next(jwt.PyJWK(key) for key in keys if key["kid"] == jwt.get_unverified_header(token)["kid"])
    options: Any = {"verify_exp": False, "verify_aud": False, "verify_nbf": False, "verify_iat": False}
    assert jwt.decode(token, key, algorithms=["RS256"], options=options)["tid"] == world.tenant.tenant_id


@pytest.mark.parametrize("host", ["localhost", "login.microsoftonline.com", "login.microsoftonline.us"])
@pytest.mark.parametrize(
    ("asked", "told"),
    [("/oauth2/v2.0/authorize", "/v2.0/.well-known"), ("/oauth2/authorize", "/.well-known")],
)
def test_instance_discovery_leads_to_the_sandbox_whatever_service_is_asked_for(
    world: World, host: str, asked: str, told: str
) -> None:
    # MSAL leaves out the port.
    answer = look_up(world, "1.0", f"https://{host}/{world.tenant.tenant_id}{asked}")
    root = f"{world.address.login_url}/{world.tenant.tenant_id}"
    assert answer.body == {"tenant_discovery_endpoint": f"{root}{told}/openid-configuration"}


def test_instance_discovery_1_1_names_the_hosts_that_are_one(world: World) -> None:
    answer = look_up(world, "1.1", f"{world.address.login_url}/common/oauth2/authorize")
    assert answer.body["api-version"] == "1.1"
    assert answer.body["metadata"] == [
        {"preferred_network": "localhost", "preferred_cache": "localhost", "aliases": ["localhost"]}
    ]
    found = answer.body["tenant_discovery_endpoint"].removeprefix(world.address.login_url)
    assert world.wire.send("GET", found).status == 200


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_host_that_is_no_sign_in_service_is_an_invalid_instance(world: World, version: str) -> None:
    answer = look_up(world, version, "https://login.example.org/common/oauth2/authorize")
    assert refused(answer, 400, "invalid_instance", 50049) == "Unknown or invalid instance."


@pytest.mark.parametrize(
    "endpoint", [None, "", "http://localhost/common/oauth2/authorize", "https://localhost"]
)
def test_instance_discovery_wants_an_endpoint_over_https(world: World, endpoint: str | None) -> None:
    refused(look_up(world, "1.1", endpoint), 400, "invalid_request", 50050)


def test_look_ups_are_in_the_history(world: World) -> None:
    before = len(world.sandbox.history)
    world.wire.send("GET", f"/{world.tenant.domain}/.well-known/openid-configuration")
    look_up(world, "1.0", "https://login.example.org/common/oauth2/authorize")
    found = [(each.kind, each.path, each.status, each.tenant) for each in world.sandbox.history[before:]]
    assert found == [
        ("request", f"/{world.tenant.domain}/.well-known/openid-configuration", 200, world.tenant.tenant_id),
        ("refusal", "/common/discovery/instance", 400, ""),
    ]


@pytest.mark.parametrize("by", ["guid", "domain"])
def test_metadata_names_the_endpoints_of_the_host_that_was_asked(world: World, by: str) -> None:
    name = world.tenant.tenant_id if by == "guid" else world.tenant.domain
    answer = world.wire.send("GET", f"/{name}/v2.0/.well-known/openid-configuration")
    assert answer.status == 200
    assert answer.body["token_endpoint"] == world.token_url
    assert answer.body["issuer"] == f"{world.address.login_url}/{world.tenant.tenant_id}/v2.0"
    assert answer.body["jwks_uri"].endswith(f"/{world.tenant.tenant_id}/discovery/v2.0/keys")
    assert answer.body["authorization_endpoint"].startswith(world.address.login_url)


def test_metadata_of_an_unknown_tenant_is_an_invalid_tenant(world: World) -> None:
    answer = world.wire.send("GET", "/nowhere.example.org/v2.0/.well-known/openid-configuration")
    refused(answer, 400, "invalid_tenant", 90002)
