"""A ledger that is old, lost or damaged: nothing is written that could stand there twice."""

from pathlib import Path

import pytest
from tests.scenarios.campus import (
    PEOPLE,
    Campus,
    Died,
    MortalFiles,
    as_tables,
    classes,
    moved,
    nothing_changed,
    open_campus,
    told_with_reason_and_advice,
    write_tables,
)
from tests.scenarios.world import World, table


@pytest.fixture
def campus(world: World) -> Campus:
    return open_campus(world)


def files_of_the_ledger(campus: Campus) -> dict[Path, bytes]:
    """The database and what belongs to it, by path."""
    return {path: path.read_bytes() for path in campus.world.folder.glob("classbell.db*")}


def put_back(campus: Campus, files: dict[Path, bytes]) -> None:
    for path in campus.world.folder.glob("classbell.db*"):
        path.unlink()
    for path, content in files.items():
        path.write_bytes(content)


def the_database_of(files: dict[Path, bytes]) -> dict[Path, bytes]:
    return {path: content for path, content in files.items() if path.name == "classbell.db"}


def the_witness_of(files: dict[Path, bytes]) -> dict[Path, bytes]:
    return {path: content for path, content in files.items() if path.name == "classbell.db.witness"}


def test_an_older_copy_of_the_database_is_refused_until_the_newest_is_back(campus: Campus) -> None:
    old = files_of_the_ledger(campus)
    campus.applies()
    newest = files_of_the_ledger(campus)
    put_back(campus, the_database_of(old) | the_witness_of(newest))
    campus.refuses("E-LEDGER-OLD", 4)
    put_back(campus, newest)
    campus.applies()
    assert campus.holds(moved(classes()))


def test_a_database_that_is_gone_is_refused_while_its_witness_is_there(campus: Campus) -> None:
    files = files_of_the_ledger(campus)
    put_back(campus, the_witness_of(files))
    campus.refuses("E-LEDGER-OLD", 4)
    assert campus.holds(classes())


def test_a_first_plan_that_was_never_witnessed_is_delivered_by_the_next_run(world: World) -> None:
    folder = world.folder / "timetable"
    folder.mkdir()
    people = [f"{name}@example.edu" for name in PEOPLE]
    as_tables(folder, classes(), people)
    campus = Campus(world, world.add_institution(table(folder), PEOPLE, timezone="UTC"))
    with world.watched() as seen, pytest.raises(Died):
        world.sync(files=MortalFiles(b'"revision":1'))
    assert nothing_changed(seen)
    campus.applies()
    assert campus.holds(classes())


def test_a_database_where_none_can_be_is_told_as_such(campus: Campus) -> None:
    host = campus.world.folder / "classbell.toml"
    url = f"sqlite:///{host}/classbell.db"
    host.write_text(f'{host.read_text(encoding="utf-8")}\n[database]\nurl = "{url}"\n', encoding="utf-8")
    campus.refuses("E-DB-OPEN", 1)


def test_a_database_without_its_witness_is_refused(campus: Campus) -> None:
    files = files_of_the_ledger(campus)
    put_back(campus, the_database_of(files))
    campus.refuses("E-LEDGER-WITNESS", 4)
    put_back(campus, files)
    campus.applies()
    assert campus.holds(moved(classes()))


# Marks that a look does not show yet are noticed by their transactions only: nothing is made twice, but none is held.
@pytest.mark.stands_on("lookup_lag")
def test_mailboxes_that_bear_our_marks_are_held_where_the_whole_ledger_is_lost(campus: Campus) -> None:
    files = files_of_the_ledger(campus)
    put_back(campus, {})
    campus.refuses("E-LEDGER-LOST", 4)
    assert campus.holds(classes())
    # Not by the next run either, which knows that it must not look again so soon.
    campus.refuses("E-LEDGER-LOST", 4)
    put_back(campus, files)
    campus.applies()
    assert campus.holds(moved(classes()))


@pytest.mark.stands_on("lookup_lag")
def test_somebody_new_is_served_where_the_mailboxes_of_others_are_held(campus: Campus) -> None:
    put_back(campus, {})
    campus.institution.tenant.add_mailbox("newcomer@example.edu")
    write_tables(campus, moved(classes()), "newcomer")
    ended = campus.run("apply", "--yes")
    assert ended.code == 4
    assert told_with_reason_and_advice(ended.err, "E-LEDGER-LOST")
    assert campus.holds(classes(), PEOPLE)
    assert campus.holds(moved(classes()), ["newcomer"])


def test_events_of_another_installation_are_no_hindrance(campus: Campus) -> None:
    put_back(campus, {})
    host = campus.world.folder / "classbell.toml"
    host.write_text('schema = 1\ninstallation = "11111111-2222-4333-8444-555555555555"\n', encoding="utf-8")
    with campus.world.watched() as seen:
        campus.applies()
    assert seen.changes == {"create": len(PEOPLE) * len(classes())}
    assert not nothing_changed(seen)


@pytest.mark.prove
@pytest.mark.parametrize("what", ["unlink", "restore"])
def test_what_is_no_run_of_timetables_is_witnessed_before_it_is_sent_as_well(
    campus: Campus, what: str
) -> None:
    campus.applies()
    write_tables(campus, moved(classes())[3:])
    assert campus.run("apply", "--yes", "--allow-deletes", "9").code == 0
    old = files_of_the_ledger(campus)
    left = str(len(classes()) - 3)
    words = (
        ["restore", "--run", "3"] if what == "restore" else ["unlink", "ada@example.edu", "--deletes", left]
    )
    mode = ["--mode", "DELETE_ALL_EVENTS"] if what == "unlink" else []
    ended = campus.run(*words, *mode, "--yes")
    assert ended.code == 0, ended.out + ended.err
    put_back(campus, the_database_of(old) | the_witness_of(files_of_the_ledger(campus)))
    campus.refuses("E-LEDGER-OLD", 4)
