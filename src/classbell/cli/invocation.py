"""
What every command gets: the options that all commands share, and what follows from them.

They may stand before the command or after it (``classbell -i example plan``, ``classbell plan -i example``).
"""

import functools
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

from classbell.cli.exits import EPILOG, Exit
from classbell.cli.output import Output

if TYPE_CHECKING:
    from classbell.ports import Files
    from classbell.settings import Ask, Configuration, InstitutionSettings

P = ParamSpec("P")
DEFAULT_CONFIG = Path("classbell.toml")
SHARED_PANEL = "Options of every command"

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration: else $CLASSBELL_CONFIG, else classbell.toml here.",
        rich_help_panel=SHARED_PANEL,
    ),
]
InstitutionOption = Annotated[
    str | None,
    typer.Option(
        "--institution",
        "-i",
        metavar="ID",
        help="The institution: else $CLASSBELL_INSTITUTION; needed where there are several.",
        rich_help_panel=SHARED_PANEL,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on stdout.", rich_help_panel=SHARED_PANEL)]
NoColorOption = Annotated[
    bool, typer.Option("--no-color", help="No colours; NO_COLOR does the same.", rich_help_panel=SHARED_PANEL)
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No notes and no progress.", rich_help_panel=SHARED_PANEL)
]
VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="The whole log on stderr, and the details of a fault.",
        rich_help_panel=SHARED_PANEL,
    ),
]
NoInputOption = Annotated[
    bool, typer.Option("--no-input", help="Never ask; fail instead.", rich_help_panel=SHARED_PANEL)
]
_SHARED: dict[str, tuple[Any, Any]] = {
    "config": (ConfigOption, None),
    "institution": (InstitutionOption, None),
    "as_json": (JsonOption, False),
    "no_color": (NoColorOption, False),
    "quiet": (QuietOption, False),
    "verbose": (VerboseOption, False),
    "no_input": (NoInputOption, False),
}


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """The shared options of one call."""

    config: Path | None = None
    institution: str | None = None
    as_json: bool = False
    no_color: bool = False
    quiet: bool = False
    verbose: bool = False
    no_input: bool = False

    @functools.cached_property
    def output(self) -> Output:
        """Where this call prints."""
        return Output(
            as_json=self.as_json,
            quiet=self.quiet,
            color=not self.no_color,
            interactive=not self.no_input and sys.stdin is not None and sys.stdin.isatty(),
        )

    @functools.cached_property
    def files(self) -> "Files":
        """Local files."""
        from classbell.life import LocalFiles  # noqa: PLC0415 (keeps --help fast)

        return LocalFiles()

    @functools.cached_property
    def ask(self) -> "Ask":
        """Has secrets typed in at the terminal, each once in this call; see ``Ask``."""
        return functools.cache(self.output.ask_secret)

    @functools.cached_property
    def configuration(self) -> "Configuration":
        """
        The configuration that was named, read once; of institutions those whose files can be used.

        Raises:
            ConfigurationError: there is none, or what all institutions share has problems.
        """
        from classbell.settings import load_sound  # noqa: PLC0415 (keeps --help fast)

        named = self.config or os.environ.get("CLASSBELL_CONFIG")
        return load_sound(Path(named) if named else DEFAULT_CONFIG, self.files, os.environ)

    @functools.cached_property
    def chosen(self) -> "InstitutionSettings":
        """
        The institution that was named, or the only one.

        Raises:
            ConfigurationError: there is none such, or there are several to choose from.
        """
        return self.configuration.institution(self.institution_id)

    @property
    def institution_id(self) -> str | None:
        """The institution that was named."""
        return self.institution or os.environ.get("CLASSBELL_INSTITUTION") or None

    def open_log(self) -> None:
        """
        Write the log to stderr: lines for people, or with ``--json`` for programs.

        Warnings only, and at a terminal each once and in words; with ``--verbose`` everything.
        """
        from classbell import telemetry  # noqa: PLC0415 (keeps --help fast)

        in_words = sys.stderr.isatty() and not (self.as_json or self.verbose)
        telemetry.configure(sys.stderr, as_json=self.as_json, verbose=self.verbose, in_words=in_words)

    def joined(self, later: "Invocation") -> "Invocation":
        """With the options that stand after the command; of a value given twice the later counts."""
        given = {name: getattr(later, name) for name in _SHARED if getattr(later, name) not in (None, False)}
        return replace(self, **given)


