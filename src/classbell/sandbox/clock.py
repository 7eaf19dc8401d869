"""The sandbox's time: real time plus an offset that can be set and advanced."""

import time
from collections.abc import Callable
from datetime import UTC, datetime


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
        """Make it *moment* now (naive means UTC); time runs on from there."""
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        self.offset = aware.timestamp() - self._base()

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass at once."""
        self.offset += seconds
