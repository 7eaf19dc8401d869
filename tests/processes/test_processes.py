"""Real processes, killed at instants drawn from a seed; many more with `make soak`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.processes.clock import CommonClock

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_twenty_processes_are_killed_and_no_invariant_is_violated() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.processes", "--kills", "20", "--from", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-3000:]
    assert "20 kills" in ended.stdout


def test_a_process_lives_in_the_common_time_also_when_it_jumps(tmp_path: Path) -> None:
    clock = CommonClock(tmp_path / "ahead")
    tell = "import time, sys\nfor line in sys.stdin: print(time.time(), flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", tell],
        env=os.environ | clock.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for hours in (0, 1, 24):
            clock.advance(hours * 3_600.0)
            process.stdin.write("now\n")
            process.stdin.flush()
            assert abs(float(process.stdout.readline()) - clock.now()) < 5.0
