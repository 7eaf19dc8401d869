"""``classbell sandbox``: a stand-in for Microsoft 365 on this computer."""

import errno
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classbell.cli.invocation import Invocation, command, group
from classbell.cli.registering import register

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from classbell.errors import ClassbellError
    from classbell.sandbox import Sandbox


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    sandbox = group(help="A stand-in for Microsoft 365 on this computer, to rehearse in.")
    command(sandbox)(serve)
    command(sandbox)(register)
    app.add_typer(sandbox, name="sandbox")


def serve(
    invocation: Invocation,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Tenants, applications and mailboxes (TOML).")
    ] = None,
    *,
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="0 takes a free one.")
    ] = 0,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="An address of this computer.")
    ] = "127.0.0.1",
    beyond_loopback: Annotated[
        bool, typer.Option("--beyond-loopback", help="Allow a --host that other computers can reach.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Keep its state in this folder.")
    ] = None,
    open_administration: Annotated[
        bool,
        typer.Option("--open-administration", help="Let other computers administer it and see its pages."),
    ] = False,
    while_stdin: Annotated[bool, typer.Option("--while-stdin", help="End when standard input ends.")] = False,
) -> None:
    """
    Serve a sandbox until Ctrl-C. It is not Microsoft 365, and without --data it keeps nothing.

    The file's form, its pages and the administrative API are in docs/reference/sandbox.md.
    """
    import signal  # noqa: PLC0415 (keeps --help fast)
    import threading  # noqa: PLC0415
    from contextlib import suppress  # noqa: PLC0415

    from classbell.sandbox import notice  # noqa: PLC0415

    _see_host(host, beyond_loopback=beyond_loopback)
    sandbox = _opened(file, data)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    if while_stdin:
        threading.Thread(target=_set_at_end_of_input, args=[ended], daemon=True).start()
    output = invocation.output
    output.start()
    with (
        _closing(sandbox),
        _listening(host, port),
        sandbox.serve(
            port=port,
            host=host,
            beyond_loopback=beyond_loopback,
            open_administration=open_administration,
            directory=data,
        ) as address,
    ):
        where = {
            "login_url": address.login_url,
            "graph_url": address.graph_url,
            "ca_file": str(address.ca_file),
        }
        output.event("serving", notice=notice(address), pages=address.pages, **where)
        output.line(notice(address), style="bold red")
        for key, value in where.items():
            output.line(f'{key} = "{value}"')
        output.line(f"To look at: {address.pages}")
        with suppress(KeyboardInterrupt):
            ended.wait()
    counted = {
        "requests": sum(record.kind == "request" for record in sandbox.history),
        "changes": sum(record.kind == "change" for record in sandbox.history),
        "mails": len(sandbox.outbox),
    }
    output.event("served", **counted)
    output.line(f"Served {', '.join(f'{count} {name}' for name, count in counted.items())}.")


def _see_host(host: str, *, beyond_loopback: bool) -> None:
    import ipaddress  # noqa: PLC0415 (keeps --help fast)

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise typer.BadParameter(
            f'--host takes an IP address of this computer, such as 127.0.0.1; "{host}" is none.'
        ) from None
    if not (address.is_loopback or beyond_loopback):
        raise typer.BadParameter(
            f"--host {host} can be reached from other computers, and a sandbox is not for a network;"
            " if you insist, add --beyond-loopback."
        )


def _opened(file: Path | None, data: Path | None) -> "Sandbox":
    """
    The sandbox of a file, of a folder, of both, or an empty one.

    Raises:
        ConfigurationError: the file or the folder cannot be used.
    """
    from classbell.errors import ConfigurationError  # noqa: PLC0415 (keeps --help fast)
    from classbell.sandbox import DataError, Sandbox, SandboxFileError  # noqa: PLC0415

    try:
        return Sandbox(data=data) if file is None else Sandbox.from_file(file, data)
    except SandboxFileError as error:
        raise ConfigurationError(
            "E-SANDBOX-FILE",
            f"{error}.",
            why="the sandbox takes its tenants and mailboxes from this file.",
            do="see docs/reference/sandbox.md for its form",
        ) from error
    except (DataError, OSError) as error:
        raise _unusable(error) from error


@contextmanager
def _closing(sandbox: "Sandbox") -> "Iterator[None]":
    from classbell.sandbox import DataError  # noqa: PLC0415 (keeps --help fast)

    try:
        yield
    finally:
        try:
            sandbox.close()
        except (DataError, OSError) as error:
            raise _unusable(error) from error


@contextmanager
def _listening(host: str, port: int) -> "Iterator[None]":
    from classbell.errors import ConfigurationError  # noqa: PLC0415 (keeps --help fast)

    try:
        yield
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES}:
            raise
        raise ConfigurationError(
            "E-SANDBOX-PORT",
            f"The sandbox cannot listen on {host}, port {port}.",
            why=f"{os.strerror(error.errno)}.",
            do="end what listens there, or name another --port; 0 takes a free one",
        ) from error


def _unusable(error: Exception) -> "ClassbellError":
    from classbell.errors import ConfigurationError  # noqa: PLC0415 (keeps --help fast)
    from classbell.sandbox import DataInUse  # noqa: PLC0415

    in_use = isinstance(error, DataInUse)
    what = f"{error}"
    return ConfigurationError(
        "E-SANDBOX-DATA",
        f"{what[:1].upper()}{what[1:].rstrip('.')}.",
        why="the sandbox keeps its state in the folder given with --data.",
        do=f"{'end the other one' if in_use else 'make room in this folder'}, or name another folder",
    )


def _set_at_end_of_input(ended: "threading.Event") -> None:
    while sys.stdin.read(1024):
        pass
    ended.set()
