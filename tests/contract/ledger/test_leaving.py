"""Who is suspended, who leaves, and who is forgotten, as the ledger keeps it."""

from dataclasses import replace

import pytest
from tests.contract.ledger.books import NOW, accept, conclude, create, delete, due, send, update
from tests.contract.ledger.test_holds import found as held

from classbell.errors import HeldError, LeaseHeld
from classbell.ledger import InstitutionLedger, Ledger, Left, Sighted, Sighting, Verified
from classbell.model import Action, Became, LeaveMode, Reason, Suspended

pytestmark = pytest.mark.anyio

SOON, LATE = int(NOW) - 60, int(NOW) + 60


async def delivered(book: InstitutionLedger, *pairs: tuple[str, str, int]) -> None:
    """Person, meeting and start of events that stand there."""
    await accept(book, *(create(who, of, starts=at) for who, of, at in pairs))
    for change in await due(book):
        await send(book, [change])
        (sent,) = [c for c, *_ in await book.changes.of_mailbox(change.mailbox.id) if c.id == change.id]
        await conclude(book, sent, Became.DONE)


async def number(book: InstitutionLedger, person: str) -> int:
    return (await book.mailboxes.numbers())[person]


async def leave(book: InstitutionLedger, person: str | None, mode: LeaveMode) -> Left:
    """Let somebody leave as it was counted; what was."""
    of = None if person is None else await number(book, person)
    left = await book.leaving.look(of, mode, NOW)
    await book.leaving.accept(of, mode, left, "asked", NOW)
    return left


@pytest.fixture
async def book(uni: InstitutionLedger) -> InstitutionLedger:
    """Ada has an event of the past and two to come, Bob one to come."""
    await delivered(uni, ("ada", "m", SOON), ("ada", "n", LATE), ("ada", "o", LATE), ("bob", "m", LATE))
    return uni


@pytest.mark.parametrize(
    ("mode", "deletes"),
    [
        (LeaveMode.UNLINK_ONLY, 0),
        (LeaveMode.DELETE_FUTURE_EVENTS, 2),
        (LeaveMode.DELETE_ALL_EVENTS, 3),
        (LeaveMode.CLEANUP, 3),
    ],
)
async def test_each_mode_marks_exactly_its_events(
    book: InstitutionLedger, mode: LeaveMode, deletes: int
) -> None:
    left = await leave(book, "ada", mode)
    assert left == Left(mailboxes=1, events=3, coming=2, deletes=deletes, uncertain=0, open=0)
    assert left.after == 3 - deletes
    changes = await due(book)
    assert len(changes) == deletes
    assert {(c.action, c.reason, c.entry is not None) for c in changes} <= {
        (Action.DELETE, Reason.UNLINKED, True)
    }
    assert await book.suspensions.unlinked() == [await number(book, "ada")]


async def test_what_was_open_gives_way_but_not_a_create_of_which_nobody_knows(
    book: InstitutionLedger,
) -> None:
    await accept(book, create("ada", "p", starts=LATE))
    (unknown,) = await due(book)
    await send(book, [unknown])
    await book.changes.adrift(NOW, 600.0)
    await accept(book, update("ada", "n", starts=LATE), delete("bob", "m", starts=LATE))
    left = await leave(book, "ada", LeaveMode.DELETE_ALL_EVENTS)
    assert (left.uncertain, left.open) == (1, 1)
    ada = await number(book, "ada")
    states = {(c.meeting_key, c.action, c.state.value) for c, *_ in await book.changes.of_mailbox(ada)}
    assert {("timetable:p", Action.CREATE, "unknown"), ("timetable:n", Action.DELETE, "pending")} <= states


async def test_what_goes_with_who_leaves_counts_for_the_day(book: InstitutionLedger) -> None:
    await leave(book, "ada", LeaveMode.DELETE_ALL_EVENTS)
    for change in await due(book):
        await send(book, [change])
        (sent,) = [c for c, *_ in await book.changes.of_mailbox(change.mailbox.id) if c.id == change.id]
        await conclude(book, sent, Became.DONE)
    assert await book.holds.deleted_since(NOW - 1) == (3, 3)


async def test_a_plan_of_timetables_leaves_approved_deletes_alone(book: InstitutionLedger) -> None:
    await leave(book, "ada", LeaveMode.DELETE_ALL_EVENTS)
    await accept(book)
    assert len(await due(book)) == 3


async def test_what_has_ended_goes_as_well_if_that_was_approved(book: InstitutionLedger) -> None:
    await leave(book, "ada", LeaveMode.DELETE_ALL_EVENTS)
    await book.changes.adrift(LATE + 9000.0, 600.0)
    assert len(await due(book)) == 3


