"""
HTTP of the Entra half: token endpoints, metadata, keys, instance discovery.

Source: Entra pages "OAuth 2.0 client credentials flow" and "OpenID Connect on the Microsoft identity platform".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from classbell.sandbox import aadsts, discovery, surface
from classbell.sandbox.aadsts import EntraRefusal
from classbell.sandbox.faults import Fault, RequestInfo
from classbell.sandbox.gateway import PAGE
from classbell.sandbox.history import Particulars
from classbell.sandbox.server import Doors

# What a fault's code says for a line of plain text instead of JSON.
PLAIN = "text"

_TENANT_NOT_FOUND = 90002
_JSON = "application/json; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class _Told:
    """
    An answer: JSON values or text, or with status 0 none at all.

    ``code`` is for the history, ``spoilt`` what a fault does to the answer on its way.
    """

    status: int
    body: Any
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    spoilt: str = ""


class Login:
    """The Entra half of one sandbox, as far as programs talk to it."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._entra = doors.entra

    def routes(self) -> list[Route]:
        """Its paths."""
        return [
            Route("/{tenant}/oauth2/v2.0/token", self.token, methods=["POST"]),
            Route("/{tenant}/oauth2/token", self.token_v1, methods=["POST"]),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", self.metadata),
            Route("/{tenant}/.well-known/openid-configuration", self.metadata_v1),
            Route("/{tenant}/discovery/v2.0/keys", self.keys),
            Route("/{tenant}/discovery/keys", self.keys),
            Route("/{tenant}/discovery/instance", self.instance),
        ]

    async def token(self, request: HttpRequest) -> Response:
        """The v2.0 token endpoint."""
        return await self._token(request, legacy=False)

    async def token_v1(self, request: HttpRequest) -> Response:
        """The v1 token endpoint."""
        return await self._token(request, legacy=True)

    async def metadata(self, request: HttpRequest) -> Response:
        """The metadata of the v2.0 endpoints."""
        return await self._metadata(request, legacy=False)

    async def metadata_v1(self, request: HttpRequest) -> Response:
        """The metadata of the v1 endpoints."""
        return await self._metadata(request, legacy=True)

    async def keys(self, request: HttpRequest) -> Response:
        """The public keys of access tokens."""
        return await self._discovered(request, self._doors.tokens.jwks)

    async def instance(self, request: HttpRequest) -> Response:
        """Instance discovery."""
        query = dict(request.query_params)
        return await self._discovered(request, lambda: discovery.instance(query, surface.base(request)))

    async def _token(self, request: HttpRequest, *, legacy: bool) -> Response:
        name = request.path_params["tenant"]
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        return await self._answer(
            request,
            lambda: self._entra.token(name, form, surface.base(request), legacy=legacy),
            RequestInfo(
                "token", "POST", request.url.path, name, form.get("client_id", ""), mailbox="", body=form
            ),
        )

    async def _metadata(self, request: HttpRequest, *, legacy: bool) -> Response:
        name = request.path_params["tenant"]

        def look_up() -> dict[str, Any]:
            try:
                return self._entra.metadata(name, surface.base(request), legacy=legacy)
            except EntraRefusal as refusal:
                if refusal.code == _TENANT_NOT_FOUND:
                    refusal.error = "invalid_tenant"
                raise

        return await self._discovered(request, look_up)

    async def _discovered(self, request: HttpRequest, work: Callable[[], dict[str, Any]]) -> Response:
        name = request.path_params["tenant"]
        info = RequestInfo("discovery", "GET", request.url.path, name, app="", mailbox="", body=None)
        return await self._answer(request, work, info)

    async def _answer(
        self, request: HttpRequest, work: Callable[[], dict[str, Any]], info: RequestInfo
    ) -> Response:
        fault = self._doors.faults.pick(info) if self._doors.faults else None
        await self._doors.gateway.pause()
        # Nothing is changed by these requests, so late and twice are no different from before and after.
        if fault is None:
            told = self._outcome(request, work)
        elif fault.what in {"cut", "empty", "doubled"}:
            told = replace(self._outcome(request, work), spoilt=fault.what)
        else:
            told = self._spoilt(request, fault)
        return self._finished(request, told, info.app)

    def _outcome(self, request: HttpRequest, work: Callable[[], dict[str, Any]]) -> _Told:
        with self._doors.commons.lock:
            try:
                return _Told(200, work())
            except EntraRefusal as refusal:
                return self._refused(request, refusal)

    def _refused(self, request: HttpRequest, refusal: EntraRefusal) -> _Told:
        headers = {} if refusal.retry_after is None else {"retry-after": refusal.retry_after}
        code = f"AADSTS{refusal.code}"
        plain = refusal.retry_after and self._doors.commons.switches.sign_in_throttle_body == "text"
        if plain:
            return _Told(refusal.status, _phrase(refusal.status), code, headers)
        told = self._entra.refused(refusal, request.headers.get("client-request-id", ""))
        return _Told(refusal.status, told, code, headers)

    def _spoilt(self, request: HttpRequest, fault: Fault) -> _Told:
        """The answer that a fault gives in place of another one."""
        headers = {} if fault.retry_after is None else {"retry-after": fault.retry_after}
        if fault.what in {"drop", "missing"}:
            return _Told(0, None, "dropped", headers)
        if fault.what == "html":
            return _Told(fault.status, PAGE, "html", headers)
        if fault.code == PLAIN:
            return _Told(fault.status, _phrase(fault.status), PLAIN, headers)
        refusal = aadsts.passing(fault.code, fault.status)
        if refusal is not None:
            told = self._entra.refused(refusal, request.headers.get("client-request-id", ""))
            return _Told(fault.status, told, fault.code, headers)
        code = "temporarily_unavailable"
        return _Told(
            fault.status,
            {"error": code, "error_description": "The service is temporarily unavailable."},
            code,
            headers,
        )

    def _finished(self, request: HttpRequest, told: _Told, client_id: str = "") -> Response:
        """Record what became of a request, and answer it."""
        tenant = self._entra.known(request.path_params["tenant"])
        app = tenant.apps.get(client_id.casefold()) if tenant else None
        code = told.code or told.spoilt
        self._doors.commons.history.add(
            "refusal" if told.code else "request",
            tenant=tenant.tenant_id if tenant else "",
            app=app.client_id if app else "",
            method=request.method,
            path=request.url.path,
            status=told.status,
            more=Particulars(code, told.headers.get("retry-after", "")) if code else None,
        )
        if not told.status:
            return surface.Dropped()
        common = {
            "date": surface.date(self._doors),
            "cache-control": "no-store, no-cache",
            "pragma": "no-cache",
        }
        kind = _JSON if not isinstance(told.body, str) else _HTML if told.body is PAGE else _TEXT
        answer = surface.answer(told.status, told.body, common | dict(told.headers), kind)
        return surface.spoilt(answer, told.spoilt)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return str(status)
