"""Requests of which nobody knows whether they went through: nothing may rest on either until it is known."""

import pytest
from tests.contract.ledger.books import (
    INSTALLATION,
    NOW,
    SEND_WITHIN,
    SOURCE,
    accept,
    conclude,
    create,
    delete,
    deliver,
    due,
    send,
    sent_update,
    update,
)

from classbell.ledger import InstitutionLedger, Ledger
from classbell.model import Action, Became, ChangeState

pytestmark = pytest.mark.anyio

ALGEBRA = f"{SOURCE}:algebra"
BOUND = 600.0


async def test_what_a_dead_process_had_sent_is_unknown_until_a_look_or_a_repeat(url: str) -> None:
    ledger = await Ledger.open(url, INSTALLATION)
    book = await ledger.institution("uni")
    await accept(book, create("ann", "algebra"), create("ann", "botany"), create("ann", "chemistry"))
    await deliver(book)
    await accept(book, update("ann", "algebra"), delete("ann", "botany"), create("ann", "drama"))
    await send(book, await due(book))
    ledger.close()

    ledger = await Ledger.open(url, INSTALLATION)
    book = await ledger.institution("uni")
    later = NOW + 3
    assert len(await book.changes.unsettled()) == 3
    assert await book.changes.adrift(later, BOUND) == 3
    assert len(await book.changes.unsettled()) == 3, "no plan may rest on what the ledger says of them"
    now = {one.meeting_key: one for one in await due(book, later)}
    assert set(now) == {ALGEBRA, f"{SOURCE}:botany"}, "repeated under the same etag"
    assert {one.state for one in now.values()} == {ChangeState.UNKNOWN}
    decided = NOW + SEND_WITHIN + BOUND
    assert len(await due(book, decided - 0.1)) == 2
    (looked_for,) = [one for one in await due(book, decided) if one.action is Action.CREATE]
    assert looked_for.state is ChangeState.UNKNOWN
    assert await book.changes.adrift(later, BOUND) == 0
    ledger.close()


async def test_an_update_that_may_have_gone_through_outlives_a_plan_that_wants_none(
    uni: InstitutionLedger,
) -> None:
    """Else a meeting that flaps would show its second state for ever, while the ledger says the first."""
    change = await sent_update(uni)
    await uni.changes.adrift(NOW, BOUND)
    assert await uni.changes.unsettled() == [(change.mailbox.id, change.meeting_id)]
    await accept(uni)
    (unknown,) = await due(uni)
    assert unknown.id == change.id


@pytest.mark.parametrize("became", [Became.WAITING, Became.RENEWED])
async def test_an_update_that_may_have_gone_through_stays_unknown_until_it_is_done(
    uni: InstitutionLedger, became: Became
) -> None:
    await sent_update(uni)
    await uni.changes.adrift(NOW, BOUND)
    (unknown,) = await due(uni)
    await send(uni, [unknown])
    await conclude(uni, unknown, became, due_at=NOW, etag='W/"9"')
    await accept(uni)
    (again,) = await due(uni)
    assert (again.id, again.state) == (unknown.id, ChangeState.UNKNOWN)
    await send(uni, [again])
    await conclude(uni, again, Became.DONE)
    assert await uni.changes.unsettled() == []


async def test_a_create_that_certainly_never_was_made_gives_way_to_a_newer_plan(
    uni: InstitutionLedger,
) -> None:
    await accept(uni, create("ann", "algebra"))
    (change,) = await due(uni)
    await send(uni, [change])
    await conclude(uni, change, Became.UNKNOWN, due_at=NOW)
    (unknown,) = await due(uni)
    await conclude(uni, unknown, Became.WAITING, due_at=NOW, code="E-UNKNOWN-ABSENT")
    assert await uni.changes.unsettled() == []
    await accept(uni, create("ann", "algebra", fingerprint=5))
    (again,) = await due(uni)
    assert (again.fingerprint, again.incarnation, again.operation) == (5, 1, change.operation)
