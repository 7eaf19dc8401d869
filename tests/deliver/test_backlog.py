"""The backlog hands out what is due, soonest first, in units of one step, and keeps little in memory."""

from collections.abc import AsyncIterator, Iterable

import pytest
from tests.deliver.stage import SeededIds, Stage, lecture

from classbell.deliver.backlog import Backlog, Readiness, Step, Unit
from classbell.ledger import InstitutionLedger
from classbell.model import Became, Change, Outcome
from classbell.outlook.pace import Pace

pytestmark = pytest.mark.anyio

SIZE = 4
PAGE = 6


@pytest.fixture
async def book(stage: Stage) -> AsyncIterator[InstitutionLedger]:
    """Five people with six lectures each, accepted; the mailboxes are known."""
    stage.timetable = {
        name: [lecture(f"{name}{n}", day=10 + n, hour=9 + place) for n in range(6)]
        for place, name in enumerate(("ada", "bob", "cyd", "dan", "eve"))
    }
    async with stage.ledger() as book:
        await stage.accept(book)
        numbers = list((await book.mailboxes.numbers()).values())
        await book.mailboxes.contacted(numbers, stage.clock.now(), "restImmutableEntryId")
        yield book


@pytest.fixture
def pace(stage: Stage) -> Pace:
    return Pace(stage.clock, SeededIds())


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def backlog(book: InstitutionLedger, pace: Pace, readiness: Readiness) -> Backlog:
    return Backlog(book, pace, readiness, page=PAGE)


async def conclude(
    book: InstitutionLedger, changes: Iterable[Change], due_at: float, became: Became = Became.WAITING
) -> None:
    outcomes = [
        Outcome(change=change, became=became, due_at=due_at, event_id=str(change.id), etag="e")
        for change in changes
    ]
    await book.changes.conclude(outcomes, due_at)


async def drained(stage: Stage, book: InstitutionLedger, backlog: Backlog) -> list[Unit]:
    """Take and finish units until there are no more."""
    units: list[Unit] = []
    while True:
        await backlog.fill(stage.clock.now())
        unit = backlog.take(SIZE, stage.clock.now())
        if unit is None:
            return units
        units.append(unit)
        await conclude(book, unit.changes, stage.clock.now(), Became.DONE)
        backlog.done(unit)


async def test_everything_is_handed_out_once_and_soonest_first(
    stage: Stage, book: InstitutionLedger, backlog: Backlog
) -> None:
    units = await drained(stage, book, backlog)
    changes = [change for unit in units for change in unit.changes]
    assert len(changes) == len({change.id for change in changes}) == 30
    # Within a page and its successor: what is nearest comes first.
    starts = [change.starts_at for change in changes]
    assert all(
        start <= min(starts[place + PAGE + SIZE :], default=start) for place, start in enumerate(starts)
    )


async def test_no_more_than_a_page_and_a_half_is_kept_in_memory(stage: Stage, backlog: Backlog) -> None:
    for _ in range(20):
        await backlog.fill(stage.clock.now())
        assert backlog._size <= PAGE + PAGE // 2


async def test_three_changes_of_a_mailbox_are_in_hand_at_most(
    stage: Stage, book: InstitutionLedger, pace: Pace, readiness: Readiness
) -> None:
    backlog = Backlog(book, pace, readiness, page=100)
    await backlog.fill(stage.clock.now())
    taken: list[Change] = []
    while unit := backlog.take(20, stage.clock.now()):
        taken += unit.changes
    numbers = [change.mailbox.id for change in taken]
    assert {numbers.count(number) for number in numbers} == {3}
    assert len(taken) == 15


async def test_a_unit_needs_one_step_only(
    stage: Stage, book: InstitutionLedger, pace: Pace, readiness: Readiness
) -> None:
    stage.timetable["new"] = [lecture("new", day=10)]
    await stage.accept(book)
    (first, *_) = await book.changes.due(stage.clock.now(), 1)
    await conclude(book, [first], stage.clock.now(), Became.UNKNOWN)
    backlog = Backlog(book, pace, readiness, page=100)
    await backlog.fill(stage.clock.now())
    steps: dict[Step, int] = {}
    while unit := backlog.take(20, stage.clock.now()):
        steps[unit.step] = steps.get(unit.step, 0) + len(unit.changes)
    assert steps[Step.LOOK] == steps[Step.PREPARE] == 1
    assert steps[Step.WRITE] == 14


