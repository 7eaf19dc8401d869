"""Repeating entries: which dates they have, and which rules are refused."""

from datetime import datetime

import pytest
from tests.sources.reading import by_key, calendar, lecture, moment, parsed, starts

from classbell.model import Window

MONDAYS = ["2026-09-21T08:00", "2026-09-28T08:00", "2026-10-05T08:00"]


def test_dates_left_out_are_left_out_and_others_are_harmless() -> None:
    read = parsed("harmless_exdates")
    assert starts(read.meetings) == ["2026-09-21T08:00", "2026-10-05T08:00", "2026-10-12T08:00"]
    assert read.problems == []


def test_a_date_is_left_out_by_its_instant_or_its_day_never_by_its_hands_alone() -> None:
    # 08:00 in UTC is 09:00 in London: that one stays, though the hands of the clock agree.
    assert starts(parsed("exdates_in_other_zones").meetings) == ["2026-09-21T07:00", "2026-10-05T07:00"]


def test_a_rule_that_ends_with_the_first_meeting_gives_that_meeting() -> None:
    assert starts(parsed("until_is_the_first_meeting").meetings) == ["2026-09-21T08:00"] * 3


def test_an_end_that_is_a_date_or_floating_is_read_in_the_zone_of_the_series() -> None:
    assert starts(parsed("until_is_a_date_or_floating").meetings) == sorted(
        MONDAYS * 3 + ["2026-09-20T23:00", "2026-09-27T23:00", "2026-10-04T23:00"]
    )


@pytest.mark.parametrize("feed", ["ends", "before", "day"])
def test_a_series_of_one_date_is_known_by_its_uid_and_keeps_its_key_wherever_it_moves(feed: str) -> None:
    assert f"{feed}@example.edu" in by_key(parsed("until_is_the_first_meeting"))


def test_a_series_of_one_date_is_read_whatever_the_window_unless_that_date_is_left_out() -> None:
    rule = "RRULE:FREQ=WEEKLY;COUNT=1"
    assert len(parsed(calendar(lecture("old@x", "20010101T080000Z", "A", rule))).meetings) == 1
    assert (
        parsed(calendar(lecture("old@x", "20010101T080000Z", "A", rule, "EXDATE:20010101T080000Z"))).meetings
        == []
    )


@pytest.mark.parametrize("until", ["99991231", "99991231T235959Z", "99991231T235959"])
@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati"])
def test_an_end_in_the_year_9999_means_that_there_is_none(until: str, zone: str) -> None:
    feed = calendar(
        f"UID:weekly@x\nDTSTART;TZID={zone}:20260921T080000\nSUMMARY:A\nRRULE:FREQ=WEEKLY;UNTIL={until}\n"
        "EXDATE;TZID=America/New_York:99991231T080000,20260928T080000"
    )
    read = parsed(feed, window=Window(begin=moment("2026-09-20"), end=moment("2026-10-15")))
    assert read.problems == []
    assert len(read.meetings) == (3 if zone == "America/New_York" else 4)


def test_a_series_in_utc_stays_in_utc_across_a_clock_change() -> None:
    assert {start[11:] for start in starts(parsed("series_in_utc").meetings)} == {"07:00"}


def test_a_series_in_utc_follows_the_zone_that_its_feed_names() -> None:
    meetings = parsed("series_in_utc_with_x_wr_timezone").meetings
    assert {meeting.start.hour for meeting in meetings} == {9}
    assert [start[11:] for start in starts(meetings)] == ["07:00"] * 2 + ["08:00"] * 4


def test_overrides_replace_their_dates_under_the_keys_of_those_dates() -> None:
    meetings = by_key(parsed("series_with_overrides"))
    assert sorted(meetings) == [f"weekly@example.edu/2026{day}" for day in ("0921", "0928", "1005", "1012")]
    moved = meetings["weekly@example.edu/20260928"]
    assert (moved.start, moved.fields["location"]) == (datetime.fromisoformat("2026-09-30T14:00"), "Room 9")
    assert meetings["weekly@example.edu/20261005"].cancelled


def test_an_override_moved_out_of_the_window_is_still_there() -> None:
    assert by_key(parsed("series_with_overrides"))["weekly@example.edu/20261012"].start.year == 2027


def test_an_override_without_its_series_has_the_key_it_would_have_with_it() -> None:
    assert list(by_key(parsed("override_without_its_series"))) == ["weekly@example.edu/20260928"]


def test_an_override_of_a_date_that_is_left_out_is_left_out() -> None:
    assert starts(parsed("override_of_an_excluded_date").meetings) == ["2026-09-21T08:00", "2026-10-05T08:00"]


