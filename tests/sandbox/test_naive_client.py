"""
Each fault hurts a naive client in the way it hurts in life.

The client is twenty lines of plain HTTP: it tries again at once when something went wrong, looks before it tries
again where it was told to, believes what it reads, and knows no bounds.
"""

import asyncio
import http.client
import json
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from tests.sandbox.client import TAG, World, lecture, tag
from tests.sandbox.test_faults import LOST
from tests.sandbox.test_limits import together

from classbell.sandbox import Latency, Refusal, Switches
from classbell.sandbox.limits import Limits

JSON = {"Content-Type": "application/json"}


@dataclass
class Naive:
    """A client as one writes it in an afternoon."""

    world: World
    ids: dict[str, str] = field(default_factory=dict)

    def create(self, subject: str, *, look: bool = False, tries: int = 2) -> None:
        """Create an event; if that fails, try again at once, or *look* for it first."""
        body = lecture(subject=subject, singleValueExtendedProperties=tag(subject))
        for _ in range(tries):
            if look and self.is_there(subject):
                return
            try:
                answer = self.world.graph.post(self.world.events, body)
                if answer.status == 201:
                    self.ids[subject] = answer.body["id"]
                    return
            except (OSError, ValueError, TypeError, http.client.HTTPException):
                pass

    def is_there(self, subject: str) -> bool:
        """Whether an event of this name is found."""
        condition = f"singleValueExtendedProperties/Any(ep: ep/id eq '{TAG}' and ep/value eq '{subject}')"
        return bool(self.world.graph.get(self.world.events, {"$filter": condition}).body["value"])

    def create_all(self, *subjects: str) -> None:
        """Create events by one batch, believing that answers come as they were asked for."""
        members = [
            {"method": "POST", "url": self.world.events, "headers": JSON, "body": lecture(subject=subject)}
            for subject in subjects
        ]
        answers = self.world.graph.batch(*members).body["responses"]
        for subject, answer in zip(subjects, answers, strict=False):
            self.ids[subject] = answer["body"]["id"]

    def wait(self, headers: dict[str, str]) -> None:
        """Wait as long as it was told, a thousand million times as fast."""
        time.sleep(float(headers["retry-after"]) / 1e9)


@pytest.fixture
def naive(world: World) -> Naive:
    return Naive(world)


def subjects(world: World) -> list[str]:
    return sorted(event["subject"] for event in world.ada.events())


def is_create(info: Any) -> bool:
    return bool(info.method == "POST" and info.path.endswith("/events"))


@pytest.mark.parametrize(
    "effect", ["500-after", "502-after", "503-after", "504-after", "drop-after", "cut-after", "html-after"]
)
def test_trying_again_after_a_lost_answer_makes_a_double(naive: Naive, effect: str) -> None:
    naive.world.sandbox.faults.add(is_create, effect)
    naive.create("Logic")
    assert subjects(naive.world) == ["Logic", "Logic"]


def test_an_empty_answer_loses_the_id_and_makes_a_double(naive: Naive) -> None:
    naive.world.sandbox.faults.add(is_create, "empty-after", times=2)
    naive.create("Logic")
    assert (subjects(naive.world), naive.ids) == (["Logic", "Logic"], {})


def test_giving_up_after_an_error_leaves_an_orphan(naive: Naive) -> None:
    naive.world.sandbox.faults.add(is_create, "504-after")
    naive.create("Logic", tries=1)
    assert (subjects(naive.world), naive.ids) == (["Logic"], {})


@pytest.mark.parametrize("effect", ["504-late", "drop-late"])
def test_a_late_commit_deceives_even_who_looks_before_trying_again(naive: Naive, effect: str) -> None:
    naive.world.sandbox.faults.add(is_create, effect, delay=30)
    naive.create("Logic", look=True)
    assert subjects(naive.world) == ["Logic"]
    naive.world.sandbox.clock.advance(30)
    assert subjects(naive.world) == ["Logic", "Logic"]


