"""
Keeps a sandbox in a folder between runs.

The state (tenants, applications, mailboxes, events, mails) is a SQLite database, the history a file of JSON
lines beside it. Both are written a moment behind what happens, by a thread of its own: whoever asks the
sandbox for something never waits for a disk. A sandbox that is killed loses its last moments, and its state
and history agree: what the history file has beyond the state is cut off at the next start.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from classbell.sandbox.history import Change, Record
from classbell.sandbox.keeping import rows
from classbell.sandbox.keeping.errors import DataError, DataInUse
from classbell.sandbox.keeping.past import KeptHistory
from classbell.sandbox.store import Mail

if TYPE_CHECKING:
    from classbell.sandbox.batch import Batches
    from classbell.sandbox.box import Sandbox
    from classbell.sandbox.mailbox import Mailbox
    from classbell.sandbox.surroundings import Commons

STATE, HISTORY = "sandbox.sqlite", "history.jsonl"
PERIOD = 0.25
_FORMAT = 1
# The history file is cut into stretches of about so many records, each of which can be found at once.
_STRETCH = 1000
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE place (before INTEGER PRIMARY KEY, offset INTEGER NOT NULL);
CREATE TABLE content (number INTEGER PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE tenant (number INTEGER PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE mailbox (number INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, value BLOB NOT NULL);
CREATE TABLE event (mailbox INTEGER, number INTEGER, value BLOB NOT NULL, PRIMARY KEY (mailbox, number));
CREATE TABLE mail (number INTEGER PRIMARY KEY, value BLOB NOT NULL);
INSERT INTO meta VALUES ('format', 1), ('records', 0), ('bytes', 0), ('offset', 0.0), ('batches', 0);
INSERT INTO place VALUES (0, 0);
"""
_encode = msgspec.json.Encoder().encode
_read_mail = msgspec.msgpack.Decoder(Mail).decode


