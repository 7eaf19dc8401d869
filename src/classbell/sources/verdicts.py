"""What the faults of single feeds mean for their source, in words for people: one cause, one message."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from classbell.errors import SourceError, SourceUnreachable, SourceUnusable
from classbell.model import Remark
from classbell.sources.addresses import shown
from classbell.sources.fetch import Fault
from classbell.sources.parsed import ParsedFeed, Problem
from classbell.sources.tables import EFFECT, unusable

_SHOWN = 3

NEXT_STEPS = {
    "E-SRC-ADDRESS": "if this address is meant, set allow_private_addresses = true for this source",
    "E-SRC-BIG": "if the feed is right, raise the limit in limits of this source",
    "E-SRC-CUT": "open the feed; ask whoever serves it why it stops early",
    "E-SRC-EMPTY": "open the feed; ask whoever serves it why nothing is in it",
    "E-SRC-FETCH": "check the address and the network; it is tried again by itself",
    "E-SRC-FILE": "check the path in the list of feeds, and that this program may read the file",
    "E-SRC-GARBAGE": "open the feed in a browser; it should begin with BEGIN:VCALENDAR",
    "E-SRC-HTML": "open the feed in a browser that is not signed in; use the address that gives the calendar",
    "E-SRC-HTTP": "open the feed in a browser; correct its address, or ask whoever serves it",
    "E-SRC-PARSER": "open the feed and look for entries that repeat without end",
    "E-SRC-ROW": "correct these entries where the timetable is made",
    "E-SRC-RULE": "correct these entries where the timetable is made",
    "E-SRC-STALE": "look why nothing exports it any more; if nothing has changed since, raise max_age",
    "E-SRC-ZONE": "set timezone for this source if this is not the zone that is meant",
}


def none_read(source: str, faults: Mapping[str, Fault]) -> SourceError:
    """The error where every feed failed: unreachable only if waiting may help with all of them."""
    causes = _by_cause(faults)
    lasting = [places for fault, places in causes.items() if not fault.passing]
    decisive = next(fault for fault in causes if fault.passing == (not lasting))
    what = _first_cause(causes) if len(faults) == 1 else f"none of its {len(faults)} feeds could be read."
    why = "" if len(faults) == 1 else _listed(causes)
    kind = SourceUnusable if lasting else SourceUnreachable
    return kind(
        decisive.code,
        f'Source "{source}": {what}',
        why=why or "unknown beyond this answer",
        do=NEXT_STEPS[decisive.code],
        effect=EFFECT,
    )


def all_empty(source: str, count: int, faults: Mapping[str, Fault]) -> SourceUnusable:
    """The error where no feed that was read has an entry."""
    others = f"; of the others: {_listed(_by_cause(faults))}" if faults else ""
    return unusable(
        source,
        "E-SRC-EMPTY",
        f"{'its feed has' if count == 1 else f'all {count} feeds that could be read have'} no entries.",
        why=f'unknown; an empty calendar is never taken to mean "delete everything"{others}',
        do=NEXT_STEPS["E-SRC-EMPTY"],
    )


def fault_remarks(
    source: str, faults: Mapping[str, Fault], persons: Mapping[str, frozenset[str]]
) -> Iterator[Remark]:
    """One remark for each cause, with how many feeds and persons it concerns."""
    for fault, places in _by_cause(faults).items():
        concerned = {person for place in places for person in persons[place]}
        yield Remark(
            code=fault.code,
            text=f'Source "{source}": {_counted(places)} {fault.cause}. Nothing is deleted for'
            f" {_number(len(concerned), 'person')} until it can be read again. Do: {NEXT_STEPS[fault.code]}.",
        )


def problem_remarks(source: str, feeds: Mapping[str, ParsedFeed]) -> Iterator[Remark]:
    """One remark for each kind of problem with single entries."""
    found: dict[tuple[str, bool], list[Problem]] = defaultdict(list)
    for _, feed in sorted(feeds.items()):
        for problem in feed.problems:
            found[problem.code, problem.lost].append(problem)
    for (code, lost), problems in sorted(found.items()):
        texts = list(dict.fromkeys(problem.text for problem in problems))
        more = f"; and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
        kept = " Nothing is deleted for those whose feeds they are." if lost else ""
        yield Remark(
            code=code,
            text=f'Source "{source}": {"; ".join(texts[:_SHOWN])}{more}.{kept} Do: {NEXT_STEPS[code]}.',
        )


def _by_cause(faults: Mapping[str, Fault]) -> dict[Fault, list[str]]:
    """The places of each fault, the most frequent first."""
    causes: dict[Fault, list[str]] = defaultdict(list)
    for place, fault in sorted(faults.items()):
        causes[fault].append(place)
    return dict(sorted(causes.items(), key=lambda item: -len(item[1])))


def _first_cause(causes: Mapping[Fault, Sequence[str]]) -> str:
    fault, places = next(iter(causes.items()))
    return f"{shown(places[0])} {fault.cause}."


def _listed(causes: Mapping[Fault, Sequence[str]]) -> str:
    told = [f"{_counted(places)} {fault.cause}" for fault, places in causes.items()]
    return "; ".join(told[:_SHOWN]) + (
        f"; and {len(told) - _SHOWN} other causes" if len(told) > _SHOWN else ""
    )


def _counted(places: Sequence[str]) -> str:
    first = shown(places[0])
    return first if len(places) == 1 else f"{len(places)} feeds ({first} and others): each"


def _number(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"
