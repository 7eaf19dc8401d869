"""Meetings and attendance from tables."""

import io
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from pydantic import ByteSize
from tests.sources.reading import ParserThatDiesOn, attendance, read

from classbell.errors import SourceUnusable
from classbell.model import Meeting
from classbell.settings import SourceLimits, TableSource

PLAIN = {"key": "key", "start": "start", "end": "end", "title": "title"}
ATTENDED = "meeting,person\nM1,ada@example.edu\n"


class Tables:
    """Two tables in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meetings = folder / "meetings.csv"
        self.attendance = folder / "attendance.csv"

    def write(self, meetings: str | bytes, attended: str | bytes = ATTENDED) -> "Tables":
        self.meetings.write_bytes(meetings.encode() if isinstance(meetings, str) else meetings)
        self.attendance.write_bytes(attended.encode() if isinstance(attended, str) else attended)
        return self

    def source(self, mapping: dict[str, str] | None = None, **more: Any) -> TableSource:
        return TableSource(
            name="rooms", meetings=self.meetings, attendance=self.attendance, map=mapping or PLAIN, **more
        )

    def only(self, mapping: dict[str, str] | None = None, **more: Any) -> Meeting:
        (meeting,) = read(self.source(mapping, **more)).meetings
        return meeting

    def refused(self, mapping: dict[str, str] | None = None, **more: Any) -> SourceUnusable:
        with pytest.raises(SourceUnusable) as caught:
            read(self.source(mapping, **more))
        assert all([caught.value.what, caught.value.why, caught.value.do, caught.value.effect])
        return caught.value


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(tmp_path)


def row(start: str, end: str, title: str = "Algebra") -> str:
    return f"key,start,end,title\nM1,{start},{end},{title}\n"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_meetings_and_who_attends_become_a_snapshot(tables: Tables) -> None:
    tables.write(
        "Nr;Course;Begin;Finish;Where;Dropped;Ignored\n"
        "M2; Geometry ;2026-09-22 09:00;2026-09-22 11:00;;yes;x\n"
        "M1;Algebra;2026-09-21T09:00;2026-09-21T11:00;Room 1;;x\n",
        "Person,Meeting Key\nAda@Example.edu,M1\nbob@example.edu,M1\nada@example.edu,M2\n",
    )
    columns = {
        "key": "Nr",
        "start": "Begin",
        "end": "Finish",
        "title": "Course",
        "location": "Where",
        "cancelled": "Dropped",
    }
    snapshot = read(tables.source(columns, timezone="Europe/Berlin"), timezone="Europe/London")
    first, second = snapshot.meetings
    assert first == Meeting(
        key="M1",
        start=at("2026-09-21T09:00"),
        end=at("2026-09-21T11:00"),
        zone="Europe/Berlin",
        fields={"title": "Algebra", "location": "Room 1"},
    )
    assert (second.key, second.cancelled, second.fields) == ("M2", True, {"title": "Geometry"})
    assert attendance(snapshot) == {
        ("ada@example.edu", "M1"),
        ("bob@example.edu", "M1"),
        ("ada@example.edu", "M2"),
    }
    assert (snapshot.remarks, snapshot.coverage.unread) == ((), frozenset())


def test_times_are_in_the_institutions_zone_where_the_source_names_none(tables: Tables) -> None:
    tables.write(row("2026-09-21T09:00", "2026-09-21T11:00"))
    assert read(tables.source(), timezone="Europe/Riga").meetings[0].zone == "Europe/Riga"


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2026-09-21T09:00", "2026-09-21T11:00", "2026-09-21T09:00", "2026-09-21T11:00"),
        ("2026-09-21 9:05:30", "11:00", "2026-09-21T09:05:30", "2026-09-21T11:00"),
        ("21.9.2026 09.00", "21.09.2026 11.00", "2026-09-21T09:00", "2026-09-21T11:00"),
        ("2026-09-21T22:00", "2026-09-21T24:00", "2026-09-21T22:00", "2026-09-22T00:00"),
        ("46286.375", "46286.4583333333", "2026-09-21T09:00", "2026-09-21T11:00"),
    ],
)
def test_times_are_understood_as_people_and_programs_write_them(
    tables: Tables, start: str, end: str, first: str, last: str
) -> None:
    meeting = tables.write(row(start, end)).only()
    assert (meeting.start, meeting.end, meeting.all_day) == (at(first), at(last), False)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-09-21T09:00Z", "2026-09-21T11:00Z"),
        ("2026-09-21T11:00+02:00", "2026-09-21 13:00:00+02:00"),
        ("2026-09-21T05:00-0400", "2026-09-21T07:00-0400"),
    ],
)
def test_times_with_an_offset_are_instants(tables: Tables, start: str, end: str) -> None:
    meeting = tables.write(row(start, end)).only()
    assert (meeting.start, meeting.end, meeting.zone) == (
        at("2026-09-21T09:00"),
        at("2026-09-21T11:00"),
        "UTC",
    )


def test_dates_without_times_are_whole_days_with_the_last_one_included(tables: Tables) -> None:
    meeting = tables.write(row("2026-09-21", "2026-09-22")).only()
    assert meeting.all_day
    assert (meeting.start, meeting.end) == (at("2026-09-21"), at("2026-09-23"))


@pytest.mark.parametrize(
    ("day", "start", "end", "first", "last"),
    [
        ("2026-09-21", "09:00", "11:00", "2026-09-21T09:00", "2026-09-21T11:00"),
        ("21.09.2026", "9h00", "11h00", "2026-09-21T09:00", "2026-09-21T11:00"),
        ("46286", "0.375", "0.458333333", "2026-09-21T09:00", "2026-09-21T11:00"),
        ("2026-09-21T00:00:00", "22:00", "00:00", "2026-09-21T22:00", "2026-09-22T00:00"),
        ("2026-09-21", "", "", "2026-09-21", "2026-09-22"),
    ],
)
def test_a_date_column_stands_beside_times_of_day(
    tables: Tables, day: str, start: str, end: str, first: str, last: str
) -> None:
    tables.write(f"key,date,start,end,title\nM1,{day},{start},{end},Algebra\n")
    meeting = tables.only(PLAIN | {"date": "date"})
    assert (meeting.start, meeting.end, meeting.all_day) == (at(first), at(last), not start)


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        ("2026-09-21T11:00", "2026-09-21T09:00", "before it starts"),
        ("03/04/2026 09:00", "03/04/2026 11:00", "03/04/2026"),
        ("2026-02-30T09:00", "2026-02-30T11:00", "does not exist"),
        ("2026-09-21T25:00", "2026-09-21T26:00", "25:00"),
        ("2026-09-21T09:00Z", "2026-09-21T11:00", "offset"),
        ("2026-09-21T09:99Z", "2026-09-21T11:00Z", "09:99"),
        ("", "2026-09-21T11:00", '""'),
        ("soon", "later", '"soon"'),
        ("09:00", "11:00", '"09:00"'),
    ],
)
def test_a_time_that_cannot_be_read_refuses_the_table_and_names_the_line(
    tables: Tables, start: str, end: str, why: str
) -> None:
    error = tables.write(row(start, end)).refused()
    assert error.code == "E-SRC-ROW"
    assert "line 2" in error.why
    assert why in error.why


def test_several_bad_rows_are_one_error_with_their_count(tables: Tables) -> None:
    tables.write("key,start,end,title\n" + "".join(f"M{n},soon,later,x\n" for n in range(9)))
    error = tables.refused()
    assert "9 rows" in error.what
    assert "line 2" in error.why
    assert "6 more" in error.why


@pytest.mark.parametrize(
    ("word", "cancelled"), [("x", True), ("JA", True), ("0", False), ("no", False), ("", False)]
)
def test_a_cell_says_whether_a_meeting_is_cancelled(tables: Tables, word: str, *, cancelled: bool) -> None:
    tables.write(f"key,start,end,off\nM1,2026-09-21T09:00,2026-09-21T11:00,{word}\n")
    columns = {"key": "key", "start": "start", "end": "end", "cancelled": "off"}
    assert tables.only(columns).cancelled is cancelled


def test_a_word_that_is_neither_yes_nor_no_refuses_the_table(tables: Tables) -> None:
    tables.write("key,start,end,off\nM1,2026-09-21T09:00,2026-09-21T11:00,perhaps\n")
    error = tables.refused({"key": "key", "start": "start", "end": "end", "cancelled": "off"})
    assert '"perhaps"' in error.why


def test_a_column_that_is_not_there_is_named_with_the_nearest_and_those_that_are(tables: Tables) -> None:
    tables.write(row("2026-09-21T09:00", "2026-09-21T11:00"))
    error = tables.refused(PLAIN | {"start": "Startt"})
    assert error.code == "E-SRC-COLUMN"
    assert "meetings.csv" in error.what
    assert '"Startt"' in error.what
    assert '"key", "start", "end", "title"' in error.why
    assert 'Did you mean "start"?' in error.do
    assert "map.start" in error.do


def test_a_column_is_found_whatever_its_case_and_blanks(tables: Tables) -> None:
    tables.write(" KEY ,Start Time,END,Title\nM1,2026-09-21T09:00,2026-09-21T11:00,Algebra\n")
    assert tables.only({"key": "key", "start": "starttime", "end": "end", "title": "title"}).fields == {
        "title": "Algebra"
    }


def test_a_column_that_is_there_twice_is_refused(tables: Tables) -> None:
    tables.write("key,start,end,title,title\nM1,2026-09-21T09:00,2026-09-21T11:00,a,b\n")
    error = tables.refused()
    assert (error.code, '2 columns named "title"' in error.what) == ("E-SRC-COLUMN", True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_and_encoding_are_found_out(tables: Tables, encoding: str, delimiter: str) -> None:
    rows: list[list[Any]] = [
        ["key", "start", "end", "title"],
        ["M1", "2026-09-21T09:00", "2026-09-21T11:00", "Übung für Köche"],
    ]
    text = "\r\n".join(delimiter.join(cells) for cells in rows) + "\r\n"
    assert tables.write(text.encode(encoding)).only().fields == {"title": "Übung für Köche"}


def test_the_delimiter_may_be_told_in_the_first_line(tables: Tables) -> None:
    tables.write("sep=;\nkey;start;end;title, and more\nM1;2026-09-21T09:00;2026-09-21T11:00;A\n")
    assert tables.only(PLAIN | {"title": "title, and more"}).fields == {"title": "A"}


def test_cells_may_hold_delimiters_and_line_breaks_in_quotation_marks(tables: Tables) -> None:
    tables.write('key,start,end,title\nM1,2026-09-21T09:00,2026-09-21T11:00,"A, B\nand ""C"""\n\n,,,\n')
    assert tables.only().fields == {"title": 'A, B\nand "C"'}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "E-SRC-EMPTY"),
        ("\n\n", "E-SRC-EMPTY"),
        ("key,start,end,title\n", "E-SRC-EMPTY"),
        ("key,start,end,title\nM1,2026-09-21T09:00,2026-09-21T11:00,A\nM2,2026-0", "E-SRC-ROW"),
        ('key,start,end,title\nM1,2026-09-21T09:00,2026-09-21T11:00,"A\n', "E-SRC-ROW"),
        ("key,start,end,title\nM1,2026-09-21T09:00,2026-09-21T11:00,A,too much\n", "E-SRC-ROW"),
        ("key,start,end,title\n,2026-09-21T09:00,2026-09-21T11:00,A\n", "E-SRC-ROW"),
        ("<!DOCTYPE html><title>Sign in</title>", "E-SRC-COLUMN"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "E-SRC-GARBAGE"),
        (b"PK\x03\x04 no workbook", "E-SRC-GARBAGE"),
    ],
)
def test_a_table_that_is_empty_cut_or_none_is_refused(tables: Tables, text: str | bytes, code: str) -> None:
    assert tables.write(text).refused().code == code


