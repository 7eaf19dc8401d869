"""The HTTP surface: a thin application over the two halves."""

from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from classbell.sandbox.aadsts import EntraRefusal
from classbell.sandbox.access import Access
from classbell.sandbox.exchange import ABSENT, VERSION, ConnectionDropped, Reply, Request
from classbell.sandbox.faults import Fault, RequestInfo
from classbell.sandbox.history import Kind, Particulars
from classbell.sandbox.refusals import Refusal, bad_request
from classbell.sandbox.server import Doors

LARGEST_BODY = 4_000_000

_JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_encode = msgspec.json.Encoder().encode


def make_app(doors: Doors) -> Starlette:
    """The application that serves both halves."""
    login, graph = _Login(doors), _Graph(doors)
    return Starlette(
        routes=[
            Route(f"/{VERSION}/$batch", graph.batch, methods=["POST"]),
            Route(
                f"/{VERSION}/{{path:path}}", graph.single, methods=["GET", "POST", "PATCH", "PUT", "DELETE"]
            ),
            Route("/{tenant}/oauth2/v2.0/token", login.token, methods=["POST"]),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", login.metadata),
            Route("/{tenant}/discovery/v2.0/keys", login.keys),
        ]
    )


class _Dropped(Response):
    """Ends the connection without an answer."""

    def __init__(self) -> None:
        super().__init__()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del send
        scope["extensions"]["sandbox.drop"]["drop"]()
        while (await receive())["type"] != "http.disconnect":
            pass


def _answer(status: int, body: Any, headers: dict[str, str], kind: str = _JSON) -> Response:
    content = b"" if body is None else body.encode() if isinstance(body, str) else _encode(body)
    if content:
        headers = {"content-type": kind} | headers
    return Response(content, status, headers)


def _date(doors: Doors) -> str:
    return formatdate(doors.commons.clock.now(), usegmt=True)


def _base(request: HttpRequest) -> str:
    return f"https://{request.headers.get('host', 'localhost')}"


