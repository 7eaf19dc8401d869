"""
The checkers: each judges one invariant, from the sandbox's history and the testimony beside it, and from nothing else.

They are written apart from the engine and import nothing of it, so that they cannot share its mistakes. A new
invariant is a module here with ``violations``, its name in ``CHECKERS``, and forged bad histories in
``test_checkers.py`` that it must find.
"""

from collections.abc import Callable, Iterator
from typing import Any

from tests.simulation.checkers import (
    held,
    i01_only_our_events,
    i02_no_duplicates,
    i03_nothing_lost,
    i04_no_mass_deletion,
    i05_convergence,
    i07_institutions_apart,
    i08_silence,
    i09_order,
    i10_looking_writes_nothing,
    i12_reversible,
    i13_wishes,
    i14_politeness,
    no_surprise,
)
from tests.simulation.checkers.reading import Case

Checker = Callable[[Case], Iterator[str]]

CHECKERS: dict[str, Checker] = {
    "I1": i01_only_our_events.violations,
    "I2": i02_no_duplicates.violations,
    "I3": i03_nothing_lost.violations,
    "I4": i04_no_mass_deletion.violations,
    "I5": i05_convergence.violations,
    "I7": i07_institutions_apart.violations,
    "I8": i08_silence.violations,
    "I9": i09_order.violations,
    "I10": i10_looking_writes_nothing.violations,
    "I12": i12_reversible.violations,
    "I13": i13_wishes.violations,
    "I14": i14_politeness.violations,
    "held": held.violations,
    "surprise": no_surprise.violations,
}

# These judge what is put back at the very end as well.
_TO_THE_END = frozenset({"I10", "I12"})


def judged(history: list[dict[str, Any]], testimony: dict[str, Any]) -> list[str]:
    """Every violation, with the name of what is violated."""
    whole = Case(history, testimony)
    restored = testimony["final"].get("restored")
    # What most judge ends before everything is put back that was deleted.
    case = Case(history[: restored["begin"]], testimony) if restored else whole
    return [
        f"{name}: {text}"
        for name, checker in CHECKERS.items()
        for text in checker(whole if name in _TO_THE_END else case)
    ]
