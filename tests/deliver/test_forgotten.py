"""Somebody is forgotten and comes back: the service remembers what the ledger does not any more."""

import math
from typing import Literal

import pytest
from tests.deliver.stage import BOUND, Stage, lecture, mark_of, member

from classbell.model import Meeting

pytestmark = pytest.mark.anyio

ADA = [lecture("Logic"), lecture("Sets", day=12)]


@pytest.fixture(autouse=True)
async def delivered(stage: Stage) -> None:
    """Ada has two lectures, Bo one."""
    for name in ("ada", "bo"):
        stage.mailbox(name)
    stage.timetable = {"ada": list(ADA), "bo": [lecture("Algebra")]}
    stage.sandbox.switches.transaction_memory = math.inf
    await stage.run()


async def forget(stage: Stage, name: str) -> None:
    """Ada wants nothing any more: all her events go, then her rows."""
    stage.timetable[name] = []
    await stage.run()
    async with stage.ledger() as book:
        mailbox = await book.mailboxes.find(stage.address(name))
        assert mailbox is not None
        now = stage.clock.now()
        remains = await book.persons.remains(mailbox.id, now)
        await book.persons.forget(mailbox.id, mailbox.key, remains, now, now)


async def come_back(stage: Stage, name: str, meetings: list[Meeting]) -> None:
    async with stage.ledger() as book:
        assert await book.persons.recall(stage.address(name))
    stage.timetable[name] = list(meetings)


@pytest.mark.parametrize("on_user_delete", ["respect", "restore"])
@pytest.mark.parametrize("of_deleted", ["duplicate", "existing", "forgotten"])
async def test_what_was_made_before_somebody_was_forgotten_is_not_taken_for_what_is_made_now(
    stage: Stage,
    of_deleted: Literal["duplicate", "existing", "forgotten"],
    on_user_delete: str,
) -> None:
    """
    Neither what we deleted nor what she had deleted herself; and not the second time either.

    Also where the first attempt to make it anew may have been carried out.
    """
    stage.sandbox.switches.transaction_of_deleted = of_deleted
    stage.policies = {"on_user_delete": on_user_delete}
    for _ in range(2):
        stage.mailbox("ada").delete_event(stage.our_event("ada", "Logic"))
        await forget(stage, "ada")
        await come_back(stage, "ada", ADA)
        stage.sandbox.faults.add(member("POST", "ada"), "503-before")
        for _ in range(2):
            await stage.run()
            stage.clock.pass_time(2 * BOUND)
        await stage.assert_true()


async def test_who_comes_back_has_everything_after_the_first_run(stage: Stage) -> None:
    """No request is of an operation that the service may remember, so that nothing has to be waited for."""
    stage.sandbox.switches.transaction_of_deleted = "duplicate"
    seen: set[str] = set()
    for _ in range(3):
        marks = [mark_of(event) for event in stage.mailbox("ada").events()]
        operations = {mark.operation for mark in marks if mark is not None}
        assert len(operations) == len(ADA)
        assert not operations & seen
        seen |= operations
        await forget(stage, "ada")
        await come_back(stage, "ada", ADA)
        await stage.run()
        assert stage.shown("ada") == stage.wanted("ada")
