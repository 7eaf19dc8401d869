"""Who attends, from a table that may be very long."""

from pathlib import Path

import pytest

from classbell.errors import SourceUnusable
from classbell.sources.attendance import Attendance, read_attendance

KEYS = {f"M{number}": number for number in range(1000)}


def attended(text: str, encoding: str = "utf-8") -> Attendance:
    return read_attendance("rooms", Path("attendance.csv"), text.encode(encoding), KEYS)


def refused(text: str) -> SourceUnusable:
    with pytest.raises(SourceUnusable) as caught:
        attended(text)
    return caught.value


def pairs(found: Attendance) -> set[tuple[str, int]]:
    return {(found.people[person], meeting) for person, meeting in found.pairs.tolist()}


@pytest.mark.parametrize("title", ["meeting", "Meeting Key", "KEY", "meeting_key", " meeting "])
def test_the_columns_are_found_by_their_names_in_any_order(title: str) -> None:
    assert pairs(attended(f"person,group,{title}\nada@x.edu,A,M7\n")) == {("ada@x.edu", 7)}


def test_addresses_are_one_person_however_they_are_spelt() -> None:
    found = attended("meeting;person\nM1;Ada@X.edu\nM2; ada@x.edu\n M3 ;ADA@x.edu\n\n;\nM1;ada@x.edu\n")
    assert list(found.people) == ["ada@x.edu"]
    assert pairs(found) == {("ada@x.edu", 1), ("ada@x.edu", 2), ("ada@x.edu", 3)}


def test_rows_in_runs_of_one_meeting_and_without_are_read_alike() -> None:
    rows = [f"M{number % 7},p{number % 11}@x.edu" for number in range(500)]
    runs = attended("meeting,person\n" + "\n".join(sorted(rows)))
    mixed = attended("meeting,person\n" + "\n".join(rows))
    assert pairs(runs) == pairs(mixed) == {(f"p{number % 11}@x.edu", number % 7) for number in range(77)}


def test_text_that_is_not_ascii_is_read_in_its_encoding() -> None:
    assert pairs(attended("meeting,person\nM1,jörg@x.edu\n", "cp1252")) == {("jörg@x.edu", 1)}


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        ("room,person\nM1,ada@x.edu\n", "E-SRC-COLUMN", '"room"'),
        ("meeting,who\nM1,ada@x.edu\n", "E-SRC-COLUMN", '"who"'),
        ("meeting,person\nM1,\n", "E-SRC-ROW", "line 2"),
        ("meeting,person\nM1,ada@x.edu\n,ada@x.edu\n", "E-SRC-ROW", "line 3"),
        ("meeting,person\nM1,ada@x.edu\nM2\n", "E-SRC-ROW", "line 3"),
        ('meeting,person\nM1,ada@x.edu\nM2,"bob@x', "E-SRC-ROW", "line 3"),
        ("meeting,person\n", "E-SRC-EMPTY", "delete everything"),
    ],
)
def test_a_table_that_cannot_be_read_whole_is_refused(text: str, code: str, why: str) -> None:
    error = refused(text)
    assert error.code == code
    assert why in error.why


def test_few_rows_for_meetings_that_do_not_exist_are_told_and_have_no_effect() -> None:
    rows = "".join(f"M{number},ada@x.edu\n" for number in range(990))
    found = attended("meeting,person\n" + rows + "old-1,bob@x.edu\nold-2,ada@x.edu\n")
    assert len(found.pairs) == 990
    (remark,) = found.remarks
    assert remark.code == "E-SRC-ATTENDANCE"
    assert "2 of 992 rows" in remark.text
    assert '"old-1", "old-2"' in remark.text


def test_many_rows_for_meetings_that_do_not_exist_refuse_the_table() -> None:
    rows = "".join(f"M{number},ada@x.edu\n" for number in range(100))
    error = refused("meeting,person\n" + rows + "old-1,ada@x.edu\n" * 4)
    assert error.code == "E-SRC-ATTENDANCE"
    assert "4 of 104 rows" in error.what
    assert '"old-1"' in error.why
