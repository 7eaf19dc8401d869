"""Of who is forgotten nothing remains, and nothing of what was said of them is ever said of another."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, create_engine, inspect, select, text
from tests.contract.ledger.books import (
    INSTALLATION,
    NOW,
    accept,
    conclude,
    create,
    delete,
    deliver,
    due,
    entries,
    send,
)
from tests.contract.ledger.test_holds import found as held

from classbell.errors import HeldError, LeaseHeld
from classbell.ledger import Accepted, InstitutionLedger, Ledger, Remains
from classbell.ledger.database import upgrade
from classbell.ledger.schema import metadata
from classbell.model import Action, Became, RunKind, Suspended
from classbell.plan import Plan

pytestmark = pytest.mark.anyio

LATER = NOW + 900


async def number(book: InstitutionLedger, person: str) -> int:
    return (await book.mailboxes.numbers())[person]


async def forget(book: InstitutionLedger, person: str, now: float = LATER) -> int:
    """Forget somebody, whatever stands there; the new revision."""
    box = await number(book, person)
    remains = await book.persons.remains(box, now - 600)
    return await book.persons.forget(box, person, remains, now, now - 600)


def put_back(box: int, of: int) -> Accepted:
    one = {"fingerprint": np.uint64, "previous": np.uint64, "source": np.int16, "calendar": np.int16}
    small = {"action": np.int8, "reason": np.int8, "policy": np.int8}
    values = {"mailbox": box, "meeting": of, "action": Action.CREATE, "fingerprint": 1}
    kinds = dict.fromkeys(("mailbox", "meeting", "starts", "ends"), np.int64) | one | small
    plan = Plan(**{name: np.array([values.get(name, 0)], dtype=kind) for name, kind in kinds.items()})  # type: ignore[arg-type]
    return Accepted(
        plan=plan,
        calendars=("",),
        fresh_mailboxes={},
        fresh_meetings=[],
        renderings=[],
        sources_read=frozenset(),
        kind=RunKind.RESTORE,
    )


@pytest.fixture
async def book(uni: InstitutionLedger) -> InstitutionLedger:
    """Ada has two events, Bob one."""
    await accept(uni, create("ada", "m"), create("ada", "n"), create("bob", "m"))
    await deliver(uni)
    return uni


async def test_no_row_remains(ledger: Ledger, book: InstitutionLedger) -> None:
    ada = await number(book, "ada")
    await book.suspensions.suspend("ada", Suspended.UNLINKED, "asked", NOW)
    await forget(book, "ada")

    def rows(connection: Connection) -> list[str]:
        tables = [table for table in metadata.tables.values() if "mailbox_id" in table.c]
        return [t.name for t in tables if connection.execute(select(t).where(t.c.mailbox_id == ada)).first()]

    assert len([t for t in metadata.tables.values() if "mailbox_id" in t.c]) > 5
    assert await ledger._database.read(rows) == []
    assert "ada" not in await book.mailboxes.numbers()
    assert await book.persons.forgotten() == {book.persons.digest("ada")}
    assert await book.persons.recall("ada")
    assert not await book.persons.recall("ada")


async def test_it_is_a_run_that_names_nobody_and_nothing_planned_before_is_accepted(
    ledger: Ledger, book: InstitutionLedger
) -> None:
    basis, revision = await book.runs.newest(), await ledger.revision()
    assert await forget(book, "ada") == revision + 1 == await ledger.revision()
    (run,) = await book.runs.last()
    assert (run.kind, run.exit_code, run.finished_at, run.summary) == (RunKind.FORGET, 0, LATER, {})
    with pytest.raises(LeaseHeld):
        await accept(book, create("ada", "o"), basis=basis)
    assert "ada" not in await book.mailboxes.numbers()


async def test_what_was_to_be_put_back_for_somebody_forgotten_meanwhile_is_not_accepted(
    book: InstitutionLedger,
) -> None:
    """It is no plan from timetables, so that no other run overtakes it."""
    accepted = await accept(book, delete("ada", "m"))
    await deliver(book)
    (event,) = await book.restoring.deleted(accepted.run_id)
    pair = (event.mailbox_id, event.meeting_id)
    await forget(book, "ada")
    await book.restoring.protect([pair], LATER)
    assert await book.restoring.pairs() == []
    with pytest.raises(LeaseHeld, match="E-LEASE"):
        await book.plans.accept(put_back(*pair), LATER)


async def test_a_number_is_never_given_to_another(book: InstitutionLedger) -> None:
    """Runs and holds name mailboxes by it."""
    given = {await number(book, "ada"), await number(book, "bob")}
    for person in ("bob", "ada"):
        await forget(book, person)
    await accept(book, create("eve", "m"))
    assert await number(book, "eve") not in given


async def test_what_was_deleted_goes_on_counting_for_the_day(book: InstitutionLedger) -> None:
    await accept(book, delete("ada", "m"), delete("ada", "n"), delete("bob", "m"))
    await deliver(book)
    await accept(book, create("ada", "n"))
    await deliver(book)
    before = {since: await book.holds.deleted_since(since) for since in (NOW - 1, NOW + 1)}
    assert before == {NOW - 1: (3, 2), NOW + 1: (0, 0)}
    await forget(book, "ada")
    await forget(book, "bob")
    assert {since: await book.holds.deleted_since(since) for since in before} == before


async def test_what_was_counted_of_nobody_goes_with_what_is_old(
    ledger: Ledger, book: InstitutionLedger
) -> None:
    await accept(book, delete("ada", "m"))
    await deliver(book)
    await forget(book, "ada")
    other = await ledger.institution("other")
    for owner in (other, book):
        assert await book.holds.deleted_since(NOW - 1) == (1, 1)
        assert await owner.pruning.prune(NOW + 3 * 86_400, payload=1e9, runs=1e9)
    assert await book.holds.deleted_since(NOW - 1) == (0, 0)


async def test_holds_list_nothing_of_who_was_forgotten(book: InstitutionLedger) -> None:
    ada, bob = await number(book, "ada"), await number(book, "bob")
    listed = np.array([[ada, 1, 3, 0, 1], [bob, 1, 3, 0, 1]], dtype=np.int64)
    of_all = replace(held(1, 2), listed=listed)
    of_ada = held(3, code="E-HOLD-MAILBOX", scope="mailbox", subject="ada")
    await book.holds.enter([of_all, of_ada], NOW)
    await forget(book, "ada")
    (left,) = await book.holds.newest(9)
    assert left.listed[:, 0].tolist() == [bob]


async def test_what_changes_while_somebody_decides_is_not_lost_sight_of(book: InstitutionLedger) -> None:
    ada = await number(book, "ada")
    remains = await book.persons.remains(ada, NOW + 1)
    assert remains == Remains(events=2, in_doubt=0, unsettled=0, lost=False)
    await accept(book, create("ada", "o"))
    (change,) = await due(book)
    await send(book, [change])
    for became in (None, Became.DONE):
        if became is not None:
            await conclude(book, change, became)
        with pytest.raises(HeldError, match="E-LEAVE-CHANGED"):
            await book.persons.forget(ada, "ada", remains, LATER, LATER - 600)
    assert len(await entries(book, "ada")) == 3


async def test_what_a_look_would_not_find_yet_is_not_settled(ledger: Ledger, book: InstitutionLedger) -> None:
    ada = await number(book, "ada")
    assert (await book.persons.remains(ada, NOW - 1)).unsettled == 2
    await accept(book, create("ada", "o"), delete("ada", "m"))
    made, removed = await due(book)
    await send(book, [made, removed])
    for change, became in ((removed, Became.UNKNOWN), (made, Became.HELD)):
        await conclude(book, change, became)
    remains = await book.persons.remains(ada, NOW)
    assert (remains.in_doubt, remains.unsettled, remains.may_stay) == (1, 1, False)
    await ledger.doubt(9, 0.0)
    assert (await book.persons.remains(ada, NOW)).lost


async def test_a_ledger_of_the_version_before_counts_its_mailboxes_on(file: Path) -> None:
    """The table is made anew, with all that hangs on its rows."""
    file.parent.mkdir()
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        upgrade(connection, "0013")
        connection.execute(text("INSERT INTO institution (id, key) VALUES (1, 'uni')"))
        for box in (3, 7):
            row = {"box": box, "key": f"p{box}"}
            connection.execute(
                text("INSERT INTO mailbox (id, institution_id, key, address) VALUES (:box, 1, :key, :key)"),
                row,
            )
            connection.execute(text("INSERT INTO verified (mailbox_id, verified_at) VALUES (:box, 1)"), row)
    engine.dispose()
    opened = await Ledger.open(f"sqlite:///{file}", INSTALLATION)
    book = await opened.institution("uni")
    assert await book.mailboxes.numbers() == {"p3": 3, "p7": 7}
    await forget(book, "p7")
    await book.suspensions.suspend("new", Suspended.PAUSED, "asked", NOW)
    assert await number(book, "new") == 8
    faults = await opened._database.read(lambda c: c.execute(text("PRAGMA foreign_key_check")).all())
    assert faults == []
    tables = await opened._database.read(lambda c: inspect(c).get_table_names())
    assert "mailbox_before" not in tables
    opened.close()
