"""Two processes at one ledger: what one of them has done meanwhile, the other one does not undo or repeat."""

import pytest
from tests.contract.ledger.books import (
    NOW,
    Wish,
    accept,
    create,
    delete,
    deliver,
    delivered,
    due,
    entries,
    send,
    update,
)

from classbell.errors import LeaseHeld
from classbell.ledger import InstitutionLedger
from classbell.model import Became, Change, ChangeState, Outcome

pytestmark = pytest.mark.anyio


async def only_change(book: InstitutionLedger) -> Change:
    """The newest change of the only mailbox, whatever its state."""
    (number,) = (await book.mailboxes.numbers()).values()
    return (await book.changes.of_mailbox(number, 1))[0][0]


async def test_what_was_delivered_since_a_plan_was_made_is_not_created_again(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("bob", "algebra"))
    await deliver(uni)
    # As a plan says that was made before: both are missing.
    assert (await accept(uni, create("ann", "algebra"), create("bob", "algebra", fingerprint=2))).new == 0
    assert await due(uni) == []
    assert len(await uni.entries.stale()) == 2


@pytest.mark.parametrize("wish", [update("ann", "algebra", fingerprint=3), delete("ann", "algebra")])
async def test_what_was_changed_since_a_plan_was_made_is_left_alone(
    uni: InstitutionLedger, wish: Wish
) -> None:
    await delivered(uni)
    await accept(uni, update("ann", "algebra", fingerprint=2))
    await deliver(uni)
    # As a plan says that was made before: the first rendering stands there.
    assert (await accept(uni, wish)).new == 0
    assert await due(uni) == []


async def test_a_plan_that_another_one_has_overtaken_is_not_accepted(uni: InstitutionLedger) -> None:
    basis = await uni.runs.newest()
    await accept(uni, create("ann", "algebra"), basis=basis)
    with pytest.raises(LeaseHeld, match="accepted since"):
        await accept(uni, create("bob", "algebra"), basis=basis)
    assert set(await uni.mailboxes.numbers()) == {"ann"}
    await accept(uni, create("bob", "algebra"), basis=await uni.runs.newest())


@pytest.mark.parametrize("became", list(Became))
async def test_what_another_process_has_settled_stays_settled(uni: InstitutionLedger, became: Became) -> None:
    """Both had the create in hand: one waited for its answer, the other one has looked for it meanwhile."""
    await accept(uni, create("ann", "algebra"))
    (change,) = await due(uni)
    await send(uni, [change])
    (found,) = [one for one, *_ in await uni.changes.of_mailbox(change.mailbox.id)]
    await uni.changes.conclude([Outcome(change=found, became=Became.DONE, event_id="AAA", etag="1")], NOW)
    late = Outcome(change=change, became=became, event_id="BBB", etag="2", due_at=NOW)
    await uni.changes.conclude([late], NOW, intended=True)
    assert (await only_change(uni)).state is ChangeState.DONE
    assert {event for event, *_ in (await entries(uni, "ann")).values()} == {"AAA"}


async def test_an_answer_counts_only_for_the_attempt_that_it_is_of(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    (first,) = await due(uni)
    await send(uni, [first])
    await uni.changes.adrift(NOW, 600.0)
    (again,) = await due(uni, NOW + 1000.0)
    await send(uni, [again])
    late = Outcome(change=first, became=Became.WAITING, due_at=NOW)
    await uni.changes.conclude([late], NOW, intended=True)
    assert (await only_change(uni)).state is ChangeState.SENT
