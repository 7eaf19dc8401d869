"""A person at a terminal, who types what is asked for."""

import os
import pty
import select
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

PATIENCE = 60.0


def typed(command: Sequence[str], answers: Sequence[tuple[str, str]], cwd: Path) -> str:
    """
    Run a command at a terminal of its own; what stood there in the end.

    Args:
        command: words; it must end with 0.
        answers: what must be asked, in this order, and what is then typed in.
        cwd: where it runs.
    """
    ours, theirs = pty.openpty()
    # Programs ask for passwords at the terminal that controls them, not at their input: setsid makes it this one.
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command],
        cwd=cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""
    try:
        for question, answer in answers:
            asked_from = len(shown)
            while question not in shown[asked_from:]:
                more = _read(ours)
                assert more, f"never asked {question!r}: {shown}"
                shown += more
            os.write(ours, f"{answer}\n".encode())
        while more := _read(ours):
            shown += more
        assert process.wait(PATIENCE) == 0, shown
    finally:
        os.close(ours)
        if process.poll() is None:
            process.kill()
            process.wait()
    return shown


def _read(terminal: int) -> str:
    """What is shown next; nothing once the command has ended."""
    readable, _, _ = select.select([terminal], [], [], PATIENCE)
    assert readable, "nothing more was shown, and the command has not ended"
    with suppress(OSError):  # so Linux tells that the other end is closed
        return os.read(terminal, 4096).decode(errors="replace")
    return ""
