"""Sightings: what was seen in mailboxes, and when it is out of date."""

from dataclasses import replace

import pytest
from tests.contract.ledger.books import FORM, NOW, accept, create, delete, deliver, due, send, update

from classbell.ledger import (
    NEVER,
    Extra,
    InstitutionLedger,
    Ledger,
    RebuiltMailbox,
    Sighted,
    Sighting,
    Standing,
    Verified,
    times_made,
)
from classbell.model import Entry, Mailbox

pytestmark = pytest.mark.anyio


async def box(book: InstitutionLedger, person: str = "ann") -> Mailbox:
    found = await book.mailboxes.find(person)
    assert found is not None
    return found


async def entry(book: InstitutionLedger, person: str = "ann") -> Entry:
    ((found, _),) = await book.entries.of_mailbox(await box(book, person))
    return found


@pytest.fixture
async def delivered(uni: InstitutionLedger) -> InstitutionLedger:
    """Ann has algebra."""
    await accept(uni, create("ann", "algebra"))
    await deliver(uni)
    return uni


def drifted(known: Entry, etag: str) -> Verified:
    seen = Sighting(
        kind=Sighted.DRIFTED,
        event_id=known.event_id,
        meeting_id=known.meeting_id,
        etag=etag,
        detail="title",
    )
    return Verified(mailbox=known.mailbox, renewed=[(known, etag)], sightings=[seen])


def missing(known: Entry) -> Verified:
    seen = Sighting(kind=Sighted.MISSING, event_id=known.event_id, meeting_id=known.meeting_id)
    return Verified(mailbox=known.mailbox, missing=[known], sightings=[seen])


async def test_what_drifted_is_known_under_its_new_etag_until_it_is_written(
    delivered: InstitutionLedger,
) -> None:
    known = await entry(delivered)
    await delivered.sightings.keep([drifted(known, "etag-new")], NOW)
    assert await delivered.sightings.drifted() == [(known.mailbox.id, known.meeting_id)]
    assert (await entry(delivered)).etag == "etag-new"
    assert [seen.detail for seen in await delivered.sightings.of_mailbox(known.mailbox.id)] == ["title"]
    await accept(delivered, update("ann", "algebra", fingerprint=7))
    await deliver(delivered)
    assert await delivered.sightings.drifted() == []
    assert await delivered.sightings.of_mailbox(known.mailbox.id) == []


async def test_what_is_missing_is_struck_and_made_again_as_another_one(delivered: InstitutionLedger) -> None:
    known = await entry(delivered)
    await delivered.sightings.keep([missing(known)], NOW)
    assert await delivered.entries.of_mailbox(known.mailbox) == []
    assert await delivered.entries.stale() == [known.mailbox.id]
    assert await delivered.sightings.missing() == [(known.mailbox.id, known.meeting_id)]
    # To look again shows nothing of it, and does not make it forgotten.
    await delivered.sightings.keep([Verified(mailbox=known.mailbox)], NOW)
    assert await delivered.sightings.missing() == [(known.mailbox.id, known.meeting_id)]
    await accept(delivered, create("ann", "algebra"))
    await deliver(delivered)
    assert (await entry(delivered)).incarnation == 2
    assert await delivered.sightings.missing() == []
    await delivered.sightings.keep([Verified(mailbox=known.mailbox)], NOW)
    assert await delivered.sightings.of_mailbox(known.mailbox.id) == []


async def test_an_entry_that_was_written_since_it_was_read_is_left_as_it_is(
    delivered: InstitutionLedger,
) -> None:
    known = await entry(delivered)
    await accept(delivered, update("ann", "algebra", fingerprint=7))
    await deliver(delivered)
    now = await entry(delivered)
    await delivered.sightings.keep([missing(known)], NOW)
    assert await entry(delivered) == now
    await delivered.sightings.keep([drifted(known, "etag-new")], NOW)
    assert await entry(delivered) == now
    assert await delivered.sightings.drifted() == []


