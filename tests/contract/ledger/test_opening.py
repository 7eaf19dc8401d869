"""Opening a ledger: made at first use, refused where it is not ours, and clear about what is wrong."""

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from tests.contract.ledger.books import INSTALLATION, accept, create, rows

from classbell.errors import ClassbellError
from classbell.ledger import Ledger
from classbell.ledger.database import SCHEMA

pytestmark = pytest.mark.anyio


async def test_a_ledger_is_made_at_first_use_and_found_again(url: str) -> None:
    first = await Ledger.open(url, INSTALLATION)
    assert await first.revision() == 0
    await accept(await first.institution("uni"), create("ann@uni.example", "algebra"))
    first.close()
    again = await Ledger.open(url, INSTALLATION)
    assert await again.revision() == 1
    book = await again.institution("uni")
    assert await book.mailboxes.numbers() == {"ann@uni.example": 1}
    again.close()


async def test_an_institution_is_the_same_one_each_time_it_is_asked_for(ledger: Ledger) -> None:
    books = await asyncio.gather(*(ledger.institution("uni") for _ in range(5)))
    await accept(books[0], create("ann@uni.example", "algebra"))
    assert [len(await book.mailboxes.numbers()) for book in books] == [1] * 5


async def test_two_processes_may_open_a_new_ledger_at_once(url: str) -> None:
    opened = await asyncio.gather(*(Ledger.open(url, INSTALLATION) for _ in range(3)))
    assert [await ledger.revision() for ledger in opened] == [0, 0, 0]
    for ledger in opened:
        ledger.close()


async def test_the_ledger_of_another_installation_is_refused_and_left_as_it_was(url: str) -> None:
    (await Ledger.open(url, INSTALLATION)).close()
    with pytest.raises(ClassbellError) as refused:
        await Ledger.open(url, "0" * 8 + INSTALLATION[8:])
    assert refused.value.code == "E-DB-FOREIGN"
    assert INSTALLATION in refused.value.what
    (await Ledger.open(url, INSTALLATION)).close()


async def test_the_spelling_of_the_installation_id_does_not_matter(url: str) -> None:
    (await Ledger.open(url, INSTALLATION.upper())).close()
    (await Ledger.open(url, INSTALLATION)).close()


async def test_a_ledger_of_a_newer_version_is_refused_and_left_as_it_was(url: str) -> None:
    (await Ledger.open(url, INSTALLATION)).close()
    _execute(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ClassbellError) as refused:
        await Ledger.open(url, INSTALLATION)
    assert refused.value.code == "E-DB-NEWER"
    assert "9999" in refused.value.what
    assert SCHEMA in refused.value.what


async def test_a_folder_that_is_not_there_yet_is_made(file: Path) -> None:
    (await Ledger.open(f"sqlite:///{file}", INSTALLATION)).close()
    assert file.is_file()


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(file: Path) -> None:
    file.parent.mkdir()
    content = b"Dear diary, " * 1000
    file.write_bytes(content)
    await _cannot_be_opened(f"sqlite:///{file}")
    assert file.read_bytes() == content


async def test_a_folder_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes(b"")
    await _cannot_be_opened(f"sqlite:///{tmp_path}/own/ledger.db")


async def test_a_folder_in_the_place_of_the_file_is_said_in_words(file: Path) -> None:
    file.mkdir(parents=True)
    await _cannot_be_opened(f"sqlite:///{file}")


async def test_something_that_is_no_url_is_said_in_words() -> None:
    await _cannot_be_opened("classbell.db")


async def test_a_database_locked_by_another_program_while_it_is_made_is_said_in_words(file: Path) -> None:
    file.parent.mkdir()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("BEGIN IMMEDIATE")
    await _cannot_be_opened(f"sqlite:///{file}?timeout=0.05")
    other.close()
    (await Ledger.open(f"sqlite:///{file}", INSTALLATION)).close()


async def test_sqlite_writes_ahead_fully_synchronised_and_holds_references(file: Path) -> None:
    ledger = await Ledger.open(f"sqlite:///{file}", INSTALLATION)

    def pragmas(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert await ledger._database.read(pragmas) == ["wal", 2, 1]
    ledger.close()


async def test_a_new_ledger_holds_nothing(ledger: Ledger) -> None:
    book = await ledger.institution("uni")
    assert await rows(book) == {}
    assert await book.entries.count() == (0, 0)
    assert await book.changes.next_due() is None
    assert await book.changes.open_count() == 0
    assert await book.changes.waiting() == []
    assert await book.changes.unsettled() == []
    assert await book.runs.last() == []
    assert await book.runs.sources() == {}
    assert await book.mailboxes.out() == []
    assert await book.entries.stale() == []


async def test_a_file_that_is_no_database_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database, but as long as the head of one" * 100)
    with pytest.raises(ClassbellError) as refused:
        await Ledger.open(f"sqlite:///{tmp_path}/ledger.db", INSTALLATION)
    assert refused.value.what == "The ledger database cannot be opened: file is not a database."


async def test_a_file_that_was_cut_is_damaged_and_can_be_rebuilt(file: Path) -> None:
    ledger = await Ledger.open(f"sqlite:///{file}", INSTALLATION)
    await accept(await ledger.institution("uni"), create("ann@uni.example", "algebra"))
    ledger.close()
    os.truncate(file, 20_000)
    with pytest.raises(ClassbellError) as refused:
        await Ledger.open(f"sqlite:///{file}", INSTALLATION)
    assert refused.value.code == "E-DB-BROKEN"
    assert "classbell ledger rebuild" in refused.value.do


@pytest.mark.skipif(os.name != "posix", reason="there are no such permissions elsewhere")
async def test_a_new_ledger_is_for_nobody_else_to_read_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    before = os.umask(0o022)
    try:
        ledger = await Ledger.open(url, INSTALLATION)
        await ledger.institution("uni")
        assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == dict.fromkeys(
            ["ledger.db", "ledger.db-wal", "ledger.db-shm"], 0o600
        )
        ledger.close()
        (tmp_path / "ledger.db").chmod(0o640)
        (await Ledger.open(url, INSTALLATION)).close()
        assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)


async def _cannot_be_opened(url: str) -> None:
    with pytest.raises(ClassbellError) as refused:
        await Ledger.open(url, INSTALLATION)
    assert refused.value.code == "E-DB-OPEN"
    assert refused.value.why
    assert refused.value.do


def _execute(url: str, statement: str) -> None:
    engine: Engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
