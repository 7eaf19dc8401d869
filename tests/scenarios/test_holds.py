"""What waits for a person, and what they decide of it, by command, against calendars."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.cli.classbell import classbell
from tests.scenarios.campus import (
    PEOPLE,
    Campus,
    Class,
    an_hour_later,
    classes,
    moved,
    nothing_changed,
    open_campus,
    write_tables,
)
from tests.scenarios.world import World

from classbell.cli.holding import account


@pytest.fixture
def campus(world: World) -> Campus:
    made = open_campus(world)
    made.applies()
    return made


def held(campus: Campus) -> dict[str, Any]:
    """The one hold that somebody may decide."""
    listed: list[dict[str, Any]] = campus.run("--json", "holds", "list").json[0]["holds"]
    (hold,) = listed
    return hold


def number_of(campus: Campus) -> str:
    return str(held(campus)["id"])


def later(planned: Sequence[Class], minutes: int) -> list[Class]:
    return [Class(one.key, one.start + timedelta(minutes=minutes)) for one in planned]


def explained(campus: Campus, event: str) -> str:
    """What is told of one of Ada's events, in one line."""
    return " ".join(campus.run("explain", "ada@example.edu", "--event", event).out.split())


@pytest.mark.parametrize("what", ["shrunk", "rejected", "unread"])
def test_a_source_that_is_not_applied_deletes_nothing_that_waited_either(campus: Campus, what: str) -> None:
    write_tables(campus, moved(classes())[3:])
    faults = campus.world.sandbox.faults
    faults.add(
        lambda info: info.kind == "member" and info.method == "DELETE", 429, times=None, retry_after=3_600
    )
    assert campus.run("apply", "--yes").code == 3
    if what == "unread":
        (campus.world.folder / f"{campus.institution.id}-timetable" / "meetings.csv").write_text("broken")
    else:
        write_tables(campus, moved(classes())[:5])
    an_hour_later(campus)
    if what == "rejected":
        assert campus.run("apply", "--yes").code == 4
        assert campus.run("holds", "reject", number_of(campus)).code == 0
    with campus.world.watched() as seen:
        assert campus.run("apply", "--yes").code in {3, 4}
    assert nothing_changed(seen)
    assert campus.holds(moved(classes()))


def test_sixty_per_cent_gone_is_held_listed_shown_approved_and_passes_once(campus: Campus) -> None:
    write_tables(campus, moved(classes())[:8])
    ended = campus.refuses("E-SRC-SHRUNK", 4)
    hold = held(campus)
    assert (hold["state"], hold["scope"], hold["subject"], hold["deletes"]) == (
        "open",
        "source",
        "timetable",
        36,
    )
    number = str(hold["id"])
    assert f"if it is right: classbell holds approve {number} --deletes 36" in ended.err
    status = campus.run("status")
    assert status.code == 4
    assert f"classbell holds approve {number} --deletes 36" in status.out
    shown = campus.run("--json", "holds", "show", number).json[0]
    assert len(shown["stopped"]) == 36
    assert {one["action"] for one in shown["stopped"]} == {"delete"}
    assert {one["mailbox"] for one in shown["stopped"]} == {f"{name}@example.edu" for name in PEOPLE}
    assert shown["stopped"][0]["title"].startswith("algebra-")
    assert "... 16 more: --all" in campus.run("holds", "show", number).out
    wrong = campus.run("holds", "approve", number, "--deletes", "35")
    assert (wrong.code, wrong.err.split()[0]) == (2, "E-HOLD-COUNT")
    assert campus.run("holds", "approve", number).err.split()[0] == "E-ASK"
    approved = campus.run("holds", "approve", number, "--deletes", "36")
    assert approved.code == 0
    assert re.search(
        r"36 changes, of them 36 deletions, may pass until .* \(set [0-9a-f]{16}\)", approved.out
    )
    assert campus.run("status").code == 0
    assert f"Hold {number}, E-SRC-SHRUNK: approved by " in explained(campus, "algebra-20")
    campus.applies()
    assert campus.holds(moved(classes())[:8])
    assert re.search(rf"approved by \S+ \S+Z, as hold {number}", explained(campus, "algebra-20"))
    assert "approved" not in explained(campus, "algebra-03")
    assert f"\n  agreed   to hold {number}, by " in campus.run("runs", "show", "5").out
    assert campus.run("holds", "list").err == "Nothing is held.\n"
    (used,) = campus.run("--json", "holds", "list", "--all").json[0]["holds"]
    assert (used["state"], used["id"]) == ("used", hold["id"])
    # Used up: the same again is another hold.
    write_tables(campus, classes())
    campus.applies()
    write_tables(campus, classes()[:8])
    campus.refuses("E-SRC-SHRUNK", 4)
    assert held(campus)["id"] > hold["id"]


