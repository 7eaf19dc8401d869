"""A command whose process is killed while it writes to calendars."""

import os
import signal
import subprocess
import sys

from tests.cli.classbell import clean_environment
from tests.scenarios.campus import Campus

from classbell.sandbox import RequestInfo


def is_killed(campus: Campus, *arguments: str, at: int) -> None:
    """Run a command in a process of its own, which dies as its change of a number comes in."""
    host = campus.world.folder / "classbell.toml"
    host.write_text(host.read_text(encoding="utf-8") + "\n[engine]\nin_flight = 1\n", encoding="utf-8")
    seen = 0

    def strike(info: RequestInfo) -> bool:
        nonlocal seen
        seen += info.kind == "member" and info.method in {"PATCH", "DELETE"}
        if seen == at:
            os.kill(process.pid, signal.SIGKILL)
        return False

    campus.world.sandbox.faults.add(strike, "503-before", times=None)
    command = [sys.executable, "-m", "classbell", *arguments]
    process = subprocess.Popen(
        command,
        cwd=campus.world.folder,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.wait(timeout=60) == -signal.SIGKILL
    campus.world.sandbox.faults.clear()