async def test_one_change_of_a_mailbox_at_a_time_prepares_it(stage: Stage, book: InstitutionLedger) -> None:
    stage.timetable["new"] = [lecture(f"new{n}", day=10) for n in range(3)]
    await stage.accept(book)
    readiness = Readiness()
    backlog = Backlog(book, Pace(stage.clock, SeededIds()), readiness, page=100)
    await backlog.fill(stage.clock.now())
    units = []
    while unit := backlog.take(20, stage.clock.now()):
        units.append(unit)
    (preparing,) = [unit for unit in units if unit.step is Step.PREPARE]
    (change,) = preparing.changes
    readiness.contacted.add(change.mailbox.id)
    backlog.done(preparing, again=preparing.changes)
    unit = backlog.take(20, stage.clock.now())
    assert unit is not None
    assert unit.step is Step.WRITE
    assert len(unit.changes) == 3


async def test_a_closed_mailbox_gives_its_place_to_the_others(
    stage: Stage, book: InstitutionLedger, backlog: Backlog, readiness: Readiness
) -> None:
    now = stage.clock.now()
    await backlog.fill(now)
    numbers = await book.mailboxes.numbers()
    closed = [numbers[stage.address(name)] for name in ("ada", "bob", "cyd", "dan")]
    readiness.closed = dict.fromkeys(closed, now + 1000)
    changes = [change for unit in await drained(stage, book, backlog) for change in unit.changes]
    assert {change.mailbox.address for change in changes} == {stage.address("eve")}
    assert len(changes) == 6
    readiness.closed.clear()
    stage.clock.pass_time(2)
    assert len([c for unit in await drained(stage, book, backlog) for c in unit.changes]) == 24


async def test_a_mailbox_is_open_again_when_its_time_has_come(
    stage: Stage, book: InstitutionLedger, backlog: Backlog, readiness: Readiness
) -> None:
    for number in (await book.mailboxes.numbers()).values():
        readiness.closed[number] = stage.clock.now() + 50
    assert await drained(stage, book, backlog) == []
    stage.clock.pass_time(51)
    assert sum(len(unit.changes) for unit in await drained(stage, book, backlog)) == 30


async def test_what_comes_due_behind_the_reader_is_not_missed(
    stage: Stage, book: InstitutionLedger, backlog: Backlog
) -> None:
    """A change that was put back is before the place up to which the ledger was read."""
    await backlog.fill(stage.clock.now())
    first = backlog.take(SIZE, stage.clock.now())
    assert first is not None
    await conclude(book, first.changes, stage.clock.now())
    backlog.done(first)
    changes = [change.id for unit in await drained(stage, book, backlog) for change in unit.changes]
    assert len(changes) == len(set(changes)) == 30


async def test_the_next_chance_is_the_earliest_of_fences_and_due_times(
    stage: Stage, book: InstitutionLedger, pace: Pace, readiness: Readiness
) -> None:
    now = stage.clock.now()
    backlog = Backlog(book, pace, readiness, page=100)
    assert backlog.next_chance(None) is None
    assert backlog.next_chance(now + 70) == now + 70
    await backlog.fill(now)
    assert backlog.next_chance(None) == 0.0, "nothing stands in the way"
    for place, number in enumerate((await book.mailboxes.numbers()).values()):
        pace.refuse(number, 50.0 + place)
    fence = backlog.next_chance(None)
    assert fence == pytest.approx(now + 50, abs=1)
    assert backlog.next_chance(now + 20) == now + 20
    assert backlog.next_chance(now + 70) == fence


async def test_what_is_due_is_not_asked_for_again_and_again(
    stage: Stage, book: InstitutionLedger, pace: Pace, readiness: Readiness
) -> None:
    """With fenced changes in memory the ledger is asked once a second at most; who waits must know."""
    backlog = Backlog(book, pace, readiness, page=100)
    now = stage.clock.now()
    for number in (await book.mailboxes.numbers()).values():
        pace.refuse(number, 50.0)
    await backlog.fill(now)
    due = backlog.next_chance(now)
    assert due is not None
    assert due > now
