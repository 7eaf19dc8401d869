"""
The way to Microsoft without a socket: the sandbox's application is called in process, in virtual time.

It keeps to the rules of the transport in life: nothing leaves after ``send_until``, ``sent`` is False only if
nothing left, and a request that has left goes on whoever has sent it, and whether or not they wait for its answer.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.types import ASGIApp, Message
from tests.simulation.life import Life

from classbell.ports import Clock, NoAnswer, Response

ADDRESS = "https://sandbox.example"
_MEMBERS_THAT_WRITE = tuple(f'"method":"{method}"'.encode() for method in ("POST", "PATCH", "DELETE"))
USUAL = (0.01, 0.1)


@dataclass
class Network:
    """
    What lies between all processes and the service.

    Attributes:
        pace: seconds that a way takes: the connection, there, and back; drawn between these two.
        down: whether no connection can be made.
        lost: when exchanges began and ended whose answers nobody received, and whose they were.
        ways: since when the longest way has taken how many seconds.
        deletes: when somebody wanted to send which DELETE, whether or not it got anywhere.
    """

    app: ASGIApp
    random: Random
    pace: tuple[float, float] = USUAL
    down: bool = False
    lost: list[tuple[float, float, str]] = field(default_factory=list)
    now: Callable[[], float] = lambda: 0.0
    ways: list[tuple[float, float]] = field(default_factory=list)
    deletes: list[tuple[float, str]] = field(default_factory=list)
    under_way: set[asyncio.Task[Response | None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.change(self.pace, down=False)

    def change(self, pace: tuple[float, float], *, down: bool) -> None:
        """Be so fast from now on, or let nobody connect."""
        self.pace, self.down = pace, down
        self.ways.append((self.now(), pace[1]))

    def note(self, body: bytes) -> None:
        """Tell of the DELETEs in a batch that somebody wants to send."""
        if b'"DELETE"' in body:
            members = msgspec.json.decode(body)["requests"]
            self.deletes += [(self.now(), part["url"]) for part in members if part["method"] == "DELETE"]

    def way(self) -> float:
        """Seconds for one way."""
        return self.random.uniform(*self.pace)

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> "asyncio.Task[Response | None]":
        """Let a request leave; its answer, or None if the connection ends without a whole one."""
        exchange = asyncio.get_running_loop().create_task(self._exchange(method, url, headers, body))
        self.under_way.add(exchange)
        exchange.add_done_callback(self.under_way.discard)
        return exchange

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Response | None:
        await asyncio.sleep(self.way())
        connection = _Connection(method, url, headers, body)
        await self.app(connection.scope, connection.receive, connection.send)
        await asyncio.sleep(self.way())
        return connection.response


class _Connection:
    """One request to the application, and what came back."""

    def __init__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        parts = urlsplit(url)
        self._url = url
        self._body: bytes | None = body
        self._ended = asyncio.Event()
        self._status = 0
        self._headers: Sequence[tuple[bytes, bytes]] = ()
        self._content = bytearray()
        self._whole = False
        sent = {"host": parts.netloc, "content-length": str(len(body))}
        sent |= {name.lower(): value for name, value in headers.items()}
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 1),
            "server": (parts.hostname, 443),
            "extensions": {"sandbox.drop": {"drop": self._ended.set, "end": self._ended.set}},
        }

    async def receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._ended.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], message["headers"]
            return
        self._content += message.get("body", b"")
        self._whole = not message.get("more_body")

    @property
    def response(self) -> Response | None:
        if self._ended.is_set() or not self._whole:
            return None
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._headers}
        return Response(status=self._status, headers=headers, body=bytes(self._content), url=self._url)


class SimulatedTransport:
    """``ports.Transport`` of one process over the common network."""

    def __init__(self, network: Network, clock: Clock, life: Life) -> None:
        self._network = network
        self._clock = clock
        self._life = life
        self.requests = 0
        self.writes = 0

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        send_until: float | None = None,
        timeout: float = 60.0,  # noqa: ASYNC109 - the port's own word
    ) -> Response:
        """One exchange; see ``ports.Transport``."""
        self.requests += 1
        self._network.note(body)
        self.writes += _writes(method, url, body)
        await self._life.reach("request")
        await asyncio.sleep(self._network.way())
        if send_until is not None and self._clock.now() > send_until:
            raise NoAnswer("the time for sending was over", sent=False)
        if self._network.down:
            raise NoAnswer("no connection could be made", sent=False)
        # The process may have ended or been stopped while it waited for the connection.
        await self._life.reach("send")
        if send_until is not None and self._clock.now() > send_until:
            raise NoAnswer("the time for sending was over", sent=False)
        began = self._network.now()
        exchange = self._network.send(method, url, headers, body)
        heard = False
        try:
            async with asyncio.timeout(timeout):
                response = await asyncio.shield(exchange)
            await self._life.reach("answer")
            heard = response is not None
        except TimeoutError:
            raise NoAnswer("no answer came in time", sent=True) from None
        finally:
            if not heard:
                exchange.add_done_callback(
                    lambda _: self._network.lost.append((began, self._network.now(), self._life.name))
                )
        if response is None:
            raise NoAnswer("the connection was closed without an answer", sent=True)
        return response


def _writes(method: str, url: str, body: bytes) -> bool:
    """Whether a request would change something in a mailbox."""
    if url.endswith("$batch"):
        return any(member in body for member in _MEMBERS_THAT_WRITE)
    return method != "GET" and "/users/" in url
