"""Who may use Outlook REST: audience, strength of the credential, permissions of Exchange."""

from pathlib import Path
from typing import Any

import jwt
import pytest
from tests.sandbox.client import Answer, Client, World
from tests.sandbox.outlook_client import SCOPE, OutlookClient, home, sign_in

from classbell.sandbox import Latency, Sandbox


def diagnosed(answer: Answer) -> str:
    """The number of the reason; the body of such an answer is empty."""
    assert (answer.status, answer.body) == (401, "")
    assert answer.headers["www-authenticate"].startswith("Bearer client_id=")
    return answer.headers["x-ms-diagnostics"].partition(";")[0]


def token(world: World, **fields: str | None) -> str:
    answer = world.ask_token(**fields)
    assert answer.status == 200, answer
    return str(answer.body["access_token"])


def claims(text: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(text, options={"verify_signature": False})
    return found


@pytest.mark.parametrize(
    ("scope", "audience"),
    [
        ("https://outlook.office.com/.default", "https://outlook.office.com"),
        ("https://outlook.office365.com//.default", "https://outlook.office365.com/"),
    ],
)
def test_a_token_of_exchange_carries_the_permissions_of_exchange(
    world: World, scope: str, audience: str
) -> None:
    world.app.grant_exchange("Calendars.ReadWrite.All")
    told = claims(token(world, scope=scope))
    assert (told["aud"], told["roles"]) == (audience, ["Calendars.ReadWrite.All"])
    assert claims(world.graph.token)["roles"] == ["Calendars.ReadWrite"]
    client = OutlookClient(world.wire, token(world, scope=scope))
    assert client.get(f"{home(world)}/events").status == 200


def test_the_v1_endpoint_issues_them_too(world: World) -> None:
    world.app.grant_exchange("Calendars.ReadWrite.All")
    url = f"{world.address.login_url}/{world.tenant.tenant_id}/oauth2/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": world.app.client_id,
        "resource": "https://outlook.office365.com/",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": world.assertion(aud=url),
    }
    body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
    path = f"/{world.tenant.tenant_id}/oauth2/token"
    answer = world.wire.send("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200, answer
    client = OutlookClient(world.wire, answer.body["access_token"])
    assert client.get(f"{home(world)}/events").status == 200


def test_a_token_got_with_a_secret_is_too_weak(world: World) -> None:
    world.app.grant_exchange("Calendars.ReadWrite.All")
    world.app.add_secret("made up")
    weak = token(
        world, scope=SCOPE, client_secret="made up", client_assertion=None, client_assertion_type=None
    )
    answer = OutlookClient(world.wire, weak).get(f"{home(world)}/events")
    assert diagnosed(answer) == "2000001"
    assert "Presented auth strength was 1, required is 2." in answer.headers["x-ms-diagnostics"]


@pytest.mark.parametrize("role", [None, "Mail.Read"])
def test_a_token_without_permissions_is_not_understood(world: World, role: str | None) -> None:
    if role:
        world.app.grant_exchange(role)
    answer = OutlookClient(world.wire, token(world, scope=SCOPE)).get(f"{home(world)}/events")
    assert diagnosed(answer) == "2000008"
    assert answer.headers["x-ms-diagnostics"].startswith(
        '2000008;reason="The token contains no permissions, or permissions can not be understood."'
    )


def test_a_permission_to_read_does_not_write(world: World) -> None:
    world.app.grant_exchange("Calendars.Read")
    client = OutlookClient(world.wire, token(world, scope=SCOPE))
    assert client.get(f"{home(world)}/events").status == 200
    answer = client.post(f"{home(world)}/events", {})
    assert (answer.status, answer.code) == (403, "ErrorAccessDenied")


def test_a_permission_taken_away_stays_in_tokens_issued_before(world: World) -> None:
    client = sign_in(world)
    world.app.revoke_exchange("Calendars.ReadWrite.All")
    assert client.get(f"{home(world)}/events").status == 200
    assert (
        diagnosed(OutlookClient(world.wire, token(world, scope=SCOPE)).get("/users('x')/events")) == "2000008"
    )


def test_tokens_of_graph_and_of_exchange_are_no_good_for_the_other(world: World) -> None:
    outlook = sign_in(world)
    assert diagnosed(OutlookClient(world.wire, world.graph.token).get(f"{home(world)}/events")) == "2000003"
    answer = Client(world.wire, outlook.token).get(world.events)
    assert (answer.status, answer.message) == (401, "Access token validation failure. Invalid audience.")


def test_an_expired_or_garbled_token_is_refused(world: World) -> None:
    client = sign_in(world)
    world.sandbox.clock.advance(7200)
    assert diagnosed(client.get(f"{home(world)}/events")) == "2000010"
    for garbled in ("", "x", "a.b.c"):
        answer = OutlookClient(world.wire, garbled).get(f"{home(world)}/events")
        assert diagnosed(answer) == "2000002"


def test_a_batch_needs_a_good_token_as_a_whole(world: World) -> None:
    answer = OutlookClient(world.wire, world.graph.token).post("/$batch", {"requests": []})
    assert diagnosed(answer) == "2000003"


def test_an_access_policy_holds_here_too(world: World) -> None:
    client = sign_in(world)
    world.app.restrict_to([f"bob@{world.tenant.domain}"])
    answer = client.get(f"{home(world)}/events")
    assert (answer.status, answer.code) == (403, "ErrorAccessDenied")


def test_refusals_are_recorded_with_their_number(world: World) -> None:
    OutlookClient(world.wire, world.graph.token).get(f"{home(world)}/events")
    record = world.sandbox.history[-1]
    assert (record.kind, record.status, record.detail) == ("refusal", 401, {"code": "2000003"})


def test_a_file_grants_permissions_of_exchange_and_takes_its_time_as_in_life(tmp_path: Path) -> None:
    (tmp_path / "sandbox.toml").write_text(
        """
        latency = "lifelike"

        [switches]
        retry_after = "silly"

        [[tenants]]
        domain = "example.edu"

        [[tenants.apps]]
        name = "Timetables"
        exchange_permissions = ["Calendars.ReadWrite.All"]
        """
    )
    sandbox = Sandbox.from_file(tmp_path / "sandbox.toml")
    (app,) = sandbox.tenants[0].apps.values()
    assert (app.roles, app.exchange_roles) == (set(), {"Calendars.ReadWrite.All"})
    assert isinstance(sandbox.latency, Latency)
    assert sandbox.switches.retry_after == "silly"
