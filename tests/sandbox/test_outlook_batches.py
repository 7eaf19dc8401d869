"""Batches of Outlook REST, in JSON and as multipart/mixed."""

import asyncio
import email
import http.client
import json
from dataclasses import dataclass
from email.message import Message
from typing import Any

import pytest
from tests.sandbox.client import World
from tests.sandbox.outlook_client import OutlookClient, home, seminar, sign_in
from tests.sandbox.test_faults import LOST

from classbell.sandbox.exchange import Request

ALL = "odata.continue-on-error"


@pytest.fixture
def outlook(world: World) -> OutlookClient:
    return sign_in(world)


def create(world: World, subject: str = "Logic") -> dict[str, Any]:
    return {"method": "POST", "url": f"{home(world)}/events", "body": seminar(Subject=subject)}


def broken(world: World) -> dict[str, Any]:
    return {"method": "POST", "url": f"{home(world)}/events", "body": {}}


def batch(outlook: OutlookClient, *members: dict[str, Any], **headers: str) -> list[dict[str, Any]]:
    """The answers of a batch in JSON, as they came."""
    requests = [{"id": str(number), **member} for number, member in enumerate(members, 1)]
    answer = outlook.post("/$batch", {"requests": requests}, **headers)
    assert answer.status == 200, answer
    responses: list[dict[str, Any]] = answer.body["responses"]
    return responses


def statuses(responses: list[dict[str, Any]]) -> dict[str, int]:
    return {response["id"]: response["status"] for response in responses}


def test_members_are_answered_in_this_apis_words(world: World, outlook: OutlookClient) -> None:
    created, listed, missing = batch(
        outlook,
        create(world),
        {"method": "GET", "url": f"/api/v2.0{home(world)}/calendars"},
        {"method": "GET", "url": f"{world.address.outlook_url}/api/v2.0/users('nobody')/events"},
    )
    assert (created["status"], created["body"]["Subject"]) == (201, "Logic")
    assert created["headers"]["Location"] == created["body"]["@odata.id"]
    assert created["headers"]["Rate-Limit-Limit"] == "10000"
    assert listed["body"]["value"][0]["Name"] == "Calendar"
    assert (missing["status"], missing["body"]["error"]["code"]) == (404, "ErrorInvalidUser")
    assert len(world.ada.events()) == 1


def test_the_first_failure_ends_a_batch(world: World, outlook: OutlookClient) -> None:
    answers = batch(outlook, create(world, "A"), broken(world), create(world, "B"))
    assert statuses(answers) == {"1": 201, "2": 400}
    assert [event["subject"] for event in world.ada.events()] == ["A"]


def test_a_batch_goes_on_where_it_is_preferred(world: World, outlook: OutlookClient) -> None:
    answers = batch(outlook, create(world, "A"), broken(world), create(world, "B"), Prefer=ALL)
    assert statuses(answers) == {"1": 201, "2": 400, "3": 201}
    assert sorted(event["subject"] for event in world.ada.events()) == ["A", "B"]


def test_a_batch_may_be_posted_below_a_mailbox(world: World, outlook: OutlookClient) -> None:
    requests = [{"id": "1", **create(world)}]
    for path in (f"{home(world)}/$batch", "/me/$batch"):
        assert outlook.post(path, {"requests": requests}).status == 200
    assert len(world.ada.events()) == 2


def test_twenty_members_are_the_most_unless_switched(world: World, outlook: OutlookClient) -> None:
    requests = [{"id": str(number), **create(world)} for number in range(21)]
    answer = outlook.post("/$batch", {"requests": requests})
    assert (answer.status, answer.code) == (400, "MaximumValueExceeded")
    world.sandbox.switches.outlook_batch_size = 100
    assert outlook.post("/$batch", {"requests": requests}).status == 200
    assert len(world.ada.events()) == 21


def test_twenty_members_for_one_mailbox_run_at_once(world: World, outlook: OutlookClient) -> None:
    world.sandbox.latency = 0.05
    answers = batch(outlook, *(create(world) for _ in range(20)), Prefer=ALL)
    assert set(statuses(answers).values()) == {201}
    world.sandbox.switches.outlook_concurrency = "four"
    answers = batch(outlook, *(create(world) for _ in range(20)), Prefer=ALL)
    assert sorted(statuses(answers).values()) == [201] * 4 + [429] * 16


