"""Events that are not ours, and how they fare: beside ours, under ours, and as copies of ours."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest
from tests.scenarios.university import (
    FIRST_MONDAY,
    NOW,
    event_of,
    open_university,
    republish,
    starts_in_utc,
)
from tests.scenarios.world import Institution, World

from classbell.sample import PlannedStory, SampleMeeting, University
from classbell.sandbox import Mailbox
from classbell.sandbox.ids import parse

# By each interface to calendars.
pytestmark = pytest.mark.usefixtures("each_api")


@dataclass
class Owner:
    """Somebody with a calendar and things of their own in it; knows each of them byte for byte."""

    mailbox: Mailbox
    meetings: list[SampleMeeting]
    own: dict[str, str] = field(default_factory=dict)

    def keep(self, event_id: str) -> None:
        self.own[event_id] = self._bytes(event_id)

    def put(self, **fields: Any) -> str:
        body = {
            "subject": "Lunch",
            "start": {"dateTime": "2026-09-24T12:00:00", "timeZone": "UTC"},
            "end": {"dateTime": "2026-09-24T13:00:00", "timeZone": "UTC"},
        }
        event_id = self.mailbox.put_event(body | fields)
        self.keep(event_id)
        return event_id

    def put_like(self, meeting: SampleMeeting) -> None:
        """An event of their own with the title and the time of a meeting."""
        start = {"dateTime": starts_in_utc(meeting), "timeZone": "UTC"}
        end = start | {"dateTime": start["dateTime"][:14] + "50:00"}
        self.put(subject=meeting.title, start=start, end=end)

    def copy(self, event_id: str, calendar: str | None = None, **changes: Any) -> None:
        """A copy of an event of ours, hidden properties and all; with *changes* edited afterwards."""
        copied = self.mailbox.copy_event(event_id, calendar)
        if changes:
            self.mailbox.edit_event(copied, changes)
        self.keep(copied)

    def changed(self) -> list[str]:
        """What of their own is no longer as it was."""
        return [event_id for event_id, before in self.own.items() if self._bytes(event_id) != before]

    def _bytes(self, event_id: str) -> str:
        # With etag, changeKey and the moment of the last change in it.
        event = self.mailbox.event(event_id)
        assert {"@odata.etag", "changeKey", "lastModifiedDateTime"} <= event.keys()
        return json.dumps(event, sort_keys=True)


def owners_of(institution: Institution, university: University, story: PlannedStory) -> list[Owner]:
    """A third of the people, those first whom a story of the day touches."""
    order = sorted(university.people, key=lambda person: person.address not in story.persons)
    number = {person.address: index for index, person in enumerate(university.people)}
    third = order[: -(-len(order) // 3)]
    return [
        Owner(
            institution.tenant.mailbox(person.address),
            [m for m in university.meetings if number[person.address] in m.attendees and not m.cancelled],
        )
        for person in third
    ]


def before_the_first_sync(owner: Owner) -> None:
    owner.put()
    owner.put_like(owner.meetings[0])
    owner.put_like(owner.meetings[-1])
    # As if another installation had delivered it here.
    tag = "String {7885c852-6065-4136-833e-5ef5a4c9919b} Name ClassbellMark"
    mark = '1/0d0fbbd4-26e4-4d4a-8c2f-7a3c5f9f3a11/2b4c/["other","ada","algebra",1,0,1]'
    owner.put(subject="Algebra", singleValueExtendedProperties=[{"id": tag, "value": mark}])


def during_the_term(owner: Owner, touched: Iterable[SampleMeeting]) -> None:
    calendar = owner.mailbox.create_calendar("Mine")
    ours = event_of(owner.mailbox, owner.meetings[1])["id"]
    owner.copy(ours)
    owner.copy(ours, calendar)
    owner.copy(ours, subject="Revision", location={"displayName": "at home"})
    for meeting in touched:
        if meeting in owner.meetings:
            owner.copy(event_of(owner.mailbox, meeting)["id"])
            owner.put_like(meeting)
            owner.put(subject=meeting.title)


def writes_to_others(world: World) -> list[str]:
    """Requests of ours to change or delete an event that we did not create."""
    created = {
        item(record.detail["event"])
        for record in world.sandbox.history
        if record.change and record.change.action == "create" and record.change.cause.startswith("api:")
    }
    paths = [record.path for record in world.sandbox.history if record.method in {"PATCH", "DELETE"}]
    assert paths
    return [path for path in paths if item(unquote(path.rpartition("/")[2])) not in created]


def item(event_id: str) -> tuple[object, int]:
    """Which event an id of either form names."""
    read = parse(event_id)
    assert read is not None
    return read.replica, read.number


def events_told_to_us(world: World, owners: Iterable[Owner]) -> set[str]:
    """Events of their own that an answer to us ever carried."""
    own = {event_id for owner in owners for event_id in owner.own}
    reads = (record for record in world.sandbox.history if record.kind == "request")
    return {event_id for record in reads for event_id in record.detail.get("events", ())} & own


def test_what_people_made_is_the_same_byte_for_byte_after_creates_updates_and_deletes(world: World) -> None:
    world.set_time(NOW)
    university = University.generate(people=36, weeks=3, first_monday=FIRST_MONDAY)
    later, stories = university.day_of_changes(NOW)
    latest, more = later.day_of_changes(NOW)
    touched = [m for m in university.meetings if m.key in {key for s in stories for key in s.meetings}]
    institution = open_university(world, university)
    owners = owners_of(institution, university, stories[0])

    for owner in owners:
        before_the_first_sync(owner)
    world.synced()
    for owner in owners:
        during_the_term(owner, touched)
    republish(world, later)
    with world.watched() as seen:
        world.synced()
    assert seen.changes == _told(stories)
    assert min(seen.changes[action] for action in ("create", "update", "delete")) > 0
    republish(world, latest)
    with world.watched() as seen:
        world.synced()
    assert seen.changes == _told(more)

    assert sum(len(owner.own) for owner in owners) >= 10 * len(owners)
    assert [owner.changed() for owner in owners] == [[]] * len(owners)
    assert writes_to_others(world) == []
    assert events_told_to_us(world, owners) == set()
    assert world.sandbox.outbox == []
    with world.watched() as again:
        world.synced()
    assert again.records == []


def _told(stories: Iterable[PlannedStory]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for change in (change for story in stories for change in story.changes):
        counts[change.action] = counts.get(change.action, 0) + 1
    return counts


# Without ids that last, it might be our event, moved: what nothing proves is held, and nothing is made beside it.
@pytest.mark.needs("immutable_ids")
def test_a_copy_that_took_our_events_place_stays_and_our_event_is_made_again_beside_it(world: World) -> None:
    world.set_time(NOW)
    university = University.generate(people=20, weeks=4, first_monday=FIRST_MONDAY)
    later, stories = university.day_of_changes(NOW)
    moved = next(story for story in stories if story.kind == "moved")
    (meeting,) = [m for m in university.meetings if m.key in moved.meetings]
    (after,) = [m for m in later.meetings if m.key in moved.meetings]
    institution = open_university(world, university)
    owner = Owner(institution.tenant.mailbox(moved.persons[0]), [meeting])
    world.synced()
    ours = event_of(owner.mailbox, meeting)["id"]
    owner.copy(ours)
    owner.mailbox.purge_event(ours)

    republish(world, later)
    world.synced()

    assert owner.changed() == []
    assert event_of(owner.mailbox, after)["id"] not in owner.own
    assert writes_to_others(world) == []
    with world.watched() as again:
        world.synced()
    assert again.records == []
