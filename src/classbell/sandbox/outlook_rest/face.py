"""Outlook REST over HTTP: requests alone, and batches in JSON or as ``multipart/mixed``."""

from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from classbell.sandbox import surface
from classbell.sandbox.access import Access
from classbell.sandbox.batch import answered
from classbell.sandbox.exchange import ConnectionDropped, Reply, Request
from classbell.sandbox.faults import Fault
from classbell.sandbox.graph_face import GraphFace
from classbell.sandbox.outlook_rest import admission, multipart, paths
from classbell.sandbox.outlook_rest.batch import OutlookBatches
from classbell.sandbox.outlook_rest.translation import Translation, refused
from classbell.sandbox.refusals import Refusal
from classbell.sandbox.server import Doors


class OutlookFace(GraphFace):
    """The second face of the mailboxes."""

    batch_path = f"/{paths.ROOT}/$batch"

    def __init__(self, doors: Doors) -> None:
        super().__init__(doors)
        self._translation = Translation(doors.commons, doors.gateway)
        self._batches = OutlookBatches(self._translation, doors.gateway)

    def routes(self) -> list[Route]:
        """Its paths."""
        methods = ["GET", "POST", "PATCH", "PUT", "DELETE"]
        return [
            Route(f"/{paths.ROOT}/$batch", self.batch, methods=["POST"]),
            # Clients post batches below a mailbox as well.
            Route(f"/{paths.ROOT}/{{user:rest}}/$batch", self.batch, methods=["POST"]),
            Route(f"/{paths.ROOT}/{{path:rest}}", self.single, methods=methods),
        ]

    async def single(self, request: HttpRequest) -> Response:
        """One request."""
        try:
            self._check_served()
            access = self._access(request)
            asked = await surface.asked(request, paths.ROOT)
            return self._finished(request, await self._translation.answer(asked, access))
        except ConnectionDropped:
            return surface.Dropped()
        except Refusal as refusal:
            return self._refused(request, refusal)

    async def batch(self, request: HttpRequest) -> Response:
        """A batch."""
        try:
            self._check_served()
            access = self._access(request)
            content = await surface.content(request)
            kind = request.headers.get("content-type", "")
            mixed = kind.casefold().startswith("multipart/mixed")
            if mixed:
                parts: Any = multipart.parts(kind, content)
                envelope: Any = {"requests": [{**part, "body": _shown(part.get("body"))} for part in parts]}
            else:
                envelope = surface.decoded(content, "Invalid batch payload format.")
                parts = envelope.get("requests") if isinstance(envelope, dict) else None
            reply = await self._batch(request, access, parts, envelope, len(content), mixed=mixed)
        except ConnectionDropped:
            return surface.Dropped()
        except Refusal as refusal:
            return self._refused(request, refusal)
        return self._finished(request, reply)

    async def _batch(
        self, request: HttpRequest, access: Access, parts: Any, envelope: Any, size: int, *, mixed: bool
    ) -> Reply:
        doors = self._doors
        fault = self._batch_fault(access, envelope)
        if fault is not None and fault.moment == "before":
            doors.gateway.record_batch(access, 0, fault, self.batch_path)
            return self._spoilt(fault, Reply(200))
        number = doors.batches.next_number()
        answers = await self._batches.answer(
            parts,
            Request("POST", "$batch", size=size, base=surface.base(request), batch=number),
            access,
            most=doors.commons.switches.outlook_batch_size,
            go_on="odata.continue-on-error" in request.headers.get("prefer", "").casefold(),
            fault=fault,
        )
        cut = "cut" if any(reply.spoilt == "cut" for _, reply in answers) else ""
        if mixed:
            boundary = f"batchresponse_{doors.commons.new_guid()}"
            kind = {"Content-Type": f"multipart/mixed; boundary={boundary}"}
            reply = Reply(200, multipart.written(answers, boundary).decode(), kind, spoilt=cut)
        else:
            responses = [answered(key, told) for key, told in answers]
            reply = Reply(200, {"responses": responses}, spoilt=cut)
        return reply if fault is None else self._spoilt(fault, reply)

    def _check_served(self) -> None:
        if self._doors.commons.switches.outlook_rest == "retired":
            raise Refusal(
                410, "Gone", "Outlook REST API v2.0 has been decommissioned. Use Microsoft Graph instead."
            )

    def _access(self, request: HttpRequest) -> Access:
        return admission.admit(self._doors.tokens, request.headers.get("authorization"), self._doors.tenants)

    def _spoilt(self, fault: Fault, reply: Reply) -> Reply:
        return refused(super()._spoilt(fault, reply))

    def _finished(self, request: HttpRequest, reply: Reply) -> Response:
        return super()._finished(request, refused(reply))


def _shown(body: Any) -> Any:
    """The body of a part as a fault may look at it."""
    return None if isinstance(body, bytes) else body