def test_hundreds_of_members_may_be_in_flight(world: World, outlook: OutlookClient) -> None:
    world.sandbox.latency = 0.02
    doors = world.sandbox._doors
    access = doors.tokens.bearer(f"Bearer {outlook.token}", doors.tenants)

    async def together() -> list[int]:
        path = f"users/{world.ada.address}/events"
        requests = (Request("GET", path, capped=False) for _ in range(400))
        grant = type(access)(access.tenant, access.app, frozenset({"Calendars.Read"}), access.expires)
        replies = await asyncio.gather(*(doors.gateway.answer(request, grant) for request in requests))
        return [reply.status for reply in replies]

    assert set(asyncio.run(together())) == {200}


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        [],
        {"requests": []},
        {"requests": {}},
        {"requests": [{"id": "1", "method": "GET"}]},
        {"requests": [{"id": "", "method": "GET", "url": "/users('x')/events"}]},
        {"requests": [{"id": "1", "method": "GET", "url": "/me"}] * 2},
    ],
)
def test_a_malformed_envelope_is_refused(outlook: OutlookClient, envelope: Any) -> None:
    assert outlook.post("/$batch", envelope).status == 400


@pytest.mark.parametrize(
    "member",
    [
        {"method": "GET", "url": "https://graph.microsoft.com/v1.0/users"},
        {"method": "GET", "url": "/api/beta/users('x')/events"},
        {"method": "POST", "url": "/$batch", "body": {}},
        {"method": "BREW", "url": "/users('x')/events"},
        {"method": "GET", "url": "/homework"},
    ],
)
def test_a_member_that_leads_elsewhere_fails_alone(
    world: World, outlook: OutlookClient, member: dict[str, Any]
) -> None:
    answers = batch(outlook, member, create(world), Prefer=ALL)
    assert statuses(answers) == {"1": 400, "2": 201}


def test_batches_of_both_faces_have_numbers_of_their_own(world: World, outlook: OutlookClient) -> None:
    begin = len(world.sandbox.history)
    world.graph.batch({"method": "GET", "url": world.events})
    batch(outlook, create(world))
    records = [record for record in world.sandbox.history[begin:] if record.batch]
    assert [(record.path, record.status) for record in records if record.path.endswith("$batch")] == [
        ("/v1.0/$batch", 200),
        ("/api/v2.0/$batch", 200),
    ]
    assert len({record.batch for record in records}) == 2
    assert len(records) == 4


@pytest.mark.parametrize(("effect", "done"), [("503-before", 0), ("503-after", 2), ("drop-after", 2)])
def test_an_envelope_can_go_wrong_as_a_whole(
    world: World, outlook: OutlookClient, effect: str, done: int
) -> None:
    world.sandbox.faults.add(lambda info: info.kind == "batch", effect)
    requests = {"requests": [{"id": str(number), **create(world)} for number in range(2)]}
    if effect.startswith("drop"):
        with pytest.raises(LOST):
            outlook.post("/$batch", requests)
    else:
        assert outlook.post("/$batch", requests).status == 503
    assert len(world.ada.events()) == done


@pytest.mark.parametrize(("effect", "ids"), [("missing-after", ["1"]), ("doubled-after", ["1", "2", "2"])])
def test_answers_of_members_can_be_missing_or_doubled(
    world: World, outlook: OutlookClient, effect: str, ids: list[str]
) -> None:
    world.sandbox.faults.add(lambda info: info.body and info.body.get("subject") == "B", effect)
    answers = batch(outlook, create(world, "A"), create(world, "B"))
    assert [answer["id"] for answer in answers] == ids
    assert len(world.ada.events()) == 2


def test_an_answer_can_be_cut(world: World, outlook: OutlookClient) -> None:
    world.sandbox.faults.add(lambda info: info.kind == "member", "cut-after")
    with pytest.raises(http.client.IncompleteRead):
        batch(outlook, create(world))
    assert len(world.ada.events()) == 1


@dataclass(frozen=True)
class Part:
    """One part of a multipart answer."""

    status: int
    headers: Message
    body: Any
    key: str


def part(method: str, url: str, body: Any = None, key: str = "") -> str:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    lines += [f"Content-ID: {key}"] if key else []
    lines += ["", f"{method} {url} HTTP/1.1"]
    if body is not None:
        content = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        lines += ["Content-Type: application/json", "", content]
    else:
        lines += [""]
    return "\r\n".join([*lines, ""])


def send(outlook: OutlookClient, *parts: str, prefer: str = ALL) -> Any:
    body = "".join(f"--batch_mine\r\n{each}\r\n" for each in parts) + "--batch_mine--\r\n"
    return outlook.ask(
        "POST",
        "/$batch",
        body.encode(),
        Content_Type="multipart/mixed; boundary=batch_mine",
        Prefer=prefer,
    )


