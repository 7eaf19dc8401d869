"""The installation: its files as an administrator writes them, and its command in processes of its own."""

import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from tests.simulation.timetable import ZONE, Timetable

INSTALLATION = "6f1c1c62-6c0e-4b57-9a5e-0d9d4d8f2a11"
BOUND = 180.0
# Nobody waits longer for a command; what takes so long is a finding.
PATIENCE = 240.0
_LOOK = 0.004

HOST = f"""\
schema = 1
installation = "{INSTALLATION}"

[engine]
in_flight = 2
"""

INSTITUTION = """\
schema = 1
id = "{id}"
name = "University of {id}"

[tenant]
tenant_id = "{tenant}"
client_id = "{app}"
login_url = "{url}"
graph_url = "{url}"
ca_file = "{ca_file}"

[[tenant.certificates]]
certificate = {{ file = "../cert.pem" }}
private_key = {{ file = "../key.pem" }}

{sources}
[[audience]]
name = "all"
gets = {names}
profile = "all"

[[profiles]]
name = "all"
calendar = "{calendar}"

[window]
timezone = "{zone}"

[safety]
outcome_bound = "{bound:.0f}s"
max_changes_percent = 100
max_deletes = {{ count = 8, percent = 25, at_least = {at_least} }}
per_mailbox = {{ percent = 60, min_events = 4 }}
"""

SOURCE = """\
[[sources]]
name = "{name}"
kind = "table"
meetings = "{meetings}"
attendance = "{attendance}"
map = {{ key = "key", start = "start", end = "end", title = "title", location = "room", cancelled = "cancelled" }}
"""


class Anchor(Enum):
    """What a moment is counted from; the last two as the ledger's file has them for everybody to read."""

    START = "its start"
    PLAN = "its plan is accepted"
    INTENTS = "so many batches of intents are written down"


_OF_PLANS = "SELECT count(*) FROM run"
_OF_INTENTS = "SELECT count(DISTINCT sent_at) FROM change WHERE sent_at IS NOT NULL"
_QUERIES = {Anchor.PLAN: _OF_PLANS, Anchor.INTENTS: _OF_INTENTS}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """An instant in the life of a process: so many seconds after something has happened *count* times."""

    after: Anchor
    delay: float
    count: int = 1

    def __str__(self) -> str:
        what = f"batch {self.count} of its intents" if self.after is Anchor.INTENTS else self.after.value
        return f"{1000 * self.delay:.0f} ms after {what}"


class Runner:
    """One ``classbell sync`` in a process of its own."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str], words: Sequence[str]) -> None:
        self.name = name
        self._folder = folder
        self._errors = folder.parent / f"{name}.err"
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "classbell", "-v", "sync", "--yes", *words],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        self.began = time.monotonic()
        self._books = Books(folder / "classbell.db")
        self._before = {anchor: self._books.count(query) for anchor, query in _QUERIES.items()}

    def reaches(self, moment: Moment) -> bool:
        """Wait for a moment of its life; False if it has ended before."""
        begin = self.began
        if query := _QUERIES.get(moment.after):
            wanted = self._before[moment.after] + moment.count
            while self._books.count(query) < wanted:
                if self.process.poll() is not None or time.monotonic() > self.began + PATIENCE:
                    return False
                time.sleep(_LOOK)
            begin = time.monotonic()
        while time.monotonic() < begin + moment.delay and self.process.poll() is None:
            time.sleep(_LOOK)
        return self.process.poll() is None

    def strike(self, blow: signal.Signals) -> None:
        self.process.send_signal(blow)

    def limit_files(self, size: int) -> None:
        """From now on none of its files may grow beyond so many bytes."""
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, size))

    def ended(self) -> int:
        """Wait for its end: the exit code, below zero for a signal."""
        self._books.close()
        try:
            return self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def said(self) -> str:
        """What it told people, and its log."""
        return self._errors.read_text(encoding="utf-8", errors="replace")


class Books:
    """The ledger's file, as anybody may read it while others write."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None

    def count(self, query: str) -> int:
        """What a query counts; 0 where there is no ledger yet."""
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=0.0)
            return int(self._connection.execute(query).fetchone()[0])
        except sqlite3.Error:
            self.close()
            return 0

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Installation:
    """
    A folder with a configuration and the ledger.

    Args:
        environment: of its processes.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._environment = environment
        self._runners: list[Runner] = []
        # How long a run takes that nothing happens to, as far as is known.
        self.usual_seconds = 2.0
        (folder / "conf.d").mkdir()
        (folder / "classbell.toml").write_text(HOST, encoding="utf-8")

    @property
    def database(self) -> Path:
        return self.folder / "classbell.db"

    def add(self, told: Mapping[str, str], timetables: Sequence[Timetable], at_least: int) -> None:
        """The file of an institution; *told* says what differs from one to the other."""
        sources = [
            SOURCE.format(name=one.name, meetings=one.meetings_file, attendance=one.attendance_file)
            for one in timetables
        ]
        names = str([one.name for one in timetables]).replace("'", '"')
        text = INSTITUTION.format(
            **told, sources="\n".join(sources), names=names, zone=ZONE, bound=BOUND, at_least=at_least
        )
        (self.folder / "conf.d" / f"{told['id']}.toml").write_text(text, encoding="utf-8")

    def start(self, *words: str) -> Runner:
        """``classbell sync``, with more words of its command line."""
        runner = Runner(f"sync-{len(self._runners) + 1}", self.folder, self._environment, words)
        self._runners.append(runner)
        return runner

    def end(self) -> None:
        """Leave nothing behind that runs, or is stopped."""
        for runner in self._runners:
            if runner.process.poll() is None:
                runner.strike(signal.SIGKILL)
                runner.process.wait()

    def lose_lease(self) -> None:
        """Take the file away that keeps a second runner out: no safety rests on it."""
        self.database.with_name("classbell.db.lease").unlink(missing_ok=True)

    def approve_all(self) -> bool:
        """``classbell holds approve`` for all that is held; whether there was anything."""
        query = "SELECT id, deletes FROM hold WHERE state IN ('open', 'rejected') ORDER BY id"
        with closing(sqlite3.connect(self.database)) as books:
            held = books.execute(query).fetchall()
        for number, deletes in held:
            words = ("holds", "approve", str(number), "--deletes", str(deletes))
            subprocess.run(
                [sys.executable, "-m", "classbell", *words],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
            )
        return bool(held)

    def waiting(self) -> list[dict[str, Any]]:
        """What the ledger says of what is not done."""
        query = """
            SELECT institution.key AS institution, mailbox.key AS mailbox, meeting.source || ':' || meeting.key AS key,
                   change.state, change.code, change.detail
            FROM change JOIN mailbox ON mailbox.id = change.mailbox_id
            JOIN meeting ON meeting.id = change.meeting_id
            JOIN institution ON institution.id = change.institution_id
            WHERE change.state NOT IN ('done', 'superseded') ORDER BY change.id
        """
        with closing(sqlite3.connect(self.database)) as books:
            books.row_factory = sqlite3.Row
            return [dict(row) for row in books.execute(query)]


def small_file_system(folder: Path, megabytes: int) -> bool:
    """Let a folder stand on a file system of its own that is soon full; whether that can be done here."""
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "none", str(folder)]
    return subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0


def fill(folder: Path) -> Path:
    """Leave no space on the file system of a folder; the file that has taken it."""
    file = folder / "filler"
    with file.open("wb", buffering=0) as filler:
        try:
            while filler.write(b"\0" * 65_536) == 65_536:
                pass
        except OSError:
            pass
    return file
