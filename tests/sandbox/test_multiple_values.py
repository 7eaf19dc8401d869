"""Extended properties with several values."""

from typing import Any

import pytest
from tests.sandbox.client import TAG, World, lecture, tag

ROOMS = "StringArray {66f5a359-4659-4830-9070-00047ec6ac6e} Name Rooms"


def rooms(*values: str, name: str = ROOMS) -> list[dict[str, Any]]:
    return [{"id": name, "value": list(values)}]


def expanded(world: World, event: dict[str, Any], name: str = ROOMS) -> dict[str, Any]:
    query = {"$expand": f"multiValueExtendedProperties($filter=id eq '{name}')"}
    answer = world.graph.get(f"{world.events}/{event['id']}", query)
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.body
    return found


def test_several_values_are_written_with_the_create_and_read_by_expanding_them(world: World) -> None:
    event = world.create(multiValueExtendedProperties=rooms("B12", "B13"))
    assert "multiValueExtendedProperties" not in event
    assert expanded(world, event)["multiValueExtendedProperties"] == rooms("B12", "B13")


def test_an_event_without_them_has_no_empty_list(world: World) -> None:
    assert "multiValueExtendedProperties" not in expanded(world, world.create())


def test_a_patch_overwrites_them_and_leaves_single_values_alone(world: World) -> None:
    event = world.create(multiValueExtendedProperties=rooms("B12"), singleValueExtendedProperties=tag("t1"))
    world.graph.patch(
        f"{world.events}/{event['id']}", {"multiValueExtendedProperties": rooms("C1", "C2", "C3")}
    )
    assert expanded(world, event)["multiValueExtendedProperties"] == rooms("C1", "C2", "C3")
    (seen,) = world.ada.events()
    assert seen["singleValueExtendedProperties"] == tag("t1")


def test_both_kinds_are_expanded_side_by_side(world: World) -> None:
    event = world.create(multiValueExtendedProperties=rooms("B12"), singleValueExtendedProperties=tag("t1"))
    query = {
        "$expand": f"singleValueExtendedProperties($filter=id eq '{TAG}'),"
        f"multiValueExtendedProperties($filter=id eq '{ROOMS}')"
    }
    body = world.graph.get(f"{world.events}/{event['id']}", query).body
    assert body["singleValueExtendedProperties"] == tag("t1")
    assert body["multiValueExtendedProperties"] == rooms("B12")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (rooms("x", name=TAG), "ErrorInvalidProperty"),
        (rooms("x", name="BooleanArray 0x3001"), "ErrorInvalidProperty"),
        ([{"id": ROOMS, "value": "B12"}], "RequestBodyRead"),
        ([{"id": ROOMS, "value": [1]}], "RequestBodyRead"),
        ([{"value": []}], "ErrorPropertyValidationFailure"),
        ("x", "RequestBodyRead"),
    ],
)
def test_what_are_no_several_values_is_refused(world: World, value: Any, code: str) -> None:
    answer = world.graph.post(world.events, lecture(multiValueExtendedProperties=value))
    assert (answer.status, answer.code) == (400, code)


def test_an_array_is_no_single_value(world: World) -> None:
    body = lecture(singleValueExtendedProperties=[{"id": ROOMS, "value": "B12"}])
    assert world.graph.post(world.events, body).code == "ErrorInvalidProperty"


def test_expanding_them_without_a_filter_is_not_supported(world: World) -> None:
    assert world.graph.get(world.events, {"$expand": "multiValueExtendedProperties"}).code == "BadRequest"
