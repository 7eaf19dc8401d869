"""The command line as a user meets it: words in, an exit code and two streams of text out."""

import contextlib
import io
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from tests.canary.listening import CANARY

from classbell.cli import run

COMMAND = [str(Path(sys.executable).with_name("classbell"))]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def classbell(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> Ended:
    """Run one command line in this process: starting one of its own takes half a second each time."""
    out, err = io.StringIO(), io.StringIO()
    environment = clean_environment() | dict(env or {})
    with (
        contextlib.chdir(cwd),
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "stdin", io.StringIO()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = run(list(arguments))
    CANARY.hear(out.getvalue() + err.getvalue(), f"classbell {' '.join(arguments)}"[:80])
    return Ended(code, out.getvalue(), err.getvalue())


def clean_environment() -> dict[str, str]:
    """Without what this computer may have set for Classbell or for colours."""
    unwanted = ("CLASSBELL_", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
