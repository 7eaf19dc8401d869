"""Mailboxes: first contact, calendars of our own, and those to which nothing is delivered for now."""

import pytest
from msgspec.structs import replace
from tests.contract.ledger.books import FORM, NOW, accept, conclude, create, deliver, due, send, update

from classbell.ledger import InstitutionLedger, Intended
from classbell.model import Became, ChangeState, Mailbox, Suspended

pytestmark = pytest.mark.anyio

GONE = "E-MBX-404"
DAY = 86_400.0


async def box(book: InstitutionLedger, person: str) -> Mailbox:
    found = await book.mailboxes.find(person)
    assert found is not None
    return found


async def test_a_mailbox_is_found_by_its_key(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    found = await box(uni, "ann")
    assert (found.key, found.address, found.contacted) == ("ann", "ann", False)
    assert await uni.mailboxes.numbers() == {"ann": found.id}
    assert await uni.mailboxes.find("bob") is None


async def test_first_contact_is_remembered(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("bob", "algebra"))
    await uni.mailboxes.contacted([(await box(uni, "ann")).id], NOW, FORM)
    assert (await box(uni, "ann")).contacted
    assert not (await box(uni, "bob")).contacted
    assert {one.mailbox.key: one.mailbox.contacted for one in await due(uni)} == {"ann": True, "bob": False}
    await uni.mailboxes.contacted([], NOW, FORM)


async def test_calendars_of_ours_are_remembered_by_mailbox_and_name(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("bob", "algebra"))
    ann, bob = (await box(uni, "ann")).id, (await box(uni, "bob")).id
    await uni.calendars.keep((ann, "Classes"), "A1")
    await uni.calendars.keep((ann, "Exams"), "A2")
    await uni.calendars.keep((bob, "Classes"), "B1")
    await uni.calendars.keep((ann, "Classes"), "A3")
    assert await uni.calendars.known([ann]) == {(ann, "Classes"): "A3", (ann, "Exams"): "A2"}
    assert await uni.calendars.known([ann, bob, 99]) == {
        (ann, "Classes"): "A3",
        (ann, "Exams"): "A2",
        (bob, "Classes"): "B1",
    }
    assert await uni.calendars.known([]) == {}


async def test_a_calendar_that_was_asked_for_is_uncertain_until_it_is_there_or_certainly_not(
    uni: InstitutionLedger,
) -> None:
    await accept(uni, create("ann", "algebra"), create("bob", "algebra"), create("cid", "algebra"))
    ann, bob, cid = (replace(one, calendar="Classes") for one in await due(uni))
    await uni.suspensions.suspend("cid", Suspended.PAUSED, "exams", NOW)

    async def intend(listed: float) -> Intended:
        return await uni.calendars.intend([(one, listed) for one in (ann, bob, cid)], listed + 60)

    assert await intend(NOW) == Intended(going={ann.id, bob.id})
    assert await intend(NOW + 59) == Intended(uncertain={ann.id, bob.id})
    assert await intend(NOW + 60) == Intended(going={ann.id, bob.id})
    await uni.calendars.keep((ann.mailbox.id, "Classes"), "A1")
    assert await intend(NOW + 61) == Intended(going={ann.id}, uncertain={bob.id})
    await uni.calendars.withdraw([(bob.mailbox.id, "Classes")])
    assert await intend(NOW + 62) == Intended(going={bob.id}, uncertain={ann.id})
    assert await uni.calendars.known([ann.mailbox.id, bob.mailbox.id]) == {(ann.mailbox.id, "Classes"): "A1"}


async def test_more_mailboxes_than_one_statement_can_name_are_no_trouble(uni: InstitutionLedger) -> None:
    await accept(uni, *(create(f"p{n}", "algebra") for n in range(1000)))
    numbers = list((await uni.mailboxes.numbers()).values())
    for number in numbers[::400]:
        await uni.calendars.keep((number, "Classes"), f"C{number}")
    wanted = [*range(-40_000, 0), *numbers]
    assert {box for box, _ in await uni.calendars.known(wanted)} == set(numbers[::400])


async def test_changes_of_a_mailbox_that_is_out_wait_with_its_reason(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("ann", "botany"), create("bob", "algebra"))
    ann = await box(uni, "ann")
    await uni.mailboxes.put_out(ann.id, GONE, "no such mailbox", NOW + DAY)
    (out,) = await uni.mailboxes.out()
    assert (out.mailbox, out.code, out.detail, out.retry_at) == (ann, GONE, "no such mailbox", NOW + DAY)
    assert {one.mailbox.key for one in await due(uni)} == {"bob"}
    assert {one.code for one in await due(uni, NOW + DAY) if one.mailbox.key == "ann"} == {GONE}
    assert len(await due(uni, NOW + DAY)) == 3


async def test_a_mailbox_that_is_in_again_makes_due_what_waited_for_it_and_nothing_else(
    uni: InstitutionLedger,
) -> None:
    await accept(uni, create("ann", "algebra"), create("ann", "botany"))
    ann = await box(uni, "ann")
    algebra, _ = await due(uni)
    await send(uni, [algebra])
    await conclude(uni, algebra, Became.WAITING, due_at=NOW + 2 * DAY, code="E-EVT-REJECTED")
    await uni.mailboxes.put_out(ann.id, GONE, "no such mailbox", NOW + DAY)
    await uni.mailboxes.put_in(ann.id)
    assert await uni.mailboxes.out() == []
    (botany,) = await due(uni)
    assert (botany.state, botany.code) == (ChangeState.PENDING, "")
    (still,) = [one for one in await due(uni, NOW + 2 * DAY) if one.id == algebra.id]
    assert still.code == "E-EVT-REJECTED"


async def test_what_is_sent_unknown_or_held_does_not_wait_for_its_mailbox(uni: InstitutionLedger) -> None:
    await accept(uni, *(create("ann", key) for key in ("m1", "m2", "m3")))
    sent, unknown, held = await due(uni)
    await send(uni, [sent, unknown, held])
    await conclude(uni, unknown, Became.UNKNOWN, due_at=NOW + 1, code="E-GRAPH-LOST")
    await conclude(uni, held, Became.HELD, code="E-EVT-FOREIGN")
    ann = await box(uni, "ann")
    await uni.mailboxes.put_out(ann.id, GONE, "no such mailbox", NOW + DAY)
    await uni.changes.postpone(ann.id, "E-CODE", "why", NOW + DAY)
    assert {one.id: one.state for one, *_ in await uni.changes.of_mailbox(ann.id)} == {
        sent.id: ChangeState.SENT,
        unknown.id: ChangeState.UNKNOWN,
        held.id: ChangeState.HELD,
    }
    assert [one.id for one in await due(uni, NOW + 1)] == [unknown.id]


async def test_a_mailbox_that_was_never_out_can_be_put_in(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    (change,) = await due(uni)
    await send(uni, [change])
    await conclude(uni, change, Became.WAITING, due_at=NOW + DAY)
    await uni.mailboxes.put_in((await box(uni, "ann")).id)
    await uni.mailboxes.put_in(12345)
    assert await due(uni) == []


async def test_changes_can_be_postponed_and_released_by_their_reason(uni: InstitutionLedger) -> None:
    await accept(uni, *(create(person, "algebra") for person in ("ann", "bob", "cid")))
    for person, code in (("ann", "E-ONE"), ("bob", "E-TWO"), ("cid", "E-ONE")):
        await uni.changes.postpone((await box(uni, person)).id, code, "why", NOW + DAY)
    assert await due(uni) == []
    numbers = [(await box(uni, person)).id for person in ("ann", "bob")]
    await uni.changes.release("E-ONE", numbers)
    assert {one.mailbox.key for one in await due(uni)} == {"ann"}
    await uni.changes.release("E-ONE", [])


async def test_what_waits_longer_for_a_reason_of_its_own_is_not_postponed_to_an_earlier_time(
    uni: InstitutionLedger,
) -> None:
    await accept(uni, create("ann", "algebra"))
    await deliver(uni)
    await accept(uni, update("ann", "algebra"))
    (change,) = await due(uni)
    await send(uni, [change])
    await conclude(uni, change, Became.WAITING, due_at=NOW + DAY, code="E-EVT-REJECTED")
    await uni.changes.postpone(change.mailbox.id, "E-GRAPH-429", "busy", NOW + 60)
    (still,) = await due(uni, NOW + DAY)
    assert still.code == "E-EVT-REJECTED"
    assert await due(uni, NOW + 60) == []


async def test_whether_others_were_served_is_known(uni: InstitutionLedger) -> None:
    await accept(uni, *(create(person, "algebra") for person in ("ann", "bob", "cid")))
    ann, bob, cid = [(await box(uni, person)).id for person in ("ann", "bob", "cid")]
    assert not await uni.mailboxes.served_beside([], "E-MBX-DENIED")
    await uni.mailboxes.contacted([ann, bob], NOW, FORM)
    assert await uni.mailboxes.served_beside([ann, cid], "E-MBX-DENIED")
    assert not await uni.mailboxes.served_beside([ann, bob], "E-MBX-DENIED")
    await uni.mailboxes.put_out(bob, "E-MBX-DENIED", "no", NOW + DAY)
    assert not await uni.mailboxes.served_beside([ann], "E-MBX-DENIED")


async def test_a_mailbox_that_was_only_ever_paused_is_none_once_it_is_resumed(uni: InstitutionLedger) -> None:
    await accept(uni, create("ada", "algebra"))
    for name in ("ada", "adda"):
        await uni.suspensions.suspend(name, Suspended.PAUSED, "on leave", NOW)
    numbers = await uni.mailboxes.numbers()
    assert set(numbers) == {"ada", "adda"}
    for number in numbers.values():
        await uni.suspensions.lift(number, Suspended.PAUSED)
    assert set(await uni.mailboxes.numbers()) == {"ada", "adda"}
    for number in numbers.values():
        await uni.suspensions.lift(number)
    assert set(await uni.mailboxes.numbers()) == {"ada"}
