"""``classbell demo``: the whole way once, on the sandbox and a made-up university."""

from pathlib import Path
from typing import Annotated

import typer

from classbell.cli.invocation import Invocation, command


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(demo)


def demo(
    invocation: Invocation,
    *,
    serve: Annotated[bool, typer.Option("--serve", help="Keep the sandbox up until Ctrl-C.")] = False,
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="Of the sandbox; 0: any.")
    ] = 0,
    people: Annotated[
        int, typer.Option("--people", metavar="N", min=20, max=100_000, help="At the university.")
    ] = 300,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Another seed makes another university.")
    ] = 1,
    directory: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Keep the demo's files in this new folder.")
    ] = None,
) -> int:
    """
    Show the product at work: a stand-in for Microsoft 365, a made-up university, and a term of timetables.

    Needs no account, no network and no configuration, and touches nothing but its own folder.
    """
    from classbell.cli.stage import Setting  # noqa: PLC0415 (keeps --help fast)
    from classbell.cli.story import tell  # noqa: PLC0415 (keeps --help fast)

    return tell(invocation, Setting(serve=serve, port=port, people=people, seed=seed, directory=directory))
