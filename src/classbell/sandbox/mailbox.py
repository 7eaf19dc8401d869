"""A mailbox as its owner sees and uses it, directly and not over HTTP."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from classbell.sandbox import accept, series
from classbell.sandbox.ids import CALENDARS, DEFAULT_CALENDAR, DELETED_ITEMS, MailboxIds, parse
from classbell.sandbox.properties import merged
from classbell.sandbox.represent import Owner, View, event_json, properties_json
from classbell.sandbox.store import Calendar, Event, Store, Surroundings
from classbell.sandbox.switches import Switches

State = Literal[
    "active",
    "missing",
    "unlicensed",
    "on-premises",
    "soft-deleted",
    "undiscoverable",
    "full",
    "moving",
    "stale",
    "unavailable",
    "busy",
]
STATES: tuple[str, ...] = get_args(State)

_USER = "user"
_SEEN = View(immutable=True)


class Mailbox:
    """
    A mailbox of a tenant.

    Ids given out here are immutable ids; ids taken may be of either kind. Methods raise KeyError for an
    event or calendar that is not there, and ``Refusal`` for content that the service would refuse.

    Attributes:
        address: its present address, which is also its user principal name.
        id: the object id of its user.
        state: one of ``STATES``; may be changed at any time.
    """

    __slots__ = ("_lock", "_switches", "address", "id", "name", "state", "store")

    def __init__(
        self,
        address: str,
        *,
        user_id: str,
        guids: tuple[UUID, UUID],
        state: str,
        tenant: str,
        around: Surroundings,
        switches: Switches,
        lock: AbstractContextManager[object],
    ) -> None:
        if state not in STATES:
            raise ValueError(f"{state!r} is no state of a mailbox; choose one of {', '.join(STATES)}")
        self.address = address
        self.id = user_id
        self.name = address.partition("@")[0].replace(".", " ").title()
        self.state = state
        self.store = Store(around, tenant, address, MailboxIds.of(*guids))
        self._switches = switches
        self._lock = lock

    @property
    def owner(self) -> Owner:
        """What representations need to know of it."""
        return Owner(self.address, self.name, self.store.ids)

    def calendar_view(
        self, begin: datetime, end: datetime, calendar: str | None = None
    ) -> list[dict[str, Any]]:
        """
        What its owner sees between two moments (naive means UTC), ordered by start.

        Args:
            begin: the first moment.
            end: the moment after the last.
            calendar: the id of one calendar; without it, all calendars of the mailbox.

        Returns:
            Events in the JSON shape of Graph with ``singleValueExtendedProperties``, times in UTC.
        """
        first, last = _microseconds(begin), _microseconds(end)
        with self._lock:
            folder = None if calendar is None else self._calendar(calendar).number
            seen = list(series.expanded(self.store, folder, first, last))
            seen.sort(key=lambda event: event.content.start)
            return [self._seen(event) for event in seen]

    def events(self) -> list[dict[str, Any]]:
        """
        All events in all calendars, oldest first, in the shape of :meth:`calendar_view`.

        A recurring one is there as its series.
        """
        with self._lock:
            return [self._seen(event) for event in self.store.live()]

    def deleted_events(self) -> list[dict[str, Any]]:
        """The content of Deleted Items."""
        with self._lock:
            return [
                self._seen(event) for event in self.store.events.values() if event.folder == DELETED_ITEMS
            ]

    def event(self, event_id: str) -> dict[str, Any]:
        """One event, wherever it is."""
        with self._lock:
            return self._seen(self._event(event_id))

    def put_event(self, body: dict[str, Any], calendar: str | None = None) -> str:
        """An event made by the owner (in the default calendar unless told), from JSON as Graph takes it."""
        with self._lock:
            draft = accept.read(body, self._switches, creating=True)
            folder = DEFAULT_CALENDAR if calendar is None else self._calendar(calendar).number
            event = self.store.create(
                folder, draft.content(None), merged((), draft.properties), "", cause=_USER
            )
            return self._id(event)

    def edit_event(self, event_id: str, changes: dict[str, Any]) -> None:
        """Change an event, as PATCH would."""
        with self._lock:
            event = self._event(event_id)
            draft = accept.read(changes, self._switches, creating=False)
            content = draft.content(event.content)
            hidden = merged(event.properties, draft.properties)
            series.update(self.store, event, content, hidden, switches=self._switches, cause=_USER)

    def delete_event(self, event_id: str) -> None:
        """Into Deleted Items; a second time, away."""
        with self._lock:
            series.delete(self.store, self._event(event_id), cause=_USER)

    def purge_event(self, event_id: str) -> None:
        """Away for good."""
        with self._lock:
            series.delete(self.store, self._event(event_id), cause=_USER, for_good=True)

    def restore_event(self, event_id: str, calendar: str | None = None) -> None:
        """Back from Deleted Items into a calendar."""
        self.move_event(event_id, calendar)

    def move_event(self, event_id: str, calendar: str | None = None) -> None:
        """Drag an event into another calendar (the default one unless told)."""
        with self._lock:
            folder = DEFAULT_CALENDAR if calendar is None else self._calendar(calendar).number
            self.store.move(self._whole(event_id), folder, cause=_USER)

    def copy_event(self, event_id: str, calendar: str | None = None) -> str:
        """Copy and paste: a second event with the same content and hidden properties."""
        with self._lock:
            event = self._whole(event_id)
            folder = event.folder if event.is_live else DEFAULT_CALENDAR
            if calendar is not None:
                folder = self._calendar(calendar).number
            return self._id(self.store.copy(event, folder, cause=_USER))

    def touch_event(self, event_id: str) -> None:
        """A new version with nothing changed, as when a reminder is snoozed."""
        with self._lock:
            self.store.touch(self._whole(event_id), cause=_USER)

    def calendars(self) -> dict[str, str]:
        """The names of its calendars by id, the default one first."""
        with self._lock:
            return {
                self.store.ids.mutable(calendar.parent, calendar.number): calendar.name
                for calendar in self.store.calendars.values()
            }

    def create_calendar(self, name: str) -> str:
        """A further calendar; returns its id."""
        with self._lock:
            calendar = self.store.create_calendar(name, "auto", cause=_USER)
            return self.store.ids.mutable(calendar.parent, calendar.number)

    def rename_calendar(self, calendar_id: str, name: str) -> None:
        """Another name for a calendar."""
        with self._lock:
            calendar = self._calendar(calendar_id)
            self.store.update_calendar(calendar, name, calendar.color, cause=_USER)

    def delete_calendar(self, calendar_id: str) -> None:
        """The calendar goes, with everything in it."""
        with self._lock:
            calendar = self._calendar(calendar_id)
            if calendar.is_default:
                raise ValueError("the default calendar cannot be deleted")
            self.store.delete_calendar(calendar, cause=_USER)

    def set_time_zone(self, name: str) -> None:
        """Choose a time zone in Outlook, which takes more than Graph does: nothing, or one made by hand."""
        with self._lock:
            self.store.personal.settings["timeZone"] = name
            self.store.note("update-settings", "timeZone", cause=_USER)

    def _seen(self, event: Event) -> dict[str, Any]:
        whole = event_json(event, self.owner, _SEEN)
        return whole | {"singleValueExtendedProperties": properties_json(event, None)}

    def _id(self, event: Event) -> str:
        return self.store.ids.immutable(event.number)

    def _event(self, event_id: str) -> Event:
        item = parse(event_id)
        if item is None or item.replica != self.store.ids.replica:
            raise KeyError(event_id)
        event = self.store.events[item.number]
        if item.day is None:
            return event
        occurrence = series.on_day(self.store, event, item.day)
        if occurrence is None:
            raise KeyError(event_id)
        return occurrence

    def _whole(self, event_id: str) -> Event:
        event = self._event(event_id)
        if event.on_day is not None:
            raise ValueError("an occurrence can be changed and deleted; all else is done with its series")
        return event

    def _calendar(self, calendar_id: str) -> Calendar:
        item = parse(calendar_id)
        if item is None or item.folder != CALENDARS or item.replica != self.store.ids.replica:
            raise KeyError(calendar_id)
        return self.store.calendars[item.number]


def _microseconds(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1_000_000)
