"""``NoAnswer.sent`` is False only if not one byte of the request left, and then it is."""

import asyncio
from pathlib import Path

import pytest
import trustme
from tests.transport.raw_server import answering, http, raw_server, read_request, server_tls

from classbell.life import SystemClock
from classbell.ports import NoAnswer
from classbell.transport import AiohttpTransport

pytestmark = pytest.mark.anyio


class SteppingClock(SystemClock):
    """A clock that jumps once it has been asked a given number of times, as if the process had slept."""

    def __init__(self, reads: int, step: float) -> None:
        self.reads = reads
        self.step = step

    def now(self) -> float:
        self.reads -= 1
        return super().now() + (self.step if self.reads < 0 else 0.0)


async def lost(transport: AiohttpTransport, url: str, **options: float) -> NoAnswer:
    with pytest.raises(NoAnswer) as caught:
        await transport.request("POST", url, headers={}, body=b"letter", **options)
    return caught.value


async def test_a_refused_connection_sent_nothing(transport: AiohttpTransport) -> None:
    async with raw_server(answering(http())) as server:
        url = server.url
    error = await lost(transport, url)
    assert not error.sent
    assert "could not be reached" in error.reason


async def test_a_name_that_does_not_exist_sent_nothing(transport: AiohttpTransport) -> None:
    error = await lost(transport, "http://nowhere.invalid/")
    assert not error.sent
    assert error.reason == "the name nowhere.invalid could not be resolved"


async def test_a_certificate_nobody_vouches_for_sent_nothing(
    transport: AiohttpTransport, authority: trustme.CA
) -> None:
    async with raw_server(answering(http()), server_tls(authority, "localhost")) as server:
        error = await lost(transport, server.url)
        assert server.heard == b""
    assert not error.sent
    assert "certificate of localhost is not trusted" in error.reason


async def test_a_certificate_for_another_name_sent_nothing(authority: trustme.CA, ca_file: Path) -> None:
    tls = server_tls(authority, "elsewhere.example")
    async with (
        raw_server(answering(http()), tls) as server,
        AiohttpTransport(SystemClock(), ca_file, environ={}) as transport,
    ):
        error = await lost(transport, server.url)
    assert not error.sent
    assert "not trusted" in error.reason


async def test_nothing_leaves_once_the_time_for_sending_is_over(transport: AiohttpTransport) -> None:
    async with raw_server(answering(http())) as server:
        error = await lost(transport, server.url, send_until=SystemClock().now() - 1)
        assert server.received == []
    assert not error.sent
    assert error.reason == "the time for sending was over"


async def test_nothing_leaves_if_the_time_runs_out_while_a_connection_is_being_made() -> None:
    # The first look at the clock is before connecting; by the second, before the first byte, an hour is gone.
    clock = SteppingClock(reads=1, step=3600)
    async with raw_server(answering(http())) as server, AiohttpTransport(clock, environ={}) as transport:
        error = await lost(transport, server.url, send_until=SystemClock().now() + 60)
        await asyncio.sleep(0.05)
        assert len(server.received) == 1
        assert server.heard == b""
        assert (await transport.request("POST", server.url, headers={}, body=b"next")).status == 200
    assert not error.sent
    assert error.reason == "the time for sending was over"


async def test_waiting_for_a_free_connection_ends_with_the_time_for_sending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("classbell.transport.CONNECTIONS", 1)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        arrived.set()
        await go_on.wait()
        writer.write(http())

    async with raw_server(slow) as server, AiohttpTransport(SystemClock(), environ={}) as transport:
        first = asyncio.create_task(transport.request("POST", server.url, headers={}, body=b"first"))
        await arrived.wait()
        error = await lost(transport, server.url, send_until=SystemClock().now() + 0.2)
        go_on.set()
        await first
        assert b"letter" not in server.heard
    assert not error.sent
    assert error.reason == "no connection could be made in time"


async def test_a_connection_closed_after_the_request_may_have_been_answered(
    transport: AiohttpTransport,
) -> None:
    async def hang_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_request(reader)

    async with raw_server(hang_up) as server:
        error = await lost(transport, server.url)
        assert len(server.received) == 1, "a write is never repeated by itself"
    assert error.sent
    assert error.reason == "the connection was closed without an answer"


async def test_a_reset_after_the_request_may_have_been_answered(transport: AiohttpTransport) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.transport.abort()

    async with raw_server(reset) as server:
        assert (await lost(transport, server.url)).sent


async def test_silence_after_the_request_may_have_been_an_answer(transport: AiohttpTransport) -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    async with raw_server(silent) as server:
        error = await lost(transport, server.url, timeout=0.2)
        assert b"letter" in server.heard
    assert error.sent
    assert error.reason == "no answer came in time"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "the answer was cut off"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
            "the answer was cut off",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "the connection was closed without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "the connection failed"),
    ],
)
async def test_a_cut_or_senseless_answer_is_none(
    transport: AiohttpTransport, answer: bytes, reason: str
) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)

    async with raw_server(cut) as server:
        error = await lost(transport, server.url)
    assert error.sent
    assert error.reason.startswith(reason)


async def test_a_reason_never_repeats_what_may_be_secret_in_an_address(transport: AiohttpTransport) -> None:
    for url in (
        "http://nowhere.invalid/feed-8f3e?token=8f3e",
        "http://8f3e:8f3e@127.0.0.1:1/?token=8f3e",
        "http://[8f3e",
    ):
        assert "8f3e" not in (await lost(transport, url)).reason
