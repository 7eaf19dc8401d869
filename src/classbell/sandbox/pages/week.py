"""The page of one mailbox: its week as a grid, who made what, and what changed last."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final

from classbell.sandbox import series
from classbell.sandbox.history import Record
from classbell.sandbox.ids import parse
from classbell.sandbox.instants import wall
from classbell.sandbox.mailbox import Mailbox
from classbell.sandbox.pages import words
from classbell.sandbox.store import Event
from classbell.sandbox.tenant import Tenant
from classbell.sandbox.zones import zone_of

if TYPE_CHECKING:
    from classbell.sandbox.box import Sandbox

# Half an hour is a row of the grid.
ROWS: Final = 48
_USUAL = (8, 18)
_LATEST = 10
_DAY, _HALF_HOUR = timedelta(days=1), timedelta(minutes=30)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Card:
    """An event on one day; *row* and *span* are half hours from midnight, 0 and 0 all day."""

    subject: str
    times: str
    place: str
    calendar: str
    maker: str
    by_person: bool
    hidden: bool
    series: bool
    change: str
    latest: bool
    row: int
    span: int


@dataclass(frozen=True)
class _Seen:
    """What the cards of a week have in common."""

    zone: tzinfo
    names: Mapping[str, str]
    changes: Mapping[tuple[int, str], Record]
    makers: Mapping[int, str]
    latest: int
    calendars: Mapping[int, str]


def shown(box: "Sandbox", tenant: Tenant, mailbox: Mailbox, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the page says of a mailbox; ``asked`` may name a day of the week and a time zone."""
    names = words.apps(box)
    store = mailbox.store
    with box.lock:
        live = list(store.live())
        recent = [box.history[number - 1] for number in reversed(store.changes[-500:])]
        zone_name, zone, wrong_zone = _zone(asked.get("zone", "").strip(), live)
        monday, wrong_day = _monday(asked.get("week", ""), datetime.fromtimestamp(box.clock.now(), zone))
        begin, end = _instant(monday, zone), _instant(monday + 7 * _DAY, zone)
        events = sorted(series.expanded(store, None, begin, end), key=lambda event: event.content.start)
        calendars = {calendar.number: calendar.name for calendar in store.calendars.values()}
        deleted = len(store.events) - len(live)
    makers = {event.number: event.made_by for event in live}
    seen = _Seen(zone, names, _by_event(recent), makers, recent[0].number if recent else 0, calendars)
    days = [_day(monday + n * _DAY, events, seen) for n in range(7)]
    first, last = _hours(day["cards"] for day in days)
    return {
        "tenant": tenant,
        "mailbox": mailbox,
        "monday": monday,
        "title": f"Week of {words.day_name(monday)}",
        "days": days,
        "first": first,
        "last": last,
        "zone": zone_name,
        "tz": zone,
        "wrong": [text for text in (wrong_zone, wrong_day) if text],
        "before": max(date(1900, 1, 1), monday - 7 * _DAY),
        "after": min(date(4000, 1, 1), monday + 7 * _DAY),
        "elsewhere": None if events else _nearest(live, begin, zone),
        "count": len(events),
        "total": len(live),
        "deleted": deleted,
        "calendars": list(calendars.values()),
        "changes": [_change(record, names, zone) for record in recent[:_LATEST]],
    }


def _zone(text: str, events: Iterable[Event]) -> tuple[str, tzinfo, str]:
    """The zone to show times in, by name: as asked, or that of the latest event, or UTC."""
    if text:
        found = zone_of(text)
        return (text, found, "") if found else ("UTC", UTC, f"“{text}” is no time zone; times are in UTC.")
    name = next((event.content.start_zone for event in reversed(list(events))), "UTC")
    return name, zone_of(name) or UTC, ""


def _monday(text: str, today: datetime) -> tuple[date, str]:
    wrong = ""
    try:
        day = date.fromisoformat(text) if text else today.date()
        if not 1900 <= day.year < 4000:  # noqa: PLR2004 - years that the store and the calendar both know
            raise ValueError  # noqa: TRY301 - told just below
    except ValueError:
        day, wrong = today.date(), f"“{text}” is no date; this is the present week."
    return day - timedelta(days=day.weekday()), wrong


