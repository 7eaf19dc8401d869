"""The limit of the token endpoint: so many requests a minute for each application."""

import math
from collections import deque

from classbell.sandbox import aadsts

SPAN = 60


class TokenPace:
    """Counts token requests; what is refused counts as well."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = {}

    def count(self, client_id: str, now: float, limit: float) -> None:
        """
        Count a request.

        Raises:
            EntraRefusal: 429, there were more than *limit* in the last minute.
        """
        if limit == math.inf:
            return
        seen = self._seen.setdefault(client_id, deque())
        if seen and seen[-1] > now:
            seen.clear()  # the clock was set back
        while seen and seen[0] <= now - SPAN:
            seen.popleft()
        seen.append(now)
        if len(seen) > limit:
            raise aadsts.throttled(max(1, math.ceil(seen[0] + SPAN - now)))