@pytest.mark.prove
def test_an_approval_is_void_when_the_set_grows_and_that_is_told(campus: Campus) -> None:
    write_tables(campus, moved(classes())[:8])
    campus.refuses("E-SRC-SHRUNK", 4)
    number = number_of(campus)
    assert campus.run("holds", "approve", number, "--deletes", "36").code == 0
    write_tables(campus, moved(classes())[:7])
    ended = campus.run("apply", "--yes")
    assert ended.code == 4
    assert "is void: 3 changes were not part of it" in ended.err
    assert campus.holds(moved(classes()))
    assert (held(campus)["state"], number_of(campus), held(campus)["deletes"]) == ("open", number, 39)
    # Less than what was approved is part of it.
    assert campus.run("holds", "approve", number, "--deletes", "39").code == 0
    write_tables(campus, moved(classes())[:8])
    campus.applies()
    assert campus.holds(moved(classes())[:8])


def test_what_was_rejected_stays_held_and_is_over_when_the_source_recovers(campus: Campus) -> None:
    write_tables(campus, moved(classes())[:8])
    campus.refuses("E-SRC-SHRUNK", 4)
    number = number_of(campus)
    assert campus.run("holds", "reject", number).code == 0
    ended = campus.refuses("E-SRC-SHRUNK", 4)
    assert "(Rejected by " in ended.err
    assert held(campus)["state"] == "rejected"
    write_tables(campus, moved(classes()))
    campus.applies()
    status = campus.run("status")
    assert (status.code, "Synced  Healthy" in status.out) == (0, True)
    assert campus.run("holds", "approve", number, "--deletes", "36").err.split()[0] == "E-HOLD-OVER"
    assert campus.run("holds", "show", "999").err.split()[0] == "E-HOLD-UNKNOWN"


def test_a_number_of_deletions_goes_past_nobody_who_has_said_no(campus: Campus) -> None:
    campus.lets_no_deletion_pass_unasked()
    write_tables(campus, moved(classes())[3:])
    campus.refuses("E-HOLD-DELETES", 4)
    number = number_of(campus)
    assert campus.run("holds", "reject", number).code == 0
    ended = campus.refuses("E-ALLOW-DELETES", 4, "--allow-deletes", "9")
    assert f"hold {number} was rejected by {account()}" in ended.err
    # Once its cause has gone there is nothing to go past.
    write_tables(campus, moved(classes()))
    campus.applies()
    write_tables(campus, moved(classes())[3:])
    assert campus.run("apply", "--yes", "--allow-deletes", "9").code == 0
    assert campus.holds(moved(classes())[3:])


def test_where_two_accounts_must_agree_one_cannot_allow_a_number_of_deletions(campus: Campus) -> None:
    campus.replace_in_file("[window]", "[safety]\napprovals = 2\n\n[window]")
    write_tables(campus, moved(classes())[3:])
    ended = campus.refuses("E-ALLOW-DELETES", 4, "--allow-deletes", "9")
    assert "2 accounts must approve what is held" in ended.err
    assert "E-ALLOW-DELETES" in campus.run("runs", "list").out
    assert campus.holds(moved(classes()))
    assert "--allow-deletes" not in campus.run("sync", "ada@example.edu").err


def test_a_plan_enters_no_hold_and_names_those_that_there_are(campus: Campus) -> None:
    write_tables(campus, moved(classes())[:8])
    planned = campus.run("plan")
    assert "classbell apply enters it under a number" in planned.err
    assert campus.run("--json", "holds", "list").json[0] == {"holds": [], "unread": []}
    campus.refuses("E-SRC-SHRUNK", 4)
    number = number_of(campus)
    assert f"classbell holds approve {number} --deletes 36" in campus.run("plan").err
    (plan,) = campus.run("--json", "plan").json[-1]["plans"]
    assert [hold["id"] for hold in plan["holds"]] == [int(number)]


