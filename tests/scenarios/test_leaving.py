"""Persons who are paused, leave, come back or are forgotten, by command, against calendars."""

import sqlite3
from typing import Any

import pytest
from tests.cli.classbell import Ended
from tests.scenarios.campus import (
    CLASSES,
    PEOPLE,
    Campus,
    an_hour_later,
    classes,
    moved,
    open_campus,
    write_tables,
)
from tests.scenarios.world import World

from classbell.lease import lease

# By each interface to calendars.
pytestmark = pytest.mark.usefixtures("each_api")

ADA = "ada@example.edu"
HER_OWN = {
    "subject": "Dentist",
    "start": {"dateTime": "2030-01-01T09:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2030-01-01T10:00:00", "timeZone": "UTC"},
}


@pytest.fixture
def campus(world: World) -> Campus:
    """Three people with twenty classes each; one class has been moved since the last run."""
    return open_campus(world)


def count(campus: Campus, person: str = "ada") -> int:
    return len(campus.institution.mailbox(person).events())


def done(ended: Ended, code: int = 0) -> Ended:
    assert ended.code == code, ended.out + ended.err
    assert "Traceback" not in ended.err
    return ended


def refused(ended: Ended, code: str, exit_code: int) -> None:
    assert ended.code == exit_code, ended.out + ended.err
    assert ended.err.startswith(f"{code}  "), ended.err


def unlink(campus: Campus, mode: str, deletes: int, person: str = ADA) -> list[dict[str, Any]]:
    """Unlink somebody; what the command tells, line by line."""
    told = campus.run("--json", "unlink", person, "--mode", mode, "--yes", "--deletes", str(deletes))
    return done(told).json


