"""
The limits of Outlook per application and mailbox.

Source: Graph page "Microsoft Graph service-specific throttling limits", Outlook: four requests at a time,
10,000 requests in ten minutes, 150 MB of upload in five minutes. What is refused counts as well.
"""

from dataclasses import dataclass, field
from random import Random

from classbell.sandbox.refusals import throttled

IN_FLIGHT = 4
REQUESTS = 10_000
REQUESTS_SPAN = 600
UPLOAD = 150_000_000
UPLOAD_SPAN = 300
_BUCKET = 10  # seconds; the windows slide in steps of this


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

    def wait(self, now: float) -> int:
        """Seconds until the oldest part leaves the window that is full; 0 if none is."""
        requests = sum(row[1] for row in self.buckets)
        if requests > REQUESTS:
            return self._until(self.buckets[0][0], REQUESTS_SPAN, now)
        first = int(now // _BUCKET) - UPLOAD_SPAN // _BUCKET
        recent = [row for row in self.buckets if row[0] > first]
        if sum(row[2] for row in recent) > UPLOAD:
            return self._until(recent[0][0], UPLOAD_SPAN, now)
        return 0

    @staticmethod
    def _until(bucket: int, span: int, now: float) -> int:
        return max(1, round(bucket * _BUCKET + span + _BUCKET - now))


class Limits:
    """Who has how much in flight and behind them; keys are (client id, mailbox id)."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._uses: dict[tuple[str, str], _Use] = {}

    def enter(self, key: tuple[str, str], now: float, size: int) -> None:
        """
        Admit a request, which must ``leave`` when it is done.

        Raises:
            Refusal: 429, one limit is exceeded.
        """
        use = self._uses.get(key)
        if use is None:
            use = self._uses[key] = _Use()
        use.count(now, size)
        use.peak = max(use.peak, use.in_flight + 1)
        if use.in_flight >= IN_FLIGHT:
            raise throttled("Application is over its MailboxConcurrency limit.", self._random.randint(1, 10))
        wait = use.wait(now)
        if wait:
            raise throttled("Application is over its request limit for this mailbox.", wait)
        use.in_flight += 1

    def leave(self, key: tuple[str, str]) -> None:
        """A request is done."""
        self._uses[key].in_flight -= 1

    def peak(self, app: str | None = None) -> int:
        """The most requests that were ever in flight for one mailbox, refused ones included."""
        return max((use.peak for key, use in self._uses.items() if app in {None, key[0]}), default=0)
