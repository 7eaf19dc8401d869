"""Instants and zones of single entries."""

from datetime import datetime

import pytest
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON
from tests.sources.reading import by_key, moment, only, parsed

from classbell.sources.parsed import ParsedMeeting
from classbell.sources.tzids import iana_name
from classbell.zones import instant, zone


def span(meeting: ParsedMeeting) -> tuple[datetime, datetime, str]:
    return meeting.start, meeting.end, meeting.zone


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_floating_times_are_read_in_the_zone_of_the_source_first() -> None:
    meeting = only(parsed("floating_with_x_wr_timezone", zone="Asia/Tokyo"))
    assert span(meeting) == (at("2026-09-21T09:00"), at("2026-09-21T11:00"), "Asia/Tokyo")


def test_floating_times_are_read_in_the_zone_the_feed_names_second() -> None:
    assert only(parsed("floating_with_x_wr_timezone")).zone == "Europe/Paris"


def test_floating_times_are_read_in_the_institutions_zone_last() -> None:
    meeting = only(parsed("floating_beside_a_vtimezone", fallback="Europe/Amsterdam"))
    assert span(meeting) == (at("2026-09-21T09:00"), at("2026-09-21T11:00"), "Europe/Amsterdam")


def test_times_in_utc_stay_in_utc() -> None:
    assert span(only(parsed("bare_cr_line_ends"))) == (at("2026-09-21T08:00"), at("2026-09-21T10:00"), "UTC")


def test_a_value_in_utc_is_in_utc_even_beside_a_zone() -> None:
    assert span(only(parsed("utc_value_with_a_zone")))[0::2] == (at("2026-09-21T08:00"), "UTC")


def test_the_name_of_a_known_zone_wins_over_the_definition_the_feed_brings() -> None:
    assert only(parsed("known_zone_with_wrong_definition")).zone == "Europe/Paris"


def test_windows_names_of_zones_are_understood_before_their_definition() -> None:
    meetings = by_key(parsed("windows_zone_names"))
    assert meetings["lecture-1@example.edu"].zone == "Europe/Berlin"
    assert meetings["quoted@example.edu"].zone == "Europe/London"


def test_every_windows_name_means_a_zone_that_exists() -> None:
    assert [name for name in WINDOWS_TO_OLSON if zone(iana_name(name) or "").key == ""] == []


@pytest.mark.parametrize(
    "name", ["localtime", "posixrules", "Factory", "../etc/passwd", "Europe", "", "Mars/Base"]
)
def test_a_name_that_is_no_place_is_no_zone(name: str) -> None:
    assert iana_name(name) is None


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("europe/berlin", "Europe/Berlin"),
        ("/x.org/y/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("America/New York", "America/New_York"),
        ("GMT", "UTC"),
    ],
)
def test_names_of_zones_are_understood_as_they_are_written(name: str, means: str) -> None:
    assert iana_name(name) == means


def test_a_zone_behind_a_vendors_prefix_is_found() -> None:
    assert only(parsed("zone_behind_a_vendor_prefix")).zone == "Europe/Berlin"


@pytest.mark.parametrize("feed", ["zone_of_its_own", "zone_name_with_a_colon"])
def test_a_zone_only_the_feed_defines_gives_instants_in_utc(feed: str) -> None:
    first = parsed(feed).meetings[0]
    assert span(first) == (at("2026-09-21T04:00"), at("2026-09-21T06:00"), "UTC")


@pytest.mark.parametrize("feed", ["zone_that_nobody_knows", "zone_definition_with_a_dense_rule"])
def test_a_zone_nobody_knows_falls_back_and_is_told(feed: str) -> None:
    read = parsed(feed)
    assert only(read).zone == "Europe/London"
    assert [(problem.code, problem.lost) for problem in read.problems] == [("E-SRC-ZONE", False)]
    assert "'Campus Time'" in read.problems[0].text


def test_a_definition_from_one_feed_does_not_reach_the_next() -> None:
    parsed("zone_of_its_own")
    assert only(parsed("zone_that_nobody_knows")).zone == "Europe/London"


@pytest.mark.parametrize(
    ("key", "last"),
    [
        ("same@example.edu", "2026-10-13"),
        ("none@example.edu", "2026-10-13"),
        ("two@example.edu", "2026-10-14"),
        ("late@example.edu", "2026-10-14"),
        ("length@example.edu", "2026-10-15"),
    ],
)
def test_whole_days_end_with_the_day_after_the_last(key: str, last: str) -> None:
    meeting = by_key(parsed("whole_days"))[key]
    assert meeting.all_day
    assert span(meeting) == (at("2026-10-12"), at(last), "Europe/London")


def test_what_is_written_counts_more_than_what_is_declared() -> None:
    meetings = by_key(parsed("dates_declared_as_the_other_type"))
    assert not meetings["lecture-1@example.edu"].all_day
    assert span(meetings["lecture-1@example.edu"])[0] == at("2026-09-21T08:00")
    assert meetings["holiday@example.edu"].all_day
    assert span(meetings["holiday@example.edu"])[:2] == (at("2026-10-12"), at("2026-10-14"))


@pytest.mark.parametrize(
    ("key", "end"),
    [
        ("none@example.edu", "2026-09-21T08:00"),
        ("length@example.edu", "2026-09-21T09:30"),
        ("before@example.edu", "2026-09-21T08:00"),
    ],
)
def test_an_end_that_is_missing_or_senseless_is_the_start(key: str, end: str) -> None:
    assert by_key(parsed("ends"))[key].end == at(end)


def test_a_length_is_exact_time_across_a_clock_change() -> None:
    meeting = by_key(parsed("ends"))["night@example.edu"]
    assert instant(meeting.end, meeting.zone) - instant(meeting.start, meeting.zone) == 3 * 3600


@pytest.mark.parametrize(
    ("key", "start", "end"),
    [
        ("skipped@example.edu", "2027-03-28T01:30", "2027-03-28T02:00"),
        ("twice@example.edu", "2026-10-25T00:30", "2026-10-25T02:00"),
        ("second@example.edu", "2026-10-24T23:30", "2026-10-25T01:15"),
    ],
)
def test_wall_times_around_a_clock_change_keep_their_instants(key: str, start: str, end: str) -> None:
    meeting = by_key(parsed("wall_times_around_clock_changes"))[key]
    assert instant(meeting.start, meeting.zone) == moment(start)
    assert instant(meeting.end, meeting.zone) == moment(end)


def test_a_cancelled_entry_is_a_meeting_that_is_cancelled() -> None:
    meetings = by_key(parsed("cancelled_entries"))
    assert [meetings[f"lecture-{number}@example.edu"].cancelled for number in (1, 2)] == [True, False]


def test_a_feed_that_cancels_cancels_all_its_entries() -> None:
    assert only(parsed("method_cancel")).cancelled


def test_the_request_of_ade_is_no_invitation_and_no_cancellation() -> None:
    assert not only(parsed("method_request_of_ade")).cancelled
