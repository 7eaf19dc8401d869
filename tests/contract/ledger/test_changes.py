"""Changes on their way: which is due when, intents before requests, and each outcome afterwards."""

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
    delivered,
    due,
    entries,
    send,
    sent_update,
    update,
)

from classbell.errors import LeaseHeld
from classbell.ledger import InstitutionLedger, Intent
from classbell.model import Action, Became, Change, ChangeState, Outcome, Reason
from classbell.operations import operation_id

pytestmark = pytest.mark.anyio

ALGEBRA = f"{SOURCE}:algebra"
BOUND = 600.0


async def only_change(book: InstitutionLedger) -> Change:
    """The newest change of the only mailbox, whatever its state."""
    (number,) = (await book.mailboxes.numbers()).values()
    return (await book.changes.of_mailbox(number, 1))[0][0]


async def test_changes_are_due_soonest_meetings_first_and_page_by_page(uni: InstitutionLedger) -> None:
    starts = [300, 100, 200, 100, 300, -50, 100]
    await accept(uni, *(create("ann", f"m{n}", starts=start) for n, start in enumerate(starts)))
    whole = await due(uni)
    assert [change.starts_at for change in whole] == sorted(starts)
    pages: list[Change] = []
    while True:
        after = (pages[-1].starts_at, pages[-1].id) if pages else (-(2**62), 0)
        page = await uni.changes.due(NOW, 2, after)
        if not page:
            break
        assert len(page) <= 2
        pages += page
    assert [change.id for change in pages] == [change.id for change in whole]


