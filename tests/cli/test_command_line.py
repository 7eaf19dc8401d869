import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.classbell import COMMAND, classbell, clean_environment
from tests.settings.folder import Folder

from classbell import __version__
from classbell.cli.exits import EPILOG, Exit
from classbell.errors import ClassbellError


@pytest.mark.parametrize(
    "command", [[], ["init"], ["config"], ["config", "check"], ["config", "show"], ["version"]]
)
def test_help_ends_with_the_exit_codes(tmp_path: Path, command: list[str]) -> None:
    ended = classbell(*command, "--help", cwd=tmp_path)
    assert ended.code == 0
    for code in Exit:
        assert f"{code.value}  {code.meaning}" in ended.out


def test_help_names_no_types_and_cuts_nothing_off(tmp_path: Path) -> None:
    for command in ([], ["setup"], ["doctor"], ["cert", "new"], ["sandbox", "serve"]):
        shown = classbell(*command, "--help", cwd=tmp_path).out
        assert not re.search(r"<\w|\u2026|\[\[|\[x", shown), shown
    assert "classbell doctor [OPTIONS] [CHECK]..." in classbell("doctor", "--help", cwd=tmp_path).out


def test_the_version_is_said_by_an_option_too(tmp_path: Path) -> None:
    ended = classbell("--version", cwd=tmp_path)
    assert (ended.code, ended.out) == (0, f"classbell {__version__}\n")


