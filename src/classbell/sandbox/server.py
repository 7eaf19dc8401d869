"""
The server: HTTPS on loopback with a throw-away CA, and the routes of both halves.

Nothing beyond loopback is served unless it is asked for in so many words.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import trustme
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from classbell.sandbox.access import Tokens
from classbell.sandbox.batch import Batches
from classbell.sandbox.entra import Entra
from classbell.sandbox.faults import Faults
from classbell.sandbox.gateway import Gateway
from classbell.sandbox.surroundings import Commons
from classbell.sandbox.tenant import Tenant

if TYPE_CHECKING:
    from classbell.sandbox.box import Sandbox

MARK = ("x-sandbox", "not Microsoft 365")
NOTICE = "This is NOT Microsoft 365: a sandbox with made-up tenants and mailboxes that nobody reads."


def notice(address: "Address") -> str:
    """The line to print when a sandbox starts to serve."""
    return f"{NOTICE} It listens on {address.url}, its CA is {address.ca_file}."


@dataclass(frozen=True)
class Address:
    """
    Where a sandbox serves.

    Attributes:
        url: scheme, host and port.
        ca_file: the certificate (PEM) of the CA that clients must trust.
    """

    url: str
    ca_file: Path

    @property
    def login_url(self) -> str:
        """What stands for https://login.microsoftonline.com; a tenant's path follows."""
        return self.url

    @property
    def graph_url(self) -> str:
        """What stands for https://graph.microsoft.com; the version follows."""
        return self.url

    @property
    def outlook_url(self) -> str:
        """What stands for https://outlook.office.com; ``/api/v2.0`` follows."""
        return self.url

    @property
    def pages(self) -> str:
        """Where people look into the sandbox."""
        return f"{self.url}/_sandbox/"

    @property
    def port(self) -> int:
        """The port."""
        return int(self.url.rpartition(":")[2])


@dataclass
class Doors:
    """What is served: the two halves, what they share, and the sandbox as its administrator sees it."""

    box: "Sandbox"
    commons: Commons
    tenants: Mapping[str, Tenant]
    entra: Entra
    tokens: Tokens
    gateway: Gateway
    batches: Batches
    faults: Faults

    @cached_property
    def authority(self) -> trustme.CA:
        """The throw-away CA of this sandbox."""
        return trustme.CA(organization_name="Sandbox, not Microsoft 365")


_LOCAL = ("localhost", "127.0.0.1", "::1")


class _Server(uvicorn.Server):
    """Signals stay with the program around."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Protocol(HttpToolsProtocol):
    """HTTP that can also end without an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {
            "sandbox.drop": {"drop": self.transport.abort, "end": self.transport.close}
        }

    def shutdown(self) -> None:
        super().shutdown()
        # Clients keep connections open for later, and TLS would wait long for them to take leave.
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()


@contextmanager
def serve_in_thread(doors: Doors, *, port: int, **options: object) -> Iterator[Address]:
    """Serve from a thread with its own loop."""
    with _listening(doors, port=port, **options) as (address, server, listener):  # type: ignore[arg-type]
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listener])), name="sandbox", daemon=True
        )
        thread.start()
        try:
            while not server.started and thread.is_alive():
                thread.join(0.002)
            yield address
        finally:
            server.should_exit = True
            thread.join()


@asynccontextmanager
async def serve_in_loop(doors: Doors, *, port: int, **options: object) -> AsyncIterator[Address]:
    """Serve inside the running loop."""
    with _listening(doors, port=port, **options) as (address, server, listener):  # type: ignore[arg-type]
        task = asyncio.ensure_future(server.serve(sockets=[listener]))
        try:
            while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn offers no event
                await asyncio.sleep(0.002)
            yield address
        finally:
            server.should_exit = True
            await task


@contextmanager
def _listening(
    doors: Doors,
    *,
    port: int,
    host: str = "127.0.0.1",
    beyond_loopback: bool = False,
    names: Sequence[str] = (),
    directory: Path | None = None,
    open_administration: bool = False,
) -> Iterator[tuple[Address, uvicorn.Server, socket.socket]]:
    from classbell.sandbox.routes import make_app  # noqa: PLC0415 - routes need Doors

    ip = ipaddress.ip_address(host)
    if not beyond_loopback and not ip.is_loopback:
        raise ValueError(f"{host} is not loopback; a sandbox is not for a network unless you insist")
    with _bound(host, port) as listener, _folder(directory) as folder:
        ca_file = folder / "sandbox-ca.pem"
        doors.authority.cert_pem.write_to_path(str(ca_file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        doors.authority.issue_cert(*dict.fromkeys([*names, *_LOCAL, host])).configure_cert(context)
        config = uvicorn.Config(
            make_app(doors, open_administration=open_administration),
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            # The time of the sandbox, not of this computer: routes write it.
            date_header=False,
            headers=[MARK],
            proxy_headers=False,
            timeout_keep_alive=120,
            timeout_graceful_shutdown=1,
        )
        config.load()
        config.ssl = context
        url = f"https://{_shown(host, names)}:{listener.getsockname()[1]}"
        yield Address(url, ca_file), _Server(config), listener


def _shown(host: str, names: Sequence[str]) -> str:
    if names:
        return names[0]
    if host in _LOCAL or ipaddress.ip_address(host).is_unspecified:
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


@contextmanager
def _folder(directory: Path | None) -> Iterator[Path]:
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="sandbox-") as made:
        yield Path(made)
