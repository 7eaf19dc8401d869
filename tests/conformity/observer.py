"""
Watches every sandbox that a test serves in its own process, and holds each answer against the descriptions.

Installed once for the whole suite by ``tests/conftest.py``. An answer is examined before its last byte leaves, so that
whatever is wrong with it belongs to the test that asked.
"""

from collections import defaultdict
from collections.abc import MutableMapping
from contextvars import ContextVar
from functools import wraps
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.conformity.checks import Batch, Examiner, Exchange

from classbell.sandbox import routes
from classbell.sandbox.faults import Fault, Faults, RequestInfo

EXAMINER = Examiner()
FAILURES: list[str] = []

# Of the request under way: the effects of the faults that it met, by the id of a member of a batch.
_MET: ContextVar[MutableMapping[str, list[str]] | None] = ContextVar("met", default=None)


class Observed:
    """A served sandbox with an examiner in between."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; the sandbox's own surfaces are described elsewhere."""
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._app(scope, receive, send)
            return
        asked, content = bytearray(), bytearray()
        start: Message = {}
        begun = False
        met: MutableMapping[str, list[str]] = defaultdict(list)

        async def receiving() -> Message:
            message = await receive()
            if scope["path"].endswith("/$batch"):
                asked.extend(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            nonlocal start, begun
            if message["type"] == "http.response.start":
                start = message  # held back too: an answer without content would be over with it
                return
            content.extend(message.get("body", b""))
            if not message.get("more_body"):
                examine(scope, start, bytes(asked), bytes(content), met)
            if not begun:
                begun = True
                await send(start)
            await send(message)

        token = _MET.set(met)
        try:
            await self._app(scope, receiving, sending)
        finally:
            _MET.reset(token)


def examine(
    scope: Scope, start: Message, asked: bytes, content: bytes, met: MutableMapping[str, list[str]]
) -> None:
    """Look at one answer, and note what is wrong with it."""
    path = scope.get("raw_path", scope["path"].encode()).decode("ascii", "replace")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    query = scope["query_string"].decode("ascii", "replace")
    told: dict[str, Any] = {
        "method": scope["method"],
        "path": path,
        "query": query,
        "status": start["status"],
        "headers": headers,
        "content": content,
        "faults": met.get("envelope", []),
    }
    asked_kind = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
    try:
        if path.endswith("/$batch"):
            found = EXAMINER.failures(Batch(**told, asked=asked, asked_kind=asked_kind, by_part=met))
        else:
            found = EXAMINER.failures(Exchange(**told))
    except Exception as error:  # noqa: BLE001 - an examiner that fails must not pass for content
        found = [f"{scope['method']} {path} could not be examined: {error!r}"]
    FAILURES.extend(found)


def install() -> None:
    """Stand between every sandbox that is served from now on and its clients."""
    if getattr(routes.make_app, "observed", False):
        return
    make_app, pick = routes.make_app, Faults.pick

    @wraps(make_app)
    def observed(*args: Any, **options: Any) -> Any:
        return Observed(make_app(*args, **options))

    @wraps(pick)
    def picked(faults: Faults, info: RequestInfo) -> Fault | None:
        fault = pick(faults, info)
        met = _MET.get()
        if fault is not None and met is not None:
            met[info.part if info.kind == "member" else "envelope"].append(fault.what)
        return fault

    vars(observed)["observed"] = True
    routes.make_app = observed
    setattr(Faults, "pick", picked)  # noqa: B010 - a method in place of another


def taken_failures() -> list[str]:
    """What was found since the last time."""
    found = FAILURES[:]
    del FAILURES[: len(found)]
    return found