async def test_an_event_that_nobody_can_prove_blocks_its_pair_while_there_is_no_entry(
    uni: InstitutionLedger,
) -> None:
    await accept(uni, create("ann", "algebra"))
    ann, numbers = await box(uni), await uni.meetings.numbers()
    meeting = numbers["timetable", "algebra"]
    extra = Sighting(kind=Sighted.EXTRA, event_id="E1", meeting_id=meeting)
    copy = Sighting(kind=Sighted.COPY, event_id="E2", meeting_id=meeting)
    await uni.sightings.keep([Verified(mailbox=ann, sightings=[extra, copy])], NOW)
    assert await uni.sightings.blocking() == [(ann.id, meeting)]
    assert {seen.event_id for seen in await uni.sightings.of_mailbox(ann.id)} == {"E1", "E2"}
    await deliver(uni)
    assert await uni.sightings.blocking() == []
    await uni.sightings.keep([Verified(mailbox=ann)], NOW)
    assert await uni.sightings.of_mailbox(ann.id) == []


async def test_a_plan_of_before_makes_nothing_where_one_was_found_meanwhile(uni: InstitutionLedger) -> None:
    """As by a rebuild at work beside it: its plan did not know."""
    await accept(uni, create("ann", "botany"))
    await deliver(uni)
    await accept(uni, create("ann", "algebra"))
    ann, numbers = await box(uni), await uni.meetings.numbers()
    extra = Sighting(kind=Sighted.EXTRA, event_id="E1", meeting_id=numbers["timetable", "algebra"])
    copy = Sighting(kind=Sighted.COPY, event_id="E2", meeting_id=numbers["timetable", "botany"])
    await accept(uni)
    await uni.sightings.keep([Verified(mailbox=ann, sightings=[extra, copy])], NOW)
    accepted = await accept(uni, create("ann", "algebra"), create("ann", "chemistry"))
    assert accepted.new == 1
    assert [one.meeting_key for one in await due(uni)] == ["timetable:chemistry"]


async def test_events_that_nobody_can_prove_are_told_with_their_times_while_there_is_no_entry(
    ledger: Ledger, uni: InstitutionLedger
) -> None:
    await accept(uni, create("ann", "algebra"))
    ann, numbers = await box(uni), await uni.meetings.numbers()
    meeting = numbers["timetable", "algebra"]
    two = [
        Sighting(kind=Sighted.EXTRA, event_id=name, meeting_id=meeting, starts_at=60, ends_at=120)
        for name in ("E1", "E2")
    ]
    others = [
        Sighting(kind=Sighted.EXTRA, event_id="E3"),
        Sighting(kind=Sighted.COPY, event_id="E4", starts_at=60),
    ]
    await uni.sightings.keep([Verified(mailbox=ann, sightings=[*two, *others])], NOW)
    known = Extra(mailbox_id=ann.id, meeting_id=meeting, starts_at=60, ends_at=120)
    strange = Extra(mailbox_id=ann.id, meeting_id=None, starts_at=0, ends_at=0)
    assert await uni.sightings.extras() in ([known, strange], [strange, known])
    assert await (await ledger.institution("another")).sightings.extras() == []
    await deliver(uni)
    assert await uni.sightings.extras() == [strange]


async def test_the_mailbox_that_was_not_read_back_for_longest_comes_first(uni: InstitutionLedger) -> None:
    await accept(uni, *(create(name, "algebra") for name in ("ann", "bob", "cleo")))
    await deliver(uni)
    ann, bob, cleo = [await box(uni, name) for name in ("ann", "bob", "cleo")]
    await uni.sightings.keep([Verified(mailbox=bob)], NOW)
    await uni.sightings.keep([Verified(mailbox=ann)], NOW + 1)
    assert await uni.sightings.longest_unseen(2) == [cleo, bob]
    assert await uni.sightings.mailboxes(2) == [ann, bob]
    assert await uni.sightings.mailboxes(2, after=bob.id) == [cleo]
    assert await uni.sightings.count_mailboxes() == 3