def test_one_key_for_two_meetings_is_refused_with_both_lines(tables: Tables) -> None:
    line = "M1,2026-09-21T{}:00,2026-09-21T11:00,A\n"
    tables.write("key,start,end,title\n" + line.format("09") + line.format("10"))
    assert "line 3" in tables.refused().why
    assert "line 2" in tables.refused().why


def test_a_row_that_is_there_twice_counts_once(tables: Tables) -> None:
    line = "M1,2026-09-21T09:00,2026-09-21T11:00,A\n"
    assert tables.write("key,start,end,title\n" + line + line).only().key == "M1"


def test_more_meetings_or_bytes_than_allowed_are_refused(tables: Tables) -> None:
    lines = "".join(f"M{n},2026-09-21T09:00,2026-09-21T11:00,A\n" for n in range(5))
    tables.write("key,start,end,title\n" + lines)
    assert tables.refused(limits=SourceLimits(items=4)).code == "E-SRC-BIG"
    assert tables.refused(limits=SourceLimits(bytes=ByteSize(50))).code == "E-SRC-BIG"


def test_a_file_that_is_absent_is_refused_by_its_name(tables: Tables) -> None:
    error = tables.refused()
    assert (error.code, "meetings.csv" in error.what) == ("E-SRC-FILE", True)


