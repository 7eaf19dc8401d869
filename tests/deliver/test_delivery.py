"""A delivery as a whole: its progress, its end when it is stopped, and errors beside others' work."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy.exc import OperationalError
from tests.deliver.stage import Stage, batch_of, lecture, member

from classbell.deliver import Delivery
from classbell.errors import ClassbellError, TemporaryError
from classbell.model import Action, Suspended
from classbell.outlook.mark import MARK_PROPERTY as MARKED
from classbell.ports import NoAnswer, Response

pytestmark = pytest.mark.anyio

NAMES = ["ada", "bob", "cyd", "dan", "eve"]
# Four units of twenty changes are under way at a time.
MANY = [f"p{n:02}" for n in range(40)]


def term(
    stage: Stage, lectures: int = 12, *, place: str = "B12", names: Sequence[str] = tuple(NAMES)
) -> None:
    for name in names:
        stage.mailbox(name)
        stage.timetable[name] = [lecture(f"L{n}", day=10 + n, place=place) for n in range(lectures)]


class Between:
    """The way to the service, on which a test does something before the exchange of each batch."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.batches = 0

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        send_until: float | None = None,
        timeout: float = 60.0,  # noqa: ASYNC109 - the port's own word
    ) -> Response:
        if url.endswith("$batch"):
            self.batches += 1
            await self.before(self.batches)
        return await self.stage.transport.request(
            method, url, headers=headers, body=body, send_until=send_until, timeout=timeout
        )

    async def before(self, batch: int) -> None:
        """What to do before the exchange of this batch."""


async def test_progress_counts_every_change_once_and_ends_at_the_whole(stage: Stage) -> None:
    term(stage)
    tally = await stage.run(in_flight=2)
    counts = [(told.done, told.total) for told in stage.progress]
    assert counts == sorted(counts)
    assert counts[-1] == (60, 60)
    assert {total for _, total in counts} == {60}
    assert sum(tally.done.values()) == 60
    assert tally.batches == len(
        [r for r in stage.sandbox.history if r.tenant == stage.tenant.tenant_id and r.path.endswith("$batch")]
    )


async def test_progress_says_until_when_the_service_has_us_wait(stage: Stage) -> None:
    term(stage)
    began = stage.clock.now()
    stage.sandbox.faults.add(batch_of("POST"), 429, retry_after=30)
    await stage.run(in_flight=1)
    told = max(progress.waiting_until for progress in stage.progress)
    assert told == pytest.approx(began + 30, abs=2)
    assert stage.progress[-1].waiting_until == 0.0


async def test_changes_held_for_a_person_and_changes_that_wait_add_up_with_the_done_ones(
    stage: Stage,
) -> None:
    term(stage, 4)
    await stage.run()
    stage.mailbox("ada").edit_event(
        stage.our_event("ada", "L0"), {"singleValueExtendedProperties": [{"id": MARKED, "value": "1/x/y/[]"}]}
    )
    stage.mailbox("bob").state = "unlicensed"
    term(stage, 4, place="A1")
    stage.progress.clear()
    tally = await stage.run()
    assert tally.done == {Action.UPDATE: 4 * 4 - 1}
    assert sum(tally.left.values()) == 1
    assert (stage.progress[-1].done, stage.progress[-1].total) == (16, 20)
    assert len(await stage.open_changes()) == 5


@pytest.mark.parametrize("at", range(1, 7))
async def test_when_stopped_it_finishes_what_is_on_its_way_and_begins_nothing(stage: Stage, at: int) -> None:
    term(stage)
    stage.sandbox.latency = 0.002

    class Stopping(Between):
        delivery: Delivery

        async def before(self, batch: int) -> None:
            if batch == at:
                self.delivery.stop()

    way = Stopping(stage)
    async with stage.ledger() as book:
        revision = await stage.accept(book)
        way.delivery = stage.delivery(book, revision=revision, transport=way, in_flight=2)
        tally = await way.delivery.run()
    assert tally.interrupted
    # Of two units under way each can be at its first look, its second, or its write.
    assert way.batches <= at + 2
    shown = sum(len(stage.shown(name)) for name in NAMES)
    assert shown == tally.done[Action.CREATE]
    left = await stage.why_open()
    assert len(left) == 60 - shown
    assert set(left.values()) == {("pending", "")} if left else shown == 60
    await stage.assert_packed()
    await stage.run()
    await stage.assert_true()


async def test_a_delivery_stopped_in_a_wait_ends_at_once(stage: Stage) -> None:
    term(stage, 1)
    stage.sandbox.faults.add(member("POST"), 429, times=None, retry_after=9)
    async with stage.ledger() as book:
        delivery = stage.delivery(book, revision=await stage.accept(book))
        waiting = asyncio.Event()

        async def for_ever(_: float) -> None:
            waiting.set()
            await asyncio.Event().wait()

        stage.clock.sleep = for_ever  # type: ignore[method-assign, assignment]
        running = asyncio.ensure_future(delivery.run())
        await waiting.wait()
        delivery.stop()
        tally = await asyncio.wait_for(running, 5)
    assert tally.interrupted


class Defect(Exception):
    """Something that nobody has foreseen."""


