"""
The way into Graph: token, faults, limits, latency, mailbox; then the answer, and its line in the history.

Source: Graph pages "Microsoft Graph error responses and resource types" and "Throttling limits".
"""

import asyncio
import re
from collections.abc import Callable
from urllib.parse import unquote

from classbell.sandbox import graph, preferences
from classbell.sandbox.access import Access
from classbell.sandbox.asked import Asked
from classbell.sandbox.exchange import VERSION, ConnectionDropped, Reply, Request
from classbell.sandbox.faults import Fault, Faults, RequestInfo
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
        fault = self._fault(request, access) if self._faults else None
        mailbox = None
        try:
            segments = _segments(request.path)
            if fault is not None and not fault.after:
                reply = self._spoilt(request, access, fault)
            else:
                mailbox = self._mailbox(request, access, segments)
                reply = await self._admitted(request, access, mailbox, segments)
        except Refusal as refusal:
            reply = self.refused(refusal)
        self._record(request, access, mailbox, reply)
        if fault is not None and fault.after:
            reply = self._spoilt(request, access, fault)
            self._record(request, access, mailbox, reply)
        return reply

    def refused(self, refusal: Refusal) -> Reply:
        """The error envelope of a refusal."""
        error = {"code": refusal.code, "message": refusal.message, **refusal.annotations}
        request_id = str(self._commons.new_guid())
        error["innerError"] = {
            "date": date_text(self._commons.clock.now()),
            "request-id": request_id,
            "client-request-id": request_id,
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

    def _fault(self, request: Request, access: Access) -> Fault | None:
        segments = _segments(request.path)
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

    def _spoilt(self, request: Request, access: Access, fault: Fault) -> Reply:
        if fault.drops:
            if not fault.after:
                self._record(request, access, None, Reply(0))
            raise ConnectionDropped
        return self.spoilt(fault)

    def spoilt(self, fault: Fault) -> Reply:
        """The answer that a fault gives."""
        headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
        return self.refused(Refusal(fault.status, fault.code, fault.message, headers=headers))

    def _record(self, request: Request, access: Access, mailbox: Mailbox | None, reply: Reply) -> None:
        failed = reply.status >= 400 or not reply.status  # noqa: PLR2004 - a status
        error = reply.body.get("error", {}) if failed and isinstance(reply.body, dict) else {}
        self._commons.history.add(
            "refusal" if failed else "request",
            tenant=access.tenant.tenant_id,
            app=access.app.client_id,
            mailbox=mailbox.address if mailbox else "",
            method=request.method,
            path=f"/{VERSION}/{request.path}" + (f"?{request.query}" if request.query else ""),
            status=reply.status,
            code=error.get("code", ""),
            retry_after=reply.headers.get("Retry-After", ""),
            batch=request.batch,
            returned=reply.returned,
            ids=mailbox.store.ids if mailbox and reply.returned else None,
        )


def _segments(path: str) -> list[str]:
    """The decoded segments of a path; ``users('x')`` counts as ``users/x``."""
    if "('" in path or "%28%27" in path:
        path = _KEYED.sub(r"\1/\2", path.replace("%28%27", "('").replace("%27%29", "')"))
    return [unquote(segment) for segment in path.split("/") if segment]
