"""Accepting plans: what becomes of fresh keys, of open changes, and of incarnations."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.ledger.books import (
    HUGE,
    INSTALLATION,
    NOW,
    SOURCE,
    Wish,
    accept,
    conclude,
    create,
    delete,
    deliver,
    due,
    entries,
    send,
    update,
)

from classbell.ledger import InstitutionLedger, Ledger
from classbell.model import Action, Became, Change, ChangeState, Reason
from classbell.operations import operation_id

pytestmark = pytest.mark.anyio


def told(changes: list[Change]) -> set[tuple[str, str, Action, int]]:
    """Changes in words."""
    return {(one.mailbox.key, one.meeting_key, one.action, one.fingerprint) for one in changes}


async def states(book: InstitutionLedger, person: str) -> list[tuple[Action, ChangeState, int]]:
    """All that is left of a mailbox's changes, oldest first."""
    owner = await book.mailboxes.find(person)
    assert owner is not None
    found = await book.changes.of_mailbox(owner.id)
    return [(change.action, change.state, change.fingerprint) for change, *_ in reversed(found)]


async def test_fresh_keys_receive_lasting_numbers_and_keep_them(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("bob", "botany"), create("bob", "algebra"))
    mailboxes, meetings = await uni.mailboxes.numbers(), await uni.meetings.numbers()
    assert set(mailboxes) == {"ann", "bob"}
    assert set(meetings) == {(SOURCE, "algebra"), (SOURCE, "botany")}
    await accept(uni, create("ann", "algebra"), create("cid", "chemistry"), create("bob", "algebra"))
    assert mailboxes.items() <= (await uni.mailboxes.numbers()).items()
    assert meetings.items() <= (await uni.meetings.numbers()).items()
    assert told(await due(uni)) == {
        ("ann", f"{SOURCE}:algebra", Action.CREATE, 1),
        ("bob", f"{SOURCE}:algebra", Action.CREATE, 1),
        ("cid", f"{SOURCE}:chemistry", Action.CREATE, 1),
    }


async def test_equal_keys_of_two_sources_are_two_meetings(uni: InstitutionLedger) -> None:
    other = Wish(person="ann", meeting="1", source="exams")
    await accept(uni, create("ann", "1"), other, read=(SOURCE, "exams"))
    assert {one.meeting_key for one in await due(uni)} == {f"{SOURCE}:1", "exams:1"}


async def test_many_fresh_keys_at_once_are_not_too_many(uni: InstitutionLedger) -> None:
    wishes = [create(f"p{n}", f"m{n}") for n in range(2100)]
    assert (await accept(uni, *wishes)).new == 2100
    assert (await accept(uni, *wishes)).kept == 2100
    assert await uni.changes.open_count() == 2100


async def test_a_change_says_all_that_was_planned(uni: InstitutionLedger) -> None:
    wish = create("ann", "algebra", fingerprint=HUGE, starts=5000, calendar="Classes")
    await accept(uni, wish)
    (change,) = await due(uni)
    assert (change.mailbox.key, change.mailbox.address) == ("ann", "ann")
    assert not change.mailbox.contacted
    assert (change.action, change.reason) == (Action.CREATE, Reason.NEW_MEETING)
    assert change.fingerprint == HUGE
    assert (change.starts_at, change.ends_at) == (5000, 5100)
    assert change.calendar == "Classes"
    assert change.incarnation == 1
    assert change.operation == operation_id(INSTALLATION, "uni", "ann", f"{SOURCE}:algebra", 1)
    assert (change.entry, change.attempts, change.send_until) == (None, 0, 0)


async def test_the_revision_grows_with_each_plan_even_an_empty_one(
    ledger: Ledger, uni: InstitutionLedger
) -> None:
    revisions = [(await accept(uni)).revision for _ in range(3)]
    assert revisions == [1, 2, 3]
    assert await ledger.revision() == 3
    assert len(await uni.runs.last(10)) == 3


async def test_an_open_change_that_is_planned_again_alike_is_kept(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("bob", "botany"))
    before = {change.id for change in await due(uni)}
    accepted = await accept(uni, create("ann", "algebra"), create("bob", "botany"), create("ann", "botany"))
    assert (accepted.new, accepted.kept) == (1, 2)
    assert before < {change.id for change in await due(uni)}


