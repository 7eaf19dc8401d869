"""Batches through real HTTPS to the sandbox: what they do, and what is known when something goes wrong."""

from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.identity.world import World
from tests.outlook.made import ADA, INSTALLATION, entry, mark, rendering
from tests.transport.raw_server import answering, http, raw_server, server_tls

from classbell.errors import RefusedError
from classbell.model import Mailbox
from classbell.outlook.answers import Fence, Meaning, classify
from classbell.outlook.client import BATCH_BYTES, OutlookClient
from classbell.outlook.dialect import Answer, Kind, Request
from classbell.outlook.graph import GraphDialect
from classbell.outlook.mark import Mark, operation_prefix
from classbell.sandbox import RequestInfo
from classbell.transport import AiohttpTransport

pytestmark = pytest.mark.anyio
GRAPH = GraphDialect()


def create(meeting: str = "ALG/L1/3", mailbox: Mailbox = ADA, body: bytes = b"") -> Request:
    made = mark(meeting, mailbox_key=mailbox.key)
    return GRAPH.create(mailbox, body or rendering(meeting), made.operation, made.text())


def student(number: int) -> Mailbox:
    address = f"s{number}@example.edu"
    return Mailbox(id=100 + number, key=address, address=address)


def meanings(requests: list[Request], answers: list[Answer]) -> list[Meaning]:
    return [classify(request.kind, answer).meaning for request, answer in zip(requests, answers, strict=True)]


async def created(client: OutlookClient, meeting: str = "ALG/L1/3") -> Answer:
    (answer,) = await client.send([create(meeting)])
    assert answer.status == 201
    return answer


def is_batch(info: RequestInfo) -> bool:
    return info.kind == "batch"


def batches(world: World) -> int:
    return sum(record.path.endswith("$batch") for record in world.sandbox.history)


@pytest.mark.stands_on("items_in_deleted_items_by_immutable_id", "lookup_lag")
async def test_an_event_is_created_read_changed_found_and_deleted(
    world: World, client: OutlookClient
) -> None:
    made = await created(client)
    assert made.created_at == pytest.approx(world.clock.now(), abs=60)
    assert made.service_time == pytest.approx(world.clock.now(), abs=60)
    assert made.request_id

    (seen,) = await client.send([GRAPH.read(entry(made.event_id, made.etag))])
    assert (seen.event_id, seen.etag) == (made.event_id, made.etag)
    assert seen.mark is not None
    assert Mark.parse(seen.mark) == mark()

    (changed,) = await client.send([GRAPH.update(entry(made.event_id, made.etag), rendering("Moved"))])
    assert classify(Kind.UPDATE, changed).meaning is Meaning.DONE
    assert changed.event_id == made.event_id
    assert changed.etag != made.etag

    (found,) = await client.send([GRAPH.look(ADA, "", operation_prefix(INSTALLATION, mark().operation))])
    assert found.events is not None
    (event,) = found.events
    assert (event.id, event.etag, event.subject) == (made.event_id, changed.etag, "Moved")
    assert event.mark == mark().text()
    assert event.start.startswith("2026-10-05T09:00:00")

    (gone,) = await client.send([GRAPH.delete(entry(made.event_id, changed.etag))])
    assert classify(Kind.DELETE, gone).meaning is Meaning.DONE
    assert world.tenant.mailbox(ADA.address).events() == []
    (again,) = await client.send([GRAPH.delete(entry(made.event_id, changed.etag))])
    assert classify(Kind.DELETE, again).meaning is Meaning.GONE
    assert world.sandbox.outbox == []


async def test_twenty_mailboxes_share_a_batch(world: World, client: OutlookClient) -> None:
    requests = [create(mailbox=student(number)) for number in range(20)]
    answers = await client.send(requests)
    assert meanings(requests, answers) == [Meaning.DONE] * 20
    assert batches(world) == 1
    for number, answer in enumerate(answers):
        (event,) = world.tenant.mailbox(f"s{number}@example.edu").events()
        assert event["id"] == answer.event_id


@pytest.mark.stands_on("transaction_memory")
async def test_a_create_that_is_repeated_makes_no_second_event(world: World, client: OutlookClient) -> None:
    first, second = await created(client), await created(client)
    assert first.event_id == second.event_id
    assert len(world.tenant.mailbox(ADA.address).events()) == 1


@pytest.mark.stands_on("transaction_memory")
async def test_a_used_transaction_id_with_other_content_is_recognised(client: OutlookClient) -> None:
    made = await created(client)
    (answer,) = await client.send([create(body=rendering("Another"))])
    assert classify(Kind.CREATE, answer).meaning is Meaning.DUPLICATE_TRANSACTION
    assert answer.existing_id in {"", made.event_id}


