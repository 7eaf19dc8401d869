"""
What tests do again and again and a process in life does once; and waiting for a disk.

Nothing of ours behaves otherwise for it, and tests with ledgers take half as long.
"""

import functools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives import serialization
from sqlalchemy import Connection, Engine, event

# Where there is memory that looks like a disk, commits cost next to nothing.
_MEMORY = Path("/dev/shm")  # noqa: S108 - only looked at
# Containers often have but 64 MB of it.
_ENOUGH = 1 << 30


class Statements(dict[Any, Any]):
    """
    Statements as SQLAlchemy has put them into SQL, for every ledger of a kind.

    Its own caches belong to one engine each ("SQL Compilation Caching", ``compiled_cache``), and a test opens
    several ledgers.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        """The statement, or the default."""
        return super().get(_of_its_kind(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(_of_its_kind(key), compiled)


def _of_its_kind(key: Any) -> Any:
    dialect, *rest = key
    return type(dialect), *rest


def install() -> None:
    """For this process, and where that concerns the environment for those that it starts."""
    # In place of all authorities of the system, which take 34 ms to read for each client: no test asks the world. Its
    # key was never kept; there has to be one, since httpx refuses a file that holds none.
    os.environ["SSL_CERT_FILE"] = str(Path(__file__).with_name("nobodys_authority.pem"))
    # With each reading an RSA key is proved to be one, which takes 45 ms; a command reads its keys in each run.
    name = "load_pem_private_key"
    setattr(serialization, name, functools.cache(getattr(serialization, name)))
    statements = Statements()

    @event.listens_for(Engine, "engine_connect")
    def share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=statements)


@contextmanager
def kept(folder: Path) -> Iterator[Path]:
    """A folder in memory, if there is such; after the block all that is in it moves to *folder*."""
    ample = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ENOUGH
    with TemporaryDirectory(prefix="classbell-", dir=_MEMORY if ample else None) as name:
        yield Path(name)
        shutil.copytree(name, folder, dirs_exist_ok=True)
