"""JSON batches."""

from typing import Any

import pytest
from tests.sandbox.client import World, lecture

JSON = {"Content-Type": "application/json"}


def create(world: World, **part: Any) -> dict[str, Any]:
    return {"method": "POST", "url": world.events, "headers": JSON, "body": lecture()} | part


def test_each_member_has_its_own_status_headers_and_body(world: World) -> None:
    kept, gone = world.create(), world.create()
    created, patched, deleted, read, missing = world.graph.members(
        create(world, headers={**JSON, "Prefer": 'IdType="ImmutableId"'}),
        {
            "method": "PATCH",
            "url": f"{world.events}/{kept['id']}",
            "headers": {**JSON, "If-Match": kept["@odata.etag"]},
            "body": {"subject": "Sets"},
        },
        {"method": "DELETE", "url": f"{world.events}/{gone['id']}"},
        {"method": "GET", "url": f"{world.events}?$top=1&$select=subject"},
        {"method": "GET", "url": "/users/nobody@example.edu/events"},
    )
    assert (created["status"], len(created["body"]["id"])) == (201, 68)
    assert created["headers"]["Preference-Applied"] == "IdType=ImmutableId"
    assert created["headers"]["Location"].startswith(f"{world.address.graph_url}/v1.0/users('")
    assert created["headers"]["Content-Type"].startswith("application/json")
    assert (patched["status"], patched["body"]["subject"]) == (200, "Sets")
    assert (deleted["status"], deleted["body"]) == (204, None)
    assert (read["status"], len(read["body"]["value"])) == (200, 1)
    assert (missing["status"], missing["body"]["error"]["code"]) == (404, "ErrorInvalidUser")


def test_preferences_and_if_match_hold_for_their_member_only(world: World) -> None:
    event = world.create()
    path = f"{world.events}/{event['id']}"
    stale, plain = world.graph.members(
        {"method": "PATCH", "url": path, "headers": {**JSON, "if-match": 'W/"x"'}, "body": {}},
        {"method": "GET", "url": path},
    )
    assert (stale["status"], stale["body"]["error"]["code"]) == (412, "ErrorIrresolvableConflict")
    assert (plain["status"], len(plain["body"]["id"])) == (200, 152)


def test_a_leading_slash_is_optional(world: World) -> None:
    (answer,) = world.graph.members({"method": "GET", "url": world.events.lstrip("/")})
    assert answer["status"] == 200


def test_links_to_further_pages_are_whole_addresses(world: World) -> None:
    for _ in range(3):
        world.create()
    (answer,) = world.graph.members({"method": "GET", "url": f"{world.events}?$top=2"})
    link = answer["body"]["@odata.nextLink"]
    assert link == f"{world.address.graph_url}/v1.0{world.events}?$top=2&$skip=2"
    assert len(world.graph.get(link).body["value"]) == 1


def test_answers_come_in_any_order(world: World) -> None:
    orders = set()
    for _ in range(4):
        answer = world.graph.batch(*({"method": "GET", "url": world.events} for _ in range(20)))
        orders.add(tuple(response["id"] for response in answer.body["responses"]))
    assert len(orders) == 4
    assert all(sorted(order, key=int) == [str(number) for number in range(1, 21)] for order in orders)


def test_twenty_members_are_the_most(world: World) -> None:
    assert world.graph.batch(*(create(world) for _ in range(20))).status == 200
    answer = world.graph.batch(*(create(world) for _ in range(21)))
    assert (answer.status, answer.code) == (400, "MaximumValueExceeded")
    assert answer.message == "Number of batch request steps exceeds the maximum value of 20."
    assert len(world.ada.events()) == 20


