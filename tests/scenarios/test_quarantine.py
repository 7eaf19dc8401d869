"""An institution in which nearly everything fails is left alone, probed with one mailbox, and let go by itself."""

import re
import sqlite3
from datetime import timedelta

import pytest
from tests.scenarios.campus import Campus, Class, classes, moved, open_campus, write_tables
from tests.scenarios.world import World


def later() -> list[Class]:
    return [Class(one.key, one.start + timedelta(minutes=15)) for one in moved(classes())]


@pytest.fixture
def failing(world: World) -> Campus:
    """All sixty events are to change, and Microsoft takes none of it."""
    campus = open_campus(world)
    campus.applies()
    # So that all events may change without being held for it.
    campus.replace_in_file("[window]", "[safety]\nmax_changes_percent = 100\n\n[window]")
    write_tables(campus, later())
    campus.world.sandbox.faults.add(
        lambda info: info.kind == "member" and info.method == "PATCH", "400-before", times=None
    )
    return campus


def written(campus: Campus) -> int:
    """How many changes of events were asked for so far."""
    return len([r for r in campus.world.sandbox.history if r.method == "PATCH"])


def set_times(campus: Campus, statement: str) -> None:
    """As if time had passed."""
    ledger = sqlite3.connect(campus.world.database)
    with ledger:
        ledger.execute("UPDATE change SET due_at = 0 WHERE state IN ('pending', 'waiting')")
        ledger.execute(statement)
    ledger.close()


def test_too_many_failures_stop_it_and_nothing_is_tried_before_the_probe_is_due(failing: Campus) -> None:
    ended = failing.run("apply", "--yes")
    assert (ended.code, ended.err.split()[0]) == (5, "E-ERROR-RATE"), ended.err
    assert re.search(r"for (\d\d) of \1 changes failed \(\1 E-EVT-REJECTED\)", ended.err)
    tried = written(failing)
    again = failing.run("apply", "--yes")
    assert (again.code, "E-QUARANTINE  Delivery is in quarantine since" in again.err) == (5, True), again.err
    assert written(failing) == tried
    status = failing.run("status").out
    assert "in quarantine since" in status
    assert "classbell apply --now" in status
    overview = failing.run("explain", "ada@example.edu").out
    assert "20 changes would be made if nothing stood in the way" in overview
    told = " ".join(failing.run("explain", "ada@example.edu", "--event", "algebra-01").out.split())
    for text in (overview, told):
        assert "in quarantine since" in text
    assert "Once something may be written there, a run would update it" in told


def test_a_probe_tries_one_mailbox_and_its_success_ends_the_quarantine(failing: Campus) -> None:
    assert failing.run("apply", "--yes").code == 5
    set_times(failing, "UPDATE quarantine SET probe_at = 0")
    tried = written(failing)
    assert failing.run("apply", "--yes").err.split()[0] == "E-ERROR-RATE"
    probed = failing.world.sandbox.history[-1]
    assert 0 < written(failing) - tried <= len(classes()), probed
    # Put right: the next probe that is due goes well, and all others follow.
    failing.world.sandbox.faults.clear()
    assert failing.run("apply", "--yes").err.split()[0] == "E-QUARANTINE"
    set_times(failing, "UPDATE quarantine SET probe_at = 0")
    failing.applies()
    assert failing.holds(later())
    assert "quarantine" not in failing.run("status").out


@pytest.mark.prove
def test_a_person_may_probe_at_once_and_must_after_four_weeks(failing: Campus) -> None:
    assert failing.run("apply", "--yes").code == 5
    failing.world.sandbox.faults.clear()
    set_times(failing, "UPDATE quarantine SET since = since - 29 * 86400, probe_at = 0")
    ended = failing.run("apply", "--yes")
    assert (ended.code, ended.err.split()[0]) == (4, "E-QUARANTINE-OVER")
    status = failing.run("status")
    assert (status.code, "It is not tried any more: classbell apply --now" in status.out) == (4, True)
    assert "probe is due" not in status.out
    failing.applies("--now")
    assert failing.holds(later())
