"""
Printing. Data go to stdout; progress, warnings and questions to stderr.

To a terminal things are printed with Rich, elsewhere as plain text. With ``--json`` stdout carries JSON
only: one object for a query; JSON lines for long work, the first ``{"type":"version","format":"1.0"}``, the
last ``{"type":"result","exit":N}``. Fields are only ever added: readers ignore what they do not know.
"""

import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TextIO

from classbell.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

FORMAT = "1.0"
# Rich cuts tables to the width of the console; plain output is read by programs, which want all of it.
_UNLIMITED = 100_000


class Progress:
    """
    Work that advances.

    Args:
        total: units in all.
        steps: how many reports there are on the way to *total*; 0 for one at every advance.
        report: called with the units done so far and the latest note.
    """

    def __init__(self, total: int, steps: int, report: Callable[[int, str], None]) -> None:
        self.total = total
        self.done = 0
        self._steps = steps
        self._report = report

    def advance(self, units: int = 1, note: str = "", *, now: bool = False) -> None:
        """Count *units* more as done; *note* is a few words on the present state, to be told *now* or in its turn."""
        before = self.done
        self.done += units
        if now or not self._steps or self._step(self.done) > self._step(before):
            self._report(self.done, note)

    def _step(self, done: int) -> int:
        return done * self._steps // self.total if self.total else 0


