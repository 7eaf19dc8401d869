"""A copy of the repository in which bugs are planted, so that the repository itself stays as it is."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.planted.bug import Bug

ROOT = Path(__file__).resolve().parents[2]

# What tests read of the repository; `docs` because the product's messages are held against it.
_COPIED = ("src", "tests", "docs", "pyproject.toml", "README.md")
_LEFT_OUT = shutil.ignore_patterns("node_modules", "__pycache__", "*.pyc")
# Of one command; every test has its own limit beside.
_TIMEOUT = 600.0


class Misplaced(Exception):
    """The lines of a planted bug do not stand in its file exactly once."""


def planted(text: str, bug: Bug) -> str:
    """
    The text of a file with a bug in it.

    Raises:
        Misplaced: the lines are no longer there, or more than once.
    """
    found = list(re.finditer(rf"^( *){re.escape(bug.lines)}$", text, re.MULTILINE))
    if len(found) != 1:
        raise Misplaced(f"{bug.name}: its lines stand {len(found)} times in {bug.file}, not once")
    (place,) = found
    return text[: place.end(1)] + bug.instead + text[place.end() :]


class Scratch:
    """A copy of the repository."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=_LEFT_OUT)
            else:
                shutil.copy(source, folder / name)

    @contextmanager
    def with_bug(self, bug: Bug) -> Iterator[None]:
        """A bug stands in the copy meanwhile."""
        file = self._folder / "src" / "classbell" / bug.file
        before = file.read_text(encoding="utf-8")
        self._write(file, planted(before, bug))
        try:
            yield
        finally:
            self._write(file, before)

    def failures(self, tests: Sequence[str]) -> tuple[set[str], str]:
        """
        The tests that fail in the copy, of those named by their functions, and what pytest said.

        Raises:
            RuntimeError: they could not even be run.
        """
        ended = self._run("pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-rf", "--tb=line", *tests)
        # 0: all have passed; 1: some have failed. Anything else proves nothing.
        if ended.returncode not in {0, 1}:
            raise RuntimeError(f"pytest ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
        failed = set(re.findall(r"^FAILED ([^\s\[]+)", ended.stdout, re.MULTILINE))
        return failed, ended.stdout + ended.stderr

    def violated(self, schedules: int) -> bool:
        """Whether one of so many schedules of the simulation violates an invariant in the copy."""
        return any(self._violates(seed) for seed in range(schedules))

    def _violates(self, seed: int) -> bool:
        ended = self._run("tests.simulation", str(seed))
        # Played to its end, and judged: what breaks the simulation itself is no finding.
        return ended.returncode == 1 and bool(re.search(r"^seed .*: \d+ records", ended.stdout, re.MULTILINE))

    def _run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self._folder,
            env=os.environ | {"PYTHONPATH": f"{self._folder / 'src'}{os.pathsep}{self._folder}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT,
        )

    def _write(self, file: Path, text: str) -> None:
        file.write_text(text, encoding="utf-8")
        # Python trusts what it compiled of a file of the same size and second.
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            compiled.unlink()
