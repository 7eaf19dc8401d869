"""``classbell sandbox serve``: a stand-in for Microsoft 365 on this computer."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classbell.cli.invocation import Invocation, command, group

if TYPE_CHECKING:
    import threading


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    sandbox = group(help="A stand-in for Microsoft 365 on this computer, to rehearse in.")
    command(sandbox)(serve)
    app.add_typer(sandbox, name="sandbox")


def serve(
    invocation: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Tenants, applications and mailboxes (TOML).")],
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option("--host", help="An address of this computer.")] = "127.0.0.1",
    beyond_loopback: Annotated[
        bool, typer.Option("--beyond-loopback", help="Allow a --host that other computers can reach.")
    ] = False,
    while_stdin: Annotated[
        bool, typer.Option("--while-stdin", help="End when standard input ends.", hidden=True)
    ] = False,
) -> None:
    """
    Serve a sandbox until Ctrl-C. It is not Microsoft 365 and keeps nothing.

    The file's form is in docs/reference/sandbox.md.
    """
    import signal  # noqa: PLC0415 (keeps --help fast)
    import threading  # noqa: PLC0415
    from contextlib import suppress  # noqa: PLC0415

    from classbell.errors import ConfigurationError  # noqa: PLC0415
    from classbell.sandbox import Sandbox, SandboxFileError, notice  # noqa: PLC0415

    try:
        sandbox = Sandbox.from_file(file)
    except SandboxFileError as error:
        raise ConfigurationError(
            "E-SANDBOX-FILE",
            f"{error}",
            why="the sandbox takes its tenants and mailboxes from this file.",
            do="see docs/reference/sandbox.md for its form",
        ) from error
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    if while_stdin:
        threading.Thread(target=_set_at_end_of_input, args=[ended], daemon=True).start()
    output = invocation.output
    output.start()
    with sandbox.serve(port=port, host=host, beyond_loopback=beyond_loopback) as address:
        where = {
            "login_url": address.login_url,
            "graph_url": address.graph_url,
            "ca_file": str(address.ca_file),
        }
        output.event("serving", notice=notice(address), **where)
        output.line(notice(address), style="bold red")
        for key, value in where.items():
            output.line(f'{key} = "{value}"')
        with suppress(KeyboardInterrupt):
            ended.wait()
    counted = {
        "requests": sum(record.kind == "request" for record in sandbox.history),
        "changes": sum(record.kind == "change" for record in sandbox.history),
        "mails": len(sandbox.outbox),
    }
    output.event("served", **counted)
    output.line(f"Served {', '.join(f'{count} {name}' for name, count in counted.items())}.")


def _set_at_end_of_input(ended: "threading.Event") -> None:
    while sys.stdin.read(1024):
        pass
    ended.set()
