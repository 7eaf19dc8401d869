"""What the converter makes of a problem small enough to be solved by hand, and of a real one."""

import csv
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from benchmarks import itc2019

ROOT = Path(__file__).resolve().parent.parent.parent
MONDAY = date(2026, 9, 21)

# Course 1: a lecture (class 1) with two labs under it that seat one each. Room 1 is closed on Mondays, so that
# the lecture gets its second choice of time. Course 2: class 4 would rather have room 2, but class 5 has no
# other; class 6 is fortnightly and needs no room. Course 3 has a first configuration that is full at once.
TINY = """<?xml version="1.0" encoding="UTF-8"?>
<problem name="tiny" nrDays="7" nrWeeks="4" slotsPerDay="288">
  <rooms>
    <room id="1" capacity="10"><unavailable days="1000000" start="0" length="288" weeks="1111"/></room>
    <room id="2" capacity="10"/>
  </rooms>
  <courses>
    <course id="1"><config id="1">
      <subpart id="2">
        <class id="2" limit="1" parent="1">
          <room id="2" penalty="0"/><time days="0010000" start="108" length="24" weeks="1111" penalty="0"/></class>
        <class id="3" limit="1" parent="1">
          <room id="2" penalty="0"/><time days="0001000" start="108" length="24" weeks="0111" penalty="0"/></class>
      </subpart>
      <subpart id="1">
        <class id="1" limit="2">
          <room id="1" penalty="0"/>
          <time days="1000000" start="120" length="10" weeks="1111" penalty="0"/>
          <time days="0100100" start="120" length="10" weeks="1110" penalty="4"/></class>
      </subpart>
    </config></course>
    <course id="2"><config id="2">
      <subpart id="3">
        <class id="4" limit="5">
          <room id="2" penalty="0"/><room id="1" penalty="3"/>
          <time days="0000010" start="100" length="12" weeks="1111" penalty="0"/></class>
      </subpart>
      <subpart id="4">
        <class id="6" limit="5" room="false">
          <time days="0000001" start="0" length="1" weeks="0101" penalty="0"/></class>
      </subpart>
    </config></course>
    <course id="3">
      <config id="3"><subpart id="5">
        <class id="5" limit="1">
          <room id="2" penalty="0"/><time days="0000010" start="106" length="12" weeks="1111" penalty="0"/></class>
      </subpart></config>
      <config id="4"><subpart id="6">
        <class id="7" limit="1" room="false">
          <time days="0010000" start="120" length="12" weeks="1111" penalty="0"/></class>
      </subpart></config>
    </course>
  </courses>
  <students>
    <student id="1"><course id="1"/></student>
    <student id="2"><course id="1"/><course id="2"/></student>
    <student id="3"><course id="3"/></student>
    <student id="4"><course id="3"/></student>
    <student id="5"><course id="3"/></student>
  </students>
</problem>
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.xml"
    path.write_text(TINY, encoding="utf-8")
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_class_meets_at_its_cheapest_free_time_and_room_on_the_right_dates(
    tiny: Path, tmp_path: Path
) -> None:
    itc2019.write(itc2019.read(tiny), tmp_path, weeks=None, first_monday=MONDAY)
    meetings: dict[str, list[str]] = defaultdict(list)
    for row in rows(tmp_path / "meetings.csv"):
        meetings[row["groups"]].append(f"{row['start']} {row['end'][11:]} {row['room']}".strip())
    assert meetings == {
        # Monday is closed: Tuesday and Friday, slot 120 = 10:00, ten slots, three of four weeks.
        "Class 1": [
            "2026-09-22T10:00 10:50 Room 1",
            "2026-09-25T10:00 10:50 Room 1",
            "2026-09-29T10:00 10:50 Room 1",
            "2026-10-02T10:00 10:50 Room 1",
            "2026-10-06T10:00 10:50 Room 1",
            "2026-10-09T10:00 10:50 Room 1",
        ],
        "Class 2": [f"2026-{day}T09:00 11:00 Room 2" for day in ("09-23", "09-30", "10-07", "10-14")],
        "Class 3": [f"2026-{day}T09:00 11:00 Room 2" for day in ("10-01", "10-08", "10-15")],
        "Class 4": [f"2026-{day}T08:20 09:20 Room 1" for day in ("09-26", "10-03", "10-10", "10-17")],
        "Class 5": [f"2026-{day}T08:50 09:50 Room 2" for day in ("09-26", "10-03", "10-10", "10-17")],
        "Class 6": [f"2026-{day}T00:00 00:05" for day in ("10-04", "10-18")],
        "Class 7": [f"2026-{day}T10:00 11:00" for day in ("09-23", "09-30", "10-07", "10-14")],
    }


def test_students_get_a_class_of_each_part_with_its_parent_and_within_its_limit(
    tiny: Path, tmp_path: Path
) -> None:
    counts = itc2019.write(itc2019.read(tiny), tmp_path, weeks=None, first_monday=MONDAY)
    classes: dict[str, set[str]] = defaultdict(set)
    for row in rows(tmp_path / "attendance.csv"):
        classes[row["person"]].add(row["meeting"].split("-")[0])
    assert classes.pop("student00001@example.edu") == {"1", "2"}
    assert classes.pop("student00002@example.edu") == {"1", "3", "4", "6"}
    # Course 3 seats two of the other three.
    assert sorted(classes.values(), key=min) == [{"5"}, {"7"}]
    assert counts.students == 5
    assert counts.students_complete == 4
    assert counts.people_with_meetings == 4
    assert counts.classes == counts.classes_placed == 7
    assert counts.pairs == 10 + 15 + 4 + 4


def test_a_few_weeks_are_taken_from_where_most_classes_meet(tiny: Path, tmp_path: Path) -> None:
    counts = itc2019.write(itc2019.read(tiny), tmp_path, weeks=2, first_monday=MONDAY)
    assert counts.first_week == 2
    meetings = rows(tmp_path / "meetings.csv")
    assert {row["key"].split("-")[1] for row in meetings} == {"W02", "W03"}
    assert min(row["start"] for row in meetings) == "2026-09-22T10:00"
    assert max(row["start"] for row in meetings) < "2026-10-05"


def test_a_class_keeps_its_keys_however_many_weeks_are_written(tiny: Path, tmp_path: Path) -> None:
    instance = itc2019.read(tiny)
    itc2019.write(instance, tmp_path / "all", weeks=None, first_monday=MONDAY)
    itc2019.write(instance, tmp_path / "two", weeks=2, first_monday=date(2026, 9, 28))
    every = {row["key"]: row["start"] for row in rows(tmp_path / "all" / "meetings.csv")}
    some = {row["key"]: row["start"] for row in rows(tmp_path / "two" / "meetings.csv")}
    assert some.items() <= every.items()


def test_an_absent_instance_is_said_in_a_line(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks/itc2019.py"), str(tmp_path / "none.xml"), str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "none.xml is absent" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.shared
@pytest.mark.prove
def test_a_real_university_gets_a_timetable_without_room_clash_and_with_nearly_all_that_was_asked(
    shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "itc2019" / "pu-d5-spr17.xml"
    counts = itc2019.write(itc2019.read(path), tmp_path, weeks=2, first_monday=MONDAY)
    assert (counts.classes, counts.students) == (1_061, 13_497)
    assert counts.classes_placed >= 1_060
    assert counts.students_complete >= 13_480

    meetings, attendance = rows(tmp_path / "meetings.csv"), rows(tmp_path / "attendance.csv")
    assert (len(meetings), len(attendance)) == (counts.meetings, counts.pairs)
    spans = defaultdict(list)
    for row in meetings:
        assert MONDAY.isoformat() <= row["start"] < "2026-10-05"
        if row["room"]:
            spans[row["room"]].append((row["start"], row["end"]))
    assert all(one[1] <= other[0] for times in spans.values() for one, other in pairwise(sorted(times)))

    root = ET.parse(path).getroot()  # noqa: S314 - a published file
    limits = {one.attrib["id"]: int(one.attrib["limit"]) for one in root.iterfind("courses//class")}
    pairs = {(row["meeting"].split("-")[0], row["person"]) for row in attendance}
    for number, students in Counter(number for number, _ in pairs).items():
        assert students <= limits[number]
