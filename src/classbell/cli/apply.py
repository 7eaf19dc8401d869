"""``classbell apply`` and ``classbell sync``: plan, and deliver what may be delivered."""

from typing import Annotated

import typer

from classbell.cli.invocation import Invocation, command

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AllowDeletes = Annotated[
    int,
    typer.Option(
        "--allow-deletes",
        metavar="N",
        min=0,
        help="Let a plan with at most N deletions pass the guards that count them: of a mailbox, a run, 24 hours. Nothing else"
        " that is held passes by it, and it is refused where approvals = 2 or a hold was rejected.",
    ),
]

Now = Annotated[
    bool, typer.Option("--now", help="Try an institution that is in quarantine, before its probe is due.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(app)(apply)
    command(app)(sync)


def apply(
    invocation: Invocation,
    plan: Annotated[
        str | None,
        typer.Argument(metavar="[PLAN]", help="A file of plan -o, or the name under which a plan was kept."),
    ] = None,
    *,
    yes: Yes = False,
    allow_deletes: AllowDeletes = 0,
    now: Now = False,
    everything: Annotated[bool, typer.Option("--all", help="Show every meeting that changes.")] = False,
) -> int:
    """
    Plan, show the plan, ask, and deliver it.

    With a saved plan: exactly that one, or nothing if anything has happened since (exit 11). An institution that has carried
    it out already is left out if another has not. Without an institution: all of them, one after the other. Ctrl-C is safe.
    """
    if plan is not None:
        from classbell.cli.saved_delivery import deliver_saved  # noqa: PLC0415 (keeps --help fast)

        return deliver_saved(
            invocation, plan, yes=yes, allow_deletes=allow_deletes, everything=everything, now=now
        )
    from classbell.cli.running import deliver_all  # noqa: PLC0415 (keeps --help fast)

    return deliver_all(
        invocation,
        person=None,
        show=True,
        yes=yes,
        allow_deletes=allow_deletes,
        everything=everything,
        now=now,
    )


def sync(
    invocation: Invocation,
    person: Annotated[
        str | None, typer.Argument(metavar="[PERSON]", help="The address of one person.")
    ] = None,
    *,
    yes: Yes = False,
    allow_deletes: AllowDeletes = 0,
    now: Now = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Put one person's calendar back to what it should be.")
    ] = False,
) -> int:
    """
    Bring calendars up to date now: all of them, or one person's.

    With --reset whatever the person has changed or deleted of it is put back, and a deleted calendar of ours is made
    again; that is shown, and asked for. The same guards as ever apply. Ctrl-C is safe.
    """
    if reset and person is None:
        from classbell.errors import ConfigurationError  # noqa: PLC0415 (keeps --help fast)

        raise ConfigurationError(
            "E-RESET",
            "Whose calendar is to be put back must be said.",
            why="--reset undoes what people have changed in their calendars",
            do="name one person: classbell sync PERSON --reset",
            effect="no calendar was changed",
        )
    from classbell.cli.running import deliver_all  # noqa: PLC0415 (keeps --help fast)

    return deliver_all(
        invocation,
        person=person,
        show=False,
        yes=yes,
        allow_deletes=allow_deletes,
        everything=False,
        reset=reset,
        now=now,
    )