def test_help_is_fast_because_nothing_heavy_is_loaded(tmp_path: Path) -> None:
    heavy = ("pydantic", "aiohttp", "sqlalchemy", "numpy", "icalendar", "cryptography", "starlette")
    script = (
        "import sys; from classbell.cli import run; run(['--help']); "
        f"sys.exit(' '.join(name for name in {heavy!r} if name in sys.modules) or 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_no_command_at_all_shows_the_help(tmp_path: Path) -> None:
    ended = classbell(cwd=tmp_path)
    assert ended.code == 0
    assert "Usage: classbell" in ended.out


def test_the_version_is_told(tmp_path: Path) -> None:
    assert classbell("version", cwd=tmp_path).out.startswith(f"classbell {__version__} ")
    assert classbell("version", "--json", cwd=tmp_path).json[0]["version"] == __version__


def test_shared_options_may_stand_before_or_after_the_command(folder: Folder) -> None:
    path = str(folder.path / "classbell.toml")
    for arguments in (
        ["-c", path, "config", "check", "--json"],
        ["--json", "config", "check", "--config", path],
    ):
        assert classbell(*arguments, cwd=Path("/")).json == [{"ok": True, "institutions": ["example"]}]


def test_an_option_given_twice_counts_as_given_last(folder: Folder) -> None:
    ended = classbell("-c", "none.toml", "config", "check", "-c", "classbell.toml", cwd=folder.path)
    assert ended.code == 0


def test_the_configuration_may_be_named_by_the_environment_and_the_option_overrules_it(
    folder: Folder,
) -> None:
    env = {"CLASSBELL_CONFIG": str(folder.path / "classbell.toml")}
    assert classbell("config", "check", cwd=Path("/"), env=env).code == 0
    assert classbell("config", "check", "-c", "none.toml", cwd=Path("/"), env=env).code == 2


@pytest.mark.parametrize(
    "arguments", [["confg"], ["config", "shw"], ["version", "--jsn"], ["config"], ["init", "a", "b"]]
)
def test_a_wrong_command_line_ends_with_2_and_the_help_to_read(tmp_path: Path, arguments: list[str]) -> None:
    ended = classbell(*arguments, cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("E-USAGE  ")
    assert ended.err.rstrip().endswith("--help")


def test_a_wrong_command_line_with_json_is_a_diagnostic(tmp_path: Path) -> None:
    ended = classbell("confg", "--json", cwd=tmp_path)
    (line,) = ended.json
    assert (ended.code, ended.err, line["type"], line["code"]) == (2, "", "diagnostic", "E-USAGE")


def test_every_kind_of_error_ends_with_a_documented_code() -> None:
    def kinds(of: type[ClassbellError]) -> list[type[ClassbellError]]:
        return [of, *(kind for below in of.__subclasses__() for kind in kinds(below))]

    assert {kind.exit_code for kind in kinds(ClassbellError)} <= {code.value for code in Exit}
    assert all(str(code.value) in EPILOG for code in Exit)


# Commands that exist for these tests only, in a process of their own.
SLOW = """
import sys, time
from classbell import cli
from classbell.cli.invocation import command

@command(cli.app)
def slow(invocation):
    invocation.output.start()
    print("started", file=sys.stderr, flush=True)
    time.sleep(60)

@command(cli.app)
def broken(invocation):
    raise RuntimeError("hunter2")

@command(cli.app)
def ask(invocation):
    if not invocation.output.confirm("Delete 3 events?", flag="--yes"):
        return 4

cli.main()
"""


def test_the_first_ctrl_c_ends_with_130_and_says_that_nothing_is_lost(tmp_path: Path) -> None:
    for form, out in (
        ([], ""),
        (["--json"], '{"type":"version","format":"1.0"}\n{"type":"result","exit":130}\n'),
    ):
        process = subprocess.Popen(
            [sys.executable, "-c", SLOW, "slow", *form],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        assert process.stderr.readline() == "started\n"
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=30)
        assert (process.returncode, printed) == (130, out)
        assert ("Interrupted." in said) == (not form)


def test_a_fault_of_ours_shows_no_traceback_unless_asked(tmp_path: Path) -> None:
    def run(*form: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", SLOW, "broken", *form]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    plain, verbose = run(), run("-v")
    assert plain.returncode == verbose.returncode == 1
    assert plain.stderr.startswith("E-FAULT  Classbell met a fault of its own (RuntimeError).")
    assert "hunter2" not in plain.stderr
    assert "Traceback" in verbose.stderr


def test_nobody_is_asked_without_a_terminal(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SLOW, "ask"]
    ended = subprocess.run(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "E-ASK  This needs an answer: Delete 3 events?" in ended.stderr
    assert "--yes" in ended.stderr


@pytest.mark.parametrize(
    ("answer", "code"), [("y", 0), ("yes", 0), ("n", 4), ("", 4), ("Y", 0), ("maybe", 4)]
)
def test_only_a_clear_yes_at_the_terminal_is_a_yes(tmp_path: Path, answer: str, code: int) -> None:
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", SLOW, "ask"], cwd=tmp_path, stdin=theirs, stderr=subprocess.PIPE, text=True
        )
        os.write(ours, f"{answer}\n".encode())
        _, said = process.communicate(timeout=30)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (process.returncode, said) == (code, "Delete 3 events? [y/N] ")


def test_the_installed_command_ends_with_the_exit_code(folder: Folder) -> None:
    for arguments, code in ((["config", "check"], 0), (["config", "check", "-c", "none.toml"], 2)):
        ended = subprocess.run(
            [*COMMAND, *arguments], cwd=folder.path, env=clean_environment(), capture_output=True, check=False
        )
        assert ended.returncode == code


def test_a_reader_that_stops_early_is_no_fault(folder: Folder) -> None:
    for arguments in (["config", "show"], ["config", "show", "--json"], ["--help"]):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            ended = subprocess.run(
                [*COMMAND, *arguments],
                cwd=folder.path,
                env=clean_environment(),
                stdout=writer,
                stderr=subprocess.PIPE,
                check=False,
            )
        finally:
            os.close(writer)
        assert (ended.returncode, ended.stderr) == (1, b"")


def on_a_terminal(arguments: list[str], cwd: Path, env: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=clean_environment() | {"TERM": "xterm"} | env,
        stderr=theirs,
        stdout=theirs,
    )
    process.wait(timeout=30)
    os.close(theirs)
    text = b""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            read = os.read(ours, 65536)
        except OSError:
            break
        if not read:
            break
        text += read
    os.close(ours)
    return text.decode()


@pytest.mark.prove
def test_colour_is_for_terminals_that_want_it(tmp_path: Path) -> None:
    arguments = ["config", "check"]
    assert "\x1b[31m" in on_a_terminal(arguments, tmp_path, {})
    assert "\x1b[31m" not in on_a_terminal(arguments, tmp_path, {"NO_COLOR": "1"})
    assert "\x1b[31m" not in on_a_terminal([*arguments, "--no-color"], tmp_path, {})
    assert "\x1b" not in classbell(*arguments, cwd=tmp_path).err
