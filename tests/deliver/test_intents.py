"""What is written down before anything leaves, and what can be found after it."""

import sqlite3
from collections import Counter

import pytest
from tests.deliver.stage import Stage, lecture
from tests.deliver.test_delivery import Between

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
