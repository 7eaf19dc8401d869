"""
One suite for every database: each test that asks for ``url`` runs on every engine there is.

SQLite is always there, on a real file. PostgreSQL joins through the environment variable
``CLASSBELL_TEST_POSTGRES`` (an SQLAlchemy URL); each test gets a schema of its own there.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from tests.contract.ledger.books import INSTALLATION

from classbell.ledger import InstitutionLedger, Ledger

POSTGRES = os.environ.get("CLASSBELL_TEST_POSTGRES", "")
ENGINES = ["sqlite", *(["postgresql"] if POSTGRES else [])]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that nobody has opened yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    schema = f"classbell_{uuid4().hex}"
    engine = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    own = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
    yield own.render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The place of a SQLite database, for what only a file can suffer."""
    return tmp_path / "own" / "ledger.db"


@pytest.fixture
async def ledger(url: str) -> AsyncIterator[Ledger]:
    """A ledger that was just made."""
    opened = await Ledger.open(url, INSTALLATION)
    yield opened
    opened.close()


@pytest.fixture
async def uni(ledger: Ledger) -> InstitutionLedger:
    """The part of one institution in it."""
    return await ledger.institution("uni")
