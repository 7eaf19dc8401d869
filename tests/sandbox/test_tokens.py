"""The token endpoint of the Entra half."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from tests.sandbox.client import MONDAY, Answer, Certificate, World, make_certificate


def refused(answer: Answer, status: int, error: str, code: int) -> str:
    """The text of a refusal, after its shape has been checked."""
    assert (answer.status, answer.body["error"], answer.body["error_codes"]) == (status, error, [code])
    body = answer.body
    assert set(body) == {
        "error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri",
    }  # fmt: skip
    assert body["error_uri"] == f"https://login.microsoftonline.com/error?code={code}"
    ending = (
        f" Trace ID: {body['trace_id']} Correlation ID: {body['correlation_id']} "
        f"Timestamp: {body['timestamp']}"
    )
    description: str = body["error_description"]
    assert description.startswith(f"AADSTS{code}: ")
    assert description.endswith(ending)
    return description.removeprefix(f"AADSTS{code}: ").removesuffix(ending)


def test_a_good_assertion_gets_a_bearer_token(world: World) -> None:
    answer = world.ask_token()
    assert answer.status == 200
    assert set(answer.body) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert answer.body["token_type"] == "Bearer"
    assert 3599 <= answer.body["expires_in"] <= 5399


def test_the_token_names_tenant_application_and_granted_roles(world: World) -> None:
    claims = decoded(world.ask_token())
    assert claims["aud"] == "https://graph.microsoft.com"
    assert claims["iss"] == f"https://sts.windows.net/{world.tenant.tenant_id}/"
    assert (claims["appid"], claims["tid"]) == (world.app.client_id, world.tenant.tenant_id)
    assert (claims["idtyp"], claims["appidacr"], claims["ver"]) == ("app", "2", "1.0")
    assert claims["roles"] == ["Calendars.ReadWrite"]
    assert claims["oid"] == claims["sub"] == world.app.principal_id


def test_without_a_granted_role_the_token_has_no_roles_at_all(world: World) -> None:
    world.app.revoke("Calendars.ReadWrite")
    assert "roles" not in decoded(world.ask_token())


def test_a_role_taken_away_stays_in_tokens_already_issued(world: World) -> None:
    world.app.revoke("Calendars.ReadWrite")
    assert world.graph.get(world.events).status == 200
    assert world.sign_in().get(world.events).status == 403


def test_the_token_is_signed_with_a_published_key(world: World) -> None:
    token = world.ask_token().body["access_token"]
    keys = world.wire.send("GET", f"/{world.tenant.tenant_id}/discovery/v2.0/keys").body["keys"]
    wanted = jwt.get_unverified_header(token)["kid"]
    key = next(jwt.PyJWK(key) for key in keys if key["kid"] == wanted)
    jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        options={"verify_exp": False, "verify_aud": False, "verify_nbf": False, "verify_iat": False},
    )


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
@pytest.mark.parametrize("name", ["x5t", "x5t#S256", "kid", "kid-sha256"])
def test_both_algorithms_and_all_names_of_a_certificate_are_accepted(
    world: World, algorithm: str, name: str
) -> None:
    used = world.certificate
    header = {
        "x5t": {"x5t": used.print(hashes.SHA1())},  # noqa: S303 - the name that clients use
        "x5t#S256": {"x5t#S256": used.print(hashes.SHA256()).rstrip("=")},
        "kid": {"kid": used.certificate.fingerprint(hashes.SHA1()).hex()},  # noqa: S303 - the same
        "kid-sha256": {"kid": used.certificate.fingerprint(hashes.SHA256()).hex().upper()},
    }[name]
    answer = world.ask_token(client_assertion=world.assertion(algorithm=algorithm, header=header))
    assert answer.status == 200


def test_a_certificate_chain_in_the_header_is_ignored_line_breaks_and_all(world: World) -> None:
    lines = "\n".join(world.certificate.pem.decode().splitlines()[1:-1])
    header = {"x5t#S256": world.certificate.print(hashes.SHA256()), "x5c": [lines]}
    assert world.ask_token(client_assertion=world.assertion(header=header)).status == 200


def test_each_of_several_certificates_is_good(world: World) -> None:
    second = make_certificate()
    world.app.add_certificate(second.pem)
    for used in (world.certificate, second):
        assert world.ask_token(client_assertion=world.assertion(used)).status == 200


def test_a_removed_certificate_is_not_registered_any_more(world: World) -> None:
    thumbprint = world.certificate.certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - as the portal shows it
    world.app.remove_certificate(thumbprint)
    answer = world.ask_token()
    refused(answer, 401, "invalid_client", 700027)


def test_the_same_assertion_may_be_sent_again(world: World) -> None:
    assertion = world.assertion()
    assert [world.ask_token(client_assertion=assertion).status for _ in range(3)] == [200, 200, 200]


def test_dates_may_be_floats_and_nbf_may_be_missing_as_msal_has_it(world: World) -> None:
    now = world.sandbox.clock.now()
    assertion = world.assertion(nbf=None, iat=now, exp=now + 600.25)
    assert world.ask_token(client_assertion=assertion).status == 200


def test_an_assertion_may_run_for_a_year(world: World) -> None:
    far = int(world.sandbox.clock.now()) + 365 * 86_400
    assert world.ask_token(client_assertion=world.assertion(exp=far)).status == 200


def test_domain_and_guid_name_the_same_tenant(world: World) -> None:
    by_domain = world.ask_token(world.tenant.domain.upper())
    assert decoded(by_domain)["tid"] == world.tenant.tenant_id


@pytest.mark.parametrize("version", ["v2.0/", ""])
def test_the_audience_may_name_the_endpoint_by_domain_and_in_either_version(
    world: World, version: str
) -> None:
    audience = f"{world.address.login_url}/{world.tenant.domain}/oauth2/{version}token"
    assert world.ask_token(client_assertion=world.assertion(aud=audience)).status == 200


def test_the_real_graph_resource_is_accepted_as_well(world: World) -> None:
    answer = world.ask_token(scope="https://graph.microsoft.com/.default")
    assert decoded(answer)["aud"] == "https://graph.microsoft.com"


def test_a_certificate_that_nobody_registered_is_not_found(world: World) -> None:
    stranger = make_certificate()
    answer = world.ask_token(client_assertion=world.assertion(stranger))
    text = refused(answer, 401, "invalid_client", 700027)
    thumbprint = stranger.certificate.fingerprint(hashes.SHA256()).hex().upper()
    assert text.startswith(
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        f"[Reason - The key was not found., Thumbprint of key used by client: '{thumbprint}', Please visit"
    )
    assert text.endswith(f"'https://graph.microsoft.com/beta/applications/{world.app.client_id}'].")


def test_without_a_usable_name_of_the_certificate_no_thumbprint_is_told(world: World) -> None:
    answer = world.ask_token(client_assertion=world.assertion(header={}))
    text = refused(answer, 401, "invalid_client", 700027)
    assert "[Reason - The key was not found., Please visit" in text


@pytest.mark.parametrize("days", [301, -31], ids=["expired", "not yet valid"])
def test_a_registered_certificate_outside_its_dates_is_expired(world: World, days: int) -> None:
    world.sandbox.clock.set(MONDAY + timedelta(days=days))
    text = refused(world.ask_token(), 401, "invalid_client", 700027)
    assert "is expired on application. [Reason - The key used is expired., Thumbprint of key used by" in text
    assert "Found key 'Start=08/22/2026 06:00:00, End=07/18/2027 06:00:00'" in text


def test_the_signature_of_another_key_is_found_out(world: World) -> None:
    other = make_certificate()
    forged = Certificate(other.key, world.certificate.certificate)
    answer = world.ask_token(client_assertion=world.assertion(forged))
    text = refused(answer, 401, "invalid_client", 700027)
    assert text.startswith(
        "Client assertion failed signature validation. [Reason - Key was found, but use of"
    )


def test_changed_claims_break_the_signature(world: World) -> None:
    header, _, signature = world.assertion().split(".")
    _, claims, _ = world.assertion(jti="another").split(".")
    answer = world.ask_token(client_assertion=f"{header}.{claims}.{signature}")
    refused(answer, 401, "invalid_client", 700027)


@pytest.mark.parametrize(
    ("begin", "end", "status"),
    [(-600, -299, 200), (-600, -302, 401), (299, 900, 200), (302, 900, 401)],
)
def test_the_assertion_must_be_in_time_with_five_minutes_to_spare(
    world: World, begin: int, end: int, status: int
) -> None:
    now = int(world.sandbox.clock.now())
    answer = world.ask_token(client_assertion=world.assertion(nbf=now + begin, exp=now + end))
    assert answer.status == status


def test_an_expired_assertion_is_told_with_all_three_times(world: World) -> None:
    now = int(world.sandbox.clock.now())
    answer = world.ask_token(client_assertion=world.assertion(nbf=None, exp=now - 3600))
    text = refused(answer, 401, "invalid_client", 700024)
    assert text.startswith(
        "Client assertion is not within its valid time range. Current time: 2026-09-21T06:00:0"
    )
    assert "assertion valid from 1970-01-01T00:00:00.0000000Z, expiry time of assertion" in text
    assert "expiry time of assertion 2026-09-21T05:00:00.0000000Z. Review the documentation" in text


def test_an_unknown_application_is_named_with_its_directory(world: World) -> None:
    unknown = "11111111-2222-4333-8444-555555555555"
    answer = world.ask_token(world.tenant.domain, client_id=unknown)
    text = refused(answer, 400, "unauthorized_client", 700016)
    assert text.startswith(
        f"Application with identifier '{unknown}' was not found in the directory '{world.tenant.domain}'."
    )


def test_an_application_of_another_tenant_is_unknown(world: World) -> None:
    other = world.sandbox.add_tenant(f"other.{world.tenant.domain}")
    refused(world.ask_token(other.tenant_id), 400, "unauthorized_client", 700016)


@pytest.mark.parametrize("name", ["11111111-2222-4333-8444-555555555555", "nowhere.example.org"])
def test_an_unknown_tenant_is_not_found(world: World, name: str) -> None:
    text = refused(world.ask_token(name), 400, "invalid_request", 90002)
    assert text.startswith(f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID")


@pytest.mark.parametrize("name", ["university", "our university.edu", "-"])
def test_what_cannot_name_a_tenant_is_refused_as_such(world: World, name: str) -> None:
    text = refused(world.ask_token(name), 400, "invalid_request", 900023)
    assert text == (
        f"Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain."
    )


def test_the_zero_guid_is_no_tenant(world: World) -> None:
    refused(world.ask_token("00000000-0000-0000-0000-000000000000"), 400, "invalid_request", 900021)


def test_the_shared_endpoints_know_no_client_credentials(world: World) -> None:
    refused(world.ask_token("common"), 400, "invalid_request", 9001023)


@pytest.mark.parametrize("scope", ["https://graph.microsoft.com/Calendars.ReadWrite", "openid"])
def test_a_scope_must_be_the_default_one(world: World, scope: str) -> None:
    text = refused(world.ask_token(scope=scope), 400, "invalid_scope", 1002012)
    assert text.startswith(f"The provided value for scope {scope} is not valid. Client credential flows must")


def test_a_scope_names_one_resource_only(world: World) -> None:
    scope = "https://graph.microsoft.com/.default https://outlook.office.com/.default"
    refused(world.ask_token(scope=scope), 400, "invalid_scope", 700022)


def test_the_graph_of_another_cloud_is_an_unknown_resource(world: World) -> None:
    text = refused(
        world.ask_token(scope="https://graph.microsoft.us/.default"), 400, "invalid_resource", 500011
    )
    assert text.startswith(
        "The resource principal named https://graph.microsoft.us was not found in the tenant named "
        f"{world.tenant.tenant_id}."
    )


@pytest.mark.parametrize("name", ["grant_type", "client_id", "scope", "client_assertion_type"])
def test_a_missing_field_is_named(world: World, name: str) -> None:
    text = refused(world.ask_token(**{name: None}), 400, "invalid_request", 900144)
    assert text == f"The request body must contain the following parameter: '{name}'."


def test_a_request_without_credential_is_refused(world: World) -> None:
    text = refused(world.ask_token(client_assertion=None), 401, "invalid_client", 7000218)
    assert text == (
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    )


def test_a_secret_is_always_wrong(world: World) -> None:
    answer = world.ask_token(client_assertion=None, client_secret="guess")
    refused(answer, 401, "invalid_client", 7000215)


def test_another_grant_is_not_supported(world: World) -> None:
    refused(world.ask_token(grant_type="password"), 400, "unsupported_grant_type", 70003)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"sub": "somebody"}, 50048),
        ({"iss": "somebody", "sub": "somebody"}, 700021),
        ({"aud": "https://login.microsoftonline.com/common/oauth2/v2.0/token"}, 700023),
        ({"aud": ["https://localhost/"]}, 50027),
        ({"aud": None}, 50027),
        ({"exp": None}, 50027),
    ],
)
def test_wrong_claims_have_each_their_code(world: World, claims: dict[str, Any], code: int) -> None:
    answer = world.ask_token(client_assertion=world.assertion(**claims))
    refused(answer, 401, "invalid_client", code)


@pytest.mark.parametrize("assertion", ["nonsense", "a.b.c", "e30.W10.e30"])
def test_what_is_no_token_is_malformed(world: World, assertion: str) -> None:
    answer = world.ask_token(client_assertion=assertion)
    assert refused(answer, 401, "invalid_client", 50027) == "JWT token is invalid or malformed."


def test_an_elliptic_key_can_be_registered_but_not_used(world: World) -> None:
    elliptic = make_certificate(ec.generate_private_key(ec.SECP256R1()))
    world.app.add_certificate(elliptic.pem)
    answer = world.ask_token(client_assertion=world.assertion(elliptic, algorithm="ES256"))
    refused(answer, 401, "invalid_client", 5002730)


def test_another_rsa_algorithm_is_not_supported(world: World) -> None:
    answer = world.ask_token(client_assertion=world.assertion(algorithm="RS512"))
    refused(answer, 401, "invalid_client", 5002738)


def test_the_issuer_as_audience_is_a_switch(world: World) -> None:
    assertion = world.assertion(aud=f"{world.address.login_url}/{world.tenant.tenant_id}/v2.0")
    assert world.ask_token(client_assertion=assertion).status == 401
    world.sandbox.switches.issuer_audience = True
    assert world.ask_token(client_assertion=assertion).status == 200


def test_a_new_certificate_may_take_a_while_to_be_known(world: World) -> None:
    world.sandbox.switches.key_propagation = 120
    fresh = make_certificate()
    world.app.add_certificate(fresh.pem)
    refused(world.ask_token(client_assertion=world.assertion(fresh)), 401, "invalid_client", 700027)
    world.sandbox.clock.advance(121)
    assert world.ask_token(client_assertion=world.assertion(fresh)).status == 200


def test_the_correlation_id_is_the_clients_request_id(world: World) -> None:
    headers = {
        "client-request-id": "11111111-2222-4333-8444-555555555555",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = world.wire.send("POST", f"/{world.tenant.domain}/oauth2/v2.0/token", b"", headers)
    assert answer.body["correlation_id"] == headers["client-request-id"]


def test_fields_and_headers_that_nobody_knows_are_ignored(world: World) -> None:
    assert world.ask_token(client_info="1", unknown="value").status == 200
    form = urlencode(
        {
            "grant_type": "client_credentials",
            "client_id": world.app.client_id,
            "scope": "https://graph.microsoft.com/.default",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": world.assertion(),
        }
    )
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "x-client-sku": "MSAL.Python",
        "x-ms-lib-capability": "retry-after, h429",
        "x-client-current-telemetry": "4|730,2|",
    }
    answer = world.wire.send("POST", f"/{world.tenant.domain}/oauth2/v2.0/token", form.encode(), headers)
    assert answer.status == 200


def decoded(answer: Answer) -> dict[str, Any]:
    """The claims of an access token, unverified, which only a test may look at."""
    assert answer.status == 200, answer
    token: str = answer.body["access_token"]
    claims: dict[str, Any] = json.loads(jwt.utils.base64url_decode(token.split(".")[1]))
    return claims