def test_a_lagging_look_up_deceives_who_looks_before_trying_again(naive: Naive) -> None:
    naive.world.sandbox.switches.lookup_lag = 60
    naive.world.sandbox.faults.add(is_create, "504-after")
    naive.create("Logic", look=True)
    assert subjects(naive.world) == ["Logic", "Logic"]
    naive.world.sandbox.clock.advance(60)
    assert naive.is_there("Logic")


def test_a_write_done_twice_leaves_an_event_that_nobody_knows(naive: Naive) -> None:
    naive.world.sandbox.faults.add(is_create, "503-twice", code="ConcurrentItemSave")
    naive.create("Logic", look=True)
    assert subjects(naive.world) == ["Logic", "Logic"]


def test_answers_in_any_order_are_taken_for_those_of_others(naive: Naive) -> None:
    names = [f"{number:02}" for number in range(20)]
    naive.create_all(*names)
    shown = {name: naive.world.ada.event(own)["subject"] for name, own in naive.ids.items()}
    assert sorted(shown.values()) == names
    assert shown != {name: name for name in names}


def test_a_missing_answer_is_never_missed(naive: Naive) -> None:
    naive.world.sandbox.faults.add(lambda info: info.kind == "member", "missing-before")
    naive.create_all("A", "B", "C")
    assert len(naive.ids) == len(subjects(naive.world)) == 2


def test_a_missing_answer_may_hide_what_was_done(naive: Naive) -> None:
    naive.world.sandbox.faults.add(lambda info: info.kind == "member", "missing-after")
    naive.create_all("A", "B", "C")
    assert (len(naive.ids), subjects(naive.world)) == (2, ["A", "B", "C"])


def test_a_doubled_answer_gives_one_id_to_two(naive: Naive) -> None:
    naive.world.sandbox.faults.add(lambda info: info.kind == "member", "doubled-after", times=None)
    naive.create_all(*(f"{number:02}" for number in range(20)))
    assert len(naive.ids) == len(subjects(naive.world)) == 20
    assert len(set(naive.ids.values())) < 20


@pytest.mark.parametrize("effect", ["cut-after", "empty-after", "html-after", "drop-after"])
def test_a_batch_with_a_spoilt_answer_is_done_and_looks_undone(naive: Naive, effect: str) -> None:
    naive.world.sandbox.faults.add(lambda info: info.kind == "batch", effect)
    with pytest.raises((*LOST, http.client.IncompleteRead, TypeError)):
        naive.create_all("A", "B")
    assert (naive.ids, subjects(naive.world)) == ({}, ["A", "B"])


def test_a_batch_may_be_done_long_after_it_looks_undone(naive: Naive) -> None:
    naive.world.sandbox.faults.add(lambda info: info.kind == "batch", "504-late", delay=120)
    with pytest.raises(KeyError):
        naive.create_all("A", "B")
    assert subjects(naive.world) == []
    naive.world.sandbox.clock.advance(120)
    assert subjects(naive.world) == ["A", "B"]


@pytest.mark.prove
def test_five_at_once_lose_one_and_a_soft_edge_only_sometimes(naive: Naive) -> None:
    world = naive.world
    world.sandbox.latency = 0.3
    statuses = [status for status, _, _ in asyncio.run(together(world, *[world.events] * 5))]
    assert sorted(statuses) == [201, 201, 201, 201, 429]
    world.sandbox.latency = 0.05
    world.sandbox.switches.mailbox_concurrency = "soft"
    lost = [
        [status for status, _, _ in asyncio.run(together(world, *[world.events] * 5))].count(429)
        for _ in range(12)
    ]
    assert 0 in lost
    assert max(lost) <= 1


