"""Calendars of a mailbox."""

from typing import Any

import pytest
from tests.sandbox.client import World, lecture


def test_a_mailbox_has_a_default_calendar(world: World) -> None:
    (listed,) = world.graph.get(f"{world.home}/calendars").body["value"]
    assert (listed["name"], listed["isDefaultCalendar"], listed["isRemovable"]) == ("Calendar", True, False)
    assert (listed["canEdit"], listed["color"], len(listed["id"])) == (True, "auto", 152)
    assert listed["owner"]["address"] == world.ada.address
    for path in ("/calendar", f"/calendars/{listed['id']}"):
        shown = world.graph.get(world.home + path).body
        assert {name: value for name, value in shown.items() if name != "@odata.context"} == listed


def test_a_calendar_is_created_and_takes_events(world: World) -> None:
    answer = world.graph.post(f"{world.home}/calendars", {"name": "Timetable", "color": "LightBlue"})
    assert answer.status == 201
    assert (answer.body["name"], answer.body["color"], answer.body["isRemovable"]) == (
        "Timetable",
        "lightBlue",
        True,
    )
    assert answer.headers["location"].endswith(f"/calendars('{answer.body['id']}')")
    path = f"{world.home}/calendars/{answer.body['id']}/events"
    assert world.graph.post(path, lecture()).status == 201
    assert len(world.graph.get(path).body["value"]) == 1
    assert world.graph.get(world.events).body["value"] == []


@pytest.mark.parametrize("name", ["Timetable", "TIMETABLE", "calendar"])
def test_a_name_that_exists_is_refused(world: World, name: str) -> None:
    world.ada.create_calendar("Timetable")
    answer = world.graph.post(f"{world.home}/calendars", {"name": name})
    assert (answer.status, answer.code) == (409, "ErrorFolderExists")
    assert answer.message == "A folder with the specified name already exists."
    assert len(world.ada.calendars()) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": " "},
        {"name": 7},
        {"name": "x", "color": "mauve"},
        {"name": "x", "owner": {}},
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(world: World, body: dict[str, Any]) -> None:
    assert world.graph.post(f"{world.home}/calendars", body).status == 400
    assert len(world.ada.calendars()) == 1


def test_name_and_colour_can_be_changed(world: World) -> None:
    calendar = world.ada.create_calendar("Timetable")
    path = f"{world.home}/calendars/{calendar}"
    before = world.graph.get(path).body["changeKey"]
    answer = world.graph.patch(path, {"name": "Term", "color": "lightRed"})
    assert (answer.status, answer.body["name"], answer.body["color"]) == (200, "Term", "lightRed")
    assert answer.body["changeKey"] != before
    assert world.graph.patch(path, {"name": "term"}).status == 200
    assert world.graph.patch(path, {"name": "Calendar"}).code == "ErrorFolderExists"


def test_deleting_a_calendar_takes_its_events_along(world: World) -> None:
    calendar = world.ada.create_calendar("Timetable")
    path = f"{world.home}/calendars/{calendar}"
    event = world.graph.post(f"{path}/events", lecture(), Prefer='IdType="ImmutableId"').body["id"]
    assert world.graph.delete(path).status == 204
    for gone in (path, f"{path}/events", f"{world.home}/events/{event}"):
        answer = world.graph.get(gone)
        assert (answer.status, answer.code) == (404, "ErrorItemNotFound")
    assert world.ada.events() == []


def test_deleting_a_calendar_permanently_leaves_nothing(world: World) -> None:
    calendar = world.ada.create_calendar("Timetable")
    world.ada.put_event(lecture(), calendar)
    assert world.graph.post(f"{world.home}/calendars/{calendar}/permanentDelete").status == 204
    assert world.ada.events() == world.ada.deleted_events() == []
    assert len(world.ada.calendars()) == 1


@pytest.mark.parametrize("path", ["/calendar", "/calendars/{}"])
def test_the_default_calendar_cannot_be_deleted(world: World, path: str) -> None:
    default = next(iter(world.ada.calendars()))
    answer = world.graph.delete(world.home + path.format(default))
    assert (answer.status, answer.code) == (400, "ErrorDeleteDistinguishedFolder")


@pytest.mark.parametrize("item", ["x", "AAMkA"])
def test_a_malformed_id_is_refused(world: World, item: str) -> None:
    assert world.graph.get(f"{world.home}/calendars/{item}").code == "ErrorInvalidIdMalformed"


def test_a_calendar_of_another_mailbox_is_not_found(world: World) -> None:
    bob = world.tenant.add_mailbox(f"bob@{world.tenant.domain}")
    calendar = bob.create_calendar("Timetable")
    assert world.graph.get(f"{world.home}/calendars/{calendar}").code == "ErrorItemNotFound"


def test_calendars_are_listed_in_pages_by_name_and_in_part(world: World) -> None:
    for number in range(12):
        world.ada.create_calendar(f"C{number:02}")
    path = f"{world.home}/calendars"
    first = world.graph.get(path)
    assert len(first.body["value"]) == 10
    assert len(world.graph.get(first.body["@odata.nextLink"]).body["value"]) == 3
    one = world.graph.get(path, {"$filter": "name eq 'c07'", "$select": "name"}).body["value"]
    assert [set(calendar) for calendar in one] == [{"id", "name"}]
    some = world.graph.get(path, {"$filter": "startswith(name,'C1')"}).body["value"]
    assert [calendar["name"] for calendar in some] == ["C10", "C11"]
    assert world.graph.get(path, {"$filter": "color eq 'auto'"}).code == "ErrorInvalidUrlQueryFilter"


def test_the_id_of_a_calendar_is_the_same_under_every_preference(world: World) -> None:
    plain = world.graph.get(f"{world.home}/calendar").body["id"]
    assert world.graph.get(f"{world.home}/calendar", Prefer='IdType="ImmutableId"').body["id"] == plain


def test_the_calendar_of_an_event_follows_it(world: World) -> None:
    event = world.create()["id"]
    other = world.ada.create_calendar("Other")
    world.ada.move_event(event, other)
    assert world.graph.get(f"{world.home}/events/{event}/calendar").body["id"] == other