@pytest.mark.parametrize(
    "envelope",
    [
        b"{",
        b"",
        [],
        {},
        {"requests": []},
        {"requests": {}},
        {"requests": ["x"]},
        {"requests": [{"method": "GET", "url": "/x"}]},
        {"requests": [{"id": 1, "method": "GET", "url": "/x"}]},
        {"requests": [{"id": "", "method": "GET", "url": "/x"}]},
        {"requests": [{"id": "1", "url": "/x"}]},
        {"requests": [{"id": "1", "method": "GET"}]},
        {"requests": [{"id": "1", "method": "GET", "url": "/x", "headers": []}]},
    ],
)
def test_a_malformed_envelope_is_refused_as_a_whole(world: World, envelope: Any) -> None:
    answer = world.graph.post("/$batch", envelope, Content_Type="application/json")
    assert (answer.status, answer.code, answer.message) == (
        400,
        "BadRequest",
        "Invalid batch payload format.",
    )


@pytest.mark.parametrize(
    "second",
    [{"id": "1"}, {"id": "2", "dependsOn": ["3"]}, {"id": "2", "dependsOn": ["2"]}],
    ids=["same id", "unknown dependsOn", "circle"],
)
def test_ids_that_do_not_fit_refuse_the_whole_batch(world: World, second: dict[str, Any]) -> None:
    answer = world.graph.batch(create(world, id="1"), create(world, **second))
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert world.ada.events() == []


@pytest.mark.parametrize("headers", [None, {}, {"Content-Type": "text/plain"}])
def test_a_body_needs_a_content_type(world: World, headers: dict[str, str] | None) -> None:
    (answer,) = world.graph.members(create(world, headers=headers))
    assert answer["status"] == 400
    assert answer["body"]["error"]["message"] == (
        "Write request id : 1 does not contain Content-Type header or body."
    )
    assert world.ada.events() == []


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            {"url": "https://graph.microsoft.com/v1.0/users/x/events"},
            "Invalid request URI. URIs must be relative.",
        ),
        ({"url": "//localhost/v1.0/users/x/events"}, "Invalid request URI. URIs must be relative."),
        ({"url": "/$batch", "method": "POST"}, "Batch requests cannot be nested."),
        ({"url": "/users/x/events", "method": "FETCH"}, "Invalid batch request method 'FETCH'."),
    ],
)
def test_some_members_are_refused_alone(world: World, part: dict[str, Any], message: str) -> None:
    good, bad = world.graph.members(create(world), {"method": "GET"} | part)
    assert (good["status"], bad["status"]) == (201, 400)
    assert bad["body"]["error"]["message"] == message


def test_a_member_waits_for_those_that_it_depends_on(world: World) -> None:
    listed, created = world.graph.members(
        {"id": "later", "method": "GET", "url": world.events, "dependsOn": ["first"]},
        create(world, id="first"),
    )
    assert (listed["status"], created["status"]) == (200, 201)
    assert len(listed["body"]["value"]) == 1


def test_a_failed_member_fails_all_that_depend_on_it(world: World) -> None:
    answers = world.graph.members(
        {"id": "a", "method": "GET", "url": f"{world.events}/x"},
        create(world, id="b", dependsOn=["a"]),
        create(world, id="c", dependsOn=["b"]),
        create(world, id="d"),
    )
    assert [answer["status"] for answer in answers] == [400, 424, 424, 201]
    assert answers[1]["body"]["error"]["code"] == "FailedDependency"
    assert len(world.ada.events()) == 1


def test_a_batch_runs_four_members_at_a_time_so_that_one_alone_is_never_throttled(world: World) -> None:
    world.sandbox.latency = 0.005
    answers = world.graph.members(*(create(world) for _ in range(20)))
    assert {answer["status"] for answer in answers} == {201}
    assert world.sandbox.peak_in_flight(world.app.client_id) == 4


def test_a_serial_batch_runs_one_member_at_a_time(world: World) -> None:
    world.sandbox.latency = 0.005
    chain = [create(world, id="0"), *(create(world, id=str(n), dependsOn=[str(n - 1)]) for n in range(1, 6))]
    answers = world.graph.members(*chain)
    assert {answer["status"] for answer in answers} == {201}
    assert world.sandbox.peak_in_flight(world.app.client_id) == 1
