"""Throttled, fenced, faulty: nobody is pressed, nobody waits for another, nothing is lost."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import pytest
from tests.deliver.stage import BOUND, Stage, batch, batch_of, lecture, member

from classbell.errors import ServiceUnavailable
from classbell.model import Action
from classbell.ports import NoAnswer, Response
from classbell.sandbox import Record, RequestInfo

pytestmark = pytest.mark.anyio

NAMES = ["ada", "bob", "cyd", "dan", "eve"]


def term(stage: Stage, names: list[str], lectures: int) -> None:
    for name in names:
        stage.mailbox(name)
        stage.timetable[name] = [lecture(f"L{n}", day=10 + n % 60, hour=n // 60) for n in range(lectures)]


def of_ada(title: str) -> Callable[[RequestInfo], bool]:
    """Whether a request makes the event of that title in Ada's calendar."""
    return lambda info: member("POST", "ada")(info) and info.body["subject"] == title


def within(records: list[Record], name: str, begin: float, end: float) -> list[Record]:
    return [r for r in records if r.mailbox.startswith(f"{name}@") and begin < r.at < end]


async def test_a_throttled_mailbox_waits_as_long_as_asked_and_no_other_does(stage: Stage) -> None:
    term(stage, ["ada", "bob"], 12)
    began = stage.clock.now()
    stage.sandbox.faults.add(member("POST", "ada"), 429, retry_after=50)
    await stage.run()
    records = stage.asked("POST")
    (refusal,) = [record for record in records if record.status == 429]
    # Those that were sent with it had left by then.
    assert within(records, "ada", refusal.at + 5, refusal.at + 50) == []
    bob = [record.at for record in records if record.mailbox.startswith("bob@")]
    assert len(bob) == 12
    assert max(bob) < began + 5
    await stage.assert_true()


@pytest.mark.parametrize("retry_after", [300, 7200])
async def test_a_peace_longer_than_our_patience_is_left_to_a_later_run_which_keeps_it_too(
    stage: Stage, retry_after: int
) -> None:
    term(stage, ["ada", "bob"], 12)
    began = stage.clock.now()
    stage.sandbox.faults.add(member("POST", "ada"), 429, retry_after=retry_after)
    await stage.run()
    assert sum(stage.clock.waits) < 120
    assert stage.shown("bob") == stage.wanted("bob")
    assert set((await stage.why_open()).values()) == {("waiting", "E-GRAPH-429")}
    stage.timetable["ada"].append(lecture("New"))
    stage.clock.pass_time(100)
    await stage.run()
    assert within(stage.asked(), "ada", began + 5, began + retry_after) == []
    stage.clock.pass_time(retry_after)
    await stage.run()
    await stage.assert_true()


async def test_a_late_answer_to_an_earlier_request_does_not_end_the_peace(stage: Stage) -> None:
    """Of two batches under way the first is refused for a mailbox; the second one's answer is good."""
    names = ["ada", *(f"p{n:02}" for n in range(19))]
    term(stage, names, 2)
    await stage.run()

    class Slow:
        def __init__(self) -> None:
            self.batches = 0

        async def request(self, method: str, url: str, **how: object) -> Response:
            self.batches += url.endswith("$batch")
            if self.batches == 2:
                await asyncio.sleep(0.3)
            return await stage.transport.request(method, url, **how)  # type: ignore[arg-type]

    for name in names:
        stage.timetable[name] = [lecture(f"L{n}", day=10 + n, place="A1") for n in range(2)]
    stage.sandbox.faults.add(member("PATCH", "ada"), 429, retry_after=1800)
    before = stage.here
    await stage.run(transport=Slow(), in_flight=2)
    assert [r.status for r in stage.asked("PATCH", since=before) if "ada@" in r.path] == [429, 200]
    stage.clock.pass_time(600)
    before = stage.here
    await stage.run()
    assert stage.asked(since=before) == []
    stage.clock.pass_time(1300)
    await stage.run()
    await stage.assert_true()


