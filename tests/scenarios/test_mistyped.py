"""What an administrator types wrong, asks twice or takes back, and what is said of it."""

import pytest
from tests.scenarios.campus import Campus, classes, moved, open_campus, write_tables
from tests.scenarios.world import World

NOBODY = "adda@example.edu"
ADA = "ada@example.edu"


@pytest.fixture
def campus(world: World) -> Campus:
    return open_campus(world)


def test_a_misspelled_person_is_noticed_before_somebody_believes_that_it_was_done(campus: Campus) -> None:
    restored = campus.run("restore", "--run", "1", "--person", NOBODY, "--yes")
    assert (restored.code, restored.err.split()[0]) == (2, "E-PERSON-UNKNOWN")
    paused = campus.run("pause", NOBODY, "--reason", "on leave")
    assert paused.code == 0
    assert f"Nothing was ever delivered to {NOBODY}: check the address" in paused.err
    assert "check the address" not in campus.run("pause", ADA, "--reason", "on leave").err


def test_what_says_too_little_or_too_much_is_refused_before_anything_is_read(campus: Campus) -> None:
    none = campus.run("verify", "--sample", "0")
    assert (none.code, none.err.split()[0]) == (2, "E-USAGE")
    alone = campus.run("holds")
    assert (alone.code, "E-USAGE  A command must follow." in alone.err) == (2, True)
    both = campus.run("verify", ADA, "--sample", "1")
    assert (both.code, both.err.split()[0]) == (2, "E-USAGE")


def test_that_the_reason_of_a_pause_is_missing_is_told_after_what_else_is_wrong(campus: Campus) -> None:
    for code, *arguments in (
        ("E-PERSON-UNKNOWN", "ada"),
        ("E-UNTIL", ADA, "--until", "soon"),
        ("E-INSTITUTION",),
        ("E-USAGE", ADA),
        ("E-USAGE", "-i", "example"),
    ):
        ended = campus.run("pause", *arguments)
        assert (ended.code, ended.err.split()[0]) == (2, code), ended.err
    assert "add --reason TEXT" in ended.err
    assert campus.run("status", "--json").json[0]["institutions"][0]["suspended"] == []
    assert "classbell pause --reason TEXT [OPTIONS]" in campus.run("pause", "--help").out


@pytest.mark.prove
def test_who_takes_back_an_apply_with_a_number_of_deletions_takes_back_no_approval(campus: Campus) -> None:
    campus.applies()
    campus.lets_no_deletion_pass_unasked()
    write_tables(campus, moved(classes())[3:])
    assert campus.run("apply", "--yes").code == 4
    (hold,) = campus.run("--json", "holds", "list").json[0]["holds"]
    assert campus.run("holds", "approve", str(hold["id"]), "--deletes", "9").code == 0
    assert campus.run("apply", "--allow-deletes", "9").err.split()[0] == "E-ASK"
    (after,) = campus.run("--json", "holds", "list").json[0]["holds"]
    assert (after["id"], after["state"]) == (hold["id"], "approved")
    assert campus.run("apply", "--yes", "--allow-deletes", "9").code == 0
    assert campus.run("--json", "holds", "list").json[0]["holds"] == []


def test_who_syncs_what_is_paused_or_has_left_reads_why_nothing_comes(campus: Campus) -> None:
    assert campus.run("pause", ADA, "--reason", "on leave").code == 0
    assert "ada@example.edu   paused: on leave\n" in campus.run("sync", ADA).out
    explained = campus.run("explain", ADA).out
    assert "1 change would be made if nothing stood in the way" in explained
    key = classes()[2].key
    assert f"update {classes()[2].start:%Y-%m-%d} 13:00 {key}   start" in explained
    told = campus.run("explain", ADA, "--event", key).out
    assert "paused: on leave" in " ".join(told.split())
    assert "The next run would" not in told
    assert campus.run("pause", "-i", "example", "--reason", "moving").code == 0
    assert "University of Example   paused: moving\n" in campus.run("sync", "--yes").out
    # Whoever looks later sees that it was tried, and why nothing came of it.
    (last, *_) = campus.run("--json", "runs", "list").json[0]["runs"]
    assert (last["kind"], last["exit"], last["paused"]) == ("sync", 0, "moving")
    assert "  paused   nothing was written: moving\n" in campus.run("runs", "show", str(last["id"])).out


@pytest.mark.prove
def test_what_is_held_is_shown_by_the_clock_of_the_institution(campus: Campus) -> None:
    """As the plan shows it, so that nobody looks for a class an hour beside it."""
    campus.applies()
    campus.replace_in_file('timezone = "UTC"', 'timezone = "Asia/Tokyo"')
    assert campus.run("apply", "--yes").code == 4
    (hold,) = campus.run("--json", "holds", "list").json[0]["holds"]
    shown = campus.run("holds", "show", str(hold["id"])).out
    assert f"update  {classes()[5].start:%Y-%m-%d} 12:00  algebra-06" in shown
