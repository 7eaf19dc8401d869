"""An institution in which nearly everything fails is left alone, probed with one mailbox, and let go by itself."""

import re
import sqlite3
from datetime import timedelta

import pytest
from tests.scenarios.campus import CLASSES, PEOPLE, Campus, Class, classes, moved, open_campus, write_tables
from tests.scenarios.world import World
from tests.switching import registered_before

from classbell.identity.certificates import KeyPair


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
    refuse(campus, "PATCH")
    return campus


def refuse(campus: Campus, method: str) -> None:
    """Microsoft takes no such request any more."""
    campus.world.sandbox.faults.add(
        lambda info: info.kind == "member" and info.method == method, "400-before", times=None
    )


def a_few_will_do(campus: Campus) -> None:
    """Five failures are enough."""
    campus.replace_in_file("[window]", "[safety.quarantine]\nmin_failures = 5\n\n[window]")


def people_asked(campus: Campus, since: int, method: str) -> set[str]:
    """In whose mailboxes something was to be done, by requests of one method."""
    records = list(campus.world.sandbox.history)[since:]
    paths = [r.path for r in records if r.method == method and "/users/" in r.path]
    return {path.partition("/users/")[2].partition("@")[0] for path in paths}


def is_in_quarantine(campus: Campus) -> bool:
    return "in quarantine since" in campus.run("status").out


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


class TestNothingShown:
    """Where no probe has shown that something succeeds, the quarantine goes on."""

    def test_a_run_with_nothing_to_try_does_not_end_it(self, failing: Campus) -> None:
        assert failing.run("apply", "--yes").code == 5
        set_times(failing, "UPDATE quarantine SET probe_at = 0")
        set_times(failing, "UPDATE change SET due_at = unixepoch() + 86400")
        tried = written(failing)
        assert failing.run("apply", "--yes").code == 3
        assert written(failing) == tried
        assert is_in_quarantine(failing)

    def test_nor_does_asking_for_somebody_who_is_paused(self, failing: Campus) -> None:
        assert failing.run("apply", "--yes").code == 5
        assert failing.run("pause", "ada@example.edu", "--reason", "on leave").code == 0
        tried = written(failing)
        failing.run("sync", "ada@example.edu", "--yes")
        assert written(failing) == tried
        assert is_in_quarantine(failing)

    def test_a_probe_goes_to_one_mailbox_though_the_first_that_is_due_is_paused(
        self, failing: Campus
    ) -> None:
        assert failing.run("apply", "--yes").code == 5
        assert failing.run("pause", "ada@example.edu", "--reason", "on leave").code == 0
        set_times(failing, "UPDATE quarantine SET probe_at = 0")
        begun = len(failing.world.sandbox.history)
        assert failing.run("apply", "--yes").err.split()[0] == "E-ERROR-RATE"
        (probed,) = people_asked(failing, begun, "PATCH")
        assert probed != "ada"

    def test_a_probe_that_is_put_off_puts_off_all_others(self, failing: Campus) -> None:
        assert failing.run("apply", "--yes").code == 5
        faults = failing.world.sandbox.faults
        faults.clear()
        faults.add(
            lambda info: info.kind == "member" and info.method == "PATCH", 429, times=None, retry_after=3_600
        )
        set_times(failing, "UPDATE quarantine SET probe_at = 0")
        begun = len(failing.world.sandbox.history)
        assert failing.run("apply", "--yes").code == 3
        assert people_asked(failing, begun, "PATCH") == {"ada"}
        assert is_in_quarantine(failing)

    def test_a_refused_sign_in_is_over_only_once_a_run_has_signed_in(
        self, world: World, pair: KeyPair
    ) -> None:
        campus = open_campus(world)
        app = campus.institution.app
        for credential in list(app.credentials):
            app.remove_certificate(credential.sha1)
        campus.refuses("E-CERT-UNREG", 6)
        # Now there is nothing to be done, for which no run signs in otherwise.
        write_tables(campus, classes())
        campus.refuses("E-CERT-UNREG", 6)
        assert is_in_quarantine(campus)
        with registered_before(world.sandbox.clock):
            app.add_certificate(pair.certificate)
        campus.applies()
        assert not is_in_quarantine(campus)

    def test_where_microsoft_opens_no_mailbox_a_token_alone_does_not_end_it(self, world: World) -> None:
        campus = open_campus(world)
        campus.institution.revoke()
        campus.refuses("E-CONSENT", 6)
        assert "Each run tries it again" in campus.run("status").out
        # As if the timetable had gone back: a run that has nothing to do knocks at no mailbox.
        write_tables(campus, classes())
        assert campus.run("apply", "--yes").code == 0
        assert is_in_quarantine(campus)
        campus.institution.grant()
        write_tables(campus, moved(classes()))
        campus.applies()
        assert not is_in_quarantine(campus)


