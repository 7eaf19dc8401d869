"""
Plays schedules and judges them: one with its trace, or a range over all processors.

    python -m tests.simulation 17
    python -m tests.simulation --seeds 500 --from 0
"""

import argparse
import atexit
import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from time import perf_counter, process_time

from tests.simulation.checkers import judged
from tests.simulation.equipment import Equipment, equipment
from tests.simulation.schedule import OPERATIONS, Told, play

_stack = ExitStack()
_equipment: Equipment


def main() -> int:
    """Exit code 0 only without a violation."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", nargs="?", help="one schedule, told step by step")
    parser.add_argument("--seeds", type=int, default=1, help="how many schedules")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--operations", type=int, default=OPERATIONS, help="of each schedule")
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count(), help="processes")
    given = parser.parse_args()
    if given.seed is not None:
        return _one(given.seed, given.operations)
    return _many(given.first, given.seeds, given.operations, given.jobs)


def _one(seed: str, operations: int) -> int:
    with equipment() as made:
        told = play(seed, made, operations)
    print(*told.trace, sep="\n")
    found = judged(told.history, told.testimony)
    print(f"seed {seed}: {len(told.history)} records, {told.digest}")
    print(*found, sep="\n")
    return 1 if found else 0


def _many(first: int, seeds: int, operations: int, jobs: int) -> int:
    began = perf_counter()
    violated, records, seconds = 0, 0, 0.0
    for seed, found, size, took in _results(first, seeds, operations, jobs):
        records += size
        seconds += took
        if found:
            violated += 1
            print(f"seed {seed} (python -m tests.simulation {seed})", *found, sep="\n  ", flush=True)
    print(
        f"{seeds} schedules of {operations} operations from seed {first}: {violated} with violations;"
        f" {records} records, {seconds / seeds:.2f} s of CPU each, {perf_counter() - began:.0f} s in all"
    )
    return 1 if violated else 0


def _results(
    first: int, seeds: int, operations: int, jobs: int
) -> Iterator[tuple[str, list[str], int, float]]:
    orders = [(str(seed), operations) for seed in range(first, first + seeds)]
    # Not forked: processes of their own, as the one of a replay is.
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawning, initializer=_begin) as pool:
        yield from pool.map(_judged, orders)


def _begin() -> None:
    global _equipment  # noqa: PLW0603 - what a worker keeps between schedules
    _equipment = _stack.enter_context(equipment())
    atexit.register(_stack.close)


def _judged(order: tuple[str, int]) -> tuple[str, list[str], int, float]:
    seed, operations = order
    began = process_time()
    told: Told = play(seed, _equipment, operations)
    found = judged(told.history, told.testimony)
    return seed, found, len(told.history), process_time() - began


if __name__ == "__main__":
    sys.exit(main())
