"""
The six ports: every effect passes through one of them.

So a simulation can supply the loop and the ports, and nothing else.
Transport, clock, randomness and ids, files, the ledger's database, and the parsing of untrusted sources.
Their life forms are in ``life.py``; the database's port is SQLAlchemy's engine, made in ``ledger``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer as it came: header names in lower case; ``url`` is where it came from in the end."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    url: str = ""


class NoAnswer(Exception):
    """
    No complete answer came: refused, reset, timed out, cut off, or not sent in time.

    ``sent`` is False only when it is certain that not one byte of the request left.
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class Transport(Protocol):
    """One HTTP exchange."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        send_until: float | None = None,
        timeout: float = 60.0,  # noqa: ASYNC109 - the transport itself must keep to it
    ) -> Response:
        """
        Send one request and read its whole answer.

        Args:
            send_until: clock time (``Clock.now``) after which the request must not start to leave.
            timeout: seconds for the whole exchange.

        Raises:
            NoAnswer: no complete answer came.
        """
        ...


class Clock(Protocol):
    """Time, as seconds since 1970. Only this port may ask what time it is or wait."""

    def now(self) -> float:
        """The current instant in seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Ids(Protocol):
    """Randomness and new ids."""

    def new_uuid(self) -> UUID:
        """A fresh random UUID."""
        ...

    def random(self) -> float:
        """A number in [0, 1), for jitter."""
        ...


class Files(Protocol):
    """Local files."""

    def read(self, path: Path) -> bytes:
        """
        The content of a file.

        Raises:
            OSError: it cannot be read.
        """
        ...

    def mode(self, path: Path) -> int:
        """
        The permission bits of a file, such as 0o600; 0o600 where the system has none.

        Raises:
            OSError: there is no such file.
        """
        ...

    def owner(self, path: Path) -> int:
        """
        The number of the account that a file belongs to: 0 is root; -1 where the system has no numbers.

        Raises:
            OSError: there is no such file.
        """
        ...

    def modified(self, path: Path) -> float:
        """
        When a file was last written, in seconds since 1970.

        Raises:
            OSError: there is no such file.
        """
        ...

    def free(self, folder: Path) -> int:
        """
        How many bytes this account may still write there.

        Raises:
            OSError: there is no such folder.
        """
        ...

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        """The files under *folder* that match a pattern such as ``conf.d/*.toml``, sorted."""
        ...

    def write_durably(self, path: Path, content: bytes, *, private: bool = False) -> None:
        """Replace a file atomically and fsync it; *private* means mode 0600."""
        ...

    def rewrite(self, path: Path, content: bytes) -> None:
        """
        Replace the content of a file that is there, atomically and fsynced; mode, owner and links stay.

        Raises:
            OSError: it is not there, or could not be written.
        """
        ...

    def create_private(self, path: Path, content: bytes) -> None:
        """
        Write a new file with mode 0600 durably: all of it or nothing, and never over another.

        Raises:
            FileExistsError: there is something of this name.
            OSError: it could not be written; then nothing is there.
        """
        ...

    def remove(self, path: Path) -> None:
        """
        Remove a file durably; that there is none is no error.

        Raises:
            OSError: it could not be removed.
        """
        ...


class Parser(Protocol):
    """Parsing of untrusted bytes: in life a child process with limits on time and memory."""

    async def parse(self, kind: str, payloads: Sequence[bytes], options: Mapping[str, Any]) -> list[bytes]:
        """
        Parse payloads of one kind; each result is the msgpack of the kind's own parsed type.

        Raises:
            ParserDied: the parser was stopped by a limit or crashed.
        """
        ...


class ParserDied(Exception):
    """
    The parser was stopped by a limit or crashed; ``reason`` says which.

    ``finished`` holds the results of the payloads before the one that stopped it.
    """

    def __init__(self, reason: str, *, finished: Sequence[bytes] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.finished = tuple(finished)


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The ports together, as one pass receives them."""

    transport: Transport
    clock: Clock
    ids: Ids
    files: Files
    parser: Parser
