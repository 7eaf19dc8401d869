"""Ids of both kinds, change keys and If-Match."""

import base64
import re

import pytest
from tests.sandbox.client import World, lecture

IMMUTABLE = 'IdType="ImmutableId"'


def test_a_mutable_id_has_152_characters_and_an_immutable_one_68(world: World) -> None:
    mutable = world.graph.post(world.events, lecture()).body["id"]
    immutable = world.graph.post(world.events, lecture(), Prefer=IMMUTABLE).body["id"]
    assert (len(mutable), mutable[:5]) == (152, "AAMkA")
    assert (len(immutable), immutable[:36]) == (68, "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A")
    assert re.fullmatch(r"[A-Za-z0-9_-]+=*", mutable)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", immutable)


def test_the_preference_for_immutable_ids_is_confirmed_and_holds_for_one_request(world: World) -> None:
    answer = world.graph.post(world.events, lecture(), Prefer=IMMUTABLE)
    assert answer.headers["preference-applied"] == "IdType=ImmutableId"
    (listed,) = world.graph.get(world.events).body["value"]
    assert len(listed["id"]) == 152


def test_a_path_takes_ids_of_either_kind(world: World) -> None:
    mutable = world.graph.post(world.events, lecture()).body["id"]
    immutable = world.graph.get(f"{world.events}/{mutable}", Prefer=IMMUTABLE).body["id"]
    assert world.graph.get(f"{world.events}/{immutable}").body["id"] == mutable


def test_moving_an_event_changes_its_mutable_id_only(world: World) -> None:
    mutable = world.graph.post(world.events, lecture()).body["id"]
    immutable = world.graph.get(f"{world.events}/{mutable}", Prefer=IMMUTABLE).body["id"]
    world.ada.move_event(immutable, world.ada.create_calendar("Other"))
    assert world.graph.get(f"{world.home}/events/{mutable}").code == "ErrorItemNotFound"
    moved = world.graph.get(f"{world.home}/events/{immutable}")
    assert (moved.status, len(moved.body["id"]), moved.body["id"] == mutable) == (200, 152, False)
    again = world.graph.get(f"{world.home}/events/{immutable}", Prefer=IMMUTABLE)
    assert again.body["id"] == immutable


@pytest.mark.parametrize(
    "item", ["x", "AAMkAGI1", "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A", "%20", "AAMkA%2B%2F=="]
)
def test_what_is_no_id_is_malformed(world: World, item: str) -> None:
    answer = world.graph.get(f"{world.events}/{item}")
    assert (answer.status, answer.code, answer.message) == (
        400,
        "ErrorInvalidIdMalformed",
        "Id is malformed.",
    )


def test_ids_are_case_sensitive(world: World) -> None:
    event = world.create()["id"]
    assert world.graph.get(f"{world.events}/{event.swapcase()}").status in {400, 404}


def test_an_id_of_another_mailbox_is_not_found_here(world: World) -> None:
    bob = world.tenant.add_mailbox(f"bob@{world.tenant.domain}")
    for event in (world.create()["id"], world.graph.post(world.events, lecture()).body["id"]):
        answer = world.graph.get(f"/users/{bob.address}/events/{event}")
        assert (answer.status, answer.code) == (404, "ErrorItemNotFound")


def test_the_id_of_a_calendar_is_no_id_of_an_event_nor_the_reverse(world: World) -> None:
    event = world.create()["id"]
    calendar = world.graph.get(f"{world.home}/calendar").body["id"]
    assert world.graph.get(f"{world.events}/{calendar}").code == "ErrorInvalidIdMalformed"
    assert world.graph.get(f"{world.home}/calendars/{event}/events").code == "ErrorInvalidIdMalformed"


@pytest.mark.parametrize("status", [200, 404])
def test_whether_an_immutable_id_leads_into_deleted_items_is_a_switch(world: World, status: int) -> None:
    world.sandbox.switches.items_in_deleted_items_by_immutable_id = status  # type: ignore[assignment]
    event = world.create()["id"]
    world.ada.delete_event(event)
    path = f"{world.home}/events/{event}"
    assert world.graph.get(path).status == status
    assert world.graph.patch(path, {"subject": "Sets"}).status == status
    assert world.graph.delete(path).status == {200: 204, 404: 404}[status]
    assert len(world.ada.deleted_events()) == {200: 0, 404: 1}[status]


