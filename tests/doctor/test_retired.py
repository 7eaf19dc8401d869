"""What doctor says of the retired interface to calendars."""

import pytest
from tests.doctor.world import Clinic

pytestmark = pytest.mark.prove


@pytest.fixture
def older(clinic: Clinic) -> Clinic:
    """The same institution by Outlook REST, with the permission that Exchange wants."""
    clinic.change("[tenant]", '[tenant]\napi = "outlook-rest-v2"')
    clinic.app.grant_exchange("Calendars.ReadWrite.All")
    return clinic


def test_it_works_and_is_told_to_be_retired_and_what_it_is_good_for(older: Clinic) -> None:
    ended = older.doctor("network", "calendar", "permission")
    assert ended.code == 0
    assert "W-API-RETIRED" in ended.out
    assert "2024-03-31" in ended.out
    assert "gateways" in ended.out
    assert "create, read, update, delete of a private test event" in ended.out
    assert "Deleted Items" in ended.out
    assert "Calendars.ReadWrite.All, granted" in ended.out
    assert not older.pilot.events()


def test_where_it_is_served_no_more_that_is_a_failure_with_the_next_step(older: Clinic) -> None:
    older.world.sandbox.switches.outlook_rest = "retired"
    ended = older.doctor("network")
    assert ended.code == 2
    assert "E-API-RETIRED" in ended.out
    assert 'set api = "graph"' in ended.out
