"""Switches for the sandboxes of tests: they begin as the present trial says, and note what is asked of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.trials import OTHERS, present

from classbell.sandbox import SandboxClock, Switches


class NotedSwitches(Switches):
    """Switches that note what is asked of them, and what a test sets."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """As at the beginning of a test."""
        vars(self).update(vars(Switches()) | present().tried)

    def __getattribute__(self, name: str) -> Any:
        if name in OTHERS:
            present().asked.add(name)
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        present().stated.add(name)
        super().__setattr__(name, value)


@contextmanager
def registered_before(clock: SandboxClock) -> Iterator[None]:
    """Do what an administrator has done the day before, so that the service knows it by now."""
    clock.advance(-86_400.0)
    yield
    clock.advance(86_400.0)
