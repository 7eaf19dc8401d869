"""Faults by script."""

import http.client
from typing import Any

import pytest
from tests.sandbox.client import World, lecture

from classbell.sandbox import RequestInfo

JSON = {"Content-Type": "application/json"}
# What a client sees of a dropped connection depends on how far the system had come.
LOST = (http.client.RemoteDisconnected, ConnectionError, http.client.BadStatusLine)


def is_create(info: RequestInfo) -> bool:
    return info.method == "POST" and info.path.endswith("/events")


def test_an_error_before_leaves_nothing_behind(world: World) -> None:
    world.sandbox.faults.add(is_create, "503-before")
    answer = world.graph.post(world.events, lecture())
    assert (answer.status, answer.code) == (503, "ErrorServerBusy")
    assert world.ada.events() == []
    assert world.graph.post(world.events, lecture()).status == 201


def test_an_error_after_has_done_what_was_asked(world: World) -> None:
    world.sandbox.faults.add(is_create, "504-after")
    answer = world.graph.post(world.events, lecture())
    assert (answer.status, answer.code, answer.message) == (504, "UnknownError", "")
    assert len(world.ada.events()) == 1


@pytest.mark.parametrize(("effect", "events"), [("drop-before", 0), ("drop-after", 1)])
def test_a_dropped_connection_has_no_answer(world: World, effect: str, events: int) -> None:
    world.sandbox.faults.add(is_create, effect)
    with pytest.raises(LOST):
        world.graph.post(world.events, lecture())
    assert len(world.ada.events()) == events
    assert world.graph.get(world.events).status == 200


def test_a_naive_client_that_tries_again_after_a_drop_makes_a_double(world: World) -> None:
    world.sandbox.faults.add(is_create, "drop-after")
    with pytest.raises(LOST):
        world.graph.post(world.events, lecture())
    world.graph.post(world.events, lecture())
    assert len(world.ada.events()) == 2


@pytest.mark.parametrize(
    ("retry_after", "header"), [(7, "7"), (2.128, "2.128"), ("soon", "soon"), (None, None)]
)
def test_a_refusal_says_when_to_come_again_as_scripted(
    world: World, retry_after: Any, header: str | None
) -> None:
    world.sandbox.faults.add(is_create, 429, retry_after=retry_after)
    answer = world.graph.post(world.events, lecture())
    assert (answer.status, answer.code) == (429, "ApplicationThrottled")
    assert answer.headers.get("retry-after") == header


def test_a_fault_ends_after_its_times_or_never(world: World) -> None:
    twice = world.sandbox.faults.add(is_create, "500-before", times=2)
    statuses = [world.graph.post(world.events, lecture()).status for _ in range(3)]
    assert (statuses, twice.hits) == ([500, 500, 201], 2)
    world.sandbox.faults.add(is_create, "500-before", times=None)
    assert {world.graph.post(world.events, lecture()).status for _ in range(5)} == {500}
    world.sandbox.faults.clear()
    assert world.graph.post(world.events, lecture()).status == 201


def test_code_and_message_can_be_scripted(world: World) -> None:
    world.sandbox.faults.add(is_create, "503-after", code="ConcurrentItemSave", message="Two writers.")
    answer = world.graph.post(world.events, lecture())
    assert (answer.status, answer.code, answer.message) == (503, "ConcurrentItemSave", "Two writers.")


def test_a_fault_sees_what_is_asked(world: World) -> None:
    seen: list[RequestInfo] = []

    def look(info: RequestInfo) -> bool:
        seen.append(info)
        return False

    world.sandbox.faults.add(look, "503-before")
    world.graph.post(f"{world.events}?$x=1", lecture())
    world.graph.batch({"method": "GET", "url": f"{world.home}/calendars"})
    world.ask_token()
    single, envelope, member, token = seen
    assert (single.kind, single.method, single.path) == ("single", "POST", f"{world.events}?$x=1")
    assert (single.mailbox, single.body) == (world.ada.address, lecture())
    assert (single.tenant, single.app) == (world.tenant.tenant_id, world.app.client_id)
    assert (envelope.kind, envelope.path) == ("batch", "/$batch")
    assert (member.kind, member.path, member.body) == ("member", f"{world.home}/calendars", None)
    assert (token.kind, token.tenant, token.app) == ("token", world.tenant.tenant_id, world.app.client_id)


def test_a_fault_meets_one_member_of_a_batch_alone(world: World) -> None:
    world.sandbox.faults.add(
        lambda info: is_create(info) and info.body["subject"] == "B", "503-after", retry_after=3
    )
    answers = world.graph.members(*(member(world, name) for name in "ABC"))
    assert [answer["status"] for answer in answers] == [201, 503, 201]
    assert answers[1]["headers"]["Retry-After"] == "3"
    assert sorted(event["subject"] for event in world.ada.events()) == ["A", "B", "C"]


@pytest.mark.parametrize(("effect", "done"), [("drop-before", ["A", "C"]), ("drop-after", ["A", "B", "C"])])
def test_a_dropped_member_takes_the_whole_batch_along(world: World, effect: str, done: list[str]) -> None:
    world.sandbox.faults.add(lambda info: is_create(info) and info.body["subject"] == "B", effect)
    with pytest.raises(LOST):
        world.graph.batch(*(member(world, name) for name in "ABC"))
    assert sorted(event["subject"] for event in world.ada.events()) == done


@pytest.mark.parametrize(
    ("effect", "done"), [("503-before", 0), ("503-after", 2), ("drop-before", 0), ("drop-after", 2)]
)
def test_an_envelope_can_be_hit_as_a_whole(world: World, effect: str, done: int) -> None:
    world.sandbox.faults.add(lambda info: info.kind == "batch", effect)
    if effect.startswith("drop"):
        with pytest.raises(LOST):
            world.graph.batch(member(world, "A"), member(world, "B"))
    else:
        assert world.graph.batch(member(world, "A"), member(world, "B")).status == 503
    assert len(world.ada.events()) == done


@pytest.mark.parametrize("effect", ["503-before", "503-after"])
def test_the_token_endpoint_can_be_out(world: World, effect: str) -> None:
    world.sandbox.faults.add(lambda info: info.kind == "token", effect, retry_after=9)
    answer = world.ask_token()
    assert (answer.status, answer.body["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "9"
    assert world.ask_token().status == 200


def test_the_token_endpoint_can_drop_the_connection(world: World) -> None:
    world.sandbox.faults.add(lambda info: info.kind == "token", "drop-before")
    with pytest.raises(LOST):
        world.ask_token()


@pytest.mark.parametrize("effect", ["503-during", "explode-before", "", "drop-later"])
def test_an_unknown_effect_is_refused_when_it_is_added(world: World, effect: str) -> None:
    with pytest.raises(ValueError, match="is no effect"):
        world.sandbox.faults.add(is_create, effect)


def member(world: World, subject: str) -> dict[str, Any]:
    return {"method": "POST", "url": world.events, "headers": JSON, "body": lecture(subject=subject)}
