"""Recurring events: what is taken, their occurrences, and what may become of single days."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from tests.sandbox.client import TAG, Answer, World, at, lecture, tag

WEEKS: dict[str, Any] = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
    "range": {"type": "numbered", "startDate": "2026-09-21", "numberOfOccurrences": 4},
}
DAYS: dict[str, Any] = {
    "pattern": {"type": "daily", "interval": 1},
    "range": {"type": "endDate", "startDate": "2026-09-21", "endDate": "2026-09-25"},
}
TERM = {"startDateTime": "2026-09-01", "endDateTime": "2027-09-01"}


def recurring(recurrence: dict[str, Any] = WEEKS, **changes: Any) -> dict[str, Any]:
    return lecture(recurrence=recurrence, **changes)


def with_pattern(**changes: Any) -> dict[str, Any]:
    return {**WEEKS, "pattern": {**WEEKS["pattern"], **changes}}


def with_range(**changes: Any) -> dict[str, Any]:
    return {**WEEKS, "range": {**WEEKS["range"], **changes}}


def instances(world: World, series: dict[str, Any], **options: str) -> list[dict[str, Any]]:
    query = TERM | {"$top": "50"} | {f"${name}": text for name, text in options.items()}
    answer = world.graph.get(
        f"{world.events}/{quote(series['id'])}/instances", query, Prefer='IdType="ImmutableId"'
    )
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = answer.body["value"]
    return found


def starts(events: list[dict[str, Any]]) -> list[str]:
    return [event["start"]["dateTime"][:16] for event in events]


def event_path(world: World, event: dict[str, Any]) -> str:
    return f"{world.events}/{quote(event['id'])}"


def patched(world: World, event: dict[str, Any], body: dict[str, Any]) -> Answer:
    return world.graph.patch(event_path(world, event), body, Prefer='IdType="ImmutableId"')


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


def test_a_patch_of_an_occurrence_makes_an_exception(world: World) -> None:
    series = world.create(recurring())
    second = instances(world, series)[1]
    answer = patched(world, second, {"subject": "Logic in the hall", "start": at("2026-09-28T10:30:00")})
    assert (answer.status, answer.body["type"]) == (200, "exception")
    assert answer.body["originalStart"] == "2026-09-28T10:00:00Z"
    found = instances(world, series)
    assert [(event["subject"], event["type"]) for event in found] == [
        ("Logic", "occurrence"),
        ("Logic in the hall", "exception"),
        ("Logic", "occurrence"),
        ("Logic", "occurrence"),
    ]
    assert found[1]["id"] == second["id"]
    assert starts(found)[1] == "2026-09-28T10:30"


def test_an_exception_keeps_what_it_says_when_its_series_says_something_else(world: World) -> None:
    series = world.create(recurring())
    patched(world, instances(world, series)[1], {"subject": "Logic in the hall"})
    patched(world, series, {"subject": "Logic II"})
    assert [event["subject"] for event in instances(world, series)] == [
        "Logic II",
        "Logic in the hall",
        "Logic II",
        "Logic II",
    ]


def test_a_series_is_one_item_so_that_a_changed_day_gives_all_of_it_a_new_version(world: World) -> None:
    series = world.create(recurring())
    stale = series["@odata.etag"]
    assert {event["@odata.etag"] for event in instances(world, series)} == {stale}
    patched(world, instances(world, series)[1], {"subject": "x"})
    after = {event["@odata.etag"] for event in instances(world, series)}
    assert len(after) == 1
    assert stale not in after
    other = instances(world, series)[2]
    refused = world.graph.patch(event_path(world, other), {"subject": "y"}, If_Match=stale)
    assert (refused.status, refused.code) == (412, "ErrorIrresolvableConflict")


def test_a_deleted_occurrence_is_gone_and_its_series_stays(world: World) -> None:
    series = world.create(recurring())
    second = instances(world, series)[1]
    assert world.graph.delete(event_path(world, second)).status == 204
    assert starts(instances(world, series)) == ["2026-09-21T10:00", "2026-10-05T10:00", "2026-10-12T10:00"]
    assert world.graph.delete(event_path(world, second)).status == 404
    assert world.ada.deleted_events() == []


@pytest.mark.parametrize(
    ("status", "code"), [(404, "ErrorItemNotFound"), (400, "ErrorCalendarOccurrenceIsDeletedFromRecurrence")]
)
def test_what_the_id_of_a_deleted_occurrence_meets_is_a_switch(world: World, status: Any, code: str) -> None:
    world.sandbox.switches.deleted_occurrence_status = status
    series = world.create(recurring())
    second = instances(world, series)[1]
    world.graph.delete(event_path(world, second))
    for answer in (world.graph.get(event_path(world, second)), patched(world, second, {"subject": "x"})):
        assert (answer.status, answer.code) == (status, code)


def test_cancelled_occurrences_come_only_when_selected(world: World) -> None:
    series = world.create(recurring())
    world.graph.delete(event_path(world, instances(world, series)[1]))
    plain = world.graph.get(event_path(world, series))
    assert "cancelledOccurrences" not in plain.body
    asked = world.graph.get(
        event_path(world, series), {"$select": "cancelledOccurrences"}, Prefer='IdType="ImmutableId"'
    )
    assert asked.body["cancelledOccurrences"] == [f"OID.{series['id']}.2026-09-28"]


def test_exception_occurrences_come_only_when_selected_and_expanded(world: World) -> None:
    series = world.create(recurring())
    patched(world, instances(world, series)[2], {"subject": "Elsewhere"})
    for query in ({"$select": "exceptionOccurrences"}, {"$expand": "exceptionOccurrences"}):
        assert "exceptionOccurrences" not in world.graph.get(event_path(world, series), query).body
    query = {
        "$select": "subject,exceptionOccurrences",
        "$expand": "exceptionOccurrences($select=subject,type)",
    }
    (found,) = world.graph.get(event_path(world, series), query).body["exceptionOccurrences"]
    assert (found["subject"], found["type"]) == ("Elsewhere", "exception")
    assert "start" not in found


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-09-22T09:00:00", "2026-09-22T10:00:00"),
        ("2026-09-24T09:00:00", "2026-09-24T10:00:00"),
        ("2026-09-26T09:00:00", "2026-09-26T10:00:00"),
        ("2026-09-23T23:00:00", "2026-09-24T10:30:00"),
    ],
)
def test_an_occurrence_cannot_reach_the_day_of_a_neighbour(world: World, start: str, end: str) -> None:
    series = world.create(recurring(DAYS))
    third = instances(world, series)[2]
    answer = patched(world, third, {"start": at(start), "end": at(end)})
    assert (answer.status, answer.code) == (400, "ErrorOccurrenceCrossingBoundary")
    assert answer.message == "Modified occurrence is crossing or overlapping adjacent occurrence."
    assert starts(instances(world, series))[2] == "2026-09-23T10:00"


def test_an_occurrence_may_move_into_the_gap_that_a_deleted_one_left(world: World) -> None:
    series = world.create(recurring(DAYS))
    third, fourth = instances(world, series)[2:4]
    world.graph.delete(event_path(world, fourth))
    body = {"start": at("2026-09-24T08:00:00"), "end": at("2026-09-24T09:00:00")}
    assert patched(world, third, body).status == 200
    assert starts(instances(world, series))[2:] == ["2026-09-24T08:00", "2026-09-25T10:00"]


def test_an_exception_is_seen_where_it_has_moved_to(world: World) -> None:
    series = world.create(recurring())
    body = {"start": at("2026-10-02T10:00:00"), "end": at("2026-10-02T11:00:00")}
    patched(world, instances(world, series)[1], body)
    for day, wanted in (("28", []), ("02", ["2026-10-02T10:00"])):
        month = "09" if day == "28" else "10"
        window = {
            "startDateTime": f"2026-{month}-{day}T00:00:00",
            "endDateTime": f"2026-{month}-{day}T23:00:00",
        }
        assert starts(world.graph.get(f"{world.home}/calendarView", window).body["value"]) == wanted


@pytest.mark.parametrize(
    "change",
    [
        {"start": at("2026-09-21T12:00:00"), "end": at("2026-09-21T13:00:00")},
        {"recurrence": with_range(numberOfOccurrences=5)},
    ],
)
@pytest.mark.parametrize("survive", [False, True])
def test_another_pattern_or_time_of_the_series_drops_what_was_changed_of_its_days_or_not_by_switch(
    world: World, change: dict[str, Any], *, survive: bool
) -> None:
    world.sandbox.switches.exceptions_survive_series_change = survive
    series = world.create(recurring())
    first, second = instances(world, series)[:2]
    patched(world, first, {"subject": "Elsewhere"})
    world.graph.delete(event_path(world, second))
    assert patched(world, series, change).status == 200
    after = instances(world, series)
    assert ("Elsewhere" in [event["subject"] for event in after]) is survive
    assert ("2026-09-28" in [start[:10] for start in starts(after)]) is not survive


def test_a_series_moved_to_another_day_begins_its_range_there(world: World) -> None:
    series = world.create(recurring(DAYS))
    body = {"start": at("2026-09-22T10:00:00"), "end": at("2026-09-22T11:00:00")}
    answer = patched(world, series, body)
    assert answer.body["recurrence"]["range"]["startDate"] == "2026-09-22"
    assert len(instances(world, series)) == 4


def test_an_event_becomes_a_series_and_a_series_an_event_under_the_same_id(world: World) -> None:
    event = world.create()
    assert patched(world, event, {"recurrence": WEEKS}).body["type"] == "seriesMaster"
    assert len(instances(world, event)) == 4
    back = patched(world, event, {"recurrence": None}).body
    assert (back["type"], back["recurrence"], back["id"]) == ("singleInstance", None, event["id"])
    assert len(world.graph.get(f"{world.home}/calendarView", TERM).body["value"]) == 1


def test_an_occurrence_cannot_recur_itself(world: World) -> None:
    series = world.create(recurring())
    answer = patched(world, instances(world, series)[0], {"recurrence": WEEKS})
    assert (answer.status, answer.code) == (400, "ErrorCalendarInvalidRecurrence")


def test_a_deleted_series_takes_its_occurrences_along_and_brings_them_back(world: World) -> None:
    series = world.create(recurring())
    second = instances(world, series)[1]
    patched(world, second, {"subject": "Elsewhere"})
    world.graph.delete(event_path(world, series))
    assert world.graph.get(f"{world.home}/calendarView", TERM).body["value"] == []
    assert world.graph.get(event_path(world, second)).status == 404
    world.ada.restore_event(series["id"])
    assert instances(world, series)[1]["subject"] == "Elsewhere"


def test_a_copied_series_has_days_of_its_own(world: World) -> None:
    series = world.create(recurring())
    patched(world, instances(world, series)[1], {"subject": "Elsewhere"})
    copy = {"id": world.ada.copy_event(series["id"])}
    assert instances(world, copy)[1]["subject"] == "Elsewhere"
    world.graph.delete(event_path(world, instances(world, copy)[1]))
    assert (len(instances(world, copy)), len(instances(world, series))) == (3, 4)


def test_the_owner_changes_and_deletes_single_days(world: World) -> None:
    series = world.create(recurring())
    first, second = instances(world, series)[:2]
    world.ada.edit_event(first["id"], {"subject": "Elsewhere"})
    world.ada.delete_event(second["id"])
    assert [event["subject"] for event in instances(world, series)] == ["Elsewhere", "Logic", "Logic"]
    assert world.ada.event(first["id"])["type"] == "exception"
    with pytest.raises(KeyError):
        world.ada.event(second["id"])
    with pytest.raises(ValueError, match="done with its series"):
        world.ada.move_event(first["id"], world.ada.create_calendar("Other"))


def test_changes_of_single_days_are_in_the_history_with_their_date(world: World) -> None:
    series = world.create(recurring())
    first, second = instances(world, series)[:2]
    patched(world, first, {"subject": "Elsewhere"})
    world.ada.delete_event(second["id"])
    details = [
        record.detail
        for record in world.sandbox.history
        if record.kind == "change" and record.mailbox == world.ada.address
    ]
    assert [(told["action"], told.get("occurrence"), told["subject"], told["cause"]) for told in details] == [
        ("create", None, "Logic", f"api:{world.app.client_id}"),
        ("update-occurrence", "2026-09-21", "Elsewhere", f"api:{world.app.client_id}"),
        ("delete-occurrence", "2026-09-28", "Logic", "user"),
    ]
    assert {told["event"] for told in details} == {series["id"]}


@pytest.mark.parametrize("inherit", [True, False])
def test_whether_occurrences_show_the_properties_of_their_series_is_a_switch(
    world: World, *, inherit: bool
) -> None:
    world.sandbox.switches.occurrences_inherit_properties = inherit
    series = world.create(recurring(singleValueExtendedProperties=tag("t1")))
    found = instances(world, series, expand=f"singleValueExtendedProperties($filter=id eq '{TAG}')")
    assert all(("singleValueExtendedProperties" in event) is inherit for event in found)


def test_an_exception_carries_properties_of_its_own(world: World) -> None:
    series = world.create(recurring(singleValueExtendedProperties=tag("t1")))
    patched(world, instances(world, series)[1], {"singleValueExtendedProperties": tag("t2")})
    found = instances(world, series, expand=f"singleValueExtendedProperties($filter=id eq '{TAG}')")
    values = [event["singleValueExtendedProperties"][0]["value"] for event in found]
    assert values == ["t1", "t2", "t1", "t1"]


def test_instances_need_a_window_and_a_series(world: World) -> None:
    series, single = world.create(recurring()), world.create()
    missing = world.graph.get(f"{event_path(world, series)}/instances")
    assert (missing.status, missing.code) == (400, "ErrorInvalidParameter")
    none = world.graph.get(f"{event_path(world, single)}/instances", TERM)
    assert (none.status, none.code) == (400, "ErrorInvalidRequest")


def test_instances_are_filtered_by_type_and_come_in_pages(world: World) -> None:
    series = world.create(recurring())
    patched(world, instances(world, series)[1], {"subject": "Elsewhere"})
    found = instances(world, series, filter="type eq 'exception'")
    assert [event["subject"] for event in found] == ["Elsewhere"]
    page = world.graph.get(f"{event_path(world, series)}/instances", TERM | {"$top": "3"})
    rest = world.graph.get(page.body["@odata.nextLink"])
    assert (len(page.body["value"]), len(rest.body["value"])) == (3, 1)


def test_instances_cannot_be_expanded(world: World) -> None:
    assert world.graph.get(world.events, {"$expand": "instances"}).code == "BadRequest"


def test_a_repeated_create_of_a_series_is_recognised(world: World) -> None:
    body = recurring(transactionId="t-1")
    assert world.create(body)["id"] == world.create(body)["id"]
    other = world.graph.post(world.events, recurring(DAYS, transactionId="t-1"))
    assert other.code == "ErrorDuplicateTransactionId"


def test_a_cancelled_meeting_is_deleted_and_everybody_is_told(world: World) -> None:
    who = [{"emailAddress": {"address": "bob@example.edu"}, "type": "required"}]
    event = world.create(attendees=who)
    answer = world.graph.post(f"{event_path(world, event)}/cancel", {"Comment": "ill"})
    assert (answer.status, answer.body) == (202, "")
    assert [told["id"] for told in world.ada.deleted_events()] == [event["id"]]
    mails = [mail.kind for mail in world.sandbox.outbox if mail.sender == world.ada.address]
    assert mails == ["invitation", "cancellation"]


def test_one_day_of_a_meeting_can_be_cancelled(world: World) -> None:
    who = [{"emailAddress": {"address": "bob@example.edu"}, "type": "required"}]
    series = world.create(recurring(attendees=who))
    assert world.graph.post(f"{event_path(world, instances(world, series)[1])}/cancel").status == 202
    assert len(instances(world, series)) == 3


def test_only_a_meeting_can_be_cancelled(world: World) -> None:
    answer = world.graph.post(f"{event_path(world, world.create())}/cancel", {"Comment": ""})
    assert (answer.status, answer.code) == (400, "ErrorInvalidRequest")
    assert len(world.ada.events()) == 1
