"""
The command line: words for people. One file per command; what a command needs is loaded when it runs.

    exits        what a script may conclude      invocation   the options all commands share
    output       printing                        errors       errors in words
"""

import os
import sys
from typing import Annotated

import typer

from classbell import __version__
from classbell.cli import (
    apply,
    cert,
    config,
    demo,
    doctor,
    explain,
    holds,
    init,
    leaving,
    ledger,
    pausing,
    plan,
    restore,
    runs,
    sandbox,
    setup,
    status,
    verify,
    version,
)
from classbell.cli.errors import fault, report, usage
from classbell.cli.exits import Exit
from classbell.cli.invocation import (
    ConfigOption,
    Current,
    InstitutionOption,
    Invocation,
    JsonOption,
    NoColorOption,
    NoInputOption,
    QuietOption,
    VerboseOption,
    group,
)
from classbell.errors import ClassbellError

app = group(help="Keeps Outlook calendars true to the timetable.")
for each in (
    demo,
    init,
    setup,
    cert,
    config,
    doctor,
    plan,
    apply,
    status,
    holds,
    explain,
    runs,
    restore,
    verify,
    ledger,
    pausing,
    leaving,
    sandbox,
    version,
):
    each.add_to(app)


def _say_version(wanted: bool) -> None:  # noqa: FBT001 - as Typer calls it
    if wanted:
        sys.stdout.write(f"classbell {__version__}\n")
        raise typer.Exit


@app.callback()
def shared_options(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    institution: InstitutionOption = None,
    as_json: JsonOption = False,
    no_color: NoColorOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_input: NoInputOption = False,
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_say_version, help="Say which version this is."),
    ] = False,
) -> None:
    """Keeps Outlook calendars true to the timetable."""
    current: Current = context.obj
    current.invocation = Invocation(
        config=config,
        institution=institution,
        as_json=as_json,
        no_color=no_color,
        quiet=quiet,
        verbose=verbose,
        no_input=no_input,
    )


def main() -> None:
    """Run the command line of this process, and end with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; the exit code. Every error ends here, in words."""
    # Until the options are understood, only the bare word can tell how to report a wrong one.
    current = Current(Invocation(as_json="--json" in arguments))
    try:
        code = _run(arguments or ["--help"], current)
        current.invocation.output.finish(code)
    except BrokenPipeError:
        # Who read our output has seen enough, as in `classbell config show | head`.
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 (closed with the process)
        return Exit.FAILED
    return code


def _run(arguments: list[str], current: Current) -> int:
    command = typer.main.get_command(app)
    try:
        code = command.main(arguments, prog_name="classbell", standalone_mode=False, obj=current)
    except ClassbellError as error:
        return report(error, current.invocation.output)
    except typer.TyperException as error:
        path = getattr(getattr(error, "ctx", None), "command_path", "classbell")
        return usage(error.format_message(), path, current.invocation.output)
    except (KeyboardInterrupt, typer.Abort):
        code = Exit.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 (the last line of defence: words instead of a traceback)
        return fault(error, current.invocation.output, details=current.invocation.verbose)
    if code == Exit.INTERRUPTED:
        current.invocation.output.note("Interrupted. What was done is remembered; run the command again.")
    return int(code or Exit.DONE)
