"""
The real timetables beside the repository, each brought into Outlook calendars inside its own term.

What should stand there is worked out with two calendar libraries alone and agrees with the counts that came
with the files; the product's own reader has no part in the judgement.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from tests.scenarios.calendars import Standing, events, starts_sha256, utc
from tests.scenarios.edits import Day, day_of_changes
from tests.scenarios.real import Timetable, timetables
from tests.scenarios.world import Institution, World, ics

pytestmark = pytest.mark.shared

TIMETABLES = {timetable.name: timetable for timetable in timetables()}

# Most feeds belong to one person; these are listed for two.
OF_TWO_PERSONS = {"kronox_malmo_2019", "dundee_2022", "tumonline_location"}


def _a_whole_day(one: Standing) -> Standing:
    return one if one.length else one._replace(length=timedelta(days=1))


def _at_its_start(one: Standing) -> Standing:
    if (one.title, one.length) != ("EAP511S", timedelta(hours=11)):
        return one
    return one._replace(start=utc(one.starts_at + one.length), length=timedelta())


# What stands in calendars otherwise than the libraries read it, and why.
EXCEPTIONS: dict[str, Callable[[Standing], Standing]] = {
    # Exams are whole days that end on the day they begin, which no calendar can show: they last that day.
    "timeedit_chalmers_2021": _a_whole_day,
    # One lecture begins at 11:30 and ends before that, half past midnight: its writer mixed up midday and
    # midnight. The libraries let it begin at its end; it begins when it says, and nothing is known of its length.
    "nust_namibia_cs3_2025": _at_its_start,
}
STARTS_OTHERWISE = {"nust_namibia_cs3_2025"}

# Timetables with more occurrences take most of the time: they belong to the longer proofs.
LONG = 100

# Where a moved meeting is another meeting to us, and why. Feeds without ids (trainex, nust) are not among
# them: their title and day tell entries apart, so that another hour is a move. Another day would not be.
MOVED_ANEW = {
    "khronos_groningen_2024": "its ids are made of the activity and the start, so that a move gives another id",
}


@dataclass(frozen=True)
class Place:
    """The institution of one timetable, and what its people see."""

    timetable: Timetable
    feed: Path
    people: tuple[str, ...]
    institution: Institution

    def shown(self, person: str) -> list[tuple[Standing, str]]:
        timetable = self.timetable
        mailbox = self.institution.mailbox(person)
        return events(mailbox, timetable.begin, timetable.end, timezone=timetable.timezone)

    def ids(self, meetings: Iterable[Standing]) -> set[str]:
        """The ids under which these meetings stand in everybody's calendar."""
        wanted = set(meetings)
        return {number for person in self.people for one, number in self.shown(person) if one in wanted}


def open_place(world: World, timetable: Timetable) -> Place:
    """An institution early in the term, whose window is all that the manifest counts."""
    world.set_time(timetable.early)
    people = ("ada", "grace") if timetable.name in OF_TWO_PERSONS else ("ada",)
    feed = world.folder / f"{timetable.name}.ics"
    feed.write_bytes(timetable.path.read_bytes())
    institution = world.add_institution(
        ics("feed", [(f"{name}@example.edu", feed) for name in people], timezone=timetable.timezone),
        people,
        past=f"{(timetable.early - timetable.begin).days}d",
        future=f"{(timetable.end - timetable.early).days}d",
        timezone=timetable.timezone,
    )
    return Place(timetable, feed, people, institution)


def in_calendars(timetable: Timetable, meetings: Iterable[Standing]) -> list[Standing]:
    """Meetings as they should stand in a calendar."""
    return sorted(map(EXCEPTIONS.get(timetable.name, lambda one: one), meetings))


# The largest has 4,645 meetings in one mailbox, written at most three at a time.
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "timetable",
    [
        pytest.param(one, id=name, marks=[pytest.mark.prove] if one.occurrences > LONG else [])
        for name, one in TIMETABLES.items()
    ],
)
def test_a_real_timetable_stands_in_outlook_and_follows_its_changes(
    timetable: Timetable, world: World
) -> None:
    stands_and_follows_its_changes(timetable, world)


@pytest.mark.timeout(300)
@pytest.mark.prove
@pytest.mark.parametrize("name", sorted(TIMETABLES)[::3])
def test_a_third_of_them_stand_there_by_the_older_interface_as_well(name: str, world: World) -> None:
    world.api = "outlook-rest-v2"
    stands_and_follows_its_changes(TIMETABLES[name], world)


def stands_and_follows_its_changes(timetable: Timetable, world: World) -> None:
    """Every occurrence, exactly; then a day of changes, and nothing but those."""
    place = open_place(world, timetable)
    world.synced()
    every_meeting_stands_there_once(place)
    with world.watched() as again:
        world.synced()
    assert again.records == []
    a_day_of_changes_is_written_and_nothing_else(world, place, day_of_changes(timetable))
    assert world.sandbox.outbox == []


def every_meeting_stands_there_once(place: Place) -> None:
    timetable = place.timetable
    meetings = timetable.meetings()
    assert len(meetings) == timetable.occurrences
    assert starts_sha256(meetings) == timetable.starts_sha256
    for person in place.people:
        shown = [one for one, _ in place.shown(person)]
        assert shown == in_calendars(timetable, meetings)
        otherwise = starts_sha256(shown) != timetable.starts_sha256
        assert otherwise == (timetable.name in STARTS_OTHERWISE)


def a_day_of_changes_is_written_and_nothing_else(world: World, place: Place, day: Day) -> None:
    timetable, persons = place.timetable, len(place.people)
    # Where there is but one meeting, it is moved and none is removed.
    assert bool(day.removed) == (timetable.occurrences > 1)
    before, after = zip(*day.moved, strict=True)
    moving, going = place.ids(before), place.ids(day.removed)
    place.feed.write_bytes(day.body)
    with world.watched() as seen:
        world.synced()
    if timetable.name in MOVED_ANEW:
        going |= moving
        moving = set()
    created = persons * (len(day.added) + (len(day.moved) if timetable.name in MOVED_ANEW else 0))
    assert seen.events("update") == moving
    assert seen.events("delete") == going
    assert seen.changes == _counted(update=len(moving), delete=len(going), create=created)
    assert seen.refusals == []
    if moving:
        assert place.ids(after) == moving
    for person in place.people:
        shown = [one for one, _ in place.shown(person)]
        assert shown == in_calendars(timetable, [*timetable.meetings(day.body), *day.ended])


def _counted(**counts: int) -> dict[str, int]:
    return {action: count for action, count in counts.items() if count}


def test_all_twenty_five_timetables_are_brought_into_calendars() -> None:
    assert len(TIMETABLES) == 25


def test_a_person_with_feeds_of_two_systems_holds_the_meetings_of_both(world: World) -> None:
    both: Collection[Timetable] = [TIMETABLES["ade_uclouvain_2019"], TIMETABLES["kronox_malmo_2019"]]
    begin, end = min(one.begin for one in both), max(one.end for one in both)
    world.set_time(max(one.early for one in both))
    institution = world.add_institution(
        [ics(one.name, [("ada@example.edu", one.path)], timezone=one.timezone) for one in both],
        ["ada"],
        past="30d",
    )
    world.synced()
    shown = events(institution.mailbox("ada"), begin, end, timezone="Europe/Brussels")
    assert [one for one, _ in shown] == sorted(meeting for one in both for meeting in one.meetings())
    with world.watched() as again:
        world.synced()
    assert again.records == []
