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
    ``size`` its bytes; ``base`` is scheme and host of the server; ``batch`` numbers the batch, 0 if alone.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = ABSENT
    size: int = 0
    base: str = ""
    batch: int = 0


@dataclass(slots=True)
class Reply:
    """
    An answer: JSON values, or text, or nothing in ``body``.

    ``returned`` are the numbers of the events that a reading answer carries, None in any other.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    returned: tuple[int, ...] | None = None


class ConnectionDropped(Exception):
    """The connection ends here without an answer."""
