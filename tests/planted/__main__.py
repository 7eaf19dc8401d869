"""
Plants bugs, one at a time, in a copy of the repository, and shows that tests find each.

    python -m tests.planted
    python -m tests.planted blind-retry no-first-contact
"""

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter

from tests.planted.bug import Bug
from tests.planted.bugs import BUGS
from tests.planted.scratch import Misplaced, Scratch


def main() -> int:
    """Exit code 0 only if every bug was found by all that should find it."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of these bugs only")
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count(), help="side by side")
    given = parser.parse_args()
    chosen = [bug for bug in BUGS if not given.names or bug.name in given.names]
    if missing := set(given.names) - {bug.name for bug in chosen}:
        parser.error(f"no planted bug is called {', '.join(sorted(missing))}")
    began = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        scratches: SimpleQueue[Scratch] = SimpleQueue()
        for number in range(given.jobs):
            place = Path(folder) / f"copy-{number}" / "repository"
            place.mkdir(parents=True)
            scratches.put(Scratch(place))
        if said := _sound(scratches, chosen):
            print(f"Without any bug tests fail already, so that nothing can be shown.\n{said}")
            return 1
        with ThreadPoolExecutor(given.jobs) as pool:
            escaped = 0
            for bug, why in zip(chosen, pool.map(lambda bug: _tried(scratches, bug), chosen), strict=True):
                escaped += bool(why)
                print(
                    f"{'ESCAPED' if why else 'found':8}{bug.name}: {bug.rule}",
                    *why,
                    sep="\n        ",
                    flush=True,
                )
    print(f"{len(chosen)} planted, {len(chosen) - escaped} found, {perf_counter() - began:.0f} s")
    return 1 if escaped else 0


def _sound(scratches: "SimpleQueue[Scratch]", bugs: Iterable[Bug]) -> str:
    """What is wrong without any bug; nothing if all is well."""
    scratch = scratches.get()
    try:
        failed, said = scratch.failures(sorted({test for bug in bugs for test in bug.found_by}))
        if failed:
            return said
        most = max(bug.schedules for bug in bugs)
        return "The simulation finds violations." if scratch.violated(most) else ""
    finally:
        scratches.put(scratch)


def _tried(scratches: "SimpleQueue[Scratch]", bug: Bug) -> list[str]:
    """Why a bug was not found by all that should find it; nothing if it was."""
    scratch = scratches.get()
    try:
        with scratch.with_bug(bug):
            failed, said = scratch.failures(bug.found_by)
            why = [f"not found by {test}" for test in bug.found_by if test not in failed]
            if bug.schedules and not scratch.violated(bug.schedules):
                why.append(f"not found by the first {bug.schedules} schedules of the simulation")
    except (Misplaced, RuntimeError) as error:
        return str(error).splitlines()
    else:
        return [*why, *said.splitlines()[-15:]] if why else []
    finally:
        scratches.put(scratch)


if __name__ == "__main__":
    sys.exit(main())
