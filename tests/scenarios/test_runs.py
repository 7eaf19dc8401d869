"""What administrators can see of every run: what it read, planned, held and did, and why it failed."""

from datetime import timedelta
from itertools import count

import pytest
from tests.scenarios.campus import CLASSES, PEOPLE, Campus, Class, classes, open_campus, write_tables
from tests.scenarios.killed import is_killed
from tests.scenarios.world import World


@pytest.fixture
def campus(world: World) -> Campus:
    return open_campus(world)


def test_a_run_says_what_it_read_planned_and_did(campus: Campus) -> None:
    campus.applies()
    (moved, first) = campus.run("runs", "list", "--json").json[0]["runs"]
    assert (first["id"], first["exit"], first["done"]["create"]) == (1, 0, 60)
    assert (moved["id"], moved["planned"], moved["done"]["update"]) == (2, {"update": 3}, 3)
    assert moved["read"] == [{"source": "timetable", "meetings": 20, "unread": 0}]
    assert moved["took"] >= 0
    listed = campus.run("runs", "list").out.splitlines()
    assert [line.split()[0] for line in listed] == ["run", "2", "1"]
    shown = campus.run("runs", "show", "2")
    assert shown.code == 0
    assert "read     timetable: 20 meetings" in shown.out
    assert "planned  3 update; 3 update passed the guards" in shown.out
    assert "did      3 update" in shown.out
    assert shown.out.splitlines()[-1] == "  end      0  done, or nothing to do"
    (told,) = campus.run("runs", "show", "2", "--json").json
    assert told["changes"] == [
        {"action": "update", "state": "done", "code": "", "detail": "", "changes": 3, "mailboxes": 3}
    ]


def test_a_run_for_one_person_and_one_of_a_saved_plan_say_so(campus: Campus) -> None:
    campus.run("sync", "ada@example.edu")
    campus.run("plan", "-o", "rest.plan")
    campus.run("apply", "rest.plan", "--yes")
    (saved, single, _) = campus.run("runs", "list", "--json").json[0]["runs"]
    assert (single["person"], single["done"]["update"]) == ("ada@example.edu", 1)
    assert saved["plan"].startswith("example-2-")
    assert saved["read"] == []
    shown = campus.run("runs", "show", str(saved["id"])).out
    assert f"read     nothing: it is by the saved plan {saved['plan']}" in shown
    assert "read     timetable" not in shown
    assert "was      sync ada@example.edu" in campus.run("runs", "show", str(single["id"])).out


def test_each_run_says_which_command_it_was(campus: Campus) -> None:
    campus.run("sync")
    campus.run("unlink", "ada@example.edu", "--mode", "DELETE_ALL_EVENTS", "--yes", "--deletes", "20")
    campus.run("resume", "ada@example.edu")
    campus.run("restore", "--run", "3", "--yes")
    campus.run("purge", "-i", "example", "--yes", "--deletes", "60")
    told = campus.run("runs", "list", "--json").json[0]["runs"]
    assert [one["kind"] for one in told] == ["purge", "restore", "unlink", "sync", "apply"]
    assert (told[2]["person"], told[2]["mode"]) == ("ada@example.edu", "DELETE_ALL_EVENTS")
    listed = " ".join(campus.run("runs", "list").out.split())
    for words in ("purge CLEANUP", "restore --run 3", "unlink ada@example.edu DELETE_ALL_EVENTS"):
        assert words in listed


def test_a_run_says_what_was_held(campus: Campus) -> None:
    write_tables(campus, classes()[:8])
    assert campus.run("apply", "--yes").code == 4
    shown = campus.run("runs", "show", "2").out
    assert "E-SRC-SHRUNK" in shown
    assert "nothing passed the guards" in shown
    assert "end      4  held: a person must decide" in shown


def test_a_source_that_failed_is_named_with_its_reason(campus: Campus) -> None:
    (campus.world.folder / "example-timetable" / "meetings.csv").unlink()
    ended = campus.run("apply", "--yes")
    assert ended.code in {4, 5}
    (told,) = campus.run("runs", "show", "2", "--json").json
    (unread,) = told["unread"]
    assert (unread["source"], told["failures"]) == ("timetable", [unread["code"]])
    status = campus.run("status").out
    assert f"source timetable   not read: {unread['code']}  " in status
    assert "Why: " in status


def test_what_was_refused_before_a_plan_was_accepted_is_a_run_too(campus: Campus) -> None:
    campus.replace_in_file(campus.institution.app.client_id, "00000000-0000-4000-8000-000000000000")
    assert campus.run("apply", "--yes").code == 6
    (refused, first) = campus.run("runs", "list", "--json").json[0]["runs"]
    assert (refused["exit"], first["exit"]) == (6, 0)
    assert refused["planned"] == {"update": 3}
    shown = campus.run("runs", "show", str(refused["id"])).out
    assert f"stopped  {refused['error']}" in shown
    assert "did      nothing" in shown
    status = campus.run("status").out
    assert refused["error"] in status
    assert refused["what"] in status
    assert "Each run asks for a token first" in status
    assert "probe" not in status


