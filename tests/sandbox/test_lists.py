"""Lists and views: pages, windows, options, and what is refused."""

from typing import Any

import pytest
from tests.sandbox.client import Answer, World, at, lecture


def fill(world: World, number: int) -> None:
    for hour in range(number):
        world.ada.put_event(
            lecture(
                subject=f"E{hour:02}",
                start=at(f"2026-09-21T{hour:02}:00:00"),
                end=at(f"2026-09-21T{hour:02}:30:00"),
            )
        )


def subjects(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [event["subject"] for event in answer.body["value"]]


def view(world: World, start: str, end: str, **options: str) -> Answer:
    query = {"startDateTime": start, "endDateTime": end} | {
        f"${name}": text for name, text in options.items()
    }
    return world.graph.get(f"{world.home}/calendarView", query)


def all_pages(world: World, answer: Answer) -> list[list[str]]:
    pages = [subjects(answer)]
    while "@odata.nextLink" in answer.body:
        answer = world.graph.get(answer.body["@odata.nextLink"])
        pages.append(subjects(answer))
    return pages


def test_a_page_has_ten_events_unless_asked(world: World) -> None:
    fill(world, 23)
    pages = all_pages(world, world.graph.get(world.events))
    assert [len(page) for page in pages] == [10, 10, 3]
    assert sorted(subject for page in pages for subject in page) == [f"E{hour:02}" for hour in range(23)]


def test_the_next_link_repeats_every_option_and_skips(world: World) -> None:
    fill(world, 5)
    query = {
        "$top": "2",
        "$orderby": "start/dateTime desc",
        "$select": "subject",
        "$filter": "start/dateTime ge '2026-09-21T01:00'",
    }
    answer = world.graph.get(world.events, query)
    link = answer.body["@odata.nextLink"]
    assert link.startswith(f"{world.address.graph_url}/v1.0{world.home}/calendar/events?")
    assert link.endswith("$skip=2")
    assert all_pages(world, answer) == [["E04", "E03"], ["E02", "E01"]]


def test_pages_go_by_position_so_that_a_deletion_in_between_hides_an_event(world: World) -> None:
    fill(world, 4)
    first = world.graph.get(world.events, {"$top": "2", "$orderby": "start/dateTime"})
    world.ada.delete_event(world.ada.events()[0]["id"])
    second = world.graph.get(first.body["@odata.nextLink"])
    assert (subjects(first), subjects(second)) == (["E00", "E01"], ["E03"])


def test_an_unsorted_list_is_not_in_the_order_of_creation(world: World) -> None:
    fill(world, 10)
    listed = subjects(world.graph.get(world.events))
    assert listed != sorted(listed)
    assert listed == subjects(world.graph.get(world.events))


def test_the_largest_page_is_a_switch(world: World) -> None:
    fill(world, 5)
    assert len(subjects(world.graph.get(world.events, {"$top": "5000"}))) == 5
    world.sandbox.switches.top_clamp = 3
    answer = world.graph.get(world.events, {"$top": "5000"})
    assert len(subjects(answer)) == 3
    assert "@odata.nextLink" in answer.body


def test_a_preferred_page_size_is_kept(world: World) -> None:
    fill(world, 5)
    answer = world.graph.get(world.events, Prefer="odata.maxpagesize=4")
    assert len(subjects(answer)) == 4
    assert answer.headers["preference-applied"] == "odata.maxpagesize=4"


@pytest.mark.parametrize("option", ["$top=0", "$top=-1", "$top=ten", "$top=", "$skip=-1", "$skip=x"])
def test_numbers_must_be_numbers(world: World, option: str) -> None:
    answer = world.graph.get(f"{world.events}?{option}")
    assert (answer.status, answer.code) == (400, "RequestBroker--ParseUri")


def test_a_selection_brings_id_and_etag_along(world: World) -> None:
    event = world.create()
    answer = world.graph.get(f"{world.events}/{event['id']}", {"$select": "subject,start"})
    assert set(answer.body) == {"@odata.context", "@odata.etag", "id", "subject", "start"}


def test_the_context_of_a_list_names_the_selection(world: World) -> None:
    answer = world.graph.get(world.events, {"$select": "subject,start"})
    assert answer.body["@odata.context"].endswith("/calendar/events(start,subject)")


def test_selecting_everything_is_a_star(world: World) -> None:
    event = world.create()
    assert "webLink" in world.graph.get(f"{world.events}/{event['id']}", {"$select": "*"}).body


@pytest.mark.parametrize("option", ["$select", "$expand"])
def test_an_unknown_name_is_refused(world: World, option: str) -> None:
    answer = world.graph.get(world.events, {option: "colour"})
    assert (answer.status, answer.code) == (400, "RequestBroker--ParseUri")
    assert answer.message == (
        "Parsing OData Select and Expand failed: Could not find a property named 'colour' on type "
        "'microsoft.graph.event'."
    )


def test_the_calendar_of_an_event_is_expanded(world: World) -> None:
    event = world.create()
    answer = world.graph.get(f"{world.events}/{event['id']}", {"$expand": "calendar", "$select": "subject"})
    assert answer.body["calendar"]["isDefaultCalendar"] is True


@pytest.mark.parametrize("option", ["$search=x", "$apply=x", "$skiptoken=x"])
def test_an_option_that_events_do_not_have_is_refused(world: World, option: str) -> None:
    assert world.graph.get(f"{world.events}?{option}").status == 400


def test_other_parameters_are_ignored(world: World) -> None:
    assert world.graph.get(f"{world.events}?x=1").status == 200


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("start/dateTime", ["b", "c", "A"]),
        ("start/dateTime desc", ["A", "c", "b"]),
        ("subject", ["A", "b", "c"]),
        ("createdDateTime desc", ["c", "b", "A"]),
        ("lastModifiedDateTime", ["b", "c", "A"]),
    ],
)
def test_lists_are_ordered_as_asked(world: World, order: str, wanted: list[str]) -> None:
    hours = {"A": 12, "b": 8, "c": 10}
    for name, hour in hours.items():
        world.ada.put_event(
            lecture(subject=name, start=at(f"2026-09-21T{hour:02}:00"), end=at("2026-09-21T13:00"))
        )
        world.sandbox.clock.advance(1)
    world.ada.edit_event(world.ada.events()[0]["id"], {})
    assert subjects(world.graph.get(world.events, {"$orderby": order})) == wanted


