"""A ledger that was lost, or is old, rebuilt from the calendars; and calendars read back, as on the command line."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.scenarios.campus import (
    PEOPLE,
    Campus,
    Died,
    MortalFiles,
    classes,
    moved,
    nothing_changed,
    open_campus,
    told_with_reason_and_advice,
)
from tests.scenarios.world import SharedClock, World

from classbell.cli.assembly import workplace
from classbell.life import LocalFiles, SystemIds
from classbell.ports import Files, Ports
from classbell.readback import entered, go_beyond, rebuild_of, take_into_doubt
from classbell.run import Run
from classbell.sources.child import ChildParser
from classbell.transport import AiohttpTransport
from classbell.verify import Rebuilt

EVENTS = len(PEOPLE) * len(classes())
DATABASE = "classbell.db"
WITNESS = "classbell.db.witness"

# All was delivered a moment ago. Where lists lack what is so young, nothing is told of it yet.
YOUNG_ARE_LISTED = pytest.mark.stands_on("lookup_lag")


class PassingClock(SharedClock):
    """Whoever waits lets that time pass at once, for Microsoft too."""

    async def sleep(self, seconds: float) -> None:
        self._clock.advance(max(seconds, 0.0))
        await asyncio.sleep(0)


@pytest.fixture
def campus(world: World) -> Campus:
    return open_campus(world)


def rebuild(
    campus: Campus,
    *people: str,
    id: str = "example",  # noqa: A002 -- as the file calls it
    files: Files | None = None,
) -> Rebuilt:
    """``classbell ledger rebuild``, where eleven minutes take no time."""
    world = campus.world
    clock = PassingClock(world.sandbox.clock)

    async def work() -> Rebuilt:
        async with AiohttpTransport(clock, environ={}) as transport:
            ports = Ports(
                transport=transport,
                clock=clock,
                ids=SystemIds(),
                files=files or LocalFiles(),
                parser=ChildParser(),
            )
            async with workplace(world.configuration, writing=True, trusting=False, ports=ports) as place:
                await take_into_doubt(place.ledger, place.witness, place.ports.clock.now())
                office = await place.office(place.configuration.institution(id))
                review = await Run(office).look()
                named = await entered(office, review, people)
                rebuilding = rebuild_of(office, await office.access(), review)
                rebuilt = await (rebuilding.some(named) if named else rebuilding.all())
                await go_beyond(place.ledger, place.witness, rebuilt)
                return rebuilt

    try:
        with world.watched() as seen:
            rebuilt = asyncio.run(work())
    finally:
        world.set_time(datetime.now(tz=UTC))
    assert nothing_changed(seen)
    return rebuilt


def files_of_the_ledger(campus: Campus) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in campus.world.folder.glob(f"{DATABASE}*")}


def put_back(campus: Campus, files: dict[Path, bytes], only: Callable[[str], bool] = lambda _: True) -> None:
    for path in campus.world.folder.glob(f"{DATABASE}*"):
        if only(path.name):
            path.unlink()
    for path, content in files.items():
        if only(path.name):
            path.write_bytes(content)


@YOUNG_ARE_LISTED
def test_a_rebuild_of_a_new_ledger_that_was_never_witnessed_holds_nobody_up(campus: Campus) -> None:
    put_back(campus, {})
    with pytest.raises(Died):
        rebuild(campus, files=MortalFiles(b'"revision":2'))
    campus.applies()
    assert campus.holds(moved(classes()))


@YOUNG_ARE_LISTED
def test_after_everything_was_lost_a_rebuild_and_a_run_make_calendars_right_without_a_duplicate(
    campus: Campus,
) -> None:
    put_back(campus, {})
    campus.refuses("E-LEDGER-LOST", 4)
    assert rebuild(campus).adopted == EVENTS
    with campus.world.watched() as seen:
        campus.applies()
    assert seen.changes == {"update": len(PEOPLE)}
    assert campus.holds(moved(classes()))
    with campus.world.watched() as after:
        campus.applies()
    assert nothing_changed(after)


@YOUNG_ARE_LISTED
def test_a_plan_that_was_saved_before_everything_was_lost_is_foreign_to_the_ledger_that_was_rebuilt(
    campus: Campus,
) -> None:
    campus.run("plan", "-o", "move.plan")
    put_back(campus, {})
    rebuild(campus)
    campus.applies()
    ended = campus.run("apply", "move.plan", "--yes")
    assert (ended.code, ended.err.split()[0]) == (11, "E-PLAN-FOREIGN")
    assert "has begun anew since then" in ended.err


def test_an_old_copy_of_the_database_is_held_until_it_is_rebuilt(campus: Campus) -> None:
    old = files_of_the_ledger(campus)
    campus.applies()
    put_back(campus, old, lambda name: name != WITNESS)
    ended = campus.refuses("E-LEDGER-OLD", 4)
    assert "classbell ledger rebuild" in ended.err
    checked = campus.run("--json", "ledger", "check")
    (told,) = checked.json
    assert (checked.code, told["sound"], told["trouble"]["code"]) == (4, False, "E-LEDGER-OLD")
    assert told["institutions"][0]["doubted"] == len(PEOPLE)
    assert "all 3 mailboxes that it knows" in campus.run("ledger", "check").out
    assert campus.run("verify").code == 4
    rebuilt = rebuild(campus)
    assert (rebuilt.known, rebuilt.adopted, rebuilt.differing, rebuilt.held_count) == (EVENTS, 0, 0, 0)
    with campus.world.watched() as seen:
        campus.applies()
    assert nothing_changed(seen)
    assert campus.holds(moved(classes()))


def test_a_rebuild_of_one_person_leaves_the_others_held(campus: Campus) -> None:
    files = files_of_the_ledger(campus)
    put_back(campus, {path: content for path, content in files.items() if path.name != WITNESS})
    campus.refuses("E-LEDGER-WITNESS", 4)
    assert rebuild(campus, "ada@example.edu").mailboxes == 1
    ended = campus.run("apply", "--yes")
    assert ended.code == 4
    assert told_with_reason_and_advice(ended.err, "E-LEDGER-LOST")
    # Not for somebody in a hurry either.
    assert campus.run("sync", "grace@example.edu", "--yes").code == 4
    assert campus.holds(moved(classes()), ["ada"])
    assert campus.holds(classes(), ["grace", "alan"])
    checked = campus.run("ledger", "check", "--json")
    assert checked.code == 4
    (state,) = checked.json[0]["institutions"]
    assert (checked.json[0]["sound"], state["doubted"]) == (True, 2)
    rebuild(campus)
    campus.applies()
    assert campus.holds(moved(classes()))
    assert campus.run("ledger", "check").code == 0


def test_where_a_mailbox_is_in_doubt_no_run_says_that_nothing_was_to_be_done(campus: Campus) -> None:
    campus.applies()
    files = files_of_the_ledger(campus)
    put_back(campus, {path: content for path, content in files.items() if path.name != WITNESS})
    campus.refuses("E-LEDGER-WITNESS", 4)
    rebuild(campus, "ada@example.edu")
    ended = campus.run("apply", "--yes")
    assert (ended.code, "nothing was applied" in ended.out) == (4, True)
    assert told_with_reason_and_advice(ended.err, "E-LEDGER-LOST")
    assert "2 mailboxes wait for a person" in ended.err
    (state,) = campus.run("status", "--json").json[0]["institutions"]
    assert (state["sync"], state["health"]) == ("Pending", "Held")
    # Of somebody else's mailbox nothing is told to who asks for one.
    assert campus.run("sync", "ada@example.edu", "--yes").code == 0
    assert campus.run("sync", "alan@example.edu", "--yes").code == 4
    rebuild(campus)
    assert campus.run("apply", "--yes").code == 0


@pytest.mark.prove
@YOUNG_ARE_LISTED
def test_the_ledger_of_one_institution_is_rebuilt_beside_that_of_another(world: World) -> None:
    one, other = open_campus(world), open_campus(world, "other")
    put_back(one, {})
    assert rebuild(one).adopted == EVENTS
    one.applies("-i", "example")
    other.refuses("E-LEDGER-LOST", 4, "-i", "other")
    assert rebuild(other, id="other").adopted == EVENTS
    other.applies("-i", "other")
    assert other.holds(moved(classes()))


def test_the_revision_goes_on_above_what_stands_in_marks(campus: Campus) -> None:
    for _ in range(3):
        campus.applies()
    put_back(campus, {})
    highest = rebuild(campus).revision
    assert highest > 0
    checked = campus.run("ledger", "check", "--json")
    assert checked.json[0]["revision"] > highest


def test_a_sound_ledger_is_rebuilt_at_once_on_the_command_line(campus: Campus) -> None:
    ended = campus.run("ledger", "rebuild")
    assert (ended.code, f"{EVENTS} events, 0 of them found by their marks" in ended.out) == (0, True), (
        ended.err
    )
    assert "W-LEDGER-WISHES" not in ended.err
    told = campus.run("--json", "ledger", "rebuild", "ada@example.edu")
    (rebuilt,) = (line for line in told.json if line["type"] == "rebuilt")
    assert (rebuilt["mailboxes"], rebuilt["known"], rebuilt["adopted"]) == (1, len(classes()), 0)
    assert campus.run("ledger", "rebuild", "nobody").code == 2
    campus.applies()
    assert campus.holds(moved(classes()))


@pytest.mark.prove
def test_a_lost_ledger_is_rebuilt_on_the_command_line(campus: Campus) -> None:
    """In real time: a minute and the bound."""
    campus.replace_in_file("[window]", '[safety]\noutcome_bound = "1s"\n\n[window]')
    campus.run("unlink", "grace@example.edu", "--mode", "UNLINK_ONLY", "--yes")
    put_back(campus, {})
    copied = campus.institution.mailbox("ada")
    copied.copy_event(copied.events()[0]["id"])
    with campus.world.watched() as seen:
        ended = campus.run("ledger", "rebuild")
    assert nothing_changed(seen)
    assert ended.code == 4, ended.err
    assert "2 held" in ended.out
    assert "2 events bear this mark" in ended.out
    assert "W-LEDGER-WISHES  Of who was paused, unlinked or forgotten this ledger knows nobody" in ended.err
    assert campus.run("apply", "--yes").code == 0
    assert campus.holds(moved(classes()), ["grace", "alan"])


@YOUNG_ARE_LISTED
def test_calendars_are_read_back_on_the_command_line(campus: Campus) -> None:
    campus.applies()
    ada = campus.institution.mailbox("ada")
    first, second, third, *_ = sorted(ada.events(), key=lambda event: event["start"]["dateTime"])
    ada.edit_event(first["id"], {"subject": "Mine"})
    copy = ada.copy_event(second["id"])
    with campus.world.watched() as seen:
        ended = campus.run("verify")
        told = campus.run("--json", "verify", "ada@example.edu", "grace@example.edu")
    assert (ended.code, told.code) == (0, 0), ended.err
    assert nothing_changed(seen)
    assert "1 changed in Outlook, 1 copied by their owners" in ended.out
    assert "title" in ended.out
    assert "classbell apply" in ended.err
    assert [line["what"] for line in told.json if line["type"] == "seen"] == ["drifted", "copy"]
    (verified,) = (line for line in told.json if line["type"] == "verified")
    assert (verified["read"], verified["unread"]) == (2, 0)
    planned = campus.run("plan")
    assert "had been changed in Outlook" in planned.out
    campus.applies()
    ada.delete_event(copy)
    assert campus.holds(moved(classes()))
    assert campus.run("verify", "nobody@example.edu").code == 2
    assert "all as it should be" in campus.run("verify", "--sample", "2").out
    assert third["id"] in {event["id"] for event in ada.events()}


@YOUNG_ARE_LISTED
def test_a_run_reads_a_share_of_calendars_back_where_the_settings_want_it(campus: Campus) -> None:
    campus.applies()
    ada = campus.institution.mailbox("ada")
    ada.edit_event(ada.events()[0]["id"], {"subject": "Mine"})
    with campus.world.watched() as seen:
        campus.applies()
    assert [record for record in seen.records if "/users/" in record.path] == []
    campus.replace_in_file("[window]", "[safety]\nverify_percent = 100\n\n[window]")
    with campus.world.watched() as seen:
        campus.applies()
    assert nothing_changed(seen)
    campus.applies()
    assert campus.holds(moved(classes()))


def test_a_mailbox_that_cannot_be_read_back_is_named_and_nothing_is_concluded(campus: Campus) -> None:
    campus.applies()
    campus.institution.mailbox("ada").state = "unlicensed"
    ended = campus.run("verify")
    assert ended.code == 3
    assert told_with_reason_and_advice(ended.err, "E-MBX-404")
    assert "2 mailboxes read back, all as it should be" in ended.out


def test_a_damaged_database_is_told_by_the_check(campus: Campus) -> None:
    path = campus.world.folder / DATABASE
    for wal in campus.world.folder.glob(f"{DATABASE}-*"):
        wal.unlink()
    content = bytearray(path.read_bytes())
    content[8192:12288] = b"\x5a" * 4096
    path.write_bytes(content)
    ended = campus.run("ledger", "check")
    assert ended.code == 1
    assert told_with_reason_and_advice(ended.err, "E-DB-BROKEN")


@YOUNG_ARE_LISTED
def test_two_installations_that_share_calendars_read_back_only_their_own(campus: Campus) -> None:
    campus.applies()
    host = campus.world.folder / "classbell.toml"
    ours, files = host.read_text(encoding="utf-8"), files_of_the_ledger(campus)
    host.write_text('schema = 1\ninstallation = "11111111-2222-4333-8444-555555555555"\n', encoding="utf-8")
    put_back(campus, {})
    campus.applies()
    ada = campus.institution.mailbox("ada")
    assert len(ada.events()) == 2 * len(classes())
    assert "all as it should be" in campus.run("verify").out
    # The later half is theirs, and one of them is changed: that is none of our business.
    ada.edit_event(ada.events()[-1]["id"], {"subject": "Mine"})
    theirs = campus.run("verify")
    host.write_text(ours, encoding="utf-8")
    put_back(campus, files)
    with campus.world.watched() as seen:
        own = campus.run("verify")
        campus.applies()
    assert sorted("1 changed in Outlook" in ended.out for ended in (theirs, own)) == [False, True]
    assert sum(seen.changes.values()) == ("1 changed in Outlook" in own.out)


@YOUNG_ARE_LISTED
def test_one_person_is_rebuilt_when_something_extra_was_cleared_up(campus: Campus) -> None:
    campus.applies()
    ada = campus.institution.mailbox("ada")
    copies = [ada.copy_event(event["id"]) for event in ada.events()[:2]]
    put_back(campus, {})
    assert rebuild(campus).held_count == 4
    with campus.world.watched() as seen:
        assert campus.run("apply", "--yes").code == 0
    assert nothing_changed(seen)
    assert campus.run("ledger", "check").code == 4
    status = campus.run("status")
    assert (status.code, "Next: classbell verify -i example" in status.err) == (4, True)
    for copy in copies:
        ada.delete_event(copy)
    assert campus.run("verify", "ada@example.edu").code == 4
    assert rebuild(campus, "ada@example.edu").adopted == 2
    assert campus.run("ledger", "check").code == 0
    campus.applies()
    assert campus.holds(moved(classes()))


@pytest.mark.prove
@YOUNG_ARE_LISTED
def test_a_rebuild_is_a_run_after_which_older_plans_are_stale_and_copies_are_their_owners(
    campus: Campus,
) -> None:
    mailbox = campus.institution.mailbox("ada")
    mailbox.copy_event(mailbox.events()[0]["id"])
    campus.run("plan", "-o", "move.plan")
    ended = campus.run("ledger", "rebuild")
    assert (ended.code, "0 held, 1 copied by their owners" in ended.out) == (0, True), ended.out
    status = campus.run("status").out
    assert status.startswith("University of Example  Unknown  Healthy")
    shown = campus.run("runs", "show", "2").out
    assert "was      rebuild" in shown
    assert f"rebuilt  3 mailboxes with {EVENTS} events, 0 found by their marks, 0 gone, 0 held" in shown
    assert campus.run("apply", "move.plan", "--yes").err.startswith("E-PLAN-STALE")
    campus.applies()
    assert campus.run("status").out.startswith("University of Example  Synced  Healthy")
