"""What runs have deleted is found as it last stood, as long as nobody has made it again since."""

from dataclasses import replace

import pytest
from tests.contract.ledger.books import NOW, accept, create, delete, deliver, delivered, sent_update

from classbell.ledger import InstitutionLedger
from classbell.model import LeaveMode

pytestmark = pytest.mark.anyio


async def found(book: InstitutionLedger, run_id: int) -> list[tuple[int, int]]:
    """Fingerprint and start of what a run has deleted."""
    return [(one.fingerprint, one.starts_at) for one in await book.restoring.deleted(run_id)]


async def test_what_was_made_and_deleted_again_since_is_put_back_by_the_later_run_alone(
    uni: InstitutionLedger,
) -> None:
    await delivered(uni)
    first = await accept(uni, delete("ann", "algebra"))
    await deliver(uni)
    assert await found(uni, first.run_id) == [(1, 1000)]
    await accept(uni, create("ann", "algebra", fingerprint=5, starts=3000))
    await deliver(uni)
    second = await accept(uni, replace(delete("ann", "algebra", starts=3000), previous=5))
    await deliver(uni)
    assert await found(uni, first.run_id) == []
    assert await found(uni, second.run_id) == [(5, 3000)]


@pytest.mark.parametrize("mode", [LeaveMode.DELETE_ALL_EVENTS, LeaveMode.DELETE_FUTURE_EVENTS])
async def test_who_leaves_amid_an_update_gets_back_what_was_sent_last(
    uni: InstitutionLedger, mode: LeaveMode
) -> None:
    """Whether it went through nobody knows: the newer version is the one that a timetable has named last."""
    change = await sent_update(uni)
    number = change.mailbox.id
    left = await uni.leaving.look(number, mode, 0.0)
    accepted = await uni.leaving.accept(number, mode, left, "", 0.0)
    await deliver(uni, NOW + 5)
    assert await found(uni, accepted.run_id) == [(change.fingerprint, change.starts_at)]
