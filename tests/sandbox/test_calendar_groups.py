"""Calendar groups."""

from typing import Any

import pytest
from tests.sandbox.client import World, lecture


def groups(world: World) -> str:
    return f"{world.home}/calendarGroups"


def test_a_mailbox_has_two_groups_and_its_calendars_are_in_the_first(world: World) -> None:
    told = world.graph.get(groups(world)).body["value"]
    assert [group["name"] for group in told] == ["My Calendars", "Other Calendars"]
    mine, others = (f"{groups(world)}/{group['id']}/calendars" for group in told)
    assert [calendar["name"] for calendar in world.graph.get(mine).body["value"]] == ["Calendar"]
    assert world.graph.get(others).body["value"] == []


def test_a_group_is_created_renamed_and_deleted(world: World) -> None:
    made = world.graph.post(groups(world), {"name": "Teaching"})
    assert (made.status, made.body["name"]) == (201, "Teaching")
    own = f"{groups(world)}/{made.body['id']}"
    renamed = world.graph.patch(own, {"name": "Classes"})
    assert (renamed.status, renamed.body["name"]) == (200, "Classes")
    assert renamed.body["changeKey"] != made.body["changeKey"]
    assert world.graph.get(own).body["name"] == "Classes"
    assert world.graph.delete(own).status == 204
    assert world.graph.get(own).code == "ErrorItemNotFound"


def test_a_calendar_in_a_group_takes_events_by_every_path_that_leads_to_it(world: World) -> None:
    group = world.graph.post(groups(world), {"name": "Teaching"}).body["id"]
    inside = f"{groups(world)}/{group}/calendars"
    calendar = world.graph.post(inside, {"name": "Timetable"})
    assert calendar.status == 201
    own = f"{inside}/{calendar.body['id']}"
    event = world.graph.post(f"{own}/events", lecture())
    assert event.status == 201
    plain = f"{world.home}/calendars/{calendar.body['id']}/events"
    assert [told["id"] for told in world.graph.get(plain).body["value"]] == [event.body["id"]]
    window = {"startDateTime": "2026-09-21", "endDateTime": "2026-09-22"}
    assert len(world.graph.get(f"{own}/calendarView", window).body["value"]) == 1
    assert (
        world.graph.get(f"{own}/events")
        .body["@odata.context"]
        .endswith(f"/calendarGroups('{group}')/calendars('{calendar.body['id']}')/events")
    )


def test_a_calendar_is_not_found_in_another_group(world: World) -> None:
    group = world.graph.post(groups(world), {"name": "Teaching"}).body["id"]
    default = next(iter(world.ada.calendars()))
    assert world.graph.get(f"{groups(world)}/{group}/calendars/{default}").code == "ErrorItemNotFound"


def test_all_calendars_are_listed_and_counted_whatever_their_group(world: World) -> None:
    group = world.graph.post(groups(world), {"name": "Teaching"}).body["id"]
    world.graph.post(f"{groups(world)}/{group}/calendars", {"name": "Timetable"})
    listed = world.graph.get(f"{world.home}/calendars").body["value"]
    assert [calendar["name"] for calendar in listed] == ["Calendar", "Timetable"]
    assert world.graph.get(f"{world.home}/calendars/$count").body == "2"


def test_a_group_that_every_mailbox_has_cannot_be_deleted(world: World) -> None:
    for group in world.graph.get(groups(world)).body["value"]:
        assert world.graph.delete(f"{groups(world)}/{group['id']}").code == "ErrorInvalidRequest"


def test_a_group_with_calendars_in_it_cannot_be_deleted(world: World) -> None:
    group = world.graph.post(groups(world), {"name": "Teaching"}).body["id"]
    calendar = world.graph.post(f"{groups(world)}/{group}/calendars", {"name": "Timetable"}).body["id"]
    assert world.graph.delete(f"{groups(world)}/{group}").code == "ErrorInvalidRequest"
    world.graph.delete(f"{world.home}/calendars/{calendar}")
    assert world.graph.delete(f"{groups(world)}/{group}").status == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": " "}, 400),
        ({"name": 1}, 400),
        ({"colour": "red"}, 400),
        ({"name": "MY calendars"}, 409),
    ],
)
def test_a_group_that_makes_no_sense_is_refused(world: World, body: dict[str, Any], status: int) -> None:
    assert world.graph.post(groups(world), body).status == status
    assert len(world.graph.get(groups(world)).body["value"]) == 2


def test_the_id_of_a_group_is_no_id_of_a_calendar_nor_the_reverse(world: World) -> None:
    group = world.graph.get(groups(world)).body["value"][0]["id"]
    default = next(iter(world.ada.calendars()))
    assert world.graph.get(f"{world.home}/calendars/{group}").code == "ErrorItemNotFound"
    assert world.graph.get(f"{groups(world)}/{default}").code == "ErrorItemNotFound"
    assert world.graph.get(f"{groups(world)}/x").code == "ErrorInvalidIdMalformed"


def test_changes_of_groups_are_in_the_history_by_name(world: World) -> None:
    group = world.graph.post(groups(world), {"name": "Teaching"}).body["id"]
    world.graph.patch(f"{groups(world)}/{group}", {"name": "Classes"})
    world.graph.delete(f"{groups(world)}/{group}")
    told = [
        (record.detail["action"], record.detail["name"])
        for record in world.sandbox.history
        if record.kind == "change" and record.mailbox == world.ada.address
    ]
    assert told == [("create-group", "Teaching"), ("rename-group", "Classes"), ("delete-group", "Classes")]
