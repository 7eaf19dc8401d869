"""The HTTP headers that sign-in and calendars both read: ``Date`` and ``Retry-After``."""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from math import inf

TELLS_TIME_WITHIN = 60.0
"""An answer that was read so many seconds after its question was asked, or later, tells nobody what time it is now."""


@lru_cache(maxsize=64)
def http_date(text: str) -> float | None:
    """A date in the form of HTTP headers as seconds since 1970; None if it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def date(headers: Mapping[str, str]) -> float:
    """When the other side answered, by its own clock, in seconds since 1970; 0.0 if it does not say."""
    return http_date(headers.get("date", "")) or 0.0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the other side asks us to wait; None if it does not say."""
    return seconds(headers.get("retry-after"), date(headers))


def seconds(asked: str | float | None, answered_at: float) -> float | None:
    """
    The seconds that a ``Retry-After`` asks for; None if it is absent or senseless.

    Args:
        asked: the header: an integer, a decimal (seen from Graph, throttling page), or a date.
        answered_at: the ``Date`` beside it, with which a date is compared; 0.0 if there was none.
    """
    if asked is None:
        return None
    try:
        wanted = float(asked)
    except ValueError:
        until = http_date(str(asked))
        wanted = until - answered_at if until is not None and answered_at else -1.0
    return wanted if 0.0 <= wanted < inf else None