@pytest.mark.stands_on("if_match_on_delete")
async def test_an_event_that_its_owner_touched_is_neither_changed_nor_deleted(
    world: World, client: OutlookClient
) -> None:
    made = await created(client)
    world.tenant.mailbox(ADA.address).edit_event(made.event_id, {"subject": "My own words"})
    ours = entry(made.event_id, made.etag)
    requests = [GRAPH.update(ours, rendering("Moved")), GRAPH.delete(ours)]
    assert meanings(requests, await client.send(requests)) == [Meaning.CONFLICT] * 2
    (event,) = world.tenant.mailbox(ADA.address).events()
    assert event["subject"] == "My own words"


@pytest.mark.stands_on("lookup_lag")
async def test_a_calendar_of_our_own_is_made_found_and_written_to(
    world: World, client: OutlookClient
) -> None:
    (made,) = await client.send([GRAPH.create_calendar(ADA, "Timetable")])
    assert made.calendars is not None
    own = Mailbox(id=1, key=ADA.key, address=ADA.address, calendar_id=made.calendars[0].id)
    await client.send([create(mailbox=own)])
    requests = [GRAPH.look(ADA, own.calendar_id, "1/"), GRAPH.look(ADA, "", "1/"), GRAPH.calendars(ADA)]
    there, here, listed = await client.send(requests)
    assert there.events is not None
    assert (len(there.events), here.events) == (1, ())
    assert listed.calendars is not None
    assert [(found.name, found.default) for found in listed.calendars] == [
        ("Calendar", True),
        ("Timetable", False),
    ]
    (again,) = await client.send([GRAPH.create_calendar(ADA, "Timetable")])
    assert classify(Kind.CREATE_CALENDAR, again).code == "E-CAL-EXISTS"
    assert len(world.tenant.mailbox(ADA.address).calendars()) == 2


@pytest.mark.stands_on("access_policy_delay")
async def test_a_missing_mailbox_and_a_closed_one_are_told_apart(world: World, client: OutlookClient) -> None:
    world.app.restrict_to([ADA.address])
    nobody = Mailbox(id=9, key="n", address="nobody@example.edu")
    requests = [create(), create(mailbox=nobody), create(mailbox=student(1))]
    found = [classify(Kind.CREATE, answer).code for answer in await client.send(requests)]
    assert found == ["", "E-MBX-404", "E-MBX-DENIED"]


async def test_a_token_that_is_refused_is_renewed_and_the_batch_repeated_once(
    world: World, client: OutlookClient
) -> None:
    fault = world.sandbox.faults.add(is_batch, "401-before", times=1)
    assert (await created(client)).status == 201
    assert (fault.hits, batches(world), world.token_requests()) == (1, 2, 2)
    assert len(world.tenant.mailbox(ADA.address).events()) == 1


async def test_tokens_that_are_refused_again_and_again_are_given_up(
    world: World, client: OutlookClient
) -> None:
    fault = world.sandbox.faults.add(is_batch, "401-before", times=None)
    answers = await client.send([create("A"), create("B")])
    for answer in answers:
        diagnosis = classify(Kind.CREATE, answer)
        assert (diagnosis.meaning, diagnosis.fence) == (Meaning.UNAUTHORISED, Fence.INSTITUTION)
    assert (fault.hits, world.token_requests()) == (2, 2)


async def test_a_token_that_one_member_refuses_is_not_used_again(world: World, client: OutlookClient) -> None:
    world.sandbox.faults.add(lambda info: info.kind == "member", "401-before", times=1)
    requests = [create("A"), create("B", student(1))]
    assert meanings(requests, await client.send(requests)) == [Meaning.UNAUTHORISED, Meaning.DONE]
    await created(client, "C")
    assert world.token_requests() == 2


async def test_a_refusal_of_the_whole_batch_is_one_for_each_member(
    world: World, client: OutlookClient
) -> None:
    world.sandbox.faults.add(is_batch, "429-before", retry_after=17)
    diagnoses = [classify(Kind.CREATE, answer) for answer in await client.send([create("A"), create("B")])]
    for diagnosis in diagnoses:
        assert (diagnosis.meaning, diagnosis.fence) == (Meaning.SERVICE_BUSY, Fence.INSTITUTION)
        assert diagnosis.retry_after == 17.0
    assert world.tenant.mailbox(ADA.address).events() == []


async def test_one_member_that_must_wait_holds_up_no_other(world: World, client: OutlookClient) -> None:
    world.sandbox.faults.add(lambda info: info.mailbox == "s1@example.edu", "429-before", retry_after="2.5")
    requests = [create(mailbox=student(number)) for number in range(3)]
    answers = await client.send(requests)
    assert meanings(requests, answers) == [Meaning.DONE, Meaning.BUSY, Meaning.DONE]
    assert answers[1].retry_after == 2.5


