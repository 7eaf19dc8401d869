"""What people do to our events, read back from their calendars: put right, or let stand, as the profile says."""

import sqlite3

import pytest
from tests.scenarios.campus import Campus, classes, moved, open_campus, write_tables
from tests.scenarios.world import World

# That events are an hour old is what our ledger says; the service's clock has to be right beside commands in life.
# By each interface to calendars.
pytestmark = [pytest.mark.stands_on("lookup_lag"), pytest.mark.usefixtures("each_api")]

PEOPLE_DO = 'name = "standard"\non_user_edit = "keep"\non_user_delete = "respect"\n'


@pytest.fixture
def campus(world: World) -> Campus:
    """Everything was delivered an hour ago, and is right: events so young may be missing from lists."""
    campus = open_campus(world)
    write_tables(campus, classes())
    ledger = sqlite3.connect(world.database)
    with ledger:
        ledger.execute("UPDATE entry SET delivered_at = delivered_at - 3600")
    ledger.close()
    return campus


def deletes_and_edits(campus: Campus) -> None:
    """Ada deletes her first event and renames her second."""
    ada = campus.institution.mailbox("ada")
    first, second, *_ = sorted(ada.events(), key=lambda event: str(event["start"]["dateTime"]))
    ada.delete_event(first["id"])
    ada.edit_event(second["id"], {"subject": "Mine"})


def as_she_left_it(campus: Campus) -> bool:
    subjects = set(campus.starts("ada"))
    return classes()[0].key not in subjects and "Mine" in subjects


def verify(campus: Campus) -> None:
    ended = campus.run("verify")
    assert ended.code == 0, ended.out + ended.err


def test_what_is_read_back_is_put_right_by_default(campus: Campus) -> None:
    deletes_and_edits(campus)
    verify(campus)
    campus.applies()
    assert campus.holds(classes())


def test_what_is_missing_is_told_until_it_is_put_right(campus: Campus) -> None:
    deletes_and_edits(campus)
    for _ in range(2):
        ended = campus.run("verify", "ada@example.edu")
        assert "1 changed in Outlook, 1 missing." in ended.out
        assert ended.out.count("our event stands in no calendar any more") == 1
        assert "classbell apply" in ended.err
    status = campus.run("status").out
    assert status.startswith("University of Example  Pending  Healthy")
    assert "1 missing from calendars" in status
    assert "all as it should be" in campus.run("verify", "grace@example.edu").out
    campus.applies()
    assert campus.run("status").out.startswith("University of Example  Synced  Healthy")
    assert "missing" not in campus.run("verify").out


def test_what_its_owner_may_delete_is_told_as_their_wish(campus: Campus) -> None:
    campus.replace_in_file('name = "standard"\n', 'name = "standard"\non_user_delete = "respect"\n')
    ada = campus.institution.mailbox("ada")
    ada.delete_event(ada.events()[0]["id"])
    for _ in range(2):
        ended = campus.run("verify")
        assert "1 deleted by their owner, respected." in ended.out
        assert "missing" not in ended.out.splitlines()[0]
        assert "classbell apply" not in ended.err
        campus.applies()
    status = campus.run("status").out
    assert status.startswith("University of Example  Synced  Healthy")
    assert "  1 deleted by their owner, respected" in status


def test_what_is_too_new_to_be_judged_is_told_as_such(campus: Campus) -> None:
    write_tables(campus, moved(classes()))
    campus.applies()
    ada = campus.institution.mailbox("ada")
    (young,) = (event for event in ada.events() if event["subject"] == classes()[2].key)
    ada.delete_event(young["id"])
    ended = campus.run("verify")
    assert "all as it should be, but 1 too new to be judged." in ended.out
    assert "can be judged after 20" in ended.err


def test_it_stays_where_the_profile_says_so_until_the_meeting_changes(campus: Campus) -> None:
    campus.replace_in_file('name = "standard"\n', PEOPLE_DO)
    deletes_and_edits(campus)
    for _ in range(2):
        verify(campus)
        campus.applies()
        assert as_she_left_it(campus)
    assert f"{classes()[0].key}: deleted by its owner" in campus.run("explain", "ada@example.edu").out
    later = [moved([classes()[0]] * 3)[2], *classes()[1:]]
    write_tables(campus, later)
    campus.applies()
    assert campus.starts("ada")[classes()[0].key] == campus.starts("grace")[classes()[0].key]
    assert "Mine" in campus.starts("ada")


@pytest.mark.parametrize(
    ("profile", "advice"),
    [
        ('name = "standard"\n', "To make good what is changed or missing: classbell apply"),
        (PEOPLE_DO, "By the profiles it stays as its owners want it."),
        ('name = "standard"\non_user_edit = "keep"\n', "what the profiles do not leave to its owners"),
    ],
    ids=["all", "nothing", "some"],
)
def test_what_becomes_of_what_was_read_back_is_said_as_the_profile_has_it(
    campus: Campus, profile: str, advice: str
) -> None:
    campus.replace_in_file('name = "standard"\n', profile)
    deletes_and_edits(campus)
    ended = campus.run("verify")
    assert ended.code == 0
    assert advice in " ".join((ended.out + ended.err).split())


def test_a_wish_goes_with_its_meeting(campus: Campus) -> None:
    campus.replace_in_file('name = "standard"\n', PEOPLE_DO)
    deletes_and_edits(campus)
    verify(campus)
    campus.applies()
    write_tables(campus, classes()[1:])
    campus.applies()
    write_tables(campus, classes())
    campus.applies()
    assert classes()[0].key in campus.starts("ada")