@dataclass
class Current:
    """The call under way, for what must be printed after a command has failed."""

    invocation: Invocation


class _Command(TyperCommand):
    """A command with plain help."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options and arguments."""
        return _plainly(super().get_params(ctx))


class _Group(TyperGroup):
    """A set of commands with plain help."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options and arguments."""
        return _plainly(super().get_params(ctx))


def _plainly(params: list[Any]) -> list[Any]:
    """
    Let the help name no types of Python's beside options: a switch takes no value, of others their names say enough.

    Typer has no setting for it (its page "Rich Formatting").
    """
    for each in params:
        is_argument = isinstance(each, TyperArgument)
        if is_argument and each.metavar:
            # The usage puts brackets around what may be left out, and dots behind what may be repeated.
            each.metavar = each.metavar.replace("[", "").replace("]", "").removesuffix("...")
        if is_argument or getattr(each, "is_flag", False):
            each.display_type_rich = _nothing
        elif each.metavar:
            each.display_type_rich = functools.partial(_nothing, name=each.metavar)
        each._get_number_range_help_str = _nothing  # noqa: SLF001 - no other way to leave it out
    return params


def _nothing(ctx: Any = None, name: str | None = None) -> str | None:  # noqa: ARG001 - as Typer calls it
    return name


def _paragraphs(text: str) -> str:
    """A docstring with its paragraphs in one line each: the help breaks lines where the terminal ends."""
    parts = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(part.split("\n")) for part in parts).replace("``", "")


def group(**options: Any) -> typer.Typer:
    """A set of commands; *options* are Typer's."""
    return typer.Typer(cls=_Group, epilog=EPILOG, pretty_exceptions_enable=False, **options)


def command(
    app: typer.Typer, name: str | None = None, *, needs: str = ""
) -> Callable[[Callable[Concatenate[Invocation, P], int | None]], Callable[..., int | None]]:
    """
    Make a function a command that also takes the shared options and receives them as its first argument.

    What the function returns is the exit code; None is 0.

    Args:
        needs: the options that must be given, as the usage shows them. The command asks for them itself, once nothing else
            is wrong: whoever has misspelled a name is told that, and not which words are lacking beside it.
    """
    usage = f"{needs} [OPTIONS]" if needs else "[OPTIONS]"

    def decorate(function: Callable[Concatenate[Invocation, P], int | None]) -> Callable[..., int | None]:
        @functools.wraps(function)
        def run(context: typer.Context, *args: Any, **given: Any) -> int | None:
            shared = {key: given.pop(key) for key in _SHARED}
            current: Current = context.obj
            current.invocation = current.invocation.joined(Invocation(**shared))
            if current.invocation.verbose:
                current.invocation.open_log()
            code = function(current.invocation, *args, **given)
            passed_over = current.invocation.output.passed_over
            # What was not even tried counts for more than what came of the rest.
            return passed_over if passed_over and code not in {Exit.FAILED, Exit.INTERRUPTED} else code

        _, *own = inspect.signature(function, eval_str=True).parameters.values()
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
            *(one.replace(kind=keyword) for one in own),
            *(
                inspect.Parameter(key, keyword, default=default, annotation=annotation)
                for key, (annotation, default) in _SHARED.items()
            ),
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        del run.__wrapped__
        told = _paragraphs(function.__doc__ or "")
        app.command(name, cls=_Command, epilog=EPILOG, help=told, options_metavar=usage)(run)
        return run

    return decorate
