"""
Kills real processes at instants drawn from a seed, and judges what came of it.

    python -m tests.processes --kills 20 --from 0

Each 20 kills are a trial of its own, with the next seed. The instants are the same in each repetition as far as the
computer is as fast.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from tests.processes.acts import play
from tests.processes.installation import small_file_system
from tests.processes.trial import Trial

KILLS = 20
MEGABYTES = 16
_APART = "IN_A_NAMESPACE"


def main() -> int:
    """Exit code 0 only without a violation."""
    parser = argparse.ArgumentParser(prog="python -m tests.processes", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help="in all")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the seed of the first trial")
    parser.add_argument("--trace", action="store_true", help="tell what happened")
    given = parser.parse_args()
    _go_apart()
    began = perf_counter()
    violated = kills = 0
    seed = given.first
    while kills < given.kills:
        wanted = min(KILLS, given.kills - kills)
        trial, found = _tried(seed, wanted, print if given.trace else lambda _: None)
        kills += trial.kills
        violated += bool(found)
        for text in found:
            print(f"python -m tests.processes --kills {wanted} --from {seed} --trace:  {text}", flush=True)
        print(
            f"seed {seed}: {trial.kills} kills in {len(trial.runs) // 2} runs, {len(found)} violations",
            flush=True,
        )
        seed += 1
    print(
        f"{kills} kills, seeds {given.first} to {seed - 1}: {violated} trials with violations;"
        f" {perf_counter() - began:.0f} s"
    )
    return 1 if violated else 0


def _tried(seed: int, kills: int, told: Callable[[str], None]) -> tuple[Trial, list[str]]:
    with tempfile.TemporaryDirectory(prefix="processes-") as name:
        folder = Path(name)
        (folder / "ledger").mkdir()
        small = small_file_system(folder / "ledger", MEGABYTES)
        try:
            trial = Trial(seed=seed, folder=folder, small=small, told=told)
            try:
                play(trial, kills)
                return trial, trial.judged()
            finally:
                trial.installation.end()
                trial.service.end()
        finally:
            if small:
                subprocess.run(["umount", "--lazy", str(folder / "ledger")], check=True)


def _go_apart() -> None:
    """Go on in a mount namespace of our own, if one can be had: a small file system in it is gone with us."""
    unshare = shutil.which("unshare")
    if unshare is None or _APART in os.environ:
        return
    words = [unshare, "--map-root-user", "--mount"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
        os.environ[_APART] = "1"
        os.execv(unshare, [*words, sys.executable, "-m", "tests.processes", *sys.argv[1:]])  # noqa: S606 - no shell


if __name__ == "__main__":
    sys.exit(main())
