"""
Pages to look into the sandbox with: mailboxes, a mailbox's week, the history, the limits in use.

They are rendered here and need no script and nothing from elsewhere. They show; nothing can be changed on them.
"""

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from classbell.sandbox.pages import mailboxes, pressure, records, week, words

if TYPE_CHECKING:
    from classbell.sandbox.box import Sandbox

_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}


def make_pages(box: "Sandbox") -> Starlette:
    """The application, to be mounted where it is to be reached."""
    pages = _Pages(box)
    return Starlette(
        routes=[
            Route("/", pages.mailboxes),
            Route("/pages/style.css", pages.style),
            Route("/pages/mailboxes/{tenant}/{mailbox}", pages.mailbox),
            Route("/pages/history", pages.history),
            Route("/pages/limits", pages.limits),
        ],
        exception_handlers={HTTPException: pages.missing},
    )


class _Pages:
    def __init__(self, box: "Sandbox") -> None:
        self._box = box
        environment = Environment(
            loader=PackageLoader("classbell.sandbox.pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"moment": words.moment, "brief": words.brief, "stamp": words.stamp}
        environment.filters |= {"number": words.number, "size": words.size}
        self._templates = environment

    async def mailboxes(self, request: Request) -> Response:
        return self._page(request, "mailboxes.html", mailboxes.shown(self._box, request.query_params))

    async def mailbox(self, request: Request) -> Response:
        tenant = next((t for t in self._box.tenants if t.is_called(request.path_params["tenant"])), None)
        mailbox = tenant.find(request.path_params["mailbox"]) if tenant else None
        if tenant is None or mailbox is None:
            raise HTTPException(404, "There is no such mailbox in the sandbox.")
        shown = week.shown(self._box, tenant, mailbox, request.query_params)
        return self._page(request, "mailbox.html", shown)

    async def history(self, request: Request) -> Response:
        return self._page(request, "history.html", records.shown(self._box, request.query_params))

    async def limits(self, request: Request) -> Response:
        return self._page(request, "limits.html", pressure.shown(self._box))

    async def style(self, request: Request) -> Response:
        del request
        text = self._templates.get_template("style.css").render(rows=week.ROWS)
        return Response(text, media_type="text/css", headers=_HEADERS)

    async def missing(self, request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        return self._page(request, "missing.html", {"why": error.detail}, error.status_code)

    def _page(self, request: Request, name: str, shown: dict[str, Any], status: int = 200) -> Response:
        common = {"home": request.scope["root_path"], "now": self._box.clock.now(), "here": name}
        text = self._templates.get_template(name).render(**common, **shown)
        return HTMLResponse(text, status, headers=_HEADERS)