class Output:
    """
    What one command prints.

    Args:
        as_json: JSON on stdout instead of text.
        quiet: no notes and no progress; warnings and errors stay.
        color: False forbids colour; True leaves it to the terminal and ``NO_COLOR``.
        interactive: questions may be asked.
    """

    def __init__(
        self,
        *,
        as_json: bool = False,
        quiet: bool = False,
        color: bool = True,
        interactive: bool = False,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self._color = color
        self._interactive = interactive and not as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._stream: Literal["none", "open", "closed"] = "none"
        self._besides: dict[str, Any] = {}
        self.passed_over = 0
        """The exit code that a part of the work asks for that was not done; 0 if there is none."""

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return self._interactive

    def line(self, text: str = "", *, style: str = "") -> None:
        """One line of data for people; *style* is Rich's, such as ``bold``. Nothing with ``--json``."""
        if not self.as_json:
            self._print(self._out, text, style)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Rows in columns for people. Nothing with ``--json``."""
        if self.as_json:
            return
        from rich.table import Table  # noqa: PLC0415 (Rich is slow to load; most calls never need it)
        from rich.text import Text  # noqa: PLC0415

        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in header:
            # Half an address, or a day without its time, is worse than a second line.
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        console = self._console(self._out)
        with console.capture() as capture:
            console.print(table)
        for line in capture.get().splitlines():
            self._out.write(line.rstrip() + "\n")

    def answer(self, data: Mapping[str, Any]) -> None:
        """The whole answer to a query, as one JSON object. Nothing without ``--json``."""
        if self.as_json:
            self._write_json({**data, **self._besides})

    def add_to_answer(self, name: str, value: Any) -> None:
        """One more field of the answer to come."""
        self._besides[name] = value

    @property
    def is_stream(self) -> bool:
        """Whether this is long work, told in JSON lines."""
        return self._stream == "open"

    def note(self, text: str) -> None:
        """An aside for people, such as the next step, on stderr. Nothing with ``--json`` or ``--quiet``."""
        if not (self.as_json or self.quiet):
            self._print(self._err, text, "")

    def warning(self, code: str, text: str, **fields: Any) -> None:
        """Something a person should know although the work goes on."""
        if self.as_json:
            self._write_json(
                {"type": "diagnostic", "severity": "warning", "code": code, "what": text, **fields}
            )
        else:
            self._print(self._err, f"{code}  {text}", "yellow")

    def remark(self, code: str, text: str) -> None:
        """The same of a query: where the answer is one JSON object, it is among the ``warnings`` there."""
        if self.as_json:
            self._besides.setdefault("warnings", []).append({"code": code, "what": text})
        else:
            self.warning(code, text)

    def error(self, text: str) -> None:
        """Words of an error, on stderr. Errors themselves are printed by ``cli.errors``."""
        if self._err.isatty():
            # Elsewhere a line stays whole: it is read by programs, or broken by who shows it.
            width = self._console(self._err).width
            text = "\n".join(_wrapped(line, width) for line in text.splitlines())
        self._print(self._err, text, "red")

    def start(self) -> None:
        """Open the JSON lines of long work. Nothing without ``--json``."""
        if self.as_json and self._stream == "none":
            self._stream = "open"
            self._write_json({"type": "version", "format": FORMAT})

    def event(self, kind: str, **fields: Any) -> None:
        """One JSON line, such as ``operation`` or ``diagnostic``. Nothing without ``--json``."""
        if self.as_json:
            self._write_json({"type": kind, **fields})

    def finish(self, exit_code: int, **fields: Any) -> None:
        """Close the JSON lines with the result; only the first call counts, and only after ``start``."""
        if self._stream == "open":
            self._stream = "closed"
            self._write_json({"type": "result", "exit": int(exit_code), **fields})

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Progress]:
        """A bar on a terminal; elsewhere a line for each tenth; with ``--json`` one for each hundredth."""
        if self.as_json:
            yield Progress(total, 100, lambda done, note: self._progress_line(label, done, total, note))
        elif self.quiet or not self._err.isatty():
            yield Progress(
                total, 10, lambda done, note: self.note(f"{label}  {done}/{total}  {note}".rstrip())
            )
        else:
            with self._bar(label, total) as bar:
                yield bar

    def confirm(self, question: str, *, flag: str) -> bool:
        """
        Ask a yes-or-no question; only y or yes is a yes.

        Raises:
            ConfigurationError: ``E-ASK``, nobody can be asked; *flag* is the option that answers.
        """
        if not self._interactive:
            raise ConfigurationError(
                "E-ASK",
                f"This needs an answer: {question}",
                why="there is no terminal to ask at, or --json or --no-input was given.",
                effect="nothing was done.",
                do=f"if the answer is yes, repeat the command with {flag}",
            )
        self._err.write(f"{question} [y/N] ")
        self._err.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    @property
    def can_ask(self) -> bool:
        """Whether somebody sits at a terminal who can be asked."""
        return self._interactive

    def ask_number(self, question: str, *, flag: str) -> int | None:
        """
        Have a number typed in; None if something else was.

        Raises:
            ConfigurationError: ``E-ASK``, nobody can be asked; *flag* is the option that answers.
        """
        if not self._interactive:
            raise ConfigurationError(
                "E-ASK",
                f"This needs an answer: {question}",
                why="there is no terminal to ask at, or --json or --no-input was given.",
                effect="nothing was done.",
                do=f"repeat the command with {flag}",
            )
        self._err.write(f"{question}: ")
        self._err.flush()
        typed = sys.stdin.readline().strip()
        return int(typed) if typed.isascii() and typed.isdigit() else None

    def ask_secret(self, what: str) -> bytes:
        """
        Have a password typed in, without showing it; *what* is what it is the password of.

        Raises:
            ConfigurationError: ``E-SECRET-PROMPT``, nobody can be asked.
        """
        from classbell.settings import cannot_ask  # noqa: PLC0415 (keeps --help fast)

        if not self._interactive:
            raise cannot_ask(what)
        import getpass  # noqa: PLC0415 (rarely needed)

        try:
            return getpass.getpass(f"{what[0].upper()}{what[1:]}: ", stream=self._err).encode()
        except EOFError:
            raise cannot_ask(what) from None

    def _progress_line(self, label: str, done: int, total: int, note: str) -> None:
        self._write_json({"type": "progress", "label": label, "done": done, "total": total, "note": note})

    @contextmanager
    def _bar(self, label: str, total: int) -> Iterator[Progress]:
        from rich.progress import (  # noqa: PLC0415 (slow to load)
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.progress import (  # noqa: PLC0415 (slow to load)
            Progress as Bars,
        )

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            TimeRemainingColumn(elapsed_when_finished=True),
        )
        with Bars(*columns, console=self._console(self._err)) as bars:
            task = bars.add_task(label, total=total, note="")
            yield Progress(total, 0, lambda done, note: bars.update(task, completed=done, note=note))

    def _print(self, stream: TextIO, text: str, style: str) -> None:
        if style and stream.isatty():
            from rich.text import Text  # noqa: PLC0415 (slow to load)

            self._console(stream).print(Text(text, style=style), soft_wrap=True)
        else:
            stream.write(text + "\n")
            stream.flush()

    def _console(self, stream: TextIO) -> "Console":
        from rich.console import Console  # noqa: PLC0415 (slow to load)

        return Console(
            file=stream,
            no_color=None if self._color else True,
            highlight=False,
            width=None if stream.isatty() else _UNLIMITED,
        )

    def _write_json(self, data: Mapping[str, Any]) -> None:
        self._out.write(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n")
        self._out.flush()


_LABEL = re.compile(r"(?:[EW]-[A-Z0-9-]+  | +[A-Z][a-z]+: +)")


def _wrapped(line: str, width: int) -> str:
    """A line in as many as it takes, the further ones below the first's text."""
    label = _LABEL.match(line)
    # Below a code that is longer than most, the text begins where that of the labels does.
    hanging = " " * min(len(label[0]) if label else 0, 10)
    broken = textwrap.wrap(
        line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(broken) or line
