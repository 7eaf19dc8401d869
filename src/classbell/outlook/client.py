"""
The client: batches sent, their answers read, for one institution.

It adds what belongs to an exchange as a whole: the token, one repetition after a 401, the service's time.
It decides nothing about a single event; ``answers`` says what an answer means and ``deliver`` what to do.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from classbell import headers
from classbell.errors import ClassbellError
from classbell.outlook.dialect import Answer, Dialect, Kind, Request, Seen
from classbell.ports import Clock, NoAnswer, Response, Transport

# Graph takes some 4 MB in one request; a quarter of that keeps one write from holding up the loop.
BATCH_BYTES = 1_000_000
# Twenty members, four at a time, of which the slowest have been seen to take half a minute.
TIMEOUT = 100.0
# How often we sign in anew to learn the time, where none of the answers was read in time to tell it.
_SIGN_INS = 3
PAGES = 1_000
_NO_MORE = "Microsoft takes no more for now"

_OK = 200
_UNAUTHORISED = 401
_FORBIDDEN = 403
_MALFORMED = frozenset({400, 413})


class TokenSource(Protocol):
    """Where access tokens come from."""

    async def token(self) -> str:
        """
        A token that is valid now.

        Raises:
            RefusedError: Microsoft refuses us one.
            TemporaryError: none is to be had at the moment.
        """
        ...

    def invalidate(self, token: str) -> None:
        """The service has refused this token: do not give it out again."""
        ...

    @property
    def ahead(self) -> float | None:
        """Seconds by which our clock is ahead of Microsoft's, as they signed us in; None if they did not say."""
        ...


class _Again(Enum):
    """How a batch is tried again of which nothing was carried out."""

    # Graph looks at the token before it looks at the batch. A good token is refused now and then as well
    # (authorisation errors page): one fresh one is worth a try.
    WITH_A_FRESH_TOKEN = auto()
    # It is refused as such, perhaps for the sake of one member. Halves find that one and let the others through.
    IN_HALVES = auto()


