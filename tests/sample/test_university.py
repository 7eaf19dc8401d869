import time
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sample.tables import clashes, read

from classbell.sample import University

MONDAY = date(2026, 9, 21)


@pytest.mark.prove
@given(st.integers(0, 2**32), st.integers(20, 500), st.integers(1, 14))
def test_nobody_and_no_room_is_in_two_places_whatever_the_seed_and_size(
    seed: int, people: int, weeks: int
) -> None:
    university = University.generate(seed=seed, people=people, weeks=weeks, first_monday=MONDAY)
    with TemporaryDirectory() as directory:
        university.write(Path(directory))
        meetings, pairs = read(Path(directory))
    assert not clashes(meetings, pairs)
    assert len({person for _, person in pairs}) <= people


def test_each_student_has_eight_to_twelve_classes_in_a_teaching_week(tmp_path: Path) -> None:
    university = University.generate(first_monday=MONDAY)
    university.write(tmp_path)
    meetings, pairs = read(tmp_path)
    students = {person.address for person in university.people if person.role == "student"}
    assert len(students) > 250
    for week in (0, 3, 11):
        monday = datetime.combine(MONDAY + timedelta(weeks=week), datetime.min.time())
        keys = {
            key
            for key, row in meetings.items()
            if monday <= datetime.fromisoformat(row["start"]) < monday + timedelta(days=5)
        }
        classes = Counter(person for key, person in pairs if key in keys)
        assert {person for person in classes if person in students} == students
        assert {classes[student] for student in students} <= set(range(8, 13))


def test_every_meeting_has_a_lecturer_and_students(tmp_path: Path) -> None:
    university = University.generate(people=100, weeks=2, first_monday=MONDAY)
    university.write(tmp_path)
    meetings, pairs = read(tmp_path)
    role = {person.address: person.role for person in university.people}
    for key in meetings:
        roles = Counter(role[person] for meeting, person in pairs if meeting == key)
        assert roles["lecturer"] == 1
        assert roles["student"] >= 1


def test_the_reading_week_in_the_middle_is_free_of_classes(tmp_path: Path) -> None:
    University.generate(weeks=12, first_monday=MONDAY).write(tmp_path)
    meetings, _ = read(tmp_path)
    weeks = Counter((date.fromisoformat(row["start"][:10]) - MONDAY).days // 7 for row in meetings.values())
    assert sorted(weeks) == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]
    assert len(set(weeks.values())) == 1


def test_the_same_arguments_give_the_same_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    content = []
    for name, seed in (("first", 7), ("again", 7), ("other", 8)):
        University.generate(seed=seed, people=60, weeks=3, first_monday=MONDAY).write(tmp_path / name)
        content.append(
            [(tmp_path / name / table).read_bytes() for table in ("meetings.csv", "attendance.csv")]
        )
    assert content[0] == content[1]
    assert content[0] != content[2]


def test_every_address_is_different_and_of_the_domain() -> None:
    university = University.generate(people=5_000, weeks=1, first_monday=MONDAY, domain="uni.example")
    addresses = {person.address for person in university.people}
    assert len(addresses) == 5_000
    assert all(address.endswith("@uni.example") for address in addresses)


def test_the_figures_are_those_of_the_tables(tmp_path: Path) -> None:
    university = University.generate(people=150, weeks=4, first_monday=MONDAY)
    university.write(tmp_path)
    meetings, pairs = read(tmp_path)
    figures = university.figures()
    assert figures.students + figures.lecturers == 150
    assert figures.meetings == len(meetings)
    assert figures.pairs == len(pairs)
    assert figures.rooms == len({row["room"] for row in meetings.values()})
    assert figures.modules == len({row["module"] for row in meetings.values()})


@pytest.mark.parametrize(
    ("people", "weeks", "monday"), [(19, 12, MONDAY), (300, 0, MONDAY), (300, 12, date(2026, 9, 22))]
)
def test_an_impossible_university_is_refused(people: int, weeks: int, monday: date) -> None:
    with pytest.raises(ValueError, match=r"at least 20 people and one week|is not a Monday"):
        University.generate(people=people, weeks=weeks, first_monday=monday)


def test_three_hundred_people_are_made_and_written_within_a_second(tmp_path: Path) -> None:
    begun = time.process_time()
    University.generate(people=300, first_monday=MONDAY).write(tmp_path)
    assert time.process_time() - begun < 1


@pytest.mark.prove
def test_twenty_thousand_people_are_made_written_and_changed_within_twenty_seconds(tmp_path: Path) -> None:
    begun = time.process_time()
    university = University.generate(people=20_000, first_monday=MONDAY)
    university.write(tmp_path / "before")
    changed, stories = university.day_of_changes(datetime(2026, 10, 5, 8))  # noqa: DTZ001 - wall time
    assert time.process_time() - begun < 20
    assert len(stories) == 4
    changed.write(tmp_path / "after")
    meetings, pairs = read(tmp_path / "after")
    assert len(pairs) > 2_000_000
    assert not clashes(meetings, pairs)
