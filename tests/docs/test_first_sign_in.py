"""The tutorial of the first sign-in is true: its commands run as they stand, and doctor is content in the end."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.prove

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "first-sign-in.md"
BLOCKS = re.findall(r"```sh\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), flags=re.DOTALL)
PORT = "8443"


@pytest.fixture
def port() -> str:
    """A free port, in place of the one that people are told."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def rehearsal(tmp_path: Path, environment: dict[str, str], port: str) -> Iterator[Path]:
    """The first block goes on in a terminal of its own."""
    with subprocess.Popen(
        ["bash", "-eu", "-c", BLOCKS[0].replace(PORT, port).replace("&& classbell", "&& exec classbell")],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert any(line.startswith("To look at:") for line in process.stdout)
            yield tmp_path / "rehearsal"
        finally:
            process.send_signal(signal.SIGINT)
            process.stdout.read()
    assert process.returncode == 0


def test_somebody_who_knows_nothing_of_entra_comes_to_a_doctor_that_is_content(
    rehearsal: Path, environment: dict[str, str]
) -> None:
    outputs = []
    for block in BLOCKS[1:]:
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", block],
            cwd=rehearsal,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}"
        outputs.append(done.stdout)
    made, path, registered, link, accepted, checked = outputs
    (thumbprint,) = re.findall(r"^Thumbprint +([0-9A-F]{40})", made, re.MULTILINE)
    assert "App registrations > New registration" in path
    assert thumbprint in path
    assert "application_object_id" in registered
    assert re.search(
        r"^https://localhost:\d+/[0-9a-f-]+/adminconsent\?client_id=[0-9a-f-]+$", link, re.MULTILINE
    )
    assert "granted" in accepted.lower()
    assert f"{thumbprint}\n        Microsoft gives a token for it" in checked
    lines = checked[checked.index(" ok    config") :].splitlines()
    assert not [line for line in lines if line.startswith((" FAIL", " --"))]
    assert [line.split()[1] for line in lines if line.startswith(" warn")] == ["certificate", "scope"]
    assert lines[-2:] == ["10 ok, 2 warnings     exit 0", "Next: classbell plan"]


def test_it_takes_fewer_than_ten_commands() -> None:
    commands = [line for block in BLOCKS for line in block.splitlines() if line]
    assert len(commands) < 10