async def test_refusals_without_retry_after_are_met_with_ever_longer_waits(stage: Stage) -> None:
    term(stage, ["ada"], 1)
    stage.sandbox.faults.add(member("POST"), 429, times=4)
    await stage.run()
    times = [record.at for record in stage.asked("POST")]
    gaps = [round(later - earlier, 1) for earlier, later in pairwise(times)]
    assert len(gaps) == 4
    assert gaps == sorted(gaps)
    assert gaps[-1] > 3 * gaps[0]
    await stage.assert_true()


async def test_a_mailbox_that_fails_for_ever_ends_the_delivery_in_time_and_keeps_the_reason(
    stage: Stage,
) -> None:
    term(stage, ["ada", "bob"], 3)
    stage.sandbox.faults.add(member("POST", "ada"), 429, times=None)
    began = stage.clock.now()
    tally = await stage.run()
    assert stage.clock.now() - began < 130
    assert len(stage.clock.waits) < 20, "it waits instead of asking again and again"
    assert tally.done[Action.CREATE] == 3
    assert set((await stage.why_open()).values()) == {("waiting", "E-GRAPH-429")}
    stage.sandbox.faults.clear()
    await stage.settle(1)
    await stage.assert_true()


@pytest.mark.parametrize("state", ["moving", "stale", "unavailable"])
async def test_a_mailbox_in_passing_trouble_is_served_when_it_is_over(stage: Stage, state: str) -> None:
    term(stage, ["ada", "bob"], 3)
    stage.mailbox("ada").state = state
    began = stage.clock.now()
    await stage.run()
    assert stage.clock.now() - began < 130
    assert stage.shown("bob") == stage.wanted("bob")
    stage.mailbox("ada").state = "active"
    await stage.settle(1)
    await stage.assert_true()


@pytest.mark.stands_on("tenant_requests")
@pytest.mark.parametrize("names", [1, 5])
async def test_no_mailbox_has_more_than_three_requests_in_flight(stage: Stage, names: int) -> None:
    stage.sandbox.latency = 0.004
    term(stage, NAMES[:names], 40)
    await stage.run(in_flight=64)
    assert stage.sandbox.peak_in_flight(stage.app.client_id) <= 3
    assert [record for record in stage.asked() if record.status == 429] == []
    stage.timetable = {
        name: [lecture(f"L{n}", day=10 + n % 60, place="A1") for n in range(20)] for name in NAMES[:names]
    }
    await stage.run(in_flight=64)
    peak = stage.sandbox.peak_in_flight(stage.app.client_id)
    assert peak == 3 if names == 1 else peak <= 3
    stage.sandbox.latency = 0.0
    await stage.assert_true()


@pytest.mark.parametrize(("effect", "retry_after"), [(429, 20), (429, None), (503, 20), (504, None)])
async def test_a_refusal_of_the_whole_institution_stops_all_for_a_while_and_loses_nothing(
    stage: Stage, effect: int, retry_after: int | None
) -> None:
    term(stage, NAMES, 8)
    await stage.run(in_flight=1)
    access = stage.access(in_flight=8)
    stage.timetable = {
        name: [lecture(f"L{n}", day=10 + n % 60, place="A1") for n in range(8)] for name in NAMES
    }
    fault = stage.sandbox.faults.add(batch, effect, retry_after=retry_after)
    before = stage.here
    began = stage.clock.now()
    async with stage.ledger() as book:
        await stage.delivery(book, revision=await stage.accept(book), access=access).run()
    assert fault.hits == 1
    assert len(stage.clock.waits) < 5, "it waits instead of asking again and again"
    assert access.pace.batches_allowed < 8
    resumed = [record.at for record in stage.asked(since=before) if record.at > began + 0.4]
    assert resumed
    assert min(resumed) - began > (retry_after or 0.5) - 0.1
    await stage.assert_true()