class OutlookClient:
    """
    Sends requests of one dialect in batches.

    Args:
        transport: the way to the service.
        tokens: access tokens for it.
        dialect: how requests and answers look.
        clock: our own time.
        base: base URL of the service without a slash at the end.
    """

    def __init__(
        self, transport: Transport, tokens: TokenSource, dialect: Dialect, clock: Clock, base: str
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self._dialect = dialect
        self._clock = clock
        self._base = base
        self._offset = 0.0
        self._knows_time = False
        self._learnt = self._learnt_at = 0.0

    def service_now(self) -> float:
        """
        The service's time: our clock and the offset learnt from the service's ``Date`` headers.

        It never goes back: a clock that is set back is outrun by the loop's, which is not; and where a computer has
        slept, and the loop's clock with it, ours has not.
        """
        since = asyncio.get_running_loop().time() - self._learnt_at
        return max(self._clock.now() + self._offset, self._learnt + since)

    async def learn_time(self) -> None:
        """
        Have ``service_now`` tell the service's time before anything was asked of it: signing in tells it as well.

        Raises:
            RefusedError: no token is to be had.
            TemporaryError: the same, for now.
        """
        for _ in range(_SIGN_INS):
            if self._knows_time:
                return
            token = await self._tokens.token()
            if self._tokens.ahead is not None and not self._knows_time:
                self._learn(self._clock.now() - self._tokens.ahead)
            elif not self._knows_time:
                self._tokens.invalidate(token)

    def _learn(self, service_time: float) -> None:
        self._offset, self._knows_time = service_time - self._clock.now(), True
        self._learnt, self._learnt_at = service_time, asyncio.get_running_loop().time()

    async def send(
        self,
        requests: Sequence[Request],
        send_until: float | None = None,
        barred: Callable[[int], bool] = lambda _place: False,
    ) -> list[Answer]:
        """
        Send requests as one batch (as several, one after the other, where they are very large).

        Args:
            requests: at most as many as the dialect's ``batch_size``.
            send_until: service time (``service_now``) after which nothing may leave any more; what did
                not leave has an answer with ``sent`` False.
            barred: whether the request at a place may not leave any more, asked before each batch but the first,
                also before one that is sent again under a fresh token.

        Returns:
            One answer for each request, in their order.

        Raises:
            RefusedError: no token is to be had; nothing was sent.
            TemporaryError: the same, for now.
        """
        answers: dict[int, Answer] = {}
        pending = list(_chunks(requests))[::-1]
        first = True
        renewed: range | None = None
        while pending:
            chunk = pending.pop()
            places = list(chunk) if first else self._in_peace(chunk, requests, answers, barred)
            if not places:
                continue
            first = False
            try:
                found = await self._exchanged(
                    [requests[place] for place in places], send_until, may_renew=chunk != renewed
                )
            except ClassbellError as error:
                if not answers:
                    raise
                # What was sent before has its answers, and they must not be lost.
                unsent = Answer(status=None, sent=False, message=error.what)
                return [answers.get(place, unsent) for place in range(len(requests))]
            if found is _Again.WITH_A_FRESH_TOKEN:
                renewed = chunk
                pending.append(chunk)
            elif found is _Again.IN_HALVES:
                middle = chunk.start + len(chunk) // 2
                pending += (range(middle, chunk.stop), range(chunk.start, middle))
            else:
                answers.update(zip(places, found, strict=True))
                if chunk != renewed and (unsaid := [p for p in places if _blames_the_token(answers[p])]):
                    # Nothing came of them: they go again, those of them that may.
                    renewed = chunk
                    pending.append(chunk)
                    for place in unsaid:
                        del answers[place]
        return [answers[place] for place in range(len(requests))]

    @staticmethod
    def _in_peace(
        chunk: range, requests: Sequence[Request], answers: dict[int, Answer], barred: Callable[[int], bool]
    ) -> list[int]:
        """Those of a further batch that may go now: not where one before it, or the mailbox in it, was refused."""
        asked = [(place, answer) for place, answer in answers.items() if answer.retry_after]
        refused = {_owner(requests[place]) for place, _ in asked}
        all_refused = any(answer.whole for _, answer in asked)
        going = []
        for place in chunk:
            if all_refused or barred(place) or _owner(requests[place]) in refused:
                answers[place] = Answer(status=None, sent=False, message=_NO_MORE)
            elif place not in answers:
                going.append(place)
        return going

    async def follow(self, next_link: str, kind: Kind = Kind.LOOK) -> Answer:
        """
        The next page of a look, or of a list of calendars.

        A link that leads anywhere but to the service itself is not followed: our token must not leave it.
        """
        if not self._is_ours(next_link):
            return Answer(status=None, message="the link to the next page leads elsewhere")
        token = await self._tokens.token()
        try:
            response = await self._request(
                "GET",
                next_link,
                headers={**self._dialect.headers, "Authorization": f"Bearer {token}"},
                timeout=TIMEOUT,
            )
        except NoAnswer as lost:
            return Answer(status=None, sent=lost.sent, message=lost.reason)
        if response.status == _UNAUTHORISED:
            self._tokens.invalidate(token)
        return self._dialect.decode_one(kind, response.status, response.body, self._seen(response))

    async def complete(
        self, first: Answer, kind: Kind = Kind.LOOK, barred: Callable[[], bool] = lambda: False
    ) -> Answer:
        """
        A look, or a list of calendars, with all its pages: *first* and what follows it.

        Pages go by position, so that a change meanwhile can repeat an element (paging page): each is given
        once. If one page fails, the whole look has failed and its answer is that page's. So it has if a page may not
        be asked for since something else was refused meanwhile, which *barred* is asked before each.
        """
        if not first.next_link or not _has_list(first, kind):
            return first
        events = {event.id: event for event in first.events or ()}
        calendars = {calendar.id: calendar for calendar in first.calendars or ()}
        followed: set[str] = set()
        page = first
        while page.next_link:
            if page.next_link in followed or len(followed) >= PAGES:
                return Answer(status=None, message="the pages of the list lead in a circle")
            if barred():
                return Answer(status=None, sent=False, message=_NO_MORE)
            followed.add(page.next_link)
            page = await self.follow(page.next_link, kind)
            if not _has_list(page, kind):
                return page
            events.update((event.id, event) for event in page.events or ())
            calendars.update((calendar.id, calendar) for calendar in page.calendars or ())
        # The time of the first page stays: what was committed after it may be missing.
        return msgspec.structs.replace(
            first,
            events=tuple(events.values()) if kind is Kind.LOOK else None,
            calendars=tuple(calendars.values()) if kind is Kind.CALENDARS else None,
            next_link="",
        )

    async def _exchanged(
        self, requests: Sequence[Request], send_until: float | None, *, may_renew: bool
    ) -> "list[Answer] | _Again":
        """The answers to one batch, or how it may fare better, having been refused as such."""
        token = await self._tokens.token()
        try:
            response = await self._exchange(self._dialect.encode(requests), send_until, token)
        except NoAnswer as lost:
            return [Answer(status=None, sent=lost.sent, message=lost.reason)] * len(requests)
        seen = self._seen(response)
        if response.status == _OK:
            answers = self._dialect.decode(requests, response.body, seen)
            blamed = may_renew and any(map(_blames_the_token, answers))
            if blamed or any(answer.status == _UNAUTHORISED for answer in answers):
                self._tokens.invalidate(token)
            return answers
        refusal = self._dialect.decode_refusal(response.status, response.body, seen)
        blamed = may_renew and _blames_the_token(refusal)
        if blamed or response.status == _UNAUTHORISED:
            self._tokens.invalidate(token)
            if may_renew:
                return _Again.WITH_A_FRESH_TOKEN
        if response.status in _MALFORMED and len(requests) > 1:
            return _Again.IN_HALVES
        return [refusal] * len(requests)

    async def _exchange(self, body: bytes, send_until: float | None, token: str) -> Response:
        return await self._request(
            "POST",
            self._base + self._dialect.batch_path,
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Accept": "application/json",
                **self._dialect.batch_headers,
            },
            body=body,
            send_until=None if send_until is None else self._clock.now() + send_until - self.service_now(),
            timeout=TIMEOUT,
        )

    async def _request(self, method: str, url: str, **more: Any) -> Response:
        """One exchange, from which the service's time is learnt; see ``Transport``."""
        began, loop = self._clock.now(), asyncio.get_running_loop()
        began_by_loop = loop.time()
        response = await self._transport.request(method, url, **more)
        service_time = _told_time(response)
        # Whoever was stopped before reading an answer would take the time of before for that of now.
        took = max(self._clock.now() - began, loop.time() - began_by_loop)
        if service_time and took <= headers.TELLS_TIME_WITHIN:
            self._learn(service_time)
        return response

    def _seen(self, response: Response) -> Seen:
        return Seen(
            request_id=response.headers.get("request-id", ""),
            service_time=_told_time(response),
            retry_after=headers.retry_after(response.headers),
            diagnostics=response.headers.get("x-ms-diagnostics", ""),
        )

    def _is_ours(self, link: str) -> bool:
        base, there = urlsplit(self._base), urlsplit(link)
        return (
            there.scheme == base.scheme
            and there.netloc.lower() == base.netloc.lower()
            and there.path.startswith(f"{base.path}{self._dialect.root}/")
        )


def _told_time(response: Response) -> float:
    """The service's time by its answer; 0.0 if it does not say."""
    # The page of a gateway carries the gateway's time, not the service's.
    genuine = response.status == _OK or "request-id" in response.headers
    return headers.date(response.headers) if genuine else 0.0


def _blames_the_token(answer: Answer) -> bool:
    """
    Whether a 403 may mean the token and not the mailbox, which it would do with a code.

    "Invalid S2S auth token" comes as a mere text, now and then, shortly before a good token expires.
    """
    return answer.status == _FORBIDDEN and not answer.code


def _has_list(answer: Answer, kind: Kind) -> bool:
    found = answer.events if kind is Kind.LOOK else answer.calendars
    return answer.status == _OK and found is not None


def _owner(request: Request) -> str:
    """Whose mailbox a request names."""
    return "/".join(request.path.split("/", 3)[:3])


def _chunks(requests: Sequence[Request]) -> Iterator[range]:
    """The places of *requests* in runs that are no larger than one write should be."""
    begin = size = 0
    for place, request in enumerate(requests):
        if size and size + len(request.body) > BATCH_BYTES:
            yield range(begin, place)
            begin, size = place, 0
        size += len(request.body)
    if begin < len(requests):
        yield range(begin, len(requests))
