"""
The way into Graph: token, faults, limits, latency, mailbox; then the answer, and its line in the history.

Source: Graph pages "Microsoft Graph error responses and resource types" and "Throttling limits".
"""

import asyncio
import math
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from urllib.parse import unquote

from classbell.sandbox import applications, graph, permissions, preferences
from classbell.sandbox.access import Access
from classbell.sandbox.asked import Asked
from classbell.sandbox.exchange import VERSION, ConnectionDropped, Reply, Request
from classbell.sandbox.faults import Fault, Faults, RequestInfo
from classbell.sandbox.history import Particulars
from classbell.sandbox.instants import date_text
from classbell.sandbox.limits import Limits
from classbell.sandbox.mailbox import Mailbox
from classbell.sandbox.refusals import (
    Refusal,
    bad_request,
    not_reproduced,
    segment_unknown,
)
from classbell.sandbox.surroundings import Commons
from classbell.sandbox.tenant import is_guid
from classbell.sandbox.waits import Waits

# Below this a request counts as answered when it came, in seconds.
_A_MOMENT = 0.001
# What is recorded of a request whose connection was dropped.
DROPPED = Reply(0, {"error": {"code": "dropped"}})
# The same of a member that a batch's answer leaves out, and of one that will be done later.
_MISSING = Reply(0, {"error": {"code": "missing"}}, spoilt="missing")
_PENDING = Reply(0, {"error": {"code": "late"}})
# What a proxy between client and service may say in place of the answer.
PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in to the network.</body></html>\n"
)

_KEYED = re.compile(r"(\w+)\('([^']*)'\)")


_NOT_ENABLED = (
    404,
    "MailboxNotEnabledForRESTAPI",
    "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
    None,
)
# Status, code, message and Retry-After of mailboxes that answer nothing else.
_STATES: dict[str, tuple[int, str, str, str | None]] = {
    "unlicensed": _NOT_ENABLED,
    "on-premises": _NOT_ENABLED,
    "soft-deleted": _NOT_ENABLED,
    "undiscoverable": (404, "ResourceNotFound", "Resource could not be discovered.", None),
    "moving": (
        503,
        "ErrorMailboxMoveInProgress",
        "The mailbox is being moved. Try again later.",
        "60",
    ),
    "stale": (503, "MailboxInfoStale", "Mailbox info is stale.", None),
    "unavailable": (
        503,
        "ErrorMailboxStoreUnavailable",
        "The mailbox store is currently unavailable.",
        None,
    ),
    "busy": (
        503,
        "ErrorServerBusy",
        "The server cannot service this request right now. Try again later.",
        "10",
    ),
}


