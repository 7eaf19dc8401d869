"""``classbell verify``: read mailboxes back. Writes nothing to any of them."""

from typing import Annotated

import typer

from classbell.cli.invocation import Invocation, command


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(verify)


def verify(
    invocation: Invocation,
    people: Annotated[
        list[str] | None, typer.Argument(metavar="[PERSON]...", help="The addresses of some persons.")
    ] = None,
    *,
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample", metavar="N", min=1, help="Only N mailboxes: those not read back for longest."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show everything that was seen.")] = False,
) -> int:
    """
    Read calendars back: what its owner has changed, what is missing, what is there too much.

    Reads only events that Classbell has marked, and changes none. What is not as it should be is remembered,
    and the next run makes it good. Ctrl-C is safe.
    """
    from classbell.cli.reading_back import verify_all  # noqa: PLC0415 (keeps --help fast)

    if people and sample:
        raise typer.BadParameter("--sample chooses mailboxes by itself: name persons, or give a number.")
    return verify_all(invocation, people=people or [], sample=sample or 0, everything=everything)