def told(lines: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = (line for line in lines if line["type"] == kind)
    return found


def long_ago(campus: Campus) -> None:
    """Everything was delivered a day ago, as far as the ledger goes."""
    ledger = sqlite3.connect(campus.world.database)
    with ledger:
        ledger.execute("UPDATE entry SET delivered_at = delivered_at - 86400")
    ledger.close()


def past_class(campus: Campus) -> None:
    """Ada's first class has begun, as far as the ledger goes."""
    ledger = sqlite3.connect(campus.world.database)
    with ledger:
        ledger.execute(
            "UPDATE entry SET starts_at = unixepoch() - 60 WHERE mailbox_id = (SELECT id FROM mailbox WHERE key = ?)"
            " AND meeting_id = (SELECT meeting_id FROM entry ORDER BY starts_at LIMIT 1)",
            (ADA,),
        )
    ledger.close()


def doubt(campus: Campus) -> None:
    """Ada's mailbox has events that this ledger does not know, as far as the ledger goes."""
    ledger = sqlite3.connect(campus.world.database)
    with ledger:
        ledger.execute(
            "UPDATE mailbox SET contacted_at = NULL, out_code = 'E-LEDGER-LOST', retry_at = 253402300799 WHERE key = ?",
            (ADA,),
        )
    ledger.close()


def stopped(campus: Campus) -> None:
    """Ada has deleted the calendar to which she gets hers, as far as the ledger goes."""
    ledger = sqlite3.connect(campus.world.database)
    with ledger:
        ledger.execute(
            "INSERT INTO suspension (mailbox_id, kind, reason, since)"
            " SELECT id, 'calendar', 'deleted', unixepoch() FROM mailbox WHERE key = ?",
            (ADA,),
        )
    ledger.close()


class TestPause:
    """Nothing is written there, and resuming catches up."""

    def test_a_paused_person_waits_visibly_and_is_caught_up(self, campus: Campus) -> None:
        done(campus.run("pause", ADA, "--reason", "on leave"))
        shown = done(campus.run("plan"))
        assert "paused: on leave" in shown.out
        applied = done(campus.run("apply", "--yes"))
        assert "E-PAUSED" in applied.err
        assert campus.holds(classes(), ["ada"])
        assert campus.holds(moved(classes()), ["grace", "alan"])
        for command in (("status",), ("explain", ADA)):
            assert "paused: on leave" in done(campus.run(*command)).out
        done(campus.run("resume", ADA))
        campus.applies()
        assert campus.holds(moved(classes()))

    def test_a_paused_institution_too(self, campus: Campus) -> None:
        with lease(campus.world.folder / "classbell.db.lease"):
            # Whoever must stop it now cannot wait until a run of hours has ended.
            done(campus.run("pause", "-i", "example", "--reason", "moving house"))
            refused(campus.run("resume", "-i", "example"), "E-LEASE", 7)
        again = ("pause", "-i", "example", "--reason", "x", "--until", "2099-01-01")
        assert "stays so: moving house" in campus.run(*again).err
        ended = done(campus.run("apply", "--yes"))
        assert campus.holds(classes()), ended.out
        assert "moving house" in done(campus.run("status")).out
        assert "moving house" in done(campus.run("plan")).out
        done(campus.run("resume", "-i", "example"))
        campus.applies()
        assert campus.holds(moved(classes()))

    def test_it_ends_when_it_was_to(self, campus: Campus) -> None:
        done(campus.run("pause", ADA, "--reason", "on leave", "--until", "2099-01-01"))
        assert "2099-01-01" in done(campus.run("status")).out
        refused(campus.run("pause", ADA, "--reason", "x", "--until", "2001-01-01"), "E-UNTIL", 2)
        refused(campus.run("pause", ADA, "--reason", "x", "--until", "soon"), "E-UNTIL", 2)

    def test_who_has_deleted_their_calendar_is_not_resumed_only_to_be_stopped_again(
        self, campus: Campus
    ) -> None:
        campus.replace_in_file('name = "standard"\n', 'name = "standard"\non_calendar_delete = "stop"\n')
        stopped(campus)
        for command in (("pause", ADA, "--reason", "x"), ("resume", ADA)):
            asked = campus.run(*command)
            refused(asked, "E-PERSON-SUSPENDED" if command[0] == "pause" else "E-CAL-STOPPED", 2)
            assert f"classbell sync {ADA} --reset" in asked.err
            assert "stopped: deleted" in done(campus.run("status")).out
        campus.replace_in_file('"stop"', '"restore"')
        done(campus.run("resume", ADA))
        assert "stopped" not in done(campus.run("status")).out

    def test_it_must_be_said_who_is_meant(self, campus: Campus) -> None:
        refused(campus.run("pause", "--reason", "x"), "E-INSTITUTION", 2)
        refused(campus.run("resume"), "E-INSTITUTION", 2)
        refused(campus.run("pause", "ada", "--reason", "x"), "E-PERSON-UNKNOWN", 2)
        refused(campus.run("resume", ADA), "E-PERSON-ACTIVE", 2)


class TestUnlink:
    """Four modes, exactly, and nothing is delivered any more."""

    @pytest.mark.parametrize(
        ("mode", "deletes"),
        [("UNLINK_ONLY", 0), ("DELETE_FUTURE_EVENTS", CLASSES - 1), ("DELETE_ALL_EVENTS", CLASSES)],
    )
    def test_each_mode_deletes_exactly_its_events(self, campus: Campus, mode: str, deletes: int) -> None:
        past_class(campus)
        own = campus.institution.mailbox("ada").put_event(HER_OWN)
        lines = unlink(campus, mode, deletes)
        assert [told(lines, "leave")[key] for key in ("before", "deletes", "after")] == [
            CLASSES,
            deletes,
            CLASSES - deletes,
        ]
        assert told(lines, "left")["deleted"] == deletes
        assert count(campus) == CLASSES - deletes + 1
        assert campus.institution.mailbox("ada").event(own)["subject"] == "Dentist"
        assert len(campus.institution.mailbox("ada").deleted_events()) == deletes
        campus.applies()
        assert count(campus) == CLASSES - deletes + 1
        assert campus.holds(moved(classes()), ["grace", "alan"])

    def test_who_is_linked_again_gets_everything(self, campus: Campus) -> None:
        unlink(campus, "DELETE_ALL_EVENTS", CLASSES)
        assert "unlinked" in done(campus.run("status")).out
        refused(campus.run("pause", ADA, "--reason", "x"), "E-PERSON-SUSPENDED", 2)
        done(campus.run("resume", ADA))
        done(campus.run("apply", "--yes"))
        assert campus.holds(moved(classes()))

    def test_another_number_than_was_said_deletes_nothing(self, campus: Campus) -> None:
        arguments = ("unlink", ADA, "--mode", "DELETE_ALL_EVENTS")
        refused(campus.run(*arguments, "--yes", "--deletes", "19"), "E-LEAVE-COUNT", 2)
        refused(campus.run(*arguments, "--yes"), "E-LEAVE-COUNT", 2)
        assert campus.run(*arguments).code == 2
        assert campus.holds(classes())
        campus.applies()
        assert campus.holds(moved(classes()))

    # What the ledger no longer knows is only found where lists show it: some minutes later, if they lag.
    @pytest.mark.stands_on("lookup_lag")
    def test_cleanup_finds_what_the_ledger_no_longer_knows_and_lists_what_it_holds(
        self, campus: Campus
    ) -> None:
        mailbox = campus.institution.mailbox("ada")
        one, other = (event["id"] for event in mailbox.events()[:2])
        copy = mailbox.copy_event(one)
        ledger = sqlite3.connect(campus.world.database)
        with ledger:
            ledger.execute("DELETE FROM entry WHERE event_id = ?", (other,))
        ledger.close()
        lines = done(
            campus.run("--json", "unlink", ADA, "--mode", "CLEANUP", "--yes", "--deletes", str(CLASSES)), 0
        ).json
        assert told(lines, "leave")["held"] >= 1
        assert {line["code"] for line in lines if line["type"] == "diagnostic"} == {"E-MARK-COPY"}
        assert [event["id"] for event in mailbox.events()] == [copy]

    @pytest.mark.parametrize("mode", ["DELETE_FUTURE_EVENTS", "DELETE_ALL_EVENTS"])
    def test_nothing_is_deleted_where_nobody_knows_for_certain_what_stands(
        self, campus: Campus, mode: str
    ) -> None:
        doubt(campus)
        refused(
            campus.run("unlink", ADA, "--mode", mode, "--yes", "--deletes", str(CLASSES)), "E-LEDGER-LOST", 4
        )
        assert count(campus) == CLASSES
        an_hour_later(campus)
        unlink(campus, mode, CLASSES)
        assert count(campus) == 0

    def test_somebody_whom_nobody_knows_cannot_be_unlinked(self, campus: Campus) -> None:
        refused(campus.run("unlink", "eve@example.edu", "--mode", "UNLINK_ONLY"), "E-PERSON-UNKNOWN", 2)

    def test_who_was_forgotten_is_told_from_somebody_whom_nobody_knows(self, campus: Campus) -> None:
        long_ago(campus)
        done(campus.run("forget", ADA, "--yes", "--leave-events"))
        asked = campus.run("unlink", ADA, "--mode", "UNLINK_ONLY")
        refused(asked, "E-PERSON-UNKNOWN", 2)
        assert f"{ADA} was forgotten" in asked.err
        assert f"classbell resume {ADA}" in asked.err

    def test_what_is_refused_for_now_is_deleted_by_a_later_run(self, campus: Campus) -> None:
        campus.world.sandbox.faults.add(
            lambda info: info.kind == "member" and info.method == "DELETE", 429, times=None, retry_after=3_600
        )
        ended = campus.run("unlink", ADA, "--mode", "DELETE_ALL_EVENTS", "--yes", "--deletes", str(CLASSES))
        assert ended.code == 3
        an_hour_later(campus)
        done(campus.run("apply", "--yes"))
        assert count(campus) == 0

    def test_a_mailbox_that_asked_for_peace_while_it_was_read_is_left_in_peace(self, campus: Campus) -> None:
        campus.world.sandbox.faults.add(
            lambda info: info.kind == "member" and info.method == "GET", 503, times=1, retry_after=3_600
        )
        with campus.world.watched() as seen:
            ended = campus.run("unlink", ADA, "--mode", "CLEANUP", "--yes", "--deletes", str(CLASSES))
        assert ended.code == 3
        assert [record.method for record in seen.asked if "/ada" in record.path] == ["GET"]
        assert count(campus) == CLASSES


class TestPurge:
    """Everything of an institution, and nothing of anybody else's."""

    def test_it_empties_all_calendars_of_ours_and_pauses_the_institution(self, campus: Campus) -> None:
        campus.institution.mailbox("ada").put_event(HER_OWN)
        refused(campus.run("purge"), "E-INSTITUTION", 2)
        all_of_them = str(CLASSES * len(PEOPLE))
        done(campus.run("purge", "--institution", "example", "--yes", "--deletes", all_of_them))
        assert [count(campus, person) for person in PEOPLE] == [1, 0, 0]
        done(campus.run("apply", "--yes"))
        assert [count(campus, person) for person in PEOPLE] == [1, 0, 0]
        done(campus.run("resume", "-i", "example"))
        done(campus.run("apply", "--yes"))
        assert campus.holds(moved(classes()), ["grace", "alan"])

    def test_what_microsoft_refused_goes_with_the_next_purge_as_the_command_says(
        self, campus: Campus
    ) -> None:
        """The institution is paused, so that no later run goes on with it."""
        campus.world.sandbox.faults.add(
            lambda info: info.kind == "member" and info.method == "DELETE" and "/ada" in info.path,
            429,
            times=None,
            retry_after=3_600,
        )
        purge = ("purge", "--institution", "example", "--yes", "--deletes")
        ended = campus.run(*purge, str(CLASSES * len(PEOPLE)))
        assert ended.code == 3
        assert "again: classbell purge --institution example" in " ".join((ended.out + ended.err).split())
        an_hour_later(campus)
        done(campus.run(*purge, str(CLASSES)))
        assert count(campus) == 0

    @pytest.mark.prove
    def test_what_could_not_be_read_is_not_called_done(self, campus: Campus) -> None:
        unlink(campus, "DELETE_ALL_EVENTS", CLASSES)
        campus.institution.mailbox("ada").state = "unlicensed"
        others = str(CLASSES * (len(PEOPLE) - 1))
        ended = campus.run("purge", "--institution", "example", "--yes", "--deletes", others)
        assert ended.code == 3
        assert "1 mailbox could not be read; later, again: classbell purge" in " ".join(ended.err.split())

    @pytest.mark.prove
    def test_a_ledger_that_knows_nobody_says_that_it_may_have_been_lost(self, campus: Campus) -> None:
        for file in campus.world.folder.glob("classbell.db*"):
            if file.is_file():
                file.unlink()
        ended = done(campus.run("purge", "--institution", "example", "--yes", "--deletes", "0"))
        assert (
            "The ledger knows no mailbox there. If it was lost, first: classbell ledger rebuild" in ended.err
        )
        assert count(campus) == CLASSES


class TestForget:
    """Nothing of a person remains in the ledger, and nothing is delivered to them again."""

    def test_a_person_with_events_is_not_forgotten(self, campus: Campus) -> None:
        refused(campus.run("forget", ADA, "--yes"), "E-FORGET-EVENTS", 4)

    @pytest.mark.parametrize("leave", [False, True])
    def test_nothing_of_a_forgotten_person_remains(self, campus: Campus, *, leave: bool) -> None:
        done(campus.run("plan"))
        (kept,) = campus.world.folder.rglob("*.plan")
        assert ADA in kept.read_text(encoding="utf-8")
        if leave:
            # Lists may still lack them: who came back at once would be given them twice.
            refused(campus.run("forget", ADA, "--yes", "--leave-events"), "E-FORGET-EVENTS", 4)
            long_ago(campus)
            done(campus.run("forget", ADA, "--yes", "--leave-events"))
        else:
            unlink(campus, "DELETE_ALL_EVENTS", CLASSES)
            done(campus.run("forget", ADA, "--yes"))
        assert list(campus.world.folder.rglob("*.plan")) == []
        asked = campus.run("explain", ADA)
        refused(asked, "E-PERSON-UNKNOWN", 2)
        refused(campus.run("ledger", "rebuild", ADA), "E-PERSON-UNKNOWN", 2)
        refused(campus.run("pause", ADA, "--reason", "asked"), "E-PERSON-SUSPENDED", 2)
        assert f"{ADA} was forgotten" in asked.err
        campus.applies()
        assert count(campus) == (CLASSES if leave else 0)
        assert campus.holds(moved(classes()), ["grace", "alan"])
        ledger = sqlite3.connect(campus.world.database)
        dump = "\n".join(ledger.iterdump())
        ledger.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ledger.close()
        assert "ada" not in dump
        assert b"ada@example" not in campus.world.database.read_bytes()

    def test_who_comes_back_is_like_somebody_new(self, campus: Campus) -> None:
        unlink(campus, "DELETE_ALL_EVENTS", CLASSES)
        done(campus.run("forget", ADA, "--yes"))
        refused(campus.run("forget", ADA, "--yes"), "E-PERSON-UNKNOWN", 2)
        done(campus.run("resume", ADA))
        done(campus.run("apply", "--yes"))
        assert campus.holds(moved(classes()))


class TestReset:
    """One person's calendar is put back to what it should be."""

    # Where its id goes on answering, a young event counts as deleted only when lists no longer lack the young.
    @pytest.mark.stands_on("items_in_deleted_items_by_immutable_id")
    @pytest.mark.needs("immutable_ids")
    def test_edits_deletions_and_a_deleted_calendar_are_undone(self, campus: Campus) -> None:
        write_tables(campus, classes())
        campus.replace_in_file(
            'name = "standard"\n',
            'name = "standard"\non_user_edit = "keep"\non_user_delete = "respect"\n',
        )
        mailbox = campus.institution.mailbox("ada")
        first, second, *_ = mailbox.events()
        mailbox.edit_event(first["id"], {"subject": "Mine"})
        mailbox.delete_event(second["id"])
        done(campus.run("apply", "--yes"))
        assert not campus.holds(classes(), ["ada"])
        asked = campus.run("sync", ADA, "--reset")
        refused(asked, "E-ASK", 2)
        assert "put back to what it should be" in asked.out
        assert "lose what was changed in these events in Outlook" in asked.err
        assert not campus.holds(classes(), ["ada"])
        done(campus.run("sync", ADA, "--reset", "--yes"))
        assert campus.holds(classes())
        campus.applies()
        refused(campus.run("sync", "--reset"), "E-RESET", 2)