async def test_one_institution_keeps_nothing_of_anothers_mailboxes(
    ledger: Ledger, delivered: InstitutionLedger
) -> None:
    other = await ledger.institution("other")
    known = await entry(delivered)
    await other.sightings.keep([missing(known)], NOW)
    assert await entry(delivered) == known
    await delivered.sightings.keep([drifted(known, "etag-new")], NOW)
    assert await other.sightings.drifted() == []
    assert await other.sightings.of_mailbox(known.mailbox.id) == []
    assert await other.sightings.mailboxes(10) == []
    assert await other.sightings.longest_unseen(10) == []


async def test_what_a_rebuild_has_seen_stays_the_highest_incarnation(delivered: InstitutionLedger) -> None:
    known = await entry(delivered)
    await delivered.mailboxes.contacted([known.mailbox.id], NOW, FORM)
    standing = Standing(
        meeting_key=known.meeting_key,
        event_id=known.event_id,
        etag=known.etag,
        fingerprint=known.fingerprint,
        starts_at=known.starts_at,
        ends_at=known.ends_at,
        incarnation=1,
        operation=known.operation,
    )
    had = {known.event_id: known.etag}
    seen = RebuiltMailbox(
        mailbox=known.mailbox, known=had, standing=[standing], incarnations={known.meeting_key: 4}
    )
    await delivered.rebuilding.keep([seen], NOW)
    assert (await entry(delivered)).operation == known.operation
    await accept(delivered, delete("ann", "algebra"))
    await deliver(delivered)
    await accept(delivered, create("ann", "algebra"))
    assert [change.incarnation for change in await due(delivered)] == [5]


@pytest.mark.parametrize("sent", [True, False])
async def test_what_a_rebuild_misses_we_have_deleted_if_we_were_about_to_and_else_its_owner(
    delivered: InstitutionLedger, *, sent: bool
) -> None:
    known = await entry(delivered)
    await delivered.mailboxes.contacted([known.mailbox.id], NOW, FORM)
    accepted = await accept(delivered, delete("ann", "algebra"))
    if sent:
        # Its answer was lost.
        await send(delivered, await due(delivered))
    had = {known.event_id: known.etag}
    seen = RebuiltMailbox(mailbox=known.mailbox, known=had, standing=[], incarnations={known.meeting_key: 1})
    await delivered.rebuilding.keep([seen], NOW + 900)
    gone = await delivered.restoring.deleted(accepted.run_id, None)
    assert [one.fingerprint for one in gone] == [known.fingerprint] * sent
    assert len(await delivered.wishes.of_mailbox(known.mailbox.id)) == (not sent)
    assert await due(delivered, NOW + 90_000) == []


async def test_after_a_loss_every_incarnation_is_higher_than_any_that_was_given_before(
    ledger: Ledger, delivered: InstitutionLedger
) -> None:
    """Also of what no mark tells of any more; not of another institution, which has lost nothing."""
    other = await ledger.institution("other")
    known = await entry(delivered)
    had = {known.event_id: known.etag}
    given = []
    for hours in (1, 3):
        seen = RebuiltMailbox(
            mailbox=known.mailbox, known=had, standing=[], incarnations={known.meeting_key: 4}
        )
        had = {}
        assert await delivered.rebuilding.keep([seen], NOW + hours * 3600) == set()
        await accept(delivered, create(f"bob {hours}", "geometry"))
        (change,) = await due(delivered)
        given.append((change.incarnation, times_made(change.incarnation)))
        await ledger.doubt(100 * hours, 0.0)
    assert 4 < given[0][0] < given[1][0]
    assert [times for _, times in given] == [1, 1]
    await accept(other, create("zoe", "algebra"))
    assert [change.incarnation for change in await due(other)] == [1]


