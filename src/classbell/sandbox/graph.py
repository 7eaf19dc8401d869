"""
Graph v1.0: which path and method does what to a mailbox.

Source: Graph API reference v1.0. Admission (token, limits, faults) is the gateway's.
"""

from collections.abc import Callable, Sequence

from classbell.sandbox import calendars, events
from classbell.sandbox.asked import Asked
from classbell.sandbox.exchange import Reply
from classbell.sandbox.refusals import Refusal, not_reproduced, segment_unknown
from classbell.sandbox.store import Calendar

_Action = Callable[[], Reply]

_WORDS = {
    word.casefold(): word
    for word in (
        "calendar",
        "calendars",
        "calendarView",
        "events",
        "instances",
        "cancel",
        "permanentDelete",
        "$count",
    )
}
_ELSEWHERE = {
    "calendargroups": "calendar groups",
    "mailboxsettings": "mailbox settings",
    "outlook": "master categories and the list of time zones",
    "translateexchangeids": "translateExchangeIds",
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
    calendar: Calendar | None = None
    match [_WORDS.get(segment.casefold(), segment) for segment in segments]:
        case ["calendars"]:
            return _dispatch(
                asked, GET=lambda: calendars.list_all(asked), POST=lambda: calendars.create(asked)
            )
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
            return _dispatch(asked, POST=lambda: calendars.delete(asked, calendar, for_good=True))
        case ["calendarView"]:
            return _dispatch(asked, GET=lambda: events.view(asked, calendar))
        case ["calendarView", "$count"]:
            return _dispatch(asked, GET=lambda: events.count_view(asked, calendar))
        case ["events", *rest]:
            return _events(asked, calendar, rest)
        case _:
            raise _unknown(tail)


def _events(asked: Asked, calendar: Calendar | None, rest: list[str]) -> Reply:
    match rest:
        case []:
            return _dispatch(
                asked,
                GET=lambda: events.list_all(asked, calendar),
                POST=lambda: events.create(asked, calendar),
            )
        case ["$count"]:
            return _dispatch(asked, GET=lambda: events.count(asked, calendar))
        case [item, *further]:
            return _event(asked, calendar, item, further)
        case _:
            raise _unknown(rest)


def _event(asked: Asked, calendar: Calendar | None, item: str, rest: list[str]) -> Reply:
    match rest:
        case [] if item.casefold() not in _ELSEWHERE:
            return _dispatch(
                asked,
                GET=lambda: events.show(asked, events.find(asked, item, calendar)),
                PATCH=lambda: events.update(asked, events.find(asked, item, calendar)),
                DELETE=lambda: events.delete(asked, events.find(asked, item, calendar)),
            )
        case ["permanentDelete"]:
            return _dispatch(asked, POST=lambda: events.purge(asked, events.find(asked, item, calendar)))
        case ["cancel"]:
            return _dispatch(asked, POST=lambda: events.cancel(asked, events.find(asked, item, calendar)))
        case ["instances"]:
            return _dispatch(asked, GET=lambda: events.instances(asked, events.find(asked, item, calendar)))
        case ["instances", "$count"]:
            return _dispatch(
                asked, GET=lambda: events.count_instances(asked, events.find(asked, item, calendar))
            )
        case ["calendar"]:
            return _dispatch(asked, GET=lambda: _calendar_of(asked, item, calendar))
        case _:
            raise _unknown(rest or [item])


def _calendar(asked: Asked, calendar: Calendar) -> Reply:
    asked.scope = ""
    return _dispatch(
        asked,
        GET=lambda: calendars.show(asked, calendar),
        PATCH=lambda: calendars.update(asked, calendar),
        DELETE=lambda: calendars.delete(asked, calendar),
    )


def _calendar_of(asked: Asked, item: str, calendar: Calendar | None) -> Reply:
    event = events.find(asked, item, calendar)
    return calendars.show(asked, asked.store.calendars[event.folder])


def _dispatch(asked: Asked, **actions: _Action) -> Reply:
    action = actions.get(asked.request.method)
    if action is None:
        raise Refusal(
            405,
            "ErrorInvalidRequest",
            "The OData request is not supported.",
            headers={"Allow": ", ".join(actions)},
        )
    return action()


def _unknown(tail: Sequence[str]) -> Refusal:
    for segment in tail:
        if segment.casefold() in _ELSEWHERE:
            return not_reproduced(_ELSEWHERE[segment.casefold()])
    for segment in tail:
        if segment not in _WORDS.values():
            return segment_unknown(segment)
    return segment_unknown(tail[-1] if tail else "users")
