"""
What went wrong with other tools that write timetables into calendars, and what happens here.

Each test is an incident that its users have reported in public; the place is named.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.deliver.stage import mark_of, member
from tests.scenarios.campus import Class, as_feed
from tests.scenarios.world import Institution, Synced, World, ics
from tests.sources.web_site import Answer, Site, web_site

from classbell.sandbox import Mailbox

MONDAY = datetime(2026, 9, 21, 6, 0, tzinfo=UTC)
# After that a look decides what became of a lost request.
LATER = timedelta(minutes=12)
FORBIDDEN = b"<!DOCTYPE html><html><body>403 Forbidden</body></html>"
ADA = "ada@example.edu"


def weekly(number: int, title: str = "algebra") -> list[Class]:
    """A class on each of some coming days."""
    noon = MONDAY.replace(hour=12)
    return [Class(f"{title}-{day:02}", noon + timedelta(days=day)) for day in range(1, number + 1)]


@dataclass
class Incident:
    """Ada, whose calendar comes from a feed, at a Monday at six and after."""

    world: World
    institution: Institution
    feed: Path
    now: datetime = MONDAY

    @property
    def mailbox(self) -> Mailbox:
        return self.institution.mailbox("ada")

    def publish(self, planned: Sequence[Class]) -> None:
        self.feed.write_bytes(as_feed(planned))

    def sync(self, after: timedelta = timedelta(hours=1)) -> Synced:
        self.now += after
        self.world.set_time(self.now)
        return self.world.sync()

    def holds(self, planned: Sequence[Class]) -> bool:
        standing = sorted((e["subject"], e["start"]["dateTime"][:16]) for e in self.mailbox.events())
        return standing == sorted((one.key, f"{one.start:%Y-%m-%dT%H:%M}") for one in planned)


def settled(incident: Incident, planned: Sequence[Class]) -> None:
    """After what is due has come due, everything is right and a further run writes nothing."""
    incident.sync(LATER)
    incident.sync(LATER)
    assert incident.holds(planned)
    with incident.world.watched() as seen:
        last = incident.sync(LATER)
    assert (last.report.exit_code, seen.by_us) == (0, [])


@pytest.fixture
def incident(world: World) -> Incident:
    """Nothing is delivered yet."""
    world.set_time(MONDAY)
    feed = world.folder / "ada.ics"
    feed.write_bytes(as_feed(weekly(10)))
    made = world.add_institution(ics("feed", [(ADA, feed)]), ["ada", "grace"], timezone="UTC")
    return Incident(world, made, feed)


@pytest.fixture
def delivered(incident: Incident) -> Incident:
    incident.world.synced()
    assert incident.holds(weekly(10))
    return incident


def test_a_feed_that_answers_403_removed_all_events_which_came_back_later(world: World) -> None:
    """GAS-ICS-Sync, issue 118: the answer was read as a calendar without events."""
    world.set_time(MONDAY)
    with web_site() as site:
        made = world.add_institution(_from(site), ["ada"], timezone="UTC")
        incident = Incident(world, made, world.folder / "unused")
        world.synced()
        ids = {event["id"] for event in incident.mailbox.events()}
        site.put("/ada.ics", Answer(FORBIDDEN, status=403))
        for _ in range(3):
            with world.watched() as seen:
                assert incident.sync().report.exit_code in {4, 5}
            assert seen.by_us == []
        site.put("/ada.ics", as_feed(weekly(10)))
        with world.watched() as seen:
            assert incident.sync().report.exit_code == 0
    assert seen.by_us == []
    assert {event["id"] for event in incident.mailbox.events()} == ids


def _from(site: Site) -> str:
    return ics("feed", [(ADA, site.put("/ada.ics", as_feed(weekly(10))))], private=True)


@pytest.mark.parametrize("left", [0.0, 0.3, 0.9])
def test_a_source_that_vanished_in_the_midst_of_a_sync_took_everything_with_it(
    delivered: Incident, left: float
) -> None:
    """OutlookGoogleCalendarSync, issues 198, 2022 and 2215."""
    body = delivered.feed.read_bytes()
    delivered.feed.write_bytes(body[: int(len(body) * left)])
    with delivered.world.watched() as seen:
        assert delivered.sync().report.exit_code == 4
    assert seen.by_us == []
    delivered.feed.unlink()
    with delivered.world.watched() as seen:
        assert delivered.sync().report.exit_code == 4
    assert seen.by_us == []
    assert delivered.holds(weekly(10))


def test_a_time_out_after_a_successful_insert_made_the_event_twice(incident: Incident) -> None:
    """odoo, pull request 229646: the id was never stored, so the next run inserted again."""
    incident.world.sandbox.switches.transaction_memory = 0.0
    incident.world.sandbox.faults.add(member("POST"), "504-after", times=4)
    incident.sync()
    assert len(incident.mailbox.events()) == 10
    settled(incident, weekly(10))


def test_a_503_made_two_equal_events_or_one_without_its_mark(incident: Incident) -> None:
    """msgraph-sdk-ruby, issue 38: ConcurrentItemSave, and the deed done twice."""
    incident.world.sandbox.switches.transaction_memory = 0.0
    incident.world.sandbox.faults.add(member("POST"), "503-twice", times=1)
    incident.sync()
    # What cannot come apart: the mark is part of the very request that makes the event.
    assert all(mark_of(event) for event in incident.mailbox.events())
    for _ in range(3):
        done = incident.sync(LATER)
        assert len(incident.mailbox.events()) <= 11
    surplus = len(incident.mailbox.events()) - 10
    # Nothing is guessed: either the surplus was provably ours and is gone, or a person is told.
    assert (surplus, done.report.exit_code) in {(0, 0), (1, 4)}


def test_a_transaction_id_that_was_used_before_was_tried_for_ever(incident: Incident) -> None:
    """corso, issue 2490: ErrorDuplicateTransactionId, whose event its owner had deleted meanwhile."""
    incident.world.sandbox.switches.transaction_of_deleted = "duplicate"
    post = member("POST")
    incident.world.sandbox.faults.add(
        lambda info: post(info) and info.body.get("subject") == "algebra-01", "504-after"
    )
    incident.sync()
    first = next(event for event in incident.mailbox.events() if event["subject"] == "algebra-01")
    incident.mailbox.delete_event(first["id"])
    with incident.world.watched() as seen:
        for _ in range(4):
            incident.sync(LATER)
    assert (
        len([record for record in seen.asked if record.method == "POST" and record.path.endswith("/events")])
        <= 2
    )
    settled(incident, weekly(10))


def test_copies_by_users_carried_the_marks_along_and_the_wrong_one_was_deleted(delivered: Incident) -> None:
    """OutlookGoogleCalendarSync, issues 433 and 2007."""
    first = delivered.mailbox.events()[0]
    copy = delivered.mailbox.copy_event(first["id"])
    rest = [one for one in weekly(10) if one.key != first["subject"]]
    delivered.publish(rest)
    delivered.sync()
    delivered.sync(LATER)
    assert first["id"] not in {event["id"] for event in delivered.mailbox.events()}
    assert delivered.mailbox.event(copy)["subject"] == first["subject"]


def test_what_people_deleted_came_back_for_ever(incident: Incident) -> None:
    """CalendarSync, issue 167."""
    text = incident.institution.file.read_text(encoding="utf-8")
    text = text.replace("[[profiles]]\n", '[[profiles]]\non_user_delete = "respect"\n')
    text += "\n[safety]\nverify_percent = 100\n"
    incident.institution.file.write_text(text, encoding="utf-8")
    incident.world.synced()
    first = next(event for event in incident.mailbox.events() if event["subject"] == "algebra-01")
    incident.sync()
    incident.mailbox.delete_event(first["id"])
    # Read back at the end of the next run, and remembered from then on, whatever else changes.
    changed = weekly(10)
    for minutes in (0, 30, 60):
        changed[1] = replace(changed[1], start=weekly(2)[1].start + timedelta(minutes=minutes))
        incident.publish(changed)
        incident.sync()
        assert incident.holds(changed[1:])
    # Another time is another class.
    changed[0] = replace(changed[0], start=changed[0].start + timedelta(minutes=30))
    incident.publish(changed)
    incident.sync()
    assert incident.holds(changed)


@pytest.mark.prove
@pytest.mark.parametrize("turns", [40, 200, 600])
def test_a_task_cancelled_in_the_midst_of_a_commit_left_a_transaction_open(
    incident: Incident, turns: int
) -> None:
    """SQLAlchemy, issues 8145, 12728 and 13381."""
    incident.world.cancelled(turns)
    settled(incident, weekly(10))


def test_a_412_for_no_reason_of_ours_ended_the_sync_or_overwrote_the_event(delivered: Incident) -> None:
    """Analog, pull request 475; msgraph-sdk-dotnet, issue 1201: sometimes it passes by itself."""
    later = [replace(one, start=one.start + timedelta(hours=1)) for one in weekly(10)]
    delivered.publish(later)
    fault = delivered.world.sandbox.faults.add(member("PATCH"), "412-before", times=3)
    delivered.sync()
    assert fault.hits == 3
    settled(delivered, later)


def test_many_requests_to_one_mailbox_at_once_were_refused(incident: Incident) -> None:
    """Microsoft Q&A 734143: MailboxConcurrency, from five in a batch on."""
    incident.publish(weekly(60))
    with incident.world.watched() as seen:
        incident.world.synced()
    assert incident.holds(weekly(60))
    assert [record.status for record in seen.refusals if record.status == 429] == []


@pytest.mark.parametrize(
    "rule",
    ["FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=SECONDLY;INTERVAL=1;UNTIL=20991231T000000Z"],
)
def test_a_feed_of_187_bytes_took_all_time_and_memory(world: World, rule: str) -> None:
    """dateutil, issue 1094; node-ical, issue 542; Radicale, issue 2188: a rule for a meeting in each second."""
    world.set_time(MONDAY)
    good, bad = world.folder / "ada.ics", world.folder / "grace.ics"
    for feed in (good, bad):
        feed.write_bytes(as_feed(weekly(10)))
    feeds = [(ADA, good), ("grace@example.edu", bad)]
    made = world.add_institution(ics("feed", feeds), ["ada", "grace"], timezone="UTC")
    incident = Incident(world, made, good)
    world.synced()
    bad.write_bytes(
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\nSUMMARY:Boom\r\nDTSTART:20260101T000000Z\r\n"
        b"DTEND:20260101T000001Z\r\nRRULE:" + rule.encode() + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    incident.publish(weekly(11))
    began = time.monotonic()
    done = incident.sync()
    assert time.monotonic() - began < 30
    assert done.report.exit_code != 0
    assert len(made.mailbox("grace").events()) == 10
    assert not [event for event in made.mailbox("grace").events() if event["subject"] == "Boom"]


def test_a_calendar_that_its_owner_deleted_stopped_everything(world: World) -> None:
    """It is made again, once, and filled; the default calendar and those of others see nothing of it."""
    world.set_time(MONDAY)
    feed = world.folder / "ada.ics"
    feed.write_bytes(as_feed(weekly(10)))
    made = world.add_institution(ics("feed", [(ADA, feed)]), ["ada"], timezone="UTC")
    text = made.file.read_text(encoding="utf-8")
    made.file.write_text(
        text.replace("[[profiles]]\n", '[[profiles]]\ncalendar = "Classes"\n'), encoding="utf-8"
    )
    incident = Incident(world, made, feed)
    world.synced()
    incident.mailbox.delete_calendar(_named(incident.mailbox, "Classes"))
    incident.publish([replace(one, start=one.start + timedelta(hours=1)) for one in weekly(10)])
    settled(incident, [replace(one, start=one.start + timedelta(hours=1)) for one in weekly(10)])
    assert list(incident.mailbox.calendars().values()).count("Classes") == 1


def _named(mailbox: Mailbox, name: str) -> str:
    return next(number for number, given in mailbox.calendars().items() if given == name)


def test_at_the_turn_of_the_term_two_sources_are_live_and_each_keeps_its_own(world: World) -> None:
    """The old term runs out while the new one fills up; then the old source is taken out of the configuration."""
    world.set_time(MONDAY)
    old, new = world.folder / "old.ics", world.folder / "new.ics"
    autumn = weekly(10, "autumn")
    spring = [replace(one, start=one.start + timedelta(days=30)) for one in weekly(10, "spring")]
    old.write_bytes(as_feed(autumn))
    new.write_bytes(as_feed(spring[:2]))
    sources = [ics("autumn", [(ADA, old)]), ics("spring", [(ADA, new)])]
    made = world.add_institution(sources, ["ada"], timezone="UTC")
    incident = Incident(world, made, old)
    assert incident.sync().report.exit_code == 0
    assert incident.holds([*autumn, *spring[:2]])
    new.write_bytes(as_feed(spring))
    incident.sync(timedelta(days=5))
    assert incident.holds([*autumn, *spring])
    # The old source drops what is over; what was is never taken away.
    old.write_bytes(as_feed(autumn[-3:]))
    incident.sync()
    assert incident.holds([*autumn, *spring])
    incident.now += timedelta(days=8)
    text = (
        made.file.read_text(encoding="utf-8")
        .replace(sources[0], "")
        .replace('["autumn", "spring"]', '["spring"]')
    )
    made.file.write_text(text, encoding="utf-8")
    with world.watched() as seen:
        incident.sync()
    assert seen.by_us == []
    assert incident.holds([*autumn, *spring])