def mixed(outlook: OutlookClient, *parts: str, prefer: str = ALL) -> list[Part]:
    """The parts of the answer to a multipart batch."""
    answer = send(outlook, *parts, prefer=prefer)
    assert answer.status == 200, answer
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n"
    message = email.message_from_bytes((head + answer.body).encode())
    assert message.is_multipart()
    return [read(each) for each in message.get_payload() if isinstance(each, Message)]


def read(each: Message) -> Part:
    assert each.get_content_type() == "application/http"
    payload = each.get_payload(decode=True)
    assert isinstance(payload, bytes)
    line, _, rest = payload.replace(b"\r\n", b"\n").partition(b"\n")
    head, _, body = rest.partition(b"\n\n")
    version, status, *_ = line.decode().split()
    assert version == "HTTP/1.1"
    told = json.loads(body) if body.strip() else None
    return Part(int(status), email.message_from_bytes(head + b"\n\n"), told, each.get("Content-ID", ""))


def test_a_multipart_batch_is_answered_part_by_part_in_order(world: World, outlook: OutlookClient) -> None:
    created, listed, refused, deleted = mixed(
        outlook,
        part("POST", f"/api/v2.0{home(world)}/events", seminar(Subject="Étude"), key="first"),
        part("GET", f"/api/v2.0{home(world)}/calendars?$select=Name"),
        part("POST", f"{home(world)}/events", {}),
        part("DELETE", f"{home(world)}/events('{world.create()['id']}')"),
    )
    assert (created.status, created.body["Subject"], created.key) == (201, "Étude", "first")
    assert created.headers["Location"] == created.body["@odata.id"]
    assert (listed.status, listed.body["value"][0]["Name"], listed.key) == (200, "Calendar", "")
    assert (refused.status, refused.body["error"]["code"]) == (400, "ErrorPropertyValidationFailure")
    assert (deleted.status, deleted.body["error"]["code"]) == (400, "ErrorInvalidIdMalformed")


def test_a_multipart_batch_ends_with_its_first_failure(world: World, outlook: OutlookClient) -> None:
    url = f"{home(world)}/events"
    answers = mixed(
        outlook, part("POST", url, {}), part("POST", url, seminar()), prefer="outlook.timezone=UTC"
    )
    assert [answer.status for answer in answers] == [400]
    assert world.ada.events() == []


def test_a_part_without_a_body_has_no_answer_body(world: World, outlook: OutlookClient) -> None:
    event = outlook.post(f"{home(world)}/events", seminar()).body
    (deleted,) = mixed(outlook, part("DELETE", f"{home(world)}/events('{event['Id']}')"))
    assert (deleted.status, deleted.body) == (204, None)


def test_a_part_with_broken_json_fails_alone(world: World, outlook: OutlookClient) -> None:
    url = f"{home(world)}/events"
    answers = mixed(outlook, part("POST", url, '{"Subject":'), part("POST", url, seminar()))
    assert [answer.status for answer in answers] == [400, 201]


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("multipart/mixed; boundary=b", "--b\r\n", 400),
        ("multipart/mixed", "--b\r\n\r\n--b--\r\n", 400),
        ("multipart/mixed; boundary=b", "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n", 400),
        (
            "multipart/mixed; boundary=b",
            "--b\r\nContent-Type: application/http\r\n\r\nhello\r\n--b--\r\n",
            400,
        ),
        (
            "multipart/mixed; boundary=b",
            "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n--c--\r\n--b--\r\n",
            501,
        ),
    ],
)
def test_a_malformed_multipart_envelope_is_refused(
    outlook: OutlookClient, kind: str, body: str, status: int
) -> None:
    assert outlook.ask("POST", "/$batch", body.encode(), Content_Type=kind).status == status


def test_refusals_of_a_whole_batch_and_of_a_member_name_their_request_in_this_apis_words(
    outlook: OutlookClient,
) -> None:
    whole = outlook.post("/$batch", {"requests": []})
    (member,) = batch(outlook, {"method": "BREW", "url": "/users('x')/events"})
    for body in (whole.body, member["body"]):
        assert set(body["error"]["innerError"]) == {"requestId", "date"}


def test_a_fault_meets_the_member_whose_id_it_names(world: World, outlook: OutlookClient) -> None:
    world.sandbox.faults.add(lambda request: request.part == "2", "503-before")
    assert statuses(batch(outlook, create(world), create(world), Prefer=ALL)) == {"1": 201, "2": 503}
