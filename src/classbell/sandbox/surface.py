"""
HTTP as all faces of the sandbox share it: a request read, an answer written, a connection ended.

Which path belongs to which face is in ``routes``.
"""

from email.utils import formatdate
from typing import Any

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from classbell.sandbox.exchange import ABSENT, Request
from classbell.sandbox.refusals import Refusal, bad_request
from classbell.sandbox.server import Doors

LARGEST_BODY = 4_000_000
UNREADABLE = (
    "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON "
    "format."
)

_JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_encode = msgspec.json.Encoder().encode


class Dropped(Response):
    """Ends the connection without an answer."""

    def __init__(self) -> None:
        super().__init__()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Drop the connection, and wait until the server has noticed."""
        del send
        scope["extensions"]["sandbox.drop"]["drop"]()
        while (await receive())["type"] != "http.disconnect":
            pass


class Cut(Response):
    """Announces the whole answer, and ends the connection after half of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the half, and wait until the server has noticed the end."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = self.body[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        scope["extensions"]["sandbox.drop"]["end"]()
        while (await receive())["type"] != "http.disconnect":
            pass


def spoilt(response: Response, what: str) -> Response:
    """The answer as a fault lets it arrive: ``cut``, ``empty``, or as it is."""
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    if what == "cut":
        return Cut(response.body, response.status_code, headers)
    if what == "empty":
        return Response(b"", response.status_code, headers)
    return response


def answer(status: int, body: Any, headers: dict[str, str], kind: str = _JSON) -> Response:
    """An answer: JSON values, text as it is, or nothing where *body* is None."""
    content = b"" if body is None else body.encode() if isinstance(body, str) else _encode(body)
    if content:
        headers = {"content-type": kind} | headers
    return Response(content, status, headers)


def date(doors: Doors) -> str:
    """The content of a ``Date`` header, by the sandbox's clock."""
    return formatdate(doors.commons.clock.now(), usegmt=True)


def base(request: HttpRequest) -> str:
    """Scheme and host as they were asked."""
    return f"https://{request.headers.get('host', 'localhost')}"


def decoded(content: bytes, message: str = UNREADABLE) -> Any:
    """
    The JSON values of a body.

    Raises:
        Refusal: 400 with *message*, it is no JSON.
    """
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad_request(message) from None


async def content(request: HttpRequest) -> bytes:
    """
    The whole body of a request.

    Raises:
        Refusal: 413, it is too large.
    """
    read = await request.body()
    if len(read) > LARGEST_BODY:
        raise Refusal(
            413,
            "RequestEntityTooLarge",
            "The page was not displayed because the request entity is too large.",
        )
    return read


async def asked(request: HttpRequest, root: str) -> Request:
    """
    A request as the halves hand it on; its path is relative to *root*, such as ``v1.0``.

    Raises:
        Refusal: its body is too large or no JSON.
    """
    read = await content(request)
    if read and not request.headers.get("content-type", "").casefold().startswith("application/json"):
        raise bad_request(UNREADABLE)
    headers = dict(request.headers)
    preferences = request.headers.getlist("prefer")
    if preferences:
        headers["prefer"] = ", ".join(preferences)
    return Request(
        method=request.method,
        path=request.scope["raw_path"].decode("ascii", "replace").removeprefix(f"/{root}/"),
        query=request.scope["query_string"].decode("ascii", "replace"),
        headers=headers,
        body=decoded(read) if read else ABSENT,
        size=len(read),
        base=base(request),
    )
