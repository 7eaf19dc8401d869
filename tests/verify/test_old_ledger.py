"""An old copy of the ledger, put back: what it has is proven by the marks, or counts no more."""

import msgspec
import pytest
from tests.deliver.stage import BOUND, Stage, lecture, member
from tests.verify.readings import rebuild

from classbell.model import Action

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def delivered(stage: Stage) -> None:
    """Ada has two lectures, Bo one."""
    for name in ("ada", "bo"):
        stage.mailbox(name)
    stage.timetable = {"ada": [lecture("Logic"), lecture("Sets", day=12)], "bo": [lecture("Algebra")]}
    await stage.run()


async def put_back(stage: Stage, old: bytes, at: float = 0.0) -> int:
    """Put an old copy in the ledger's place, as its witness will notice; the revision that it is in then."""
    stage.lose_ledger()
    (stage.folder / "ledger.db").write_bytes(old)
    ledger = await stage.open_ledger()
    revision = await ledger.doubt(2, at)
    ledger.close()
    return revision


async def test_an_old_ledger_keeps_what_it_can_prove_and_learns_the_rest(stage: Stage) -> None:
    old = (stage.folder / "ledger.db").read_bytes()
    ada = stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Sets", day=12, place="A1"), lecture("Rings", day=15)]
    await stage.run()
    copy = ada.copy_event(stage.our_event("ada", "Sets"))
    assert await put_back(stage, old) == 3
    before = stage.here
    await stage.run()
    assert stage.asked("POST", "PATCH", "DELETE", since=before) == []
    rebuilt = await rebuild(stage)
    # Of the two that bear one mark the old entry proves which is ours.
    assert (rebuilt.known, rebuilt.adopted, rebuilt.struck, rebuilt.held_count) == (2, 1, 1, 1)
    kept = msgspec.json.encode(ada.event(copy))
    assert (await stage.run()).done == {}
    assert msgspec.json.encode(ada.event(copy)) == kept
    ada.delete_event(copy)
    await stage.assert_true()


async def test_what_an_old_ledger_has_at_a_time_of_before_counts_when_it_stands_there(stage: Stage) -> None:
    """Or what was put off, and then is cancelled, would be taken for ended, and stay for ever."""
    old = (stage.folder / "ledger.db").read_bytes()
    stage.timetable["bo"] = [lecture("Algebra", day=40)]
    await stage.run()
    await put_back(stage, old)
    stage.timetable["bo"] = []
    await rebuild(stage)
    stage.clock.pass_time(11 * 86_400)
    assert (await stage.run()).done == {Action.DELETE: 1}
    await stage.assert_true()


async def test_what_was_under_way_in_an_old_ledger_is_asked_for_anew(stage: Stage) -> None:
    stage.timetable["bo"].append(lecture("Late", day=13))
    stage.sandbox.faults.add(member("POST", "bo"), "504-after")
    await stage.run(patience=0.0)
    assert await stage.why_open() != {}
    ledger = await stage.open_ledger()
    await ledger.doubt(9, 0.0)
    ledger.close()
    assert (await rebuild(stage)).adopted == 1
    assert await stage.why_open() == {}
    await stage.assert_true()


async def test_what_an_old_ledger_does_not_know_of_is_no_wish_of_the_owner_and_is_written_as_a_whole(
    stage: Stage,
) -> None:
    stage.policies = {"on_user_edit": "keep"}
    old = (stage.folder / "ledger.db").read_bytes()
    stage.timetable["bo"] = [lecture("Algebra", place="A1")]
    await stage.run()
    await put_back(stage, old)
    stage.timetable["bo"] = [lecture("Algebra", "Algebra II")]
    await rebuild(stage)
    await stage.run()
    await stage.assert_true()


async def test_a_first_look_proves_nothing_while_lists_may_lack_what_a_lost_ledger_sent_last(
    stage: Stage,
) -> None:
    """A rebuild that died before it had entered anybody: a new ledger, and all that it knows is that it is not the newest."""
    stage.sandbox.switches.lookup_lag = 60.0
    stage.timetable["ada"].append(lecture("Rings", day=15))
    await stage.run()
    stage.lose_ledger()
    ledger = await stage.open_ledger()
    await ledger.doubt(3, stage.clock.now())
    ledger.close()
    before = stage.here
    await stage.run()
    assert stage.asked("POST", since=before) == []
    assert set((await stage.why_open()).values()) == {("waiting", "E-LEDGER-EARLY")}
    stage.clock.pass_time(BOUND + 120)
    await stage.run()
    assert set((await stage.why_open()).values()) == {("waiting", "E-LEDGER-LOST")}
    await rebuild(stage)
    await stage.settle()
    await stage.assert_true()


async def test_who_is_new_is_served_as_soon_as_nothing_can_come_to_light_any_more(stage: Stage) -> None:
    await put_back(stage, (stage.folder / "ledger.db").read_bytes(), at=stage.clock.now())
    stage.mailbox("cy")
    stage.timetable["cy"] = [lecture("Rings")]
    await stage.run()
    assert stage.shown("cy") == []
    stage.clock.pass_time(BOUND + 120)
    await stage.run()
    assert stage.shown("cy") == stage.wanted("cy")
