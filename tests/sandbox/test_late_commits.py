"""Writes that are committed after their answer, and look-ups that lag behind commits."""

import time
from datetime import timedelta
from typing import Any

import pytest
from tests.sandbox.client import MONDAY, TAG, World, lecture, tag
from tests.sandbox.test_faults import LOST

JSON = {"Content-Type": "application/json"}


def is_create(info: Any) -> bool:
    return bool(info.method == "POST" and info.path.endswith("/events"))


def late(world: World, delay: float, effect: str = "504-late") -> None:
    """A create that is answered with an error and committed *delay* seconds later."""
    world.sandbox.faults.add(is_create, effect, delay=delay)
    if effect.startswith("drop"):
        with pytest.raises(LOST):
            world.graph.post(world.events, lecture())
    else:
        assert world.graph.post(world.events, lecture()).status == int(effect.partition("-")[0])


@pytest.mark.parametrize("effect", ["504-late", "503-late", "drop-late"])
def test_a_late_commit_comes_with_its_time_and_not_before(world: World, effect: str) -> None:
    late(world, 60, effect)
    world.sandbox.clock.advance(59)
    assert world.graph.get(world.events).body["value"] == []
    world.sandbox.clock.advance(1)
    assert len(world.graph.get(world.events).body["value"]) == 1


def test_it_bears_its_own_time_however_far_the_clock_has_jumped(world: World) -> None:
    late(world, 60)
    world.sandbox.clock.advance(86_400)
    (event,) = world.ada.events()
    assert event["createdDateTime"].startswith("2026-09-21T06:01:0")
    change = next(record for record in reversed(world.sandbox.history) if record.change)
    assert (change.kind, change.detail["action"]) == ("change", "create")
    assert abs(change.at - MONDAY.timestamp() - 60) < 5


def test_the_history_tells_it_without_anybody_looking_at_the_mailbox(world: World) -> None:
    begin = len(world.sandbox.history)
    late(world, 0.2)
    assert [record.kind for record in world.sandbox.history[begin:]] == ["refusal"]
    deadline = time.monotonic() + 5
    records = world.sandbox._commons.history
    while len(records) < begin + 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [record.kind for record in records[begin:]] == ["refusal", "change"]


def test_it_never_comes_later_than_the_bound(world: World) -> None:
    world.sandbox.switches.commit_bound = 300
    late(world, 100_000)
    world.sandbox.clock.advance(300)
    assert len(world.ada.events()) == 1


def test_within_the_bound_a_lagging_look_up_finds_it_too(world: World) -> None:
    world.sandbox.switches.lookup_lag = 60
    world.sandbox.faults.add(is_create, "504-late", delay=100_000)
    world.graph.post(world.events, lecture(singleValueExtendedProperties=tag("x")))
    world.sandbox.clock.advance(600)
    condition = f"singleValueExtendedProperties/Any(ep: ep/id eq '{TAG}' and ep/value eq 'x')"
    assert len(world.graph.get(world.events, {"$filter": condition}).body["value"]) == 1


def test_several_come_in_the_order_of_their_times(world: World) -> None:
    for delay, subject in ((90, "C"), (30, "A"), (60, "B")):
        world.sandbox.faults.add(is_create, "504-late", delay=delay)
        world.graph.post(world.events, lecture(subject=subject))
    world.sandbox.clock.advance(120)
    assert [event["subject"] for event in world.ada.events()] == ["A", "B", "C"]


def test_a_repeated_create_that_overtakes_it_leaves_one_event(world: World) -> None:
    world.sandbox.faults.add(is_create, "504-late", delay=60)
    body = lecture(transactionId="one and the same")
    world.graph.post(world.events, body)
    assert world.graph.post(world.events, body).status == 201
    world.sandbox.clock.advance(60)
    assert len(world.ada.events()) == 1


def test_an_update_may_come_late_and_fail_without_a_trace(world: World) -> None:
    event = world.create()
    path = f"{world.events}/{event['id']}"
    world.sandbox.faults.add(lambda info: info.method == "PATCH", "504-late", delay=60, times=2)
    world.graph.patch(path, {"subject": "Sets"}, If_Match=event["@odata.etag"])
    world.graph.patch(path, {"subject": "Maps"}, If_Match=event["@odata.etag"])
    world.sandbox.clock.advance(60)
    assert [event["subject"] for event in world.ada.events()] == ["Sets"]


def test_a_delete_may_come_late(world: World) -> None:
    event = world.create()
    world.sandbox.faults.add(lambda info: info.method == "DELETE", "503-late", delay=60)
    assert world.graph.delete(f"{world.events}/{event['id']}").status == 503
    assert len(world.ada.events()) == 1
    world.sandbox.clock.advance(60)
    assert world.ada.events() == []


def test_what_is_not_allowed_does_not_come_late(world: World) -> None:
    world.ada.state = "unlicensed"
    late(world, 60)
    world.ada.state = "active"
    world.sandbox.clock.advance(60)
    assert world.ada.events() == []


def test_one_member_of_a_batch_may_come_late(world: World) -> None:
    world.sandbox.faults.add(lambda info: info.body and info.body.get("subject") == "B", "504-late", delay=60)
    members = (
        {"method": "POST", "url": world.events, "headers": JSON, "body": lecture(subject=subject)}
        for subject in "ABC"
    )
    assert [answer["status"] for answer in world.graph.members(*members)] == [201, 504, 201]
    assert len(world.ada.events()) == 2
    world.sandbox.clock.advance(60)
    assert [event["subject"] for event in world.ada.events()] == ["A", "C", "B"]


def test_new_events_are_missing_from_filtered_lists_alone(world: World) -> None:
    world.sandbox.switches.lookup_lag = 60
    world.create()
    plain, filtered = world.events, f"{world.events}?$filter=subject%20eq%20'Logic'"
    assert [len(world.graph.get(path).body["value"]) for path in (plain, filtered)] == [1, 0]
    world.sandbox.clock.advance(60)
    assert [len(world.graph.get(path).body["value"]) for path in (plain, filtered)] == [1, 1]


def test_all_lists_may_lag_but_not_who_has_the_id(world: World) -> None:
    world.sandbox.switches.lookup_lag = 60
    world.sandbox.switches.lagging_lists = "all"
    event = world.create()
    window = "startDateTime=2026-09-21T00:00:00Z&endDateTime=2026-09-22T00:00:00Z"
    lists = (world.events, f"{world.home}/calendarView?{window}")
    assert [len(world.graph.get(path).body["value"]) for path in lists] == [0, 0]
    assert world.graph.get(f"{world.events}/{event['id']}").status == 200
    world.sandbox.clock.advance(60)
    assert [len(world.graph.get(path).body["value"]) for path in lists] == [1, 1]


def test_each_event_may_have_a_lag_of_its_own(world: World) -> None:
    world.sandbox.switches.lookup_lag = 60
    world.sandbox.switches.lookup_lag_spread = True
    for _ in range(40):
        world.create()
    seen = []
    for _ in range(7):
        listed = world.graph.get(f"{world.events}?$filter=subject%20eq%20'Logic'&$top=100").body["value"]
        seen.append(len(listed))
        world.sandbox.clock.advance(timedelta(seconds=10).total_seconds())
    assert seen == sorted(seen)
    assert seen[0] < 10 < seen[3] < 35
    assert seen[-1] == 40
