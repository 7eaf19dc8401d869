"""Schedules drawn from seeds: a few of them every day, many more in the longer proofs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.checkers import judged
from tests.simulation.equipment import Equipment, equipment
from tests.simulation.exhaustive import DEATH, FAULTS, play_trial, trials
from tests.simulation.schedule import play

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made() -> Iterator[Equipment]:
    with equipment() as ready:
        yield ready


@pytest.mark.parametrize("seed", [f"daily-{number}" for number in range(2)])
def test_whatever_happens_no_invariant_is_violated(made: Equipment, seed: str) -> None:
    told = play(seed, made)
    assert judged(told.history, told.testimony) == []


@pytest.mark.prove
def test_the_same_seed_gives_the_same_history_in_every_process(made: Equipment) -> None:
    expected = play("same", made, 40).digest
    for hashes in ("0", "1"):
        ended = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "same", "--operations", "40"],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": hashes},
            capture_output=True,
            text=True,
            check=False,
        )
        assert expected in ended.stdout, ended.stdout[-500:] + ended.stderr[-2000:]


def test_another_seed_gives_another_history(made: Equipment) -> None:
    assert play("same", made, 20).digest != play("other", made, 20).digest


def test_a_scenario_survives_deaths_and_single_faults(made: Equipment) -> None:
    """A few of each; all of them are in the longer proofs."""
    names = trials(made, "update")
    deaths = [name for name in names if f"/{DEATH}/" in name]
    assert len(deaths) > 50
    assert len(names) - len(deaths) >= 2 * len(FAULTS)
    found = {}
    for name in names[::25]:
        told = play_trial(name, made)
        if violations := judged(told.history, told.testimony):
            found[name] = violations
    assert found == {}


@pytest.mark.prove
@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    "which", [["--seeds", "500"], ["--exhaustive", "--every", "10"]], ids=["seeds", "exhaustive"]
)
def test_many_schedules_and_single_faults_violate_nothing(which: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *which],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
