"""Faults as data: rules over the administrative API."""

import http.client
from typing import Any

import pytest
from tests.sandbox.administrator import Administrator
from tests.sandbox.client import World, lecture

LOST = (http.client.RemoteDisconnected, ConnectionError, http.client.BadStatusLine)


def test_faults_are_scripted_listed_used_up_and_cleared(world: World, admin: Administrator) -> None:
    rule = {"effect": "503-before", "method": "post", "path": "*/events", "mailbox": world.ada.address}
    made = admin.do("POST", "/faults", rule | {"retry_after": 7, "times": 2, "code": "Later"})
    assert made["rule"] == rule | {"retry_after": 7, "times": 2, "code": "Later"}
    answer = world.graph.post(world.events, lecture())
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "Later", "7")
    assert world.graph.get(world.events).status == 200
    (listed,) = admin.get("/faults").body
    assert (listed["number"], listed["hits"], listed["left"]) == (made["number"], 1, 1)
    world.graph.post(world.events, lecture())
    assert admin.get("/faults").body == []
    for _ in range(2):
        made = admin.do("POST", "/faults", {"effect": 500, "times": 0})
    admin.do("DELETE", f"/faults/{made['number']}")
    assert len(admin.get("/faults").body) == 1
    admin.do("DELETE", "/faults")
    assert world.graph.get(world.events).status == 200


def test_a_fault_set_in_code_is_listed_by_the_name_of_its_function(
    world: World, admin: Administrator
) -> None:
    def on_tuesdays(_: object) -> bool:
        return False

    world.sandbox.faults.add(on_tuesdays, 500)
    assert admin.get("/faults").body[0]["rule"] == {"function": "on_tuesdays"}


@pytest.mark.parametrize(
    ("told", "meets"),
    [
        ({"kind": "member"}, [503, 503, 503]),
        ({"kind": "single"}, [201, 201, 201]),
        ({"app": "nobody"}, [201, 201, 201]),
        ({"tenant": "nowhere"}, [201, 201, 201]),
        ({"part": "2"}, [201, 503, 201]),
        ({"path": "/users/*/calendar/events"}, [503, 503, 503]),
        ({"path": "/users/*"}, [503, 503, 503]),
        ({"path": "events"}, [201, 201, 201]),
    ],
)
def test_a_rule_meets_what_it_names(
    world: World, admin: Administrator, told: dict[str, Any], meets: list[int]
) -> None:
    admin.do("POST", "/faults", {"effect": 503, "times": 0} | told)
    member = {
        "method": "POST",
        "url": world.events,
        "body": lecture(),
        "headers": {"Content-Type": "application/json"},
    }
    statuses = [answer["status"] for answer in world.graph.members(member, member, member)]
    assert statuses == meets


def test_a_rule_lets_some_pass_before_it_takes_effect(world: World, admin: Administrator) -> None:
    admin.do("POST", "/faults", {"effect": 503, "skip": 2})
    assert [world.graph.get(world.events).status for _ in range(4)] == [200, 200, 503, 200]


def test_a_rule_draws_from_its_own_seed(world: World, admin: Administrator) -> None:
    def drawn(seed: int) -> list[int]:
        admin.do("POST", "/faults", {"effect": 503, "times": 0, "share": 0.5, "seed": seed})
        statuses = [world.graph.get(world.events).status for _ in range(12)]
        admin.do("DELETE", "/faults")
        return statuses

    first = drawn(1)
    assert set(first) == {200, 503}
    assert drawn(1) == first
    assert drawn(2) != first


def test_a_rule_can_cut_off_the_token_endpoint(world: World, admin: Administrator) -> None:
    admin.do("POST", "/faults", {"effect": "drop-before", "kind": "token", "app": world.app.client_id})
    with pytest.raises(LOST):
        world.ask_token()
    assert world.ask_token().status == 200
