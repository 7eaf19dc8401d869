"""
What the parsing child hands back: plain values that both sides know, and nothing that is costly to import.

One ``ParsedFeed`` for each calendar feed, one ``ParsedSheet`` for each workbook. They travel as msgpack.
"""

from datetime import datetime

import msgspec


class ParsedMeeting(msgspec.Struct, frozen=True, array_like=True):
    """
    One dated meeting as one feed tells it; times as in ``model.Meeting``.

    ``key`` is unique within its feed. ``lasting`` says that the id behind the key is made to be nobody
    else's, so that the same key in another feed means the same meeting. ``sequence`` is None where the feed
    gives none; ``modified`` and ``stamp`` are instants in seconds, 0 where the feed gives none.
    """

    key: str
    start: datetime
    end: datetime
    zone: str
    all_day: bool
    cancelled: bool
    fields: dict[str, str]
    lasting: bool
    sequence: int | None
    modified: int
    stamp: int


class Problem(msgspec.Struct, frozen=True, array_like=True):
    """What is wrong with one entry of a feed; ``lost`` where the entry could therefore not be read."""

    code: str
    text: str
    lost: bool


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """Why a whole payload could not be read: ``code`` as in the error tables, ``why`` in plain words."""

    code: str
    why: str


class ParsedFeed(msgspec.Struct, frozen=True, array_like=True):
    """A calendar feed; ``entries`` counts its VEVENTs, whether or not they fall into the window."""

    meetings: list[ParsedMeeting]
    entries: int
    problems: list[Problem]
    failure: Failure | None = None


class ParsedSheet(msgspec.Struct, frozen=True, array_like=True):
    """
    One sheet of a workbook: its rows from the first, each cell as text, with ``names`` of all sheets.

    Dates are written ``2026-09-21``, times of day ``09:00:00``, both together with a T between.
    """

    rows: list[list[str]]
    names: list[str]
    failure: Failure | None = None


class Unreadable(Exception):
    """A payload that is not what it should be; becomes a ``Failure``."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why

    @property
    def failure(self) -> Failure:
        """The same as a value."""
        return Failure(self.code, self.why)


# What libraries raise on content that nobody foresaw.
ODD_CONTENT = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
