"""
An event loop whose time is virtual: whoever waits waits no time at all, and everything happens in one order.

It never waits for the operating system. When nothing is ready, time jumps to the next timer; when there is
none either, everybody waits for what will never come, and that is a finding.
"""

import asyncio
import selectors
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")

# Callbacks at one instant from which on nobody can be said to make progress.
MOST_AT_ONE_INSTANT = 200_000


class Stuck(Exception):
    """Nothing will ever happen any more, or nothing but turning in circles."""


class NumberedTask(asyncio.Task[T]):
    """A task whose hash is its number, so that a set of tasks has the same order in every process."""

    def __init__(self, *args: Any, number: int, **options: Any) -> None:
        self._number = number
        super().__init__(*args, **options)

    def __hash__(self) -> int:
        return self._number


class _NoWaiting(selectors.SelectSelector):
    """Instead of waiting, lets the loop's time pass."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[Any]:
        self.loop.let_pass(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that begins at time 0 and never waits."""

    def __init__(self) -> None:
        selector = _NoWaiting()
        selector.loop = self
        self._virtual = 0.0
        self._turns = 0
        self._numbers = count(1)
        super().__init__(selector)
        # Sums of floats do not meet to the last bit: a timer within a microsecond is due.
        self._clock_resolution = 1e-6
        self.set_task_factory(self._numbered)

    def time(self) -> float:
        """Seconds since the loop was made, virtual ones."""
        return self._virtual

    def let_pass(self, seconds: float | None) -> None:
        """
        Let time pass until the next timer; None if there is none.

        Raises:
            Stuck: nobody can go on.
        """
        if seconds is None:
            raise Stuck("everybody waits, and nothing will ever come")
        if seconds > 0:
            self._virtual += seconds
            self._turns = 0
            return
        self._turns += 1
        if self._turns > MOST_AT_ONE_INSTANT:
            raise Stuck(f"{MOST_AT_ONE_INSTANT} turns without a moment passing")

    def _numbered(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, T] | Generator[Any, None, T],
        **options: Any,
    ) -> NumberedTask[T]:
        return NumberedTask(work, loop=loop, number=next(self._numbers), **options)


@contextmanager
def virtual_loop() -> Iterator[VirtualLoop]:
    """A loop for the block; what is still under way at its end is ended."""
    loop = VirtualLoop()
    try:
        yield loop
    finally:
        left = sorted(asyncio.all_tasks(loop), key=hash)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
