"""Which mailboxes an application may open: roles of its token, access policies, roles given in Exchange."""

from typing import Any

import pytest
from tests.sandbox.client import Client, World, lecture
from tests.sandbox.test_tokens import decoded

from classbell.sandbox import Mailbox

ROLE = "Application Calendars.ReadWrite"
DENIED = "Access is denied. Check credentials and try again."
BLOCKED = "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings."


@pytest.fixture
def bob(world: World) -> Mailbox:
    return world.tenant.add_mailbox(f"bob@{world.tenant.domain}")


def roleless(world: World) -> Client:
    """A client whose token has no roles."""
    world.app.revoke("Calendars.ReadWrite")
    assert "roles" not in decoded(world.ask_token())
    return world.sign_in()


def outcome(client: Client, mailbox: Mailbox) -> int | str:
    """200, or the text of the refusal."""
    answer = client.get(f"/users/{mailbox.address}/calendar/events")
    return answer.status if answer.status == 200 else answer.message


def test_a_role_in_exchange_opens_mailboxes_to_a_token_without_roles(world: World, bob: Mailbox) -> None:
    client = roleless(world)
    world.app.exchange.assign(ROLE, [world.ada.address])
    assert client.post(world.events, lecture()).status == 201
    assert outcome(client, world.ada) == 200
    assert outcome(client, bob) == DENIED


def test_a_role_in_exchange_without_scope_opens_all_mailboxes(world: World, bob: Mailbox) -> None:
    client = roleless(world)
    world.app.exchange.assign(ROLE)
    assert (outcome(client, world.ada), outcome(client, bob)) == (200, 200)


def test_a_grant_in_entra_makes_the_scope_in_exchange_meaningless(world: World, bob: Mailbox) -> None:
    world.app.exchange.assign(ROLE, [world.ada.address])
    assert (outcome(world.graph, world.ada), outcome(world.graph, bob)) == (200, 200)


def test_an_access_policy_does_not_concern_roles_in_exchange(world: World, bob: Mailbox) -> None:
    world.app.restrict_to([bob.address])
    assert outcome(world.graph, world.ada) == BLOCKED
    world.app.exchange.assign(ROLE, [world.ada.address])
    assert (outcome(world.graph, world.ada), outcome(world.graph, bob)) == (200, 200)


def test_a_role_in_exchange_for_reading_does_not_write(world: World) -> None:
    client = roleless(world)
    world.app.exchange.assign("Application Calendars.Read", [world.ada.address])
    assert outcome(client, world.ada) == 200
    assert client.post(world.events, lecture()).code == "ErrorAccessDenied"
    assert world.ada.events() == []


def test_a_role_for_mailbox_settings_opens_no_calendar(world: World) -> None:
    client = roleless(world)
    world.app.exchange.assign("Application MailboxSettings.ReadWrite")
    assert outcome(client, world.ada) == DENIED


@pytest.mark.parametrize(("value", "text"), [("denied", DENIED), ("policy", BLOCKED)])
def test_the_text_outside_the_scope_is_a_switch(world: World, bob: Mailbox, value: Any, text: str) -> None:
    client = roleless(world)
    world.app.exchange.assign(ROLE, [bob.address])
    world.sandbox.switches.outside_exchange_scope = value
    answer = client.get(world.events)
    assert (answer.status, answer.code, answer.message) == (403, "ErrorAccessDenied", text)


@pytest.mark.parametrize(
    ("value", "status", "code"),
    [
        ("denied", 403, "ErrorAccessDenied"),
        ("401", 401, "NoPermissionsInAccessToken"),
        ("403", 403, "NoPermissionsInAccessToken"),
    ],
)
def test_the_answer_to_a_token_without_roles_is_a_switch(
    world: World, value: Any, status: int, code: str
) -> None:
    world.sandbox.switches.no_roles_answer = value
    answer = roleless(world).get(world.events)
    assert (answer.status, answer.code) == (status, code)


def test_a_token_with_another_role_has_permissions_only_not_these(world: World) -> None:
    world.sandbox.switches.no_roles_answer = "401"
    world.app.revoke("Calendars.ReadWrite")
    world.app.grant("User.Read.All")
    answer = world.sign_in().get(world.events)
    assert (answer.status, answer.code) == (403, "ErrorAccessDenied")


def test_a_role_in_exchange_takes_effect_late_and_ends_late(world: World) -> None:
    client = roleless(world)
    world.sandbox.switches.exchange_role_delay = 1800
    world.app.exchange.assign(ROLE, [world.ada.address])
    assert outcome(client, world.ada) == DENIED
    world.sandbox.clock.advance(1801)
    assert outcome(client, world.ada) == 200
    world.app.exchange.unassign(ROLE)
    assert outcome(client, world.ada) == 200
    world.sandbox.clock.advance(1750)
    assert outcome(client, world.ada) == 200
    world.sandbox.clock.advance(51)
    assert outcome(client, world.ada) == DENIED


def test_an_access_policy_takes_effect_late_and_is_lifted_late(world: World, bob: Mailbox) -> None:
    world.sandbox.switches.access_policy_delay = 1200
    world.app.restrict_to([bob.address])
    assert outcome(world.graph, world.ada) == 200
    world.sandbox.clock.advance(1201)
    assert outcome(world.graph, world.ada) == BLOCKED
    world.app.restrict_to(None)
    assert outcome(world.graph, world.ada) == BLOCKED
    world.sandbox.clock.advance(1201)
    assert outcome(world.graph, world.ada) == 200


def test_a_later_change_waits_its_own_time_while_the_earlier_takes_effect(world: World, bob: Mailbox) -> None:
    client = roleless(world)
    world.sandbox.switches.exchange_role_delay = 600
    world.app.exchange.assign(ROLE, [world.ada.address])
    world.sandbox.clock.advance(300)
    world.app.exchange.assign(ROLE, [bob.address])
    world.sandbox.clock.advance(301)
    assert (outcome(client, world.ada), outcome(client, bob)) == (200, DENIED)
    world.sandbox.clock.advance(300)
    assert (outcome(client, world.ada), outcome(client, bob)) == (DENIED, 200)


def test_scopes_follow_a_mailbox_by_its_object_id_through_a_new_address(world: World) -> None:
    client = roleless(world)
    world.app.exchange.assign(ROLE, [world.ada.id.upper()])
    world.tenant.rename_mailbox(world.ada.address, f"lovelace@{world.tenant.domain}")
    assert outcome(client, world.ada) == 200


def test_members_of_a_batch_are_judged_mailbox_by_mailbox(world: World, bob: Mailbox) -> None:
    client = roleless(world)
    world.app.exchange.assign(ROLE, [world.ada.address])
    answers = client.members(
        {"method": "GET", "url": world.events},
        {"method": "GET", "url": f"/users/{bob.address}/calendar/events"},
    )
    assert [answer["status"] for answer in answers] == [200, 403]


def test_who_may_open_some_mailbox_is_told_of_one_that_does_not_exist(world: World) -> None:
    client = roleless(world)
    path = f"/users/nobody@{world.tenant.domain}/events"
    assert client.get(path).code == "ErrorAccessDenied"
    world.app.exchange.assign(ROLE, [world.ada.address])
    assert client.get(path).code == "ErrorInvalidUser"


def test_exchange_knows_its_own_roles_only(world: World) -> None:
    with pytest.raises(ValueError, match=r"is none of Application Calendars\.Read, "):
        world.app.exchange.assign("Calendars.ReadWrite")
    with pytest.raises(KeyError):
        world.app.exchange.unassign(ROLE)
