"""The Graph half over HTTP."""

from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from classbell.sandbox import surface
from classbell.sandbox.access import Access
from classbell.sandbox.exchange import VERSION, ConnectionDropped, Reply
from classbell.sandbox.faults import Fault, RequestInfo
from classbell.sandbox.history import Particulars
from classbell.sandbox.refusals import Refusal
from classbell.sandbox.server import Doors


class GraphFace:
    """The Graph half over HTTP: requests alone and in batches."""

    batch_path = f"/{VERSION}/$batch"

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def single(self, request: HttpRequest) -> Response:
        """One request."""
        try:
            access = self._access(request)
            asked = await surface.asked(request, VERSION)
            return self._finished(request, await self._doors.gateway.answer(asked, access))
        except ConnectionDropped:
            return surface.Dropped()
        except Refusal as refusal:
            return self._refused(request, refusal)

    async def batch(self, request: HttpRequest) -> Response:
        """A batch in JSON."""
        doors = self._doors
        try:
            access = self._access(request)
            content = await surface.content(request)
            envelope = surface.decoded(content, "Invalid batch payload format.")
            fault = self._batch_fault(access, envelope)
            reply = Reply(200)
            if fault is not None and fault.moment == "before":
                doors.gateway.record_batch(access, 0, fault)
            else:
                reply = await doors.batches.answer(
                    envelope, surface.base(request), len(content), access, fault
                )
            if fault is not None:
                reply = self._spoilt(fault, reply)
        except ConnectionDropped:
            return surface.Dropped()
        except Refusal as refusal:
            return self._refused(request, refusal)
        return self._finished(request, reply)

    def _access(self, request: HttpRequest) -> Access:
        return self._doors.tokens.check(request.headers.get("authorization"), self._doors.tenants)

    def _batch_fault(self, access: Access, envelope: Any) -> Fault | None:
        if not self._doors.faults:
            return None
        return self._doors.faults.pick(
            RequestInfo(
                "batch",
                "POST",
                self.batch_path.removeprefix(f"/{VERSION}"),
                access.tenant.tenant_id,
                access.app.client_id,
                mailbox="",
                body=envelope,
            )
        )

    def _spoilt(self, fault: Fault, reply: Reply) -> Reply:
        if fault.what in {"drop", "missing"}:
            raise ConnectionDropped
        return self._doors.gateway.spoilt(fault, reply)

    def _refused(self, request: HttpRequest, refusal: Refusal) -> Response:
        self._doors.commons.history.add(
            "refusal",
            method=request.method,
            path=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            status=refusal.status,
            more=Particulars(refusal.code),
        )
        return self._finished(request, self._doors.gateway.refused(refusal, request.headers))

    def _finished(self, request: HttpRequest, reply: Reply) -> Response:
        request_id = str(self._doors.commons.new_guid())
        headers = {
            "date": surface.date(self._doors),
            "cache-control": "private",
            "strict-transport-security": "max-age=31536000",
            "request-id": request_id,
            "client-request-id": request.headers.get("client-request-id", request_id),
            "odata-version": "4.0",
            **{name.lower(): value for name, value in reply.headers.items()},
        }
        return surface.spoilt(surface.answer(reply.status, reply.body, headers), reply.spoilt)
