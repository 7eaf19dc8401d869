"""
The ledger's database: opened at the right schema, and written by one committer.

Writers queue what they want to write; the committer runs everything queued in one transaction, so that
many small writes share one fsync. A write that has returned is durable: SQLite runs WAL with
synchronous=FULL, because with NORMAL a committed intent can vanish on power loss (SQLite manual, "PRAGMA
synchronous"). Commits run inside one callback of the loop, so no cancellation can cut one in half.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, Insert, Row, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from classbell.errors import ClassbellError, TemporaryError
from classbell.ledger.schema import metadata

T = TypeVar("T")
K = TypeVar("K")

# The newest migration; a test holds it equal to Alembic's head. Known here so that a database that is
# up to date is opened without importing Alembic.
SCHEMA = "0018"

# As Alembic keeps it (alembic.runtime.migration, "_version").
_VERSION = (
    "CREATE TABLE alembic_version ( version_num VARCHAR(32) NOT NULL,"
    " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num) )"
)

# How long a transaction waits for another program's write, unless the URL says otherwise (?timeout=...).
PATIENCE = 10.0

# SQLite refused more than 999 values in one statement before 3.32 (SQLite manual, "Limits").
AT_ONCE = 900

# What waiting does not help against (SQLite manual, "Result and Error Codes").
_BROKEN = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOTADB,
}


class Database:
    """
    One ledger database.

    ``read`` runs a query now; ``write`` waits until what it wrote is durable. Both run on the loop's own
    thread and hold one connection; nothing else may use that connection.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection = engine.connect()
        self._sqlite = engine.dialect.name == "sqlite"
        self._queued: list[tuple[Callable[[Connection], Any], asyncio.Future[Any]]] = []

    @classmethod
    def open(cls, url: str) -> "Database":
        """
        Open a database, creating or migrating it to the present schema.

        Raises:
            ClassbellError: E-DB-OPEN, E-DB-NEWER. E-DB-BROKEN, the file is damaged.
        """
        try:
            database = cls(_engine(url))
            try:
                database._migrate()
            except BaseException:
                database.close()
                raise
        except (SQLAlchemyError, OSError) as error:
            if _code_of(error) == sqlite3.SQLITE_CORRUPT:
                raise damaged(_cause(error)) from error
            raise ClassbellError(
                "E-DB-OPEN",
                f"The ledger database cannot be opened: {_cause(error)}.",
                why="the file or server named in [database] url does not answer as a database we may write to",
                do="check [database] url, the folder's permissions and the free space; then run the command again",
                effect="no calendar was changed",
            ) from error
        return database

    def close(self) -> None:
        """Close the connection; what was not yet committed was never promised."""
        self._connection.close()
        self._engine.dispose()

    async def read(self, query: Callable[[Connection], T]) -> T:
        """
        Run a query that writes nothing.

        Raises:
            TemporaryError: E-DB-BUSY.
            ClassbellError: E-DB-BROKEN, the file or its disk is damaged.
        """
        try:
            with self._transaction():
                return query(self._connection)
        except DatabaseError as error:
            explained = _explained(error)
            if explained is error:
                raise
            raise explained from error

    async def faults(self) -> list[str]:
        """
        What the database finds wrong with its own files; nothing where it looks after them by itself.

        Raises:
            TemporaryError: E-DB-BUSY.
            ClassbellError: E-DB-BROKEN, so damaged that it cannot even be checked.
        """
        if not self._sqlite:
            return []
        check = text("PRAGMA integrity_check(3)")
        found = await self.read(lambda c: [str(word) for word in c.execute(check).scalars()])
        return [line for line in found if line != "ok"]

    async def write(self, work: Callable[[Connection], T]) -> T:
        """
        Run *work* in a transaction shared with whatever else has queued; return when it is durable.

        *work* may run twice (alone, if another part of its group failed), so it must depend on nothing
        but its arguments and the database.

        Raises:
            TemporaryError: E-DB-BUSY, the database is locked or full; nothing of *work* was kept.
            ClassbellError: E-DB-BROKEN, the file or its disk is damaged; nothing of *work* was kept.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queued.append((work, future))
        if len(self._queued) == 1:
            loop.call_soon(self._commit)
        return await future

    def _commit(self) -> None:
        group, self._queued = self._queued, []
        begun = False
        try:
            with self._transaction(writing=True):
                begun = True
                results = [work(self._connection) for work, _ in group]
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it was
            if begun and len(group) > 1:
                for part in group:
                    self._queued = [part]
                    self._commit()
            else:
                # Where not even the transaction began, none of the group is at fault, and none need try again.
                for _, future in group:
                    _reject(future, _explained(error))
            return
        for (_, future), result in zip(group, results, strict=True):
            if not future.done():
                future.set_result(result)

    def _migrate(self) -> None:
        with self._transaction():
            found = self._schema_found()
        if found == SCHEMA:
            return
        if found is not None and found > SCHEMA:
            raise ClassbellError(
                "E-DB-NEWER",
                f"The ledger database has schema {found}; this version knows {SCHEMA}.",
                why="a newer version of Classbell has opened it",
                do="run that newer version, or restore the backup made before the upgrade",
                effect="no calendar was changed",
            )
        with self._transaction(writing=True):
            # Another process may have made it meanwhile.
            if self._schema_found() is None:
                self._make()
            else:
                upgrade(self._connection)

    def _make(self) -> None:
        """Make a new ledger as its definition says, which is what all migrations together make, only sooner."""
        metadata.create_all(self._connection, checkfirst=False)
        self._connection.execute(text(_VERSION))
        self._connection.execute(text("INSERT INTO alembic_version VALUES (:schema)"), {"schema": SCHEMA})

    @contextmanager
    def _transaction(self, *, writing: bool = False) -> Iterator[None]:
        """A transaction of which nothing is left open, whatever fails; for *writing* it waits for its turn."""
        try:
            with self._connection.begin():
                if self._sqlite:
                    self._begin("BEGIN IMMEDIATE" if writing else "BEGIN")
                yield
        except BaseException:
            # For SQLAlchemy a transaction is over whose commit was refused; SQLite keeps it, and its lock (SQLite
            # manual, "Response To Errors Within A Transaction"), and everybody else out.
            if not (self._connection.closed or self._connection.invalidated):
                # What failed first says more than that this fails as well.
                with suppress(Exception):
                    self._connection.connection.rollback()
            raise

    def _begin(self, statement: str) -> None:
        # A transaction that begins by reading and then writes fails at once if another process wrote in
        # between; one that announces its write waits for its turn instead (SQLite manual, "Transaction").
        # Said to the driver itself: for SQLAlchemy, to begin took longer than most of what is asked then.
        try:
            self._connection.connection.cursor().execute(statement)
        except sqlite3.Error as error:
            raise DBAPIError.instance(
                statement, (), error, sqlite3.Error, dialect=self._connection.dialect
            ) from error

    def _schema_found(self) -> str | None:
        if "alembic_version" not in inspect(self._connection).get_table_names():
            return None
        return self._connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring a ledger to a newer schema; an empty database to that of *to* by all migrations before it."""
    from alembic import command  # noqa: PLC0415 - slow to import, needed once per upgrade
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def parts_of(values: Sequence[K]) -> Iterator[Sequence[K]]:
    """Values in parts small enough for one statement, whatever its other parameters."""
    for begin in range(0, len(values), AT_ONCE):
        yield values[begin : begin + AT_ONCE]


