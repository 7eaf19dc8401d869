"""
The limits of Outlook per application and mailbox.

Source: Graph page "Microsoft Graph service-specific throttling limits", Outlook: four requests at a time,
10,000 requests in ten minutes, 150 MB of upload in five minutes. What is refused counts as well.
"""

import heapq
import math
from dataclasses import dataclass, field
from random import Random

from classbell.sandbox.refusals import throttled, throttled_tenant
from classbell.sandbox.switches import Switches

IN_FLIGHT = 4
# Measured at one mailbox: none refused with four in flight, about 13 % with five.
SOFT_SHARE = 0.13
REQUESTS = 10_000
REQUESTS_SPAN = 600
UPLOAD = 150_000_000
UPLOAD_SPAN = 300
TENANT_SPAN = 10
_BUCKET = 10  # seconds; the windows slide in steps of this


@dataclass(slots=True, kw_only=True)
class Allowance:
    """
    What one application may do at one mailbox; the defaults are those of the service.

    Attributes:
        in_flight: requests at a time.
        requests: in ten minutes.
        upload: bytes in five minutes.
    """

    in_flight: int = IN_FLIGHT
    requests: int = REQUESTS
    upload: int = UPLOAD


@dataclass(frozen=True, slots=True)
class InUse:
    """How much of its limits an application uses at one mailbox; *fence* is the wait in seconds, 0 for none."""

    app: str
    mailbox: str
    in_flight: int
    peak: int
    requests: int
    upload: int
    fence: int