async def test_what_waits_is_due_when_its_time_has_come_and_not_before(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    (change,) = await due(uni)
    await send(uni, [change])
    await conclude(uni, change, Became.WAITING, due_at=NOW + 30, code="E-GRAPH-429")
    assert await uni.changes.next_due() == NOW + 30
    assert await due(uni, NOW + 29.9) == []
    (again,) = await due(uni, NOW + 30)
    assert (again.state, again.code, again.attempts) == (ChangeState.WAITING, "E-GRAPH-429", 1)


async def test_a_delete_that_waited_until_its_event_had_ended_is_given_up(uni: InstitutionLedger) -> None:
    soon, end = int(NOW) - 60, NOW + 40
    await accept(uni, create("ann", "algebra", starts=soon), create("ann", "botany", starts=soon))
    await deliver(uni)
    await accept(uni, delete("ann", "algebra", starts=soon), delete("ann", "botany", starts=soon))
    await uni.changes.adrift(end - 1, 600.0)
    algebra, botany = await due(uni, end - 1)
    await send(uni, [botany], end - 1)
    await uni.changes.adrift(end, 600.0)
    (repeated,) = await due(uni, end)
    assert (repeated.id, repeated.state) == (botany.id, ChangeState.UNKNOWN), "it may have gone already"
    assert algebra.id in {one.id for one, *_ in await uni.changes.of_mailbox(algebra.mailbox.id)}


async def test_a_delete_whose_event_has_ended_can_be_given_up_amid_a_delivery(uni: InstitutionLedger) -> None:
    soon, end = int(NOW) - 60, NOW + 40
    await accept(uni, create("ann", "algebra", starts=soon), create("ann", "botany", starts=soon))
    await deliver(uni)
    await accept(uni, delete("ann", "algebra", starts=soon), delete("ann", "botany", starts=soon))
    algebra, botany = await due(uni, end - 1)
    await send(uni, [botany], end - 1)
    assert await uni.changes.give_up_ended(end - 1) == set()
    assert await uni.changes.give_up_ended(end) == {algebra.id}
    assert await due(uni, end) == []


async def test_one_mailbox_alone_can_be_asked_for(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("bob", "algebra"), create("bob", "botany"))
    bob = (await uni.mailboxes.numbers())["bob"]
    assert {one.mailbox.id for one in await uni.changes.due(NOW, 10, only=bob)} == {bob}
    assert await uni.changes.open_count(bob) == 2
    assert await uni.changes.next_due(bob) == 0
    assert await uni.changes.next_due(bob + 1) is None


async def test_an_intent_is_durable_before_its_request_may_leave(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    (change,) = await due(uni)
    await send(uni, [change], NOW + 5)
    sent = await only_change(uni)
    assert sent.state is ChangeState.SENT
    assert (sent.sent_at, sent.send_until, sent.attempts) == (NOW + 5, NOW + 5 + SEND_WITHIN, 1)
    assert await due(uni, NOW + 10_000) == []
    assert await uni.changes.open_count() == 0
    assert await uni.changes.unsettled() == [(change.mailbox.id, change.meeting_id)]


async def test_nothing_may_be_sent_twice_at_once(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("ann", "botany"))
    algebra, botany = await due(uni)
    await send(uni, [algebra])
    with pytest.raises(LeaseHeld):
        await send(uni, [algebra, botany])
    assert [one.id for one in await due(uni)] == [botany.id]


async def test_nothing_may_be_sent_that_gave_way_to_another_plan(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    old = await due(uni)
    await accept(uni, create("ann", "algebra", fingerprint=2))
    with pytest.raises(LeaseHeld):
        await send(uni, old)
    (new,) = await due(uni)
    assert (new.fingerprint, new.attempts) == (2, 0)


async def test_no_intents_are_no_trouble(uni: InstitutionLedger) -> None:
    await uni.changes.intend([], NOW)
    await uni.changes.conclude([], NOW)


async def test_a_pair_has_one_open_change_at_most(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    await send(uni, await due(uni))
    assert (await accept(uni, create("ann", "algebra", fingerprint=2), create("ann", "botany"))).new == 1
    assert await uni.changes.unsettled() == [(1, 1)]
    assert [change.meeting_key for change in await due(uni)] == [f"{SOURCE}:botany"]


async def test_a_create_that_is_done_is_an_entry(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra", starts=5000))
    (change,) = await due(uni)
    await send(uni, [change])
    await conclude(uni, change, Became.DONE, event_id="AAA", etag='W/"1"', now=NOW + 1)
    ended = await only_change(uni)
    assert ended.state is ChangeState.DONE
    assert ended.entry is not None
    assert (ended.entry.event_id, ended.entry.etag) == ("AAA", 'W/"1"')
    assert (ended.entry.fingerprint, ended.entry.incarnation) == (1, 1)
    assert (ended.entry.starts_at, ended.entry.ends_at) == (5000, 5100)
    assert ended.entry.operation == change.operation
    ann = await uni.mailboxes.find("ann")
    assert ann is not None
    assert await uni.entries.event_ids(ann.id) == {"AAA"}
    assert await uni.changes.unsettled() == []
    assert await uni.changes.next_due() is None


async def test_an_update_that_is_done_rewrites_its_entry_and_keeps_the_event(uni: InstitutionLedger) -> None:
    change = await sent_update(uni)
    before = (await entries(uni, "ann"))[ALGEBRA]
    await conclude(uni, change, Became.DONE, etag='W/"2"')
    assert (await entries(uni, "ann"))[ALGEBRA] == (before[0], 'W/"2"', 1)
    ended = await only_change(uni)
    assert ended.entry is not None
    assert ended.entry.fingerprint == 2


async def test_a_delete_that_is_done_strikes_its_entry(uni: InstitutionLedger) -> None:
    await delivered(uni)
    await accept(uni, delete("ann", "algebra"))
    await deliver(uni)
    assert await entries(uni, "ann") == {}
    assert (await only_change(uni)).state is ChangeState.DONE


async def test_what_was_to_be_deleted_and_is_gone_is_done_and_never_made_again(
    uni: InstitutionLedger,
) -> None:
    await delivered(uni)
    await accept(uni, delete("ann", "algebra"))
    (change,) = await due(uni)
    await send(uni, [change])
    await conclude(uni, change, Became.GONE, code="E-EVT-GONE")
    ended = await only_change(uni)
    assert (ended.action, ended.state) == (Action.DELETE, ChangeState.DONE)
    assert await entries(uni, "ann") == {}
    assert await due(uni) == []


async def test_an_event_to_update_that_is_gone_is_made_anew_as_another_incarnation(
    uni: InstitutionLedger,
) -> None:
    change = await sent_update(uni)
    await conclude(uni, change, Became.GONE, code="E-EVT-GONE", detail="somebody removed it")
    assert await entries(uni, "ann") == {}
    (again,) = await due(uni)
    assert again.id == change.id
    assert (again.action, again.reason) == (Action.CREATE, Reason.RESTORED)
    assert (again.fingerprint, again.entry) == (2, None)
    assert again.incarnation == 2
    assert again.operation == operation_id(INSTALLATION, "uni", "ann", ALGEBRA, 2)
    assert (again.code, again.send_until) == ("E-EVT-GONE", 0)
    await deliver(uni)
    (entry,) = (await entries(uni, "ann")).values()
    assert entry == (f"event-{again.operation}", "etag-2", 2)


async def test_an_incarnation_that_was_to_be_made_anew_counts_even_if_its_change_gives_way(
    uni: InstitutionLedger,
) -> None:
    change = await sent_update(uni)
    await conclude(uni, change, Became.GONE)
    await accept(uni, create("ann", "algebra", fingerprint=7))
    (again,) = await due(uni)
    assert (again.fingerprint, again.incarnation) == (7, 2)


async def test_a_create_of_an_earlier_attempt_that_is_gone_is_made_anew(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    (change,) = await due(uni)
    await send(uni, [change])
    await conclude(uni, change, Became.GONE)
    (again,) = await due(uni)
    assert (again.action, again.incarnation, again.entry) == (Action.CREATE, 2, None)
    assert again.operation != change.operation


async def test_an_unknown_create_waits_for_a_look_and_planning_leaves_it_alone(
    uni: InstitutionLedger,
) -> None:
    await accept(uni, create("ann", "algebra"))
    (change,) = await due(uni)
    await send(uni, [change])
    await conclude(uni, change, Became.UNKNOWN, due_at=NOW + BOUND, code="E-GRAPH-LOST")
    assert await uni.changes.unsettled() == [(change.mailbox.id, change.meeting_id)]
    await accept(uni)
    assert await due(uni) == []
    (unknown,) = await due(uni, NOW + BOUND)
    assert (unknown.state, unknown.send_until) == (ChangeState.UNKNOWN, NOW + SEND_WITHIN)
    assert await entries(uni, "ann") == {}


async def test_a_renewed_etag_is_kept_and_the_change_due_at_once(uni: InstitutionLedger) -> None:
    change = await sent_update(uni)
    await conclude(uni, change, Became.RENEWED, etag='W/"9"')
    (again,) = await due(uni)
    assert again.state is ChangeState.PENDING
    assert again.entry is not None
    assert (again.entry.etag, again.entry.fingerprint) == ('W/"9"', 1)


async def test_what_is_held_waits_for_a_person_and_says_why(uni: InstitutionLedger) -> None:
    change = await sent_update(uni)
    await conclude(uni, change, Became.HELD, code="E-EVT-FOREIGN", detail="bears no mark", request_id="r-1")
    assert await due(uni, NOW + 10**9) == []
    assert await uni.changes.next_due() is None
    assert await uni.changes.unsettled() == [(change.mailbox.id, change.meeting_id)]
    (waiting,) = await uni.changes.waiting()
    assert (waiting.state, waiting.code, waiting.detail) == (
        ChangeState.HELD,
        "E-EVT-FOREIGN",
        "bears no mark",
    )
    ((held, detail, finished, request),) = await uni.changes.of_mailbox(change.mailbox.id, 1)
    assert (held.state, held.code) == (ChangeState.HELD, "E-EVT-FOREIGN")
    assert (detail, finished, request) == ("bears no mark", None, "r-1")


async def test_what_was_held_can_be_tried_again_and_a_create_is_looked_for(uni: InstitutionLedger) -> None:
    await delivered(uni)
    await accept(uni, update("ann", "algebra"), create("ann", "botany"))
    changes = await due(uni)
    await send(uni, changes)
    for change in changes:
        await conclude(uni, change, Became.HELD, code="E-HELD")
    await uni.changes.release_held(changes[0].mailbox.id)
    assert {one.action: one.state for one in await due(uni)} == {
        Action.UPDATE: ChangeState.PENDING,
        Action.CREATE: ChangeState.UNKNOWN,
    }


async def test_outcomes_of_all_kinds_are_recorded_together(uni: InstitutionLedger) -> None:
    kinds = list(Became)
    await accept(uni, *(create("ann", kind.value) for kind in kinds))
    changes = await due(uni)
    await send(uni, changes)
    told = {Became(change.meeting_key.removeprefix(f"{SOURCE}:")): change for change in changes}
    outcomes = [
        Outcome(change=change, became=became, event_id=became, etag="1", due_at=NOW)
        for became, change in told.items()
    ]
    await uni.changes.conclude(iter(outcomes), NOW, intended=True)
    number = changes[0].mailbox.id
    found = {change.id: change.state for change, *_ in await uni.changes.of_mailbox(number)}
    assert {became: found[change.id] for became, change in told.items()} == {
        Became.DONE: ChangeState.DONE,
        Became.GONE: ChangeState.PENDING,
        Became.WAITING: ChangeState.WAITING,
        Became.UNKNOWN: ChangeState.UNKNOWN,
        Became.RENEWED: ChangeState.PENDING,
        Became.SPARED: ChangeState.SUPERSEDED,
        Became.HELD: ChangeState.HELD,
    }
    assert set(await entries(uni, "ann")) == {f"{SOURCE}:done"}


async def test_open_changes_are_counted_by_state_and_reason(uni: InstitutionLedger) -> None:
    await accept(uni, *(create(person, key) for person in ("ann", "bob") for key in ("m1", "m2")))
    first, second, third, _ = await due(uni)
    await send(uni, [first, second, third])
    await conclude(uni, first, Became.WAITING, due_at=NOW + 20, code="E-GRAPH-429", detail="busy")
    await conclude(uni, second, Became.WAITING, due_at=NOW + 10, code="E-GRAPH-429", detail="busy")
    await conclude(uni, third, Became.HELD, code="E-EVT-FOREIGN")
    found = {(w.state, w.code): (w.changes, w.mailboxes, w.due_at) for w in await uni.changes.waiting()}
    boxes = len({first.mailbox.id, second.mailbox.id})
    assert found == {
        (ChangeState.HELD, "E-EVT-FOREIGN"): (1, 1, 0.0),
        (ChangeState.PENDING, ""): (1, 1, 0.0),
        (ChangeState.WAITING, "E-GRAPH-429"): (2, boxes, NOW + 10),
    }


async def test_a_mailboxs_newest_changes_come_first(uni: InstitutionLedger) -> None:
    await delivered(uni)
    await accept(uni, update("ann", "algebra"))
    await deliver(uni, NOW + 60)
    (number,) = (await uni.mailboxes.numbers()).values()
    found = await uni.changes.of_mailbox(number)
    assert [(one.action, finished) for one, _, finished, _ in found] == [
        (Action.UPDATE, NOW + 60),
        (Action.CREATE, NOW),
    ]
    assert len(await uni.changes.of_mailbox(number, 1)) == 1


async def test_many_changes_can_be_intended_and_concluded_at_once(uni: InstitutionLedger) -> None:
    await accept(uni, *(create(f"p{n}", "algebra") for n in range(1200)))
    changes = await due(uni, limit=2000)
    await uni.changes.intend([Intent(change=one, send_until=NOW) for one in changes], NOW)
    await uni.changes.conclude(
        [Outcome(change=one, became=Became.DONE, event_id=f"e{one.id}", etag="1") for one in changes],
        NOW,
        intended=True,
    )
    await uni.entries.pack(await uni.entries.stale(), 1)
    assert await uni.entries.count() == (1200, 1200)
