"""What one exchange carries: headers, bodies, connections, proxies, limits."""

import asyncio
import gzip
from pathlib import Path

import pytest
import trustme
from tests.transport.raw_server import answering, http, raw_server, read_request, server_tls

from classbell.errors import ConfigurationError
from classbell.life import SystemClock
from classbell.ports import NoAnswer
from classbell.transport import AiohttpTransport

pytestmark = pytest.mark.anyio


async def test_an_answer_is_given_as_it_came_with_header_names_in_lower_case(
    transport: AiohttpTransport,
) -> None:
    answer = http(
        "429 Too Many", b"later", "Retry-After: 7", "Preference-Applied: a", "PREFERENCE-APPLIED: b"
    )
    async with raw_server(answering(answer)) as server:
        response = await transport.request("GET", f"{server.url}/here", headers={})
    assert response.status == 429
    assert response.body == b"later"
    assert response.headers["retry-after"] == "7"
    assert response.headers["preference-applied"] == "a, b"
    assert response.url == f"{server.url}/here"


async def test_a_request_is_sent_as_given_under_our_own_name(transport: AiohttpTransport) -> None:
    async with raw_server(answering(http())) as server:
        await transport.request(
            "PATCH", f"{server.url}/a", headers={"Content-Type": "application/json"}, body=b'{"a":1}'
        )
    head, body = server.heard.decode().split("\r\n\r\n")
    assert head.startswith("PATCH /a HTTP/1.1\r\n")
    assert "Content-Type: application/json" in head
    assert "User-Agent: Classbell/" in head
    assert "Cookie" not in head
    assert body == '{"a":1}'


async def test_a_link_of_the_service_is_sent_back_byte_for_byte(transport: AiohttpTransport) -> None:
    link = "/v1.0/x?$filter=a%2Fb%20eq%20'%7B1%7D'&$skip=10&t=%2d%7E+%e9"
    async with raw_server(answering(http())) as server:
        await transport.request("GET", server.url + link, headers={})
    assert server.heard.startswith(f"GET {link} HTTP/1.1\r\n".encode())


async def test_an_address_with_spaces_and_accents_is_escaped(transport: AiohttpTransport) -> None:
    async with raw_server(answering(http())) as server:
        await transport.request("GET", f"{server.url}/emploi du temps/été.ics", headers={})
    assert server.heard.startswith(b"GET /emploi%20du%20temps/%C3%A9t%C3%A9.ics HTTP/1.1\r\n")


async def test_redirects_are_not_followed(transport: AiohttpTransport) -> None:
    async with raw_server(answering(http("302 Found", b"", "Location: /elsewhere"))) as server:
        response = await transport.request("GET", server.url, headers={})
    assert response.status == 302
    assert b"/elsewhere" not in server.heard


async def test_connections_are_kept(transport: AiohttpTransport) -> None:
    async with raw_server(answering(http())) as server:
        for _ in range(3):
            await transport.request("POST", server.url, headers={}, body=b"x")
        assert len(server.received) == 1


async def test_cookies_are_not_kept(transport: AiohttpTransport) -> None:
    async with raw_server(answering(http("200 OK", b"", "Set-Cookie: who=me"))) as server:
        await transport.request("GET", server.url, headers={})
        await transport.request("GET", server.url, headers={})
    assert b"who=me" not in server.heard


async def test_a_compressed_answer_is_unpacked(transport: AiohttpTransport) -> None:
    packed = gzip.compress(b"hello " * 1000)
    async with raw_server(answering(http("200 OK", packed, "Content-Encoding: gzip"))) as server:
        response = await transport.request("GET", server.url, headers={})
        assert b"gzip" in server.heard
    assert response.body == b"hello " * 1000


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_larger_than_allowed_is_given_up_whatever_it_is_packed_in(*, packed: bool) -> None:
    body = b"\0" * 3_000_000
    answer = http("200 OK", gzip.compress(body), "Content-Encoding: gzip") if packed else http("200 OK", body)

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)

    async with (
        raw_server(send) as server,
        AiohttpTransport(SystemClock(), environ={}, largest_body=1_000_000) as transport,
    ):
        with pytest.raises(NoAnswer, match="larger than 1000000 bytes") as caught:
            await transport.request("GET", server.url, headers={})
    assert caught.value.sent