class _Login:
    """The Entra half."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def token(self, request: HttpRequest) -> Response:
        doors = self._doors
        name = request.path_params["tenant"]
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        fault = None
        if doors.faults:
            fault = doors.faults.pick(
                RequestInfo(
                    "token", "POST", request.url.path, name, form.get("client_id", ""), mailbox="", body=form
                )
            )
        if fault is None or fault.after:
            answered, told, record = self._token(request, name, form)
        if fault is not None:
            return self._spoilt(request, fault)
        self._record(request, "refusal" if answered >= 400 else "request", answered, **record)  # noqa: PLR2004 - a status
        return self._json(answered, told)

    def _token(
        self, request: HttpRequest, name: str, form: dict[str, str]
    ) -> tuple[int, dict[str, Any], dict[str, Any]]:
        """Status and body of the answer, and what its record says."""
        entra = self._doors.entra
        with self._doors.commons.lock:
            try:
                tenant, app, told = entra.token(name, form, _base(request))
            except EntraRefusal as refusal:
                told = entra.refused(refusal, request.headers.get("client-request-id", ""))
                return refusal.status, told, {"more": Particulars(f"AADSTS{refusal.code}")}
            return 200, told, {"tenant": tenant.tenant_id, "app": app.client_id}

    async def metadata(self, request: HttpRequest) -> Response:
        doors = self._doors
        with doors.commons.lock:
            try:
                told = doors.entra.metadata(request.path_params["tenant"], _base(request))
            except EntraRefusal as refusal:
                refusal.error = "invalid_tenant" if refusal.code == 90002 else refusal.error  # noqa: PLR2004 - AADSTS90002
                told = doors.entra.refused(refusal, request.headers.get("client-request-id", ""))
                self._record(request, "refusal", refusal.status, more=Particulars(f"AADSTS{refusal.code}"))
                return self._json(refusal.status, told)
            self._record(request, "request", 200)
            return self._json(200, told)

    async def keys(self, request: HttpRequest) -> Response:
        self._record(request, "request", 200)
        return self._json(200, self._doors.tokens.jwks())

    def _record(self, request: HttpRequest, kind: Kind, status: int, **values: Any) -> None:
        self._doors.commons.history.add(
            kind, method=request.method, path=request.url.path, status=status, **values
        )

    def _spoilt(self, request: HttpRequest, fault: Fault) -> Response:
        code = "dropped" if fault.drops else "temporarily_unavailable"
        self._record(request, "refusal", fault.status, more=Particulars(code, fault.retry_after or ""))
        if fault.drops:
            return _Dropped()
        headers = {} if fault.retry_after is None else {"retry-after": fault.retry_after}
        told = {"error": code, "error_description": "The service is temporarily unavailable."}
        return self._json(fault.status, told, headers)

    def _json(self, status: int, told: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
        common = {"date": _date(self._doors), "cache-control": "no-store, no-cache", "pragma": "no-cache"}
        return _answer(status, told, common | (headers or {}), "application/json; charset=utf-8")


class _Graph:
    """The Graph half."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def single(self, request: HttpRequest) -> Response:
        try:
            access = self._access(request)
            asked = self._request(request, await self._body(request))
            return self._finished(request, await self._doors.gateway.answer(asked, access))
        except ConnectionDropped:
            return _Dropped()
        except Refusal as refusal:
            return self._refused(request, refusal)

    async def batch(self, request: HttpRequest) -> Response:
        doors = self._doors
        try:
            access = self._access(request)
            content = await self._body(request)
            envelope = _decoded(content, "Invalid batch payload format.")
            fault = self._batch_fault(access, envelope)
            if fault is not None and not fault.after:
                doors.gateway.record_batch(access, 0, fault)
            else:
                reply = await doors.batches.answer(envelope, _base(request), len(content), access, fault)
            if fault is not None:
                reply = self._spoilt(fault)
        except ConnectionDropped:
            return _Dropped()
        except Refusal as refusal:
            return self._refused(request, refusal)
        return self._finished(request, reply)

    def _access(self, request: HttpRequest) -> Access:
        return self._doors.tokens.check(request.headers.get("authorization"), self._doors.tenants)

    async def _body(self, request: HttpRequest) -> bytes:
        content = await request.body()
        if len(content) > LARGEST_BODY:
            raise Refusal(
                413,
                "RequestEntityTooLarge",
                "The page was not displayed because the request entity is too large.",
            )
        return content

    def _request(self, request: HttpRequest, content: bytes) -> Request:
        path = request.scope["raw_path"].decode("ascii", "replace").removeprefix(f"/{VERSION}/")
        body: Any = ABSENT
        if content:
            if not request.headers.get("content-type", "").casefold().startswith("application/json"):
                raise bad_request(
                    "Unable to read JSON request payload. Please ensure Content-Type header is set and payload "
                    "is of valid JSON format."
                )
            body = _decoded(
                content,
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is "
                "of valid JSON format.",
            )
        headers = dict(request.headers)
        preferences = request.headers.getlist("prefer")
        if preferences:
            headers["prefer"] = ", ".join(preferences)
        return Request(
            method=request.method,
            path=path,
            query=request.scope["query_string"].decode("ascii", "replace"),
            headers=headers,
            body=body,
            size=len(content),
            base=_base(request),
        )

    def _batch_fault(self, access: Access, envelope: Any) -> Fault | None:
        if not self._doors.faults:
            return None
        return self._doors.faults.pick(
            RequestInfo(
                "batch",
                "POST",
                "/$batch",
                access.tenant.tenant_id,
                access.app.client_id,
                mailbox="",
                body=envelope,
            )
        )

    def _spoilt(self, fault: Fault) -> Reply:
        if fault.drops:
            raise ConnectionDropped
        return self._doors.gateway.spoilt(fault)

    def _refused(self, request: HttpRequest, refusal: Refusal) -> Response:
        self._doors.commons.history.add(
            "refusal",
            method=request.method,
            path=request.url.path,
            status=refusal.status,
            more=Particulars(refusal.code),
        )
        return self._finished(request, self._doors.gateway.refused(refusal, request.headers))

    def _finished(self, request: HttpRequest, reply: Reply) -> Response:
        request_id = str(self._doors.commons.new_guid())
        headers = {
            "date": _date(self._doors),
            "cache-control": "private",
            "strict-transport-security": "max-age=31536000",
            "request-id": request_id,
            "client-request-id": request.headers.get("client-request-id", request_id),
            "odata-version": "4.0",
            **{name.lower(): value for name, value in reply.headers.items()},
        }
        return _answer(reply.status, reply.body, headers)


def _decoded(content: bytes, message: str) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad_request(message) from None
