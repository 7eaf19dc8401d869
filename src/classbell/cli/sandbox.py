"""``classbell sandbox serve``: a stand-in for Microsoft 365 on this computer."""

from pathlib import Path
from typing import Annotated

import typer

from classbell.cli.invocation import Invocation, command, group


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
) -> None:
    """
    Serve a sandbox until Ctrl-C. It is not Microsoft 365 and keeps nothing.

    The file's form is in docs/reference/sandbox.md.
    """
    import signal  # noqa: PLC0415 (keeps --help fast)
    import threading  # noqa: PLC0415

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
    with sandbox.serve(port=port, host=host, beyond_loopback=beyond_loopback) as address:
        invocation.output.warning("E-SANDBOX", notice(address))
        invocation.output.start()
        invocation.output.event(
            "serving", login_url=address.login_url, graph_url=address.graph_url, ca_file=str(address.ca_file)
        )
        invocation.output.line(f'login_url = "{address.login_url}"')
        invocation.output.line(f'graph_url = "{address.graph_url}"')
        invocation.output.line(f'ca_file = "{address.ca_file}"')
        ended.wait()