def test_a_soft_edge_refuses_about_13_in_100_of_the_fifth() -> None:
    limits = Limits(Random(0), Switches(mailbox_concurrency="soft"))  # noqa: S311 - the same in each run
    for _ in range(4):
        limits.enter(("app", "mailbox"), 0.0, 0)
    refused = 0
    for number in range(5000):
        try:
            limits.enter(("app", "mailbox"), number * 1.0, 0)
            limits.leave(("app", "mailbox"))
        except Refusal:
            refused += 1
    assert 0.11 < refused / 5000 < 0.15


def test_a_slot_that_is_held_on_hurts_who_keeps_to_four(naive: Naive) -> None:
    world = naive.world
    world.sandbox.switches.slot_held = 0.5
    statuses = [world.graph.post(world.events, lecture()).status for _ in range(5)]
    assert statuses == [201, 201, 201, 201, 429]


def test_a_throttled_tenant_loses_what_is_not_sent_again(naive: Naive) -> None:
    world = naive.world
    bob = world.tenant.add_mailbox(f"bob@{world.tenant.domain}")
    world.sandbox.throttle(world.tenant, 30)
    naive.create("Logic")
    answer = world.graph.post(f"/users/{bob.address}/events", lecture())
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (429, "TooManyRequests", "30")
    assert world.ada.events() == bob.events() == []
    world.sandbox.clock.advance(30)
    naive.create("Logic")
    assert subjects(world) == ["Logic"]


def test_a_hurry_over_many_mailboxes_meets_the_limit_of_the_tenant(naive: Naive) -> None:
    world = naive.world
    world.sandbox.switches.tenant_requests = 6
    for number in range(4):
        world.tenant.add_mailbox(f"p{number}@{world.tenant.domain}")
    statuses = [
        world.graph.get(f"/users/p{number % 4}@{world.tenant.domain}/events").status for number in range(8)
    ]
    assert statuses == [200] * 6 + [429] * 2
    world.sandbox.clock.advance(10)
    assert world.graph.get(world.events).status == 200


def test_large_bodies_fill_the_window_of_uploads(naive: Naive) -> None:
    world = naive.world
    # Refused for what it says, and counted for what it weighs.
    homework = json.dumps({"homework": "x" * 3_990_000}).encode()
    statuses = [world.graph.post(world.events, homework).status for _ in range(39)]
    assert statuses == [400] * 37 + [429] * 2
    answer = world.graph.post(world.events, lecture())
    assert answer.status == 429
    world.sandbox.clock.advance(int(answer.headers["retry-after"]))
    assert world.graph.post(world.events, lecture()).status == 201


@pytest.mark.parametrize(
    ("style", "hurt"),
    [("seconds", None), ("absent", KeyError), ("decimal", None), ("silly", ValueError)],
)
def test_retry_after_is_not_always_a_number(naive: Naive, style: Any, hurt: Any) -> None:
    naive.world.sandbox.switches.retry_after = style
    naive.world.sandbox.throttle(naive.world.tenant, 10)
    headers = [naive.world.graph.get(naive.world.events).headers for _ in range(40)]
    if hurt is None:
        naive.wait(headers[0])
        assert 9 <= float(headers[0]["retry-after"]) <= 10
        assert headers[0]["retry-after"].isdigit() == (style == "seconds")
    else:
        with pytest.raises(hurt):
            list(map(naive.wait, headers))


def test_a_stale_mailbox_never_comes_back_for_who_asks_by_address(naive: Naive) -> None:
    world = naive.world
    world.ada.state = "stale"
    naive.create("Logic", tries=5)
    world.sandbox.clock.advance(86_400)
    answer = world.sign_in().get(world.events)
    assert (answer.status, answer.code) == (503, "MailboxInfoStale")
    by_id = f"/users/{world.ada.id}/events"
    assert world.sign_in().post(by_id, lecture()).status == 201
    world.sandbox.switches.stale_only_by_address = False
    assert world.sign_in().post(by_id, lecture()).status == 503


