"""
Batches: one after the other until the first that fails, or all at once with ``odata.continue-on-error``.

The limit of four requests in flight does not hold for them, as observers report; a switch says otherwise.
Source: "Batch Outlook REST requests", OData 4.0 part 1, section 8.2.8.3.
"""

import asyncio
from typing import Annotated, Any

import msgspec

from classbell.sandbox.access import Access
from classbell.sandbox.exchange import ABSENT, ConnectionDropped, Reply, Request
from classbell.sandbox.faults import Fault
from classbell.sandbox.gateway import Gateway
from classbell.sandbox.outlook_rest import paths
from classbell.sandbox.outlook_rest.translation import Translation, refused
from classbell.sandbox.refusals import Refusal, bad_request
from classbell.sandbox.surface import UNREADABLE

_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})


class _Part(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(min_length=1)]
    method: str
    url: str
    headers: dict[str, str] | None = None
    body: Any = msgspec.UNSET


class OutlookBatches:
    """Runs batches over a translation."""

    def __init__(self, translation: Translation, gateway: Gateway) -> None:
        self._translation = translation
        self._gateway = gateway

    async def answer(
        self,
        parts: Any,
        request: Request,
        access: Access,
        *,
        most: int,
        go_on: bool,
        fault: Fault | None,
    ) -> list[tuple[str, Reply]]:
        """
        The answers to the members that were done, in their order, as (id, reply).

        Args:
            parts: what was sent, decoded.
            request: the batch itself: its ``base``, ``size`` and number.
            access: what the bearer of its token may do.
            most: the largest batch.
            go_on: whether a failure leaves the further members to be done.
            fault: what will be told instead of the answer.

        Raises:
            Refusal: the envelope itself is malformed.
            ConnectionDropped: a fault wants no answer.
        """
        members = _read(parts, request, most)
        self._gateway.record_batch(access, request.batch, fault, f"/{paths.ROOT}/$batch")
        if fault is not None:
            for _, member in members:
                member.late, member.twice = fault.late, fault.moment == "twice"
        if go_on:
            replies = await asyncio.gather(
                *(self._reply(member, access) for _, member in members), return_exceptions=True
            )
        else:
            replies = await self._in_turn([member for _, member in members], access)
        return _whole(replies, [key for key, _ in members])

    async def _in_turn(self, members: list[Request], access: Access) -> list[Reply | BaseException]:
        replies: list[Reply | BaseException] = []
        for member in members:
            reply = await self._reply(member, access)
            replies.append(reply)
            if reply.status >= 400:  # noqa: PLR2004 - a status
                break
        return replies

    async def _reply(self, member: Request, access: Access) -> Reply:
        refusal = None
        if member.method not in _METHODS:
            refusal = bad_request(f"Invalid batch request method '{member.method}'.")
        elif isinstance(member.body, bytes):
            refusal = bad_request(UNREADABLE)
        else:
            try:
                member.path = paths.relative(member.path, member.base)
            except Refusal as malformed:
                refusal = malformed
        if refusal is not None:
            return refused(self._gateway.refused(refusal, member.headers))
        return await self._translation.answer(member, access)


def _whole(replies: list[Reply | BaseException], keys: list[str]) -> list[tuple[str, Reply]]:
    answers: list[tuple[str, Reply]] = []
    for key, reply in zip(keys, replies, strict=False):  # fewer replies where a failure ended the batch
        if isinstance(reply, BaseException):
            raise reply if not isinstance(reply, ConnectionDropped) else ConnectionDropped
        if reply.spoilt != "missing":
            answers += [(key, reply)] * (2 if reply.spoilt == "doubled" else 1)
    return answers


def _read(parts: Any, request: Request, most: int) -> list[tuple[str, Request]]:
    if not isinstance(parts, list) or not parts:
        raise bad_request("Invalid batch payload format.")
    if len(parts) > most:
        raise Refusal(
            400,
            "MaximumValueExceeded",
            f"Number of batch request steps exceeds the maximum value of {most}.",
        )
    try:
        read = msgspec.convert(parts, list[_Part])
    except msgspec.ValidationError:
        raise bad_request("Invalid batch payload format.") from None
    if len({part.id for part in read}) < len(read):
        raise bad_request("The ids of a batch must be unique.")
    return [(part.id, _member(part, request, request.size // len(read))) for part in read]


def _member(part: _Part, request: Request, size: int) -> Request:
    path, _, query = part.url.partition("?")
    return Request(
        method=part.method.upper(),
        path=path,
        query=query,
        headers={name.lower(): value for name, value in (part.headers or {}).items()},
        body=ABSENT if part.body is msgspec.UNSET or part.body is None else part.body,
        size=size,
        base=request.base,
        batch=request.batch,
        part=part.id,
    )
