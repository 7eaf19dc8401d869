"""Registrations of applications over Graph: reading them, and renewing certificates with proof of possession."""

import base64
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from tests.sandbox.client import MONDAY, Answer, Certificate, World, make_certificate
from tests.sandbox.test_tokens import refused

DIRECTORY = "00000002-0000-0000-c000-000000000000"
DENIED = (403, "Authorization_RequestDenied")
MALFORMED = (401, "Authentication_MissingOrMalformed")


@pytest.fixture(scope="module")
def fresh() -> Certificate:
    return make_certificate()


def der(certificate: Certificate) -> str:
    content = certificate.certificate.public_bytes(serialization.Encoding.DER)
    return base64.b64encode(content).decode()


def key(certificate: Certificate, **changes: Any) -> dict[str, Any]:
    """A key credential as it is sent."""
    return {"type": "AsymmetricX509Cert", "usage": "Verify", "key": der(certificate)} | changes


def proof(
    world: World,
    certificate: Certificate | None = None,
    *,
    algorithm: str = "RS256",
    header: dict[str, Any] | None = None,
    **claims: Any,
) -> str:
    """A proof of possession as it should be, but for what is given; None takes a claim away."""
    used = certificate or world.certificate
    now = int(world.sandbox.clock.now())
    told = {"aud": DIRECTORY, "iss": world.app.object_id, "nbf": now, "exp": now + 600} | claims
    told = {name: value for name, value in told.items() if value is not None}
    named = {"x5t": used.print(hashes.SHA1()).rstrip("=")} if header is None else header  # noqa: S303 - a name
    return jwt.encode(told, used.key, algorithm, headers=named)


def add(world: World, certificate: Certificate, evidence: str | None) -> Answer:
    body = {"keyCredential": key(certificate), "passwordCredential": None, "proof": evidence}
    return world.graph.post(f"/applications/{world.app.object_id}/addKey", body)


