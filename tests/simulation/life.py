"""
The life of one simulated process: every port asks it at every call whether it goes on.

At a chosen call it dies: from then on no port does anything any more, whatever the code that still runs may
try. What has left goes on to the service; what is committed stays in the files. It can also be frozen, as a
process is that the system has stopped: it wakes up later and knows nothing of the time between.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Dead(BaseException):
    """There is no process any more that could do this."""


class Life:
    """
    One process.

    Args:
        name: for the trace.
        dies_at: the number of the call to a port at which it dies; 0 for none.
        told: is given each call's number and kind, before anything comes of it.
    """

    def __init__(
        self, name: str, *, dies_at: int = 0, told: Callable[[int, str], None] = lambda _number, _what: None
    ) -> None:
        self.name = name
        self.dies_at = dies_at
        self.calls = 0
        self.ended = asyncio.Event()
        self.frozen_until = 0.0
        self.told = told
        self._aside = False

    @property
    def dead(self) -> bool:
        """Whether it has died."""
        return self.ended.is_set()

    def die(self) -> None:
        """End it now."""
        self.ended.set()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is asked here is asked by who notes it down, and is no call of the process's."""
        self._aside = True
        try:
            yield
        finally:
            self._aside = False

    def touch(self, what: str) -> None:
        """
        A port that cannot wait is called.

        Raises:
            Dead: there is no process any more.
        """
        if self._aside:
            return
        self.calls += 1
        self.told(self.calls, what)
        if self.calls == self.dies_at:
            self.die()
        if self.dead:
            raise Dead(what)

    async def reach(self, what: str) -> None:
        """
        A port that can wait is called: while the process is frozen it goes no further.

        Raises:
            Dead: there is no process any more.
        """
        self.touch(what)
        if self._aside:
            return
        loop = asyncio.get_running_loop()
        while self.frozen_until > loop.time():
            await asyncio.sleep(self.frozen_until - loop.time())
            if self.dead:
                raise Dead(what)
