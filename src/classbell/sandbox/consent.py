"""
Admin consent: the page on which an administrator grants what an application's registration asks for.

Nobody signs in here: whoever opens the page counts as the administrator.

Source: Entra page "Admin consent on the Microsoft identity platform".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from markupsafe import Markup
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from classbell.sandbox import aadsts, surface
from classbell.sandbox.aadsts import EntraRefusal
from classbell.sandbox.app import App
from classbell.sandbox.history import Particulars
from classbell.sandbox.server import Doors
from classbell.sandbox.tenant import GRAPH, Tenant

_DEFAULT = "/.default"
_HTML = "text/html; charset=utf-8"
_PAGE = Markup("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 2rem auto; padding: 0 1rem }}
button {{ font: inherit; padding: .5rem 1.5rem; margin-right: .5rem }}
.notice {{ border-left: .3rem solid #b45309; padding-left: .7rem }}
</style>
</head>
<body>
<p class="notice">This is a sandbox, not Microsoft 365. Nobody has to sign in.</p>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
""")
_QUESTION = Markup("""<p>The application <strong>{name}</strong> ({client_id}) asks for these permissions in all of
<strong>{domain}</strong>:</p>
<ul>
{permissions}
</ul>
<form method="post">
<button name="decision" value="accept">Accept</button>
<button name="decision" value="cancel">Cancel</button>
</form>""")


@dataclass(frozen=True)
class _Wish:
    """A request for consent that has been found in order."""

    tenant: Tenant
    app: App
    redirect_uri: str
    state: str
    legacy: bool


class Consent:
    """The consent pages of one sandbox."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def routes(self) -> list[Route]:
        """Its paths."""
        methods = ["GET", "POST"]
        return [
            Route("/{tenant}/adminconsent", self.legacy, methods=methods),
            Route("/{tenant}/v2.0/adminconsent", self.current, methods=methods),
        ]

    async def legacy(self, request: HttpRequest) -> Response:
        """The v1 page: grants what the registration asks for."""
        return await self._answer(request, legacy=True)

    async def current(self, request: HttpRequest) -> Response:
        """The v2.0 page: the same with ``scope={resource}/.default``; single scopes are for delegated permissions."""
        return await self._answer(request, legacy=False)

    async def _answer(self, request: HttpRequest, *, legacy: bool) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        with self._doors.commons.lock:
            try:
                wish = self._wish(request.path_params["tenant"], request, legacy=legacy)
            except EntraRefusal as refusal:
                return self._refused(request, refusal)
            if request.method == "GET":
                return self._page(request, wish, 200, "Permissions requested", _question(wish))
            if form.get("decision") == "accept":
                wish.app.consent()
                return self._sent_on(request, wish, _granted(wish))
            return self._sent_on(request, wish, self._denied(wish))

    def _wish(self, name: str, request: HttpRequest, *, legacy: bool) -> _Wish:
        asked, entra = request.query_params, self._doors.entra
        client_id = asked.get("client_id", "")
        if not client_id:
            raise aadsts.parameter_missing("client_id")
        tenant = entra.home(name, client_id)
        app = tenant.apps.get(client_id.casefold())
        if app is None:
            raise aadsts.app_not_found(client_id, name)
        redirect_uri = asked.get("redirect_uri", "")
        if redirect_uri not in app.redirect_uris and (redirect_uri or not legacy):
            raise aadsts.redirect_not_registered(redirect_uri, app.client_id)
        scope = asked.get("scope", "")
        if not legacy and scope not in {GRAPH + _DEFAULT, surface.base(request) + _DEFAULT}:
            raise aadsts.scope_not_default(scope) if scope else aadsts.parameter_missing("scope")
        return _Wish(tenant, app, redirect_uri, asked.get("state", ""), legacy)

    def _denied(self, wish: _Wish) -> dict[str, str]:
        if wish.legacy:
            return {"error": "permission_denied", "error_description": "The admin canceled the request"}
        refusal = aadsts.consent_denied()
        told = self._doors.entra.refused(refusal, "")
        return {
            "admin_consent": "True",
            "error": refusal.error,
            "error_description": told["error_description"],
        }

    def _sent_on(self, request: HttpRequest, wish: _Wish, result: Mapping[str, str]) -> Response:
        """To the application's own page where it has named one."""
        if not wish.redirect_uri:
            title = "Not granted" if "error" in result else "Granted"
            return self._page(request, wish, 200, title, Markup("<p>You can close this page.</p>"))
        told = {**result, **({"state": wish.state} if wish.state else {})}
        self._record(request, 302, wish, result.get("error", ""))
        headers = {"location": _with(wish.redirect_uri, told), "cache-control": "no-store"}
        return surface.answer(302, None, headers)

    def _refused(self, request: HttpRequest, refusal: EntraRefusal) -> Response:
        told = self._doors.entra.refused(refusal, request.headers.get("client-request-id", ""))
        content = Markup("<p>{}</p>").format(told["error_description"])
        return self._page(
            request, None, refusal.status, "Sign in: we cannot go on", content, f"AADSTS{refusal.code}"
        )

    def _page(
        self,
        request: HttpRequest,
        wish: _Wish | None,
        status: int,
        title: str,
        content: Markup,
        code: str = "",
    ) -> Response:
        self._record(request, status, wish, code)
        headers = {
            "date": surface.date(self._doors),
            "cache-control": "no-store",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        }
        return surface.answer(status, str(_PAGE.format(title=title, content=content)), headers, _HTML)

    def _record(self, request: HttpRequest, status: int, wish: _Wish | None, code: str) -> None:
        self._doors.commons.history.add(
            "refusal" if code else "request",
            tenant=wish.tenant.tenant_id if wish else "",
            app=wish.app.client_id if wish else "",
            method=request.method,
            path=request.url.path,
            status=status,
            more=Particulars(code) if code else None,
        )


def _question(wish: _Wish) -> Markup:
    asked = wish.app.required
    items = Markup("\n").join(Markup("<li>{}</li>").format(name) for name in sorted(asked))
    return _QUESTION.format(
        name=wish.app.name,
        client_id=wish.app.client_id,
        domain=wish.tenant.domain,
        permissions=items or Markup("<li>none: its registration asks for nothing</li>"),
    )


def _granted(wish: _Wish) -> dict[str, str]:
    told = {"admin_consent": "True", "tenant": wish.tenant.tenant_id}
    return told if wish.legacy else told | {"scope": GRAPH + _DEFAULT}


def _with(uri: str, told: Mapping[str, str]) -> str:
    parts = urlsplit(uri)
    query = "&".join(filter(None, (parts.query, urlencode(told))))
    return urlunsplit(parts._replace(query=query))