async def test_in_doubt_nothing_is_due_anywhere_until_it_is_rebuilt(
    ledger: Ledger, delivered: InstitutionLedger
) -> None:
    other = await ledger.institution("other")
    await accept(other, create("zoe", "algebra"))
    await accept(delivered, update("ann", "algebra", fingerprint=7), create("ann", "sets"))
    await send(delivered, [change for change in await due(delivered) if change.fingerprint == 1])
    revision = await ledger.revision()
    assert await ledger.doubt(revision + 5, 0.0) == revision + 6
    for book, person in ((delivered, "ann"), (other, "zoe")):
        await book.changes.adrift(NOW, 600.0)
        assert await due(book, NOW + 90_000.0) == []
        assert not (await box(book, person)).contacted
        assert [out.code for out in await book.mailboxes.out()] == ["E-LEDGER-LOST"]
        assert [one.contacted for one in await book.rebuilding.mailboxes(10)] == [False]
    # Nor does anything else that is wrong there end it, or that somebody is in a hurry.
    zoe = (await box(other, "zoe")).id
    await other.mailboxes.put_out(zoe, "E-GRAPH-429", "not so fast", NOW + 600.0)
    await other.mailboxes.put_out(zoe, "E-MBX-GONE", "no such mailbox", NOW)
    await other.mailboxes.put_in(zoe)
    (out,) = await other.mailboxes.out()
    assert (out.code, out.retry_at, out.quiet_until) == ("E-LEDGER-LOST", NEVER, NOW + 600.0)
    # What is planned meanwhile waits as well.
    await accept(other, create("zoe", "algebra"), create("zoe", "sets"))
    assert await due(other, NOW + 90_000.0) == []
    await other.rebuilding.keep(
        [RebuiltMailbox(mailbox=await box(other, "zoe"), known={}, standing=[], incarnations={})], NOW
    )
    assert await other.mailboxes.out() == []
    assert (await box(other, "zoe")).contacted
    await accept(other, create("zoe", "algebra"))
    assert len(await due(other)) == 1
    assert await due(delivered, NOW + 90_000.0) == []


async def test_what_was_recorded_since_a_rebuild_looked_is_not_taken_for_gone(
    delivered: InstitutionLedger,
) -> None:
    known = await entry(delivered)
    seen = RebuiltMailbox(mailbox=known.mailbox, known={}, standing=[], incarnations={})
    for had in ({}, {known.event_id: "another version"}):
        assert await delivered.rebuilding.keep([replace(seen, known=had)], NOW) == {known.mailbox.id}
        assert await entry(delivered) == known
    assert await delivered.rebuilding.keep([replace(seen, known={known.event_id: known.etag})], NOW) == set()
    assert await delivered.wishes.of_mailbox(known.mailbox.id) == []


async def test_an_institution_rebuilds_no_mailbox_of_another(
    ledger: Ledger, delivered: InstitutionLedger
) -> None:
    other = await ledger.institution("other")
    known = await entry(delivered)
    await other.rebuilding.keep(
        [RebuiltMailbox(mailbox=known.mailbox, known={}, standing=[], incarnations={})], NOW
    )
    assert await entry(delivered) == known
    assert await other.rebuilding.mailboxes(10) == []


@pytest.mark.parametrize(("code", "peace"), [("E-GRAPH-429", 600.0), ("E-MBX-GONE", 0.0)])
async def test_who_asked_for_peace_before_is_not_asked_by_a_rebuild_either(
    ledger: Ledger, delivered: InstitutionLedger, code: str, peace: float
) -> None:
    ann = (await box(delivered, "ann")).id
    await delivered.mailboxes.put_out(ann, code, "not now", NOW + 600.0)
    for _ in range(2):
        await ledger.doubt(await ledger.revision() + 5, 0.0)
    (out,) = await delivered.mailboxes.out()
    assert (out.code, out.retry_at, out.quiet_until) == ("E-LEDGER-LOST", NEVER, peace and NOW + peace)