class Keeper:
    """
    Restores a new, empty sandbox from a folder and keeps it there from then on.

    Raises:
        DataError: the folder cannot be used.
        OSError: it cannot be read or written.
    """

    def __init__(self, folder: Path, box: "Sandbox", commons: "Commons", batches: "Batches") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._box, self._commons, self._batches = box, commons, batches
        self._path = folder / HISTORY
        self._mailboxes: list[Mailbox] = []
        self._numbers: dict[bytes, int] = {}
        # What was last written of each tenant, and of each mailbox what may change without a line in the history.
        self._tenants: list[bytes] = []
        self._states: list[tuple[str, str]] = []
        self._database = _opened(folder / STATE)
        self._restore()
        self._file = self._path.open("ab")
        self._failure: Exception | None = None
        self._ended = threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="sandbox-data", daemon=True)
        self._thread.start()

    @property
    def has_past(self) -> bool:
        """Whether there was something to restore."""
        return self._past

    def close(self) -> None:
        """
        Write what is left, and let go of the folder.

        Raises:
            DataError: at some time it could not be written; what was written before stands.
        """
        if self._ended.is_set():
            return
        self._ended.set()
        self._thread.join()
        try:
            if self._failure is None:
                self.flush(everything=True)
        finally:
            self._file.close()
            self._database.close()
        if self._failure is not None:
            raise DataError(f"{self._path.parent} was not written to the end: {self._failure}")

    def flush(self, *, everything: bool = False) -> None:
        """Write what has happened since the last time; *everything*: also what the history does not tell."""
        with self._writing:
            self._flush(everything=everything)

    def _keep(self) -> None:
        try:
            while not self._ended.wait(PERIOD):
                self.flush()
        except (OSError, sqlite3.Error) as error:
            self._failure = error

    def _restore(self) -> None:
        database = self._database
        meta: dict[str, Any] = dict(database.execute("SELECT key, value FROM meta"))
        self._seen, self._bytes = meta["records"], meta["bytes"]
        self._past = bool(self._seen or meta.get("tenants"))
        self._path.touch()
        if self._path.stat().st_size < self._bytes:
            raise DataError(f"{self._path} is shorter than it was; it belongs to the state beside it")
        os.truncate(self._path, self._bytes)
        places = database.execute("SELECT before, offset FROM place ORDER BY before").fetchall()
        self._place = places[-1][0]
        self._commons.history.continue_from(KeptHistory(self._path, places, self._seen, self._bytes))
        self._commons.clock.offset = meta["offset"]
        self._batches.count = meta["batches"]
        self._restore_directory()
        self._restore_events()
        self._commons.outbox.extend(
            _read_mail(value) for (value,) in database.execute("SELECT value FROM mail ORDER BY number")
        )
        self._mails = len(self._commons.outbox)

    def _restore_directory(self) -> None:
        tenants = []
        for (value,) in self._database.execute("SELECT value FROM tenant ORDER BY number"):
            kept = rows.read_tenant(value)
            tenant = self._box.add_tenant(kept.domain, kept.tenant_id)
            rows.into_tenant(kept, tenant)
            tenants.append(tenant)
            self._tenants.append(value)
        for number, value in self._database.execute("SELECT tenant, value FROM mailbox ORDER BY number"):
            self._know(rows.into_mailbox(rows.read_mailbox(value), tenants[number]))

    def _restore_events(self) -> None:
        used = "SELECT number FROM content"
        last = max((number for (number,) in self._database.execute(used)), default=0)
        found = self._database.execute("SELECT number, value FROM content")
        contents = {number: rows.read_content(value) for number, value in found}
        for mailbox, value in self._database.execute(
            "SELECT mailbox, value FROM event ORDER BY mailbox, number"
        ):
            rows.into_store(value, self._mailboxes[mailbox].store, contents)
        self._contents = rows.Contents(last)

    def _know(self, mailbox: "Mailbox") -> int:
        number = self._numbers[mailbox.store.ids.replica] = len(self._mailboxes)
        self._mailboxes.append(mailbox)
        self._states.append((mailbox.address, mailbox.state))
        return number

    def _flush(self, *, everything: bool) -> None:
        with self._commons.lock:
            history = self._commons.history
            end = len(history)
            records = history[self._seen : end]
            added = self._new_mailboxes()
            grown = bool(added) or len(self._box.tenants) > len(self._tenants)
            if not (records or grown or everything):
                return
            sweeping = everything or any(record.kind == "administration" for record in records)
            tenants = self._new_tenants() if sweeping or grown or _beyond_mailboxes(records) else []
            touched = _touched(records, self._numbers)
            changed = {*added, *touched, *(self._changed_states() if sweeping else ())}
            mailboxes = [
                (number, self._tenant_number(number), rows.pack(rows.of_mailbox(self._mailboxes[number])))
                for number in changed
            ]
            events, gone = self._events(touched)
            mails = self._commons.outbox[self._mails :]
            contents, self._contents.fresh = self._contents.fresh, []
        meta = {"records": end, "offset": self._commons.clock.offset, "batches": self._batches.count}
        place = self._append(records)
        self._write(
            [
                ("INSERT OR REPLACE INTO tenant VALUES (?, ?)", tenants),
                ("INSERT INTO content VALUES (?, ?)", contents),
                ("INSERT OR REPLACE INTO mailbox VALUES (?, ?, ?)", mailboxes),
                ("INSERT OR REPLACE INTO event VALUES (?, ?, ?)", events),
                ("DELETE FROM event WHERE mailbox = ? AND number = ?", gone),
                (
                    "INSERT INTO mail VALUES (?, ?)",
                    [(n, msgspec.msgpack.encode(mail)) for n, mail in enumerate(mails, self._mails + 1)],
                ),
                ("INSERT INTO place VALUES (?, ?)", place),
                (
                    "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                    [*meta.items(), ("bytes", self._bytes), ("tenants", len(self._tenants))],
                ),
            ]
        )
        self._seen = end
        self._mails += len(mails)

    def _append(self, records: Iterable[Record]) -> list[tuple[int, int]]:
        """Append to the history file; where a new stretch begins, if one does."""
        place: list[tuple[int, int]] = []
        if self._seen - self._place >= _STRETCH:
            place.append((self._seen, self._bytes))
            self._place = self._seen
        lines = b"".join(_encode(record.told()) + b"\n" for record in records)
        if lines:
            self._file.write(lines)
            self._file.flush()
            self._bytes += len(lines)
        return place

    def _write(self, statements: Iterable[tuple[str, list[Any]]]) -> None:
        self._database.execute("BEGIN")
        for statement, values in statements:
            if values:
                self._database.executemany(statement, values)
        self._database.execute("COMMIT")

    def _new_mailboxes(self) -> list[int]:
        if sum(len(tenant) for tenant in self._box.tenants) == len(self._mailboxes):
            return []
        return [
            self._know(mailbox)
            for tenant in self._box.tenants
            for mailbox in tenant.mailboxes()
            if mailbox.store.ids.replica not in self._numbers
        ]

    def _new_tenants(self) -> list[tuple[int, bytes]]:
        packed = [rows.pack(rows.of_tenant(tenant)) for tenant in self._box.tenants]
        known = [*self._tenants, *[b""] * (len(packed) - len(self._tenants))]
        self._tenants = packed
        return [
            (number, value)
            for number, (value, old) in enumerate(zip(packed, known, strict=True))
            if value != old
        ]

    def _tenant_number(self, mailbox: int) -> int:
        wanted = self._mailboxes[mailbox].store.tenant
        return next(n for n, tenant in enumerate(self._box.tenants) if tenant.tenant_id == wanted)

    def _changed_states(self) -> list[int]:
        states = [(mailbox.address, mailbox.state) for mailbox in self._mailboxes]
        changed = [number for number, state in enumerate(states) if state != self._states[number]]
        self._states = states
        return changed

    def _events(self, touched: dict[int, set[int]]) -> tuple[list[Any], list[Any]]:
        """The rows of events to write and to delete."""
        written, gone = [], []
        for mailbox, numbers in touched.items():
            store = self._mailboxes[mailbox].store
            away = (
                {event.number: event for event in store.transactions.values()}
                if numbers - store.events.keys()
                else {}
            )
            for number in numbers:
                event = store.events.get(number) or away.get(number)
                if event is None:
                    gone.append((mailbox, number))
                else:
                    written.append((mailbox, number, rows.of_event(event, store, self._contents)))
        return written, gone


