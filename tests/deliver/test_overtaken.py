"""A database that was put back together with its witness looks sound: marks of a newer ledger tell that it is not."""

import math
import shutil

import pytest
from tests.deliver.stage import BOUND, INSTALLATION, INSTITUTION, SEND_WITHIN, Stage, lecture, member

from classbell.errors import HeldError
from classbell.verify import Owner, Verdict, Verification, rebuild_mailboxes

pytestmark = pytest.mark.anyio

OWNER = Owner(installation=INSTALLATION, institution=INSTITUTION)
PEOPLE = ("ada", "bob", "cyd")


async def delivered_by_a_newer_one(stage: Stage, people: tuple[str, ...] = PEOPLE) -> None:
    """Everybody has an event; then some got another, and the ledger of before was put back."""
    for name in PEOPLE:
        stage.mailbox(name)
        stage.timetable[name] = [lecture("Algebra")]
    await stage.run()
    ledger = stage.folder / "ledger.db"
    shutil.copy(ledger, stage.folder / "of-before.db")
    for name in people:
        stage.timetable[name] = [lecture("Algebra"), lecture("Sets", day=12)]
    stage.clock.pass_time(3600.0)
    await stage.run()
    for file in stage.folder.glob("ledger.db*"):
        file.unlink()
    shutil.copy(stage.folder / "of-before.db", ledger)
    stage.clock.pass_time(3600.0)


async def verify(stage: Stage) -> Verdict:
    async with stage.ledger() as book:
        return await Verification(
            book, stage.access(), stage.clock, owner=OWNER, bound=BOUND, timezone="UTC"
        ).all()


@pytest.mark.stands_on("lookup_lag")
async def test_reading_back_holds_everything_where_a_newer_ledger_was_at_work(stage: Stage) -> None:
    stage.sandbox.switches.transaction_memory = 0.0
    await delivered_by_a_newer_one(stage)
    with pytest.raises(HeldError) as refused:
        await verify(stage)
    assert refused.value.code == "E-LEDGER-OLD"
    await stage.run()
    for name in PEOPLE:
        assert stage.shown(name) == stage.wanted(name), "nothing was made twice"
    assert set((await stage.why_open()).values()) == {("waiting", "E-LEDGER-LOST")}


async def test_one_mailbox_is_held_alone_for_anybody_may_write_a_mark_into_their_own(stage: Stage) -> None:
    await delivered_by_a_newer_one(stage, ("bob",))
    verdict = await verify(stage)
    assert [(one.mailbox.key, one.code) for one in verdict.unread] == [
        (stage.address("bob"), "E-LEDGER-LOST")
    ]
    stage.timetable["ada"].append(lecture("Logic", day=13))
    await stage.run()
    assert stage.shown("ada") == stage.wanted("ada")
    assert stage.shown("bob") == stage.wanted("bob"), "nothing was made twice"
    assert set((await stage.why_open()).values()) == {("waiting", "E-LEDGER-LOST")}


@pytest.mark.stands_on("lookup_lag")
@pytest.mark.needs("transaction_id")
async def test_a_delivery_that_meets_events_of_a_newer_ledger_ends_and_holds_everything(stage: Stage) -> None:
    stage.sandbox.switches.transaction_memory = math.inf
    await delivered_by_a_newer_one(stage)
    with pytest.raises(HeldError) as refused:
        # The service knows the transactions, so that a look is due once the bound is over.
        await stage.run(patience=2 * BOUND)
    assert refused.value.code == "E-LEDGER-OLD"
    await stage.run()
    for name in PEOPLE:
        assert stage.shown(name) == stage.wanted(name)
    assert {code for _, code in (await stage.why_open()).values()} == {"E-LEDGER-LOST"}


async def test_what_another_process_has_made_since_is_no_newer_ledgers(stage: Stage) -> None:
    """Whoever woke up late delivers under an older revision than what stands there by now."""
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Algebra")]
    async with stage.ledger() as book:
        late = stage.delivery(book, revision=await stage.accept(book))
        stage.timetable["ada"] = [lecture("Algebra"), lecture("Sets", day=12)]
        await stage.run()
        await late.run()
    verdict = await verify(stage)
    assert (verdict.read, verdict.unread) == (1, [])
    await stage.assert_true()


async def deleted_unheard(stage: Stage) -> str:
    """Ada has deleted what was made, which the service remembers and nobody heard of: its id."""
    stage.sandbox.switches.transaction_memory = math.inf
    stage.sandbox.switches.transaction_of_deleted = "duplicate"
    stage.timetable["ada"] = [lecture("Logic")]
    stage.sandbox.faults.add(member("POST"), "drop-after")
    await stage.run()
    event = stage.our_event("ada", "Logic")
    stage.mailbox("ada").delete_event(event)
    return event


@pytest.mark.stands_on("transaction_memory", "transaction_of_deleted")
@pytest.mark.needs("transaction_id")
async def test_what_this_one_asked_for_before_it_was_rebuilt_is_no_newer_ledgers(stage: Stage) -> None:
    """Its answer was lost, and its owner had put it into Deleted Items for a while."""
    ada = stage.mailbox("ada")
    event = await deleted_unheard(stage)
    async with stage.ledger() as book:
        box = await book.mailboxes.find(stage.address("ada"))
        assert box is not None
        await rebuild_mailboxes(
            book, stage.access(), stage.clock, [box], owner=OWNER, bound=BOUND, timezone="UTC"
        )
    await stage.run()
    ada.restore_event(event)
    stage.clock.pass_time(BOUND + SEND_WITHIN)
    await stage.run()
    assert await stage.why_open() == {}
    assert stage.our_event("ada", "Logic") == event
    await stage.assert_true()


@pytest.mark.stands_on("transaction_memory", "transaction_of_deleted")
@pytest.mark.needs("transaction_id")
async def test_what_was_asked_for_before_the_meeting_changed_never_passes_for_the_present_version(
    stage: Stage,
) -> None:
    """Sent again it was refused, another version took its place, and then its owner took the old one back."""
    ada = stage.mailbox("ada")
    event = await deleted_unheard(stage)
    stage.clock.pass_time(BOUND + SEND_WITHIN)
    stage.sandbox.faults.add(member("POST"), "400-before")
    await stage.run()
    stage.timetable["ada"] = [lecture("Logic", place="C1")]
    await stage.run()
    ada.restore_event(event)
    stage.clock.pass_time(BOUND + SEND_WITHIN)
    await stage.run()
    assert await stage.why_open() == {("ada", "Logic"): ("unknown", "E-LEDGER-LOST")}
