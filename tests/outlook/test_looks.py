"""Looks for our events over real HTTPS: only ours, whole over all pages, or not at all."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme
from tests.identity.world import World
from tests.outlook.made import ADA, INSTALLATION, mark, rendering
from tests.transport.raw_server import answering, http, raw_server, server_tls

from classbell.outlook.answers import Meaning, classify
from classbell.outlook.client import OutlookClient
from classbell.outlook.dialect import Answer, Kind, Request
from classbell.outlook.graph import GraphDialect
from classbell.outlook.mark import installation_prefix
from classbell.transport import AiohttpTransport

pytestmark = pytest.mark.anyio
GRAPH = GraphDialect()


def create(meeting: str) -> Request:
    made = mark(meeting)
    return GRAPH.create(ADA, rendering(meeting), made.operation, made.text())


async def created(client: OutlookClient) -> Answer:
    (answer,) = await client.send([create("ALG/L1/3")])
    assert answer.status == 201
    return answer


@pytest.mark.stands_on("lookup_lag")
async def test_a_look_never_brings_home_anybody_elses_event(world: World, client: OutlookClient) -> None:
    mailbox = world.tenant.mailbox(ADA.address)
    mailbox.put_event({"subject": "Dentist"} | msgspec.json.decode(rendering()))
    stranger = mark(installation="118d9c15-faca-47ad-9d8f-c21d28c80e5f")
    await client.send([GRAPH.create(ADA, rendering(), stranger.operation, stranger.text())])
    made = await created(client)
    copy = mailbox.copy_event(made.event_id)
    (found,) = await client.send([GRAPH.look(ADA, "", installation_prefix(INSTALLATION))])
    assert found.events is not None
    assert {event.id for event in found.events} == {made.event_id, copy}


@pytest.mark.stands_on("lookup_lag")
async def test_a_look_tells_what_people_see_of_an_event_only_if_asked(
    world: World, client: OutlookClient
) -> None:
    made = await created(client)
    world.tenant.mailbox(ADA.address).edit_event(
        made.event_id,
        {"showAs": "oof", "categories": ["Mine"], "isReminderOn": True, "reminderMinutesBeforeStart": 5},
    )
    prefix = installation_prefix(INSTALLATION)
    bare, whole = await client.send([GRAPH.look(ADA, "", prefix), GRAPH.look(ADA, "", prefix, content=True)])
    assert bare.events is not None
    assert whole.events is not None
    assert bare.events[0].content is None
    content = whole.events[0].content
    assert content is not None
    assert (content.show_as, content.categories, content.reminder) == ("oof", ("Mine",), 5)
    sent = msgspec.json.decode(rendering("ALG/L1/3"))
    assert content.sensitivity == sent.get("sensitivity", "normal")
    assert content.location == sent.get("location", {}).get("displayName", "")


@pytest.mark.stands_on("lookup_lag", "tenant_requests", "top_clamp")
async def test_a_long_list_is_found_whole_over_its_pages(world: World, client: OutlookClient) -> None:
    for begin in range(0, 240, 20):
        answers = await client.send([create(f"M{number}") for number in range(begin, begin + 20)])
        # One batch for one mailbox is within the service's limit here, for its members go four at a time.
        assert {answer.status for answer in answers} == {201}
    (first,) = await client.send([GRAPH.look(ADA, "", installation_prefix(INSTALLATION))])
    assert first.events is not None
    assert len(first.events) == 100
    found = await client.complete(first)
    assert found.events is not None
    assert {event.subject for event in found.events} == {f"M{number}" for number in range(240)}
    assert (found.next_link, found.service_time) == ("", first.service_time)
    assert len(world.tenant.mailbox(ADA.address).events()) == 240


@pytest.mark.stands_on("lookup_lag")
async def test_a_look_of_which_one_page_fails_has_failed(world: World, client: OutlookClient) -> None:
    for begin in range(0, 120, 20):
        await client.send([create(f"M{number}") for number in range(begin, begin + 20)])
    (first,) = await client.send([GRAPH.look(ADA, "", installation_prefix(INSTALLATION))])
    world.sandbox.faults.add(lambda info: info.kind == "single", "503-before")
    found = await client.complete(first)
    assert (found.status, found.events) == (503, None)
    assert classify(Kind.LOOK, found).meaning is Meaning.BUSY


@pytest.mark.stands_on("lookup_lag")
async def test_pages_that_lead_in_a_circle_are_no_answer(world: World) -> None:
    authority = trustme.CA()
    with authority.cert_pem.tempfile() as ca_file:
        page = bytearray()

        async def talk(*streams: Any) -> None:
            await answering(http(body=bytes(page)))(*streams)

        async with (
            raw_server(talk, server_tls(authority, "localhost")) as server,
            AiohttpTransport(world.clock, Path(ca_file), environ={}) as transport,
        ):
            client = OutlookClient(transport, world.tokens(), GRAPH, world.clock, server.url)
            link = f"{server.url}/v1.0/next"
            page += msgspec.json.encode({"value": [{"id": "a"}], "@odata.nextLink": link})
            first = await client.follow(link)
            assert first.events is not None
            circling = await client.complete(first)
    assert classify(Kind.LOOK, circling).meaning is Meaning.BUSY
    assert server.heard.count(b"GET /v1.0/next") == 2