def insert_one(connection: Connection, statement: Insert, values: Mapping[str, object]) -> int:
    """Insert one row; its number. Without RETURNING, which SQLite only knows from 3.35 on."""
    key = connection.execute(statement, values).inserted_primary_key
    return int(cast("Row[Any]", key)[0])


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        _create_private(Path(parsed.database))
    patience = {} if "timeout" in parsed.query else {"timeout": PATIENCE}
    engine = create_engine(parsed, poolclass=StaticPool, connect_args=patience)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _create_private(path: Path) -> None:
    """
    Make the file for nobody but us, if there is none: it says who attends what.

    SQLite gives the files that it makes beside a database the same mode (SQLite's source, ``findCreateFileMode``).
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Python's own transaction handling begins late and commits early around DDL; SQLAlchemy's page
    # "SQLite: Serializable isolation / Savepoints / Transactional DDL" gives this remedy.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # Or what is removed stays in the file until its page is used again (SQLite manual, "PRAGMA secure_delete").
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute("PRAGMA wal_autocheckpoint=20000")
    except BaseException:
        # The cursor first: closing it on a closed connection fails, and would hide what went wrong.
        cursor.close()
        connection.close()
        raise
    cursor.close()


def _reject(future: "asyncio.Future[Any]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _explained(error: BaseException) -> BaseException:
    """The error that people can act on; what no database error is, or one of our making, stays as it is."""
    explained: ClassbellError
    code = _code_of(error)
    if code == sqlite3.SQLITE_CORRUPT:
        explained = damaged(_cause(error))
    elif code in _BROKEN or type(error) is DatabaseError:
        explained = ClassbellError(
            "E-DB-BROKEN",
            f"The ledger database cannot be used: {_cause(error)}.",
            why="its file is damaged or may not be written, or its disk fails",
            do="check the disk and the file's permissions; if the file is damaged, put back its newest copy",
            effect="nothing is sent that could not be written down first",
        )
    elif isinstance(error, OperationalError):
        explained = TemporaryError(
            "E-DB-BUSY",
            f"The ledger database did not answer: {_cause(error)}.",
            why="another program holds it locked, or its disk is full",
            do="free space or end the other program; the next run carries on where this one stopped",
            effect="nothing is sent that could not be written down first",
        )
    else:
        return error
    explained.__cause__ = error
    return explained


def damaged(cause: str) -> ClassbellError:
    """That the file of the database is damaged, and the way out of it."""
    return ClassbellError(
        "E-DB-BROKEN",
        f"The ledger database is damaged: {cause}.",
        why="its file was cut or altered by something else, or its disk fails",
        do="check the disk; put back the newest copy, or remove the file and: classbell ledger rebuild",
        effect="nothing is sent that could not be written down first",
    )


def _code_of(error: BaseException) -> int:
    """SQLite's primary result code; 0 of what is no error of SQLite's."""
    return int(getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)) & 0xFF


def _cause(error: BaseException) -> str:
    lines = str(error.orig if isinstance(error, DBAPIError) else error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