@pytest.mark.stands_on("tenant_requests")
@pytest.mark.parametrize(
    "defect", [Defect(), TemporaryError("E-X", "x"), OperationalError("", {}, Exception())]
)
async def test_an_error_of_one_unit_loses_no_outcome_of_the_others(stage: Stage, defect: Exception) -> None:
    """Four batches are under way when one of them meets it; the others' answers come later."""
    term(stage, 2, names=MANY)
    await stage.run()
    term(stage, 2, names=MANY, place="A1")
    stage.sandbox.latency = 0.02

    class Failing(Between):
        async def before(self, batch: int) -> None:
            if batch == 2:
                raise defect

    before = stage.here
    way = Failing(stage)
    async with stage.ledger() as book:
        delivery = stage.delivery(book, revision=await stage.accept(book), transport=way, in_flight=4)
        with pytest.raises(type(defect)):
            await delivery.run()
    assert way.batches == 4
    assert len([record for record in stage.asked("PATCH", since=before) if record.status == 200]) == 60
    assert len(await stage.open_changes()) == 20
    stage.sandbox.latency = 0.0
    await stage.assert_packed()
    again = stage.here
    await stage.run()
    assert len([r for r in stage.asked("PATCH", since=again) if r.status == 200]) == 20
    await stage.assert_true()


async def test_an_answer_that_cannot_be_written_down_is_looked_up_by_the_next_run(stage: Stage) -> None:
    """The disk goes read-only before the outcome comes: the event is there, and nobody has noted it."""
    term(stage, 2)
    async with stage.ledger() as book:
        revision = await stage.accept(book)

        class ReadOnly(Between):
            async def before(self, batch: int) -> None:
                if batch == 3:
                    await book.changes._database.read(lambda c: c.exec_driver_sql("PRAGMA query_only = ON"))

        with pytest.raises(ClassbellError):
            await stage.delivery(book, revision=revision, transport=ReadOnly(stage)).run()
    assert sum(len(stage.shown(name)) for name in NAMES) == 10
    await stage.settle()
    await stage.assert_true()


async def test_a_request_that_could_not_leave_in_time_is_sent_again(stage: Stage) -> None:
    """The process was asleep between intent and request; another one may have taken over."""
    term(stage, 2)

    class Asleep(Between):
        async def before(self, batch: int) -> None:
            if batch == 3:
                stage.clock.pass_time(61)

    way = Asleep(stage)
    await stage.run(transport=way)
    assert way.batches > 3
    await stage.assert_true()


async def test_cut_answers_of_batches_are_unknown_member_by_member(stage: Stage) -> None:
    term(stage, 2)

    class Cutting(Between):
        async def request(self, method: str, url: str, **how: object) -> Response:
            response = await super().request(method, url, **how)  # type: ignore[arg-type]
            if self.batches == 3 and url.endswith("$batch"):
                self.batches += 1
                return Response(
                    status=200, headers=response.headers, body=response.body[: len(response.body) // 2]
                )
            return response

    await stage.run(transport=Cutting(stage))
    assert {state for state, _ in (await stage.why_open()).values()} == {"unknown"}
    await stage.settle()
    await stage.assert_true()


async def test_rows_of_the_ledger_are_packed_also_after_an_error(stage: Stage) -> None:
    term(stage)

    class Breaking(Between):
        async def before(self, batch: int) -> None:
            if batch > 4:
                raise NoAnswer("cut", sent=False)

    with pytest.raises(ClassbellError):
        await stage.run(transport=Breaking(stage), in_flight=1)
    await stage.assert_packed()
    await stage.settle()
    await stage.assert_true()


async def test_deliveries_one_after_the_other_on_one_ledger_object_stay_true(stage: Stage) -> None:
    """As in a service: the process lives on, and so does its ledger."""
    async with stage.ledger() as book:
        for place in ("A1", "A2", "A3"):
            term(stage, 2, place=place)
            await stage.delivery(book, revision=await stage.accept(book)).run()
    await stage.assert_true()


@pytest.mark.stands_on("outlook_rest")
@pytest.mark.parametrize("everybody", [False, True])
async def test_who_is_paused_amid_a_delivery_is_left_out_and_all_others_are_served(
    stage: Stage, *, everybody: bool
) -> None:
    term(stage)

    class Pausing(Between):
        async def before(self, batch: int) -> None:
            if batch == 4:
                async with stage.ledger() as book:
                    if everybody:
                        await book.suspensions.pause_all("a move", stage.clock.now())
                    else:
                        paused = Suspended.PAUSED
                        await book.suspensions.suspend(
                            stage.address("ada"), paused, "exams", stage.clock.now()
                        )

    way = Pausing(stage)
    tally = await stage.run(transport=way, in_flight=1)
    assert not tally.failed
    assert way.batches >= 4
    async with stage.ledger() as book:
        (waiting,) = await book.changes.waiting()
    assert (waiting.code, waiting.changes > 0) == ("E-PAUSED", True)
    # What was on its way by then may still come in.
    assert len(stage.shown("ada")) + waiting.changes == 12 or everybody
    if not everybody:
        assert all(len(stage.shown(name)) == 12 for name in NAMES[1:])
    async with stage.ledger() as book:
        await book.suspensions.resume_all()
        for one in await book.suspensions.all():
            await book.suspensions.lift(one.mailbox.id)
    await stage.settle()
    await stage.assert_true()
