"""
The ports in life: the real clock, real randomness, real files; the network is in ``transport``.

Nothing else in the engine asks what time it is, draws a random number or writes a file.
"""

import asyncio
import errno
import os
import secrets
import shutil
import stat
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from classbell.ports import Parser, Ports
from classbell.transport import AiohttpTransport

_PRIVATE = 0o600
_PUBLIC = 0o644
# What file systems without hard links answer: FAT, some network shares.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_random = secrets.SystemRandom()


class SystemClock:
    """The computer's wall clock. It may be set while we run: durations come from the loop's timers."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait; not at all for zero or less."""
        await asyncio.sleep(max(seconds, 0.0))


class SystemIds:
    """Randomness of the operating system."""

    def new_uuid(self) -> uuid.UUID:
        """A fresh random UUID (version 4)."""
        return uuid.uuid4()

    def random(self) -> float:
        """A number in [0, 1)."""
        return _random.random()


class LocalFiles:
    """The files of this computer."""

    def read(self, path: Path) -> bytes:
        """
        The content of a file.

        Raises:
            OSError: it cannot be read.
        """
        return path.read_bytes()

    def mode(self, path: Path) -> int:
        """
        The permission bits of a file; 0o600 on systems that have none.

        Raises:
            OSError: there is no such file.
        """
        status = path.stat()
        return stat.S_IMODE(status.st_mode) if os.name == "posix" else _PRIVATE

    def owner(self, path: Path) -> int:
        """
        The number of the account that a file belongs to: 0 is root; -1 on systems without numbers.

        Raises:
            OSError: there is no such file.
        """
        status = path.stat()
        return status.st_uid if os.name == "posix" else -1

    def modified(self, path: Path) -> float:
        """
        When a file was last written, in seconds since 1970.

        Raises:
            OSError: there is no such file.
        """
        return path.stat().st_mtime

    def free(self, folder: Path) -> int:
        """
        How many bytes this account may still write there.

        Raises:
            OSError: there is no such folder.
        """
        return shutil.disk_usage(folder).free

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        """The files under *folder* that match a pattern such as ``conf.d/*.toml``, sorted."""
        # A link to nothing stays in: reading it says so, where leaving it out would say nothing.
        return sorted(path for path in folder.glob(pattern) if not path.is_dir())

    def write_durably(self, path: Path, content: bytes, *, private: bool = False) -> None:
        """
        Replace a file so that after a crash either the old or the new content stands, whole.

        Args:
            path: the file; its directory exists.
            content: all of its new content.
            private: give it mode 0600 from its first byte on, else 0644.

        Raises:
            OSError: it could not be written; the old file is as it was.
        """
        with _draft(path, content, _PRIVATE if private else _PUBLIC) as draft:
            draft.replace(path)
        _sync_directory(path.parent)

    def rewrite(self, path: Path, content: bytes) -> None:
        """
        Replace the content of a file that people keep: durably, with its mode, its owner and links to it as they are.

        Root may run us for the account of the service, which must be able to read it afterwards.

        Raises:
            OSError: it is not there, or could not be written; the old content stands.
        """
        path = path.resolve()
        before = path.stat()
        with _draft(path, content, _PRIVATE) as draft:
            if os.name == "posix":
                with suppress(PermissionError):
                    os.chown(draft, before.st_uid, before.st_gid)
            draft.chmod(stat.S_IMODE(before.st_mode))
            draft.replace(path)
        _sync_directory(path.parent)

    def create_private(self, path: Path, content: bytes) -> None:
        """
        Write a new file with mode 0600 durably: all of it or nothing, and never over another.

        Raises:
            FileExistsError: there is something of this name.
            OSError: it could not be written; then nothing is there.
        """
        with _draft(path, content, _PRIVATE) as draft:
            # Unlike a rename, a link fails where something stands already, and is as atomic.
            try:
                os.link(draft, path)
            except FileExistsError:
                raise
            except OSError as refused:
                if refused.errno not in _NO_LINKS:
                    raise
                _write_new(path, content, _PRIVATE)
            draft.unlink(missing_ok=True)
        _sync_directory(path.parent)

    def remove(self, path: Path) -> None:
        """
        Remove a file so that a crash does not bring it back; that there is none is no error.

        Raises:
            OSError: it could not be removed.
        """
        path.unlink(missing_ok=True)
        _sync_directory(path.parent)


@contextmanager
def _draft(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    """The content in a file beside *path*, which is to take its place; gone if that fails."""
    # In the same directory: renames and links are atomic only within one file system.
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        _write_new(draft, content, mode)
        yield draft
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def _write_new(path: Path, content: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def _sync_directory(directory: Path) -> None:
    """Make a rename durable: the name is content of the directory, not of the file."""
    if os.name != "posix":
        return  # other systems give no handle for a directory
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@asynccontextmanager
async def live_ports(parser: Parser, *, ca_file: Path | None = None) -> AsyncIterator[Ports]:
    """
    The six ports in life, for one institution; the network's connections close at the end.

    Args:
        parser: the port for untrusted sources.
        ca_file: certificate authorities to trust beside those of the system.

    Raises:
        ConfigurationError: *ca_file* or a proxy of the environment cannot be used.
    """
    clock = SystemClock()
    async with AiohttpTransport(clock, ca_file) as transport:
        yield Ports(transport=transport, clock=clock, ids=SystemIds(), files=LocalFiles(), parser=parser)
