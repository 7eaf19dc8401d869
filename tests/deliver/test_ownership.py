"""Whose an event is: asked in one place, of an entry of the ledger and never of a mark alone; refusals are told."""

import io
import json
import sqlite3
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest
from tests.deliver.stage import Stage, lecture, mark_of

from classbell import telemetry
from classbell.model import Action, Became, Entry
from classbell.outlook.dialect import Dialect
from classbell.outlook.graph import GraphDialect
from classbell.outlook.mark import MARK_PROPERTY

pytestmark = pytest.mark.anyio


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    telemetry.configure(stream, as_json=True)
    yield stream
    telemetry.silence()


def refusals(log: io.StringIO) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["msg"] == "refused to write to an event that is not provably ours"]


@pytest.fixture
async def delivered(stage: Stage) -> None:
    """Ada has two lectures, one of which is to be changed and one to be removed."""
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=12)]
    await stage.run()
    stage.timetable["ada"] = [lecture("Logic", place="A1")]


@pytest.mark.parametrize("dialect", [Dialect, GraphDialect])
@pytest.mark.parametrize("name", ["update", "delete", "delete_permanently", "read"])
def test_what_touches_an_event_takes_an_entry_and_never_a_bare_id(dialect: type, name: str) -> None:
    """The type checker holds every caller to it; this holds the functions themselves."""
    assert get_type_hints(getattr(dialect, name))["entry"] is Entry


@pytest.mark.usefixtures("delivered")
async def test_without_an_entry_nothing_is_written_and_the_rest_goes_on(
    stage: Stage, log: io.StringIO
) -> None:
    async with stage.ledger() as book:
        revision = await stage.accept(book)
        with sqlite3.connect(stage.folder / "ledger.db") as database:
            database.execute("DELETE FROM entry WHERE starts_at = (SELECT min(starts_at) FROM entry)")
        database.close()
        before = stage.here
        tally = await stage.delivery(book, revision=revision).run()
    assert (tally.done, tally.left, tally.refused) == ({Action.DELETE: 1}, {Became.HELD: 1}, 1)
    assert [record.method for record in stage.asked(since=before)] == ["DELETE"]
    (refusal,) = refusals(log)
    assert (refusal["action"], refusal["mailbox"]) == ("update", stage.address("ada"))
    assert (await stage.why_open())["ada", "Logic"] == ("held", "E-EVT-FOREIGN")


# Where a DELETE does not obey If-Match, such an event goes when its meeting does: docs/reference/sandbox.md, Switches.
@pytest.mark.stands_on("if_match_on_delete")
@pytest.mark.usefixtures("delivered")
async def test_under_another_mark_nothing_is_written_and_it_is_told(stage: Stage, log: io.StringIO) -> None:
    ada = stage.mailbox("ada")
    for title in ("Logic", "Sets"):
        event = stage.our_event("ada", title)
        mark = mark_of(ada.event(event))
        assert mark is not None
        text = mark.text().replace(mark.installation, "0d0fbbd4-26e4-4d4a-8c2f-7a3c5f9f3a11")
        ada.edit_event(event, {"singleValueExtendedProperties": [{"id": MARK_PROPERTY, "value": text}]})
    before = [json.dumps(event, sort_keys=True) for event in ada.events()]
    tally = await stage.run()
    assert (tally.done, tally.refused) == ({}, 2)
    assert {refusal["action"] for refusal in refusals(log)} == {"update", "delete"}
    assert [json.dumps(event, sort_keys=True) for event in ada.events()] == before
