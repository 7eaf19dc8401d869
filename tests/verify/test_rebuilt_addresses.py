"""A mailbox that has another address now: its events were made for the one that it had."""

import pytest
from tests.deliver.stage import BOUND, Stage, lecture
from tests.verify.readings import rebuild, seen, verify

from classbell.ledger import Sighted
from classbell.model import Suspended

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def ada_is_adele(stage: Stage) -> None:
    """Ada has two lectures; some time later she has another name, in the timetable as well."""
    stage.mailbox("ada")
    stage.timetable = {"ada": [lecture("Logic"), lecture("Sets", day=12)]}
    await stage.run()
    stage.clock.pass_time(4 * BOUND)
    stage.tenant.rename_mailbox(stage.address("ada"), stage.address("adele"))
    stage.timetable = {"adele": stage.timetable["ada"]}


async def test_what_was_made_for_the_old_address_is_taken_over_and_not_made_twice(stage: Stage) -> None:
    before = stage.here
    await stage.run()
    assert {(name, code) for (name, _), (_, code) in (await stage.why_open()).items()} == {
        ("ada", "E-MBX-404"),
        ("adele", "E-LEDGER-LOST"),
    }
    rebuilt = await rebuild(stage)
    assert (rebuilt.known, rebuilt.differing, rebuilt.held_count) == (2, 0, 0)
    await stage.run()
    assert stage.asked("POST", "PATCH", since=before) == []
    assert await stage.why_open() == {}
    stage.timetable = {"adele": [lecture("Logic", place="A1")]}
    await stage.run()
    await stage.assert_true()


async def test_a_copy_beside_what_is_taken_over_stays_its_owners(stage: Stage) -> None:
    adele = stage.mailbox("adele")
    copy = adele.copy_event(stage.our_event("adele", "Logic"))
    kept = adele.event(copy)
    await stage.run()
    rebuilt = await rebuild(stage)
    assert (rebuilt.known, rebuilt.held_count) == (2, 1)
    stage.timetable = {"adele": [lecture("Logic", place="A1"), lecture("Sets", day=12)]}
    await stage.run()
    assert adele.event(copy) == kept
    assert stage.shown("adele").count(("Logic", "2026-10-01T09:00:00", "A1")) == 1


async def test_who_was_paused_stays_so_and_what_they_deleted_stays_deleted(stage: Stage) -> None:
    stage.policies = {"on_user_delete": "respect"}
    stage.timetable["ada"] = stage.timetable["adele"]
    adele = stage.mailbox("adele")
    adele.delete_event(stage.our_event("adele", "Sets"))
    # Noticed while the mailbox still had its old address.
    stage.tenant.rename_mailbox(stage.address("adele"), stage.address("ada"))
    await verify(stage)
    async with stage.ledger() as book:
        now = stage.clock.now()
        await book.suspensions.suspend(stage.address("ada"), Suspended.PAUSED, "on leave", now)
    stage.tenant.rename_mailbox(stage.address("ada"), stage.address("adele"))
    del stage.timetable["ada"]
    await stage.run()
    await rebuild(stage)
    before = stage.here
    stage.timetable["adele"] = [lecture("Logic", place="A1"), lecture("Sets", day=12)]
    await stage.run()
    assert stage.asked(since=before) == []
    async with stage.ledger() as book:
        (paused,) = [one for one in await book.suspensions.all() if one.mailbox.key == stage.address("adele")]
        assert (paused.kind, paused.reason) == (Suspended.PAUSED, "on leave")
        await book.suspensions.lift(paused.mailbox.id)
    await stage.run()
    assert stage.shown("adele") == [("Logic", "2026-10-01T09:00:00", "A1")]


async def test_where_the_ledger_was_lost_as_well_it_is_held_and_none_is_made_beside_it(stage: Stage) -> None:
    stage.lose_ledger()
    rebuilt = await rebuild(stage)
    assert (rebuilt.adopted, rebuilt.held_count) == (0, 2)
    for _ in range(2):
        assert (await stage.run()).done == {}
        stage.clock.pass_time(BOUND)
        assert (await verify(stage)).seen == {Sighted.EXTRA: 2}
    assert all("another address" in detail for _, detail in await seen(stage, "adele"))


async def test_where_timetables_name_both_addresses_neither_takes_from_the_other(stage: Stage) -> None:
    """One mailbox of two addresses: what was made for the first is there, and is not made for the second."""
    stage.timetable["ada"] = stage.timetable["adele"]
    await stage.run()
    rebuilt = await rebuild(stage)
    assert (rebuilt.known, rebuilt.held_count) == (0, 2)
    await stage.run()
    assert stage.shown("adele") == stage.wanted("adele")
    stage.timetable["ada"] = []
    assert (await rebuild(stage)).known == 2
    await stage.run()
    await stage.assert_true()


async def test_what_was_copied_from_a_colleagues_calendar_keeps_nothing_from_being_made(stage: Stage) -> None:
    await stage.run()
    await rebuild(stage)
    adele = stage.mailbox("adele")
    event = adele.event(stage.our_event("adele", "Logic"))
    bo = stage.mailbox("bo")
    parts = ("subject", "start", "end", "singleValueExtendedProperties")
    copy = bo.put_event({name: event[name] for name in parts})
    stage.clock.pass_time(BOUND)
    stage.timetable["bo"] = [lecture("Logic")]
    await stage.run()
    rebuilt = await rebuild(stage)
    assert [sighting.kind for _, sighting in rebuilt.held] == [Sighted.COPY]
    # Whoever is forgotten must not be named in what is known of somebody else's calendar.
    assert all("@" not in detail for _, detail in await seen(stage, "bo"))
    await stage.run()
    bo.delete_event(copy)
    await stage.assert_true()