@pytest.mark.parametrize("order", ["body", "subject up"])
def test_other_orders_are_refused(world: World, order: str) -> None:
    assert world.graph.get(world.events, {"$orderby": order}).code == "ErrorInvalidUrlQuery"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("subject eq 'e02'", ["E02"]),
        ("startswith(subject,'E0')", ["E00", "E01", "E02", "E03"]),
        ("contains(subject,'3')", ["E03"]),
        ("start/dateTime ge '2026-09-21T02:00'", ["E02", "E03"]),
        ("start/dateTime gt '2026-09-21T02:00:00' and end/dateTime le '2026-09-21T03:30:00Z'", ["E03"]),
        ("subject eq 'E00' or subject eq 'E03'", ["E00", "E03"]),
        ("not (subject eq 'E00' or subject eq 'E03')", ["E01", "E02"]),
        ("subject eq 'E00' or subject eq 'E03' and isAllDay eq true", ["E00"]),
        ("createdDateTime ge 2026-09-21T06:00:00Z", ["E00", "E01", "E02", "E03"]),
        ("lastModifiedDateTime lt 2026-09-21", []),
        ("categories/any(c:c eq 'timetable')", ["E01"]),
        ("showAs eq 'free'", ["E02"]),
        ("type eq 'singleInstance' and subject ne 'E00'", ["E01", "E02", "E03"]),
    ],
)
def test_events_are_filtered(world: World, text: str, wanted: list[str]) -> None:
    fill(world, 4)
    events = world.ada.events()
    world.ada.edit_event(events[1]["id"], {"categories": ["Timetable"]})
    world.ada.edit_event(events[2]["id"], {"showAs": "free"})
    assert sorted(subjects(world.graph.get(world.events, {"$filter": text}))) == wanted


def test_an_event_is_found_by_its_ical_uid(world: World) -> None:
    fill(world, 3)
    wanted = world.ada.events()[1]
    answer = world.graph.get(world.events, {"$filter": f"iCalUId eq '{wanted['iCalUId']}'"})
    assert subjects(answer) == [wanted["subject"]]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("id eq 'x'", "ErrorInvalidProperty"),
        ("transactionId eq 'x'", "ErrorInvalidUrlQueryFilter"),
        ("body/content eq 'x'", "ErrorInvalidUrlQueryFilter"),
        ("seriesMasterId eq 'x'", "ErrorInvalidUrlQueryFilter"),
        ("uid eq 'x'", "UnsupportedEntityExpression"),
        ("extensions/any(f:f/id eq 'x')", "ErrorInvalidUrlQueryFilter"),
        ("contains(body/content,'x')", "ErrorInvalidUrlQueryFilter"),
        ("subject eq", "BadRequest"),
        ("subject is 'x'", "BadRequest"),
        ("subject eq 'x' subject", "BadRequest"),
        ("subject eq 'x", "BadRequest"),
        ("(subject eq 'x'", "BadRequest"),
        ("start/dateTime ge 'noon'", "BadRequest"),
        ("", "BadRequest"),
    ],
)
def test_other_filters_are_refused(world: World, text: str, code: str) -> None:
    answer = world.graph.get(world.events, {"$filter": text})
    assert (answer.status, answer.code) == (400, code)
    if code == "ErrorInvalidUrlQueryFilter":
        assert answer.message == "This filter query is not supported."


@pytest.mark.parametrize(
    ("status", "code"), [(500, "ErrorInternalServerError"), (400, "ErrorInvalidUrlQueryFilter")]
)
def test_a_filter_that_views_do_not_support_breaks_them_or_is_refused_by_switch(
    world: World, status: Any, code: str
) -> None:
    world.sandbox.switches.unsupported_view_filter_status = status
    answer = view(world, "2026-09-21", "2026-09-22", filter="body/content eq 'x'")
    assert (answer.status, answer.code) == (status, code)
    assert view(world, "2026-09-21", "2026-09-22", filter="subject eq").code == "BadRequest"


