"""What a run deleted can be put back as it was, and stays until it is decided otherwise."""

import sqlite3
from datetime import timedelta

import pytest
from tests.cli.classbell import Ended, classbell
from tests.scenarios.campus import (
    PEOPLE,
    Campus,
    an_hour_later,
    as_tables,
    classes,
    moved,
    nothing_changed,
    open_campus,
    write_tables,
)
from tests.scenarios.world import World, table

GONE = 3


@pytest.fixture
def campus(world: World) -> Campus:
    """A campus whose third run has deleted the first classes of everybody."""
    campus = open_campus(world)
    campus.applies()
    write_tables(campus, moved(classes())[GONE:])
    campus.run("apply", "--yes", "--allow-deletes", "9")
    assert campus.holds(moved(classes())[GONE:])
    return campus


def restored(campus: Campus, *arguments: str, code: int = 0) -> Ended:
    ended = campus.run("restore", "--run", "3", "--yes", *arguments)
    assert ended.code == code, ended.out + ended.err
    return ended


def looks(campus: Campus, person: str) -> list[tuple[object, ...]]:
    parts = ("subject", "body", "start", "end", "location", "categories", "showAs")
    events = campus.institution.mailbox(person).events()
    return sorted(tuple(str(event[part]) for part in parts) for event in events)


def test_what_a_run_deleted_comes_back_equal_as_new_events_and_without_a_sound(world: World) -> None:
    campus = open_campus(world)
    campus.applies()
    before = looks(campus, "ada")
    ids = {event["id"] for event in campus.institution.mailbox("ada").events()}
    write_tables(campus, moved(classes())[GONE:])
    campus.run("apply", "--yes", "--allow-deletes", "9")
    assert looks(campus, "ada") != before
    with world.watched() as seen:
        ended = restored(campus)
    assert seen.changes == {"create": 9}
    assert looks(campus, "ada") == before
    assert len({event["id"] for event in campus.institution.mailbox("ada").events()} - ids) == GONE
    assert "Put back 9 of 9 events, in run 4. Of ours there were 51 in these calendars, now 60." in ended.out


def test_what_was_put_back_stays_until_somebody_agrees_that_it_goes(campus: Campus) -> None:
    restored(campus)
    for _ in range(2):
        with campus.world.watched() as seen:
            ended = campus.run("apply", "--yes")
        assert ended.code == 4
        assert "E-HOLD-RESTORED" in ended.err
        assert nothing_changed(seen)
    assert campus.holds(moved(classes()))
    # Nor does it go because somebody agrees to a number.
    campus.refuses("E-HOLD-RESTORED", 4, "--allow-deletes", "9")
    campus.approves()
    assert campus.holds(moved(classes())[GONE:])
    assert campus.run("apply", "--yes").code == 0


def test_once_a_source_names_it_again_it_is_an_event_like_any_other(campus: Campus) -> None:
    restored(campus)
    write_tables(campus, moved(classes()))
    with campus.world.watched() as seen:
        campus.applies()
    assert nothing_changed(seen)
    write_tables(campus, moved(classes())[GONE:])
    assert campus.run("apply", "--yes", "--allow-deletes", "9").code == 0
    assert campus.holds(moved(classes())[GONE:])


def test_one_person_can_be_put_back_alone(campus: Campus) -> None:
    restored(campus, "--person", "ada@example.edu")
    assert campus.holds(moved(classes()), ["ada"])
    assert campus.holds(moved(classes())[GONE:], PEOPLE[1:])
    restored(campus)
    assert campus.holds(moved(classes()))


@pytest.mark.parametrize("person", ["", "ada"])
def test_what_a_run_was_still_to_delete_stays_when_it_is_taken_back(world: World, person: str) -> None:
    campus = open_campus(world)
    campus.applies()
    write_tables(campus, moved(classes())[GONE:])
    world.sandbox.faults.add(
        lambda info: info.kind == "member" and info.method == "DELETE" and "/ada@" not in info.path,
        429,
        times=None,
        retry_after=3_600,
    )
    assert campus.run("apply", "--yes").code == 3
    an_hour_later(campus)
    with world.watched() as seen:
        ended = restored(campus, *(("--person", f"{person}@example.edu") if person else ()))
    assert seen.changes == {"create": GONE}
    assert ("6 more: not deleted yet" in ended.out) is not bool(person)
    assert campus.holds(moved(classes()))


def test_a_delete_is_of_the_run_that_carried_it_out(world: World) -> None:
    campus = open_campus(world)
    campus.applies()
    write_tables(campus, moved(classes())[GONE:])
    world.sandbox.faults.add(
        lambda info: info.kind == "member" and info.method == "DELETE", 429, times=None, retry_after=3_600
    )
    assert campus.run("apply", "--yes").code == 3
    an_hour_later(campus)
    campus.run("apply", "--yes")
    assert "did      9 delete" in campus.run("runs", "show", "4").out
    ended = campus.run("restore", "--run", "4", "--yes")
    assert "Put back 9 of 9 events" in ended.out, ended.out + ended.err