@dataclass(slots=True)
class _Use:
    in_flight: int = 0
    peak: int = 0
    # Rows of [bucket, requests, bytes], oldest first; a list, since an empty deque alone takes 600 bytes.
    buckets: list[list[int]] = field(default_factory=list)

    def count(self, now: float, size: int) -> None:
        bucket = int(now // _BUCKET)
        if self.buckets and self.buckets[-1][0] > bucket:
            self.buckets.clear()  # the clock was set back
        if not self.buckets or self.buckets[-1][0] != bucket:
            self.buckets.append([bucket, 0, 0])
            while self.buckets[0][0] <= bucket - REQUESTS_SPAN // _BUCKET:
                del self.buckets[0]
        self.buckets[-1][1] += 1
        self.buckets[-1][2] += size

    def wait(self, now: float, allowed: Allowance) -> int:
        """Seconds until the oldest part leaves the window that is full; 0 if none is."""
        requests = sum(row[1] for row in self.buckets)
        if requests > allowed.requests:
            return self._until(self.buckets[0][0], REQUESTS_SPAN, now)
        first = int(now // _BUCKET) - UPLOAD_SPAN // _BUCKET
        recent = [row for row in self.buckets if row[0] > first]
        if sum(row[2] for row in recent) > allowed.upload:
            return self._until(recent[0][0], UPLOAD_SPAN, now)
        return 0

    def left(self, now: float, allowed: Allowance) -> tuple[int, int]:
        """Requests left in the window, and seconds until its oldest part leaves it."""
        first = int(now // _BUCKET) - REQUESTS_SPAN // _BUCKET
        recent = [row for row in self.buckets if row[0] > first]
        oldest = recent[0][0] if recent else int(now // _BUCKET)
        return max(0, allowed.requests - sum(row[1] for row in recent)), self._until(
            oldest, REQUESTS_SPAN, now
        )

    def used(self, now: float) -> tuple[int, int]:
        """Requests and bytes of upload in their windows."""
        bucket = int(now // _BUCKET)
        requests = sum(row[1] for row in self.buckets if row[0] > bucket - REQUESTS_SPAN // _BUCKET)
        return requests, sum(row[2] for row in self.buckets if row[0] > bucket - UPLOAD_SPAN // _BUCKET)

    @staticmethod
    def _until(bucket: int, span: int, now: float) -> int:
        return max(1, round(bucket * _BUCKET + span + _BUCKET - now))


class Limits:
    """
    Who has how much in flight and behind them; keys are (client id, mailbox id).

    Attributes:
        allowed: the limits, which may be changed at any time.
    """

    def __init__(self, random: Random, switches: Switches | None = None) -> None:
        self.allowed = Allowance()
        self._random = random
        self._switches = switches or Switches()
        self._uses: dict[tuple[str, str], _Use] = {}
        # Of one application and tenant: rows of [second, requests], oldest first.
        self._tenants: dict[tuple[str, str], list[list[int]]] = {}
        self._throttled: dict[str, float] = {}
        # When those that are answered, and still count, cease to.
        self._held: dict[tuple[str, str], list[float]] = {}
        self.in_flight = 0

    def throttle(self, tenant_id: str, until: float) -> None:
        """Refuse every request to a tenant until a time."""
        self._throttled[tenant_id] = until

    def enter_tenant(self, client_id: str, tenant_id: str, now: float) -> None:
        """
        Admit a request to a tenant, whatever its mailbox.

        Raises:
            Refusal: 429, the tenant is throttled, or the application asks it too often.
        """
        wait = self._throttled.get(tenant_id, now) - now
        if wait > 0:
            raise throttled_tenant(math.ceil(wait))
        if self._switches.tenant_requests == math.inf:
            return
        rows = self._tenants.setdefault((client_id, tenant_id), [])
        second = int(now)
        if rows and rows[-1][0] > second:
            rows.clear()  # the clock was set back
        if not rows or rows[-1][0] != second:
            rows.append([second, 0])
            while rows[0][0] <= second - TENANT_SPAN:
                del rows[0]
        rows[-1][1] += 1
        if sum(row[1] for row in rows) > self._switches.tenant_requests:
            raise throttled_tenant(max(1, math.ceil(rows[0][0] + TENANT_SPAN - now)))

    def enter(self, key: tuple[str, str], now: float, size: int, *, capped: bool = True) -> None:
        """
        Admit a request, which must ``leave`` when it is done.

        Args:
            key: whose it is.
            now: the sandbox's time.
            size: bytes of its body.
            capped: whether the limit of requests in flight holds.

        Raises:
            Refusal: 429, one limit is exceeded.
        """
        use = self._uses.get(key)
        if use is None:
            use = self._uses[key] = _Use()
        self._let_go(key, now)
        use.count(now, size)
        use.peak = max(use.peak, use.in_flight + 1)
        if capped and self._is_crowded(use):
            raise throttled("Application is over its MailboxConcurrency limit.", self._random.randint(1, 10))
        wait = use.wait(now, self.allowed)
        if wait:
            raise throttled("Application is over its request limit for this mailbox.", wait)
        use.in_flight += 1
        self.in_flight += 1

    def leave(self, key: tuple[str, str], until: float = -math.inf) -> None:
        """A request is done; it still counts for its mailbox until that time of the sandbox's clock."""
        if until == -math.inf:
            self._uses[key].in_flight -= 1
        else:
            self._held.setdefault(key, []).append(until)
        self.in_flight -= 1

    def _let_go(self, key: tuple[str, str], now: float) -> None:
        held = self._held.pop(key, [])
        still = [until for until in held if until > now]
        self._uses[key].in_flight -= len(held) - len(still)
        if still:
            self._held[key] = still

    def left(self, key: tuple[str, str], now: float) -> tuple[int, int]:
        """How many requests of the ten minutes are left, and in how many seconds the window slides on."""
        use = self._uses.get(key)
        return (self.allowed.requests, REQUESTS_SPAN) if use is None else use.left(now, self.allowed)

    def _is_crowded(self, use: _Use) -> bool:
        above = use.in_flight + 1 - self.allowed.in_flight
        if above <= 0 or self._switches.mailbox_concurrency == "hard":
            return above > 0
        # Each one above the four is as likely to be the last that the server takes.
        return self._random.random() >= (1 - SOFT_SHARE) ** above

    def in_use(self, now: float, *, most: int) -> list[InUse]:
        """Those with something in flight or in a window, who have asked most first."""
        for key in list(self._held):
            self._let_go(key, now)
        first = int(now // _BUCKET) - REQUESTS_SPAN // _BUCKET
        # The dictionary grows while the sandbox serves from another thread.
        busy = [
            (*use.used(now), key, use)
            for key, use in list(self._uses.items())
            if use.in_flight or (use.buckets and use.buckets[-1][0] > first)
        ]
        top = heapq.nlargest(most, busy, key=lambda row: (row[3].in_flight, row[0], row[3].peak))
        return [
            InUse(*key, use.in_flight, use.peak, requests, upload, use.wait(now, self.allowed))
            for requests, upload, key, use in top
        ]

    def throttled(self, now: float) -> dict[str, float]:
        """The tenants that are refused altogether, with the seconds that are left."""
        return {tenant: until - now for tenant, until in self._throttled.items() if until > now}

    def peak(self, app: str | None = None) -> int:
        """The most requests that were ever in flight for one mailbox, refused ones included."""
        return max((use.peak for key, use in self._uses.items() if app in {None, key[0]}), default=0)
