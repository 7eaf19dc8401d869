"""
The sandbox's own surfaces below ``/_sandbox``: the administrative API, and pages to look at.

Microsoft 365 has nothing like them. They are for this computer only unless it is asked otherwise, and no web
page from elsewhere can make a browser use them. Both are built when they are first asked for, since a sandbox
that nobody looks at should start at once.
"""

import ipaddress
from functools import cached_property
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from classbell.sandbox.box import Sandbox

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Surfaces:
    """
    Guards both surfaces and hands requests on to them.

    Args:
        box: the sandbox.
        open_to_all: other computers may use them too.
    """

    def __init__(self, box: "Sandbox", *, open_to_all: bool) -> None:
        self._box = box
        self._open_to_all = open_to_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif _is_page(scope["path"].removeprefix(scope["root_path"])):
            await self._pages(scope, receive, send)
        else:
            await self._administration(scope, receive, send)

    @cached_property
    def _pages(self) -> ASGIApp:
        from classbell.sandbox.pages import make_pages  # noqa: PLC0415 - built when first asked for

        return make_pages(self._box)

    @cached_property
    def _api(self) -> ASGIApp:
        from classbell.sandbox.administration import make_api  # noqa: PLC0415 - FastAPI takes 0.25 s to import

        return make_api(self._box)

    async def _administration(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 500

        async def told(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await self._api(scope, receive, told)
        if scope["method"] not in _READING:
            self._box.history.add("administration", method=scope["method"], path=scope["path"], status=status)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        client = scope.get("client")
        if not self._open_to_all and not (client and _is_loopback(client[0])):
            return _refused("NotOnThisComputer", "The sandbox is administered from its own computer only.")
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if scope["method"] not in _READING and origin not in {None, f"https://{headers.get('host')}"}:
            return _refused("CrossOrigin", "A page from elsewhere may not administer the sandbox.")
        return None


def _is_page(path: str) -> bool:
    return path in {"", "/"} or path.startswith("/pages/")


def _is_loopback(host: str) -> bool:
    address = ipaddress.ip_address(host)
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _refused(code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, 403)