def told(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.code


def allowed(world: World, *permissions: str) -> None:
    """Sign in anew with further permissions."""
    for permission in permissions:
        world.app.grant(permission)
    world.graph = world.sign_in()


@pytest.mark.parametrize("path", ["/applications/{object}", "/applications(appId='{client}')"])
def test_a_registration_is_found_by_object_id_and_by_client_id(world: World, path: str) -> None:
    allowed(world, "Application.Read.All")
    world.app.require("Calendars.ReadWrite")
    answer = world.graph.get(path.format(object=world.app.object_id, client=world.app.client_id))
    assert answer.status == 200
    body = answer.body
    assert (body["id"], body["appId"]) == (world.app.object_id, world.app.client_id)
    assert body["displayName"] == "Timetables"
    assert body["requiredResourceAccess"] == [
        {
            "resourceAppId": "00000003-0000-0000-c000-000000000000",
            "resourceAccess": [{"id": "ef54d2bf-783f-4e0f-bca1-3210c0444d99", "type": "Role"}],
        }
    ]
    (credential,) = body["keyCredentials"]
    assert credential["customKeyIdentifier"] == world.app.credentials[0].sha1
    assert (credential["type"], credential["usage"]) == ("AsymmetricX509Cert", "Verify")
    assert (credential["startDateTime"], credential["endDateTime"]) == (
        "2026-08-22T06:00:00Z",
        "2027-07-18T06:00:00Z",
    )


def test_the_object_id_is_not_that_of_the_service_principal(world: World) -> None:
    allowed(world, "Application.Read.All")
    assert world.graph.get(f"/applications/{world.app.object_id}").status == 200
    answer = world.graph.get(f"/applications/{world.app.principal_id}")
    assert told(answer) == (404, "Request_ResourceNotFound")


def test_certificates_themselves_are_told_only_to_who_selects_them(world: World) -> None:
    allowed(world, "Application.Read.All")
    path = f"/applications/{world.app.object_id}"
    assert world.graph.get(path).body["keyCredentials"][0]["key"] is None
    selected = world.graph.get(path, {"$select": "keyCredentials"}).body
    assert selected["keyCredentials"][0]["key"] == der(world.certificate)
    assert "displayName" not in selected


def test_without_permission_not_even_the_own_registration_may_be_read(world: World) -> None:
    assert told(world.graph.get(f"/applications/{world.app.object_id}")) == DENIED


@pytest.mark.parametrize("permission", ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"])
def test_who_may_change_only_what_it_owns_does_not_see_others(world: World, permission: str) -> None:
    other = world.tenant.register_app("Another")
    allowed(world, permission)
    assert world.graph.get(f"/applications/{world.app.object_id}").status == 200
    answer = world.graph.get(f"/applications/{other.object_id}")
    assert answer.status == (403 if permission.endswith("OwnedBy") else 200)


def test_the_registration_of_another_tenant_does_not_exist_here(world: World) -> None:
    allowed(world, "Application.Read.All")
    other = world.sandbox.add_tenant(f"other.{world.tenant.domain}").register_app("Timetables")
    for path in (f"/applications/{other.object_id}", f"/applications(appId='{other.client_id}')"):
        assert told(world.graph.get(path)) == (404, "Request_ResourceNotFound")


def test_a_certificate_is_renewed_without_any_permission(world: World, fresh: Certificate) -> None:
    world.app.revoke("Calendars.ReadWrite")
    world.graph = world.sign_in()
    answer = add(world, fresh, proof(world))
    assert answer.status == 200
    assert answer.body["keyId"] == world.app.credentials[1].key_id
    assert answer.body["key"] is None
    assert world.ask_token(client_assertion=world.assertion(fresh)).status == 200
    body = {"keyId": world.app.credentials[0].key_id, "proof": proof(world, fresh)}
    answer = world.graph.post(f"/applications(appId='{world.app.client_id}')/microsoft.graph.removeKey", body)
    assert (answer.status, answer.body) == (204, "")
    refused(world.ask_token(), 401, "invalid_client", 700027)
    assert world.ask_token(client_assertion=world.assertion(fresh)).status == 200


def test_an_added_certificate_takes_its_time_to_reach_the_token_endpoint(
    world: World, fresh: Certificate
) -> None:
    world.sandbox.switches.key_propagation = 300
    assert add(world, fresh, proof(world)).status == 200
    assert len(world.app.credentials) == 2
    refused(world.ask_token(client_assertion=world.assertion(fresh)), 401, "invalid_client", 700027)
    assert world.ask_token().status == 200
    world.sandbox.clock.advance(301)
    assert world.ask_token(client_assertion=world.assertion(fresh)).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "00000003-0000-0000-c000-000000000000"},
        {"iss": "the client id"},
        {"nbf": None},
        {"exp": None},
        {"exp": int(MONDAY.timestamp()) + 660},
        {"nbf": int(MONDAY.timestamp()) - 1200, "exp": int(MONDAY.timestamp()) - 600},
    ],
    ids=["Graph's own audience", "client id", "no nbf", "no exp", "eleven minutes", "over"],
)
def test_a_proof_with_wrong_claims_is_malformed(
    world: World, fresh: Certificate, claims: dict[str, Any]
) -> None:
    if claims.get("iss"):
        claims = {"iss": world.app.client_id}
    answer = add(world, fresh, proof(world, **claims))
    assert told(answer) == MALFORMED
    assert answer.message == "Access Token missing or malformed."
    assert len(world.app.credentials) == 1


def test_a_proof_must_not_be_padded(world: World, fresh: Certificate) -> None:
    header, claims, signature = proof(world).split(".")
    padded = f"{header}{'=' * (-len(header) % 4)}.{claims}{'=' * (-len(claims) % 4)}.{signature}"
    assert "=" in padded
    assert told(add(world, fresh, padded)) == MALFORMED


def test_a_proof_names_a_registered_certificate_and_is_signed_with_its_key(
    world: World, fresh: Certificate
) -> None:
    forged = Certificate(fresh.key, world.certificate.certificate)
    for evidence in (proof(world, fresh), proof(world, header={}), proof(world, forged), "nonsense"):
        assert told(add(world, fresh, evidence)) == MALFORMED
    assert len(world.app.credentials) == 1


