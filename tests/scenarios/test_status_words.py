"""What ``classbell status`` says of what is wrong, and where it leads."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.cli.classbell import classbell
from tests.scenarios.campus import classes, moved, open_campus, write_tables
from tests.scenarios.killed import is_killed
from tests.scenarios.world import World, table

from classbell.cli.assembly import workplace
from classbell.readback import take_into_doubt


@pytest.fixture
def one(world: World) -> World:
    """A class tomorrow, for one who has a mailbox and one who has none."""
    folder = world.folder / "timetable"
    folder.mkdir()
    day = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    (folder / "meetings.csv").write_text(
        f"key,start,end,title,room,cancelled\nm1,{day}T09:00,{day}T10:00,Chemistry,B12,\n", encoding="utf-8"
    )
    (folder / "attendance.csv").write_text(
        "meeting,person\nm1,ann@example.edu\nm1,bob@example.edu\n", encoding="utf-8"
    )
    world.add_institution(table(folder), ["ann"])
    return world


def test_a_mailbox_that_is_missing_is_told_once_with_the_next_try_and_leads_to_the_plan(one: World) -> None:
    applied = classbell("apply", "--yes", cwd=one.folder)
    assert applied.code == 3
    ended = classbell("status", cwd=one.folder)
    told = [line for line in ended.out.splitlines() if "E-MBX-404  " in line]
    assert told[0] == "  E-MBX-404  1 change in 1 mailbox waits"
    assert told[1].startswith("  E-MBX-404  bob@example.edu: ")
    assert "Next try at " in told[1]
    assert len(told) == 2
    assert "Next: classbell plan -i example\n" in ended.err


def test_what_stands_between_us_and_microsoft_leads_to_doctor(one: World) -> None:
    one.institutions["example"].app.roles.clear()
    assert classbell("apply", "--yes", cwd=one.folder).code != 0
    assert "Next: classbell doctor -i example\n" in classbell("status", cwd=one.folder).err


def test_a_ledger_that_is_not_the_newest_is_told_by_status_and_plan_and_by_no_plan_offered(
    one: World,
) -> None:
    """Whoever looks before a weekend must not read that all is well while each run refuses."""
    database = one.folder / "classbell.db"
    classbell("apply", "--yes", cwd=one.folder)
    database.unlink()
    ended = classbell("status", cwd=one.folder)
    assert ended.code == 4
    assert "  Held  " in ended.out
    assert "E-LEDGER-OLD  " in ended.err
    assert "Next: classbell ledger check\n" in ended.err
    (told,) = classbell("--json", "status", cwd=one.folder).json
    assert told["ledger"]["code"] == "E-LEDGER-OLD"
    planned = classbell("plan", cwd=one.folder)
    assert planned.code == 4
    assert "E-LEDGER-OLD  " in planned.err
    assert "classbell apply" not in planned.err
    (told,) = classbell("--json", "plan", cwd=one.folder).json
    assert (told["ledger"]["code"], told["saved"]) == ("E-LEDGER-OLD", None)


@pytest.mark.prove
def test_mailboxes_that_wait_for_a_rebuild_are_held_and_lead_to_it(one: World) -> None:
    classbell("apply", "--yes", cwd=one.folder)

    async def doubt() -> None:
        async with workplace(one.configuration, writing=True, trusting=False) as place:
            await place.office(one.configuration.institution("example"))
            place.witness.bear(99)
            await take_into_doubt(place.ledger, place.witness, place.ports.clock.now())

    asyncio.run(doubt())
    ended = classbell("status", cwd=one.folder)
    assert ended.code == 4
    assert "9999" not in ended.out
    assert "Next: classbell ledger rebuild -i example\n" in ended.err


def test_a_source_that_gave_no_timetable_waits_for_a_person_until_it_is_read_again(one: World) -> None:
    """Monitoring sees the exit code of the status alone."""
    classbell("apply", "--yes", cwd=one.folder)
    meetings = one.folder / "timetable" / "meetings.csv"
    content = meetings.read_bytes()
    meetings.write_bytes(b"")
    assert classbell("sync", "--yes", cwd=one.folder).code == 4
    # What reads no source says nothing of it.
    assert classbell("ledger", "rebuild", "ann@example.edu", cwd=one.folder).code == 4
    ended = classbell("status", cwd=one.folder)
    assert (ended.code, "  Held  " in ended.out) == (4, True), ended.out
    assert "source timetable   not read: E-SRC-EMPTY  " in ended.out
    listed = classbell("holds", "list", cwd=one.folder)
    assert "example  source timetable   not read: E-SRC-EMPTY  " in listed.out
    assert "Nothing is held" not in listed.err
    meetings.write_bytes(content)
    classbell("sync", "--yes", cwd=one.folder)
    assert classbell("status", cwd=one.folder).code == 0
    assert "Nothing is held." in classbell("holds", "list", cwd=one.folder).err


@pytest.mark.stands_on("items_in_deleted_items_by_immutable_id")
def test_what_a_killed_run_deleted_that_is_wanted_again_is_pending_until_it_is_made(world: World) -> None:
    campus = open_campus(world)
    campus.applies()
    write_tables(campus, moved(classes())[:-2])
    is_killed(campus, "apply", "--yes", at=6)
    # By now the timetable is as it was. What was deleted is known once it has been looked for, after this plan was made.
    write_tables(campus, moved(classes()))
    assert "not done: 6 delete are looked for, and not sent again" in campus.run("plan").out
    campus.applies()
    assert not campus.holds(moved(classes()))
    ended = campus.run("status")
    assert "Pending" in ended.out.splitlines()[0]
    assert "6 deleted by a plan that timetables had overtaken: the next run makes again" in ended.out
    assert "Next: classbell plan" in ended.err
    campus.applies()
    assert campus.holds(moved(classes()))
    ended = campus.run("status")
    assert "Synced" in ended.out.splitlines()[0]
    assert "overtaken" not in ended.out
