"""What is old goes, and nothing that may still be asked for."""

import pytest
from tests.contract.ledger.books import NOW, accept, create, delete, deliver, pack, update
from tests.contract.ledger.test_runs import rendering

from classbell.ledger import InstitutionLedger, Ledger

pytestmark = pytest.mark.anyio

DAY = 86_400.0


async def prune(uni: InstitutionLedger, now: float) -> bool:
    return await uni.pruning.prune(now, payload=30 * DAY, runs=180 * DAY)


async def kept(uni: InstitutionLedger) -> set[int]:
    return set(await uni.meetings.bodies(range(1, 9)))


async def test_a_rendering_goes_a_month_after_the_last_event_that_bore_it(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), renderings=[rendering(b"old", 1), rendering(b"new", 2)])
    await deliver(uni)
    await prune(uni, NOW)
    await accept(uni, update("ann", "algebra"))
    await deliver(uni)
    await prune(uni, NOW + 40 * DAY)
    assert await kept(uni) == {1, 2}
    await prune(uni, NOW + 69 * DAY)
    assert await kept(uni) == {1, 2}
    await prune(uni, NOW + 71 * DAY)
    assert await kept(uni) == {2}


async def test_a_rendering_that_is_in_use_again_is_as_any_other(uni: InstitutionLedger) -> None:
    await accept(uni, renderings=[rendering(b"old", 1)])
    await prune(uni, NOW)
    await accept(uni, create("ann", "algebra"))
    await prune(uni, NOW + 40 * DAY)
    await deliver(uni)
    await accept(uni, delete("ann", "algebra"))
    await deliver(uni)
    await prune(uni, NOW + 50 * DAY)
    await prune(uni, NOW + 79 * DAY)
    assert await kept(uni) == {1}


async def test_nothing_is_looked_for_twice_a_day(uni: InstitutionLedger) -> None:
    assert await prune(uni, NOW)
    assert not await prune(uni, NOW + 3600)
    assert await prune(uni, NOW + DAY)


async def test_ended_changes_and_their_runs_go_and_open_ones_stay(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    await deliver(uni)
    await uni.runs.finish(1, 0, {}, NOW)
    await uni.runs.note(6, {"error": "E-CONSENT"}, NOW, NOW)
    await accept(uni, create("ann", "botany"))
    await pack(uni)
    assert [run.id for run in await uni.runs.last(9)] == [3, 2, 1]
    await prune(uni, NOW + 179 * DAY)
    assert len(await uni.runs.last(9)) == 3
    await prune(uni, NOW + 181 * DAY)
    assert [run.id for run in await uni.runs.last(9)] == [3]
    assert await uni.runs.newest() == 3
    assert [change.meeting_key for change in await uni.changes.due(NOW + 999 * DAY, 9)] == [
        "timetable:botany"
    ]
    assert await uni.entries.count() == (1, 1)


async def test_the_newest_run_stays_for_plans_are_based_on_it(uni: InstitutionLedger) -> None:
    await accept(uni)
    await prune(uni, NOW + 999 * DAY)
    assert await uni.runs.newest() == 1


async def test_one_institution_prunes_nothing_of_another(ledger: Ledger, uni: InstitutionLedger) -> None:
    other = await ledger.institution("other")
    for book in (uni, other):
        await accept(book, create("ann", "algebra"), renderings=[rendering(b"old", 1), rendering(b"idle", 3)])
        await deliver(book)
    for days in (0, 200, 400):
        await prune(uni, NOW + days * DAY)
    assert await kept(uni) == {1}
    assert await kept(other) == {1, 3}
    assert len(await other.runs.changes(2)) == 1