async def test_another_number_than_was_told_changes_nothing(book: InstitutionLedger) -> None:
    ada = await number(book, "ada")
    left = await book.leaving.look(ada, LeaveMode.DELETE_ALL_EVENTS, NOW)
    await delivered(book, ("ada", "p", LATE))
    with pytest.raises(HeldError, match="E-LEAVE-CHANGED"):
        await book.leaving.accept(ada, LeaveMode.DELETE_ALL_EVENTS, left, "asked", NOW)
    assert await due(book) == []
    assert await book.suspensions.all() == []


async def test_as_many_other_events_as_were_told_change_nothing(book: InstitutionLedger) -> None:
    """Another process has made one, and removed one, since they were counted."""
    ada = await number(book, "ada")
    left = await book.leaving.look(ada, LeaveMode.DELETE_ALL_EVENTS, NOW)
    await accept(book, delete("ada", "n", starts=LATE))
    (gone,) = await due(book)
    await send(book, [gone])
    (sent,) = [c for c, *_ in await book.changes.of_mailbox(ada) if c.id == gone.id]
    await conclude(book, sent, Became.DONE)
    await delivered(book, ("ada", "p", LATE))
    with pytest.raises(HeldError, match="not the same ones"):
        await book.leaving.accept(ada, LeaveMode.DELETE_ALL_EVENTS, left, "asked", NOW)
    assert await due(book) == []
    assert await book.suspensions.all() == []


async def test_who_left_before_stays_away_when_a_purged_institution_comes_back(
    book: InstitutionLedger,
) -> None:
    await leave(book, "ada", LeaveMode.UNLINK_ONLY)
    await leave(book, None, LeaveMode.CLEANUP)
    assert len(await due(book)) == 4
    assert len(await book.suspensions.unlinked()) == 2
    await book.suspensions.resume_all()
    assert [one.mailbox.key for one in await book.suspensions.all()] == ["ada"]


async def test_what_was_held_is_over_where_somebody_leaves(book: InstitutionLedger, ledger: Ledger) -> None:
    other = await ledger.institution("another")
    names = [("mailbox", "ada"), ("mailbox", "bob"), ("institution", "")]
    for uni in (book, other):
        await uni.holds.enter([held(1, scope=scope, subject=subject) for scope, subject in names], NOW)
    await leave(book, "ada", LeaveMode.UNLINK_ONLY)
    assert [hold.subject for hold in await book.holds.live()] == ["bob", ""]
    await leave(book, None, LeaveMode.CLEANUP)
    assert await book.holds.live() == []
    assert len(await other.holds.live()) == 3


async def test_what_bears_our_mark_and_is_not_provably_ours_is_counted_apart(book: InstitutionLedger) -> None:
    ada = await book.mailboxes.find("ada")
    assert ada is not None
    ((entry, _), *_) = await book.entries.of_mailbox(ada)
    kinds = [Sighted.EXTRA, Sighted.COPY, Sighted.FORGED, Sighted.DRIFTED]
    seen = [Sighting(kind=kind, event_id=kind) for kind in kinds]
    ours = Sighting(kind=Sighted.FORGED, event_id=entry.event_id, meeting_id=entry.meeting_id)
    await book.sightings.keep([Verified(mailbox=ada, sightings=[*seen, ours])], NOW)
    left = await book.leaving.look(ada.id, LeaveMode.CLEANUP, NOW)
    assert (left.events, left.strange) == (3, 3)
    assert (await book.leaving.look(None, LeaveMode.CLEANUP, NOW)).strange == 3
    assert (await book.leaving.look(await number(book, "bob"), LeaveMode.CLEANUP, NOW)).strange == 0


@pytest.mark.parametrize("kind", [Suspended.PAUSED, Suspended.CALENDAR])
async def test_who_was_stopped_before_stays_so_when_a_purged_institution_comes_back(
    book: InstitutionLedger, kind: Suspended
) -> None:
    await book.suspensions.suspend("ada", kind, "on leave", NOW, NOW + 60)
    await leave(book, None, LeaveMode.CLEANUP)
    soonest, *others = await due(book)
    await send(book, [soonest])
    assert (soonest.mailbox.key, len(others)) == ("ada", 3)
    await book.suspensions.resume_all()
    assert await due(book) == []
    (stopped,) = await book.suspensions.all()
    assert (stopped.kind, stopped.reason, stopped.until) == (kind, "on leave", NOW + 60)


async def test_only_an_institution_that_leaves_takes_what_is_approved_from_the_paused(
    book: InstitutionLedger,
) -> None:
    await leave(book, "ada", LeaveMode.DELETE_ALL_EVENTS)
    read = await due(book)
    await book.suspensions.suspend("ada", Suspended.PAUSED, "on leave", NOW)
    assert (len(read), await due(book)) == (3, [])
    assert await send(book, read) == {change.id for change in read}


