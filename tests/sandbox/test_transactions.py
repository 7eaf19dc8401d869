"""transactionId: a repeated create is recognised, within what is known and by switch beyond."""

from typing import Any

import pytest
from tests.sandbox.client import Answer, World, lecture, tag

ONE = "6c7a3a3e-0000-4000-8000-000000000001"


def post(world: World, **changes: Any) -> Answer:
    return world.graph.post(world.events, lecture(transactionId=ONE) | changes, Prefer='IdType="ImmutableId"')


def test_the_same_create_again_answers_201_with_the_event_that_exists(world: World) -> None:
    first, second = post(world), post(world)
    assert (first.status, second.status) == (201, 201)
    assert first.body["id"] == second.body["id"]
    assert second.body["transactionId"] == ONE
    assert len(world.ada.events()) == 1


def test_it_is_recognised_after_a_change_by_the_user(world: World) -> None:
    first = post(world)
    world.ada.edit_event(first.body["id"], {"subject": "Mine"})
    again = post(world)
    assert (again.status, again.body["id"], again.body["subject"]) == (201, first.body["id"], "Mine")


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("changes", [{"subject": "Sets"}, {"singleValueExtendedProperties": tag("x")}])
def test_another_create_under_the_same_id_is_a_duplicate(
    world: World, status: int, changes: dict[str, Any]
) -> None:
    world.sandbox.switches.duplicate_transaction_status = status  # type: ignore[assignment]
    first = post(world)
    answer = post(world, **changes)
    assert (answer.status, answer.code) == (status, "ErrorDuplicateTransactionId")
    assert answer.message == (
        "Your request can't be completed. The TransactionId specified in the request has already been used to "
        "create a different event."
    )
    assert answer.body["error"]["@event.existingEventId"] == first.body["id"]
    assert len(world.ada.events()) == 1


def test_it_holds_for_the_whole_mailbox_and_not_for_others(world: World) -> None:
    first = post(world)
    other = world.ada.create_calendar("Other")
    elsewhere = world.graph.post(
        f"{world.home}/calendars/{other}/events", lecture(transactionId=ONE), Prefer='IdType="ImmutableId"'
    )
    assert elsewhere.body["id"] == first.body["id"]
    bob = world.tenant.add_mailbox(f"bob@{world.tenant.domain}")
    assert world.graph.post(f"/users/{bob.address}/events", lecture(transactionId=ONE)).status == 201
    assert (len(world.ada.events()), len(bob.events())) == (1, 1)


@pytest.mark.parametrize(("memory", "events"), [(0.0, 2), (300.0, 2), (float("inf"), 1)])
def test_how_long_it_is_remembered_is_a_switch(world: World, memory: float, events: int) -> None:
    world.sandbox.switches.transaction_memory = memory
    post(world)
    if memory:
        world.sandbox.clock.advance(290)
        assert post(world).status == 201
        assert len(world.ada.events()) == 1
    world.sandbox.clock.advance(20)
    assert post(world).status == 201
    assert len(world.ada.events()) == events


@pytest.mark.parametrize("gone", ["delete_event", "purge_event"])
@pytest.mark.parametrize(
    ("setting", "status", "events"), [("existing", 201, 0), ("duplicate", 400, 0), ("forgotten", 201, 1)]
)
def test_what_a_repeated_create_of_a_deleted_event_meets_is_a_switch(
    world: World, gone: str, setting: Any, status: int, events: int
) -> None:
    world.sandbox.switches.transaction_of_deleted = setting
    first = post(world)
    getattr(world.ada, gone)(first.body["id"])
    answer = post(world)
    assert (answer.status, len(world.ada.events())) == (status, events)
    if setting == "existing":
        assert answer.body["id"] == first.body["id"]


def test_it_cannot_be_changed_later(world: World) -> None:
    event = world.create()
    answer = world.graph.patch(f"{world.events}/{event['id']}", {"transactionId": ONE})
    assert (answer.status, answer.code) == (400, "ErrorPropertyValidationFailure")


def test_a_copy_does_not_take_it_along(world: World) -> None:
    first = post(world)
    copy = world.ada.copy_event(first.body["id"])
    assert world.ada.event(copy)["transactionId"] is None
    assert post(world).body["id"] == first.body["id"]
