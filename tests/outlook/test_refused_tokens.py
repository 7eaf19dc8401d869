"""A 403 that may mean our token, and not the mailbox."""

import asyncio
import json
from pathlib import Path

import pytest
import trustme
from tests.identity.world import World
from tests.outlook.made import ADA, mark, rendering
from tests.transport.raw_server import http, raw_server, read_request, server_tls

from classbell.model import Mailbox
from classbell.outlook.answers import classify
from classbell.outlook.client import OutlookClient
from classbell.outlook.dialect import Kind, Request
from classbell.outlook.graph import GraphDialect
from classbell.transport import AiohttpTransport

pytestmark = pytest.mark.anyio
GRAPH = GraphDialect()
BOB = Mailbox(id=2, key="bob", address="bob@example.edu")


def create(mailbox: Mailbox) -> Request:
    made = mark("ALG/L1/3", mailbox_key=mailbox.key)
    return GRAPH.create(mailbox, rendering("Algebra"), made.operation, made.text())


TOKEN_BLAMED = "Invalid S2S auth token"


def batch_answer(*parts: tuple[int, object]) -> bytes:
    """The answer to a batch: status and body of each member, in their order."""
    responses = [
        {"id": str(place), "status": status, "body": body} for place, (status, body) in enumerate(parts, 1)
    ]
    return http("200 OK", json.dumps({"responses": responses}).encode())


MADE = (201, {"id": "AAMk", "@odata.etag": 'W/"1"'})
NAMELESS = (403, TOKEN_BLAMED)


@pytest.mark.parametrize(
    ("answers", "wanted", "asked"),
    [
        ((http("403 Forbidden", TOKEN_BLAMED.encode()), batch_answer(MADE, MADE)), ["DONE", "DONE"], [2, 2]),
        ((batch_answer(NAMELESS, MADE), batch_answer(MADE)), ["DONE", "DONE"], [2, 1]),
        # A fresh token is refused as well: it is the mailbox.
        ((batch_answer(NAMELESS, MADE), batch_answer(NAMELESS)), ["FORBIDDEN", "DONE"], [2, 1]),
        ((batch_answer((403, {"error": {"code": "ErrorAccessDenied"}}), MADE),), ["FORBIDDEN", "DONE"], [2]),
    ],
)
async def test_a_403_that_names_no_code_is_asked_once_more_under_a_fresh_token(
    world: World, answers: tuple[bytes, ...], wanted: list[str], asked: list[int]
) -> None:
    authority, seen = trustme.CA(), list[tuple[str, int]]()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while len(seen) < len(answers):
            head, body = await read_request(reader)
            (token,) = (line for line in head.splitlines() if line.startswith("Authorization"))
            seen.append((token, len(json.loads(body)["requests"])))
            writer.write(answers[len(seen) - 1])
            await writer.drain()

    with authority.cert_pem.tempfile() as ca_file:
        async with (
            raw_server(talk, server_tls(authority, "localhost")) as server,
            AiohttpTransport(world.clock, Path(ca_file), environ={}) as transport,
        ):
            client = OutlookClient(transport, world.tokens(), GRAPH, world.clock, server.url)
            requests = [create(ADA), create(BOB)]
            found = [classify(Kind.CREATE, answer).meaning.name for answer in await client.send(requests)]
    assert found == wanted
    assert [count for _, count in seen] == asked
    assert len({token for token, _ in seen}) == len(asked)
