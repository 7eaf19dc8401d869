"""
Meetings of several feeds: the same meeting in many feeds is one meeting with all their audiences.

Feeds agree on a meeting by its key. But small numbers are used by unrelated systems alike, and some systems
use one id for several meetings: where two feeds mean clearly different meetings by one key, both are kept,
the second under a key that names its feed. Taking two for one would put a meeting into a stranger's calendar;
taking one for two only makes each feed's people see what their own feed says.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from classbell.model import Meeting
from classbell.sources.keys import free_key
from classbell.sources.parsed import ParsedMeeting
from classbell.sources.snapshot import Pairs


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one feed tells: its place, whose it is, and its meetings."""

    place: str
    persons: frozenset[str]
    meetings: Sequence[ParsedMeeting]


@dataclass(frozen=True, kw_only=True)
class Merged:
    """Meetings with unique keys; ``pairs`` as in ``snapshot.build``."""

    meetings: list[Meeting]
    people: list[str]
    pairs: Pairs


Variant = tuple[int, ParsedMeeting]


def merge(readings: Sequence[Reading]) -> Merged:
    """One list of meetings from several feeds, independent of the order of the feeds."""
    readings = sorted(readings, key=lambda reading: reading.place)
    people = sorted({person for reading in readings for person in reading.persons})
    number = {person: index for index, person in enumerate(people)}
    audiences = [[number[person] for person in sorted(reading.persons)] for reading in readings]
    by_key: dict[str, list[Variant]] = {}
    for feed, reading in enumerate(readings):
        for meeting in reading.meetings:
            by_key.setdefault(meeting.key, []).append((feed, meeting))
    meetings: list[Meeting] = []
    pairs: list[tuple[int, int]] = []
    taken = set(by_key)
    for key, variants in by_key.items():
        for rank, same in enumerate(_told_apart(variants)):
            place = readings[same[0][0]].place
            own_key = key if rank == 0 else free_key(f"{key}@{_feed_id(place)}", taken)
            pairs.extend((person, len(meetings)) for feed, _ in same for person in audiences[feed])
            meetings.append(_meeting(own_key, _newest([meeting for _, meeting in same])))
    return Merged(meetings=meetings, people=people, pairs=np.array(pairs, dtype=np.int64).reshape(-1, 2))


def _told_apart(variants: list[Variant]) -> Iterable[list[Variant]]:
    """The variants of one key in groups that mean one meeting; what most feeds say comes first."""
    if len(variants) == 1:
        return [variants]
    groups: list[list[Variant]] = []
    for variant in variants:
        group = next((group for group in groups if any(_same(variant[1], other) for _, other in group)), None)
        if group is None:
            groups.append([variant])
        else:
            group.append(variant)
    groups.sort(key=lambda group: (-len(group), group[0][0]))
    return groups


def _same(one: ParsedMeeting, other: ParsedMeeting) -> bool:
    """Whether two feeds mean one meeting by one key."""
    same_time = (one.start, one.end, one.zone) == (other.start, other.end, other.zone)
    same_title = one.fields.get("title") == other.fields.get("title")
    if same_time and (same_title or one.lasting):
        return True
    newer = one.sequence is not None and other.sequence is not None and one.sequence != other.sequence
    if one.lasting:
        return newer or (0 < one.modified != other.modified > 0)
    return newer and same_title


def _newest(told: list[ParsedMeeting]) -> ParsedMeeting:
    newest = told[0]
    for meeting in told[1:]:
        if meeting != newest and _age(meeting) > _age(newest):
            newest = meeting
    return newest


def _age(meeting: ParsedMeeting) -> tuple[int, int, int, str]:
    # The text decides where nothing else does, so that each run decides alike.
    return (meeting.sequence or 0, meeting.modified, meeting.stamp, repr(meeting))


def _meeting(key: str, told: ParsedMeeting) -> Meeting:
    return Meeting(
        key=key,
        start=told.start,
        end=told.end,
        zone=told.zone,
        all_day=told.all_day,
        cancelled=told.cancelled,
        fields=told.fields,
    )


def _feed_id(place: str) -> str:
    return blake2b(place.encode(), digest_size=5).hexdigest()