def test_what_could_not_even_be_planned_is_a_run_too_and_makes_no_plan_stale(campus: Campus) -> None:
    campus.run("plan", "-o", "move.plan")
    sources = campus.world.folder / "example-timetable"
    away = sources.rename(sources.with_name("away"))
    assert campus.run("sync", "new@example.edu").code == 4
    away.rename(sources)
    (failed, _) = campus.run("runs", "list", "--json").json[0]["runs"]
    assert (failed["error"], failed["exit"]) == ("E-SRC-FILE", 4)
    assert campus.run("apply", "move.plan", "--yes").code == 0


def test_a_mistyped_address_is_no_run_and_is_kept_nowhere(campus: Campus) -> None:
    assert campus.run("sync", "ghost@example.edu").code == 2
    assert len(campus.run("runs", "list", "--json").json[0]["runs"]) == 1
    assert b"ghost" not in campus.world.database.read_bytes()


def test_a_run_that_never_was_is_told(campus: Campus) -> None:
    open_campus(campus.world, "second")
    ended = campus.run("runs", "show", "99")
    assert (ended.code, ended.err.split()[0]) == (2, "E-RUN-UNKNOWN")
    assert campus.run("runs", "show", "1", "-i", "second").code == 2
    assert campus.run("runs", "show", "2", "-i", "second").code == 0


def everything_moves(campus: Campus) -> None:
    """All sixty events are to change, and none of that is held."""
    campus.replace_in_file("[window]", "[safety]\nmax_changes_percent = 100\n\n[window]")
    write_tables(campus, [Class(one.key, one.start + timedelta(minutes=15)) for one in classes()])


class TestKilled:
    """A run whose process was killed says what it did, and that it did not end."""

    @pytest.fixture
    def killed(self, campus: Campus) -> Campus:
        """Of sixty updates some were recorded, and others on their way."""
        everything_moves(campus)
        is_killed(campus, "apply", "--yes", at=45)
        return campus

    def states(self, campus: Campus) -> dict[str, int]:
        """How many changes of the second run stand in each state."""
        (told,) = campus.run("runs", "show", "2", "--json").json
        return {one["state"]: one["changes"] for one in told["changes"]}

    def test_it_says_what_it_read_planned_and_did(self, killed: Campus) -> None:
        states, shown = self.states(killed), killed.run("runs", "show", "2").out
        assert sum(states.values()) == CLASSES * len(PEOPLE)
        assert f"read     timetable: {CLASSES} meetings" in shown
        assert "planned  60 update; 60 update passed the guards" in shown
        assert f"did      {states['done']} update" in shown
        assert f"sent     {states['sent']} update: no answer is recorded; the next run finds out" in shown
        assert "end      none yet: it is still at work, or its process was ended by force" in shown
        (listed, _) = killed.run("runs", "list", "--json").json[0]["runs"]
        assert (listed["id"], listed["done"], listed["cut_off"]) == (2, {"update": states["done"]}, False)
        assert "none yet: it is still at work" in killed.run("runs", "list").out
        assert "last run has no end: it is still at work" in killed.run("status").out

    def test_once_another_run_has_begun_it_is_known_to_be_over(self, killed: Campus) -> None:
        before = self.states(killed)
        killed.applies()
        (told,) = killed.run("runs", "show", "2", "--json").json
        assert (told["exit"], told["cut_off"]) == (None, True)
        assert told["done"]["update"] == before["done"] + before["sent"]
        shown = killed.run("runs", "show", "2").out
        assert "end      none: its process was ended by force; a later run goes on" in shown
        assert "no end" not in killed.run("status").out

    def test_a_plan_says_what_of_it_goes_on_beside_the_plan(self, killed: Campus) -> None:
        states = self.states(killed)
        planned = killed.run("plan").out
        assert f"~ {states['pending']} update" in planned
        words = f"accepted by earlier runs and not done: {states['sent']} update go on with the next sync"
        assert words in planned
        (told,) = killed.run("plan", "--json").json[0]["plans"]
        assert told["open"] == {"create": 0, "update": states["sent"], "delete": 0, "looked_for": 0}
        killed.applies()
        assert "Open     " not in killed.run("plan").out

    def test_of_what_is_paused_nothing_goes_on(self, killed: Campus) -> None:
        assert killed.run("pause", "-i", "example", "--reason", "holidays").code == 0
        assert "Open     " not in killed.run("plan").out

    def test_so_does_a_departure(self, campus: Campus) -> None:
        leaving = ("--mode", "DELETE_ALL_EVENTS", "--yes", "--deletes", str(CLASSES))
        is_killed(campus, "unlink", "ada@example.edu", *leaving, at=1)
        shown = campus.run("runs", "show", "2").out
        assert "was      unlink ada@example.edu DELETE_ALL_EVENTS" in shown
        assert f"sent     {self.states(campus)['sent']} delete: no answer is recorded" in shown
        assert f"not done: {CLASSES} delete go on with the next sync" in campus.run("plan").out


def test_a_run_that_was_stopped_amid_its_work_says_what_it_did_before(campus: Campus) -> None:
    everything_moves(campus)
    campus.replace_in_file("[window]", "[safety.quarantine]\nmin_failures = 5\nfail_percent = 1\n\n[window]")
    taken = count(1)
    campus.world.sandbox.faults.add(
        lambda info: info.kind == "member" and info.method == "PATCH" and next(taken) > CLASSES,
        "400-before",
        times=None,
    )
    assert "E-ERROR-RATE" in campus.run("apply", "--yes").err
    assert f"did      {CLASSES} update" in campus.run("runs", "show", "2").out
