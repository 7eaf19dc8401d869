"""The time of all processes of a trial: this computer's, and ahead of it by what a file says that all of them read."""

import os
import struct
import time
from pathlib import Path


class CommonClock:
    """Lets hours pass at once, for processes that are running too: no trial could wait for what comes due."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ahead = 0.0
        file.write_bytes(struct.pack("d", 0.0))

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass for everybody."""
        self._ahead += seconds
        # In place: who has the file open reads the new time.
        with self._file.open("r+b", buffering=0) as file:
            file.write(struct.pack("d", self._ahead))

    def environment(self) -> dict[str, str]:
        """For processes that are to live in this time."""
        place = str(Path(__file__).parent / "ahead")
        known = os.environ.get("PYTHONPATH", "")
        return {
            "AHEAD_OF_TIME": str(self._file),
            "PYTHONPATH": f"{place}{os.pathsep}{known}".rstrip(os.pathsep),
        }