def _touched(records: Iterable[Record], numbers: dict[bytes, int]) -> dict[int, set[int]]:
    """The events that were changed, by the number of their mailbox."""
    touched: dict[int, set[int]] = {}
    for record in records:
        change = record.more
        if isinstance(change, Change):
            events = touched.setdefault(numbers[change.ids.replica], set())
            if change.content is not None:
                events.add(change.number)
    return touched


def _beyond_mailboxes(records: Iterable[Record]) -> bool:
    """Whether something was asked that may have changed an application."""
    return any(not record.mailbox and not record.path.endswith("$batch") for record in records)


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.5)
    try:
        # One process at a time; its death lets go of the lock.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("BEGIN IMMEDIATE")
        if not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            for statement in _SCHEMA.strip().split(";\n"):
                database.execute(statement)
        (found,) = database.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
        database.execute("COMMIT")
    except sqlite3.OperationalError as error:
        database.close()
        if "locked" in str(error):
            raise DataInUse(f"another sandbox keeps its state in {path.parent}") from error
        raise DataError(f"{path} is no state of a sandbox: {error}") from error
    except sqlite3.DatabaseError as error:
        database.close()
        raise DataError(f"{path} is no state of a sandbox: {error}") from error
    if found != _FORMAT:
        database.close()
        raise DataError(f"{path} was written by another version of the sandbox (format {found})")
    return database
