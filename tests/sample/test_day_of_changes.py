from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sample.tables import Pairs, Row, clashes, held, read

from classbell.sample import ExpectedChange, PlannedStory, University

MONDAY = date(2026, 9, 21)
MORNING = datetime(2026, 10, 5, 7, 30)  # noqa: DTZ001 - wall time
KINDS = ["moved", "room", "cancelled", "regrouped"]


def tables(university: University) -> tuple[dict[str, Row], Pairs]:
    with TemporaryDirectory() as directory:
        university.write(Path(directory))
        return read(Path(directory))


def difference(before: University, after: University) -> Counter[ExpectedChange]:
    """What a plan has to hold, worked out from the tables alone."""
    old_meetings, old_pairs = tables(before)
    new_meetings, new_pairs = tables(after)
    old_held, new_held = held(old_meetings), held(new_meetings)
    old = {(key, person): old_held[key] for key, person in old_pairs if key in old_held}
    new = {(key, person): new_held[key] for key, person in new_pairs if key in new_held}
    created = (ExpectedChange("create", person, key) for key, person in new.keys() - old.keys())
    deleted = (ExpectedChange("delete", person, key) for key, person in old.keys() - new.keys())
    updated = (
        ExpectedChange("update", person, key)
        for key, person in old.keys() & new.keys()
        if old[key, person] != new[key, person]
    )
    return Counter((*created, *deleted, *updated))


def promised(stories: list[PlannedStory]) -> Counter[ExpectedChange]:
    return Counter(change for story in stories for change in story.changes)


def test_the_tables_change_by_exactly_what_the_stories_say() -> None:
    university = University.generate(first_monday=MONDAY)
    changed, stories = university.day_of_changes(MORNING)
    assert [story.kind for story in stories] == KINDS
    assert difference(university, changed) == promised(stories)


@pytest.mark.prove
@given(st.integers(0, 2**32), st.integers(20, 120), st.integers(0, 80))
def test_every_day_of_every_small_university_can_be_told_and_leaves_no_clash(
    seed: int, people: int, day: int
) -> None:
    university = University.generate(seed=seed, people=people, first_monday=MONDAY)
    now = datetime.combine(MONDAY, MORNING.time()) + timedelta(days=day)
    changed, stories = university.day_of_changes(now)
    assert difference(university, changed) == promised(stories)
    assert not clashes(*tables(changed))


@pytest.mark.prove
def test_the_seeded_university_has_all_four_stories_on_every_day_but_the_last_two_weeks() -> None:
    university = University.generate(first_monday=MONDAY)
    for day in range(-20, 70):
        now = datetime.combine(MONDAY, MORNING.time()) + timedelta(days=day)
        _, stories = university.day_of_changes(now)
        assert [story.kind for story in stories] == KINDS, now


@pytest.mark.prove
def test_several_days_may_follow_each_other() -> None:
    university = University.generate(people=120, first_monday=MONDAY)
    for day in range(5):
        changed, stories = university.day_of_changes(MORNING + timedelta(days=day))
        assert difference(university, changed) == promised(stories)
        assert not clashes(*tables(changed))
        university = changed


def test_a_moved_lecture_keeps_its_key_its_room_and_its_length() -> None:
    university = University.generate(first_monday=MONDAY)
    changed, stories = university.day_of_changes(MORNING)
    story = stories[0]
    assert len(story.meetings) == 1
    before, after = tables(university)[0][story.meetings[0]], tables(changed)[0][story.meetings[0]]
    assert before["start"] != after["start"]
    assert {name: before[name] for name in before if name not in {"start", "end"}} == {
        name: after[name] for name in after if name not in {"start", "end"}
    }
    length = [
        datetime.fromisoformat(row["end"]) - datetime.fromisoformat(row["start"]) for row in (before, after)
    ]
    assert length[0] == length[1]


def test_the_student_who_changes_groups_keeps_what_is_past() -> None:
    university = University.generate(first_monday=MONDAY)
    changed, stories = university.day_of_changes(MORNING)
    story = stories[-1]
    assert len(story.persons) == 1
    actions = Counter(change.action for change in story.changes)
    assert actions["create"] >= 1
    assert actions["delete"] >= 1
    before, after = (
        {key for key, person in tables(one)[1] if person == story.persons[0]} for one in (university, changed)
    )
    meetings = tables(university)[0]
    assert all(meetings[key]["start"] > MORNING.isoformat() for key in before ^ after)
    assert any(meetings[key]["start"] < MORNING.isoformat() for key in before & after)


def test_nothing_that_begins_within_the_hour_is_changed() -> None:
    university = University.generate(first_monday=MONDAY)
    for hour in (8, 9, 11, 13):
        now = MORNING.replace(hour=hour)
        changed, stories = university.day_of_changes(now)
        for one in (university, changed):
            meetings = tables(one)[0]
            starts = [meetings[key]["start"] for story in stories for key in story.meetings]
            assert min(starts) > (now + timedelta(hours=1)).isoformat(timespec="minutes")


def test_the_changes_stay_far_below_what_guards_let_pass() -> None:
    for people in (20, 300, 2_000):
        university = University.generate(people=people, first_monday=MONDAY)
        _, stories = university.day_of_changes(MORNING)
        deletes = Counter(change.person for change in promised(stories) if change.action == "delete")
        assert deletes.total() < min(100, 0.05 * university.figures().pairs)
        assert max(deletes.values()) <= 12


def test_an_instant_means_the_wall_time_of_the_university() -> None:
    university = University.generate(first_monday=MONDAY, timezone="Europe/London")
    # London is an hour ahead of UTC in early October.
    instant = datetime(2026, 10, 5, 6, 30, tzinfo=UTC)
    assert university.day_of_changes(instant)[1] == university.day_of_changes(MORNING)[1]


def test_after_the_term_no_day_can_be_told() -> None:
    university = University.generate(people=20, weeks=2, first_monday=MONDAY)
    with pytest.raises(ValueError, match="the term is over"):
        university.day_of_changes(MORNING + timedelta(days=30))
