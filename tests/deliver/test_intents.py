"""What is written down before anything leaves, and what can be found after it."""

import sqlite3
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from tests.deliver.stage import Stage, lecture, mark_of, member
from tests.deliver.test_delivery import Between

from classbell.deliver.settle import STAMP_TOLERANCE
from classbell.ports import Response

pytestmark = pytest.mark.anyio


class Reading(Between):
    """Reads, in another connection, in which state the ledger's changes are when a batch is about to leave."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.seen: list[dict[str, int]] = []

    async def before(self, batch: int) -> None:
        assert batch == len(self.seen) + 1
        books = sqlite3.connect(self.stage.folder / "ledger.db")
        try:
            rows = books.execute("SELECT state FROM change WHERE state <> 'done'").fetchall()
        finally:
            books.close()
        self.seen.append(Counter(state for (state,) in rows))


async def test_every_intent_is_written_down_before_its_request_leaves(stage: Stage) -> None:
    ada = [lecture("Logic"), lecture("Sets", day=11), lecture("Topology", day=12)]
    stage.mailbox("ada")
    stage.timetable["ada"] = ada[:1]
    await stage.run()
    stage.timetable["ada"] = [lecture("Sets", day=11)]
    create_and_delete = Reading(stage)
    await stage.run(transport=create_and_delete)
    stage.timetable["ada"] = [lecture("Sets", day=11, place="A1")]
    update = Reading(stage)
    await stage.run(transport=update)
    assert create_and_delete.seen == [{"sent": 2}]
    assert update.seen == [{"sent": 1}]
    await stage.assert_true()


async def test_what_is_deleted_lies_in_its_owners_deleted_items(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=11)]
    await stage.run()
    stage.timetable["ada"] = [lecture("Sets", day=11)]
    await stage.run()
    assert [event["subject"] for event in ada.deleted_events()] == ["Logic"]
    await stage.assert_true()


async def test_what_ends_while_its_deletion_waits_for_the_service_stays(stage: Stage) -> None:
    """It was still to end when the delivery began."""
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic", day=0, hour=6), lecture("Sets", day=11)]
    await stage.run()
    stage.clock.pass_time(59 * 60)
    stage.timetable["ada"] = []
    stage.sandbox.faults.add(member("DELETE"), 429, times=2, retry_after=100)
    await stage.run(patience=200.0)
    assert [title for title, *_ in stage.shown("ada")] == ["Logic"]
    assert await stage.why_open() == {}
    await stage.assert_packed()


class Stopping:
    """Stops the process for forty minutes when an answer has come and is not read yet: the first one, or a later one."""

    def __init__(self, stage: Stage, answer: int) -> None:
        self._stage = stage
        self._left = answer

    async def request(self, method: str, url: str, **more: Any) -> Response:
        response = await self._stage.transport.request(method, url, **more)
        self._left -= 1
        if self._left == 0:
            self._stage.clock.pass_time(2_400)
        return response


@pytest.mark.parametrize("ahead", [0.0, 25.0])
@pytest.mark.parametrize(("known", "answer"), [(True, 1), (False, 3)], ids=["signing_in", "looking"])
async def test_whoever_was_stopped_before_reading_an_answer_does_not_take_the_time_of_then_for_now(
    stage: Stage, answer: int, ahead: float, *, known: bool
) -> None:
    """Its marks would name intents of long ago, and what it had made be taken for copies; and nothing could end sending."""
    stage.clock.ahead = ahead
    stage.mailbox("ada")
    if known:
        stage.timetable["ada"] = [lecture("Sets", day=11)]
        await stage.run()
    stage.timetable["ada"] = [lecture("Logic")]
    await stage.run(transport=Stopping(stage, answer))
    event = next(event for event in stage.mailbox("ada").events() if event["subject"] == "Logic")
    mark = mark_of(event)
    assert mark is not None
    made_at = datetime.fromisoformat(event["createdDateTime"][:19] + "+00:00").timestamp()
    assert abs(made_at - mark.intent_at) <= STAMP_TOLERANCE
    await stage.assert_true()
