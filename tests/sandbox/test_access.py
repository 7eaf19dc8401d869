"""Who may ask for what: tokens, permissions, policies, and mailboxes that do not answer."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.sandbox.client import Client, World, lecture


def test_no_token_is_an_empty_one(world: World) -> None:
    answer = Client(world.wire).get(world.events)
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")
    assert answer.message == "Access token is empty."
    assert answer.headers["www-authenticate"].startswith('Bearer realm="", authorization_uri=')


def test_a_garbled_token_cannot_be_parsed(world: World) -> None:
    answer = Client(world.wire, "garbled").get(world.events)
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")
    assert answer.message == "CompactToken parsing failed with error code: 80049217"


def test_a_token_that_the_sandbox_did_not_sign_is_refused(world: World) -> None:
    claims = jwt.decode(world.graph.token, options={"verify_signature": False})
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = jwt.encode(claims, key, "RS256")
    assert Client(world.wire, forged).get(world.events).status == 401


def test_a_token_for_another_resource_has_the_wrong_audience(world: World) -> None:
    token = world.ask_token(scope="https://outlook.office.com/.default").body["access_token"]
    answer = Client(world.wire, token).get(world.events)
    assert (answer.status, answer.message) == (401, "Access token validation failure. Invalid audience.")


def test_a_token_ends_with_its_time(world: World) -> None:
    world.sandbox.clock.advance(timedelta(minutes=59).total_seconds())
    assert world.graph.get(world.events).status == 200
    world.sandbox.clock.advance(timedelta(minutes=31).total_seconds())
    answer = world.graph.get(world.events)
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")
    assert answer.message == "Lifetime validation failed, the token is expired."


def test_an_expired_token_refuses_the_whole_batch_and_does_nothing(world: World) -> None:
    world.sandbox.clock.advance(7200)
    headers = {"Content-Type": "application/json"}
    answer = world.graph.batch({"method": "POST", "url": world.events, "headers": headers, "body": lecture()})
    assert answer.status == 401
    assert world.ada.events() == []


def test_without_a_role_access_is_denied(world: World) -> None:
    world.app.revoke("Calendars.ReadWrite")
    answer = world.sign_in().get(world.events)
    assert (answer.status, answer.code) == (403, "ErrorAccessDenied")
    assert answer.message == "Access is denied. Check credentials and try again."


def test_permission_to_read_is_none_to_write(world: World) -> None:
    world.app.revoke("Calendars.ReadWrite")
    world.app.grant("Calendars.Read")
    client = world.sign_in()
    assert client.get(world.events).status == 200
    assert client.post(world.events, lecture()).code == "ErrorAccessDenied"
    assert world.ada.events() == []


def test_in_a_batch_a_missing_role_refuses_each_member_alone(world: World) -> None:
    world.app.revoke("Calendars.ReadWrite")
    world.graph = world.sign_in()
    (answer,) = world.graph.members({"method": "GET", "url": world.events})
    assert (answer["status"], answer["body"]["error"]["code"]) == (403, "ErrorAccessDenied")


def test_an_access_policy_lets_the_application_into_some_mailboxes_only(world: World) -> None:
    bob = world.tenant.add_mailbox(f"bob@{world.tenant.domain}")
    world.app.restrict_to([bob.address])
    answer = world.graph.get(world.events)
    assert (answer.status, answer.code) == (403, "ErrorAccessDenied")
    assert answer.message == (
        "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings."
    )
    assert world.graph.get(f"/users/{bob.address}/events").status == 200
    world.app.restrict_to(None)
    assert world.graph.get(world.events).status == 200


def test_a_mailbox_is_found_by_address_and_by_object_id_in_any_case(world: World) -> None:
    for user in (world.ada.address.upper(), world.ada.id, world.ada.id.upper()):
        assert world.graph.get(f"/users/{user}/events").status == 200


def test_an_address_may_be_percent_encoded(world: World) -> None:
    world.tenant.add_mailbox("d'arcy+x@example.edu")
    assert world.graph.get("/users/d%27arcy%2Bx%40example.edu/events").status == 200


def test_users_may_be_written_as_a_keyed_segment(world: World) -> None:
    created = world.create()
    for quoted in ("('%s')", "%%28%%27%s%%27%%29"):
        user = "/users" + quoted % world.ada.address
        assert world.graph.get(f"{user}/events('{created['id']}')").body["subject"] == "Logic"


def test_an_unknown_address_is_an_invalid_user(world: World) -> None:
    answer = world.graph.get("/users/nobody@example.edu/events")
    assert (answer.status, answer.code) == (404, "ErrorInvalidUser")
    assert answer.message == "The requested user 'nobody@example.edu' is invalid."


def test_an_unknown_object_id_is_named_with_its_tenant(world: World) -> None:
    unknown = "11111111-2222-4333-8444-555555555555"
    answer = world.graph.get(f"/users/{unknown}/events")
    assert answer.message == f"The requested user '{unknown}@{world.tenant.tenant_id}' is invalid."


def test_the_mailbox_of_another_tenant_does_not_exist_here(world: World) -> None:
    other = world.sandbox.add_tenant(f"other.{world.tenant.domain}")
    eve = other.add_mailbox(f"eve@{other.domain}")
    for user in (eve.address, eve.id):
        assert world.graph.get(f"/users/{user}/events").code == "ErrorInvalidUser"


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        ("missing", 404, "ErrorInvalidUser"),
        ("unlicensed", 404, "MailboxNotEnabledForRESTAPI"),
        ("on-premises", 404, "MailboxNotEnabledForRESTAPI"),
        ("soft-deleted", 404, "MailboxNotEnabledForRESTAPI"),
        ("undiscoverable", 404, "ResourceNotFound"),
        ("moving", 503, "ErrorMailboxMoveInProgress"),
        ("stale", 503, "MailboxInfoStale"),
        ("unavailable", 503, "ErrorMailboxStoreUnavailable"),
    ],
)
def test_a_mailbox_in_each_state_answers_as_the_service_does(
    world: World, state: str, status: int, code: str
) -> None:
    world.ada.state = state
    for answer in (world.graph.get(world.events), world.graph.post(world.events, lecture())):
        assert (answer.status, answer.code) == (status, code)
    world.ada.state = "active"
    assert world.ada.events() == []


def test_a_moving_mailbox_says_when_to_come_again(world: World) -> None:
    world.ada.state = "moving"
    assert world.graph.get(world.events).headers["retry-after"] == "60"


@pytest.mark.parametrize("status", [507, 400])
def test_a_full_mailbox_reads_and_changes_but_takes_nothing_new(world: World, status: int) -> None:
    event = world.create()
    world.ada.state = "full"
    world.sandbox.switches.full_mailbox_status = status
    answer = world.graph.post(world.events, lecture())
    assert (answer.status, answer.code) == (status, "ErrorQuotaExceeded")
    assert world.graph.patch(f"{world.events}/{event['id']}", {"subject": "Sets"}).status == 200


def test_a_renamed_mailbox_keeps_its_object_id_and_events(world: World) -> None:
    world.create()
    old, new = world.ada.address, f"lovelace@{world.tenant.domain}"
    world.tenant.rename_mailbox(old, new)
    assert world.graph.get(f"/users/{old}/events").code == "ErrorInvalidUser"
    assert len(world.graph.get(f"/users/{new}/events").body["value"]) == 1
    assert len(world.graph.get(f"/users/{world.ada.id}/events").body["value"]) == 1


def test_me_needs_a_signed_in_user(world: World) -> None:
    answer = world.graph.get("/me/events")
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert answer.message == "/me request is only valid with delegated authentication flow."


@pytest.mark.parametrize("path", ["/groups", "/users/{}/contacts", "/users/{}/events/x/y"])
def test_an_unknown_path_is_refused(world: World, path: str) -> None:
    answer = world.graph.get(path.format(world.ada.address))
    assert (answer.status, answer.code) == (400, "RequestBroker--ParseUri")
    assert answer.message.startswith("Resource not found for the segment '")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/events/delta",
        "/calendarView/delta()",
        "/events/x/attachments",
    ],
)
def test_what_the_sandbox_does_not_reproduce_it_says_openly(world: World, path: str) -> None:
    answer = world.graph.get(world.home + path)
    assert (answer.status, answer.code) == (501, "SandboxNotReproduced")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/events"), ("POST", "/calendarView"), ("PATCH", "/events"), ("DELETE", "/calendars")],
)
def test_a_method_that_a_path_does_not_have_is_not_allowed(world: World, method: str, path: str) -> None:
    assert world.graph.ask(method, world.home + path, lecture()).status == 405


def test_every_error_has_the_envelope_of_graph(world: World) -> None:
    wanted: dict[str, Any] = {"client_request_id": "11111111-2222-4333-8444-555555555555"}
    answer = world.graph.get(f"{world.events}/AAAA", **wanted)
    assert set(answer.body) == {"error"}
    assert set(answer.body["error"]) == {"code", "message", "innerError"}
    inner = answer.body["error"]["innerError"]
    assert inner["date"].startswith("2026-09-21T06:00:")
    assert inner["client-request-id"] == wanted["client_request_id"]
    assert len(inner["request-id"]) == 36


def test_a_body_above_four_megabytes_is_too_large(world: World) -> None:
    body = lecture(body={"contentType": "text", "content": "x" * 4_000_000})
    answer = world.graph.post(world.events, body)
    assert (answer.status, answer.code) == (413, "RequestEntityTooLarge")