@pytest.mark.parametrize("effect", ["503-after", "504-after", "drop-after", "drop-before"])
@pytest.mark.stands_on("lookup_lag")
async def test_a_fault_after_which_the_event_may_exist_leaves_the_create_unknown(
    world: World, client: OutlookClient, effect: str
) -> None:
    world.sandbox.faults.add(lambda info: info.kind == "member", effect)
    requests = [create()]
    assert meanings(requests, await client.send(requests)) == [Meaning.UNKNOWN]
    exists = len(world.tenant.mailbox(ADA.address).events())
    assert exists == effect.endswith("after")
    (found,) = await client.send([GRAPH.look(ADA, "", operation_prefix(INSTALLATION, mark().operation))])
    assert found.events is not None
    assert len(found.events) == exists


@pytest.mark.stands_on("long_subject")
async def test_what_the_service_does_not_accept_is_told_with_its_code(client: OutlookClient) -> None:
    requests = [create("A", body=rendering("x" * 300)), create("B")]
    rejected, fine = await client.send(requests)
    diagnosis = classify(Kind.CREATE, rejected)
    assert (diagnosis.meaning, diagnosis.origin) == (Meaning.REJECTED, "ErrorPropertyValidationFailure")
    assert fine.status == 201


async def test_one_member_that_spoils_its_batch_is_found_and_the_others_get_through(
    world: World, client: OutlookClient
) -> None:
    def spoiled(info: RequestInfo) -> bool:
        return info.kind == "batch" and "poison" in str(info.body)

    world.sandbox.faults.add(spoiled, "400-before", times=None, code="BadRequest")
    requests = [create(mailbox=student(number)) for number in range(20)]
    requests[13] = create("poison", student(13))
    found = meanings(requests, await client.send(requests))
    assert found[13] is Meaning.REJECTED
    assert set(found[:13] + found[14:]) == {Meaning.DONE}
    assert world.tenant.mailbox("s13@example.edu").events() == []