def test_the_first_run_after_a_change_of_a_template_waits_and_later_ones_do_not(campus: Campus) -> None:
    with campus.world.watched() as seen:
        campus.replace_in_file('name = "standard"\n', 'name = "standard"\nsubject = "Class: {{ title }}"\n')
        assert campus.run("apply", "--yes").code == 4
    assert nothing_changed(seen)
    hold = held(campus)
    assert (hold["code"], hold["deletes"], hold["changes"]) == ("E-HOLD-CONFIG", 0, 60)
    assert "(templates)" in hold["text"]
    assert "60 changed by the configuration, or in the timetable" in campus.run("plan").out
    assert campus.run("holds", "approve", str(hold["id"]), "--deletes", "0").code == 0
    campus.applies()
    assert {e["subject"][:7] for e in campus.institution.mailbox("ada").events()} == {"Class: "}
    write_tables(campus, later(classes(), 15)[:1] + list(classes())[1:])
    assert "6 changed in the timetable" in campus.run("plan").out
    campus.applies()


@pytest.mark.prove
def test_a_template_may_be_tried_in_one_mailbox_first(campus: Campus) -> None:
    campus.replace_in_file('name = "standard"\n', 'name = "standard"\nsubject = "Class: {{ title }}"\n')
    assert campus.run("sync", "ada@example.edu").code == 0
    assert {e["subject"][:7] for e in campus.institution.mailbox("ada").events()} == {"Class: "}
    assert {e["subject"][:7] for e in campus.institution.mailbox("alan").events()} == {"algebra"}
    assert campus.run("apply", "--yes").code == 4


@pytest.mark.prove
def test_a_change_of_the_configuration_that_changes_no_event_needs_nobody(campus: Campus) -> None:
    campus.replace_in_file('name = "everybody"', 'name = "all-of-us"')
    campus.applies()
    write_tables(campus, classes())
    campus.applies()


def test_all_times_moved_is_held_whole(campus: Campus) -> None:
    write_tables(campus, later(moved(classes()), 60))
    campus.refuses("E-HOLD-CHANGES", 4)
    number = number_of(campus)
    # That only a run for everybody is held concerns each of them.
    assert f"Hold {number}, E-HOLD-CHANGES: waits for a decision." in explained(campus, "algebra-01")
    assert f"hold {number} E-HOLD-CHANGES 60 of 60 delivered" in " ".join(
        campus.run("explain", "ada@example.edu").out.split()
    )
    assert campus.run("holds", "approve", number, "--deletes", "0").code == 0
    campus.applies()
    assert campus.holds(later(moved(classes()), 60))


@pytest.mark.prove
def test_a_feed_that_flaps_is_held_each_time_and_nothing_is_deleted(campus: Campus) -> None:
    ours = {name: campus.starts(name) for name in PEOPLE}
    with campus.world.watched() as seen:
        for _ in range(3):
            write_tables(campus, moved(classes())[:5])
            assert campus.run("apply", "--yes").code == 4
            write_tables(campus, moved(classes()))
            campus.applies()
    assert nothing_changed(seen)
    assert {name: campus.starts(name) for name in PEOPLE} == ours
    states = [hold["state"] for hold in campus.run("--json", "holds", "list", "--all").json[0]["holds"]]
    assert states == ["over"] * 3


@pytest.mark.prove
def test_a_trickle_of_small_losses_is_held_when_the_day_has_had_enough(campus: Campus) -> None:
    campus.replace_in_file("[window]", "[safety]\nsource_shrink_percent = 50\n\n[window]")
    kept = moved(classes())
    for gone in (1, 2, 3):
        write_tables(campus, kept[gone:])
        campus.applies()
    write_tables(campus, kept[4:])
    ended = campus.refuses("E-HOLD-DAY", 4)
    assert "3 deletions after 9 in the last 24 hours" in ended.err
    assert campus.holds(kept[3:])
    assert campus.run("holds", "approve", number_of(campus), "--deletes", "3").code == 0
    campus.applies()
    assert campus.holds(kept[4:])


@pytest.mark.prove
def test_where_two_must_approve_one_account_twice_is_not_enough(campus: Campus) -> None:
    campus.replace_in_file("[window]", "[safety]\napprovals = 2\n\n[window]")
    write_tables(campus, moved(classes())[:8])
    campus.refuses("E-SRC-SHRUNK", 4)
    number = number_of(campus)
    for name, enough in (("ann", False), ("ann", False), ("bob", True)):
        env = {"SUDO_USER": name}
        ended = classbell("holds", "approve", number, "--deletes", "36", cwd=campus.world.folder, env=env)
        assert ("may pass until" in ended.out) == enough
        if not enough:
            assert "approved by 1 of 2; another account has to approve it, too" in ended.out
            assert campus.run("apply", "--yes").code == 4
    campus.applies()
    assert campus.holds(moved(classes())[:8])
