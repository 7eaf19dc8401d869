"""
Series: their occurrences and exceptions, and what may become of single days.

A series is one item of the store. Its occurrences are computed from pattern and day; only days that differ or
were taken out are kept. Wall times hold in the zone of the recurrence, whatever its clocks do.
Source: Graph pages "Schedule repeating appointments as recurring events" and "Update event".
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

import msgspec

from classbell.sandbox.content import Content
from classbell.sandbox.instants import instant_of, wall
from classbell.sandbox.patterned import invalid_recurrence
from classbell.sandbox.recurrence import Recurrence, days_after, days_before, days_between, falls_on
from classbell.sandbox.refusals import Refusal, invalid_request, not_found, property_refused
from classbell.sandbox.store import Event, Occurrence, Properties, Series, Store
from classbell.sandbox.switches import Switches
from classbell.sandbox.zones import zone_of

# The dates of the store in microseconds; beyond them nothing falls on any day.
_EARLIEST, _LATEST = -11_644_387_200_000_000, 79_860_124_800_000_000
_NONE = Series()
# Days on which a series is looked at whether its occurrences overlap each other.
_PROBED = 64


def settled(content: Content, before: Content | None) -> Content:
    """
    The content of a series as it is stored: its zone named, and its range beginning on the day of its start.

    Raises:
        Refusal: the range begins on another day, nothing falls into it, or its occurrences overlap.
    """
    recurrence = content.recurrence
    if recurrence is None:
        return content
    if not recurrence.zone:
        recurrence = msgspec.structs.replace(recurrence, zone=content.start_zone)
    first = wall(content.start, _zone(content, recurrence)).toordinal()
    if first != recurrence.first:
        if before is None or before.recurrence != content.recurrence:
            raise property_refused()
        # Only the start was sent: the range begins with it, as it must.
        recurrence = msgspec.structs.replace(recurrence, first=first)
    found = msgspec.structs.replace(content, recurrence=recurrence)
    _check_span(found, recurrence)
    return found


def _check_span(content: Content, recurrence: Recurrence) -> None:
    begin, end = _walls(content, recurrence)
    last = None
    for number, day in enumerate(days_after(recurrence, recurrence.first - 1)):
        if last is not None and timedelta(days=day - last) < end - begin:
            raise Refusal(
                400,
                "ErrorOccurrenceTimeSpanTooBig",
                "The duration of an occurrence must be less than the time to the next one.",
            )
        last = day
        if number == _PROBED:
            break
    if last is None:
        raise Refusal(400, "ErrorRecurrenceHasNoOccurrence", "The recurrence has no occurrences.")


def shown(
    store: Store, series: Event, first: int, last: int, *, inherits: bool = True
) -> Iterator[Occurrence]:
    """The occurrences and exceptions of a series that overlap a window (microseconds), in the order of its days."""
    recurrence = series.content.recurrence
    if recurrence is None:
        return
    zone = _zone(series.content, recurrence)
    begin, end = _walls(series.content, recurrence)
    # A day of grace on either side; what overlaps is looked at below.
    from_day = _day(first, zone) - (end - begin).days - 2
    to_day = _day(last, zone) + 1
    exceptions = store.series.get(series.number, _NONE).exceptions
    moved = {day for day in exceptions if not from_day <= day <= to_day and falls_on(recurrence, day)}
    for day in sorted(moved.union(days_between(recurrence, from_day, to_day))):
        found = _there(store, series, recurrence, day, inherits=inherits)
        if found is not None and found.content.start < last and found.content.end > first:
            yield found


def on_day(store: Store, series: Event, day: int, *, inherits: bool = True) -> Occurrence | None:
    """
    The occurrence or exception of a day, None where the pattern has none or it was taken out.

    Args:
        inherits: whether an occurrence shows the hidden properties of its series.
    """
    recurrence = series.content.recurrence
    if recurrence is None or not falls_on(recurrence, day):
        return None
    return _there(store, series, recurrence, day, inherits=inherits)


def _there(
    store: Store, series: Event, recurrence: Recurrence, day: int, *, inherits: bool = True
) -> Occurrence | None:
    """What stands on a day of the pattern."""
    days = store.series.get(series.number, _NONE)
    if day in days.cancelled:
        return None
    planned = _planned(series.content, recurrence, day)
    deviation = days.exceptions.get(day)
    if deviation is None:
        content, properties = planned, series.properties if inherits else ()
    else:
        content, properties = deviation.content, deviation.properties
    return Occurrence(
        number=series.number,
        folder=series.folder,
        version=series.version,
        created=series.created,
        modified=series.modified if deviation is None else deviation.modified,
        content=content,
        properties=properties,
        transaction="",
        posted=series.posted,
        posted_properties=series.posted_properties,
        day=day,
        original=planned.start,
        deviates=deviation is not None,
    )


def find(store: Store, series: Event, day: int, switches: Switches) -> Occurrence:
    """
    The occurrence or exception that an id names.

    Raises:
        Refusal: the series has none on this day, or has lost it.
    """
    found = on_day(store, series, day, inherits=switches.occurrences_inherit_properties)
    if found is not None:
        return found
    gone = day in store.series.get(series.number, _NONE).cancelled
    if gone and switches.deleted_occurrence_status == 400:  # noqa: PLR2004 - a status
        raise Refusal(
            400,
            "ErrorCalendarOccurrenceIsDeletedFromRecurrence",
            "The occurrence was deleted from the recurrence.",
        )
    raise not_found()


def expanded(
    store: Store, folder: int | None, first: int, last: int, *, inherits: bool = True
) -> Iterator[Event]:
    """What a calendar shows in a window: single events, occurrences and exceptions; never a series itself."""
    for event in store.live(folder):
        if event.content.recurrence is not None:
            yield from shown(store, event, first, last, inherits=inherits)
        elif event.content.start < last and event.content.end > first:
            yield event


def update(
    store: Store, event: Event, content: Content, properties: Properties, *, switches: Switches, cause: str
) -> None:
    """
    Give an event new content, whether it stands alone, is a series, or is one day of a series.

    Raises:
        Refusal: an occurrence would reach the day of a neighbour.
    """
    if isinstance(event, Occurrence):
        if content.recurrence is not None:
            raise invalid_recurrence()
        series = store.events[event.number]
        _check_neighbours(store, series, event.day, content)
        store.update_occurrence(series, event.day, content, properties, cause=cause)
        return
    if not switches.exceptions_survive_series_change and _shape(content) != _shape(event.content):
        # What was changed or taken out of single days is lost with the old pattern.
        store.series.pop(event.number, None)
    store.update(event, content, properties, cause=cause)


def delete(store: Store, event: Event, *, cause: str, for_good: bool = False) -> None:
    """Delete an event, or take one day out of its series."""
    if isinstance(event, Occurrence):
        store.delete_occurrence(store.events[event.number], event.day, event.content, cause=cause)
    elif for_good:
        store.purge(event, cause=cause)
    else:
        store.delete(event, cause=cause)


def cancelled_ids(store: Store, series: Event, series_id: str) -> list[str]:
    """The ``cancelledOccurrences`` of a series."""
    days = store.series.get(series.number, _NONE).cancelled
    return [f"OID.{series_id}.{date.fromordinal(day).isoformat()}" for day in sorted(days)]


def exceptions(store: Store, series: Event) -> list[Occurrence]:
    """The ``exceptionOccurrences`` of a series."""
    days = store.series.get(series.number, _NONE).exceptions
    found = [on_day(store, series, day) for day in sorted(days)]
    return [occurrence for occurrence in found if occurrence is not None]


def require_series(event: Event) -> Event:
    """
    The event itself, which must be a series.

    Raises:
        Refusal: it is none, so it has no instances.
    """
    if event.content.recurrence is None:
        raise invalid_request("Your request can't be completed. The event is not a recurring master.")
    return event


def _shape(content: Content) -> tuple[object, ...]:
    return content.recurrence, content.start, content.end, content.all_day


def _zone(content: Content, recurrence: Recurrence) -> tzinfo:
    # All-day events keep to the midnights of their own zone.
    return zone_of(content.start_zone if content.all_day else recurrence.zone) or UTC


def _walls(content: Content, recurrence: Recurrence) -> tuple[datetime, datetime]:
    """Start and end of the series on the wall, without an offset."""
    zone = _zone(content, recurrence)
    return wall(content.start, zone).replace(tzinfo=None), wall(content.end, zone).replace(tzinfo=None)


def _day(instant: int, zone: tzinfo) -> int:
    return wall(min(max(instant, _EARLIEST), _LATEST), zone).toordinal()


def _planned(content: Content, recurrence: Recurrence, day: int) -> Content:
    """What the pattern gives a day."""
    zone = _zone(content, recurrence)
    begin, end = _walls(content, recurrence)
    start = datetime.combine(date.fromordinal(day), begin.time())
    return msgspec.structs.replace(
        content,
        start=instant_of(start.replace(tzinfo=zone)),
        end=instant_of((start + (end - begin)).replace(tzinfo=zone)),
        recurrence=None,
    )


def _check_neighbours(store: Store, series: Event, day: int, content: Content) -> None:
    recurrence = series.content.recurrence
    if recurrence is None:
        return
    zone = _zone(series.content, recurrence)
    before, after = (
        next(filter(None, (_there(store, series, recurrence, other) for other in days)), None)
        for days in (days_before(recurrence, day), days_after(recurrence, day))
    )
    start = wall(content.start, zone).toordinal()
    crosses = (
        before is not None
        and (wall(before.content.start, zone).toordinal() >= start or before.content.end > content.start)
    ) or (
        after is not None
        and (wall(after.content.start, zone).toordinal() <= start or content.end > after.content.start)
    )
    if crosses:
        raise Refusal(
            400,
            "ErrorOccurrenceCrossingBoundary",
            "Modified occurrence is crossing or overlapping adjacent occurrence.",
        )