async def test_what_a_further_batch_would_send_to_a_mailbox_that_was_refused_meanwhile_stays_here(
    world: World, client: OutlookClient
) -> None:
    large: dict[str, Any] = {"body": {"contentType": "text", "content": "x" * (BATCH_BYTES // 2)}}
    who = [student(0), student(1), student(0), student(1), student(2)]
    requests = [
        create(mailbox=person, body=rendering(f"L{number}", **large)) for number, person in enumerate(who)
    ]
    world.sandbox.faults.add(
        lambda info: info.kind == "member" and info.body["subject"] == "L0", "429-before", retry_after=30
    )
    answers = await client.send(requests, barred=lambda place: place == 3)
    assert [(answer.status, answer.sent) for answer in answers] == [
        (429, True), (201, True), (None, False), (None, False), (201, True),
    ]  # fmt: skip


async def test_after_a_part_that_was_put_off_as_a_whole_no_further_part_is_sent(
    world: World, client: OutlookClient
) -> None:
    requests = [create(mailbox=student(number)) for number in range(4)]
    world.sandbox.faults.add(is_batch, "413-before")
    world.sandbox.faults.add(is_batch, "503-before", retry_after=30)
    answers = await client.send(requests)
    assert [(answer.status, answer.sent) for answer in answers] == [(503, True)] * 2 + [(None, False)] * 2
    assert batches(world) == 2


async def test_a_batch_that_a_fresh_token_sends_again_goes_without_who_must_be_left_in_peace_by_then(
    world: World, client: OutlookClient
) -> None:
    """While a token is asked for, the answer to another batch may have come."""
    requests = [create(mailbox=student(number), body=rendering(f"L{number}")) for number in range(3)]
    world.sandbox.faults.add(is_batch, "401-before", times=1)
    answers = await client.send(requests, barred=lambda place: place == 1)
    assert [(answer.status, answer.sent) for answer in answers] == [(201, True), (None, False), (201, True)]


async def test_very_large_events_travel_in_several_batches(world: World, client: OutlookClient) -> None:
    large: dict[str, Any] = {"body": {"contentType": "text", "content": "x" * (BATCH_BYTES // 3)}}
    requests = [create(mailbox=student(number), body=rendering(f"L{number}", **large)) for number in range(7)]
    answers = await client.send(requests)
    assert meanings(requests, answers) == [Meaning.DONE] * 7
    assert batches(world) == 4
    (event,) = world.tenant.mailbox("s6@example.edu").events()
    assert (event["subject"], event["id"]) == ("L6", answers[6].event_id)


async def test_what_was_sent_before_a_trouble_with_tokens_keeps_its_answers(
    world: World, client: OutlookClient
) -> None:
    large: dict[str, Any] = {"body": {"contentType": "text", "content": "x" * (BATCH_BYTES // 2)}}
    requests = [
        create(mailbox=student(number), body=rendering(f"Number {number}", **large)) for number in range(3)
    ]
    await created(client)
    world.app.remove_certificate(world.credential.sha1)
    refused = world.sandbox.faults.add(
        lambda info: is_batch(info) and "Number 1" in str(info.body), "401-before"
    )
    answers = await client.send(requests)
    assert refused.hits == 1
    assert meanings(requests, answers) == [Meaning.DONE, Meaning.NOT_SENT, Meaning.NOT_SENT]
    assert len(world.tenant.mailbox("s0@example.edu").events()) == 1
    with pytest.raises(RefusedError, match="E-CERT-UNREG"):
        await client.send(requests[1:])


async def test_nothing_is_sent_after_its_time(world: World, client: OutlookClient) -> None:
    requests = [create("A"), create("B")]
    answers = await client.send(requests, send_until=client.service_now() - 1)
    assert meanings(requests, answers) == [Meaning.NOT_SENT] * 2
    assert batches(world) == 0


async def test_the_time_for_sending_is_the_services_not_ours(world: World, client: OutlookClient) -> None:
    world.clock.offset = 120.0
    await created(client, "A")
    assert client.service_now() == pytest.approx(world.sandbox.clock.now(), abs=5)
    (in_time,) = await client.send([create("B")], send_until=world.sandbox.clock.now() + 30)
    assert in_time.status == 201
    (late,) = await client.send([create("C")], send_until=world.sandbox.clock.now() - 30)
    assert not late.sent


async def test_a_clock_that_is_set_back_does_not_set_back_the_services_time(
    world: World, client: OutlookClient
) -> None:
    """What was sent would else be looked for too early, not found, and made a second time."""
    await created(client, "A")
    world.clock.offset -= 86_400.0
    assert client.service_now() == pytest.approx(world.sandbox.clock.now(), abs=5)
    (in_time,) = await client.send([create("B")], send_until=world.sandbox.clock.now() + 30)
    assert in_time.status == 201
    world.clock.offset -= 600.0
    (late,) = await client.send([create("C")], send_until=world.sandbox.clock.now() - 30)
    assert not late.sent


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/v1.0/users/x/events?$skip=10",
        "{base}@elsewhere.example/v1.0/users",
        "{base}.elsewhere.example/v1.0/users",
        "http://{host}/v1.0/users",
        "{base}/beta/users",
        "{base}/v1.0",
        "//{host}/v1.0/users",
        "",
    ],
)
async def test_a_link_that_leads_elsewhere_is_not_followed(
    world: World, client: OutlookClient, link: str
) -> None:
    host = world.graph_url.removeprefix("https://")
    answer = await client.follow(link.format(base=world.graph_url, host=host))
    assert (answer.status, answer.events) == (None, None)
    assert len(list(world.sandbox.history)) == 0, "not even a token was asked for"


@pytest.mark.parametrize(
    "answer",
    [
        http("200 OK", b"<html>Sign in to the guest network</html>"),
        http("200 OK", b'{"responses":[{"id":"1","sta'),
        http("302 Found", b"", "Location: https://portal.example/"),
        http("502 Bad Gateway", b"<html>"),
    ],
)
async def test_a_page_of_something_in_between_never_passes_for_an_answer(world: World, answer: bytes) -> None:
    authority = trustme.CA()
    with authority.cert_pem.tempfile() as ca_file:
        async with (
            raw_server(answering(answer), server_tls(authority, "localhost")) as server,
            AiohttpTransport(world.clock, Path(ca_file), environ={}) as transport,
        ):
            client = OutlookClient(transport, world.tokens(), GRAPH, world.clock, server.url)
            requests = [create("A"), create("B"), GRAPH.look(ADA, "", "1/")]
            found = meanings(requests, await client.send(requests))
    assert found[:2] == [Meaning.UNKNOWN] * 2
    assert found[2] in {Meaning.BUSY, Meaning.SERVICE_BUSY}


async def test_a_gateways_clock_is_not_taken_for_the_services(world: World) -> None:
    authority = trustme.CA()
    page = http("502 Bad Gateway", b"<html>", "Date: Thu, 01 Jan 2015 00:00:00 GMT")
    with authority.cert_pem.tempfile() as ca_file:
        async with (
            raw_server(answering(page), server_tls(authority, "localhost")) as server,
            AiohttpTransport(world.clock, Path(ca_file), environ={}) as transport,
        ):
            client = OutlookClient(transport, world.tokens(), GRAPH, world.clock, server.url)
            (answer,) = await client.send([create()])
    assert answer.service_time == 0.0
    assert client.service_now() == pytest.approx(world.clock.now(), abs=5)
