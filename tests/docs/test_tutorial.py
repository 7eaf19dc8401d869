"""The tutorial is true: its commands run, in its order, and end as it says."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.prove

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "a-day-on-the-sandbox.md"
BLOCKS = re.findall(r"```sh\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def demo(tmp_path: Path, environment: dict[str, str]) -> Iterator[None]:
    """The first block runs beside the others, as in a terminal of its own."""
    with subprocess.Popen(
        BLOCKS[0].split(), cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            assert any(line.startswith("The sandbox stays at") for line in process.stderr)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.stderr.read()
    assert process.returncode == 0


@pytest.mark.usefixtures("demo")
def test_the_tutorial_goes_as_it_says(tmp_path: Path, environment: dict[str, str]) -> None:
    outputs = []
    for block in BLOCKS[1:]:
        done = subprocess.run(
            ["bash", "-eu", "-c", block],
            cwd=tmp_path,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}"
        outputs.append(done.stdout)
    working, nothing, room, applied, explained, wrong, whole = outputs
    assert "Synced  Healthy" in working
    assert "Nothing to do" in nothing
    assert "Hooke" in room
    assert "Newton" in room
    assert " 0 create, " in applied
    assert " 0 delete in " in applied
    assert "5 calendar" in explained
    assert "E-SRC-SHRUNK" in wrong
    assert "nothing was applied" in wrong
    assert "ended with 4" in wrong
    assert "Synced  Healthy" in whole
