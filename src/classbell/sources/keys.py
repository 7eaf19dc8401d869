"""
The key of a meeting inside its feed: stable when the meeting moves, wherever the feed allows that.

A UID that stands for one meeting is its key. Of a series, and where a UID is used for several entries, the
key is the UID with the day the meeting was first set for, so that a new time or room leaves it alone. Where
there is no UID, the title and the day stand in; then a meeting that moves to another day has a new key.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from hashlib import blake2b

import msgspec

from classbell.sources.parsed import ParsedMeeting

_LONGEST_UID = 160
_LASTING_LENGTH = 20


class Identity(Enum):
    """What names one meeting beside the UID: nothing, the day first set, or day and time first set."""

    WHOLE = 0
    DAY = 1
    MOMENT = 2


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A meeting without its key; ``original`` is the start first set, ``uid`` is "" where there is none."""

    uid: str
    identity: Identity
    original: date | datetime
    meeting: ParsedMeeting


def keyed(drafts: Iterable[Draft]) -> list[ParsedMeeting]:
    """The meetings with their keys, each once; what still shares a key is numbered in the order of time."""
    groups: dict[str, list[ParsedMeeting]] = defaultdict(list)
    for draft in drafts:
        groups[_base(draft)].append(draft.meeting)
    result: list[ParsedMeeting] = []
    taken = set(groups)
    for base, meetings in groups.items():
        # A feed may list the very same meeting twice; that is one meeting.
        distinct = list({_content(meeting): meeting for meeting in meetings}.values())
        for number, meeting in enumerate(sorted(distinct, key=_content), start=1):
            key = base if number == 1 else free_key(f"{base}#{number}", taken)
            result.append(msgspec.structs.replace(meeting, key=key))
    return result


def free_key(wanted: str, taken: set[str]) -> str:
    """A key that no meeting has yet, which is *wanted* but for ids made to collide; it is taken from then on."""
    while wanted in taken:
        wanted += "~"
    taken.add(wanted)
    return wanted


def is_lasting(uid: str) -> bool:
    """Whether an id is made to be nobody else's: not a number that another system may use as well."""
    return "@" in uid or len(uid) >= _LASTING_LENGTH


def _base(draft: Draft) -> str:
    if not draft.uid:
        title = draft.meeting.fields.get("title", "").casefold()
        return f"~{_digest(title)}/{draft.meeting.start:%Y%m%d}"
    uid = draft.uid
    if len(uid) > _LONGEST_UID:
        uid = f"{uid[:_LONGEST_UID]}~{_digest(uid)}"
    if draft.identity is Identity.WHOLE:
        return uid
    exact = draft.identity is Identity.MOMENT and isinstance(draft.original, datetime)
    return f"{uid}/{draft.original:%Y%m%dT%H%M%S}" if exact else f"{uid}/{draft.original:%Y%m%d}"


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _content(meeting: ParsedMeeting) -> tuple[datetime, datetime, str, bool, tuple[tuple[str, str], ...]]:
    fields = tuple(sorted(meeting.fields.items()))
    return (meeting.start, meeting.end, meeting.zone, meeting.cancelled, fields)
