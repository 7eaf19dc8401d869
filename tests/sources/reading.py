"""Reads feeds and sources in tests: through the real ports, but for parsing in this process and a still clock."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from classbell.life import LocalFiles
from classbell.model import Meeting, Snapshot, Window
from classbell.ports import Parser, ParserDied, Ports
from classbell.settings import SourceSettings
from classbell.sources import open_source
from classbell.sources.child_main import parser_of
from classbell.sources.parsed import ParsedFeed, ParsedMeeting
from classbell.sources.vcalendar import read_feed
from classbell.transport import AiohttpTransport
from classbell.zones import instant, utc_text

FEEDS = Path(__file__).resolve().parent.parent / "feeds"


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


TERM = Window(begin=moment("2026-09-01"), end=moment("2027-07-01"))


def parsed(
    feed: str | bytes,
    *,
    zone: str | None = None,
    fallback: str = "Europe/London",
    window: Window = TERM,
    items: int = 1000,
    occurrences: int = 500,
) -> ParsedFeed:
    """A feed of tests/feeds by its name, or any bytes."""
    body = feed if isinstance(feed, bytes) else (FEEDS / f"{feed}.ics").read_bytes()
    options = {
        "begin": window.begin,
        "end": window.end,
        "zone": zone,
        "fallback": fallback,
        "items": items,
        "occurrences": occurrences,
    }
    return read_feed(body, options)


def only(feed: ParsedFeed) -> ParsedMeeting:
    (meeting,) = feed.meetings
    return meeting


def starts(meetings: Sequence[ParsedMeeting] | Sequence[Meeting]) -> list[str]:
    """The starts in UTC, sorted, to the minute."""
    return sorted(utc_text(instant(meeting.start, meeting.zone))[:16] for meeting in meetings)


def by_key(feed: ParsedFeed) -> dict[str, ParsedMeeting]:
    return {meeting.key: meeting for meeting in feed.meetings}


class ParserHere:
    """The parser port without a child: for tests of what stands around it."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    async def parse(self, kind: str, payloads: Sequence[bytes], options: Mapping[str, Any]) -> list[bytes]:
        self.calls.append(len(payloads))
        parse = parser_of(kind)
        return [parse(payload, options) for payload in payloads]


class ParserThatDiesOn:
    """The parser port, stopped by every payload that holds some bytes."""

    def __init__(self, deadly: bytes) -> None:
        self._deadly = deadly
        self._parser = ParserHere()

    async def parse(self, kind: str, payloads: Sequence[bytes], options: Mapping[str, Any]) -> list[bytes]:
        finished: list[bytes] = []
        for payload in payloads:
            if self._deadly in payload:
                raise ParserDied("it took too long", finished=finished)
            finished += await self._parser.parse(kind, [payload], options)
        return finished


class StillClock:
    """A clock that stands still; waiting is noted and takes no time."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def now(self) -> float:
        return float(TERM.begin)

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)


class NoChance:
    def new_uuid(self) -> UUID:
        return UUID(int=0)

    def random(self) -> float:
        return 0.5


def read(
    settings: SourceSettings,
    *,
    window: Window = TERM,
    timezone: str = "Europe/London",
    parser: Parser | None = None,
    clock: StillClock | None = None,
) -> Snapshot:
    """One read of a source over real HTTP and real files."""
    clock = clock or StillClock()

    async def reading() -> Snapshot:
        async with AiohttpTransport(clock, environ={}) as transport:
            ports = Ports(
                transport=transport,
                clock=clock,
                ids=NoChance(),
                files=LocalFiles(),
                parser=parser or ParserHere(),
            )
            return await open_source(settings, ports, timezone=timezone).read(window)

    return asyncio.run(reading())


def attendance(snapshot: Snapshot) -> set[tuple[str, str]]:
    """Who attends what, as (person, key)."""
    return {
        (snapshot.people[person], snapshot.meetings[meeting].key)
        for person, meeting in snapshot.attendance.tolist()
    }


def calendar(*entries: str, head: str = "VERSION:2.0") -> bytes:
    """A calendar of entries, each given as the lines between its BEGIN and END."""
    parts = [f"BEGIN:VEVENT\n{entry}\nEND:VEVENT" for entry in entries]
    return "\n".join(["BEGIN:VCALENDAR", head, *parts, "END:VCALENDAR", ""]).encode()


def lecture(uid: str, start: str, title: str = "Algebra", *more: str) -> str:
    """An entry of one hour; *start* such as 20260921T080000Z."""
    return "\n".join([f"UID:{uid}", f"DTSTART:{start}", "DURATION:PT1H", f"SUMMARY:{title}", *more])


Serve = Callable[[Any], AbstractContextManager[str]]