async def test_who_comes_back_keeps_what_stands_there_still(book: InstitutionLedger) -> None:
    await leave(book, "ada", LeaveMode.DELETE_ALL_EVENTS)
    await leave(book, "bob", LeaveMode.DELETE_ALL_EVENTS)
    await send(book, (await due(book))[:1])
    await book.changes.adrift(NOW, 600.0)
    await book.suspensions.lift(await number(book, "ada"))
    # What became of the first one is to be settled still.
    open_still = {(c.mailbox.key, c.state.value) for c in await due(book, NOW + 700)}
    assert open_still == {("ada", "unknown"), ("bob", "pending")}


async def test_an_institution_that_comes_back_keeps_what_stands_there_still(book: InstitutionLedger) -> None:
    await leave(book, "bob", LeaveMode.DELETE_ALL_EVENTS)
    await book.suspensions.suspend("ada", Suspended.PAUSED, "on leave", NOW, NOW + 60)
    await leave(book, None, LeaveMode.CLEANUP)
    assert len(await due(book)) == 4
    await book.suspensions.resume_all()
    await book.suspensions.expire(NOW + 60)
    assert [c.mailbox.key for c in await due(book)] == ["bob"]


async def test_an_institution_that_leaves_is_paused_in_the_same_step(book: InstitutionLedger) -> None:
    await leave(book, None, LeaveMode.CLEANUP)
    paused = await book.suspensions.pause()
    assert paused is not None
    assert (paused.reason, paused.until) == ("asked", None)
    other = await book.leaving.look(None, LeaveMode.CLEANUP, NOW)
    await book.suspensions.resume_all()
    with pytest.raises(HeldError, match="E-LEAVE-CHANGED"):
        await book.leaving.accept(None, LeaveMode.CLEANUP, replace(other, deletes=9), "asked", NOW)
    assert await book.suspensions.pause() is None


async def test_of_who_has_left_nothing_goes_but_what_was_approved(book: InstitutionLedger) -> None:
    await accept(book, delete("ada", "n", starts=LATE), update("ada", "o", starts=LATE))
    read = await due(book)
    await book.suspensions.suspend("ada", Suspended.UNLINKED, "asked", NOW)
    assert await due(book) == []
    for change in read:
        with pytest.raises(LeaseHeld):
            await send(book, [change])
    await book.suspensions.expire(NOW)
    await book.suspensions.lift(await number(book, "ada"))
    assert await due(book) == []


async def test_of_the_paused_nothing_is_due_and_the_reason_is_shown(book: InstitutionLedger) -> None:
    await accept(book, update("ada", "n", starts=LATE), update("bob", "m", starts=LATE))
    await book.suspensions.suspend("ada", Suspended.PAUSED, "on leave", NOW, NOW + 60)
    assert [c.mailbox.key for c in await due(book)] == ["bob"]
    assert await book.changes.open_count() == 1
    assert {(w.code, w.detail, w.due_at) for w in await book.changes.waiting()} == {
        ("", "", 0.0),
        ("E-PAUSED", "on leave", NOW + 60),
    }
    await book.suspensions.pause_all("moving", NOW)
    assert {(w.code, w.detail) for w in await book.changes.waiting()} == {("E-PAUSED", "moving")}


async def test_no_institution_touches_people_of_another(ledger: Ledger, book: InstitutionLedger) -> None:
    other = await ledger.institution("another")
    ada = await number(book, "ada")
    assert (await other.leaving.look(ada, LeaveMode.CLEANUP, NOW)).events == 0
    with pytest.raises(HeldError, match="E-LEAVE-CHANGED"):
        await other.persons.forget(ada, "ada", await other.persons.remains(ada, NOW), NOW, NOW)
    await other.suspensions.stop(ada, "x", NOW)
    assert await book.suspensions.all() == []
    await book.suspensions.suspend("ada", Suspended.UNLINKED, "asked", NOW, NOW + 1)
    await other.suspensions.lift(ada)
    await other.suspensions.expire(NOW + 2)
    await other.suspensions.resume_all()
    assert await book.suspensions.unlinked() == [ada]
    assert await other.suspensions.unlinked() == []
    assert await other.persons.forgotten() == frozenset()
    assert other.persons.digest("ada") != book.persons.digest("ada")


async def test_a_pause_with_an_end_does_not_end_a_purge(book: InstitutionLedger) -> None:
    """Whoever comes anew to a purged institution would else be written to from then on."""
    left = await book.leaving.look(None, LeaveMode.CLEANUP, NOW)
    await book.leaving.accept(None, LeaveMode.CLEANUP, left, "purged", NOW)
    assert (await book.suspensions.pause_all("a move", NOW, NOW + 60)).until is None
    await book.suspensions.expire(NOW + 100)
    held = await book.suspensions.pause()
    assert held is not None
    assert held.reason == "purged"
