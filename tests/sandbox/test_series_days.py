"""Single days of a series: exceptions, deletions, and what becomes of them."""

from typing import Any

import pytest
from tests.sandbox.client import TAG, World, at, tag
from tests.sandbox.series import (
    DAYS,
    TERM,
    WEEKS,
    event_path,
    instances,
    patched,
    recurring,
    starts,
    with_range,
)


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
