"""
The sandbox's lock, and what is to happen under it at a later time.

A write that the service commits only after it has answered with an error is kept here until its time. Whoever
takes the lock next first lets happen what has come due, as if it had happened then: under a clock that jumps, too.
"""

import heapq
import threading
from collections.abc import Callable
from itertools import count
from types import TracebackType


class DueLock:
    """
    A lock that may be taken again by its holder.

    Args:
        now: the sandbox's time, in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._clock = now
        self._lock = threading.RLock()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._moment: tuple[int, float] | None = None

    def __enter__(self) -> None:
        self._lock.acquire()
        if self._due and self._moment is None:
            self._settle()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def now(self) -> float:
        """The time of what happens: for a late commit its own time, although that has passed."""
        moment = self._moment
        if moment is not None and moment[0] == threading.get_ident():
            return moment[1]
        return self._clock()

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Let *action* happen at a time, in seconds; it must not raise."""
        with self._lock:
            heapq.heappush(self._due, (moment, next(self._numbers), action))

    def settle(self) -> None:
        """Let happen what has come due."""
        with self:
            pass

    def _settle(self) -> None:
        try:
            while self._due and self._due[0][0] <= self._clock():
                moment, _, action = heapq.heappop(self._due)
                self._moment = (threading.get_ident(), moment)
                action()
        finally:
            self._moment = None
