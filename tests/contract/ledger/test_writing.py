"""Writes: what has returned is durable and whole, what has failed left nothing, whoever else wrote beside it."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select
from sqlalchemy.exc import IntegrityError, ResourceClosedError
from sqlalchemy.sql.dml import ReturningInsert
from tests.contract.ledger.books import INSTALLATION, accept, create, due, rows, send

from classbell.errors import ClassbellError, TemporaryError
from classbell.ledger import Ledger
from classbell.ledger.schema import institution, mailbox

pytestmark = pytest.mark.anyio

Work = Callable[[Connection], object]


def adds(key: str) -> Work:
    """A small write that can be told from others."""
    return lambda connection: connection.execute(insert(institution).values(key=key))


async def written(ledger: Ledger) -> set[str]:
    query = select(institution.c.key)
    return set(await ledger._database.read(lambda c: c.execute(query).scalars().all()))


@pytest.fixture
async def alone(file: Path) -> AsyncIterator[Ledger]:
    """A ledger on SQLite that does not wait long for others."""
    opened = await Ledger.open(f"sqlite:///{file}?timeout=0.05", INSTALLATION)
    yield opened
    opened.close()


async def test_writes_that_queue_together_share_one_transaction(ledger: Ledger) -> None:
    commits = _count(ledger, "commit")
    await asyncio.gather(*(ledger._database.write(adds(f"uni-{n}")) for n in range(50)))
    assert len(commits) == 1
    assert await written(ledger) == {f"uni-{n}" for n in range(50)}


async def test_each_writer_receives_its_own_result(ledger: Ledger) -> None:
    keys = ["one", "two", "three"]
    works = [insert(institution).values(key=key).returning(institution.c.key) for key in keys]
    results = await asyncio.gather(*(ledger._database.write(partial(_scalar, work)) for work in works))
    assert results == keys


async def test_a_writer_that_fails_takes_nobody_along(ledger: Ledger) -> None:
    def fails(connection: Connection) -> None:
        adds("half")(connection)
        raise ValueError("this one fails")

    works = [adds("one"), adds("two"), fails, adds("three")]
    results = await asyncio.gather(*(ledger._database.write(w) for w in works), return_exceptions=True)
    assert [type(result) for result in results if isinstance(result, Exception)] == [ValueError]
    assert await written(ledger) == {"one", "two", "three"}


async def test_a_write_that_breaks_the_rules_of_the_schema_takes_nobody_along(ledger: Ledger) -> None:
    await ledger._database.write(adds("taken"))
    works = [adds("one"), adds("taken"), adds("two")]
    results = await asyncio.gather(*(ledger._database.write(w) for w in works), return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    assert await written(ledger) == {"taken", "one", "two"}


async def test_the_write_of_a_waiter_that_gave_up_is_whole(ledger: Ledger) -> None:
    def both(connection: Connection) -> None:
        adds("first half")(connection)
        adds("second half")(connection)

    giving_up = asyncio.ensure_future(ledger._database.write(both))
    staying = asyncio.ensure_future(ledger._database.write(adds("beside")))
    await asyncio.sleep(0)
    giving_up.cancel()
    await staying
    with pytest.raises(asyncio.CancelledError):
        await giving_up
    assert await written(ledger) == {"first half", "second half", "beside"}


async def test_whoever_still_waits_when_the_ledger_is_closed_hears_of_it(alone: Ledger) -> None:
    waiting = asyncio.ensure_future(alone._database.write(adds("late")))
    await asyncio.sleep(0)
    alone.close()
    with pytest.raises(ResourceClosedError):
        await asyncio.wait_for(waiting, 5)


async def test_a_write_after_a_failure_works(ledger: Ledger) -> None:
    def fails(_: Connection) -> None:
        raise ValueError("this one fails")

    with pytest.raises(ValueError, match="this one fails"):
        await ledger._database.write(fails)
    await ledger._database.write(adds("next"))
    assert await written(ledger) == {"next"}


async def test_a_commit_that_is_refused_leaves_nothing_open_and_keeps_nobody_out(
    alone: Ledger, file: Path
) -> None:
    """SQLite itself keeps the transaction whose commit it has refused, and its lock."""

    def refused_at_its_end(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        connection.execute(insert(mailbox).values(institution_id=999, key="ann", address="ann"))

    with pytest.raises(IntegrityError):
        await alone._database.write(refused_at_its_end)
    other = sqlite3.connect(file, timeout=0.0, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.close()
    await alone._database.write(adds("uni"))
    assert await written(alone) == {"uni"}


async def test_a_full_disk_stops_a_plan_whole_and_is_said_in_words(alone: Ledger) -> None:
    book = await alone.institution("uni")
    await accept(book, create("ann@uni.example", "algebra"))
    _pragma(alone, "max_page_count = 60")
    wishes = [create(f"p{n}@uni.example", f"m{n}") for n in range(2000)]
    with pytest.raises(TemporaryError) as full:
        await accept(book, *wishes)
    assert full.value.code == "E-DB-BUSY"
    assert "full" in full.value.what
    assert await alone.revision() == 1
    assert set(await book.mailboxes.numbers()) == {"ann@uni.example"}
    assert len(await book.meetings.numbers()) == 1
    assert await book.changes.open_count() == 1
    assert len(await book.runs.last(10)) == 1
    _pragma(alone, "max_page_count = 1000000")
    assert (await accept(book, *wishes)).revision == 2
    assert _pragma(alone, "integrity_check") == "ok"


async def test_no_intent_is_kept_that_a_full_disk_refused(alone: Ledger) -> None:
    """So nothing is sent: the request leaves only once its intent has returned."""
    book = await alone.institution("uni")
    await accept(book, *(create(f"p{n}@uni.example", f"m{n}") for n in range(300)))
    changes = await due(book, limit=300)
    _pragma(alone, f"max_page_count = {_pragma(alone, 'page_count')}")
    with pytest.raises(TemporaryError):
        await send(book, changes)
    assert await book.changes.unsettled() == []
    assert len(await due(book, limit=300)) == 300


async def test_a_database_that_another_program_writes_to_is_said_in_words(alone: Ledger, file: Path) -> None:
    book = await alone.institution("uni")
    with _writer(file):
        with pytest.raises(TemporaryError) as locked:
            await accept(book, create("ann@uni.example", "algebra"))
        assert await rows(book) == {}, "reading goes on"
    assert locked.value.code == "E-DB-BUSY"
    assert "locked" in locked.value.what
    await accept(book, create("ann@uni.example", "algebra"))
    assert await book.changes.open_count() == 1


async def test_whoever_queued_together_waits_once_for_another_program(alone: Ledger, file: Path) -> None:
    said: list[str] = []
    driver: Any = alone._database._connection.connection.driver_connection
    driver.set_trace_callback(said.append)
    with _writer(file):
        results = await asyncio.gather(
            *(alone._database.write(adds(f"uni-{n}")) for n in range(5)), return_exceptions=True
        )
    assert [type(result) for result in results] == [TemporaryError] * 5
    assert [statement for statement in said if statement.startswith("BEGIN")] == ["BEGIN IMMEDIATE"]


async def test_a_transaction_that_reads_before_it_writes_cannot_be_overtaken(
    alone: Ledger, file: Path
) -> None:
    """One that only announced to read would be refused at its write, however long it may wait."""
    other = sqlite3.connect(file, timeout=0)

    def reads_then_writes(connection: Connection) -> None:
        connection.execute(select(institution)).all()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO institution (key) VALUES ('theirs')")
        adds("ours")(connection)

    await alone._database.write(reads_then_writes)
    other.close()
    assert await written(alone) == {"ours"}


async def test_a_database_that_may_not_be_written_is_no_passing_trouble(alone: Ledger) -> None:
    _pragma(alone, "query_only = ON")
    with pytest.raises(ClassbellError) as broken:
        await alone._database.write(adds("uni"))
    assert broken.value.code == "E-DB-BROKEN"
    assert not isinstance(broken.value, TemporaryError)


async def test_a_damaged_file_is_said_in_words(file: Path) -> None:
    ledger = await Ledger.open(f"sqlite:///{file}", INSTALLATION)
    book = await ledger.institution("uni")
    await accept(book, *(create(f"p{n}@uni.example", f"m{n}") for n in range(500)))
    ledger.close()
    ledger = await Ledger.open(f"sqlite:///{file}", INSTALLATION)
    content = file.read_bytes()
    file.write_bytes(content[:100] + b"\xa5" * (len(content) - 100))
    with pytest.raises(ClassbellError) as broken:
        await (await ledger.institution("uni")).mailboxes.numbers()
    assert broken.value.code == "E-DB-BROKEN"
    ledger.close()


async def test_what_was_written_is_there_after_the_process_died(file: Path) -> None:
    ledger = await Ledger.open(f"sqlite:///{file}", INSTALLATION)
    book = await ledger.institution("uni")
    await accept(book, create("ann@uni.example", "algebra"))
    await send(book, await due(book))
    # A copy of the files as they stand now is what a process that dies now leaves behind.
    copy = file.parent / "after"
    copy.mkdir()
    for part in file.parent.glob(f"{file.name}*"):
        (copy / part.name).write_bytes(part.read_bytes())
    ledger.close()
    survivor = await Ledger.open(f"sqlite:///{copy / file.name}", INSTALLATION)
    assert await (await survivor.institution("uni")).changes.unsettled() == [(1, 1)]
    survivor.close()


WRITES_AND_WAITS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("writing", flush=True)
sys.stdin.read()
"""


@contextmanager
def _writer(file: Path) -> Iterator[None]:
    """Another process in the middle of a write."""
    command = [sys.executable, "-c", WRITES_AND_WAITS, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        yield
        process.communicate(b"")
    assert process.returncode == 0


def _scalar(statement: ReturningInsert[str], connection: Connection) -> str:
    return connection.execute(statement).scalar_one()


def _count(ledger: Ledger, name: str) -> list[object]:
    seen: list[object] = []
    event.listen(ledger._database._engine, name, seen.append)
    return seen


def _pragma(ledger: Ledger, text: str) -> object:
    with ledger._database._connection.begin():
        result = ledger._database._connection.exec_driver_sql(f"PRAGMA {text}")
        return result.scalar() if result.returns_rows else None
