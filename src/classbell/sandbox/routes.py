"""The HTTP surface: a thin application over the two halves."""

from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from classbell.sandbox import surface
from classbell.sandbox.aadsts import EntraRefusal
from classbell.sandbox.exchange import VERSION
from classbell.sandbox.faults import Fault, RequestInfo
from classbell.sandbox.graph_face import GraphFace
from classbell.sandbox.history import Kind, Particulars
from classbell.sandbox.server import Doors


def make_app(doors: Doors) -> Starlette:
    """The application that serves both halves."""
    login, graph = _Login(doors), GraphFace(doors)
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
                tenant, app, told = entra.token(name, form, surface.base(request))
            except EntraRefusal as refusal:
                told = entra.refused(refusal, request.headers.get("client-request-id", ""))
                return refusal.status, told, {"more": Particulars(f"AADSTS{refusal.code}")}
            return 200, told, {"tenant": tenant.tenant_id, "app": app.client_id}

    async def metadata(self, request: HttpRequest) -> Response:
        doors = self._doors
        with doors.commons.lock:
            try:
                told = doors.entra.metadata(request.path_params["tenant"], surface.base(request))
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
            return surface.Dropped()
        headers = {} if fault.retry_after is None else {"retry-after": fault.retry_after}
        told = {"error": code, "error_description": "The service is temporarily unavailable."}
        return self._json(fault.status, told, headers)

    def _json(self, status: int, told: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
        common = {
            "date": surface.date(self._doors),
            "cache-control": "no-store, no-cache",
            "pragma": "no-cache",
        }
        return surface.answer(status, told, common | (headers or {}), "application/json; charset=utf-8")
