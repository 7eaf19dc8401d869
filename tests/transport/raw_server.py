"""A server of raw bytes, so that a test can say exactly what was received and what is sent back."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trustme

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    """Where it listens, and every byte that it was sent, by connection."""

    url: str = ""
    port: int = 0
    received: list[bytearray] = field(default_factory=list)

    @property
    def heard(self) -> bytes:
        return b"".join(self.received)


@asynccontextmanager
async def raw_server(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Serve with *talk* on loopback until the end of the block."""
    state = RawServer()
    open_writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_writers.add(writer)
        log = bytearray()
        state.received.append(log)
        feed = reader.feed_data

        def note(data: bytes) -> None:
            log.extend(data)
            feed(data)

        reader.feed_data = note  # type: ignore[method-assign, assignment]
        log.extend(reader._buffer)  # type: ignore[attr-defined]
        try:
            await talk(reader, writer)
        finally:
            writer.close()
            open_writers.discard(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    state.port = server.sockets[0].getsockname()[1]
    state.url = f"{'https' if tls else 'http'}://localhost:{state.port}"
    try:
        yield state
    finally:
        server.close()
        for writer in list(open_writers):
            writer.close()
        await asyncio.sleep(0)


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """One whole HTTP request: its head as text and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = 0
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    return head, await reader.readexactly(length)


def answering(answer: bytes) -> Talk:
    """Read a request, send *answer*, and so on until the other side has enough."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                await read_request(reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            writer.write(answer)
            await writer.drain()

    return talk


def http(status: str = "200 OK", body: bytes = b"", *headers: str) -> bytes:
    """An HTTP answer as bytes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def server_tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """The TLS of a server that *authority* vouches for under *names*."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context
