"""
Whether an event still shows what we wrote. Pure.

What the service gives back is never letter for letter what was sent: texts come back as whole HTML pages,
cleaned and with other white space, times with seven digits behind the second (event resource, "body";
dateTimeTimeZone). So each field is compared in the form in which people would tell a difference.
"""

import html
import re
from typing import Any

import msgspec
import nh3

from classbell.outlook.dialect import Content, FoundEvent, instant_of

_BLANKS = re.compile(r"\s+")


def differing(rendering: bytes, event: FoundEvent) -> tuple[str, ...]:
    """
    The fields in which an event differs from a rendering, in the words of ``differences``; none if it does not.

    Raises:
        ValueError: the event was read without its content.
    """
    if event.content is None:
        raise ValueError("only an event that was read with its content can be compared")
    ours = msgspec.json.decode(rendering)
    return tuple(field for field, same in _fields(ours, event, event.content).items() if not same)


def _fields(ours: dict[str, Any], event: FoundEvent, content: Content) -> dict[str, bool]:
    minutes = ours["reminderMinutesBeforeStart"] if ours["isReminderOn"] else None
    all_day = bool(ours["isAllDay"])
    return {
        "start": _same_time(ours["start"]["dateTime"], event.start, all_day=all_day),
        "end": _same_time(ours["end"]["dateTime"], event.end, all_day=all_day),
        "all day": all_day == event.all_day,
        "title": _line(ours["subject"]) == _line(event.subject),
        "room": _line(ours["location"]["displayName"]) == _line(content.location),
        "show as": ours["showAs"].lower() == content.show_as.lower(),
        "sensitivity": ours["sensitivity"].lower() == content.sensitivity.lower(),
        "reminder": minutes == content.reminder,
        "categories": sorted(ours["categories"]) == sorted(content.categories),
        "text": _words(ours["body"]["content"]) == _words(content.body),
    }


def _same_time(ours: str, theirs: str, *, all_day: bool) -> bool:
    if all_day:
        # Floating: only the date counts, whatever zone it is told in.
        return ours[:10] == theirs[:10]
    return instant_of(ours) == instant_of(theirs)


def _line(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()


def _words(text: str) -> str:
    """The words of an HTML text, run together: where lines break is not ours to say."""
    return _BLANKS.sub(
        "", html.unescape(nh3.clean(text, tags=set(), clean_content_tags={"style", "script", "title"}))
    )