def test_nothing_is_put_back_twice(campus: Campus) -> None:
    restored(campus)
    with campus.world.watched() as seen:
        ended = restored(campus)
    assert "Nothing is left to put back." in ended.err
    assert nothing_changed(seen)


def test_a_restoration_asks_first_and_is_a_run_of_its_own(campus: Campus) -> None:
    ended = campus.run("restore", "--run", "3")
    assert (ended.code, "E-ASK" in ended.err) == (2, True)
    assert "9 events in 3 mailboxes that can be put back" in ended.out
    restored(campus)
    shown = campus.run("runs", "show", "4").out
    assert "was      restore --run 3\n" in shown
    assert "did      9 create" in shown
    unknown = campus.run("restore", "--run", "77", "--yes")
    assert (unknown.code, unknown.err.split()[0]) == (2, "E-RUN-UNKNOWN")


# Where the id of an event in Deleted Items goes on answering, a delete does not tell that its owner was there before.
@pytest.mark.stands_on("items_in_deleted_items_by_immutable_id")
def test_what_its_owner_had_removed_before_is_not_put_back(world: World) -> None:
    campus = open_campus(world)
    campus.applies()
    mailbox = campus.institution.mailbox("ada")
    first = next(event for event in mailbox.events() if event["subject"] == classes()[0].key)
    mailbox.delete_event(first["id"])
    write_tables(campus, moved(classes())[GONE:])
    campus.run("apply", "--yes", "--allow-deletes", "9")
    assert "Put back 8 of 8 events" in restored(campus).out


def test_a_restored_event_that_moves_at_its_source_is_updated(campus: Campus) -> None:
    restored(campus)
    again = moved(classes())
    again[0] = type(again[0])(again[0].key, again[0].start + timedelta(hours=2))
    write_tables(campus, again)
    with campus.world.watched() as seen:
        campus.applies()
    assert seen.changes == {"update": 3}
    assert campus.holds(again)


@pytest.mark.prove
def test_what_stood_in_a_calendar_of_its_own_comes_back_there(world: World) -> None:
    folder = world.folder / "timetable"
    folder.mkdir()
    as_tables(folder, classes(), ["ada@example.edu"])
    made = world.add_institution(table(folder), ["ada"], timezone="UTC")
    text = made.file.read_text(encoding="utf-8")
    made.file.write_text(
        text.replace("[[profiles]]\n", '[[profiles]]\ncalendar = "Classes"\n'), encoding="utf-8"
    )
    ada = made.mailbox("ada")
    for planned, code in ((classes(), 0), (classes()[GONE:], 0)):
        as_tables(folder, planned, ["ada@example.edu"])
        ended = classbell("apply", "--yes", "--allow-deletes", "9", cwd=world.folder)
        assert ended.code == code, ended.out + ended.err
        assert len(ada.events()) == len(planned)
    assert classbell("restore", "--run", "2", "--yes", cwd=world.folder).code == 0
    (own,) = (number for number, name in ada.calendars().items() if name == "Classes")
    assert (
        len(ada.calendar_view(classes()[0].start, classes()[-1].end, own))
        == len(ada.events())
        == len(classes())
    )


def in_quarantine(campus: Campus, probe_at: str) -> None:
    """Too much has failed a while ago, as far as the ledger goes."""
    ledger = sqlite3.connect(campus.world.database)
    values = f"(1, 'E-ERROR-RATE', 'all failed', unixepoch() - 900, 0, {probe_at})"
    with ledger:
        ledger.execute("UPDATE change SET due_at = 0 WHERE state = 'waiting'")
        ledger.execute(f"INSERT OR REPLACE INTO quarantine VALUES {values}")  # noqa: S608 -- of this file
    ledger.close()


def test_in_quarantine_nothing_is_put_back_before_a_probe_is_due_and_then_in_one_mailbox_first(
    campus: Campus,
) -> None:
    in_quarantine(campus, "unixepoch() + 900")
    with campus.world.watched() as seen:
        ended = restored(campus, code=5)
    assert ended.err.split()[0] == "E-QUARANTINE"
    assert nothing_changed(seen)
    in_quarantine(campus, "0")
    refuse_creates(campus)
    with campus.world.watched() as seen:
        assert "E-ERROR-RATE" in restored(campus, code=5).err
    assert len({one.path for one in seen.asked if one.method == "POST" and "/users/" in one.path}) == 1
    campus.world.sandbox.faults.clear()
    in_quarantine(campus, "0")
    campus.applies()
    assert campus.holds(moved(classes()))


def refuse_creates(campus: Campus) -> None:
    """Microsoft makes no event any more."""
    campus.world.sandbox.faults.add(
        lambda info: info.kind == "member" and info.method == "POST", "400-before", times=None
    )


def test_too_many_failures_stop_a_restoration(campus: Campus) -> None:
    campus.replace_in_file("[window]", "[safety.quarantine]\nmin_failures = 3\n\n[window]")
    refuse_creates(campus)
    assert "E-ERROR-RATE" in restored(campus, code=5).err
    assert "in quarantine since" in campus.run("status").out
