"""``classbell version``."""

import platform

import typer

from classbell.cli.invocation import Invocation, command


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(version)


def version(invocation: Invocation) -> None:
    """Say which version this is."""
    from classbell import __version__  # noqa: PLC0415 (keeps other commands fast)

    python, system = platform.python_version(), f"{platform.system()} {platform.machine()}"
    invocation.output.line(f"classbell {__version__}   Python {python}   {system}")
    invocation.output.answer({"version": __version__, "python": python, "system": system})