class Gateway:
    """Admits requests to mailboxes and answers them."""

    def __init__(
        self, commons: Commons, faults: Faults, limits: Limits, latency: Callable[[], float]
    ) -> None:
        self._commons = commons
        self._faults = faults
        self.limits = limits
        self._latency = latency
        self._waits = Waits(commons.switches, commons.random)

    async def answer(self, request: Request, access: Access) -> Reply:
        """
        Answer one request, alone or a member of a batch.

        Raises:
            ConnectionDropped: a fault wants no answer.
        """
        arrived = self._commons.clock.now()
        segments = _segments(request.path)
        fault = self._fault(request, access, segments) if self._faults else None
        mailbox = None
        reply = DROPPED
        if fault is not None:
            request.late, request.twice = fault.late, fault.moment == "twice"
        try:
            if fault is None or fault.moment != "before":
                self.limits.enter_tenant(
                    access.app.client_id, access.tenant.tenant_id, self._commons.clock.now()
                )
                if applications.concerns(segments):
                    reply = await self._of_registration(request, access, segments)
                else:
                    mailbox = self._mailbox(request, access, segments)
                    reply = await self._admitted(request, access, mailbox, segments)
        except Refusal as refusal:
            reply = self.refused(refusal, request.headers)
        if fault is not None:
            reply = self.spoilt(fault, reply)
        self._record(request, access, mailbox, reply, arrived)
        if reply is DROPPED or (reply is _MISSING and not request.batch):
            raise ConnectionDropped
        return reply

    async def pause(self) -> None:
        """Let the time pass that a request takes."""
        await asyncio.sleep(self._latency())

    async def _of_registration(self, request: Request, access: Access, segments: list[str]) -> Reply:
        await self.pause()
        with self._commons.lock:
            return applications.answer(request, access, segments, self._commons)

    def refused(self, refusal: Refusal, headers: Mapping[str, str]) -> Reply:
        """The error envelope of a refusal; *headers* are those of the request."""
        error = {"code": refusal.code, "message": refusal.message, **refusal.annotations}
        request_id = str(self._commons.new_guid())
        error["innerError"] = {
            "date": date_text(self._commons.clock.now()),
            "request-id": request_id,
            "client-request-id": headers.get("client-request-id", request_id),
        }
        told = dict(refusal.headers)
        if "Retry-After" in told:
            self._waits.write(told)
        return Reply(refusal.status, {"error": error}, told)

    def _mailbox(self, request: Request, access: Access, segments: list[str]) -> Mailbox:
        if not segments or segments[0] != "users" or len(segments) == 1:
            if segments and segments[0] == "me":
                raise bad_request("/me request is only valid with delegated authentication flow.")
            raise segment_unknown(segments[0] if segments else "")
        if len(segments) == 2:  # noqa: PLR2004 - users/{id} itself
            raise not_reproduced("users of the directory")
        return self._open(access, segments[1], permissions.wanted(segments[2:], request.method))

    def _open(self, access: Access, user: str, wanted: frozenset[str]) -> Mailbox:
        mailbox = access.tenant.find(user)
        if mailbox is not None and mailbox.state == "missing":
            mailbox = None
        access.app.exchange.check(access.roles, wanted, mailbox)
        if mailbox is None:
            name = f"{user}@{access.tenant.tenant_id}" if is_guid(user) else user
            raise Refusal(404, "ErrorInvalidUser", f"The requested user '{name}' is invalid.")
        by_id = mailbox.state == "stale" and self._commons.switches.stale_only_by_address and is_guid(user)
        if mailbox.state in _STATES and not by_id:
            status, code, message, wait = _STATES[mailbox.state]
            raise Refusal(status, code, message, headers={"Retry-After": wait} if wait else None)
        return mailbox

    async def _admitted(
        self, request: Request, access: Access, mailbox: Mailbox, segments: list[str]
    ) -> Reply:
        key = (access.app.client_id, mailbox.id)
        arrived = self._commons.clock.now()
        self.limits.enter(key, arrived, request.size, capped=request.capped)
        try:
            # Even without latency others come in between here, so that requests do overlap.
            await asyncio.sleep(self._latency())
            if request.late is not None:
                self._do_later(request, access, mailbox, segments, arrived)
                return _PENDING
            with self._commons.lock:
                reply = self._do(request, access, mailbox, segments)
                if request.twice:
                    self._do(_without_transaction(request), access, mailbox, segments)
            return reply
        finally:
            held = self._commons.switches.slot_held
            self.limits.leave(key, self._commons.clock.now() + held if held else -math.inf)

    def _do(self, request: Request, access: Access, mailbox: Mailbox, segments: list[str]) -> Reply:
        return graph.answer(self._asked(request, access, mailbox, segments[1]), segments[2:])

    def _do_later(
        self, request: Request, access: Access, mailbox: Mailbox, segments: list[str], arrived: float
    ) -> None:
        """Commit after the answer, within the bound, in which a look-up that lags must find it as well."""
        switches = self._commons.switches
        longest = max(0.0, switches.commit_bound - switches.lookup_lag)
        delay = min(request.late or 0.0, longest)

        def commit() -> None:
            with suppress(Refusal):
                self._do(request, access, mailbox, segments)

        self._commons.lock.at(arrived + delay, commit)
        # For those who only read the history; whoever looks at a mailbox finds it without.
        asyncio.get_running_loop().call_later(delay, self._commons.lock.settle)

    def _asked(self, request: Request, access: Access, mailbox: Mailbox, user: str) -> Asked:
        return Asked(
            request=request,
            mailbox=mailbox,
            store=mailbox.store,
            owner=mailbox.owner,
            preferences=preferences.parse(request.headers.get("prefer", "")),
            switches=self._commons.switches,
            user=user,
            cause=f"api:{access.app.client_id}",
            now=self._commons.lock.now(),
        )

    def _fault(self, request: Request, access: Access, segments: list[str]) -> Fault | None:
        return self._faults.pick(
            RequestInfo(
                kind="member" if request.batch else "single",
                method=request.method,
                path=request.shown or f"/{request.path}" + (f"?{request.query}" if request.query else ""),
                tenant=access.tenant.tenant_id,
                app=access.app.client_id,
                mailbox=segments[1] if len(segments) > 1 else "",
                body=request.body if isinstance(request.body, (dict, list)) else None,
                part=request.part,
            )
        )

    def spoilt(self, fault: Fault, reply: Reply) -> Reply:
        """The answer that a fault gives in place of another one."""
        match fault.what:
            case "status":
                told = self.refused(Refusal(fault.status, fault.code, fault.message), {})
                if fault.retry_after is not None:
                    told.headers["Retry-After"] = fault.retry_after
                return told
            case "drop":
                return DROPPED
            case "missing":
                return _MISSING
            case "html":
                return Reply(fault.status, PAGE, {"Content-Type": "text/html"}, spoilt="html")
            case what:
                return replace(reply, spoilt=what)

    def record_batch(
        self, access: Access, number: int, fault: Fault | None, path: str = f"/{VERSION}/$batch"
    ) -> None:
        """Write the envelope of a batch into the history; its members follow one by one."""
        answered = fault is None or fault.what in {"cut", "empty", "doubled", "html"}
        self._commons.history.add(
            "request" if answered else "refusal",
            tenant=access.tenant.tenant_id,
            app=access.app.client_id,
            method="POST",
            path=path,
            status=200 if fault is None or answered else fault.status,
            batch=number,
            more=None if fault is None else Particulars(fault.code, fault.retry_after or ""),
        )

    def _record(
        self, request: Request, access: Access, mailbox: Mailbox | None, reply: Reply, arrived: float
    ) -> None:
        failed = reply.status >= 400 or not reply.status  # noqa: PLR2004 - a status
        path = request.shown or f"/{VERSION}/{request.path}"
        self._commons.history.add(
            "refusal" if failed else "request",
            tenant=access.tenant.tenant_id,
            app=access.app.client_id,
            mailbox=mailbox.address if mailbox else "",
            method=request.method,
            # The path of a create is the same for every event of a mailbox.
            path=f"{path}?{request.query}" if request.query and not request.shown else sys.intern(path),
            status=reply.status,
            batch=request.batch,
            arrived=arrived if arrived < self._commons.clock.now() - _A_MOMENT else 0.0,
            more=_particulars(reply, mailbox, failed=failed),
        )


def _particulars(reply: Reply, mailbox: Mailbox | None, *, failed: bool) -> Particulars | None:
    if failed:
        return Particulars(reply.spoilt or reply.body["error"]["code"], reply.headers.get("Retry-After", ""))
    if mailbox is not None and reply.returned is not None:
        return Particulars(reply.spoilt, returned=reply.returned, ids=mailbox.store.ids)
    return Particulars(reply.spoilt) if reply.spoilt else None


def _without_transaction(request: Request) -> Request:
    """The same once more, which the service does not recognise as such."""
    if not isinstance(request.body, dict):
        return request
    return replace(
        request, body={name: part for name, part in request.body.items() if name != "transactionId"}
    )


def _segments(path: str) -> list[str]:
    """The decoded segments of a path; ``users('x')`` counts as ``users/x``."""
    if "('" in path or "%28%27" in path:
        path = _KEYED.sub(r"\1/\2", path.replace("%28%27", "('").replace("%27%29", "')"))
    return [unquote(segment) for segment in path.split("/") if segment]