def workbook(*rows: Sequence[Any], title: str = "Plan", others: tuple[str, ...] = ()) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = title
    for cells in rows:
        sheet.append(list(cells))
    for other in others:
        book.create_sheet(other)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_a_workbook_is_read_with_its_dates_times_and_numbers(tables: Tables) -> None:
    nine = at("2026-09-21T09:00") - timedelta(milliseconds=1)
    content = workbook(
        [None, None],
        ["Key", "Start", "End", "Title", None],
        [1001.0, nine, at("2026-09-21T11:00"), "Algebra", "a note beside the table"],
        [],
        ["M2", "2026-09-22T09:00", "2026-09-22T11:00"],
    )
    tables.meetings = tables.folder / "meetings.xlsx"
    tables.write(content, "meeting,person\n1001,ada@example.edu\nM2,ada@example.edu\n")
    first, second = read(tables.source()).meetings
    assert (first.key, first.start, first.end) == ("1001", at("2026-09-21T09:00"), at("2026-09-21T11:00"))
    assert (second.key, second.fields) == ("M2", {})


def test_a_workbook_may_hold_date_and_times_of_day_in_columns_of_their_own(tables: Tables) -> None:
    rows: list[list[Any]] = [
        ["key", "date", "start", "end"],
        ["M1", at("2026-09-21").date(), time(9), timedelta(hours=11)],
    ]
    columns = {"key": "key", "date": "date", "start": "start", "end": "end"}
    meeting = tables.write(workbook(*rows)).only(columns)
    assert (meeting.start, meeting.end) == (at("2026-09-21T09:00"), at("2026-09-21T11:00"))


def test_dates_in_a_workbook_are_whole_days(tables: Tables) -> None:
    rows: list[list[Any]] = [
        ["key", "start", "end", "title"],
        ["M1", at("2026-09-21").date(), at("2026-09-21").date(), "Fair"],
    ]
    meeting = tables.write(workbook(*rows)).only()
    assert (meeting.all_day, meeting.end) == (True, at("2026-09-22"))


def test_a_sheet_is_chosen_by_its_name_and_others_are_named_if_it_is_absent(tables: Tables) -> None:
    tables.write(workbook(["key"], title="Plan", others=("Rooms",)))
    error = tables.refused(sheet="Plann")
    assert '"Plann"' in error.why
    assert "Plan, Rooms" in error.why
    assert tables.refused(sheet="Rooms").code == "E-SRC-EMPTY"


def test_a_workbook_that_stops_the_parser_is_refused(tables: Tables) -> None:
    tables.write(workbook(["key"]))
    with pytest.raises(SourceUnusable, match="E-SRC-PARSER"):
        read(tables.source(), parser=ParserThatDiesOn(b"PK"))
