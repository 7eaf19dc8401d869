"""
JSON batches: up to twenty requests in one, four at a time, answered in any order.

Source: Graph pages "Combine multiple HTTP requests using JSON batching" and "Throttling limits", Outlook.
"""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from random import Random
from typing import Annotated, Any

import msgspec

from classbell.sandbox.access import Access
from classbell.sandbox.exchange import ABSENT, ConnectionDropped, Reply, Request
from classbell.sandbox.faults import Fault
from classbell.sandbox.gateway import Gateway
from classbell.sandbox.refusals import Refusal, bad_request

MOST_MEMBERS = 20
AT_A_TIME = 4

_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})


class _Part(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(min_length=1)]
    method: str
    url: str
    headers: dict[str, str] | None = None
    body: Any = msgspec.UNSET
    after: list[str] | None = msgspec.field(name="dependsOn", default=None)


@dataclass(slots=True)
class _Member:
    key: str
    request: Request
    after: tuple[str, ...]
    refusal: Refusal | None = None


class Batches:
    """Runs batches over a gateway; *count* numbers them."""

    def __init__(self, gateway: Gateway, random: Random) -> None:
        self._gateway = gateway
        self._random = random
        self.count = 0

    async def answer(
        self, envelope: Any, base: str, size: int, access: Access, fault: Fault | None = None
    ) -> Reply:
        """
        Answer a batch; the answer is 200 whatever became of its members.

        Args:
            envelope: what was sent, decoded.
            base: scheme and host asked.
            size: the length of what was sent, in bytes.
            access: what the bearer of its token may do.
            fault: what will be told instead of this answer, for the record.

        Raises:
            Refusal: the envelope itself is malformed.
            ConnectionDropped: a fault wants no answer; the other members are done by then.
        """
        number = self.next_number()
        members = _read(envelope, base, size, number)
        if fault is not None:
            for member in members.values():
                member.request.late, member.request.twice = fault.late, fault.moment == "twice"
        self._gateway.record_batch(access, number, fault)
        run = _Run(self._gateway, access, members)
        responses = await run.finish()
        self._random.shuffle(responses)
        return Reply(200, {"responses": responses}, spoilt="cut" if run.is_cut else "")

    def next_number(self) -> int:
        """The number of a new batch."""
        self.count += 1
        return self.count


class _Run:
    """One batch under way."""

    def __init__(self, gateway: Gateway, access: Access, members: dict[str, _Member]) -> None:
        self._gateway = gateway
        self._access = access
        self._members = members
        # Only those that somebody waits for have a future.
        self._done: dict[str, asyncio.Future[int]] = {}
        self._responses: list[dict[str, Any]] = []
        self._dropped = False
        self.is_cut = False

    async def finish(self) -> list[dict[str, Any]]:
        """All members done, four at a time; their answers in the order they came."""
        order = _in_order(self._members)
        loop = asyncio.get_running_loop()
        for member in self._members.values():
            for earlier in member.after:
                self._done.setdefault(earlier, loop.create_future())
        # In topological order a waiting member never blocks the one that it waits for.
        queue = iter(order)
        await asyncio.gather(*(self._work(queue) for _ in range(min(AT_A_TIME, len(order)))))
        if self._dropped:
            raise ConnectionDropped
        return self._responses

    async def _work(self, queue: Iterator[str]) -> None:
        for key in queue:
            member = self._members[key]
            reply = await self._reply(member)
            status = reply.status if reply else 0
            if reply and reply.spoilt != "missing":
                self._responses += [answered(key, reply)] * (2 if reply.spoilt == "doubled" else 1)
                self.is_cut = self.is_cut or reply.spoilt == "cut"
            if key in self._done:
                self._done[key].set_result(status)

    async def _reply(self, member: _Member) -> Reply | None:
        if member.refusal is not None:
            return self._gateway.refused(member.refusal, member.request.headers)
        for earlier in member.after:
            if not 200 <= await self._done[earlier] < 300:  # noqa: PLR2004 - statuses
                return self._gateway.refused(
                    Refusal(
                        424, "FailedDependency", f"The request depends on request '{earlier}', which failed."
                    ),
                    member.request.headers,
                )
        try:
            return await self._gateway.answer(member.request, self._access)
        except ConnectionDropped:
            self._dropped = True
            return None


def answered(key: str, reply: Reply) -> dict[str, Any]:
    """The answer to one member as it stands in the answer to its batch."""
    headers, body = reply.headers, reply.body
    headers.setdefault("Cache-Control", "private")
    if reply.spoilt == "empty":
        body = None
    elif reply.spoilt == "html":
        # What is not JSON stands in a batch as base64.
        body = base64.b64encode(body.encode()).decode()
    elif body is not None:
        headers.setdefault(
            "Content-Type",
            "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; "
            "charset=utf-8",
        )
    return {"id": key, "status": reply.status, "headers": headers, "body": body}


def _malformed() -> Refusal:
    return bad_request("Invalid batch payload format.")


def _read(envelope: Any, base: str, size: int, number: int) -> dict[str, _Member]:
    parts = envelope.get("requests") if isinstance(envelope, dict) else None
    if not isinstance(parts, list) or not parts:
        raise _malformed()
    if len(parts) > MOST_MEMBERS:
        raise Refusal(
            400,
            "MaximumValueExceeded",
            f"Number of batch request steps exceeds the maximum value of {MOST_MEMBERS}.",
        )
    try:
        read = msgspec.convert(parts, list[_Part])
    except msgspec.ValidationError:
        raise _malformed() from None
    members: dict[str, _Member] = {}
    for part in read:
        if part.id in members:
            raise bad_request(f"Request Id '{part.id}' is used more than once. It must be unique.")
        members[part.id] = _member(part, base, size // len(read), number)
    for member in members.values():
        for earlier in member.after:
            if earlier not in members:
                raise bad_request(f"Request Id '{earlier}' in dependsOn does not exist.")
    return members


def _member(part: _Part, base: str, size: int, number: int) -> _Member:
    path, _, query = part.url.partition("?")
    request = Request(
        method=part.method.upper(),
        path=path.lstrip("/"),
        query=query,
        headers={name.lower(): value for name, value in (part.headers or {}).items()},
        body=ABSENT if part.body is msgspec.UNSET else part.body,
        size=size,
        base=base,
        batch=number,
        part=part.id,
    )
    return _Member(part.id, request, tuple(part.after or ()), _refusal(part.id, part.url, request))


def _refusal(key: str, url: str, request: Request) -> Refusal | None:
    """What is wrong with one member alone."""
    if request.method not in _METHODS:
        return bad_request(f"Invalid batch request method '{request.method}'.")
    if "://" in url.partition("?")[0] or url.startswith("//"):
        return bad_request("Invalid request URI. URIs must be relative.")
    if request.path.casefold().startswith("$batch"):
        return bad_request("Batch requests cannot be nested.")
    bodyless = request.body is ABSENT or request.body is None
    kind = request.headers.get("content-type", "")
    if not bodyless and not kind.casefold().startswith("application/json"):
        return bad_request(f"Write request id : {key} does not contain Content-Type header or body.")
    return None


def _in_order(members: dict[str, _Member]) -> list[str]:
    if not any(member.after for member in members.values()):
        return list(members)
    try:
        return list(TopologicalSorter({key: member.after for key, member in members.items()}).static_order())
    except CycleError:
        raise bad_request("The dependsOn members of the batch form a circle.") from None