@pytest.mark.parametrize(
    "later",
    [
        create("ann", "algebra", fingerprint=2),
        create("ann", "algebra", calendar="Classes"),
        create("ann", "algebra", fingerprint=HUGE),
    ],
)
async def test_an_open_create_gives_way_to_another_wish_for_the_same_pair(
    uni: InstitutionLedger, later: Wish
) -> None:
    await accept(uni, create("ann", "algebra"))
    accepted = await accept(uni, later)
    assert (accepted.new, accepted.kept) == (1, 0)
    (change,) = await due(uni)
    assert (change.fingerprint, change.calendar) == (later.fingerprint, later.calendar)


async def test_an_open_change_that_is_no_longer_wanted_gives_way(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("ann", "botany"))
    await accept(uni, create("ann", "botany"))
    assert {one.meeting_key for one in await due(uni)} == {f"{SOURCE}:botany"}


async def test_an_open_delete_gives_way_once_the_meeting_is_back(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    await deliver(uni)
    await accept(uni, delete("ann", "algebra"))
    await accept(uni)
    assert await due(uni) == []
    assert set(await entries(uni, "ann")) == {f"{SOURCE}:algebra"}


async def test_what_was_tried_before_it_gave_way_stays_to_be_looked_up(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("ann", "botany"))
    algebra, _ = await due(uni)
    await send(uni, [algebra])
    await conclude(uni, algebra, Became.WAITING, due_at=NOW, code="E-EVT-REJECTED")
    await accept(uni, create("ann", "algebra", fingerprint=2))
    assert await states(uni, "ann") == [
        (Action.CREATE, ChangeState.SUPERSEDED, 1),
        (Action.CREATE, ChangeState.PENDING, 2),
    ]


async def test_open_changes_of_sources_that_were_not_read_stay(uni: InstitutionLedger) -> None:
    exam = Wish(person="ann", meeting="exam", source="exams")
    await accept(uni, create("ann", "algebra"), exam, read=(SOURCE, "exams"))
    await accept(uni, read=(SOURCE,))
    assert {one.meeting_key for one in await due(uni)} == {"exams:exam"}
    await accept(uni, read=())
    assert {one.meeting_key for one in await due(uni)} == {"exams:exam"}


async def test_a_plan_for_one_mailbox_leaves_the_open_changes_of_others(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("bob", "algebra"), create("bob", "botany"))
    await accept(uni, create("bob", "botany"), only="bob")
    assert told(await due(uni)) == {
        ("ann", f"{SOURCE}:algebra", Action.CREATE, 1),
        ("bob", f"{SOURCE}:botany", Action.CREATE, 1),
    }


async def test_a_plan_for_one_new_mailbox_leaves_all_that_is_open(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    await accept(uni, create("bob", "algebra"), only="bob")
    assert len(await due(uni)) == 2


async def test_open_creates_of_whom_a_part_could_not_be_read_stay(uni: InstitutionLedger) -> None:
    exam = Wish(person="ann", meeting="exam", source="exams")
    both = (SOURCE, "exams")
    await accept(uni, create("ann", "algebra"), create("bob", "algebra"), exam, read=both)
    await accept(uni, read=both, unread=[(SOURCE, "ann")])
    assert told(await due(uni)) == {("ann", f"{SOURCE}:algebra", Action.CREATE, 1)}


async def test_of_whom_a_part_could_not_be_read_the_readable_part_is_planned_as_ever(
    uni: InstitutionLedger,
) -> None:
    await accept(uni, create("ann", "algebra"), create("ann", "botany"))
    await accept(uni, create("ann", "botany", fingerprint=2), unread=[(SOURCE, "ann")])
    assert {(one.meeting_key, one.fingerprint) for one in await due(uni)} == {
        (f"{SOURCE}:algebra", 1),
        (f"{SOURCE}:botany", 2),
    }


async def test_open_deletes_give_way_where_a_part_could_not_be_read(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    await deliver(uni)
    await accept(uni, delete("ann", "algebra"))
    await accept(uni, unread=[(SOURCE, "ann")])
    assert await due(uni) == []


async def test_an_update_and_a_delete_bear_the_incarnation_and_operation_of_their_event(
    uni: InstitutionLedger,
) -> None:
    await accept(uni, create("ann", "algebra"), create("ann", "botany"))
    await deliver(uni)
    await accept(uni, update("ann", "algebra"), delete("ann", "botany"))
    for change in await due(uni):
        assert change.entry is not None
        assert (change.incarnation, change.operation) == (1, change.entry.operation)


async def test_a_meeting_that_comes_back_is_another_incarnation(uni: InstitutionLedger) -> None:
    for incarnation in (1, 2, 3):
        await accept(uni, create("ann", "algebra"))
        (made,) = await deliver(uni)
        assert made.incarnation == incarnation
        assert made.operation == operation_id(INSTALLATION, "uni", "ann", f"{SOURCE}:algebra", incarnation)
        await accept(uni, delete("ann", "algebra"))
        (removed,) = await deliver(uni)
        assert (removed.incarnation, removed.operation) == (incarnation, made.operation)


async def test_a_meeting_that_comes_back_for_one_is_still_the_first_for_others(
    uni: InstitutionLedger,
) -> None:
    await accept(uni, create("ann", "algebra"), create("ann", "botany"))
    await deliver(uni)
    await accept(uni, delete("ann", "algebra"))
    await deliver(uni)
    wishes = [create("ann", "algebra"), create("bob", "algebra"), create("bob", "botany")]
    await accept(uni, *wishes)
    assert {(one.mailbox.key, one.meeting_key): one.incarnation for one in await due(uni)} == {
        ("ann", f"{SOURCE}:algebra"): 2,
        ("bob", f"{SOURCE}:algebra"): 1,
        ("bob", f"{SOURCE}:botany"): 1,
    }


async def test_a_create_that_was_never_carried_out_leaves_no_incarnation_behind(
    uni: InstitutionLedger,
) -> None:
    await accept(uni, create("ann", "algebra"))
    await accept(uni)
    await accept(uni, create("ann", "algebra"))
    (change,) = await due(uni)
    assert change.incarnation == 1


async def test_nothing_is_changed_or_deleted_that_the_ledger_does_not_have(uni: InstitutionLedger) -> None:
    """However it came into the plan: the mailbox's packed row is wrong then, and derived again."""
    await accept(uni, create("ann", "algebra"))
    await deliver(uni)
    await uni.entries.pack(await uni.entries.stale(), 1)
    wishes = [update("ann", "algebra"), delete("ann", "botany"), update("ann", "chemistry")]
    assert (await accept(uni, *wishes)).new == 1
    assert told(await due(uni)) == {("ann", f"{SOURCE}:algebra", Action.UPDATE, 2)}
    assert len(await uni.entries.stale()) == 1


async def test_changes_for_a_mailbox_that_is_out_wait_from_the_beginning(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("bob", "algebra"))
    ann = await uni.mailboxes.find("ann")
    assert ann is not None
    await uni.mailboxes.put_out(ann.id, "E-MBX-404", "no such mailbox", NOW + 3600)
    await accept(uni, create("ann", "botany"), create("bob", "botany"))
    assert {one.mailbox.key for one in await due(uni)} == {"bob"}
    (later,) = [one for one in await due(uni, NOW + 3600) if one.mailbox.key == "ann"]
    assert (later.state, later.code) == (ChangeState.WAITING, "E-MBX-404")


pairs = st.tuples(st.sampled_from(["ann", "bob", "cid"]), st.sampled_from(["m1", "m2", "m3"]))
plans = st.dictionaries(pairs, st.sampled_from([1, 2, HUGE]))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(plans, min_size=1, max_size=5), name=st.uuids())
async def test_what_is_open_is_always_what_the_newest_plan_asked_for(
    ledger: Ledger, story: list[dict[tuple[str, str], int]], name: object
) -> None:
    book = await ledger.institution(str(name))
    for plan in story:
        wishes = [create(*pair, fingerprint=fingerprint) for pair, fingerprint in plan.items()]
        accepted = await accept(book, *wishes)
        assert accepted.new + accepted.kept == len(plan)
        open_now = {
            (one.mailbox.key, one.meeting_key.removeprefix(f"{SOURCE}:")): one.fingerprint
            for one in await due(book)
        }
        assert open_now == plan
