"""Refusals of the token endpoint beyond a wrong assertion: people's decisions, other clouds, limits, passing trouble."""

import http.client
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from tests.sandbox.client import MONDAY, Client, World, make_certificate
from tests.sandbox.test_tokens import decoded, refused

from classbell.sandbox import RequestInfo


def is_token(request: RequestInfo) -> bool:
    return request.kind == "token"


def test_a_disabled_application_gets_no_token_but_its_tokens_live_on(world: World) -> None:
    world.app.enabled = False
    text = refused(world.ask_token(), 400, "unauthorized_client", 7000112)
    assert text == f"Application '{world.app.client_id}'(Timetables) is disabled."
    assert world.graph.get(world.events).status == 200
    world.app.enabled = True
    assert world.ask_token().status == 200


def test_a_registration_without_service_principal_is_not_found(world: World) -> None:
    world.app.installed = False
    refused(world.ask_token(), 400, "unauthorized_client", 700016)


def test_conditional_access_refuses_with_the_policys_id_in_a_claim(world: World) -> None:
    world.app.blocked_by = "11111111-2222-4333-8444-555555555555"
    body = world.ask_token().body
    assert (body["error"], body["error_codes"], body["suberror"]) == (
        "invalid_grant",
        [53003],
        "message_only",
    )
    assert json.loads(body["claims"]) == {
        "access_token": {"capolids": {"essential": True, "values": [world.app.blocked_by]}}
    }
    assert "Access has been blocked by Conditional Access policies." in body["error_description"]


def test_conditional_access_is_asked_only_about_clients_that_have_proved_themselves(world: World) -> None:
    world.app.blocked_by = "11111111-2222-4333-8444-555555555555"
    stranger = world.assertion(make_certificate())
    refused(world.ask_token(client_assertion=stranger), 401, "invalid_client", 700027)


@pytest.mark.parametrize("fields", [{}, {"client_assertion": None, "client_secret": "s3cret"}])
def test_a_public_client_must_present_nothing(world: World, fields: dict[str, Any]) -> None:
    world.app.public = True
    refused(world.ask_token(**fields), 401, "invalid_client", 700025)


def test_a_secret_gets_a_token_that_says_so(world: World) -> None:
    world.app.add_secret("s3cret")
    answer = world.ask_token(client_assertion=None, client_secret="s3cret")
    assert decoded(answer)["appidacr"] == "1"
    assert Client(world.wire, answer.body["access_token"]).get(world.events).status == 200


def test_an_expired_secret_is_told_from_a_wrong_one(world: World) -> None:
    world.app.add_secret("s3cret", MONDAY + timedelta(days=1))
    world.sandbox.clock.advance(2 * 86_400)
    answer = world.ask_token(client_assertion=None, client_secret="s3cret")
    assert refused(answer, 401, "invalid_client", 7000222).startswith(
        "The provided client secret keys for app"
    )
    answer = world.ask_token(client_assertion=None, client_secret="another")
    refused(answer, 401, "invalid_client", 7000215)


@pytest.mark.parametrize("code", [90038, 900382, 900432])
def test_a_tenant_of_another_cloud_is_refused_under_one_of_three_numbers(world: World, code: Any) -> None:
    world.tenant.cloud = "microsoftonline.us"
    world.sandbox.switches.other_cloud_code = code
    refused(world.ask_token(), 400, "invalid_request", code)
    told = world.wire.send("GET", f"/{world.tenant.domain}/v2.0/.well-known/openid-configuration").body
    assert told["cloud_instance_name"] == "microsoftonline.us"
    # A rehearsal must not send anybody's assertion to the real service.
    assert told["token_endpoint"].startswith(world.address.login_url)


@pytest.mark.parametrize(("code", "error"), [(9001023, "invalid_request"), (50194, "unauthorized_client")])
def test_the_endpoint_of_all_tenants_is_refused_under_one_of_two_numbers(
    world: World, code: Any, error: str
) -> None:
    world.sandbox.switches.shared_endpoint_code = code
    refused(world.ask_token("common"), 400, error, code)


@pytest.mark.parametrize("code", [900144, 90014])
@pytest.mark.parametrize("name", ["grant_type", "client_id", "scope", "client_assertion_type"])
def test_a_missing_field_is_named_under_one_of_two_numbers(world: World, code: Any, name: str) -> None:
    world.sandbox.switches.missing_parameter_code = code
    assert f"'{name}'" in refused(world.ask_token(**{name: None}), 400, "invalid_request", code)


@pytest.mark.parametrize("code", [1002012, 70011])
def test_a_single_permission_as_scope_is_refused_under_one_of_two_numbers(world: World, code: Any) -> None:
    world.sandbox.switches.scope_refusal = code
    scope = "https://graph.microsoft.com/Calendars.ReadWrite"
    assert scope in refused(world.ask_token(scope=scope), 400, "invalid_scope", code)


@pytest.mark.parametrize("error", ["invalid_scope", "invalid_request"])
def test_the_error_for_two_resources_is_a_switch(world: World, error: Any) -> None:
    world.sandbox.switches.several_resources_error = error
    scope = "https://graph.microsoft.com/.default https://outlook.office.com/.default"
    refused(world.ask_token(scope=scope), 400, error, 700022)


@pytest.mark.parametrize(("status", "error"), [(401, "invalid_client"), (400, "invalid_request")])
def test_the_status_for_a_malformed_assertion_is_a_switch(world: World, status: Any, error: str) -> None:
    world.sandbox.switches.malformed_assertion_status = status
    refused(world.ask_token(client_assertion="nonsense"), status, error, 50027)


