"""Outlook REST: what it is asked and answers in its own words is, to the engine, what Graph is asked and answers."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from tests.identity.world import World
from tests.outlook.made import ADA, INSTALLATION, SEEN, entry, mark, rendering

from classbell.model import Mailbox
from classbell.outlook.answers import Meaning, classify
from classbell.outlook.client import OutlookClient
from classbell.outlook.dialect import Answer, Dialect, FoundEvent, Kind, Request
from classbell.outlook.graph import GraphDialect
from classbell.outlook.mark import MARK_PROPERTY, installation_prefix
from classbell.outlook.outlook_rest import OutlookRestDialect
from classbell.settings.values import ApiName

GRAPH, REST = GraphDialect(), OutlookRestDialect()
LATER = "2026-10-05T11:00:00"
FULL = rendering(
    body={"contentType": "html", "content": "<p>Bring showAs and a pen.</p>"},
    location={"displayName": "B12"},
    isAllDay=False,
    showAs="workingElsewhere",
    sensitivity="private",
    reminderMinutesBeforeStart=15,
    categories=["busy"],
)


def create(dialect: Dialect, meeting: str = "ALG/L1/3", body: bytes = FULL) -> Request:
    made = mark(meeting)
    return dialect.create(ADA, body, made.operation, made.text())


def test_a_rendering_is_sent_in_its_words_and_values_that_are_no_names_stay() -> None:
    sent = json.loads(create(REST).body)
    assert sent == {
        "Subject": "Algorithms",
        "Start": {"DateTime": "2026-10-05T09:00:00", "TimeZone": "UTC"},
        "End": {"DateTime": "2026-10-05T10:00:00", "TimeZone": "UTC"},
        "IsReminderOn": False,
        "ReminderMinutesBeforeStart": 15,
        "Body": {"ContentType": "HTML", "Content": "<p>Bring showAs and a pen.</p>"},
        "Location": {"DisplayName": "B12"},
        "IsAllDay": False,
        "ShowAs": "WorkingElsewhere",
        "Sensitivity": "Private",
        "Categories": ["busy"],
        "SingleValueExtendedProperties": [{"PropertyId": MARK_PROPERTY, "Value": mark().text()}],
    }
    assert json.loads(REST.update(entry(), b'{"showAs":"oof"}').body) == {"ShowAs": "Oof"}


def test_what_came_with_graph_is_neither_promised_nor_sent() -> None:
    assert not any(
        (
            REST.capabilities.transaction_id,
            REST.capabilities.immutable_ids,
            REST.capabilities.permanent_delete,
        )
    )
    assert b"ransactionId" not in create(REST).body
    assert "ImmutableId" not in REST.headers["Prefer"]
    with pytest.raises(ValueError, match="past the Deleted Items"):
        REST.delete_permanently(entry())


def test_an_answer_that_cannot_be_read_is_lost_as_ever() -> None:
    requests = [create(REST)]
    for body in (b"", b"<html>", b"[]", b'{"responses":7}', b'{"responses":[7]}', b"\xff", b"[" * 100_000):
        (answer,) = REST.decode(requests, body, SEEN)
        assert answer.status is None


def test_a_retry_after_of_a_part_is_obeyed() -> None:
    refusal = {"error": {"code": "ApplicationThrottled", "message": "", "innerError": {"requestId": "r-7"}}}
    part = {"id": "1", "status": 429, "headers": {"Retry-After": "7"}, "body": refusal}
    (answer,) = REST.decode([create(REST)], json.dumps({"responses": [part]}).encode(), SEEN)
    assert (answer.status, answer.retry_after, answer.request_id) == (429, 7.0, "r-7")


@asynccontextmanager
async def client_of(world: World, api: ApiName) -> AsyncIterator[OutlookClient]:
    """A client of one interface, whose application may use the other one as well."""
    settings = world.settings(api=api)
    dialect: Dialect = GRAPH if api == "graph" else REST
    yield OutlookClient(world.transport, world.tokens(api=api), dialect, world.clock, settings.calendars)


async def looked(client: OutlookClient, dialect: Dialect, where: Mailbox = ADA) -> tuple[FoundEvent, ...]:
    (first,) = await client.send([dialect.look(where, "", installation_prefix(INSTALLATION), content=True)])
    found = await client.complete(first)
    assert found.events is not None
    return found.events


def but_for_ids(event: FoundEvent) -> FoundEvent:
    return msgspec.structs.replace(event, id="")


@pytest.mark.anyio
@pytest.mark.stands_on("lookup_lag")
async def test_events_are_made_changed_read_and_found_as_by_graph(world: World) -> None:
    world.app.grant_exchange("Calendars.ReadWrite.All")
    all_day = rendering(
        "Open day",
        "2026-10-06T00:00:00",
        end={"dateTime": "2026-10-07T00:00:00", "timeZone": "UTC"},
        isAllDay=True,
        body={"contentType": "html", "content": "<p>Campus</p>"},
    )
    async with client_of(world, "outlook-rest-v2") as client, client_of(world, "graph") as graph:
        first, second = await client.send([create(REST), create(REST, "ALG/L2/1", all_day)])
        assert [classify(Kind.CREATE, answer).meaning for answer in (first, second)] == [Meaning.DONE] * 2
        assert first.created_at > 0.0

        (changed,) = await client.send(
            [REST.update(entry(first.event_id, first.etag), b'{"subject":"Logic"}')]
        )
        assert classify(Kind.UPDATE, changed).meaning is Meaning.DONE
        (stale,) = await client.send([REST.update(entry(first.event_id, first.etag), b'{"subject":"Sets"}')])
        assert classify(Kind.UPDATE, stale).meaning is Meaning.CONFLICT
        (read,) = await client.send([REST.read(entry(first.event_id))])
        assert (read.mark, read.etag) == (mark().text(), changed.etag)

        ours, theirs = await looked(client, REST), await looked(graph, GRAPH)
        assert {but_for_ids(event).mark: but_for_ids(event) for event in ours} == {
            but_for_ids(event).mark: but_for_ids(event) for event in theirs
        }
        assert {event.id for event in ours} == {first.event_id, second.event_id}
        assert {event.subject for event in ours} == {"Logic", "Open day"}

        (gone,) = await client.send([REST.delete(entry(second.event_id, second.etag))])
        assert classify(Kind.DELETE, gone).meaning is Meaning.DONE
        (again,) = await client.send([REST.delete(entry(second.event_id, second.etag))])
        assert classify(Kind.DELETE, again).meaning is Meaning.GONE


@pytest.mark.anyio
async def test_calendars_are_listed_and_made(world: World) -> None:
    world.app.grant_exchange("Calendars.ReadWrite.All")
    async with client_of(world, "outlook-rest-v2") as client:
        (made,) = await client.send([REST.create_calendar(ADA, "Timetable")])
        (listed,) = await client.send([REST.calendars(ADA)])
    assert classify(Kind.CREATE_CALENDAR, made).meaning is Meaning.DONE
    assert made.calendars is not None
    assert listed.calendars is not None
    assert made.calendars[0].id in {calendar.id for calendar in listed.calendars if calendar.editable}


@pytest.mark.anyio
@pytest.mark.stands_on("lookup_lag", "top_clamp")
async def test_a_look_goes_on_over_its_pages(world: World) -> None:
    world.app.grant_exchange("Calendars.ReadWrite.All")
    async with client_of(world, "outlook-rest-v2") as client:
        for begin in range(0, 120, 20):
            await client.send([create(REST, f"M{number}") for number in range(begin, begin + 20)])
        assert len(await looked(client, REST)) == 120


@pytest.mark.anyio
async def test_a_member_that_is_refused_does_not_end_its_batch(world: World) -> None:
    world.app.grant_exchange("Calendars.ReadWrite.All")
    nobody = Mailbox(id=2, key="nobody@example.edu", address="nobody@example.edu")
    made = mark()
    lost = REST.create(nobody, FULL, made.operation, made.text())
    async with client_of(world, "outlook-rest-v2") as client:
        answers = await client.send([lost, create(REST), lost])
    assert [classify(Kind.CREATE, answer).meaning for answer in answers] == [
        Meaning.MAILBOX_OUT,
        Meaning.DONE,
        Meaning.MAILBOX_OUT,
    ]


async def refused(world: World) -> Answer:
    async with client_of(world, "outlook-rest-v2") as client:
        (answer,) = await client.send([REST.calendars(ADA)])
        return answer


@pytest.mark.anyio
async def test_a_token_without_the_permission_of_exchange_is_no_broken_token(world: World) -> None:
    answer = await refused(world)
    assert classify(Kind.CALENDARS, answer).meaning is Meaning.FORBIDDEN
    assert "no permissions" in answer.message


@pytest.mark.anyio
async def test_an_interface_that_is_served_no_more_is_told_as_that(world: World) -> None:
    world.app.grant_exchange("Calendars.ReadWrite.All")
    world.sandbox.switches.outlook_rest = "retired"
    answer = await refused(world)
    assert classify(Kind.CALENDARS, answer).code == "E-API-RETIRED"
    assert classify(Kind.CREATE, answer).meaning is Meaning.SERVICE_BUSY
