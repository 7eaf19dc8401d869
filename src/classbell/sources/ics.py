"""
Calendar feeds as a source: each feed fetched once, parsed, and all of them merged into one snapshot.

A feed that fails makes its persons unread: nothing that they miss is taken for removed. Where every feed
fails there is no snapshot but an error.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from classbell.model import Snapshot, Window
from classbell.ports import ParserDied, Ports
from classbell.settings import IcsSource
from classbell.sources import snapshot
from classbell.sources.addresses import shown
from classbell.sources.feedlist import feeds_of
from classbell.sources.fetch import Fault, Fetcher
from classbell.sources.merge import Reading, merge
from classbell.sources.parsed import Failure, ParsedFeed
from classbell.sources.sentinels import check_sentinels
from classbell.sources.tables import oldest_allowed, unusable
from classbell.sources.verdicts import NEXT_STEPS, all_empty, fault_remarks, none_read, problem_remarks

# One child parses this much: its start-up is paid once for many feeds, and memory stays bounded.
_FETCHED_AT_ONCE = 64
_CHUNK_FEEDS = 1000
_CHUNK_BYTES = 32 * 1024 * 1024
# A feed that stops the parser costs the whole parse limit; several are taken for an attack or a defect.
_MOST_DEATHS = 3


class IcsFeeds:
    """
    A source of calendar feeds.

    Args:
        timezone: the institution's zone, for floating times of feeds that name none.
    """

    def __init__(self, settings: IcsSource, ports: Ports, *, timezone: str) -> None:
        self.name = settings.name
        self._settings = settings
        self._ports = ports
        self._timezone = timezone

    async def read(self, window: Window) -> Snapshot:
        """
        Read all feeds.

        Raises:
            SourceUnreachable: no feed could be reached.
            SourceUnusable: no feed is a calendar with entries; or too much came.
        """
        base, persons = feeds_of(self._settings, self._ports.files)
        fetcher = Fetcher(
            self._ports,
            base=base,
            allow_private=self._settings.allow_private_addresses,
            most=int(self._settings.limits.bytes),
            oldest=oldest_allowed(self._settings.max_age, self._ports.clock.now()),
        )
        self._deaths = 0
        results: dict[str, ParsedFeed | Fault] = {}
        waiting: dict[str, bytes] = {}
        places = list(persons)
        for begin in range(0, len(places), _FETCHED_AT_ONCE):
            some = places[begin : begin + _FETCHED_AT_ONCE]
            for place, content in zip(some, await fetcher.fetch_all(some), strict=True):
                if isinstance(content, Fault):
                    results[place] = content
                else:
                    waiting[place] = content
            if len(waiting) >= _CHUNK_FEEDS or sum(map(len, waiting.values())) >= _CHUNK_BYTES:
                results.update(await self._parsed(waiting, window))
                waiting = {}
        results.update(await self._parsed(waiting, window))
        return self._judged(persons, results, window)

    async def _parsed(self, contents: Mapping[str, bytes], window: Window) -> dict[str, ParsedFeed | Fault]:
        """The feeds parsed; one that stops the parser is left out and the others go on."""
        results: dict[str, ParsedFeed | Fault] = {}
        places = list(contents)
        while places:
            death = None
            try:
                finished: Sequence[bytes] = await self._ports.parser.parse(
                    "ics", [contents[place] for place in places], self._options(window)
                )
            except ParserDied as died:
                death, finished = died, died.finished
            for place, result in zip(places, finished, strict=False):
                feed = msgspec.msgpack.decode(result, type=ParsedFeed)
                results[place] = feed if feed.failure is None else _fault(feed.failure)
            places = places[len(finished) :]
            if death is not None:
                culprit = places.pop(0)
                results[culprit] = self._deadly(culprit, death)
        return results

    def _options(self, window: Window) -> dict[str, Any]:
        limits = self._settings.limits
        return {
            "begin": window.begin,
            "end": window.end,
            "zone": self._settings.timezone,
            "fallback": self._timezone,
            "items": limits.items,
            "occurrences": limits.occurrences_per_item,
            "seconds": limits.parse.total_seconds(),
        }

    def _deadly(self, place: str, death: ParserDied) -> Fault:
        self._deaths += 1
        if self._deaths > _MOST_DEATHS:
            raise unusable(
                self.name,
                "E-SRC-PARSER",
                f"{self._deaths} of its feeds stopped the parser; the last is {shown(place)}.",
                why=death.reason,
                do=NEXT_STEPS["E-SRC-PARSER"],
            )
        return Fault(code="E-SRC-PARSER", cause=f"stopped the parser: {death.reason}", passing=False)

    def _judged(
        self,
        persons: Mapping[str, frozenset[str]],
        results: Mapping[str, ParsedFeed | Fault],
        window: Window,
    ) -> Snapshot:
        faults = {place: result for place, result in results.items() if isinstance(result, Fault)}
        feeds = {place: result for place, result in results.items() if isinstance(result, ParsedFeed)}
        if not feeds:
            raise none_read(self.name, faults)
        if not any(feed.entries for feed in feeds.values()):
            raise all_empty(self.name, len(feeds), faults)
        merged = merge(
            [
                Reading(place=place, persons=persons[place], meetings=feed.meetings)
                for place, feed in feeds.items()
            ]
        )
        if len(merged.meetings) > self._settings.limits.items:
            raise unusable(
                self.name,
                "E-SRC-BIG",
                f"its feeds hold {len(merged.meetings):,} meetings.",
                why=f"limits.items of this source allows {self._settings.limits.items:,}",
                do=NEXT_STEPS["E-SRC-BIG"],
            )
        lost = {place for place, feed in feeds.items() if any(problem.lost for problem in feed.problems)}
        built = snapshot.build(
            source=self.name,
            meetings=merged.meetings,
            people=merged.people,
            pairs=merged.pairs,
            window=window,
            unread=frozenset(person for place in (*faults, *lost) for person in persons[place]),
            remarks=[*fault_remarks(self.name, faults, persons), *problem_remarks(self.name, feeds)],
        )
        return check_sentinels(built, self._settings.sentinels)


def _fault(failure: Failure) -> Fault:
    return Fault(code=failure.code, cause=f"is no timetable: {failure.why}", passing=False)
