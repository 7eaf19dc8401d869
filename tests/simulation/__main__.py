"""
Plays schedules and judges them: one with its trace, or a range over all processors.

    python -m tests.simulation 17
    python -m tests.simulation --seeds 500 --from 0
    python -m tests.simulation "update/503-after/3"
    python -m tests.simulation --exhaustive
"""

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter

from tests.simulation.checkers import judged
from tests.simulation.equipment import equipment
from tests.simulation.exhaustive import SCENARIOS
from tests.simulation.schedule import OPERATIONS
from tests.simulation.workers import judged_of, names_of, played, workers

_NEWS_EACH = 500


def main() -> int:
    """Exit code 0 only without a violation."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", nargs="?", help="one schedule or trial, told step by step")
    parser.add_argument("--exhaustive", action="store_true", help="all trials of all scenarios")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="of these, each Nth")
    parser.add_argument("--seeds", type=int, default=1, help="how many schedules")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--operations", type=int, default=OPERATIONS, help="of each schedule")
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count(), help="processes")
    given = parser.parse_args()
    if given.seed is not None:
        return _one(given.seed, given.operations)
    with workers(given.jobs) as pool:
        if given.exhaustive:
            names = [name for found in pool.map(names_of, SCENARIOS) for name in found][:: given.every]
        else:
            names = [str(seed) for seed in range(given.first, given.first + given.seeds)]
        return _many(pool, names, given.operations)


def _one(name: str, operations: int) -> int:
    with equipment() as made:
        told = played(name, made, operations)
    print(*told.trace, sep="\n")
    found = judged(told.history, told.testimony)
    print(f"seed {name}: {len(told.history)} records, {told.digest}")
    print(*found, sep="\n")
    return 1 if found else 0


def _many(pool: ProcessPoolExecutor, names: Sequence[str], operations: int) -> int:
    began = perf_counter()
    violated, records, seconds = 0, 0, 0.0
    orders = [(name, operations) for name in names]
    for played_by_now, (name, found, size, took) in enumerate(pool.map(judged_of, orders), 1):
        records += size
        seconds += took
        if found:
            violated += 1
            print(f'python -m tests.simulation "{name}"', *found, sep="\n  ", flush=True)
        if played_by_now % _NEWS_EACH == 0 and played_by_now < len(names):
            print(f"{played_by_now} played, up to {name}: {violated} with violations", flush=True)
    print(
        f"{len(names)} from {names[0]} to {names[-1]}: {violated} with violations; {records} records,"
        f" {seconds / len(names):.2f} s of CPU each, {perf_counter() - began:.0f} s in all"
    )
    return 1 if violated else 0


if __name__ == "__main__":
    sys.exit(main())
