"""``classbell cert rotate`` and ``retire``: a new certificate in, an old one out, without a gap."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from classbell.cli.cert.reach import file_of, reaching
from classbell.cli.exits import Exit
from classbell.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from classbell.identity.journal import Leaving
    from classbell.identity.renewal import Renewal, Step

_MINUTE = 60.0


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(app)(rotate)
    command(app)(retire)


DaysOption = Annotated[int, typer.Option(min=1, metavar="N", help="How long the new certificate is valid.")]
AgainOption = Annotated[bool, typer.Option("--again", help="Even if one was brought in within the last day.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
WhichArgument = Annotated[
    str,
    typer.Argument(
        metavar="[CERTIFICATE]",
        help="Its file, or the beginning of its thumbprint; else the older of two.",
        show_default=False,
    ),
]
KeyIdOption = Annotated[
    str,
    typer.Option(
        "--key-id",
        metavar="ID",
        help="Its Certificate ID in the Entra admin center; needed for one that a person has uploaded.",
    ),
]


def rotate(
    invocation: Invocation,
    *,
    days: DaysOption = 365,
    again: AgainOption = False,
    wait: Annotated[
        int, typer.Option(min=0, metavar="MINUTES", help="How long Microsoft may need to know of it.")
    ] = 60,
    yes: YesOption = False,
) -> int:
    """
    Bring in a new certificate: make it, register it, try it until it works, then name it in the configuration.

    The present certificate proves to Microsoft that we may; no permission is needed, only application_object_id. It
    stays registered and configured beside the new one until it is retired. Ctrl-C is safe at any time: the same
    command goes on where it stopped.

    Example: classbell cert rotate -i example --yes
    """
    from classbell.cli.assembly import run_until_interrupted  # noqa: PLC0415 (keeps --help fast)
    from classbell.cli.cert import words  # noqa: PLC0415
    from classbell.identity.facts import facts  # noqa: PLC0415
    from classbell.identity.rotation import rotate as bring_in  # noqa: PLC0415

    output, settings = invocation.output, invocation.chosen
    question = f"Make a new certificate for {settings.name}, and register it with its application?"
    if not yes and not output.confirm(question, flag="--yes"):
        output.note("Nothing was done.")
        return Exit.DONE

    async def work() -> int:
        async with _renewing(invocation) as renewal:
            done = await bring_in(renewal, days=days, again=again, patience=wait * _MINUTE)
            now = renewal.clock.now()
        found = facts(done.credential.certificate, now)
        if not done.fresh:
            output.line("A new certificate was brought in within the last day; --again makes another.")
        for line in words.lines(found):
            output.line(line)
        files = ", ".join(words.place(str(path)) for path in (done.certificate, done.private_key))
        output.line(words.line("Files", files))
        output.note(f"Next, after a day or more: classbell cert retire -i {settings.id}")
        output.finish(
            Exit.DONE,
            fresh=done.fresh,
            certificate=words.fields(found),
            files={"certificate": str(done.certificate), "private_key": str(done.private_key)},
        )
        return Exit.DONE

    output.start()
    return run_until_interrupted(work(), lambda: False, output.note)


def retire(
    invocation: Invocation,
    which: WhichArgument = "",
    *,
    key_id: KeyIdOption = "",
    wait: Annotated[
        int, typer.Option(min=0, metavar="MINUTES", help="How long Microsoft may need to forget it.")
    ] = 15,
    yes: YesOption = False,
) -> int:
    """
    Take out an old certificate: its registration, its place in the configuration, and last its private key.

    Only after another one has signed in. Ctrl-C is safe at any time: the same command goes on where it stopped.

    Example: classbell cert retire -i example
    """
    from classbell.cli.assembly import run_until_interrupted  # noqa: PLC0415 (keeps --help fast)
    from classbell.cli.cert import words  # noqa: PLC0415
    from classbell.identity.retirement import retire as take_out  # noqa: PLC0415

    output = invocation.output

    async def work() -> int:
        async with _renewing(invocation) as renewal:
            try:
                gone = await take_out(
                    renewal,
                    which,
                    key_id=key_id,
                    patience=wait * _MINUTE,
                    confirm=lambda leaving: None if yes else _confirm(invocation, leaving),
                )
            except _Declined:
                output.note("Nothing was done.")
                output.finish(Exit.DONE, retired=None)
                return Exit.DONE
        output.line(f"The certificate {words.place(gone.name)} ({gone.sha1 or 'unreadable'}) is retired.")
        output.line(f"From now on Classbell signs in with {gone.keeper.name} ({gone.keeper.sha1}).")
        output.finish(
            Exit.DONE,
            retired={
                "name": gone.name,
                "sha1": gone.sha1,
                "private_key": str(gone.key) if gone.key else None,
            },
            keeper={"name": gone.keeper.name, "sha1": gone.keeper.sha1},
        )
        return Exit.DONE

    output.start()
    return run_until_interrupted(work(), lambda: False, output.note)


class _Declined(Exception):
    """Somebody was asked, and did not want it."""


def _confirm(invocation: Invocation, leaving: "Leaving") -> None:
    """Ask for what cannot be given back; once, also where it is gone on with."""
    from classbell.cli.assembly import interruptible  # noqa: PLC0415 (keeps --help fast)

    shown = f"{leaving.name} ({leaving.sha1 or 'unreadable'})"
    question = f"Take out the certificate {shown}, and destroy its private key?"
    with interruptible():
        if not invocation.output.confirm(question, flag="--yes"):
            raise _Declined


@asynccontextmanager
async def _renewing(invocation: Invocation) -> "AsyncIterator[Renewal]":
    """
    What certificates are renewed with, by one process at a time.

    Raises:
        LeaseHeld: another one is at it.
    """
    from classbell.identity.renewal import Renewal  # noqa: PLC0415 (keeps --help fast)
    from classbell.lease import lease  # noqa: PLC0415

    output, settings = invocation.output, invocation.chosen

    def tell(step: "Step") -> None:
        output.event("step", name=step.name, text=step.text)
        output.note(step.text)

    async with reaching(settings) as reach:
        renewal = Renewal(
            institution=settings.id,
            tenant=settings.tenant,
            file=file_of(invocation, settings),
            transport=reach.transport,
            clock=reach.clock,
            ids=reach.ids,
            files=invocation.files,
            environ=os.environ,
            ask=invocation.ask,
            tell=tell,
        )
        path = renewal.journal_path
        with lease(path.with_name(f"{path.name}.lease"), f"the certificates of {settings.id}"):
            yield renewal
