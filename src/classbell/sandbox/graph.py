"""
Graph v1.0: which path and method does what to a mailbox.

Source: Graph API reference v1.0. Admission (token, limits, faults) is the gateway's.
"""

from collections.abc import Sequence

from classbell.sandbox import (
    calendar_groups,
    calendars,
    categories,
    events,
    mailbox_settings,
    translate,
)
from classbell.sandbox.asked import Asked
from classbell.sandbox.exchange import Reply
from classbell.sandbox.refusals import Refusal, not_found, not_reproduced, segment_unknown
from classbell.sandbox.store import Calendar

_WORDS = {
    word.casefold(): word
    for word in (
        "calendar",
        "calendars",
        "calendarGroups",
        "calendarView",
        "events",
        "instances",
        "cancel",
        "permanentDelete",
        "mailboxSettings",
        "timeZone",
        "outlook",
        "masterCategories",
        "translateExchangeIds",
        "$count",
    )
}
_ELSEWHERE = {
    "getschedule": "getSchedule",
    "delta": "delta queries",
    "delta()": "delta queries",
    "extensions": "open extensions",
    "attachments": "attachments",
    "calendarpermissions": "calendar permissions",
}


def answer(asked: Asked, segments: Sequence[str]) -> Reply:
    """
    Do what is asked of a mailbox.

    Args:
        asked: the admitted request.
        segments: the decoded path after ``users/{id}``.

    Raises:
        Refusal: it cannot be done.
    """
    words = [_WORDS.get(segment.casefold(), segment) for segment in segments]
    match words:
        case ["mailboxSettings" | "outlook" | "translateExchangeIds", *_]:
            return _of_the_owner(asked, words)
        case ["calendarGroups", *rest]:
            return _of_groups(asked, rest)
        case _:
            return _of_calendars(asked, words)


def _of_the_owner(asked: Asked, words: list[str]) -> Reply:
    match words:
        case ["mailboxSettings", *rest]:
            return mailbox_settings.answer(asked, rest)
        case ["outlook", "masterCategories", *rest]:
            return categories.answer(asked, rest)
        case ["outlook", zones] if mailbox_settings.is_zones(zones):
            return mailbox_settings.zones(asked, zones)
        case ["translateExchangeIds"]:
            return asked.by_method(POST=lambda: translate.answer(asked))
        case _:
            raise _unknown(words)


def _of_groups(asked: Asked, rest: list[str]) -> Reply:
    match rest:
        case []:
            return calendar_groups.collection(asked)
        case [item]:
            return calendar_groups.single(asked, item)
        case [item, "calendars"]:
            group = calendar_groups.find(asked, item).number
            asked.scope = f"/calendarGroups('{item}')"
            return asked.by_method(
                GET=lambda: calendars.list_all(asked, group), POST=lambda: calendars.create(asked, group)
            )
        case [item, "calendars", name, *tail]:
            calendar = calendars.find(asked, name)
            if calendar.group != calendar_groups.find(asked, item).number:
                raise not_found()
            asked.scope = f"/calendarGroups('{item}')/calendars('{name}')"
            return _inside(asked, calendar, tail)
        case _:
            raise _unknown(rest)


def _of_calendars(asked: Asked, words: list[str]) -> Reply:
    calendar: Calendar | None = None
    match words:
        case ["calendars"]:
            return asked.by_method(
                GET=lambda: calendars.list_all(asked), POST=lambda: calendars.create(asked)
            )
        case ["calendars", "$count"]:
            return asked.by_method(GET=lambda: calendars.count(asked))
        case ["calendar", *tail]:
            calendar = next(known for known in asked.store.calendars.values() if known.is_default)
            asked.scope = "/calendar"
        case ["calendars", item, *tail]:
            calendar = calendars.find(asked, item)
            asked.scope = f"/calendars('{item}')"
        case tail:
            pass
    return _inside(asked, calendar, tail)


def _inside(asked: Asked, calendar: Calendar | None, tail: list[str]) -> Reply:
    match tail:
        case [] if calendar is not None:
            return _calendar(asked, calendar)
        case ["permanentDelete"] if calendar is not None:
            return asked.by_method(POST=lambda: calendars.delete(asked, calendar, for_good=True))
        case ["calendarView"]:
            return asked.by_method(GET=lambda: events.view(asked, calendar))
        case ["calendarView", "$count"]:
            return asked.by_method(GET=lambda: events.count_view(asked, calendar))
        case ["events", *rest]:
            return _events(asked, calendar, rest)
        case _:
            raise _unknown(tail)


def _events(asked: Asked, calendar: Calendar | None, rest: list[str]) -> Reply:
    match rest:
        case []:
            return asked.by_method(
                GET=lambda: events.list_all(asked, calendar),
                POST=lambda: events.create(asked, calendar),
            )
        case ["$count"]:
            return asked.by_method(GET=lambda: events.count(asked, calendar))
        case [item, *further]:
            return _event(asked, calendar, item, further)
        case _:
            raise _unknown(rest)


def _event(asked: Asked, calendar: Calendar | None, item: str, rest: list[str]) -> Reply:
    match rest:
        case [] if item.casefold() not in _ELSEWHERE:
            return asked.by_method(
                GET=lambda: events.show(asked, events.find(asked, item, calendar)),
                PATCH=lambda: events.update(asked, events.find(asked, item, calendar)),
                DELETE=lambda: events.delete(asked, events.find(asked, item, calendar)),
            )
        case ["permanentDelete"]:
            return asked.by_method(POST=lambda: events.purge(asked, events.find(asked, item, calendar)))
        case ["cancel"]:
            return asked.by_method(POST=lambda: events.cancel(asked, events.find(asked, item, calendar)))
        case ["instances"]:
            return asked.by_method(GET=lambda: events.instances(asked, events.find(asked, item, calendar)))
        case ["instances", "$count"]:
            return asked.by_method(
                GET=lambda: events.count_instances(asked, events.find(asked, item, calendar))
            )
        case ["calendar"]:
            return asked.by_method(GET=lambda: _calendar_of(asked, item, calendar))
        case _:
            raise _unknown(rest or [item])


def _calendar(asked: Asked, calendar: Calendar) -> Reply:
    asked.scope = ""
    return asked.by_method(
        GET=lambda: calendars.show(asked, calendar),
        PATCH=lambda: calendars.update(asked, calendar),
        DELETE=lambda: calendars.delete(asked, calendar),
    )


def _calendar_of(asked: Asked, item: str, calendar: Calendar | None) -> Reply:
    event = events.find(asked, item, calendar)
    return calendars.show(asked, asked.store.calendars[event.folder])


def _unknown(tail: Sequence[str]) -> Refusal:
    for segment in tail:
        if segment.casefold() in _ELSEWHERE:
            return not_reproduced(_ELSEWHERE[segment.casefold()])
    for segment in tail:
        if segment not in _WORDS.values():
            return segment_unknown(segment)
    return segment_unknown(tail[-1] if tail else "users")
