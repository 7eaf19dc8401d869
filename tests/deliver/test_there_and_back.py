"""From one interface to the other and back, with little done in between: ids of both forms stand in one mailbox."""

import pytest
from tests.deliver.stage import BOUND, Stage, lecture, member
from tests.deliver.test_two_interfaces import change_over
from tests.verify.readings import rebuild, verify

from classbell.ledger import Sighted

pytestmark = [pytest.mark.anyio, pytest.mark.prove]

POLICIES = pytest.mark.parametrize("policy", ["restore", "respect"])
TREES = lecture("Trees", day=13)


@pytest.fixture(autouse=True)
async def delivered(stage: Stage) -> None:
    """Ada has two lectures, old enough to be found in any list."""
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=12)]
    await stage.run()
    stage.clock.pass_time(2 * BOUND)


async def made_in_between(stage: Stage, *, moved: bool = False) -> None:
    """By the other interface a lecture is made, and nothing else is done; then the first one is taken again."""
    change_over(stage)
    stage.timetable["ada"].append(TREES)
    await stage.run()
    if moved:
        ada = stage.mailbox("ada")
        ada.move_event(stage.our_event("ada", "Trees"), ada.create_calendar("Private"))
    stage.clock.pass_time(2 * BOUND)
    change_over(stage)


async def nothing_stands_twice(stage: Stage) -> None:
    await stage.settle()
    assert stage.shown("ada") == stage.wanted("ada")
    assert await stage.why_open() == {}


@POLICIES
@pytest.mark.parametrize("moved", [False, True])
async def test_what_was_made_in_between_is_changed_where_it_stands(
    stage: Stage, policy: str, *, moved: bool
) -> None:
    stage.policies = {"on_user_delete": policy}
    await made_in_between(stage, moved=moved)
    stage.timetable["ada"][-1] = lecture("Trees", day=13, place="A1")
    await stage.run()
    await nothing_stands_twice(stage)


@POLICIES
async def test_what_was_made_in_between_is_deleted_where_it_stands(stage: Stage, policy: str) -> None:
    stage.policies = {"on_user_delete": policy}
    await made_in_between(stage, moved=True)
    stage.timetable["ada"].pop()
    await stage.run()
    await nothing_stands_twice(stage)


@POLICIES
@pytest.mark.parametrize("moved", [False, True])
async def test_what_was_made_in_between_is_found_by_reading_back(
    stage: Stage, policy: str, *, moved: bool
) -> None:
    stage.policies = {"on_user_delete": policy}
    await made_in_between(stage, moved=moved)
    assert (await verify(stage)).unlike == 0
    await stage.run()
    await nothing_stands_twice(stage)


async def test_a_create_of_which_nobody_heard_is_found_in_between(stage: Stage) -> None:
    stage.timetable["ada"].append(TREES)
    stage.sandbox.faults.add(member("POST"), "504-late", delay=1)
    await stage.run(patience=0.0)
    assert [state for state, _ in (await stage.why_open()).values()] == ["unknown"]
    change_over(stage)
    stage.clock.pass_time(2 * BOUND)
    await stage.run()
    change_over(stage)
    stage.clock.pass_time(2 * BOUND)
    assert (await verify(stage)).unlike == 0
    await nothing_stands_twice(stage)


async def test_an_edit_that_was_seen_before_is_known_afterwards(stage: Stage) -> None:
    stage.mailbox("ada").edit_event(stage.our_event("ada", "Logic"), {"subject": "Mine"})
    for _ in range(3):
        assert (await verify(stage)).seen[Sighted.DRIFTED] == 1
        change_over(stage)


async def test_one_too_young_for_lists_at_the_change_is_known_again_by_reading_back(stage: Stage) -> None:
    stage.sandbox.switches.lookup_lag = 300.0
    stage.timetable["ada"].append(TREES)
    await stage.run()
    change_over(stage)
    stage.timetable["ada"][0] = lecture("Logic", place="A1")
    await stage.run()
    stage.clock.pass_time(4 * BOUND)
    assert (await verify(stage)).unlike == 0
    rebuilt = await rebuild(stage)
    assert (rebuilt.known, rebuilt.adopted, rebuilt.held_count, rebuilt.struck) == (3, 0, 0, 0)


async def held_by_a_rebuild(stage: Stage) -> str:
    """A copy whose original is gone stands there, and nobody can say that it is ours."""
    ada = stage.mailbox("ada")
    original = stage.our_event("ada", "Logic")
    stage.clock.pass_time(10 * BOUND)
    copy = ada.copy_event(original)
    ada.delete_event(original)
    stage.lose_ledger()
    assert (await rebuild(stage)).held_count == 1
    return copy


@pytest.mark.parametrize("by_another", [False, True])
async def test_nothing_is_made_beside_what_a_rebuild_holds_though_it_is_edited(
    stage: Stage, *, by_another: bool
) -> None:
    copy = await held_by_a_rebuild(stage)
    stage.mailbox("ada").edit_event(copy, {"importance": "high"})
    if by_another:
        change_over(stage)
    await verify(stage)
    await stage.run()
    assert len(stage.shown("ada")) == 2


async def test_nothing_is_made_beside_what_a_rebuild_holds_though_it_is_moved(stage: Stage) -> None:
    await held_by_a_rebuild(stage)
    ada = stage.mailbox("ada")
    ada.move_event(stage.our_event("ada", "Logic"), ada.create_calendar("Private"))
    await verify(stage)
    await stage.run()
    assert len(stage.shown("ada")) == 2


async def test_a_look_for_new_ids_that_is_refused_is_told_and_not_repeated_all_the_time(stage: Stage) -> None:
    change_over(stage)
    stage.timetable["ada"][0] = lecture("Logic", place="A1")
    stage.sandbox.faults.add(member("GET"), 400, times=1000)
    before = stage.here
    await stage.run()
    assert len(stage.asked("GET", since=before)) < 10
    assert await stage.why_open() == {("ada", "Logic"): ("waiting", "E-GRAPH-REJECTED")}
    stage.sandbox.faults.clear()
    await nothing_stands_twice(stage)
