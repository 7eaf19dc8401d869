"""The sandbox's time: real time plus an offset that can be set and advanced."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

# The dates of mailboxes end in the year 4500 (MAPI); nothing here is to reach beyond.
_LATEST = datetime(4500, 1, 1, tzinfo=UTC).timestamp()


class SandboxClock:
    """
    Seconds since 1970, as everything in the sandbox sees them.

    Args:
        base: the running time underneath, in seconds; a simulation hands in its own.

    Attributes:
        offset: seconds by which it is ahead of the time underneath.
    """

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self.offset = 0.0

    def now(self) -> float:
        """The current instant in seconds."""
        return self._base() + self.offset

    def set(self, moment: datetime) -> None:
        """
        Make it *moment* now (naive means UTC); time runs on from there.

        Raises:
            ValueError: it is before 1970 or after 4499.
        """
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        self._change(aware.timestamp() - self._base())

    def advance(self, seconds: float) -> None:
        """
        Let *seconds* pass at once.

        Raises:
            ValueError: that leads beyond 4499.
        """
        self._change(self.offset + seconds)

    def _change(self, offset: float) -> None:
        if not 0 <= self._base() + offset < _LATEST:
            raise ValueError("the clock goes from 1970 to 4499")
        self.offset = offset
