"""
What can happen in a world: acts of the timetable office, of people, of the service, of the installation.

A new kind of act is one function with ``@act``: it is given the world and its own draws, and says in a few
words what it did, or nothing if there was nothing to do it to. Schedules draw from all of them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from tests.simulation.world import World

Deed = Callable[[World, Random], Awaitable[str]]


@dataclass(frozen=True)
class Act:
    """Something that can happen, and how often beside others; *always* if every schedule has it."""

    name: str
    deed: Deed
    weight: float
    always: bool = False


ACTS: dict[str, Act] = {}


def act(weight: float = 1.0, *, always: bool = False) -> Callable[[Deed], Deed]:
    """Let schedules draw a function, under its own name."""

    def entered(deed: Deed) -> Deed:
        name = deed.__name__
        ACTS[name] = Act(name, deed, weight, always)
        return deed

    return entered


def all_acts() -> list[Act]:
    """Every act there is, by name."""
    from tests.simulation.actors import administrator, installation, losses, office, people, plans, service  # noqa: F401, PLC0415

    return [ACTS[name] for name in sorted(ACTS)]