async def test_a_private_authority_is_trusted_when_it_is_named(authority: trustme.CA, ca_file: Path) -> None:
    async with (
        raw_server(answering(http(body=b"safe")), server_tls(authority, "localhost")) as server,
        AiohttpTransport(SystemClock(), ca_file, environ={}) as transport,
    ):
        response = await transport.request("POST", server.url, headers={}, body=b"x")
    assert response.body == b"safe"


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_an_unusable_file_of_authorities_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        AiohttpTransport(SystemClock(), path)
    assert caught.value.code == "E-CA-FILE"
    assert str(path) in caught.value.what


async def test_requests_go_through_the_proxy_of_the_environment_with_its_password() -> None:
    async with raw_server(answering(http(body=b"by proxy"))) as proxy:
        environ = {"http_proxy": f"http://user:pass@localhost:{proxy.port}"}
        async with AiohttpTransport(SystemClock(), environ=environ) as transport:
            response = await transport.request("GET", "http://timetable.example/feed", headers={})
    assert response.body == b"by proxy"
    assert proxy.heard.startswith(b"GET http://timetable.example/feed HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNz" in proxy.heard


async def test_a_tunnel_through_a_proxy_shows_it_neither_path_nor_headers(
    authority: trustme.CA, ca_file: Path
) -> None:
    async with raw_server(answering(http(body=b"inside")), server_tls(authority, "localhost")) as server:

        async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            there, back = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

            async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
                while data := await source.read(65536):
                    target.write(data)

            await asyncio.wait(
                [asyncio.create_task(copy(reader, back)), asyncio.create_task(copy(there, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
            back.close()

        async with raw_server(tunnel) as proxy:
            environ = {"HTTPS_PROXY": f"localhost:{proxy.port}"}
            async with AiohttpTransport(SystemClock(), ca_file, environ=environ) as transport:
                response = await transport.request(
                    "POST", f"{server.url}/secret", headers={"Authorization": "Bearer secret"}, body=b"x"
                )
            assert response.body == b"inside"
            assert proxy.heard.startswith(f"CONNECT localhost:{server.port} ".encode())
            assert b"secret" not in proxy.heard


async def test_a_proxy_that_refuses_the_tunnel_let_nothing_out() -> None:
    async with raw_server(answering(http("407 Proxy Authentication Required"))) as proxy:
        environ = {"https_proxy": f"http://localhost:{proxy.port}"}
        async with AiohttpTransport(SystemClock(), environ=environ) as transport:
            with pytest.raises(NoAnswer) as caught:
                await transport.request("POST", "https://graph.example/", headers={}, body=b"letter")
    assert not caught.value.sent
    assert caught.value.reason == "the proxy answered 407"
    assert b"letter" not in proxy.heard


async def test_hosts_in_no_proxy_are_reached_directly() -> None:
    async with raw_server(answering(http(body=b"direct"))) as server:
        environ = {"http_proxy": "http://127.0.0.1:1", "no_proxy": "localhost,.example"}
        async with AiohttpTransport(SystemClock(), environ=environ) as transport:
            assert (await transport.request("GET", server.url, headers={})).body == b"direct"
            with pytest.raises(NoAnswer, match=r"the proxy 127\.0\.0\.1:1 could not be reached"):
                await transport.request("GET", "http://timetable.invalid/", headers={})


@pytest.mark.parametrize("text", ["socks5://user:8f3e@localhost:1080", "http://", "http://[8f3e"])
def test_a_proxy_of_another_kind_is_refused_without_showing_its_password(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        AiohttpTransport(SystemClock(), environ={"https_proxy": text})
    assert caught.value.code == "E-PROXY"
    assert "https_proxy" in caught.value.what
    assert "8f3e" not in f"{caught.value.what}{caught.value.why}{caught.value.do}"
