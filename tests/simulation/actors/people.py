"""People in Outlook: they edit, move, copy, delete and restore what we made, and make events of their own."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.simulation.actors import act
from tests.simulation.world import World

from classbell.sandbox import Mailbox
from classbell.sandbox.ids import DELETED_ITEMS
from classbell.sandbox.store import Event


def _mailbox(world: World, random: Random) -> Mailbox:
    return random.choice(random.choice(world.institutions).mailboxes)


def _marked(world: World, random: Random, *, deleted: bool = False) -> tuple[Mailbox, Event] | None:
    """An event that bears a mark, in somebody's calendars or in Deleted Items."""
    mailbox = _mailbox(world, random)
    found = [
        event
        for event in mailbox.store.events.values()
        if event.properties and (event.folder == DELETED_ITEMS if deleted else event.is_live)
    ]
    return (mailbox, random.choice(found)) if found else None


def _id(mailbox: Mailbox, event: Event) -> str:
    return mailbox.store.ids.immutable(event.number)


def _told(mailbox: Mailbox, event: Event, text: str) -> str:
    return f"{mailbox.address} {text} {event.content.subject} (number {event.number})"


def _dragged(event: Event, hours: int) -> dict[str, Any]:
    """The same event at another time of its day."""
    begin, end = (
        datetime.fromtimestamp(micro / 1_000_000, UTC) + timedelta(hours=hours)
        for micro in (event.content.start, event.content.end)
    )
    return {
        "start": {"dateTime": f"{begin:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
        "end": {"dateTime": f"{end:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
    }


@act(3)
async def edit_event(world: World, random: Random) -> str:
    if (found := _marked(world, random)) is None:
        return ""
    mailbox, event = found
    changes = random.choice(
        (
            {"subject": f"mine {random.randint(1, 99)}"},
            {"showAs": "free"},
            {"importance": "high"},
            _dragged(event, random.choice((-2, -1, 1, 2))),
        )
    )
    mailbox.edit_event(_id(mailbox, event), changes)
    return _told(mailbox, event, "edits")


@act(1)
async def touch_event(world: World, random: Random) -> str:
    if (found := _marked(world, random)) is None:
        return ""
    mailbox, event = found
    mailbox.touch_event(_id(mailbox, event))
    return _told(mailbox, event, "touches")


@act(2)
async def delete_event(world: World, random: Random) -> str:
    if (found := _marked(world, random)) is None:
        return ""
    mailbox, event = found
    mailbox.delete_event(_id(mailbox, event))
    return _told(mailbox, event, "deletes")


@act(0.5)
async def purge_event(world: World, random: Random) -> str:
    if (found := _marked(world, random, deleted=random.random() < 0.5)) is None:
        return ""
    mailbox, event = found
    mailbox.purge_event(_id(mailbox, event))
    return _told(mailbox, event, "removes for good")


@act(1)
async def restore_event(world: World, random: Random) -> str:
    if (found := _marked(world, random, deleted=True)) is None:
        return ""
    mailbox, event = found
    mailbox.restore_event(_id(mailbox, event))
    return _told(mailbox, event, "restores")


@act(1.5)
async def copy_event(world: World, random: Random) -> str:
    if (found := _marked(world, random)) is None:
        return ""
    mailbox, event = found
    mailbox.copy_event(_id(mailbox, event), random.choice([None, *mailbox.calendars()]))
    return _told(mailbox, event, "copies")


@act(0.7)
async def copy_and_delete_event(world: World, random: Random) -> str:
    if (found := _marked(world, random)) is None:
        return ""
    mailbox, event = found
    mailbox.copy_event(_id(mailbox, event))
    mailbox.delete_event(_id(mailbox, event))
    return _told(mailbox, event, "copies, and deletes the original,")


@act(1.5)
async def move_event(world: World, random: Random) -> str:
    if (found := _marked(world, random)) is None:
        return ""
    mailbox, event = found
    mailbox.move_event(_id(mailbox, event), random.choice(list(mailbox.calendars())))
    return _told(mailbox, event, "moves")


@act(1)
async def forge_mark(world: World, random: Random) -> str:
    """Another program makes an event with the properties of ours."""
    if (found := _marked(world, random)) is None:
        return ""
    mailbox, event = found
    mailbox.put_event(
        {
            "subject": "forged",
            "start": {"dateTime": "2026-12-01T09:00:00", "timeZone": "UTC"},
            "end": {"dateTime": "2026-12-01T10:00:00", "timeZone": "UTC"},
            "singleValueExtendedProperties": [
                {"id": name, "value": value} for name, value in event.properties
            ],
        }
    )
    return _told(mailbox, event, "has a program that forges the mark of")


@act(1)
async def make_own_event(world: World, random: Random) -> str:
    mailbox = _mailbox(world, random)
    day = random.randint(1, 28)
    mailbox.put_event(
        {
            "subject": f"dentist {day}",
            "start": {"dateTime": f"2026-11-{day:02}T09:00:00", "timeZone": "UTC"},
            "end": {"dateTime": f"2026-11-{day:02}T10:00:00", "timeZone": "UTC"},
        }
    )
    return f"{mailbox.address} makes an event of their own"


@act(1)
async def create_calendar(world: World, random: Random) -> str:
    mailbox = _mailbox(world, random)
    name = random.choice(("Private", "timetable", "Timetable", "Club"))
    if name.casefold() in {known.casefold() for known in mailbox.calendars().values()}:
        return ""
    mailbox.create_calendar(name)
    return f"{mailbox.address} makes a calendar {name}"


@act(0.7)
async def rename_calendar(world: World, random: Random) -> str:
    institution = random.choice(world.institutions)
    mailbox = random.choice(institution.mailboxes)
    own = list(mailbox.calendars())[1:]
    name = random.choice(("Classes", "Timetable", "Old"))
    if not own or name in mailbox.calendars().values():
        return ""
    if name != institution.calendar:
        now = world.now()
        told = {"what": "other name", "institution": institution.id, "mailbox": mailbox.address}
        world.decisions.append(told | {"asked": now, "done": now})
    mailbox.rename_calendar(random.choice(own), name)
    return f"{mailbox.address} names a calendar {name}"


@act(0.5)
async def delete_calendar(world: World, random: Random) -> str:
    mailbox = _mailbox(world, random)
    own = list(mailbox.calendars())[1:]
    if not own:
        return ""
    mailbox.delete_calendar(random.choice(own))
    return f"{mailbox.address} deletes a calendar"
