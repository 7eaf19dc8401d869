"""
The calendars and events of one mailbox, and the only code that changes them.

Every change gives the item a new version, is written into the history with its cause, and counts the mails
that the service would have sent. Callers hold the sandbox's lock.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from classbell.sandbox.content import Attendee, Content
from classbell.sandbox.history import Change, History
from classbell.sandbox.ids import CALENDARS, DEFAULT_CALENDAR, DELETED_ITEMS, MY_CALENDARS, MailboxIds
from classbell.sandbox.personal import Personal

FIRST_OWN_CALENDAR = 0x0200
PURGED = 0

Properties = tuple[tuple[str, str], ...]


# Without gc: there are millions of them and none takes part in a cycle.
class Event(msgspec.Struct, gc=False, kw_only=True):
    """
    One event: its identity and times beside content that may be shared.

    ``folder`` is the number of its calendar, ``DELETED_ITEMS`` or ``PURGED``. ``posted`` and
    ``posted_properties`` are what its create said, for the comparison that ``transactionId`` needs;
    ``made_by`` is the cause of its create, or of the copy that it is.
    """

    number: int
    folder: int
    version: int
    created: float
    modified: float
    content: Content
    properties: Properties
    transaction: str
    posted: Content
    posted_properties: Properties
    made_by: str = ""

    @property
    def is_live(self) -> bool:
        """Whether it stands in a calendar."""
        return self.folder not in (DELETED_ITEMS, PURGED)

    @property
    def kind(self) -> str:
        """Its ``type``."""
        return "singleInstance" if self.content.recurrence is None else "seriesMaster"

    @property
    def on_day(self) -> int | None:
        """The day (an ordinal) of an occurrence in its series; None of any other event."""
        return None


class Occurrence(Event, gc=False, kw_only=True):
    """
    One day of a series, made to be looked at: nothing of it is stored but its deviation, if it has one.

    ``number``, ``folder`` and ``version`` are those of the series, which is one item of the store; ``original``
    is the start that the pattern gives it.
    """

    day: int
    original: int
    deviates: bool

    @property
    def kind(self) -> str:
        """Its ``type``."""
        return "exception" if self.deviates else "occurrence"

    @property
    def on_day(self) -> int:
        """The day (an ordinal) in its series."""
        return self.day


class Deviation(msgspec.Struct, frozen=True, gc=False):
    """What one occurrence says where it is an exception."""

    content: Content
    properties: Properties
    modified: float


class Series(msgspec.Struct):
    """What has become of single days of a series: those changed, and those taken out."""

    exceptions: dict[int, Deviation] = {}
    cancelled: set[int] = set()


class Calendar(msgspec.Struct, gc=False):
    """A calendar folder; ``number`` is the folder of its events, ``group`` that of its group."""

    number: int
    name: str
    version: int
    color: str = "auto"
    is_default: bool = False
    parent: int = CALENDARS
    group: int = MY_CALENDARS


@dataclass(frozen=True, slots=True)
class Mail:
    """
    A mail that the service would have sent.

    ``kind`` is invitation, update or cancellation; ``cause`` is ``api:<client id>`` or ``user``.
    """

    at: float
    tenant: str
    sender: str
    recipient: str
    kind: str
    subject: str
    cause: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a store shares with the others of its sandbox."""

    now: Callable[[], float]
    history: History
    outbox: list[Mail]
    contents: dict[Content, Content]


