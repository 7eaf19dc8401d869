"""An administrator changes the interface to calendars of an institution that has long been delivered to."""

import pytest
from tests.scenarios.campus import Campus, classes, moved, open_campus
from tests.scenarios.world import World

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("each_api")]


@pytest.fixture
def campus(world: World) -> Campus:
    campus = open_campus(world)
    campus.institution.app.grant_exchange("Calendars.ReadWrite.All")
    campus.institution.app.grant("Calendars.ReadWrite")
    return campus


def change_over(campus: Campus) -> None:
    """From the one to the other."""
    text = campus.institution.file.read_text(encoding="utf-8")
    if 'api = "outlook-rest-v2"\n' in text:
        campus.replace_in_file('api = "outlook-rest-v2"\n', "")
    else:
        campus.replace_in_file("[tenant]\n", '[tenant]\napi = "outlook-rest-v2"\n')


def writes_nothing(campus: Campus) -> None:
    with campus.world.watched() as seen:
        campus.applies()
    assert [record for record in seen.records if "/users/" in record.path] == []


def test_what_it_would_do_is_held_once_and_then_nothing_is_made_twice(campus: Campus) -> None:
    change_over(campus)
    ended = campus.run("apply", "--yes")
    assert (ended.code, "E-HOLD-CONFIG" in ended.err) == (4, True), ended.err
    (hold,) = campus.run("--json", "holds", "list").json[-1]["holds"]
    assert (hold["changes"], hold["deletes"]) == (3, 0)
    assert campus.run("holds", "approve", str(hold["id"]), "--deletes", "0").code == 0
    campus.applies()
    assert campus.holds(moved(classes()))
    writes_nothing(campus)


def test_it_goes_there_and_back_between_two_runs_with_nothing_to_do(campus: Campus) -> None:
    campus.applies()
    for _ in range(2):
        change_over(campus)
        writes_nothing(campus)
    assert campus.holds(moved(classes()))


def test_calendars_are_read_back_and_people_leave_by_the_other_interface(campus: Campus) -> None:
    campus.applies()
    change_over(campus)
    campus.applies()
    assert campus.run("verify").code == 0
    leaving = ("unlink", "ada@example.edu", "--mode", "DELETE_ALL_EVENTS", "--deletes", "20", "--yes")
    assert campus.run(*leaving).code == 0
    assert campus.institution.mailbox("ada").events() == []
    assert campus.holds(moved(classes()), ["grace", "alan"])
