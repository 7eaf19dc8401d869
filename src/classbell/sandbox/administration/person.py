"""A person in the box: what the owner of a mailbox does with its events and calendars."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter

from classbell.sandbox.administration import forms
from classbell.sandbox.administration.finding import TheMailbox, found

router = APIRouter(tags=["person"])
_MAILBOX = "/tenants/{tenant}/mailboxes/{mailbox}"
_EVENTS = _MAILBOX + "/events"
_EVENT = _EVENTS + "/{event}"
_CALENDARS = _MAILBOX + "/calendars"

_Event = dict[str, Any]


@router.get(_EVENTS)
async def list_events(
    mailbox: TheMailbox, begin: datetime | None = None, end: datetime | None = None
) -> list[_Event]:
    """All events of a mailbox with their hidden properties, or those that show between two moments."""
    if begin is None and end is None:
        return mailbox.events()
    if begin is None or end is None:
        raise ValueError("a view needs a begin and an end")
    return mailbox.calendar_view(begin, end)


@router.get(_MAILBOX + "/deleted-events")
async def list_deleted(mailbox: TheMailbox) -> list[_Event]:
    """The content of Deleted Items."""
    return mailbox.deleted_events()


@router.post(_EVENTS, status_code=201)
async def put_event(mailbox: TheMailbox, new: forms.NewEvent) -> forms.EventId:
    """The owner makes an event."""
    with found("calendar", new.calendar):
        return forms.EventId(id=mailbox.put_event(new.event, new.calendar))


@router.get(_EVENT)
async def show_event(mailbox: TheMailbox, event: str) -> _Event:
    """One event, wherever it is."""
    with found("event", event):
        return mailbox.event(event)


@router.patch(_EVENT)
async def edit_event(mailbox: TheMailbox, event: str, changes: _Event) -> _Event:
    """The owner changes an event, as PATCH would."""
    with found("event", event):
        mailbox.edit_event(event, changes)
        return mailbox.event(event)


@router.delete(_EVENT, status_code=204)
async def delete_event(mailbox: TheMailbox, event: str, *, for_good: bool = False) -> None:
    """Into Deleted Items, a second time away; or away at once."""
    with found("event", event):
        (mailbox.purge_event if for_good else mailbox.delete_event)(event)


@router.post(_EVENT + "/restore", status_code=204)
async def restore_event(mailbox: TheMailbox, event: str, place: forms.Place) -> None:
    """Back from Deleted Items into a calendar."""
    _check(mailbox, event, place)
    mailbox.restore_event(event, place.calendar)


@router.post(_EVENT + "/move", status_code=204)
async def move_event(mailbox: TheMailbox, event: str, place: forms.Place) -> None:
    """Drag an event into another calendar."""
    _check(mailbox, event, place)
    mailbox.move_event(event, place.calendar)


@router.post(_EVENT + "/copy", status_code=201)
async def copy_event(mailbox: TheMailbox, event: str, place: forms.Place) -> forms.EventId:
    """Copy and paste: the copy has the hidden properties too. Without a calendar it stays in its own."""
    _check(mailbox, event, place)
    return forms.EventId(id=mailbox.copy_event(event, place.calendar))


@router.post(_EVENT + "/touch", status_code=204)
async def touch_event(mailbox: TheMailbox, event: str) -> None:
    """A new version with nothing changed, as when a reminder is snoozed."""
    with found("event", event):
        mailbox.touch_event(event)


@router.get(_CALENDARS)
async def list_calendars(mailbox: TheMailbox) -> list[forms.CalendarTold]:
    """The calendars, the default one first."""
    return [forms.CalendarTold(id=key, name=name) for key, name in mailbox.calendars().items()]


@router.post(_CALENDARS, status_code=201)
async def create_calendar(mailbox: TheMailbox, new: forms.CalendarName) -> forms.CalendarTold:
    """A further calendar."""
    return forms.CalendarTold(id=mailbox.create_calendar(new.name), name=new.name)


@router.patch(_CALENDARS + "/{calendar}", status_code=204)
async def rename_calendar(mailbox: TheMailbox, calendar: str, new: forms.CalendarName) -> None:
    """Another name for a calendar."""
    with found("calendar", calendar):
        mailbox.rename_calendar(calendar, new.name)


@router.delete(_CALENDARS + "/{calendar}", status_code=204)
async def delete_calendar(mailbox: TheMailbox, calendar: str) -> None:
    """The calendar goes, with everything in it."""
    with found("calendar", calendar):
        mailbox.delete_calendar(calendar)


def _check(mailbox: TheMailbox, event: str, place: forms.Place) -> None:
    """Tell which of the two is unknown."""
    with found("event", event):
        mailbox.event(event)
    if place.calendar is not None and place.calendar not in mailbox.calendars():
        with found("calendar", place.calendar):
            raise KeyError(place.calendar)
