"""
Fetching feeds: over HTTP or from files, each answer checked to be a whole one.

What goes wrong with one feed is a value, since the others may still be good; ``ics`` decides what the
failures mean for the source.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

from classbell.ports import NoAnswer, Ports, Response
from classbell.sources.addresses import is_url, normal_url, refusal, shown
from classbell.zones import utc_text

_IN_FLIGHT: Final = 8
_TIMEOUT: Final = 60.0
_MOST_REDIRECTS: Final = 5
_LONGEST_WAIT: Final = 15.0
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_HEADERS: Final = {"accept": "text/calendar, text/plain;q=0.5, */*;q=0.1"}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """
    Why one feed could not be read.

    ``cause`` is equal for equal causes and names no feed, so that faults can be counted by it; ``passing``
    where waiting may help.
    """

    code: str
    cause: str
    passing: bool


class Fetcher:
    """
    Fetches the feeds of one source, a few at a time.

    Args:
        base: the folder that relative paths start from.
        allow_private: whether addresses of private networks may be asked.
        most: bytes that one feed may have.
        oldest: what was made before this instant is refused, where it is known; None for any.
    """

    def __init__(
        self, ports: Ports, *, base: Path, allow_private: bool, most: int, oldest: float | None = None
    ) -> None:
        self._ports = ports
        self._base = base
        self._allow_private = allow_private
        self._most = most
        self._oldest = oldest
        self._turns = asyncio.Semaphore(_IN_FLIGHT)

    async def fetch_all(self, places: Sequence[str]) -> list[bytes | Fault]:
        """The content of each place, or what went wrong with it, in their order."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._fetch(place)) for place in places]
        return [task.result() for task in tasks]

    async def _fetch(self, place: str) -> bytes | Fault:
        if not is_url(place):
            return self._checked(self._read_file(place))
        async with self._turns:
            url = normal_url(place)
            answer = await self._exchange(url)
            if isinstance(answer, Fault) and answer.passing:
                # One more try: of many feeds some fail now and then for no lasting reason.
                await self._ports.clock.sleep(1 + self._ports.ids.random())
                answer = await self._exchange(url)
        return self._checked(answer)

    def _checked(self, content: bytes | Fault) -> bytes | Fault:
        if isinstance(content, bytes) and len(content) > self._most:
            return Fault(
                code="E-SRC-BIG",
                cause=f"is larger than limits.bytes allows ({self._most:,} bytes)",
                passing=False,
            )
        return content

    def _stale(self, made: float | None) -> Fault | None:
        if self._oldest is None or made is None or made >= self._oldest:
            return None
        cause = f"is older than max_age allows: it was made {utc_text(made)}"
        return Fault(code="E-SRC-STALE", cause=cause, passing=False)

    def _read_file(self, place: str) -> bytes | Fault:
        try:
            path = self._base / place
            return self._stale(self._ports.files.modified(path)) or self._ports.files.read(path)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return Fault(code="E-SRC-FILE", cause=f"cannot be read: {reason}", passing=False)

    async def _exchange(self, url: str) -> bytes | Fault:
        for _ in range(_MOST_REDIRECTS + 1):
            why_not = refusal(url, allow_private=self._allow_private)
            if why_not is not None:
                return Fault(code="E-SRC-ADDRESS", cause=f"is not asked: {why_not}", passing=False)
            try:
                response = await self._ports.transport.request("GET", url, headers=_HEADERS, timeout=_TIMEOUT)
            except NoAnswer as no_answer:
                reason = _without_secrets(no_answer.reason, url)
                return Fault(code="E-SRC-FETCH", cause=f"gave no answer: {reason}", passing=True)
            if response.status not in _REDIRECTS:
                return self._stale(_modified(response)) or _content(response)
            target = urljoin(url, response.headers.get("location", ""))
            why_not = redirect_refusal(url, target)
            if why_not is not None:
                return Fault(code="E-SRC-ADDRESS", cause=f"is not asked: {why_not}", passing=False)
            url = target
        return Fault(code="E-SRC-HTTP", cause="was redirected too often", passing=False)


def redirect_refusal(url: str, target: str) -> str | None:
    """Why a redirect is not followed, or None: what was secret in an address must stay encrypted."""
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
        return "its server sends on to an address without encryption"
    return None


def _modified(response: Response) -> float | None:
    """When the server says that the feed was made."""
    try:
        made = parsedate_to_datetime(response.headers.get("last-modified", ""))
    except ValueError:
        return None
    return made.timestamp() if made.tzinfo is not None else None


def _content(response: Response) -> bytes | Fault:
    status = response.status
    if status == 204:  # noqa: PLR2004 -- No Content
        return b""
    if status != 200:  # noqa: PLR2004 -- OK
        return Fault(code="E-SRC-HTTP", cause=f"answered {_status_text(status)}", passing=status in _PASSING)
    length = response.headers.get("content-length", "")
    if "content-encoding" not in response.headers and length.isdigit() and int(length) > len(response.body):
        cause = "was cut off: fewer bytes came than its server announced"
        return Fault(code="E-SRC-CUT", cause=cause, passing=False)
    return response.body


def _status_text(status: int) -> str:
    known = {
        401: "401: it wants a sign-in",
        403: "403: access is refused",
        404: "404: there is nothing at this address",
        410: "410: it was taken away for good",
        429: "429: it was asked too often",
        500: "500: its server failed",
        502: "502: its server failed",
        503: "503: its server is busy or down",
        504: "504: its server is busy or down",
    }
    return known.get(status, str(status))


def _without_secrets(reason: str, url: str) -> str:
    """A reason in which the address, should it occur, stands as it may be shown."""
    query = urlsplit(url).query
    reason = reason.replace(url, shown(url))
    return reason.replace(query, "…") if query else reason