def test_what_is_sorted_by_must_lead_the_filter(world: World) -> None:
    fill(world, 2)
    text = "start/dateTime ge '2026-09-21' and subject ne 'x'"
    good = world.graph.get(world.events, {"$filter": text, "$orderby": "start/dateTime,subject"})
    assert subjects(good) == ["E00", "E01"]
    for order in ("subject", "subject,start/dateTime", "createdDateTime"):
        answer = world.graph.get(world.events, {"$filter": text, "$orderby": order})
        assert (answer.status, answer.code) == (400, "InefficientFilter")
        assert answer.message == "The restriction or sort order is too complex for this operation."


def test_a_count_comes_with_the_page_or_alone(world: World) -> None:
    fill(world, 12)
    answer = world.graph.get(world.events, {"$count": "true", "$top": "3"})
    assert (answer.body["@odata.count"], len(subjects(answer))) == (12, 3)
    alone = world.graph.get(f"{world.events}/$count", {"$filter": "startswith(subject,'E0')"})
    assert (alone.headers["content-type"], alone.body) == ("text/plain", "10")


@pytest.mark.parametrize(
    "query", ["", "?startDateTime=2026-09-21", "?endDateTime=2026-09-21", "?startDateTime=&endDateTime="]
)
def test_a_view_needs_a_window(world: World, query: str) -> None:
    answer = world.graph.get(f"{world.home}/calendarView{query}")
    assert (answer.status, answer.code) == (400, "ErrorInvalidParameter")
    assert answer.message == (
        "This request requires a time window specified by the query string parameters StartDateTime and "
        "EndDateTime."
    )


def test_a_window_must_be_two_moments(world: World) -> None:
    assert view(world, "monday", "2026-09-22").code == "ErrorInvalidParameter"


def test_a_window_may_not_exceed_1825_days(world: World) -> None:
    assert view(world, "2026-01-01", "2030-12-31").status == 200
    answer = view(world, "2026-01-01", "2031-01-01")
    assert (answer.status, answer.code) == (400, "ErrorInvalidRequest")
    assert answer.message == (
        "Your request can't be completed. The range between the start and end dates is greater than the "
        "allowed range. Maximum number of days: 1825"
    )


def test_a_view_shows_what_overlaps_its_window_by_start(world: World) -> None:
    fill(world, 6)
    assert subjects(view(world, "2026-09-21T01:15:00", "2026-09-21T04:00:00")) == ["E01", "E02", "E03"]
    assert subjects(view(world, "2026-09-21T01:30:00", "2026-09-21T02:00:00")) == []


def test_the_names_of_the_window_are_taken_in_any_case(world: World) -> None:
    fill(world, 1)
    path = f"{world.home}/calendarview?STARTDATETIME=2026-09-21&enddatetime=2026-09-22"
    assert subjects(world.graph.get(path)) == ["E00"]


def test_a_window_has_its_own_offset_and_not_the_preferred_zone(world: World) -> None:
    fill(world, 4)
    path = (
        f"{world.home}/calendarView?startDateTime=2026-09-21T03:00:00%2B02:00&endDateTime=2026-09-21T02:00:00"
    )
    answer = world.graph.get(path, Prefer='outlook.timezone="Tokyo Standard Time"')
    assert subjects(answer) == ["E01"]


def test_a_view_of_one_calendar_shows_that_one_only(world: World) -> None:
    fill(world, 1)
    other = world.ada.create_calendar("Other")
    world.ada.put_event(lecture(subject="other"), other)
    window = {"startDateTime": "2026-09-21", "endDateTime": "2026-09-22"}
    for path, wanted in (
        ("/calendarView", ["E00"]),
        ("/calendar/calendarView", ["E00"]),
        (f"/calendars/{other}/calendarView", ["other"]),
    ):
        assert subjects(world.graph.get(world.home + path, window)) == wanted


def test_views_have_pages_and_selections_too(world: World) -> None:
    fill(world, 5)
    answer = view(world, "2026-09-21", "2026-09-22", top="3", select="subject", filter="subject ne 'E01'")
    assert set(answer.body["value"][0]) == {"@odata.etag", "id", "subject"}
    assert all_pages(world, answer) == [["E00", "E02", "E03"], ["E04"]]


def test_an_all_day_event_shows_in_the_neighbouring_day_of_another_zone(world: World) -> None:
    zone = "Pacific/Auckland"
    body: dict[str, Any] = lecture(
        isAllDay=True, start=at("2026-09-22T00:00:00", zone), end=at("2026-09-23T00:00:00", zone)
    )
    world.ada.put_event(body)
    assert subjects(view(world, "2026-09-21", "2026-09-22")) == ["Logic"]


def test_deleted_events_are_in_no_list(world: World) -> None:
    fill(world, 1)
    world.ada.delete_event(world.ada.events()[0]["id"])
    assert subjects(world.graph.get(world.events)) == subjects(view(world, "2026-09-21", "2026-09-22")) == []
