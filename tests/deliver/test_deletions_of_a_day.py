"""What a day may delete counts what was accepted before and goes on, whether or not a plan repeats it."""

from collections.abc import Collection

import pytest
from tests.deliver.office import synced
from tests.deliver.stage import Stage

from classbell.model import Action, LeaveMode
from classbell.report import Report

pytestmark = pytest.mark.anyio

DAY = 86_400.0


def write(stage: Stage, source: str, *, without: Collection[int] = ()) -> None:
    """Ten classes but some, which Ada and Bob attend."""
    kept = [n for n in range(10) if n not in without]
    rows = [f"{source}{n},2026-10-{10 + n}T09:00,2026-10-{10 + n}T10:00,{source}{n}" for n in kept]
    attends = [f"{source}{n},{stage.address(name)}" for name in ("ada", "bob") for n in kept]
    for name, head, lines in (
        ("meetings", "key,start,end,title", rows),
        ("attendance", "meeting,person", attends),
    ):
        (stage.folder / f"{source}-{name}.csv").write_text("\n".join([head, *lines, ""]))


async def sync(stage: Stage, person: str | None = None) -> Report:
    tables = {
        source: {
            "meetings": stage.folder / f"{source}-meetings.csv",
            "attendance": stage.folder / f"{source}-attendance.csv",
            "map": {"key": "key", "start": "start", "end": "end", "title": "title"},
        }
        for source in ("a", "b")
    }
    safety = {"max_deletes": {"at_least": 4}, "source_shrink_percent": 40}
    return await synced(stage, tables, person, safety=safety)


@pytest.fixture(autouse=True)
async def accepted(stage: Stage) -> None:
    """Four deletions are accepted, as many as a day may have, and wait for mailboxes without a licence."""
    for name in ("ada", "bob"):
        stage.mailbox(name)
    for source in ("a", "b"):
        write(stage, source)
    await sync(stage)
    license_all(stage, "unlicensed")
    write(stage, "a", without=(0, 1))
    assert (await sync(stage)).holds == ()
    assert await waiting(stage) == 4


def license_all(stage: Stage, state: str) -> None:
    for name in ("ada", "bob"):
        stage.mailbox(name).state = state


async def waiting(stage: Stage) -> int:
    return sum(change.action is Action.DELETE for change in (await stage.open_changes()).values())


async def assert_no_more_than_four_go(stage: Stage) -> None:
    """Once the mailboxes are well again."""
    license_all(stage, "active")
    stage.clock.pass_time(DAY)
    begin = stage.here
    await sync(stage)
    assert len(stage.asked("DELETE", since=begin)) <= 4


@pytest.mark.parametrize("how", ["unread", "shrunk"])
async def test_what_a_source_asked_for_that_is_not_applied_now_counts_once_more_and_goes_no_more(
    stage: Stage, how: str
) -> None:
    write(stage, "b", without=(0,))
    if how == "unread":
        (stage.folder / "a-meetings.csv").unlink()
    else:
        write(stage, "a", without=range(2, 10))
    report = await sync(stage)
    assert "E-HOLD-DAY" in {hold.code for hold in report.holds}
    assert await waiting(stage) == 0
    await assert_no_more_than_four_go(stage)


async def test_what_others_lose_counts_in_a_run_for_one_person(stage: Stage) -> None:
    write(stage, "b", without=(0,))
    report = await sync(stage, "ada")
    (hold,) = report.holds
    assert (hold.code, hold.deletes) == ("E-HOLD-DAY", 3)
    assert hold.text.startswith(
        "3 deletions after 0 in the last 24 hours and 2 that are under way (12.5 % of 40 events)"
    )
    await assert_no_more_than_four_go(stage)


async def test_what_its_source_names_again_does_not_count(stage: Stage) -> None:
    write(stage, "a")
    write(stage, "b", without=(0, 1))
    assert (await sync(stage)).holds == ()
    assert await waiting(stage) == 4
    license_all(stage, "active")
    stage.clock.pass_time(DAY)
    await sync(stage)
    assert len(stage.mailbox("ada").events()) == 18


async def test_who_leaves_asks_nobody_and_what_goes_with_them_counts(stage: Stage) -> None:
    """Twenty events of Ada go at once, more than any run or day may delete unasked; then one of Bob's may not."""
    write(stage, "a")
    license_all(stage, "active")
    stage.clock.pass_time(DAY)
    assert (await sync(stage)).exit_code == 0
    begin = stage.here
    async with stage.ledger() as book:
        ada = (await book.mailboxes.numbers())[stage.address("ada")]
        left = await book.leaving.look(ada, LeaveMode.DELETE_ALL_EVENTS, stage.clock.now())
        await book.leaving.accept(ada, LeaveMode.DELETE_ALL_EVENTS, left, "gone", stage.clock.now())
    assert (await sync(stage)).holds == ()
    assert len(stage.asked("DELETE", since=begin)) == 20
    write(stage, "b", without=(0,))
    report = await sync(stage)
    assert [(hold.code, hold.deletes) for hold in report.holds] == [("E-HOLD-DAY", 1)]
    stage.clock.pass_time(DAY)
    assert (await sync(stage)).holds == ()
    assert len(stage.asked("DELETE", since=begin)) == 21
