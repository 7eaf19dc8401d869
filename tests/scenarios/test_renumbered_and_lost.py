"""A ledger that is lost after a source has renumbered its meetings: marks name keys that nobody has any more."""

import pytest
from tests.scenarios.campus import PEOPLE, Campus, classes, nothing_changed, open_campus
from tests.scenarios.test_rebuilt_ledger import put_back, rebuild
from tests.scenarios.test_renumbered_sources import publish
from tests.scenarios.world import World

EVENTS = len(PEOPLE) * len(classes())

# All was delivered a moment ago. Where lists lack what is so young, nothing is told of it yet.
pytestmark = pytest.mark.stands_on("lookup_lag")


@pytest.fixture
def campus(world: World) -> Campus:
    """Everything is delivered, and has other ids at its source since."""
    made = open_campus(world)
    publish(made, classes(), "renumbered-")
    made.applies()
    return made


def standing(campus: Campus, title: str) -> list[int]:
    """How many events of a title are in each calendar."""
    mailboxes = (campus.institution.mailbox(person) for person in PEOPLE)
    return [sum(event["subject"] == title for event in mailbox.events()) for mailbox in mailboxes]


def copied(campus: Campus) -> tuple[str, str]:
    """Ada copies a class, so that nobody can say which of the two is ours: its title, and the copy."""
    ada = campus.institution.mailbox("ada")
    event = ada.events()[0]
    return str(event["subject"]), ada.copy_event(event["id"])


def test_what_stands_there_is_known_by_what_it_shows_and_written_to_by_nobody(campus: Campus) -> None:
    _, copy = copied(campus)
    put_back(campus, {})
    rebuilt = rebuild(campus)
    assert (rebuilt.adopted, rebuilt.differing, rebuilt.held_count) == (EVENTS - 1, 0, 2)
    with campus.world.watched() as seen:
        assert "20 meetings have other ids at their source" in campus.run("apply", "--yes").out
    assert nothing_changed(seen)
    assert "Where 1 meeting should stand" in campus.run("status").out
    explained = campus.run("explain", "ada@example.edu").out
    assert explained.count("not provably ours, so that none is made beside it") == 2
    # What was held is found again by the key that its meeting had when it was made.
    campus.institution.mailbox("ada").delete_event(copy)
    assert (rebuild(campus, "ada@example.edu").adopted, campus.run("ledger", "check").code) == (1, 0)
    with campus.world.watched() as seen:
        campus.applies()
    assert nothing_changed(seen)
    assert campus.holds(classes())


def test_no_third_event_is_made_beside_two_that_are_held(campus: Campus) -> None:
    title, _ = copied(campus)
    put_back(campus, {})
    rebuild(campus)
    # Everything goes that could tell what has become of their meeting.
    ended = campus.run("purge", "-i", "example", "--yes", "--deletes", str(EVENTS - 1))
    assert (ended.code, standing(campus, title)) == (0, [2, 0, 0]), ended.err
    assert "0 of ours remain. 2 events bear our mark and stay: not provably ours" in ended.out
    assert campus.run("resume", "-i", "example").code == 0
    assert campus.run("apply", "--yes").code == 0
    assert standing(campus, title) == [2, 1, 1]
