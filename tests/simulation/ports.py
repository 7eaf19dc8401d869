"""The other ports of one simulated process: clock, ids, files and the ledger's database."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from random import Random
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError
from tests.simulation.life import Dead, Life

from classbell.ledger.database import Database

T = TypeVar("T")


class SimulatedClock:
    """Our computer's clock: ``skew`` seconds off the service's, which is the loop's."""

    def __init__(self, now: Callable[[], float], skew: float, life: Life) -> None:
        self._now = now
        self.skew = skew
        self._life = life

    def now(self) -> float:
        return self._now() + self.skew

    async def sleep(self, seconds: float) -> None:
        await self._life.reach("sleep")
        await asyncio.sleep(max(seconds, 0.0))
        await self._life.reach("awake")


class SimulatedIds:
    """Ids and draws from a seed."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def new_uuid(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def random(self) -> float:
        return self._random.random()


class Disk:
    """Files that stay when a process ends: what is there is durable."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._files: dict[Path, tuple[bytes, float]] = {}
        self.full = False

    def read(self, path: Path) -> bytes:
        if path not in self._files:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return self._files[path][0]

    def modified(self, path: Path) -> float:
        self.read(path)
        return self._files[path][1]

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        return sorted(path for path in self._files if fnmatch(str(path), f"{folder}/{pattern}"))

    def put(self, path: Path, content: bytes) -> None:
        self._files[path] = (content, self._now())

    def remove(self, path: Path) -> None:
        self._files.pop(path, None)

    def __contains__(self, path: Path) -> bool:
        return path in self._files


class SimulatedFiles:
    """``ports.Files`` of one process over the common disk."""

    def __init__(self, disk: Disk, life: Life) -> None:
        self._disk = disk
        self._life = life

    def read(self, path: Path) -> bytes:
        self._life.touch("read file")
        return self._disk.read(path)

    def mode(self, path: Path) -> int:
        self._disk.read(path)
        return 0o600

    def owner(self, path: Path) -> int:
        self._disk.read(path)
        return 1000

    def modified(self, path: Path) -> float:
        self._life.touch("date of file")
        return self._disk.modified(path)

    def free(self, folder: Path) -> int:  # noqa: ARG002 - the port's own shape
        return 0 if self._disk.full else 2**40

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        self._life.touch("list files")
        return self._disk.matching(folder, pattern)

    def write_durably(self, path: Path, content: bytes, *, private: bool = False) -> None:  # noqa: ARG002
        self._life.touch("write file")
        self._refuse_if_full()
        self._disk.put(path, content)
        self._life.touch("file written")

    def rewrite(self, path: Path, content: bytes) -> None:
        self.write_durably(path, content)

    def create_private(self, path: Path, content: bytes) -> None:
        self._life.touch("create file")
        if path in self._disk:
            raise FileExistsError(17, "File exists", str(path))
        self._refuse_if_full()
        self._disk.put(path, content)
        self._life.touch("file created")

    def remove(self, path: Path) -> None:
        self._life.touch("remove file")
        self._disk.remove(path)
        self._life.touch("file removed")

    def _refuse_if_full(self) -> None:
        if self._disk.full:
            raise OSError(28, "No space left on device")


class SimulatedDatabase(Database):
    """
    The real database on a real file, which a process can die before and after each commit of, and at each read.

    A full disk refuses commits, as SQLite does.
    """

    life = Life("nobody")
    disk = Disk(lambda: 0.0)

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.engine = engine

    def close(self) -> None:
        """
        End with the process; what was not committed is gone.

        The file stays open for the next process, which reads no other things there than if it had opened it: to open
        and close it took a tenth of the time of a schedule.
        """
        self._connection.close()

    @classmethod
    def inhabited(cls, url: str, life: Life, disk: Disk, engines: list[Engine]) -> "SimulatedDatabase":
        """Open the database for a process, with one of the *engines* if there is any."""
        opened = cls(engines.pop()) if engines else cls.open(url)
        assert isinstance(opened, cls)
        opened.life, opened.disk = life, disk
        return opened

    async def read(self, query: Callable[[Connection], T]) -> T:
        await self.life.reach("query")
        return await super().read(query)

    async def write(self, work: Callable[[Connection], T]) -> T:
        await self.life.reach("transaction")
        result = await super().write(work)
        await self.life.reach("committed")
        return result

    @contextmanager
    def _transaction(self, *, writing: bool = False) -> Iterator[None]:
        with super()._transaction(writing=writing):
            yield
            if self.life.dead:
                raise Dead("commit")
            if writing:
                self.life.touch("commit")
                if self.disk.full:
                    raise OperationalError("COMMIT", {}, sqlite3.OperationalError("database or disk is full"))
