"""``classbell plan``: what would change. Writes nothing to any mailbox."""

from pathlib import Path
from typing import Annotated

import typer

from classbell.cli.exits import Exit
from classbell.cli.invocation import Invocation, command


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(plan)


def plan(
    invocation: Invocation,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Show every meeting that changes.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write the plan there, for classbell apply FILE."),
    ] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="End with 10 if changes are pending.")
    ] = False,
) -> int:
    """
    Read the timetables and show what would change, with the reasons. Changes nothing.

    Without an institution: all of them, one after the other. The plan is kept for 24 hours under the name that is
    printed; ``classbell apply NAME`` does exactly that, or refuses.
    """
    import asyncio  # noqa: PLC0415 (keeps --help fast)

    from classbell.cli.running import plan_all  # noqa: PLC0415

    code, pending = asyncio.run(plan_all(invocation, everything=everything, out=out))
    if detailed_exitcode and pending and code == Exit.DONE:
        return Exit.PENDING
    return code