class Store:
    """
    The content of one mailbox.

    ``changes`` are the numbers of the history's records of its latest changes, oldest first.
    """

    __slots__ = (
        "_around",
        "_last_folder",
        "_last_number",
        "_last_version",
        "_personal",
        "address",
        "calendars",
        "changes",
        "events",
        "ids",
        "series",
        "tenant",
        "transactions",
    )

    def __init__(self, around: Surroundings, tenant: str, address: str, ids: MailboxIds) -> None:
        self._around = around
        self.tenant = tenant
        self.address = address
        self.ids = ids
        self._last_number = 0
        self._last_version = 1
        self._last_folder = FIRST_OWN_CALENDAR
        self.changes = array("I")
        self.events: dict[int, Event] = {}
        self.transactions: dict[str, Event] = {}
        self.series: dict[int, Series] = {}
        self._personal: Personal | None = None
        self.calendars = {
            DEFAULT_CALENDAR: Calendar(DEFAULT_CALENDAR, "Calendar", 1, is_default=True),
        }

    @property
    def personal(self) -> Personal:
        """What it holds beside calendars and events."""
        if self._personal is None:
            self._personal = Personal.of_new_mailbox()
        return self._personal

    @property
    def counters(self) -> tuple[tuple[int, int, int], Personal | None]:
        """What the next event, version and calendar are counted from, and what is personal, if anything is."""
        return (self._last_number, self._last_version, self._last_folder), self._personal

    @counters.setter
    def counters(self, told: tuple[tuple[int, int, int], Personal | None]) -> None:
        (self._last_number, self._last_version, self._last_folder), self._personal = told

    def note(self, action: str, name: str, *, cause: str) -> None:
        """Write a change of something personal into the history."""
        self._add(Change(action, cause, self.ids, 0, 0, name=name))

    def live(self, folder: int | None = None) -> Iterator[Event]:
        """The events of one calendar, or of all."""
        return (
            event
            for event in self.events.values()
            if event.is_live and (folder is None or event.folder == folder)
        )

    def create(
        self, folder: int, content: Content, properties: Properties, transaction: str, *, cause: str
    ) -> Event:
        """A new event."""
        content = self._shared(content)
        self._last_number += 1
        now = self._around.now()
        event = Event(
            number=self._last_number,
            folder=folder,
            version=self.next_version(),
            created=now,
            modified=now,
            content=content,
            properties=properties,
            transaction=transaction,
            posted=content,
            posted_properties=properties,
            made_by=cause,
        )
        self.events[event.number] = event
        if transaction:
            self.transactions[transaction] = event
        self._record("create", event, cause)
        self._mail("invitation", content, content.attendees, cause)
        return event

    def update(self, event: Event, content: Content, properties: Properties, *, cause: str) -> None:
        """New content; a new version even if nothing differs, as in life."""
        before, event.content = event.content, self._shared(content)
        if content.recurrence is None:
            self.series.pop(event.number, None)
        event.properties = properties
        self._changed("update", event, cause)
        if content.attendees or before.attendees:
            self._mail_update(before, content, cause)

    def update_occurrence(
        self, series: Event, day: int, content: Content, properties: Properties, *, cause: str
    ) -> None:
        """Let one day of a series differ."""
        days = self.series.setdefault(series.number, Series())
        days.exceptions[day] = Deviation(self._shared(content), properties, self._around.now())
        self._changed("update-occurrence", series, cause, content=content, properties=properties, day=day)
        self._mail("update", content, content.attendees, cause)

    def delete_occurrence(self, series: Event, day: int, content: Content, *, cause: str) -> None:
        """Take one day out of a series; *content* is what stood there."""
        days = self.series.setdefault(series.number, Series())
        days.exceptions.pop(day, None)
        days.cancelled.add(day)
        self._changed("delete-occurrence", series, cause, content=content, day=day)
        self._mail("cancellation", content, content.attendees, cause)

    def touch(self, event: Event, *, cause: str) -> None:
        """A new version with nothing changed: a reminder snoozed, the service tidying up."""
        self._changed("touch", event, cause)

    def delete(self, event: Event, *, cause: str) -> None:
        """Into Deleted Items; from there, away."""
        if event.folder == DELETED_ITEMS:
            self.purge(event, cause=cause)
            return
        event.folder = DELETED_ITEMS
        self._changed("delete", event, cause)
        self._mail("cancellation", event.content, event.content.attendees, cause)

    def purge(self, event: Event, *, cause: str) -> None:
        """Away, beyond what any client can see."""
        was_live = event.is_live
        event.folder = PURGED
        del self.events[event.number]
        self.series.pop(event.number, None)
        self._changed("purge", event, cause)
        if was_live:
            self._mail("cancellation", event.content, event.content.attendees, cause)

    def move(self, event: Event, folder: int, *, cause: str) -> None:
        """Into another calendar; its mutable id changes with it."""
        action = "move" if event.is_live else "restore"
        event.folder = folder
        self._changed(action, event, cause)

    def copy(self, event: Event, folder: int, *, cause: str) -> Event:
        """A second event with the same content and hidden properties, without a transaction id."""
        self._last_number += 1
        now = self._around.now()
        twin = msgspec.structs.replace(
            event,
            number=self._last_number,
            folder=folder,
            version=self.next_version(),
            created=now,
            modified=now,
            transaction="",
            made_by=cause,
        )
        self.events[twin.number] = twin
        if event.number in self.series:
            days = self.series[event.number]
            self.series[twin.number] = Series(dict(days.exceptions), set(days.cancelled))
        self._record("copy", twin, cause, source=event.number)
        return twin

    def next_folder(self) -> int:
        """A number for a new calendar or group."""
        self._last_folder += 1
        return self._last_folder

    def create_calendar(self, name: str, color: str, *, cause: str, group: int = MY_CALENDARS) -> Calendar:
        """A new calendar beside the default one."""
        calendar = Calendar(self.next_folder(), name, self.next_version(), color, group=group)
        self.calendars[calendar.number] = calendar
        self._record_calendar("create-calendar", calendar, cause)
        return calendar

    def update_calendar(self, calendar: Calendar, name: str, color: str, *, cause: str) -> None:
        """Another name or colour."""
        calendar.name, calendar.color = name, color
        calendar.version = self.next_version()
        self._record_calendar("rename-calendar", calendar, cause)

    def delete_calendar(self, calendar: Calendar, *, cause: str, for_good: bool = False) -> None:
        """The calendar goes, and its events with it into Deleted Items, or for good."""
        for event in list(self.live(calendar.number)):
            (self.purge if for_good else self.delete)(event, cause=cause)
        del self.calendars[calendar.number]
        self._record_calendar("delete-calendar", calendar, cause)

    def _shared(self, content: Content) -> Content:
        contents = self._around.contents
        if len(contents) >= _SHARED_CONTENTS:
            contents.clear()
        return contents.setdefault(content, content)

    def next_version(self) -> int:
        """A number for a new version of anything here."""
        self._last_version += 1
        return self._last_version

    def _changed(self, action: str, event: Event, cause: str, **of_day: Any) -> None:
        event.version = self.next_version()
        event.modified = self._around.now()
        self._record(action, event, cause, **of_day)

    def _record(self, action: str, event: Event, cause: str, *, source: int = 0, **of_day: Any) -> None:
        change = Change(
            action, cause, self.ids, event.number, event.folder, event.content, event.properties, source
        )
        self._add(msgspec.structs.replace(change, **of_day) if of_day else change)

    def _record_calendar(self, action: str, calendar: Calendar, cause: str) -> None:
        self._add(Change(action, cause, self.ids, calendar.number, calendar.parent, name=calendar.name))

    def _add(self, change: Change) -> None:
        app = change.cause.removeprefix("api:") if change.cause.startswith("api:") else ""
        record = self._around.history.add(
            "change", tenant=self.tenant, app=app, mailbox=self.address, more=change
        )
        self.changes.append(record.number)
        if len(self.changes) > 2 * _LATEST_CHANGES:
            del self.changes[:_LATEST_CHANGES]

    def _mail_update(self, before: Content, after: Content, cause: str) -> None:
        old = set(before.attendees)
        if msgspec.structs.replace(before, attendees=()) == msgspec.structs.replace(after, attendees=()):
            self._mail("invitation", after, tuple(who for who in after.attendees if who not in old), cause)
        else:
            self._mail("update", after, after.attendees, cause)
        gone = old - set(after.attendees)
        self._mail("cancellation", after, tuple(who for who in before.attendees if who in gone), cause)

    def _mail(self, kind: str, content: Content, recipients: tuple[Attendee, ...], cause: str) -> None:
        if not recipients:
            return
        now = self._around.now()
        self._around.outbox.extend(
            Mail(now, self.tenant, self.address, who.address, kind, content.subject, cause)
            for who in recipients
        )


# Content is shared between the mailboxes of one lecture, which are written close together.
_SHARED_CONTENTS = 50_000
# So many of a mailbox's latest changes are found at once; all are in the history.
_LATEST_CHANGES = 500
