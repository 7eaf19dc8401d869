"""``classbell ledger``: whether the ledger can be trusted, and making it again from the calendars."""

from typing import Annotated

import typer

from classbell.cli.invocation import Invocation, command, group


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    ledger = group(help="Check the ledger, or rebuild it from the calendars.")
    command(ledger)(check)
    command(ledger)(rebuild)
    app.add_typer(ledger, name="ledger")


def check(invocation: Invocation) -> int:
    """
    Say whether the ledger is sound and the newest one, and what in it waits for a person.

    Asks Microsoft nothing, and changes nothing.
    """
    import asyncio  # noqa: PLC0415 (keeps --help fast)

    from classbell.cli.ledger_state import check_all  # noqa: PLC0415

    return asyncio.run(check_all(invocation))


def rebuild(
    invocation: Invocation,
    people: Annotated[
        list[str] | None, typer.Argument(metavar="[PERSON]...", help="The addresses of some persons.")
    ] = None,
) -> int:
    """
    Make the ledger again from the marks in the calendars, after it was lost or an old copy was restored.

    Changes no calendar. What cannot be proven to be Classbell's is listed and never touched. Of mailboxes in
    doubt it waits about eleven minutes before it looks, since requests may still be under way. Ctrl-C is safe.
    """
    from classbell.cli.reading_back import rebuild_all  # noqa: PLC0415 (keeps --help fast)

    return rebuild_all(invocation, people=people or [])