def test_too_many_requests_in_a_minute_are_throttled_until_it_is_over(world: World) -> None:
    world.sandbox.switches.sign_in_limit = 2
    assert [world.ask_token().status for _ in range(2)] == [200, 200]
    answer = world.ask_token()
    refused(answer, 429, "temporarily_unavailable", 90055)
    wait = int(answer.headers["retry-after"])
    assert 55 <= wait <= 60
    world.sandbox.clock.advance(wait + 1)
    assert world.ask_token().status == 200


def test_the_token_limit_is_that_of_one_application(world: World) -> None:
    world.sandbox.switches.sign_in_limit = 1
    world.ask_token()
    assert world.ask_token().status == 429
    world.app = world.tenant.register_app("Another")
    world.app.add_certificate(world.certificate.pem)
    assert world.ask_token().status == 200


def test_throttling_may_come_as_plain_text_which_json_parsers_choke_on(world: World) -> None:
    world.sandbox.switches.sign_in_limit = 0
    world.sandbox.switches.sign_in_throttle_body = "text"
    answer = world.ask_token()
    assert (answer.status, answer.body) == (429, "Too Many Requests")
    assert answer.headers["content-type"].startswith("text/plain")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        (90033, 503, "temporarily_unavailable"),
        (90033, 400, "temporarily_unavailable"),
        (90055, 429, "temporarily_unavailable"),
        (90006, 500, "temporarily_unavailable"),
        (90012, 504, "temporarily_unavailable"),
        (90024, 503, "temporarily_unavailable"),
        (90090, 503, "temporarily_unavailable"),
        (50033, 503, "temporarily_unavailable"),
        (50196, 400, "invalid_grant"),
    ],
)
def test_passing_trouble_comes_by_fault_in_the_shape_of_all_refusals(
    world: World, code: int, status: int, error: str
) -> None:
    world.sandbox.faults.add(is_token, status, code=f"AADSTS{code}", retry_after=7)
    answer = world.ask_token()
    refused(answer, status, error, code)
    assert answer.headers["retry-after"] == "7"
    assert world.sandbox.history[-1].detail == {"code": f"AADSTS{code}", "retry_after": "7"}
    assert world.ask_token().status == 200


@pytest.mark.parametrize(("status", "phrase"), [(429, "Too Many Requests"), (503, "Service Unavailable")])
def test_a_fault_may_answer_in_plain_text(world: World, status: int, phrase: str) -> None:
    world.sandbox.faults.add(is_token, status, code="text", retry_after=60)
    answer = world.ask_token()
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (status, phrase, "60")


def test_a_token_answer_may_be_cut(world: World) -> None:
    world.sandbox.faults.add(is_token, "cut")
    with pytest.raises(http.client.IncompleteRead):
        world.ask_token()
    assert world.sandbox.history[-1].detail == {"code": "cut"}
    assert world.ask_token().status == 200


def test_a_token_answer_may_be_empty(world: World) -> None:
    world.sandbox.faults.add(is_token, "empty")
    answer = world.ask_token()
    assert (answer.status, answer.body) == (200, "")


def test_a_token_answer_may_be_the_page_of_a_proxy(world: World) -> None:
    world.sandbox.faults.add(is_token, "html")
    answer = world.ask_token()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.body.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    "path",
    ["/{}/v2.0/.well-known/openid-configuration", "/{}/discovery/v2.0/keys", "/common/discovery/instance"],
)
def test_look_ups_before_the_sign_in_meet_faults_of_their_own_kind(world: World, path: str) -> None:
    world.sandbox.faults.add(lambda request: request.kind == "discovery", 503, retry_after=3)
    answer = world.wire.send("GET", path.format(world.tenant.domain))
    assert (answer.status, answer.headers["retry-after"]) == (503, "3")
    assert answer.body["error"] == "temporarily_unavailable"


def test_a_token_takes_the_time_that_requests_take(world: World) -> None:
    world.sandbox.latency = 0.2
    begin = time.monotonic()
    assert world.ask_token().status == 200
    assert time.monotonic() - begin >= 0.2


def test_refusals_are_in_the_history_with_tenant_and_application(world: World) -> None:
    world.app.enabled = False
    world.ask_token()
    record = world.sandbox.history[-1]
    assert (record.kind, record.status, record.detail) == ("refusal", 400, {"code": "AADSTS7000112"})
    assert (record.tenant, record.app) == (world.tenant.tenant_id, world.app.client_id)


def test_revoked_tokens_are_refused_and_new_ones_are_good(world: World) -> None:
    world.app.revoke_tokens()
    answer = world.graph.get(world.events)
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")
    assert answer.message.endswith("TokenIssuedBeforeRevocationTimestamp")
    assert world.sign_in().get(world.events).status == 200


def test_a_registration_may_end_before_its_certificate(world: World) -> None:
    early = make_certificate()
    world.app.add_certificate(early.pem, end=MONDAY + timedelta(days=1))
    assert world.ask_token(client_assertion=world.assertion(early)).status == 200
    world.sandbox.clock.advance(2 * 86_400)
    text = refused(world.ask_token(client_assertion=world.assertion(early)), 401, "invalid_client", 700027)
    assert "The key used is expired." in text


def test_a_tokens_life_begins_five_minutes_back(world: World) -> None:
    answer = world.ask_token()
    claims = decoded(answer)
    assert claims["iat"] == claims["nbf"] == int(world.sandbox.clock.now()) - 300
    assert claims["exp"] - claims["iat"] == answer.body["expires_in"] + 300