@pytest.mark.parametrize(
    ("state", "code", "wait"),
    [("unavailable", "ErrorMailboxStoreUnavailable", None), ("busy", "ErrorServerBusy", "10")],
)
def test_a_store_that_does_not_answer_loses_what_is_not_kept(
    naive: Naive, state: str, code: str, wait: str | None
) -> None:
    world = naive.world
    world.ada.state = state
    naive.create("Logic")
    answer = world.graph.post(world.events, lecture())
    assert (answer.status, answer.code, answer.headers.get("retry-after")) == (503, code, wait)
    world.ada.state = "active"
    assert world.ada.events() == []


def test_impatience_makes_a_double(naive: Naive) -> None:
    world = naive.world
    world.sandbox.latency = 0.8
    world.wire._connection.timeout = 0.4
    world.wire.close()
    naive.create("Logic")
    world.wire._connection.timeout = 20
    deadline = time.monotonic() + 5
    while len(world.ada.events()) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (subjects(world), naive.ids) == (["Logic", "Logic"], {})


def test_latency_as_in_life_is_slow_and_now_and_then_very_slow() -> None:
    latency = Latency(7)
    drawn = sorted(latency.seconds() for _ in range(20_000))
    assert drawn[0] >= 0.15
    assert 0.2 < drawn[10_000] < 0.35
    assert drawn[19_300] <= 0.6 < drawn[19_600]
    assert 5 < drawn[-1] <= 30


def test_latency_is_the_same_for_the_same_seed_and_grows_with_the_load() -> None:
    first, second, loaded = Latency(7), Latency(7), Latency(7)
    plain = [first.seconds() for _ in range(100)]
    assert [second.seconds() for _ in range(100)] == plain
    assert sum(loaded.seconds(400) for _ in range(100)) > 3 * sum(plain)


def test_a_sandbox_takes_its_time_as_in_life(naive: Naive) -> None:
    naive.world.sandbox.latency = Latency(1, scale=0.1)
    begin = time.monotonic()
    for _ in range(10):
        naive.world.graph.get(naive.world.events)
    assert 0.15 <= time.monotonic() - begin < 5


def test_what_somebody_else_touches_refuses_the_update_of_who_does_not_look_again(naive: Naive) -> None:
    world = naive.world
    event = world.create()
    world.ada.touch_event(event["id"])
    path, change = f"{world.events}/{event['id']}", {"subject": "Sets"}
    answers = [world.graph.patch(path, change, If_Match=event["@odata.etag"]).status for _ in range(3)]
    assert (answers, subjects(world)) == ([412, 412, 412], ["Logic"])


@pytest.mark.parametrize(
    ("effect", "code"), [("412-before", "ErrorIrresolvableConflict"), ("409-before", "ConcurrentItemSave")]
)
def test_a_conflict_in_passing_loses_the_update_of_who_asked_for_no_version(
    naive: Naive, effect: str, code: str
) -> None:
    """The service itself works on an item now and then; there is no ``If-Match`` here."""
    world = naive.world
    event = world.create()
    path, change = f"{world.events}/{event['id']}", {"subject": "Sets"}
    world.sandbox.faults.add(lambda info: info.method == "PATCH", effect)
    answer = world.graph.patch(path, change)
    assert (answer.status, answer.code, subjects(world)) == (int(effect[:3]), code, ["Logic"])
    assert world.graph.patch(path, change).status == 200


def test_faults_by_share_hit_the_same_requests_for_the_same_seed(naive: Naive) -> None:
    world = naive.world
    world.sandbox.faults.reseed(3)
    world.sandbox.faults.add(is_create, 503, times=None, share=0.3)
    first = [world.graph.post(world.events, lecture()).status for _ in range(30)]
    world.sandbox.faults.reseed(3)
    second = [world.graph.post(world.events, lecture()).status for _ in range(30)]
    assert first == second
    assert 3 <= first.count(503) <= 16
