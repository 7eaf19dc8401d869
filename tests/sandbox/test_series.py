"""Recurring events: what is taken, their occurrences, and what may become of single days."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.sandbox.client import World, at
from tests.sandbox.series import (
    DAYS,
    TERM,
    WEEKS,
    event_path,
    instances,
    patched,
    recurring,
    starts,
    with_pattern,
    with_range,
)


def test_a_series_is_shown_with_every_member_of_its_recurrence(world: World) -> None:
    series = world.create(recurring())
    assert (series["type"], series["seriesMasterId"]) == ("seriesMaster", None)
    assert series["recurrence"] == {
        "pattern": {
            "type": "weekly",
            "interval": 1,
            "month": 0,
            "dayOfMonth": 0,
            "daysOfWeek": ["monday"],
            "firstDayOfWeek": "sunday",
            "index": "first",
        },
        "range": {
            "type": "numbered",
            "startDate": "2026-09-21",
            "endDate": "0001-01-01",
            "recurrenceTimeZone": "UTC",
            "numberOfOccurrences": 4,
        },
    }


def test_what_is_read_of_a_recurrence_can_be_sent_again(world: World) -> None:
    series = world.create(recurring())
    answer = patched(world, series, {"recurrence": series["recurrence"]})
    assert (answer.status, answer.body["recurrence"]) == (200, series["recurrence"])


def test_events_list_series_and_views_list_their_occurrences(world: World) -> None:
    series = world.create(recurring())
    listed = world.graph.get(world.events).body["value"]
    assert [event["type"] for event in listed] == ["seriesMaster"]
    query = TERM | {"$orderby": "start/dateTime"}
    viewed = world.graph.get(f"{world.home}/calendarView", query, Prefer='IdType="ImmutableId"').body["value"]
    assert [(event["type"], event["seriesMasterId"]) for event in viewed] == [
        ("occurrence", series["id"])
    ] * 4
    assert starts(viewed) == [
        "2026-09-21T10:00",
        "2026-09-28T10:00",
        "2026-10-05T10:00",
        "2026-10-12T10:00",
    ]
    assert [event["originalStart"] for event in viewed][:2] == [
        "2026-09-21T10:00:00Z",
        "2026-09-28T10:00:00Z",
    ]
    assert all(event["recurrence"] is None for event in viewed)
    assert "originalStart" not in world.create()


def test_a_view_counts_occurrences_and_a_list_counts_series(world: World) -> None:
    series = world.create(recurring())
    window = "startDateTime=2026-09-01&endDateTime=2026-10-01"
    assert world.graph.get(f"{world.home}/calendarView/$count?{window}").body == "2"
    assert world.graph.get(f"{event_path(world, series)}/instances/$count?{window}").body == "2"
    assert world.graph.get(f"{world.events}/$count").body == "1"


def test_the_owner_sees_occurrences_too(world: World) -> None:
    world.create(recurring())
    seen = world.ada.calendar_view(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC))
    assert starts(seen) == ["2026-09-21T10:00", "2026-09-28T10:00"]


@pytest.mark.parametrize(
    ("pattern", "first", "wanted"),
    [
        ({"type": "daily", "interval": 2}, "2026-09-21", ["09-21", "09-23", "09-25"]),
        (
            {
                "type": "weekly",
                "interval": 2,
                "daysOfWeek": ["monday", "sunday"],
                "firstDayOfWeek": "monday",
            },
            "2026-09-21",
            ["09-21", "09-27", "10-05"],
        ),
        (
            {"type": "weekly", "interval": 2, "daysOfWeek": ["monday", "sunday"]},
            "2026-09-21",
            ["09-21", "10-04", "10-05"],
        ),
        (
            {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31},
            "2026-10-31",
            ["10-31", "11-30", "12-31"],
        ),
        (
            {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["tuesday"], "index": "last"},
            "2026-09-29",
            ["09-29", "10-27", "11-24"],
        ),
        (
            {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["saturday", "sunday"]},
            "2026-10-03",
            ["10-03", "11-01", "12-05"],
        ),
        (
            {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 21, "month": 9},
            "2026-09-21",
            ["09-21", "09-21", "09-21"],
        ),
        (
            {
                "type": "relativeYearly",
                "interval": 1,
                "daysOfWeek": ["monday"],
                "index": "third",
                "month": 9,
            },
            "2026-09-21",
            ["09-21", "09-20", "09-18"],
        ),
        (
            {"type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"]},
            "2026-09-21",
            ["09-23", "09-30", "10-07"],
        ),
    ],
)
def test_each_type_of_pattern_falls_on_its_days(
    world: World, pattern: dict[str, Any], first: str, wanted: list[str]
) -> None:
    limits = {"type": "numbered", "startDate": first, "numberOfOccurrences": 3}
    series = world.create(
        recurring(
            {"pattern": pattern, "range": limits}, start=at(f"{first}T10:00:00"), end=at(f"{first}T11:00:00")
        )
    )
    window = {"startDateTime": "2026-09-01", "endDateTime": "2029-09-30"}
    found = world.graph.get(f"{event_path(world, series)}/instances", window).body["value"]
    assert [start[5:10] for start in starts(found)] == wanted


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ({"type": "numbered", "startDate": "2026-09-21", "numberOfOccurrences": 2}, 2),
        ({"type": "endDate", "startDate": "2026-09-21", "endDate": "2026-10-05"}, 3),
        ({"type": "noEnd", "startDate": "2026-09-21"}, 50),
    ],
)
def test_each_type_of_range_ends_in_its_way(world: World, limits: dict[str, Any], wanted: int) -> None:
    series = world.create(recurring({**WEEKS, "range": limits}))
    assert len(instances(world, series)) == wanted


def test_wall_times_hold_over_a_change_of_the_clocks(world: World) -> None:
    limits = {"type": "numbered", "startDate": "2026-10-19", "numberOfOccurrences": 2}
    zone = "W. Europe Standard Time"
    body = recurring(
        {**WEEKS, "range": limits}, start=at("2026-10-19T10:00", zone), end=at("2026-10-19T11:00", zone)
    )
    series = world.create(body)
    assert series["recurrence"]["range"]["recurrenceTimeZone"] == zone
    assert starts(instances(world, series)) == ["2026-10-19T08:00", "2026-10-26T09:00"]


def test_a_recurrence_may_keep_another_zone_than_the_start_names(world: World) -> None:
    limits = {
        "type": "numbered",
        "startDate": "2026-10-19",
        "numberOfOccurrences": 2,
        "recurrenceTimeZone": "W. Europe Standard Time",
    }
    body = recurring({**WEEKS, "range": limits}, start=at("2026-10-19T08:00"), end=at("2026-10-19T09:00"))
    assert starts(instances(world, world.create(body))) == ["2026-10-19T08:00", "2026-10-26T09:00"]


def test_a_series_in_utc_is_an_hour_off_after_a_change_of_the_clocks(world: World) -> None:
    limits = {"type": "numbered", "startDate": "2026-10-19", "numberOfOccurrences": 2}
    body = recurring({**WEEKS, "range": limits}, start=at("2026-10-19T08:00"), end=at("2026-10-19T09:00"))
    series = world.create(body)
    query = TERM | {"$select": "start"}
    found = world.graph.get(
        f"{event_path(world, series)}/instances", query, Prefer='outlook.timezone="W. Europe Standard Time"'
    )
    assert starts(found.body["value"]) == ["2026-10-19T10:00", "2026-10-26T09:00"]


def test_all_day_occurrences_keep_to_midnight_and_float(world: World) -> None:
    zone = "W. Europe Standard Time"
    limits = {"type": "numbered", "startDate": "2026-10-19", "numberOfOccurrences": 2}
    series = world.create(
        recurring(
            {**WEEKS, "range": limits},
            isAllDay=True,
            start=at("2026-10-19T00:00", zone),
            end=at("2026-10-20T00:00", zone),
        )
    )
    found = instances(world, series)
    assert starts(found) == ["2026-10-19T00:00", "2026-10-26T00:00"]
    assert [event["end"]["dateTime"][:16] for event in found] == ["2026-10-20T00:00", "2026-10-27T00:00"]


@pytest.mark.parametrize(
    ("recurrence", "code"),
    [
        (with_pattern(interval=0), "ErrorCalendarInvalidRecurrence"),
        (with_pattern(interval=100), "ErrorCalendarInvalidRecurrence"),
        (with_pattern(daysOfWeek=[]), "ErrorCalendarInvalidRecurrence"),
        (with_pattern(type=None), "ErrorCalendarInvalidRecurrence"),
        (with_pattern(type="absoluteMonthly"), "ErrorCalendarInvalidRecurrence"),
        (with_pattern(type="absoluteYearly", dayOfMonth=1), "ErrorCalendarInvalidRecurrence"),
        (with_pattern(type="relativeYearly"), "ErrorCalendarInvalidRecurrence"),
        # What the type does not use is checked all the same.
        (with_pattern(month=13), "ErrorCalendarInvalidRecurrence"),
        (with_pattern(dayOfMonth=32), "ErrorCalendarInvalidRecurrence"),
        (with_pattern(index="fifth"), "RequestBodyRead"),
        (with_range(endDate="25/12/2026"), "UnableToDeserializePostBody"),
        (with_pattern(type="hourly"), "RequestBodyRead"),
        (with_pattern(daysOfWeek=["noday"]), "RequestBodyRead"),
        (with_pattern(daysOfWeek="monday"), "RequestBodyRead"),
        (with_pattern(interval="two"), "RequestBodyRead"),
        (with_pattern(colour="red"), "RequestBodyRead"),
        (with_range(numberOfOccurrences=0), "ErrorCalendarInvalidRecurrence"),
        (with_range(numberOfOccurrences=1000), "ErrorCalendarInvalidRecurrence"),
        (with_range(type="endDate"), "ErrorCalendarInvalidRecurrence"),
        (with_range(type="endDate", endDate="2026-09-20"), "ErrorCalendarInvalidRecurrence"),
        (with_range(startDate=None), "ErrorCalendarInvalidRecurrence"),
        (with_range(startDate="2026-09-21T10:00:00Z"), "UnableToDeserializePostBody"),
        (with_range(startDate="2026-02-30"), "UnableToDeserializePostBody"),
        (with_range(startDate="2026-09-22"), "ErrorPropertyValidationFailure"),
        (with_range(recurrenceTimeZone="Nowhere"), "TimeZoneNotSupportedException"),
        (with_range(recurrenceTimeZone=1), "RequestBodyRead"),
        ({"pattern": WEEKS["pattern"]}, "ErrorCalendarInvalidRecurrence"),
        ({"range": WEEKS["range"]}, "ErrorCalendarInvalidRecurrence"),
        ("weekly", "RequestBodyRead"),
        (
            {
                "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["sunday"]},
                "range": {"type": "endDate", "startDate": "2026-09-21", "endDate": "2026-09-26"},
            },
            "ErrorRecurrenceHasNoOccurrence",
        ),
    ],
)
def test_a_recurrence_that_makes_no_sense_is_refused(world: World, recurrence: Any, code: str) -> None:
    answer = world.graph.post(world.events, recurring(recurrence))
    assert (answer.status, answer.code) == (400, code)
    assert world.ada.events() == []


def test_occurrences_that_would_overlap_each_other_are_refused(world: World) -> None:
    answer = world.graph.post(world.events, recurring(DAYS, end=at("2026-09-22T10:01:00")))
    assert (answer.status, answer.code) == (400, "ErrorOccurrenceTimeSpanTooBig")


def test_the_id_of_an_occurrence_is_made_of_its_series_and_its_day(world: World) -> None:
    world.create(recurring())
    viewed = world.graph.get(f"{world.home}/calendarView", TERM).body["value"]
    ids = [event["id"] for event in viewed]
    assert {len(item) for item in ids} == {168}
    assert len(set(ids)) == 4
    for event in viewed:
        read = world.graph.get(event_path(world, event)).body
        assert (read["id"], read["start"], read["type"]) == (event["id"], event["start"], "occurrence")
    assert [event["id"] for event in world.graph.get(f"{world.home}/calendarView", TERM).body["value"]] == ids


def test_immutable_ids_of_occurrences_survive_a_move_of_their_series_and_mutable_ones_do_not(
    world: World,
) -> None:
    series = world.create(recurring())
    mutable = world.graph.get(f"{world.home}/calendarView", TERM).body["value"][1]
    immutable = instances(world, series)[1]
    world.ada.move_event(series["id"], world.ada.create_calendar("Other"))
    assert world.graph.get(event_path(world, mutable)).status == 404
    assert world.graph.get(event_path(world, immutable)).body["start"] == mutable["start"]


def test_every_occurrence_has_its_date_in_its_ical_uid(world: World) -> None:
    series = world.create(recurring())
    found = [event["iCalUId"] for event in instances(world, series)]
    assert [uid[32:40] for uid in found] == ["07EA0915", "07EA091C", "07EA0A05", "07EA0A0C"]
    assert {uid[:32] + "00000000" + uid[40:] for uid in found} == {series["iCalUId"]}


@pytest.mark.parametrize("day", ["2026-09-22", "2026-10-19"])
def test_an_id_of_a_day_that_the_series_does_not_have_is_not_found(world: World, day: str) -> None:
    series = world.create(recurring())
    number = world.ada._event(series["id"]).number
    item = world.ada.store.ids.immutable_occurrence(number, datetime.fromisoformat(day).toordinal())
    assert world.graph.get(f"{world.events}/{item}").code == "ErrorItemNotFound"
