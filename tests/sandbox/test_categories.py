"""Master categories."""

from typing import Any

import pytest
from tests.sandbox.client import Client, World


@pytest.fixture
def settings(world: World) -> Client:
    world.app.grant("MailboxSettings.ReadWrite")
    return world.sign_in()


def path(world: World, item: str = "") -> str:
    return f"{world.home}/outlook/masterCategories{item}"


def test_a_mailbox_begins_with_the_categories_of_outlook(world: World, settings: Client) -> None:
    answer = settings.get(path(world))
    assert answer.body["@odata.context"].endswith(f"users('{world.ada.address}')/outlook/masterCategories")
    assert [(told["displayName"], told["color"]) for told in answer.body["value"]][:2] == [
        ("Red category", "preset0"),
        ("Orange category", "preset1"),
    ]
    assert settings.get(path(world, "/$count")).body == "6"


def test_a_category_is_created_read_recoloured_and_deleted(world: World, settings: Client) -> None:
    made = settings.post(path(world), {"displayName": "Timetable", "color": "Preset7"})
    assert (made.status, made.body["displayName"], made.body["color"]) == (201, "Timetable", "preset7")
    own = path(world, f"/{made.body['id']}")
    assert settings.patch(own, {"color": "preset2"}).body["color"] == "preset2"
    assert settings.get(own).body["color"] == "preset2"
    assert settings.delete(own).status == 204
    for answer in (settings.get(own), settings.delete(own)):
        assert (answer.status, answer.code) == (404, "ErrorItemNotFound")


def test_a_category_has_no_colour_unless_told(world: World, settings: Client) -> None:
    assert settings.post(path(world), {"displayName": "Plain"}).body["color"] == "none"


@pytest.mark.parametrize("code", ["ErrorCategoryNameExists", "ErrorFolderExists"])
def test_a_name_that_exists_in_any_case_is_refused_with_a_code_by_switch(
    world: World, settings: Client, code: str
) -> None:
    world.sandbox.switches.duplicate_category_code = code
    answer = settings.post(path(world), {"displayName": "RED category"})
    assert (answer.status, answer.code) == (409, code)


def test_a_name_is_free_again_once_its_category_is_deleted_and_its_id_is_not(
    world: World, settings: Client
) -> None:
    ids = []
    for _ in range(2):
        made = settings.post(path(world), {"displayName": "Timetable"})
        ids.append(made.body["id"])
        settings.delete(path(world, f"/{ids[-1]}"))
    assert ids[0] != ids[1]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"displayName": ""},
        {"displayName": "x" * 256},
        {"displayName": 1},
        {"displayName": "x", "color": "red"},
        {"displayName": "x", "color": "preset25"},
        {"displayName": "x", "size": 1},
    ],
)
def test_a_category_that_makes_no_sense_is_refused(
    world: World, settings: Client, body: dict[str, Any]
) -> None:
    assert settings.post(path(world), body).status == 400
    assert settings.get(path(world, "/$count")).body == "6"


def test_a_name_once_given_cannot_be_changed(world: World, settings: Client) -> None:
    made = settings.post(path(world), {"displayName": "Timetable"}).body
    own = path(world, f"/{made['id']}")
    assert settings.patch(own, {"displayName": "Other"}).code == "ErrorPropertyValidationFailure"
    assert settings.patch(own, {"displayName": "Timetable", "color": "preset1"}).status == 200


def test_categories_need_a_permission_of_their_own(world: World) -> None:
    assert world.graph.get(path(world)).code == "ErrorAccessDenied"
    world.app.grant("MailboxSettings.Read")
    reader = world.sign_in()
    assert reader.get(path(world)).status == 200
    assert reader.post(path(world), {"displayName": "x"}).code == "ErrorAccessDenied"


def test_events_bear_any_category_whether_it_is_known_or_not(world: World) -> None:
    event = world.create(categories=["Unheard of", "Red category"])
    assert event["categories"] == ["Unheard of", "Red category"]


def test_changes_of_categories_are_in_the_history_by_name(world: World, settings: Client) -> None:
    made = settings.post(path(world), {"displayName": "Timetable"}).body
    settings.patch(path(world, f"/{made['id']}"), {"color": "preset1"})
    settings.delete(path(world, f"/{made['id']}"))
    told = [
        (record.detail["action"], record.detail["name"])
        for record in world.sandbox.history
        if record.kind == "change" and record.mailbox == world.ada.address
    ]
    assert told == [(f"{verb}-category", "Timetable") for verb in ("create", "update", "delete")]