def test_an_override_from_here_on_moves_all_later_dates_and_keeps_their_keys() -> None:
    meetings = by_key(parsed("from_here_on_later"))
    told = {
        key[-4:]: (meeting.start.strftime("%d %H"), meeting.fields["location"])
        for key, meeting in meetings.items()
    }
    assert told == {
        "0921": ("21 09", "Room 1"),
        "0928": ("28 09", "Room 1"),
        "1005": ("06 10", "Room 2"),
        "1012": ("13 10", "Room 2"),
    }


def test_extra_dates_belong_to_the_series_with_their_own_length() -> None:
    meetings = by_key(parsed("extra_dates"))
    assert starts(list(meetings.values())) == [
        "2026-09-21T08:00",
        "2026-09-23T13:00",
        "2026-09-25T13:00",
        "2026-09-26T08:00",
    ]
    short = meetings["extra@example.edu/20260926"]
    assert (short.end - short.start).total_seconds() == 1800


def test_a_series_of_several_meetings_a_day_keys_them_by_their_time() -> None:
    assert list(by_key(parsed("twice_a_day"))) == [
        f"twice@example.edu/202609{day}T{hour}0000" for day in (21, 22) for hour in ("09", "14")
    ]


def test_a_series_of_whole_days_leaves_out_a_day() -> None:
    days = parsed("series_of_whole_days").meetings
    assert [meeting.start.isoformat() for meeting in days] == ["2026-09-21T00:00:00", "2026-10-05T00:00:00"]
    assert all(meeting.all_day for meeting in days)


def test_a_series_is_expanded_inside_the_window_by_its_starts_alone() -> None:
    feed = calendar(lecture("weekly@example.edu", "20260921T080000Z", "Algebra", "RRULE:FREQ=WEEKLY"))
    window = Window(begin=moment("2026-10-05T08:00"), end=moment("2026-10-19T08:00"))
    assert starts(parsed(feed, window=window).meetings) == ["2026-10-05T08:00", "2026-10-12T08:00"]


def test_whole_days_are_in_the_window_by_the_midnight_of_their_zone() -> None:
    window = Window(begin=moment("2026-09-27T23:00"), end=moment("2026-10-04T23:00"))
    feed = calendar("UID:days@example.edu\nDTSTART;VALUE=DATE:20260921\nRRULE:FREQ=WEEKLY\nSUMMARY:Fair")
    assert [str(meeting.start.date()) for meeting in parsed(feed, window=window).meetings] == ["2026-09-28"]


def test_entries_that_do_not_repeat_are_read_whatever_the_window() -> None:
    feed = calendar(
        lecture("old@example.edu", "20010101T080000Z"), lecture("far@example.edu", "20900101T080000Z")
    )
    assert len(parsed(feed).meetings) == 2


def test_a_series_that_moves_to_another_time_of_day_keeps_its_keys() -> None:
    before = parsed(calendar(lecture("weekly@x", "20260921T080000Z", "Algebra", "RRULE:FREQ=WEEKLY;COUNT=9")))
    after = parsed(calendar(lecture("weekly@x", "20260921T130000Z", "Algebra", "RRULE:FREQ=WEEKLY;COUNT=9")))
    assert list(by_key(before)) == list(by_key(after))
    assert starts(before.meetings) != starts(after.meetings)


@pytest.mark.parametrize(
    ("feed", "why"),
    [
        ("rule_every_second", "secondly"),
        ("rule_every_minute", "minutely"),
        ("rule_every_hour", "hourly"),
        ("rule_never_stepping", "INTERVAL is 0"),
        ("rule_dense_lists", "denser"),
        ("rule_with_exrule", "EXRULE"),
    ],
)
@pytest.mark.timeout(5)
def test_a_rule_that_no_timetable_has_is_refused_before_it_costs_anything(feed: str, why: str) -> None:
    read = parsed(feed)
    assert starts(read.meetings) == ["2026-09-21T08:00"]
    (problem,) = read.problems
    assert (problem.code, problem.lost) == ("E-SRC-RULE", True)
    assert "'Bomb'" in problem.text
    assert why in problem.text


def test_a_series_with_more_dates_than_allowed_is_refused() -> None:
    feed = calendar(lecture("daily@example.edu", "20260921T080000Z", "Daily", "RRULE:FREQ=DAILY"))
    (problem,) = parsed(feed, occurrences=100).problems
    assert problem.lost
    assert "100 are allowed" in problem.text


def test_a_list_of_too_many_dates_is_refused() -> None:
    dates = ",".join(f"2026{month:02}{day:02}T080000Z" for month in range(1, 13) for day in range(1, 29))
    feed = calendar(lecture("many@example.edu", "20260921T080000Z", "Many", f"RDATE:{dates}"))
    (problem,) = parsed(feed, occurrences=3).problems
    assert "too many dates" in problem.text