def test_deleting_by_mutable_id_twice_never_finds_it_again(world: World) -> None:
    world.sandbox.switches.items_in_deleted_items_by_immutable_id = 200
    event = world.graph.post(world.events, lecture()).body["id"]
    assert world.graph.delete(f"{world.events}/{event}").status == 204
    assert world.graph.delete(f"{world.events}/{event}").code == "ErrorItemNotFound"


def test_the_etag_is_the_weak_change_key(world: World) -> None:
    event = world.create()
    assert event["@odata.etag"] == f'W/"{event["changeKey"]}"'
    assert len(base64.b64decode(event["changeKey"], validate=True)) == 22


def test_every_change_gives_a_new_change_key(world: World) -> None:
    event = world.create()
    path = f"{world.events}/{event['id']}"
    keys = {event["changeKey"]}
    for change in ({"subject": "Sets"}, {"subject": "Sets"}, {}):
        keys.add(world.graph.patch(path, change).body["changeKey"])
    world.ada.touch_event(event["id"])
    keys.add(world.graph.get(path).body["changeKey"])
    assert len(keys) == 5


def test_a_read_leaves_the_change_key_alone(world: World) -> None:
    event = world.create()
    assert world.graph.get(f"{world.events}/{event['id']}").body["changeKey"] == event["changeKey"]


@pytest.mark.parametrize("form", ["{}", "*", '"{key}"', 'W/"stale", {}'])
def test_a_matching_if_match_lets_the_change_pass(world: World, form: str) -> None:
    event = world.create()
    header = form.replace("{}", event["@odata.etag"]).replace("{key}", event["changeKey"])
    answer = world.graph.patch(f"{world.events}/{event['id']}", {"subject": "Sets"}, If_Match=header)
    assert answer.status == 200


def test_a_stale_if_match_is_an_irresolvable_conflict(world: World) -> None:
    event = world.create()
    world.ada.edit_event(event["id"], {"subject": "Mine"})
    path = f"{world.events}/{event['id']}"
    for answer in (
        world.graph.patch(path, {"subject": "Sets"}, If_Match=event["@odata.etag"]),
        world.graph.delete(path, If_Match=event["@odata.etag"]),
        world.graph.post(f"{path}/permanentDelete", If_Match=event["@odata.etag"]),
    ):
        assert (answer.status, answer.code) == (412, "ErrorIrresolvableConflict")
        assert answer.message == (
            "The send or update operation could not be performed because the change key passed in the request "
            "does not match the current change key for the item."
        )
    assert [seen["subject"] for seen in world.ada.events()] == ["Mine"]


def test_without_if_match_the_last_writer_wins(world: World) -> None:
    event = world.create()
    world.ada.edit_event(event["id"], {"subject": "Mine"})
    assert world.graph.patch(f"{world.events}/{event['id']}", {"subject": "Sets"}).status == 200


def test_whether_a_delete_obeys_if_match_is_a_switch(world: World) -> None:
    event = world.create()
    world.sandbox.switches.if_match_on_delete = False
    assert world.graph.delete(f"{world.events}/{event['id']}", If_Match='W/"stale"').status == 204


def test_an_empty_if_match_is_malformed(world: World) -> None:
    event = world.create()
    answer = world.graph.patch(f"{world.events}/{event['id']}", {}, If_Match=",")
    assert (answer.status, answer.code) == (400, "BadRequest")


def test_the_ical_uid_has_the_shape_of_a_global_object_id_and_stays(world: World) -> None:
    first, second = world.create(), world.create()
    assert re.fullmatch(r"040000008200E00074C5B7101A82E00800000000[0-9A-F]{72}", first["iCalUId"])
    assert first["iCalUId"] != second["iCalUId"]
    path = f"{world.events}/{first['id']}"
    assert world.graph.patch(path, {"subject": "Sets"}).body["iCalUId"] == first["iCalUId"]
