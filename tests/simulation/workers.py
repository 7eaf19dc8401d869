"""Processes that play schedules and trials beside each other, each with equipment of its own."""

import atexit
import gc
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing.connection import wait
from threading import Thread
from time import process_time

from tests.simulation.checkers import judged
from tests.simulation.equipment import Equipment, equipment
from tests.simulation.exhaustive import play_trial, trials
from tests.simulation.schedule import Told, play

_stack = ExitStack()
_equipment: Equipment


def workers(jobs: int) -> ProcessPoolExecutor:
    """So many of them."""
    # Not forked: processes of their own, as the one of a replay is.
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)


def _begin() -> None:
    global _equipment  # noqa: PLW0603 - what a worker keeps between schedules
    _equipment = _stack.enter_context(equipment())
    atexit.register(_stack.close)
    Thread(target=_end_with_parent, daemon=True).start()
    # What is there by now stays to the end; looking through it again and again took a tenth of the time.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _end_with_parent() -> None:
    """A parent that was killed tells nobody: its workers would play what it had given them to the end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        _stack.close()
        os._exit(1)


def names_of(scenario: str) -> list[str]:
    """The names of all trials of a scenario."""
    return trials(_equipment, scenario)


def judged_of(order: tuple[str, int]) -> tuple[str, list[str], int, float]:
    """Name and violations of one that was played, how many records, and seconds of CPU."""
    name, operations = order
    began = process_time()
    told = played(name, _equipment, operations)
    return name, judged(told.history, told.testimony), len(told.history), process_time() - began


def played(name: str, made: Equipment, operations: int) -> Told:
    """A schedule by its seed, or a trial by its name."""
    return play_trial(name, made) if "/" in name else play(name, made, operations)
