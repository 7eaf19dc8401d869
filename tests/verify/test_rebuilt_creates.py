"""Creates of which nobody heard before a rebuild, and whose events are not there."""

import math

import pytest
from tests.deliver.stage import BOUND, Stage, lecture, member
from tests.verify.readings import OWNER, rebuild

from classbell.model import Action
from classbell.verify import Rebuild, Wanted
from classbell.verify.wanted import Wants

pytestmark = pytest.mark.anyio

NEEDS_TRANSACTIONS = pytest.mark.needs("transaction_id")


async def deleted_unheard(stage: Stage) -> None:
    """Bo has deleted what was made, which the service remembers; then the mailbox is rebuilt."""
    stage.sandbox.switches.transaction_memory = math.inf
    stage.sandbox.switches.transaction_of_deleted = "duplicate"
    bo = stage.mailbox("bo")
    stage.timetable = {"bo": [lecture("Algebra")]}
    await stage.run()
    stage.timetable["bo"].append(lecture("Late", day=13))
    stage.sandbox.faults.add(member("POST", "bo"), "504-after")
    await stage.run(patience=0.0)
    bo.delete_event(stage.our_event("bo", "Late"))
    stage.clock.pass_time(BOUND + 60)
    assert (await rebuild(stage)).known == 1


@NEEDS_TRANSACTIONS
async def test_what_its_owner_takes_back_is_not_taken_for_another_ledgers(stage: Stage) -> None:
    await deleted_unheard(stage)
    await stage.run()
    assert (await stage.why_open())["bo", "Late"] == ("unknown", "E-EVT-MADE")
    bo = stage.mailbox("bo")
    (late,) = (event["id"] for event in bo.deleted_events() if event["subject"] == "Late")
    bo.restore_event(late)
    await stage.settle()
    assert await stage.why_open() == {}
    await stage.assert_true()


@NEEDS_TRANSACTIONS
@pytest.mark.parametrize("wish", ["respect", "restore"])
async def test_that_its_owner_has_deleted_one_is_learnt_from_the_service(stage: Stage, wish: str) -> None:
    stage.policies = {"on_user_delete": wish}
    await deleted_unheard(stage)
    await stage.run()
    stage.clock.pass_time(2 * BOUND)
    made = (await stage.run()).done
    assert made == ({} if wish == "respect" else {Action.CREATE: 1})
    await stage.assert_true(but={"bo": ""} if wish == "respect" else {})


async def test_what_is_wanted_no_more_is_not_sent_again(stage: Stage) -> None:
    await deleted_unheard(stage)
    del stage.timetable["bo"][1]
    assert (await stage.run()).done == {}
    assert await stage.why_open() == {}


@NEEDS_TRANSACTIONS
async def test_what_a_lost_ledger_had_made_is_no_attempt_of_ours(stage: Stage) -> None:
    """Bo has deleted another version than the one that is wanted now, which nobody knows any more: it is delivered."""
    stage.sandbox.switches.transaction_memory = math.inf
    stage.sandbox.switches.transaction_of_deleted = "duplicate"
    stage.policies = {"on_user_delete": "respect"}
    bo = stage.mailbox("bo")
    stage.timetable = {"bo": [lecture("Late", day=13)]}
    await stage.run()
    bo.delete_event(stage.our_event("bo", "Late"))
    stage.timetable["bo"] = [lecture("Late", day=13, place="C7")]
    stage.lose_ledger()
    stage.clock.pass_time(BOUND + 60)
    here = stage.here
    of_bo = member("GET", "bo")
    stage.sandbox.faults.add(
        lambda info: of_bo(info) and bool(stage.asked("POST", since=here)), "503-before", times=None
    )
    await stage.run(patience=0.0)
    stage.sandbox.faults.clear()
    assert (await stage.why_open())["bo", "Late"] == ("unknown", "E-EVT-MADE")
    stage.clock.pass_time(BOUND + 60)
    await rebuild(stage)
    await stage.settle()
    await stage.assert_true()


class SentMeanwhile(Wanted):
    """Beside the rebuild another process sends a create, once the rebuild has looked."""

    stage: Stage

    async def of(self, mailbox: str) -> Wants:
        self.stage.sandbox.faults.add(member("POST", "bo"), "504-after")
        await self.stage.run(patience=0.0)
        return await super().of(mailbox)


async def test_what_another_process_has_sent_since_the_look_is_not_sent_again(stage: Stage) -> None:
    stage.sandbox.switches.transaction_memory = 0.0
    stage.mailbox("bo")
    stage.timetable = {"bo": [lecture("Algebra")]}
    await stage.run()
    stage.clock.pass_time(BOUND + 60)
    stage.timetable["bo"].append(lecture("Late", day=13))
    async with stage.ledger() as book:
        _, desired, meetings, mailboxes, renderings = await stage.state(book)
        wanted = SentMeanwhile(book, desired, meetings, mailboxes, renderings)
        wanted.stage = stage
        await Rebuild(
            book, stage.access(), stage.clock, owner=OWNER, bound=BOUND, timezone="UTC", wanted=wanted
        ).all()
    assert (await stage.why_open())["bo", "Late"][0] == "unknown"
    await stage.run(patience=0.0)
    await stage.settle()
    await stage.assert_true()
