"""Requests and answers of the Graph half, as its parts hand them to each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

VERSION: Final = "v1.0"
ABSENT: Final = object()


@dataclass(slots=True)
class Request:
    """
    One request, alone or a member of a batch.

    ``path`` is percent-encoded and relative to the version root, without a leading slash; ``query`` is what
    follows the question mark; header names are in lower case; ``body`` is the decoded JSON or ``ABSENT``;
    ``size`` its bytes; ``base`` is scheme and host of the server; ``batch`` numbers the batch, 0 if alone,
    and ``part`` is the id in it. ``shown`` is path and query as the history tells them, where another face of
    the mailboxes was asked than Graph; ``capped`` whether the limit of requests in flight holds. Where the
    answer is to go wrong, ``late`` lets it be done so many seconds afterwards, and ``twice`` two times.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = ABSENT
    size: int = 0
    base: str = ""
    batch: int = 0
    part: str = ""
    shown: str = ""
    capped: bool = True
    late: float | None = None
    twice: bool = False


@dataclass(slots=True)
class Reply:
    """
    An answer: JSON values, or text, or nothing in ``body``.

    ``returned`` are the numbers of the events that a reading answer carries, None in any other. ``spoilt``
    names what becomes of the answer on its way: ``cut``, ``empty``, ``html``, ``missing``, ``doubled``.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    returned: tuple[int, ...] | None = None
    spoilt: str = ""


class ConnectionDropped(Exception):
    """The connection ends here without an answer."""
