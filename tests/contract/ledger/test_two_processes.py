"""Two processes at one ledger: what one of them has done meanwhile, the other one does not undo or repeat."""

from collections.abc import Sequence

import numpy as np
import pytest
from tests.contract.ledger.books import (
    NOW,
    SOURCE,
    Wish,
    accept,
    conclude,
    create,
    delete,
    deliver,
    delivered,
    due,
    entries,
    rows,
    send,
    sent_update,
    update,
)

from classbell.errors import LeaseHeld
from classbell.ledger import Accepted, InstitutionLedger
from classbell.model import Action, Became, Change, ChangeState, LeaveMode, Outcome, Suspended
from classbell.plan import Plan

pytestmark = pytest.mark.anyio


def planned(mailboxes: Sequence[str], meetings: Sequence[str]) -> Accepted:
    """A plan of no changes, which takes these for new."""
    nothing = np.empty(0, dtype=np.int64)
    small = nothing.astype(np.int16)
    return Accepted(
        plan=Plan(
            mailbox=nothing,
            meeting=nothing,
            action=nothing.astype(np.int8),
            reason=nothing.astype(np.int8),
            fingerprint=nothing.astype(np.uint64),
            previous=nothing.astype(np.uint64),
            starts=nothing,
            ends=nothing,
            source=small,
            calendar=small,
        ),
        calendars=("",),
        fresh_mailboxes={key: key for key in mailboxes},
        fresh_meetings=[(SOURCE, key) for key in meetings],
        renderings=[],
        sources_read=frozenset(),
    )


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


@pytest.mark.parametrize("what", ["mailbox", "meeting"])
async def test_a_plan_from_before_somebody_else_entered_what_it_names_is_not_accepted(
    uni: InstitutionLedger, what: str
) -> None:
    """As a pause enters a mailbox, or a rebuild a meeting: neither of them is a run."""
    await accept(uni, create("ann", "algebra"))
    plan = planned(mailboxes=["ann"] if what == "mailbox" else [], meetings=["algebra"] * (what == "meeting"))
    with pytest.raises(LeaseHeld, match="has changed since"):
        await uni.plans.accept(plan, NOW)
    assert await uni.runs.newest() == 1


@pytest.mark.parametrize("kind", [Suspended.PAUSED, Suspended.UNLINKED])
async def test_what_was_read_before_its_person_was_suspended_is_not_sent(
    uni: InstitutionLedger, kind: Suspended
) -> None:
    """The lease of who reads was lost while it slept; another process has suspended the person meanwhile."""
    await accept(uni, create("ann", "algebra"), create("bob", "algebra"))
    changes = await due(uni)
    await uni.suspensions.suspend("ann", kind, "on leave", NOW)
    of_ann = {one.id for one in changes if one.mailbox.key == "ann"}
    if kind is Suspended.PAUSED:
        # All others go at once: a pause is a matter of one person.
        assert await send(uni, changes) == of_ann
        await uni.suspensions.lift(next(one.mailbox.id for one in changes if one.id in of_ann))
        assert {one.id for one in await due(uni)} == of_ann
    else:
        with pytest.raises(LeaseHeld):
            await send(uni, changes)
        (bob,) = await due(uni)
        assert await send(uni, [bob]) == frozenset()


async def test_what_was_paused_and_given_up_by_another_plan_is_no_pause(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    changes = await due(uni)
    await accept(uni, create("ann", "algebra", fingerprint=2))
    await uni.suspensions.suspend("ann", Suspended.PAUSED, "on leave", NOW)
    with pytest.raises(LeaseHeld):
        await send(uni, changes)


@pytest.mark.parametrize("wish", [delete("ann", "algebra"), update("ann", "algebra", fingerprint=3)])
async def test_a_plan_may_repeat_what_is_open_of_a_source_that_it_does_not_answer_for(
    uni: InstitutionLedger, wish: Wish
) -> None:
    """As of one that is held now: what of it was approved and could not be delivered passes once more."""
    await delivered(uni)
    await accept(uni, delete("ann", "algebra"))
    await accept(uni, wish, read=())
    (change,) = await due(uni)
    assert change.action is wish.action


async def test_what_was_read_before_an_institution_was_paused_is_not_sent(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    changes = await due(uni)
    await uni.suspensions.pause_all("a move", NOW)
    assert await send(uni, changes) == {one.id for one in changes}
    assert await due(uni) == []
    await uni.suspensions.resume_all()
    assert await due(uni) == changes
    await send(uni, changes)


async def test_the_deletes_of_a_purge_are_sent_although_it_pauses_the_institution(
    uni: InstitutionLedger,
) -> None:
    await delivered(uni)
    left = await uni.leaving.look(None, LeaveMode.CLEANUP, NOW)
    await uni.leaving.accept(None, LeaveMode.CLEANUP, left, "purged", NOW)
    await uni.suspensions.pause_all("purged", NOW)
    (change,) = await due(uni)
    await send(uni, [change])


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
    await conclude(uni, again, Became.WAITING, code="E-UNKNOWN-ABSENT")
    await send(uni, await due(uni))
    late = Outcome(change=first, became=Became.WAITING, due_at=NOW)
    await uni.changes.conclude([late], NOW, intended=True)
    assert (await only_change(uni)).state is ChangeState.SENT


async def test_an_update_that_was_sent_again_meanwhile_is_done_once_its_first_attempt_is(
    uni: InstitutionLedger,
) -> None:
    """Under one ``If-Match`` only one of both can be. What its owner deletes from now on is this version."""
    first = await sent_update(uni)
    await uni.changes.adrift(NOW, 600.0)
    await send(uni, await due(uni))
    late = Outcome(change=first, became=Became.DONE, event_id="AAA", etag="2")
    await uni.changes.conclude([late], NOW, intended=True)
    assert (await only_change(uni)).state is ChangeState.DONE
    assert [(etag, number) for _, etag, number in (await entries(uni, "ann")).values()] == [("2", 1)]
    assert [fingerprint for fingerprint, *_ in (await rows(uni)).values()] == [first.fingerprint]


async def test_an_update_whose_event_is_to_be_made_again_meanwhile_is_not_done(
    uni: InstitutionLedger,
) -> None:
    first = await sent_update(uni)
    await uni.changes.adrift(NOW, 600.0)
    (again,) = await due(uni)
    await send(uni, [again])
    await conclude(uni, again, Became.GONE)
    late = Outcome(change=first, became=Became.DONE, event_id="AAA", etag="2")
    await uni.changes.conclude([late], NOW, intended=True)
    change = await only_change(uni)
    assert (change.action, change.state) == (Action.CREATE, ChangeState.PENDING)
    assert await entries(uni, "ann") == {}


@pytest.mark.parametrize("became", [Became.UNKNOWN, Became.WAITING])
@pytest.mark.parametrize("released", [False, True])
async def test_what_another_process_has_sent_since_it_was_read_is_not_sent_as_it_was_read(
    uni: InstitutionLedger, became: Became, *, released: bool
) -> None:
    """Nobody knows whether its request made the event: sent once more it might stand there twice."""
    await accept(uni, create("ada", "m"))
    (read,) = await due(uni)
    await send(uni, [read])
    await conclude(uni, await only_change(uni), Became.HELD if released else became, code="E-GRAPH-LOST")
    if released:
        await uni.changes.release_held(read.mailbox.id)
    with pytest.raises(LeaseHeld) as raised:
        await send(uni, [read])
    assert raised.value.code == "E-LEASE"
    assert (await only_change(uni)).state is (ChangeState.UNKNOWN if released else ChangeState(became.value))