def test_that_microsoft_asks_the_application_for_patience_is_no_failure(failing: Campus) -> None:
    a_few_will_do(failing)
    failing.world.sandbox.faults.clear()
    failing.world.sandbox.faults.add(lambda info: info.kind == "batch", 429, times=2, retry_after=1)
    failing.applies()
    assert failing.holds(later())


class TestPreparation:
    """Failures before the first event of a mailbox."""

    def test_calendars_that_cannot_be_made_anywhere_stop_it(self, world: World) -> None:
        campus = open_campus(world)
        a_few_will_do(campus)
        campus.replace_in_file('name = "standard"', 'name = "standard"\ncalendar = "Timetable"')
        people = [f"p{number}" for number in range(5)]
        campus.institution.tenant.add_mailboxes(f"{name}@example.edu" for name in people)
        campus.world.sandbox.faults.add(
            lambda info: info.method == "POST" and info.path.endswith("/calendars"), "400-before", times=None
        )
        write_tables(campus, classes(), *people)
        campus.refuses("E-HOLD-CONFIG", 4)
        assert campus.run("holds", "approve", "1", "--deletes", "0").code == 0
        ended = campus.run("apply", "--yes")
        assert (ended.code, "E-ERROR-RATE" in ended.err) == (5, True), ended.out + ended.err
        assert re.search(r"for (\d) of \d mailboxes could not be made ready \(\1 E-[A-Z-]+\)", ended.err), (
            ended.err
        )
        assert "changes failed" not in ended.err
        assert is_in_quarantine(campus)

    def test_people_without_a_mailbox_keep_nobody_else_waiting(self, world: World) -> None:
        campus = open_campus(world)
        a_few_will_do(campus)
        write_tables(campus, moved(classes()), *(f"nobody{number}" for number in range(10)))
        ended = campus.run("apply", "--yes")
        assert (ended.code, "E-MBX-404" in ended.err) == (3, True), ended.err
        assert campus.holds(moved(classes()))
        assert not is_in_quarantine(campus)


class TestLeaving:
    """Who leaves in quarantine has left; what is to be deleted waits with everything else."""

    DELETES = ("--yes", "--deletes")

    def test_a_departure_is_accepted_and_its_deletes_wait(self, failing: Campus) -> None:
        assert failing.run("apply", "--yes").code == 5
        leaving = ("unlink", "ada@example.edu", "--mode", "DELETE_ALL_EVENTS", *self.DELETES, str(CLASSES))
        begun = len(failing.world.sandbox.history)
        ended = failing.run(*leaving)
        assert (ended.code, ended.err.split()[0]) == (3, "E-QUARANTINE"), ended.out + ended.err
        assert people_asked(failing, begun, "DELETE") == set()
        failing.world.sandbox.faults.clear()
        set_times(failing, "UPDATE quarantine SET probe_at = 0")
        failing.applies()
        assert failing.institution.mailbox("ada").events() == []
        assert failing.holds(later(), ["grace", "alan"])

    def test_an_institution_that_leaves_is_emptied_once_one_mailbox_shows_that_it_can_be(
        self, failing: Campus
    ) -> None:
        """It is paused from then on, so that no run would ever probe it."""
        assert failing.run("apply", "--yes").code == 5
        refuse(failing, "DELETE")
        purge = ("purge", "--institution", "example", *self.DELETES, str(CLASSES * len(PEOPLE)))
        begun = len(failing.world.sandbox.history)
        ended = failing.run(*purge)
        assert (ended.code, "E-ERROR-RATE" in ended.err) == (5, True), ended.out + ended.err
        assert len(people_asked(failing, begun, "DELETE")) == 1
        failing.world.sandbox.faults.clear()
        set_times(failing, "UPDATE quarantine SET probe_at = unixepoch() + 86400")
        assert failing.run(*purge).code == 0
        assert failing.holds([])

    def test_too_many_failures_stop_a_departure_as_well(self, world: World) -> None:
        campus = open_campus(world)
        a_few_will_do(campus)
        refuse(campus, "DELETE")
        ended = campus.run("purge", "-i", "example", *self.DELETES, str(CLASSES * len(PEOPLE)))
        assert (ended.code, "E-ERROR-RATE" in ended.err) == (5, True), ended.out + ended.err
        assert is_in_quarantine(campus)