def _instant(day: date, zone: tzinfo) -> int:
    return (datetime(day.year, day.month, day.day, tzinfo=zone) - _EPOCH) // _MICROSECOND


def _by_event(recent: Iterable[Record]) -> dict[tuple[int, str], Record]:
    """The latest change of each event by its number, and of single days of a series by number and day."""
    found: dict[tuple[int, str], Record] = {}
    for record in recent:
        detail = record.detail
        item = parse(detail["event"]) if "event" in detail else None
        if item is not None:
            found.setdefault((item.number, detail.get("occurrence", "")), record)
    return found


def _latest_of(event: Event, seen: _Seen) -> Record | None:
    of_day = "" if event.on_day is None else date.fromordinal(event.on_day).isoformat()
    found = [record for key in {"", of_day} if (record := seen.changes.get((event.number, key)))]
    return max(found, key=lambda record: record.number, default=None)


def _day(day: date, events: Iterable[Event], seen: _Seen) -> dict[str, Any]:
    begin, end = _instant(day, seen.zone), _instant(day + _DAY, seen.zone)
    cards = [
        _card(event, day, seen)
        for event in events
        if event.content.start < end and (event.content.end > begin or begin <= event.content.start)
    ]
    return {
        "date": day,
        "name": f"{day:%A} {day.day} {day:%B}",
        "cards": sorted(cards, key=lambda card: card.row),
    }


def _card(event: Event, day: date, seen: _Seen) -> Card:
    content = event.content
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - wall time
    start = max(wall(content.start, seen.zone).replace(tzinfo=None), midnight)
    end = min(wall(content.end, seen.zone).replace(tzinfo=None), midnight + _DAY)
    whole = content.all_day or end - start >= _DAY
    row = 0 if whole else (start - midnight) // _HALF_HOUR
    record = _latest_of(event, seen)
    maker = seen.makers.get(event.number, "")
    calendar = seen.calendars.get(event.folder, "")
    return Card(
        subject=words.subject(content.subject),
        times="All day" if whole else f"{start:%H:%M} to {end:%H:%M}",
        place="; ".join(place.name for place in content.locations if place.name),
        calendar="" if len(seen.calendars) == 1 else calendar,
        maker=words.who(maker, seen.names).removeprefix("application "),
        by_person=not maker.startswith("api:"),
        hidden=bool(event.properties),
        series=event.on_day is not None,
        change=_told(record, seen) if record else "",
        latest=record is not None and record.number == seen.latest,
        row=row,
        span=0 if whole else max(1, -((midnight + row * _HALF_HOUR - end) // _HALF_HOUR)),
    )


def _hours(days: Iterable[Iterable[Card]]) -> tuple[int, int]:
    """The first row of the grid and the one behind the last, whole hours, so that every card has its place."""
    cards = [card for cards in days for card in cards if card.span]
    first = min([2 * _USUAL[0], *(card.row for card in cards)])
    last = max([2 * _USUAL[1], *(card.row + card.span for card in cards)])
    return first - first % 2, min(ROWS, last + last % 2)


def _nearest(events: Iterable[Event], begin: int, zone: tzinfo) -> date | None:
    """The day of an event near an empty week: the next, or else the last before it."""
    starts = [event.content.start for event in events]
    later = [start for start in starts if start >= begin]
    if not starts:
        return None
    return wall(min(later) if later else max(starts), zone).date()


def _told(record: Record, seen: _Seen) -> str:
    """What was done to an event last; nothing if that was only its making, some time ago."""
    detail = record.detail
    if detail["action"] == "create" and record.number != seen.latest:
        return ""
    return f"{words.deed(detail)}, by {words.who(detail['cause'], seen.names)}"


def _change(record: Record, names: Mapping[str, str], zone: tzinfo) -> dict[str, Any]:
    detail = record.detail
    starts = detail.get("start")
    return {
        "number": record.number,
        "at": record.at,
        "subject": words.thing(detail),
        "starts": starts,
        "week": "" if starts is None else (_EPOCH + timedelta(seconds=starts)).astimezone(zone).date(),
        "deed": words.deed(detail),
        "who": words.who(detail["cause"], names),
    }