def test_an_expired_certificate_proves_nothing(world: World, fresh: Certificate) -> None:
    old = make_certificate(end=MONDAY + timedelta(days=1))
    world.app.add_certificate(old.pem)
    assert add(world, fresh, proof(world, old)).status == 200
    world.sandbox.clock.advance(2 * 86_400)
    world.graph = world.sign_in()
    assert told(add(world, fresh, proof(world, old))) == MALFORMED


def test_without_proof_the_privileges_are_insufficient(world: World, fresh: Certificate) -> None:
    assert told(add(world, fresh, None)) == DENIED
    path = f"/applications/{world.app.object_id}/removeKey"
    assert told(world.graph.post(path, {"keyId": world.app.credentials[0].key_id})) == DENIED


@pytest.mark.parametrize(("accepted", "status"), [(False, 401), (True, 200)])
def test_a_proof_by_ps256_is_a_switch(
    world: World, fresh: Certificate, *, accepted: bool, status: int
) -> None:
    world.sandbox.switches.ps256_proof = accepted
    assert add(world, fresh, proof(world, algorithm="PS256")).status == status


def test_nobody_renews_the_certificates_of_another_application(world: World, fresh: Certificate) -> None:
    other = world.tenant.register_app("Another")
    body = {"keyCredential": key(fresh), "proof": proof(world, iss=other.object_id)}
    assert told(world.graph.post(f"/applications/{other.object_id}/addKey", body)) == DENIED


@pytest.mark.parametrize(
    "changes",
    [{"type": "Symmetric"}, {"usage": "Sign"}, {"key": "nonsense"}, {"key": None}, {"key": 7}],
    ids=["type", "usage", "key", "no key", "number"],
)
def test_what_is_no_certificate_is_not_added(
    world: World, fresh: Certificate, changes: dict[str, Any]
) -> None:
    body = {"keyCredential": key(fresh, **changes), "proof": proof(world)}
    answer = world.graph.post(f"/applications/{world.app.object_id}/addKey", body)
    assert told(answer) == (400, "Request_BadRequest")
    assert len(world.app.credentials) == 1


def test_removing_a_certificate_that_is_not_there_is_refused(world: World) -> None:
    body = {"keyId": "11111111-2222-4333-8444-555555555555", "proof": proof(world)}
    answer = world.graph.post(f"/applications/{world.app.object_id}/removeKey", body)
    assert told(answer) == (400, "Request_BadRequest")


def test_a_policy_may_refuse_certificates_that_live_too_long(world: World, fresh: Certificate) -> None:
    world.tenant.longest_key_life = timedelta(days=180)
    assert told(add(world, fresh, proof(world))) == (400, "CredentialInvalidLifetimeAsPerAppPolicy")
    short = key(fresh, endDateTime=(MONDAY + timedelta(days=100)).isoformat())
    body = {"keyCredential": short, "proof": proof(world)}
    answer = world.graph.post(f"/applications/{world.app.object_id}/addKey", body)
    assert answer.body["endDateTime"] == "2026-12-30T06:00:00Z"


def test_a_registration_must_not_outlive_its_certificate(world: World, fresh: Certificate) -> None:
    long = key(fresh, endDateTime=(MONDAY + timedelta(days=900)).isoformat())
    body = {"keyCredential": long, "proof": proof(world)}
    answer = world.graph.post(f"/applications/{world.app.object_id}/addKey", body)
    assert told(answer) == (400, "KeyCredentialsInvalidEndDate")


def test_a_patch_replaces_all_certificates(world: World, fresh: Certificate) -> None:
    allowed(world, "Application.ReadWrite.OwnedBy")
    path = f"/applications/{world.app.object_id}"
    assert world.graph.patch(path, {"keyCredentials": [key(fresh)]}).status == 204
    refused(world.ask_token(), 401, "invalid_client", 700027)
    assert world.ask_token(client_assertion=world.assertion(fresh)).status == 200


