"""
What a statement walks through: a ledger keeps every change that was ever made, and no run may read them all.

SQLite is asked how it would answer each statement; it must not scan the tables that grow for ever.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Select, event, func, select
from tests.contract.ledger.books import (
    FORM,
    INSTALLATION,
    NOW,
    accept,
    conclude,
    create,
    delete,
    deliver,
    due,
    pack,
    packed,
    send,
    update,
)

from classbell.ledger import InstitutionLedger, Ledger
from classbell.ledger.schema import change
from classbell.model import Became, Mailbox

pytestmark = pytest.mark.anyio

GROWING = ("change", "entry", "past_incarnation", "rendering", "packed", "run")
# These hold open changes only.
SMALL = ("uq_change_open_pair", "ix_change_due")


@pytest.fixture
async def ledger(file: Path) -> AsyncIterator[Ledger]:
    opened = await Ledger.open(f"sqlite:///{file}", INSTALLATION)
    yield opened
    opened.close()


@pytest.fixture
async def uni(ledger: Ledger) -> InstitutionLedger:
    """With some of everything in its books."""
    book = await ledger.institution("uni")
    await accept(book, *(create(f"p{n}", f"m{n % 7}") for n in range(40)))
    await deliver(book)
    await accept(book, *(update(f"p{n}", f"m{n % 7}") for n in range(20)), delete("p30", "m2"))
    return book


@contextmanager
def scans(ledger: Ledger) -> Iterator[list[str]]:
    """Every full walk through a growing table, by the statements that would make it."""
    connection = ledger._database._connection.connection.dbapi_connection
    assert connection is not None
    found: list[str] = []

    def explain(_c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's own order
        if statement.split(maxsplit=1)[0] not in {"SELECT", "UPDATE", "DELETE", "INSERT"}:
            return
        one = parameters[0] if many else parameters
        for *_, step in connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", one):
            if step.split()[:1] == ["SCAN"] and step.split()[1] in GROWING and not step.endswith(SMALL):
                found.append(f"{step}: {' '.join(statement.split())}")

    event.listen(ledger._database._engine, "before_cursor_execute", explain)
    yield found
    event.remove(ledger._database._engine, "before_cursor_execute", explain)


async def test_planning_and_accepting_walk_through_no_history(ledger: Ledger, uni: InstitutionLedger) -> None:
    with scans(ledger) as found:
        await uni.mailboxes.numbers()
        await uni.meetings.numbers()
        await uni.runs.sources()
        await packed(uni, fresh=await uni.entries.stale())
        await uni.changes.unsettled()
        await accept(uni, update("p1", "m1", fingerprint=9), create("p1", "m3"), delete("p2", "m2"))
        await accept(uni, update("p1", "m1", fingerprint=8), only="p1")
    assert found == []


async def test_delivering_walks_through_no_history(ledger: Ledger, uni: InstitutionLedger) -> None:
    with scans(ledger) as found:
        await uni.changes.adrift(NOW, 600)
        await uni.changes.open_count()
        changes = await due(uni)
        await uni.changes.due(NOW, 10, (changes[0].starts_at, changes[0].id))
        await uni.meetings.bodies([1, 2])
        await send(uni, changes)
        for change, became in zip(changes, [*Became, *[Became.DONE] * len(changes)], strict=False):
            await conclude(uni, change, became)
        number = changes[0].mailbox.id
        await uni.mailboxes.out()
        await uni.mailboxes.contacted([number], NOW, FORM)
        await uni.calendars.keep((number, "Classes"), "AAA")
        await uni.calendars.known([number])
        await uni.entries.event_ids(number)
        await uni.changes.postpone(number, "E-CODE", "why", NOW)
        await uni.mailboxes.put_out(number, "E-CODE", "why", NOW)
        await uni.mailboxes.put_in(number)
        await uni.changes.release_held(number)
        await uni.changes.next_due()
        await pack(uni)
        await uni.runs.finish(1, 0, {}, NOW)
    assert found == []


async def test_looking_at_the_state_walks_through_no_history(ledger: Ledger, uni: InstitutionLedger) -> None:
    owner = await uni.mailboxes.find("p1")
    assert isinstance(owner, Mailbox)
    with scans(ledger) as found:
        await uni.changes.waiting()
        await uni.changes.of_mailbox(owner.id)
        await uni.entries.of_mailbox(owner)
        await uni.entries.count()
        await uni.runs.last()
    assert found == []


async def test_a_walk_through_everything_would_be_found(ledger: Ledger) -> None:
    with scans(ledger) as found:
        for column in (change.c.mailbox_id, change.c.detail):
            await ledger._database.read(partial(_scalar, select(func.count(column))))
    assert [one.split(":")[0] for one in found] == [
        "SCAN change USING COVERING INDEX ix_change_mailbox_id",
        "SCAN change",
    ]


def _scalar(query: Select[int], connection: Connection) -> int:
    return connection.execute(query).scalar_one()
