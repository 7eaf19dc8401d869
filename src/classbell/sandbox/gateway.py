"""
The way into Graph: token, faults, limits, latency, mailbox; then the answer, and its line in the history.

Source: Graph pages "Microsoft Graph error responses and resource types" and "Throttling limits".
"""

import asyncio
import re
import sys
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from classbell.sandbox import graph, preferences
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
    access_denied,
    access_policy,
    bad_request,
    not_reproduced,
    segment_unknown,
)
from classbell.sandbox.surroundings import Commons
from classbell.sandbox.tenant import is_guid

# What is recorded of a request whose connection was dropped.
DROPPED = Reply(0, {"error": {"code": "dropped"}})

_KEYED = re.compile(r"(\w+)\('([^']*)'\)")
_READING = frozenset({"Calendars.Read", "Calendars.ReadWrite"})
_WRITING = frozenset({"Calendars.ReadWrite"})


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

    async def answer(self, request: Request, access: Access) -> Reply:
        """
        Answer one request, alone or a member of a batch.

        Raises:
            ConnectionDropped: a fault wants no answer.
        """
        segments = _segments(request.path)
        fault = self._fault(request, access, segments) if self._faults else None
        mailbox = None
        reply = DROPPED
        try:
            if fault is None or fault.after:
                mailbox = self._mailbox(request, access, segments)
                reply = await self._admitted(request, access, mailbox, segments)
        except Refusal as refusal:
            reply = self.refused(refusal, request.headers)
        if fault is not None:
            reply = DROPPED if fault.drops else self.spoilt(fault)
        self._record(request, access, mailbox, reply)
        if reply is DROPPED:
            raise ConnectionDropped
        return reply

    def refused(self, refusal: Refusal, headers: Mapping[str, str]) -> Reply:
        """The error envelope of a refusal; *headers* are those of the request."""
        error = {"code": refusal.code, "message": refusal.message, **refusal.annotations}
        request_id = str(self._commons.new_guid())
        error["innerError"] = {
            "date": date_text(self._commons.clock.now()),
            "request-id": request_id,
            "client-request-id": headers.get("client-request-id", request_id),
        }
        return Reply(refusal.status, {"error": error}, dict(refusal.headers))

    def _mailbox(self, request: Request, access: Access, segments: list[str]) -> Mailbox:
        if not segments or segments[0] != "users" or len(segments) == 1:
            if segments and segments[0] == "me":
                raise bad_request("/me request is only valid with delegated authentication flow.")
            raise segment_unknown(segments[0] if segments else "")
        if len(segments) == 2:  # noqa: PLR2004 - users/{id} itself
            raise not_reproduced("users of the directory")
        if not access.roles & (_READING if request.method == "GET" else _WRITING):
            raise access_denied()
        return self._open(access, segments[1])

    def _open(self, access: Access, user: str) -> Mailbox:
        mailbox = access.tenant.find(user)
        if mailbox is None or mailbox.state == "missing":
            name = f"{user}@{access.tenant.tenant_id}" if is_guid(user) else user
            raise Refusal(404, "ErrorInvalidUser", f"The requested user '{name}' is invalid.")
        only = access.app.only
        if only is not None and mailbox.address.casefold() not in only:
            raise access_policy()
        if mailbox.state in _STATES:
            status, code, message, wait = _STATES[mailbox.state]
            raise Refusal(status, code, message, headers={"Retry-After": wait} if wait else None)
        return mailbox

    async def _admitted(
        self, request: Request, access: Access, mailbox: Mailbox, segments: list[str]
    ) -> Reply:
        key = (access.app.client_id, mailbox.id)
        self.limits.enter(key, self._commons.clock.now(), request.size)
        try:
            # Even without latency others come in between here, so that requests do overlap.
            await asyncio.sleep(self._latency())
            with self._commons.lock:
                return graph.answer(self._asked(request, access, mailbox, segments[1]), segments[2:])
        finally:
            self.limits.leave(key)

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
            now=self._commons.clock.now(),
        )

    def _fault(self, request: Request, access: Access, segments: list[str]) -> Fault | None:
        return self._faults.pick(
            RequestInfo(
                kind="member" if request.batch else "single",
                method=request.method,
                path=f"/{request.path}" + (f"?{request.query}" if request.query else ""),
                tenant=access.tenant.tenant_id,
                app=access.app.client_id,
                mailbox=segments[1] if len(segments) > 1 else "",
                body=request.body if isinstance(request.body, (dict, list)) else None,
            )
        )

    def spoilt(self, fault: Fault) -> Reply:
        """The answer that a fault gives."""
        headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
        return self.refused(Refusal(fault.status, fault.code, fault.message, headers=headers), {})

    def record_batch(self, access: Access, number: int, fault: Fault | None) -> None:
        """Write the envelope of a batch into the history; its members follow one by one."""
        code = "" if fault is None else "dropped" if fault.drops else fault.code
        self._commons.history.add(
            "request" if fault is None else "refusal",
            tenant=access.tenant.tenant_id,
            app=access.app.client_id,
            method="POST",
            path=f"/{VERSION}/$batch",
            status=200 if fault is None else fault.status,
            batch=number,
            more=None if fault is None else Particulars(code, fault.retry_after or ""),
        )

    def _record(self, request: Request, access: Access, mailbox: Mailbox | None, reply: Reply) -> None:
        failed = reply.status >= 400 or not reply.status  # noqa: PLR2004 - a status
        path = f"/{VERSION}/{request.path}"
        self._commons.history.add(
            "refusal" if failed else "request",
            tenant=access.tenant.tenant_id,
            app=access.app.client_id,
            mailbox=mailbox.address if mailbox else "",
            method=request.method,
            # The path of a create is the same for every event of a mailbox.
            path=f"{path}?{request.query}" if request.query else sys.intern(path),
            status=reply.status,
            batch=request.batch,
            more=_particulars(reply, mailbox, failed=failed),
        )


def _particulars(reply: Reply, mailbox: Mailbox | None, *, failed: bool) -> Particulars | None:
    if failed:
        return Particulars(reply.body["error"]["code"], reply.headers.get("Retry-After", ""))
    if mailbox is not None and reply.returned is not None:
        return Particulars(returned=reply.returned, ids=mailbox.store.ids)
    return None


def _segments(path: str) -> list[str]:
    """The decoded segments of a path; ``users('x')`` counts as ``users/x``."""
    if "('" in path or "%28%27" in path:
        path = _KEYED.sub(r"\1/\2", path.replace("%28%27", "('").replace("%27%29", "')"))
    return [unquote(segment) for segment in path.split("/") if segment]