@pytest.mark.parametrize("retry_after", ["seconds", "absent"])
async def test_where_most_mailboxes_are_refused_at_once_the_whole_institution_waits(
    stage: Stage, retry_after: Literal["seconds", "absent"]
) -> None:
    """Requests that are refused count towards the limit too, so whoever goes on asking is let in ever less."""
    many = [f"p{n}" for n in range(30)]
    term(stage, many, 20)
    stage.sandbox.switches.tenant_requests = 60
    stage.sandbox.switches.retry_after = retry_after
    began = stage.clock.now()
    await stage.run(in_flight=64)
    records = stage.asked("POST")
    assert len([record for record in records if record.status == 201]) == 600
    assert stage.clock.now() - began < 300
    assert len(records) < 2 * 600 + 64 * 20
    await stage.assert_true()


async def test_a_long_refusal_of_the_whole_institution_is_kept_by_the_next_run_too(stage: Stage) -> None:
    term(stage, NAMES, 8)
    stage.sandbox.faults.add(batch_of("POST"), 429, retry_after=1800)
    await stage.run(in_flight=1)
    assert sum(stage.clock.waits) < 120
    stage.clock.pass_time(600)
    before = stage.here
    await stage.run()
    assert stage.asked(since=before) == []
    stage.clock.pass_time(1300)
    await stage.run()
    await stage.assert_true()


async def test_a_long_refusal_of_a_mailbox_is_kept_by_the_looks_of_the_next_run_too(stage: Stage) -> None:
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=11)]
    stage.sandbox.faults.add(member("POST"), "503-after", retry_after=1800)
    await stage.run()
    # The bound is over, so the next run could look what became of it.
    stage.clock.pass_time(1000)
    before = stage.here
    await stage.run()
    assert stage.asked(since=before) == []
    stage.clock.pass_time(1000)
    await stage.run()
    await stage.assert_true()


@pytest.mark.parametrize(("busy", "denied"), [("First", "Second"), ("Second", "First")])
async def test_a_long_refusal_is_kept_by_the_next_run_also_where_the_mailbox_denied_us_at_the_same_time(
    stage: Stage, busy: str, denied: str
) -> None:
    term(stage, ["ada", "bob"], 1)
    await stage.run()
    stage.timetable["ada"] += [lecture("First", day=1), lecture("Second", day=2)]
    stage.timetable["bob"].append(lecture("First", day=1))
    stage.sandbox.faults.add(of_ada(busy), "503-after", retry_after=1800)
    stage.sandbox.faults.add(of_ada(denied), 403, code="ErrorAccessDenied")
    await stage.run()
    stage.clock.pass_time(1000)
    before = stage.here
    await stage.run()
    assert stage.asked(since=before) == []
    await stage.settle()
    await stage.assert_true()


class Cut:
    """A network that is down: not one byte leaves, or nothing ever comes back."""

    def __init__(self, stage: Stage, *, sent: bool) -> None:
        self._stage = stage
        self._sent = sent
        self.requests = 0

    async def request(self, method: str, url: str, **how: object) -> Response:
        if "/oauth2/" in url:
            return await self._stage.transport.request(method, url, **how)  # type: ignore[arg-type]
        self.requests += 1
        raise NoAnswer("the network is unreachable", sent=self._sent)


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("known", [True, False], ids=["known", "first contact"])
async def test_a_network_that_is_down_ends_the_delivery_soon_and_says_so(
    stage: Stage, *, sent: bool, known: bool
) -> None:
    if known:
        term(stage, NAMES, 1)
        await stage.run()
    term(stage, NAMES, 30)
    transport = Cut(stage, sent=sent)
    began = stage.clock.now()
    with pytest.raises(ServiceUnavailable) as caught:
        await stage.run(transport=transport)
    assert caught.value.code == "E-GRAPH-DOWN"
    assert "unreachable" in caught.value.why
    assert stage.clock.now() - began < 60
    assert transport.requests < 40
    await stage.settle()
    await stage.assert_true()


