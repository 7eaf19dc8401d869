"""Throttling per application and mailbox."""

import asyncio
import json
import ssl
from collections.abc import Iterator
from random import Random
from typing import Any

import aiohttp
import pytest
from tests.sandbox.client import World, lecture

from classbell.sandbox import Refusal, limits
from classbell.sandbox.exchange import Request
from classbell.sandbox.limits import Limits

KEY = ("app", "mailbox")


async def together(
    world: World, *paths: str, token: str = "", body: dict[str, Any] | None = None
) -> list[Any]:
    """Requests that are all under way at once, each on a connection of its own: (status, headers, body)."""
    context = ssl.create_default_context(cafile=str(world.address.ca_file))
    headers = {"Authorization": f"Bearer {token or world.graph.token}"}
    connector = aiohttp.TCPConnector(ssl=context, limit=0)

    async def one(session: aiohttp.ClientSession, path: str) -> tuple[int, dict[str, str], Any]:
        async with session.post(f"{world.address.graph_url}/v1.0{path}", json=body or lecture()) as answer:
            told = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, told, json.loads(await answer.read())

    async def connect(session: aiohttp.ClientSession) -> None:
        async with session.get(f"{world.address.login_url}/{world.tenant.tenant_id}/discovery/v2.0/keys"):
            pass

    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        # The connections first, so that the requests themselves arrive within milliseconds.
        await asyncio.gather(*(connect(session) for _ in paths))
        return list(await asyncio.gather(*(one(session, path) for path in paths)))


@pytest.fixture
def slow(world: World) -> Iterator[World]:
    """Requests take long enough to overlap."""
    world.sandbox.latency = 0.3
    yield world
    world.sandbox.latency = 0.0


def test_the_fifth_request_in_flight_for_one_mailbox_is_refused(slow: World) -> None:
    answers = asyncio.run(together(slow, *[slow.events] * 5))
    assert sorted(status for status, _, _ in answers) == [201, 201, 201, 201, 429]
    (refused,) = [answer for answer in answers if answer[0] == 429]
    assert refused[2]["error"]["code"] == "ApplicationThrottled"
    assert refused[2]["error"]["message"] == "Application is over its MailboxConcurrency limit."
    assert 1 <= int(refused[1]["retry-after"]) <= 10
    assert len(slow.ada.events()) == 4
    assert slow.sandbox.peak_in_flight(slow.app.client_id) == 5


def test_four_in_flight_are_never_refused(slow: World) -> None:
    answers = asyncio.run(together(slow, *[slow.events] * 4))
    assert [status for status, _, _ in answers] == [201] * 4


def test_mailboxes_do_not_share_the_limit(slow: World) -> None:
    bob = slow.tenant.add_mailbox(f"bob@{slow.tenant.domain}")
    paths = [slow.events, f"/users/{bob.address}/events"] * 4
    answers = asyncio.run(together(slow, *paths))
    assert [status for status, _, _ in answers] == [201] * 8


def test_applications_do_not_share_the_limit(slow: World) -> None:
    other = slow.tenant.register_app("Another")
    other.add_certificate(slow.certificate.pem)
    other.grant("Calendars.ReadWrite")
    assertion = slow.assertion(iss=other.client_id, sub=other.client_id)
    token = slow.ask_token(client_id=other.client_id, client_assertion=assertion).body["access_token"]

    async def both() -> list[Any]:
        mine, theirs = await asyncio.gather(
            together(slow, *[slow.events] * 4), together(slow, *[slow.events] * 4, token=token)
        )
        return mine + theirs

    assert [status for status, _, _ in asyncio.run(both())] == [201] * 8


def test_the_limit_counts_members_of_all_batches_and_each_has_its_own_retry_after(slow: World) -> None:
    member = {
        "method": "POST",
        "url": slow.events,
        "headers": {"Content-Type": "application/json"},
        "body": lecture(),
    }
    envelope = {"requests": [{"id": str(number), **member} for number in range(4)]}
    answers = asyncio.run(together(slow, "/$batch", "/$batch", body=envelope))
    assert [status for status, _, _ in answers] == [200, 200]
    members = [part for _, _, body in answers for part in body["responses"]]
    assert sorted(part["status"] for part in members) == [201] * 4 + [429] * 4
    refused = [part for part in members if part["status"] == 429]
    assert all(1 <= int(part["headers"]["Retry-After"]) <= 10 for part in refused)


def test_even_without_latency_requests_that_arrive_together_overlap(world: World) -> None:
    doors = world.sandbox._doors
    access = doors.tokens.check(f"Bearer {world.graph.token}", doors.tenants)

    async def five() -> list[int]:
        requests = (Request("POST", world.events.lstrip("/"), body=lecture()) for _ in range(5))
        replies = await asyncio.gather(*(doors.gateway.answer(request, access) for request in requests))
        return [reply.status for reply in replies]

    assert asyncio.run(five()) == [201, 201, 201, 201, 429]


def test_a_slot_is_free_again_after_its_request() -> None:
    sut = steady()
    for _ in range(100):
        for _ in range(limits.IN_FLIGHT):
            sut.enter(KEY, 0.0, 0)
        for _ in range(limits.IN_FLIGHT):
            sut.leave(KEY)
    assert sut.peak() == limits.IN_FLIGHT


def test_ten_thousand_requests_in_ten_minutes_are_the_most() -> None:
    sut = steady()
    for number in range(limits.REQUESTS):
        enter(sut, now=number * 0.05)
    with pytest.raises(Refusal) as refused:
        sut.enter(KEY, 500.0, 0)
    assert (refused.value.status, refused.value.code) == (429, "ApplicationThrottled")
    wait = int(refused.value.headers["Retry-After"])
    assert 100 <= wait <= 110
    enter(sut, now=500.0 + wait)


def test_refused_requests_count_as_well() -> None:
    sut = steady()
    for _ in range(limits.REQUESTS):
        enter(sut, now=0.0)
    for _ in range(limits.REQUESTS + 1):
        with pytest.raises(Refusal):
            sut.enter(KEY, 300.0, 0)
    with pytest.raises(Refusal):
        sut.enter(KEY, 650.0, 0)
    enter(sut, now=911.0)


def test_a_clock_set_back_starts_the_windows_anew() -> None:
    sut = steady()
    for _ in range(limits.REQUESTS):
        enter(sut, now=86_400.0)
    enter(sut, now=0.0)


def test_150_megabytes_in_five_minutes_are_the_most() -> None:
    sut = steady()
    for number in range(50):
        enter(sut, now=float(number), size=3_000_000)
    with pytest.raises(Refusal) as refused:
        sut.enter(KEY, 60.0, 1)
    enter(sut, now=60.0 + int(refused.value.headers["Retry-After"]))


def steady() -> Limits:
    return Limits(Random(0))  # noqa: S311 - the same waits in each run


def enter(sut: Limits, now: float, size: int = 0) -> None:
    sut.enter(KEY, now, size)
    sut.leave(KEY)
