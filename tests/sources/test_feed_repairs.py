"""Feeds as real systems write them, and feeds that are not whole."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.reading import FEEDS, by_key, calendar, lecture, only, parsed, starts

FIRST = ["2026-09-21T08:00"]
BOTH = ["2026-09-21T08:00", "2026-09-22T08:00"]


@pytest.mark.parametrize(
    "feed",
    [
        "bare_cr_line_ends",
        "mixed_line_ends_and_blank_lines",
        "fold_through_a_character",
        "latin1_text",
        "utf16_with_mark",
        "php_warning_before_the_calendar",
        "text_with_raw_line_breaks",
    ],
)
def test_an_oddly_written_feed_is_read_as_it_was_meant(feed: str) -> None:
    read = parsed(feed)
    assert (starts(read.meetings), read.problems, read.failure) == (FIRST, [], None)


def test_a_fold_through_the_middle_of_a_character_is_joined() -> None:
    assert only(parsed("fold_through_a_character")).fields["title"] == "Café du matin"


@pytest.mark.parametrize("feed", ["latin1_text", "utf16_with_mark"])
def test_text_in_another_encoding_is_understood(feed: str) -> None:
    assert only(parsed(feed)).fields["location"] == "Hörsaal Süd"


def test_a_continued_line_keeps_the_blank_that_belongs_to_it() -> None:
    assert only(parsed("mixed_line_ends_and_blank_lines")).fields["title"] == "Algebra and geometry"


def test_raw_line_breaks_in_a_text_stay_in_the_text() -> None:
    fields = only(parsed("text_with_raw_line_breaks")).fields
    assert fields["description"] == "First line\nsecond line without an escape"
    assert fields["location"] == "Room 1"


@pytest.mark.parametrize("feed", ["without_end_vcalendar", "two_calendars_first_not_ended"])
def test_a_missing_end_of_the_calendar_after_a_whole_entry_is_forgiven(feed: str) -> None:
    assert starts(parsed(feed).meetings) == BOTH


@pytest.mark.parametrize(
    ("feed", "code"),
    [
        ("cut_inside_an_entry", "E-SRC-CUT"),
        ("cut_inside_the_last_line", "E-SRC-CUT"),
        ("entry_begins_inside_another", "E-SRC-CUT"),
        ("head_only", "E-SRC-CUT"),
        ("outlook_html_page", "E-SRC-HTML"),
    ],
)
def test_a_part_of_a_feed_is_refused_and_never_read_as_fewer_meetings(feed: str, code: str) -> None:
    read = parsed(feed)
    assert read.failure is not None
    assert read.failure.code == code
    assert read.meetings == []


def test_a_feed_cut_anywhere_inside_an_entry_is_said_to_stop_in_the_middle_of_it() -> None:
    feed = calendar(lecture("1", "20260921T080000Z"))
    first, last = feed.index(b"UID"), feed.index(b"END:VEVENT") + len(b"END:VEVEN")
    told = {read.failure and read.failure.why for read in (parsed(feed[:at]) for at in range(first, last))}
    assert told == {"it stops in the middle of a VEVENT"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "E-SRC-EMPTY"),
        (b"\xef\xbb\xbf \r\n\r\n", "E-SRC-EMPTY"),
        (b"<html><body>Sign in</body></html>", "E-SRC-HTML"),
        (b'<?xml version="1.0"?>\n<!-- a --> <!DOCTYPE html><p>x', "E-SRC-HTML"),
        (b'{"error": "no such timetable"}', "E-SRC-GARBAGE"),
        (b"\x00\x01\x02 binary", "E-SRC-GARBAGE"),
        (b"BEGIN:VEVENT\nSUMMARY:No calendar around it\nEND:VEVENT\n", "E-SRC-GARBAGE"),
        (b"BEGIN:VCALENDAR\nCALSCALE:HEBREW\nEND:VCALENDAR\n", "E-SRC-GARBAGE"),
    ],
)
def test_what_is_no_calendar_is_refused_by_what_it_is(body: bytes, code: str) -> None:
    failure = parsed(body).failure
    assert failure is not None
    assert failure.code == code


def test_every_cut_of_a_feed_is_refused_or_ends_behind_a_whole_entry() -> None:
    whole = (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1@x\r\nDTSTART:20260921T080000Z\r\nSUMMARY:A\r\n"
        b"END:VEVENT\r\nBEGIN:VEVENT\r\nUID:2@x\r\nDTSTART:20260922T080000Z\r\nSUMMARY:B\r\nEND:VEVENT\r\n"
        b"END:VCALENDAR\r\n"
    )
    for length in range(len(whole)):
        read = parsed(whole[:length])
        if read.failure is None:
            assert whole[:length].rstrip().endswith((b"END:VEVENT", b"END:VCALENDAR")), whole[:length]
            assert len(read.meetings) == whole[:length].count(b"END:VEVENT")


def test_a_calendar_without_entries_is_read_as_that() -> None:
    read = parsed("no_entries")
    assert (read.entries, read.meetings, read.failure) == (0, [], None)


def test_a_feed_with_more_entries_than_allowed_is_refused_before_they_are_read() -> None:
    failure = parsed("entries_that_cannot_be_read", items=3).failure
    assert failure is not None
    assert failure.code == "E-SRC-BIG"


def test_series_count_towards_the_limit_with_their_dates() -> None:
    failure = parsed("series_in_utc", items=5).failure
    assert failure is not None
    assert failure.code == "E-SRC-BIG"


def test_an_entry_that_cannot_be_read_is_named_and_the_others_are_read() -> None:
    read = parsed("entries_that_cannot_be_read")
    assert starts(read.meetings) == FIRST
    assert [(problem.code, problem.lost) for problem in read.problems] == [("E-SRC-ROW", True)] * 3
    named = " ".join(problem.text for problem in read.problems)
    assert "'Without a start'" in named
    assert "'On day forty-one'" in named
    assert "'Every fortnight'" in named


def test_an_entry_in_a_year_no_timetable_reaches_is_not_read() -> None:
    (problem,) = parsed("rule_from_long_ago").problems
    assert (problem.code, problem.lost, "year 1" in problem.text) == ("E-SRC-ROW", True, True)


def test_what_stands_in_an_alarm_is_not_taken_for_the_entry() -> None:
    assert only(parsed("alarm_inside")).fields["description"] == "This"


SNIPPETS = [
    b"\r\n", b"\r", b" ", b":", b";", b'"', b"\\", b"\xff", b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n",
    b"RRULE:FREQ=WEEKLY;BYDAY=54XX;WKST=Q\r\n", b"RRULE:FREQ=DAILY;UNTIL=99991231T235959\r\n", b"RRULE:\r\n", b"RRULE:FREQ=WEEKLY;UNTIL=120000\r\n",
    b"RRULE:FREQ=DAILY;UNTIL=P1D\r\n",
    b"RDATE;VALUE=PERIOD:20260922T080000Z/P9999999D\r\n", b"RDATE:120000\r\n", b"EXDATE:00010101\r\n",
    b"DTSTART:99991231T235959Z\r\n", b"DTEND:00010101\r\n", b"DURATION:PT99999999H\r\n", b"SEQUENCE:x\r\n",
    b"RECURRENCE-ID:19000101T000000\r\n", b"COUNT=99999999999999999999", b"TZID=Mars/Base", b"X-WR-TIMEZONE:?\r\n",
]  # fmt: skip


@given(
    st.sampled_from(sorted(path.stem for path in FEEDS.glob("*.ics"))),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.sampled_from([b"", *SNIPPETS])), max_size=4),
)
@settings(max_examples=300)
def test_whatever_is_in_a_feed_reading_it_ends_in_a_value(
    feed: str, edits: list[tuple[float, int, bytes]]
) -> None:
    body = (FEEDS / f"{feed}.ics").read_bytes()
    for place, cut, snippet in edits:
        at = int(place * len(body))
        body = body[:at] + snippet + body[at + cut :]
    read = parsed(body)
    assert read.failure is None or not read.meetings
    assert len(by_key(read)) == len(read.meetings)
