"""
Timetables from wherever the institution has them: one file per kind behind one protocol.

Each read ends in a Snapshot or in an error; "no meetings" and "could not read" are never the same. The
parsing of untrusted bytes runs in a child process (``child``), which imports this package as well: that is
why a kind is imported only when a source of it is opened.
"""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from classbell.model import Snapshot, Window
    from classbell.ports import Ports
    from classbell.settings import SourceSettings


FEED_FIELDS = frozenset({"title", "location", "description", "type", "notes", "url"})
"""The texts that meetings of a feed can have."""

NOT_FIELDS = frozenset({"key", "date", "start", "end", "cancelled"})
"""What the ``map`` of a table names beside texts."""


def fields_given(settings: "SourceSettings") -> frozenset[str]:
    """The names of the texts that meetings of a source can have, for templates to use."""
    return FEED_FIELDS if settings.kind == "ics" else frozenset(settings.map) - NOT_FIELDS


class Source(Protocol):
    """One place timetables are read from."""

    @property
    def name(self) -> str:
        """The source's name in the configuration."""
        ...

    async def read(self, window: "Window") -> "Snapshot":
        """
        Read completely, or fail.

        Raises:
            SourceUnreachable: waiting may help.
            SourceUnusable: what came is no timetable; a person must look.
        """
        ...


def open_source(settings: "SourceSettings", ports: "Ports", *, timezone: str) -> Source:
    """
    The source that *settings* describe.

    Args:
        timezone: the institution's zone, for times that name none where the source names none either.
    """
    if settings.kind == "ics":
        from classbell.sources.ics import IcsFeeds  # noqa: PLC0415 -- see the module's docstring

        return IcsFeeds(settings, ports, timezone=timezone)
    from classbell.sources.table import MeetingsTable  # noqa: PLC0415 -- see the module's docstring

    return MeetingsTable(settings, ports, timezone=timezone)
