"""The schema: what migrations make is what the tables' definition says, on every engine."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from tests.contract.ledger.books import INSTALLATION

import classbell.ledger.database
from classbell.ledger import Ledger
from classbell.ledger.database import SCHEMA, upgrade
from classbell.ledger.schema import metadata

pytestmark = pytest.mark.anyio


def test_the_known_schema_is_the_newest_migration() -> None:
    config = Config()
    folder = Path(classbell.ledger.database.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA]


async def test_migrations_leave_nothing_to_be_migrated(url: str) -> None:
    await _migrated(url)
    with _connected(create_engine(url)) as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


async def test_a_new_ledger_is_letter_for_letter_a_migrated_one(file: Path) -> None:
    """It is made by its definition, which takes much less time."""
    file.parent.mkdir()
    other = file.with_name("other.db")
    await _migrated(f"sqlite:///{other}")
    (await Ledger.open(f"sqlite:///{file}", INSTALLATION)).close()
    with (
        _connected(create_engine(f"sqlite:///{file}")) as new,
        _connected(create_engine(f"sqlite:///{other}")) as old,
    ):
        expected = _statements(old)
        assert _statements(new) == expected
        assert all(
            one.execute(text("SELECT * FROM alembic_version")).all() == [(SCHEMA,)] for one in (new, old)
        )
    assert "WITHOUT ROWID" in expected["entry"]
    assert "WHERE state IN" in expected["uq_change_open_pair"]


async def _migrated(url: str) -> None:
    """A ledger that the first version made."""
    engine = create_engine(url)
    with engine.begin() as connection:
        upgrade(connection, "0001")
    engine.dispose()
    (await Ledger.open(url, INSTALLATION)).close()


async def test_every_table_is_there(url: str) -> None:
    (await Ledger.open(url, INSTALLATION)).close()
    with _connected(create_engine(url)) as connection:
        names = set(inspect(connection).get_table_names())
    assert names - {"alembic_version"} == set(metadata.tables)


class _connected:  # noqa: N801 - reads as a word where it is used
    """A connection that takes its engine along when it closes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Connection:
        self._connection = self._engine.connect()
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._engine.dispose()


def _statements(connection: Connection) -> dict[str, str]:
    """The SQL of every table and index of a SQLite database, blanks evened out."""
    found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: " ".join(sql.split()) for name, sql in found}