def test_a_patch_with_what_was_read_keeps_it_as_long_known(world: World, fresh: Certificate) -> None:
    allowed(world, "Application.ReadWrite.OwnedBy")
    world.sandbox.switches.key_propagation = 300
    path = f"/applications/{world.app.object_id}"
    kept = world.graph.get(path, {"$select": "keyCredentials"}).body["keyCredentials"]
    assert world.graph.patch(path, {"keyCredentials": [*kept, key(fresh, displayName="2027")]}).status == 204
    assert world.ask_token().status == 200
    refused(world.ask_token(client_assertion=world.assertion(fresh)), 401, "invalid_client", 700027)
    credentials = world.graph.get(path).body["keyCredentials"]
    assert [each["displayName"] for each in credentials] == ["CN=Timetables", "2027"]
    assert credentials[0]["keyId"] == kept[0]["keyId"]


@pytest.mark.parametrize("kept", [False, True])
def test_whether_a_patch_may_leave_out_what_it_keeps_is_a_switch(
    world: World, fresh: Certificate, *, kept: bool
) -> None:
    world.sandbox.switches.null_keys_kept = kept
    allowed(world, "Application.ReadWrite.OwnedBy")
    path = f"/applications/{world.app.object_id}"
    known = world.graph.get(path).body["keyCredentials"]
    answer = world.graph.patch(path, {"keyCredentials": [*known, key(fresh)]})
    assert answer.status == (204 if kept else 400)
    assert len(world.app.credentials) == (2 if kept else 1)
    assert world.ask_token().status == 200


def test_a_patch_with_one_bad_certificate_changes_nothing(world: World, fresh: Certificate) -> None:
    allowed(world, "Application.ReadWrite.OwnedBy")
    path = f"/applications/{world.app.object_id}"
    for bad in ([key(fresh), {"key": "nonsense"}], ["nonsense"], {"key": der(fresh)}):
        answer = world.graph.patch(path, {"keyCredentials": bad})
        assert told(answer) == (400, "Request_BadRequest")
    assert world.ask_token().status == 200


def test_a_patch_needs_a_permission(world: World, fresh: Certificate) -> None:
    answer = world.graph.patch(f"/applications/{world.app.object_id}", {"keyCredentials": [key(fresh)]})
    assert told(answer) == DENIED


def test_a_certificate_is_added_in_a_batch_too_and_recorded(world: World, fresh: Certificate) -> None:
    path = f"/applications/{world.app.object_id}/addKey"
    body = {"keyCredential": key(fresh), "proof": proof(world)}
    headers = {"Content-Type": "application/json"}
    (answer,) = world.graph.members({"method": "POST", "url": path, "headers": headers, "body": body})
    assert answer["status"] == 200
    record = world.sandbox.history[-1]
    assert (record.kind, record.method, record.path) == ("request", "POST", f"/v1.0{path}")
    assert (record.status, record.app) == (200, world.app.client_id)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/applications", 501, "SandboxNotReproduced"),
        ("DELETE", "/applications/{}", 501, "SandboxNotReproduced"),
        ("PATCH", "/applications/{}", 501, "SandboxNotReproduced"),
        ("POST", "/applications/{}/addPassword", 400, "RequestBroker--ParseUri"),
    ],
)
def test_what_else_registrations_can_do_is_said_openly(
    world: World, method: str, path: str, status: int, code: str
) -> None:
    allowed(world, "Application.ReadWrite.All")
    answer = world.graph.ask(method, path.format(world.app.object_id), {"signInAudience": "x"})
    assert told(answer) == (status, code)


@pytest.mark.parametrize("select", ["key\nCredentials", "a b", "'", "\U000f1234"])
def test_what_cannot_be_the_name_of_a_property_is_not_selected(world: World, select: str) -> None:
    allowed(world, "Application.Read.All")
    answer = world.graph.get(f"/applications/{world.app.object_id}", {"$select": select})
    assert told(answer) == (400, "BadRequest")
