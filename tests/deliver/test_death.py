"""A process that dies between any two steps leaves a ledger from which the next one carries on."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy.exc import ResourceClosedError
from tests.deliver.death import MortalTransport
from tests.deliver.stage import INSTITUTION, Stage, lecture, mark_of

pytestmark = [pytest.mark.anyio, pytest.mark.prove]

MOMENTS = pytest.mark.parametrize("before", [True, False], ids=["before", "after"])


async def run_and_die(stage: Stage, at: int, *, before: bool) -> bool:
    """One pass of a process that dies at its request number *at*; whether it did."""
    transport = MortalTransport(stage.transport, at, before=before)
    transport.ledger = await stage.open_ledger()
    book = await transport.ledger.institution(INSTITUTION)
    revision = await stage.accept(book)
    delivery = stage.delivery(book, revision=revision, transport=transport)
    running = asyncio.ensure_future(delivery.run())
    dying = asyncio.ensure_future(transport.dead.wait())
    await asyncio.wait({running, dying}, return_when=asyncio.FIRST_COMPLETED)
    dying.cancel()
    running.cancel()
    # What a dead process may still think of its closed ledger concerns nobody.
    with suppress(asyncio.CancelledError, ResourceClosedError):
        await running
    if not transport.dead.is_set():
        transport.ledger.close()
    return transport.dead.is_set()


def only_once(stage: Stage) -> bool:
    """Whether no meeting stands twice in a calendar."""
    for name in stage.timetable:
        marks = [mark_of(event) for event in stage.mailbox(name).events()]
        keys = [mark.meeting_key for mark in marks if mark is not None]
        if len(keys) != len(set(keys)):
            return False
    return True


async def play(stage: Stage, at: int, *, before: bool) -> bool:
    """
    A term begins, goes on, and its process dies at a request of the second day; whether it did.

    The second day has a create, an update and a delete in a known mailbox, a first contact, and an event
    that its owner has changed meanwhile.
    """
    stage.begin_anew()
    tag = f"{at}{'b' if before else 'a'}"
    ada, bob = f"ada{tag}", f"bob{tag}"
    stage.mailbox(ada)
    stage.mailbox(bob)
    stage.timetable = {ada: [lecture("Logic"), lecture("Sets", day=12), lecture("Algebra", day=13)]}
    await stage.run()
    stage.mailbox(ada).edit_event(stage.our_event(ada, "Algebra"), {"subject": "Mine"})
    stage.timetable = {
        ada: [
            lecture("Logic", place="A1"),
            lecture("Algebra", "Algebra II", day=13),
            lecture("Graphs", day=14),
        ],
        bob: [lecture("Logic", place="A1"), lecture("Graphs", day=14)],
    }
    died = await run_and_die(stage, at, before=before)
    for _ in range(3):
        await stage.run()
        assert only_once(stage)
        stage.clock.pass_time(86_400.0)
    await stage.assert_true()
    return died


@MOMENTS
@pytest.mark.parametrize("calendar", ["default", "Timetable"])
async def test_death_at_any_request_loses_and_doubles_nothing(
    stage: Stage, calendar: str, *, before: bool
) -> None:
    stage.calendar = calendar
    at = 1
    while await play(stage, at, before=before):
        at += 1
    assert at > 6, "the scenario makes fewer requests than it should"


@MOMENTS
async def test_death_is_survived_by_a_service_that_remembers_no_transaction(
    stage: Stage, *, before: bool
) -> None:
    stage.sandbox.switches.transaction_memory = 0.0
    at = 1
    while await play(stage, at, before=before):
        at += 1


@pytest.mark.parametrize("moment", range(1, 30, 2))
async def test_a_second_ctrl_c_at_any_instant_is_safe(stage: Stage, moment: int) -> None:
    """The delivery is cancelled after so many turns of the loop."""
    stage.timetable = {name: [lecture("Logic"), lecture("Sets", day=12)] for name in ("ada", "bob")}
    for name in stage.timetable:
        stage.mailbox(name)
    async with stage.ledger() as book:
        running = asyncio.ensure_future(stage.delivery(book, revision=await stage.accept(book)).run())
        for _ in range(moment * moment):
            await asyncio.sleep(0)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not [task for task in others if "classbell" in repr(task.get_coro())]
    assert only_once(stage)
    await stage.settle(3)
    await stage.assert_true()