async def test_a_connection_that_breaks_now_and_then_ends_nothing(stage: Stage) -> None:
    term(stage, NAMES, 20)
    numbers = iter(range(1000))

    def every_fourth(info: RequestInfo) -> bool:
        return info.kind == "batch" and next(numbers) % 4 == 1

    stage.sandbox.faults.add(every_fourth, "drop-before", times=None)
    await stage.run(in_flight=2)
    await stage.settle(5)
    await stage.assert_true()


async def test_connections_that_all_break_at_once_are_one_silence_and_no_outage(stage: Stage) -> None:
    """As when a gateway restarts: eight batches under way are lost together."""
    term(stage, [f"p{n:03}" for n in range(160)], 1)
    stage.sandbox.latency = 0.02
    lost = stage.sandbox.faults.add(batch, "drop-before", times=8)
    await stage.run(in_flight=8)
    assert lost.left == 0
    stage.sandbox.latency = 0.0
    await stage.assert_true()


async def test_a_delivery_that_gets_on_is_patient_again(stage: Stage) -> None:
    """Three long waits between which something was done are each within the patience."""
    term(stage, NAMES, 12)
    numbers = iter(range(1000))
    stage.sandbox.faults.add(
        lambda info: batch_of("POST")(info) and next(numbers) % 2 == 1, 429, times=3, retry_after=50
    )
    await stage.run(in_flight=1)
    assert sum(stage.clock.waits) == pytest.approx(150, abs=10)
    await stage.assert_true()


async def test_what_is_due_later_is_done_while_a_mailbox_is_fenced(stage: Stage) -> None:
    """A short fence of one mailbox does not keep the delivery from what comes due before it falls."""
    term(stage, ["ada", "bob"], 1)
    stage.sandbox.faults.add(member("POST", "ada"), 429, retry_after=9)
    stage.sandbox.faults.add(member("POST", "bob"), 429, retry_after=3)
    await stage.run()
    ada, bob = (
        max(record.at for record in stage.asked("POST") if record.mailbox.startswith(name))
        for name in ("ada", "bob")
    )
    assert ada - bob == pytest.approx(6, abs=1.5)


@pytest.mark.needs("immutable_ids")
async def test_a_conflict_is_not_read_before_the_time_that_another_answer_of_its_batch_named(
    stage: Stage,
) -> None:
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets")]
    await stage.run()
    stage.mailbox("ada").edit_event(stage.our_event("ada", "Logic"), {"importance": "high"})
    stage.timetable["ada"] = [lecture("Logic", place="C1"), lecture("Sets", place="C1")]
    refused = stage.our_event("ada", "Sets")
    stage.sandbox.faults.add(
        lambda info: info.method == "PATCH" and refused in info.path, 429, retry_after=90, times=1
    )
    before = stage.here
    await stage.run()
    asked = stage.asked(since=before)
    (fence,) = (record for record in asked if record.status == 429)
    assert {record.status for record in asked} >= {412, 429, 200}
    later = [record.at for record in asked if record.number > fence.number and record.status != 412]
    assert min(later) >= fence.at + 90
    await stage.assert_true()


async def test_no_further_page_is_asked_for_within_a_peace_that_began_amid_a_look(stage: Stage) -> None:
    stage.sandbox.switches.top_clamp = 1
    term(stage, ["ada"], 2)
    stage.mailbox("ada").create_calendar("Private")
    stage.sandbox.faults.add(member("POST"), "504-after", times=2)
    await stage.run()
    stage.clock.pass_time(2 * BOUND)
    stage.sandbox.faults.add(lambda info: "$skip" in info.path, 429, retry_after=7)
    before = stage.here
    await stage.run()
    (refusal,) = [record for record in stage.asked(since=before) if record.status == 429]
    after = [record.at for record in stage.asked() if record.number > refusal.number]
    assert min(after) >= refusal.at + 7
    await stage.assert_true()
