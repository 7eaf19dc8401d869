"""Sign-in in its variants: both forms of assertion, both interfaces, every cloud, a proxy, a private authority, a wrong clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs

import jwt
import pytest
from tests.identity.world import World, new_credential
from tests.transport.raw_server import http

from classbell.errors import ServiceUnavailable
from classbell.identity.tokens import Tokens
from classbell.life import SystemIds
from classbell.settings import TenantSettings
from classbell.transport import AiohttpTransport

pytestmark = pytest.mark.anyio

GOOD = http(body=b'{"token_type":"Bearer","expires_in":3599,"access_token":"t"}')


async def test_the_older_form_of_assertion_is_rs256_under_a_sha1_thumbprint(world: World) -> None:
    assert await world.tokens(assertion="RS256").token()
    asked = [record for record in world.sandbox.history if record.path.endswith("/token")]
    assert [record.status for record in asked] == [200]


@pytest.mark.parametrize(
    ("form", "name", "digest"), [("PS256", "x5t#S256", "sha256"), ("RS256", "x5t", "sha1")]
)
async def test_each_form_names_the_certificate_by_its_own_thumbprint(
    world: World, form: str, name: str, digest: str
) -> None:
    async with world.answered_with(GOOD) as (tokens, server):
        tokens._tenant = tokens._tenant.model_copy(update={"assertion": form})
        await tokens.token()
    body = parse_qs(server.heard.decode().partition("\r\n\r\n")[2])
    header = jwt.get_unverified_header(body["client_assertion"][0])
    assert header.keys() == {"alg", "typ", name}
    assert header["alg"] == form
    assert jwt.utils.base64url_decode(header[name]).hex().upper() == getattr(world.credential, digest)


@pytest.mark.parametrize(
    ("cloud", "login", "graph", "outlook"),
    [
        ("global", "login.microsoftonline.com", "graph.microsoft.com", "outlook.office.com"),
        ("usgov", "login.microsoftonline.us", "graph.microsoft.us", "outlook.office365.us"),
        ("usgov-dod", "login.microsoftonline.us", "dod-graph.microsoft.us", "outlook-dod.office365.us"),
        (
            "china",
            "login.partner.microsoftonline.cn",
            "microsoftgraph.chinacloudapi.cn",
            "partner.outlook.cn",
        ),
    ],
)
async def test_a_cloud_is_known_by_its_name(
    world: World, cloud: str, login: str, graph: str, outlook: str
) -> None:
    described = world.settings().model_dump(exclude={"login_url", "graph_url"}) | {"cloud": cloud}
    there = TenantSettings.model_validate(described)
    rest = TenantSettings.model_validate(described | {"api": "outlook-rest-v2"})
    assert (there.login, there.graph) == (f"https://{login}", f"https://{graph}")
    assert (there.resource, rest.resource) == (f"https://{graph}", f"https://{outlook}")


async def test_a_token_for_outlook_has_outlook_as_its_audience(world: World) -> None:
    token = await world.tokens(api="outlook-rest-v2").token()
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["aud"] == "https://outlook.office.com"


async def test_tokens_may_be_for_another_resource_than_calendars(world: World) -> None:
    tokens = Tokens(
        world.transport, world.clock, SystemIds(), world.settings(api="outlook-rest-v2"), [world.credential],
        resource=world.graph_url,
    )  # fmt: skip
    claims = jwt.decode(await tokens.token(), options={"verify_signature": False})
    assert claims["aud"] == "https://graph.microsoft.com"


async def test_calendars_are_at_the_address_of_the_interface_that_is_named(world: World) -> None:
    described = world.settings().model_dump(exclude={"login_url", "graph_url"}) | {"api": "outlook-rest-v2"}
    assert TenantSettings.model_validate(described).calendars == "https://outlook.office.com"
    assert world.settings(api="outlook-rest-v2").calendars == world.graph_url
    gateway = "https://gateway.example.edu"
    assert world.settings(api="outlook-rest-v2", outlook_url=gateway).calendars == gateway
    assert world.settings(outlook_url=gateway).calendars == world.graph_url


@asynccontextmanager
async def proxy() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A forward proxy that opens tunnels; its port, and the heads of the requests it got."""
    heads: list[bytes] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head)
        host, _, port = head.split()[1].decode().partition(":")
        inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(carry(reader, inner_writer), carry(inner_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heads


async def test_sign_in_goes_through_a_forward_proxy_that_sees_nothing_of_it(world: World) -> None:
    async with proxy() as (port, heads):
        environ = {"https_proxy": f"http://classbell:secret@127.0.0.1:{port}"}
        async with AiohttpTransport(world.clock, world.ca_file, environ=environ) as transport:
            tokens = Tokens(transport, world.clock, SystemIds(), world.settings(), [world.credential])
            token = await tokens.token()
    assert token
    (head,) = heads
    assert head.startswith(b"CONNECT localhost:")
    assert b"Proxy-Authorization: Basic " in head
    assert b"assertion" not in head


async def test_a_proxy_that_is_down_is_named_without_its_password(world: World) -> None:
    environ = {"https_proxy": "http://classbell:secret@127.0.0.1:9"}
    async with AiohttpTransport(world.clock, world.ca_file, environ=environ) as transport:
        tokens = Tokens(transport, world.clock, SystemIds(), world.settings(), [world.credential])
        with pytest.raises(ServiceUnavailable) as caught:
            await tokens.token()
    assert "the proxy 127.0.0.1:9 could not be reached" in caught.value.why
    assert "secret" not in f"{caught.value.what}{caught.value.why}{caught.value.do}"


async def test_an_authority_of_ones_own_is_trusted_where_it_is_named_and_nowhere_else(world: World) -> None:
    async with AiohttpTransport(world.clock, None, environ={}) as transport:
        tokens = Tokens(transport, world.clock, SystemIds(), world.settings(), [world.credential])
        with pytest.raises(ServiceUnavailable) as caught:
            await tokens.token()
    assert "is not trusted" in caught.value.why
    assert "ca_file" in caught.value.do


@pytest.mark.parametrize(
    ("offset", "warned"), [(0, False), (50, False), (-50, False), (75, True), (-200, True)]
)
async def test_a_clock_that_is_wrong_is_told_in_seconds_though_sign_in_still_works(
    world: World, offset: float, *, warned: bool
) -> None:
    tokens = world.tokens()
    assert tokens.clock_warning() is None
    world.clock.offset = offset
    await tokens.token()
    assert tokens.ahead == pytest.approx(offset, abs=2.5)
    warning = tokens.clock_warning()
    assert (warning is not None) is warned
    if warning is not None:
        side = "ahead of" if offset > 0 else "behind"
        assert warning.code == "E-CLOCK"
        assert f"{side} Microsoft's" in warning.what
        assert " min " in warning.what


async def test_a_probe_asks_for_one_certificate_and_changes_nothing(world: World) -> None:
    tokens = world.tokens()
    given = await tokens.token()
    await tokens.probe(world.credential)
    stranger, _ = new_credential("stranger")
    with pytest.raises(Exception, match="E-CERT-UNREG"):
        await tokens.probe(stranger)
    assert (await tokens.token(), tokens.in_use, tokens.trouble) == (given, world.credential, None)
