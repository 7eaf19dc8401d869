"""Holds in the ledger: the same one from run to run, and an approval that is of one exact set, once."""

import numpy as np
import pytest
from tests.contract.ledger.books import NOW, accept, conclude, create, delete, deliver, due, send

from classbell.errors import HeldError
from classbell.holds import numbers_of
from classbell.ledger import Found, HoldState, InstitutionLedger, Ledger, StoredHold
from classbell.model import Became

pytestmark = pytest.mark.anyio

DAY = 86_400


def found(
    *members: int, code: str = "E-HOLD-DELETES", scope: str = "institution", subject: str = ""
) -> Found:
    return Found(
        code=code,
        scope=scope,
        subject=subject,
        text=f"{len(members)} deletions",
        changes=len(members),
        deletes=len(members),
        members=np.sort(np.array(members, dtype=np.uint64)),
        listed=np.arange(5 * len(members), dtype=np.int64).reshape(-1, 5),
    )


async def only(uni: InstitutionLedger) -> StoredHold:
    (hold,) = await uni.holds.live()
    return hold


async def raised(uni: InstitutionLedger, *members: int) -> StoredHold:
    await uni.holds.enter([found(*members)], NOW)
    return await only(uni)


async def approved(uni: InstitutionLedger, *members: int) -> StoredHold:
    hold = await raised(uni, *members)
    done = await uni.holds.approve(hold.id, "ann", NOW + 1, digest=hold.digest)
    assert done is not None
    return done


async def test_a_hold_is_kept_with_its_exact_set(uni: InstitutionLedger) -> None:
    hold = await raised(uni, 2**64 - 1, 7)
    assert hold.members.tolist() == [7, 2**64 - 1]
    assert hold.listed.tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert (hold.state, hold.raised_at, hold.text, hold.changes) == (HoldState.OPEN, NOW, "2 deletions", 2)
    assert hold.covers(np.array([7], dtype=np.uint64))
    assert not hold.covers(np.array([7, 8], dtype=np.uint64))


async def test_the_same_hold_in_the_next_run_is_the_same_row(uni: InstitutionLedger) -> None:
    first = await raised(uni, 1, 2)
    await uni.holds.enter(
        [found(1, 2, 3), found(9, code="E-SRC-SHRUNK", scope="source", subject="a")], NOW + 60
    )
    again, other = await uni.holds.live()
    assert (again.id, again.raised_at, again.seen_at, again.changes) == (first.id, NOW, NOW + 60, 3)
    assert other.id != first.id


async def test_a_hold_whose_cause_has_gone_is_over_and_its_number_is_not_given_again(
    uni: InstitutionLedger,
) -> None:
    first = await raised(uni, 1)
    await uni.holds.enter([], NOW + 60)
    assert await uni.holds.live() == []
    gone = await uni.holds.find(first.id)
    assert gone is not None
    assert gone.state is HoldState.OVER
    assert (await raised(uni, 1)).id > first.id
    assert [hold.state for hold in await uni.holds.newest(5)] == [HoldState.OPEN, HoldState.OVER]


async def test_what_a_run_cannot_judge_stays(uni: InstitutionLedger) -> None:
    first = await raised(uni, 1)
    await uni.holds.enter([], NOW + 60, over=[])
    await uni.holds.enter([], NOW + 60, kept=[first.name])
    assert (await only(uni)).id == first.id
    await uni.holds.enter([], NOW + 60, over=[first.name])
    assert await uni.holds.live() == []


async def test_an_approval_is_of_the_set_that_was_seen_and_lasts_a_day(uni: InstitutionLedger) -> None:
    hold = await approved(uni, 1, 2)
    assert (hold.state, hold.decided_by, hold.approved_by) == (HoldState.APPROVED, "ann", ("ann",))
    assert hold.approved_at(NOW + DAY)
    assert not hold.approved_at(NOW + 1 + DAY)
    # A smaller set is found meanwhile: the approval goes on being of what was seen.
    await uni.holds.enter([found(1)], NOW + 60)
    assert (await only(uni)).members.tolist() == [1, 2]


async def test_an_approval_is_void_if_the_set_has_grown_and_that_is_told(uni: InstitutionLedger) -> None:
    await approved(uni, 1, 2)
    await uni.holds.enter([found(1, 2, 3)], NOW + 60)
    hold = await only(uni)
    assert (hold.state, hold.approved_by, hold.expires_at) == (HoldState.OPEN, (), None)
    assert hold.note == "the approval by ann is void: 1 changes were not part of it"


async def test_an_approval_that_has_expired_is_none(uni: InstitutionLedger) -> None:
    await approved(uni, 1)
    await uni.holds.enter([found(1)], NOW + 1 + DAY)
    hold = await only(uni)
    assert (hold.state, hold.note) == (HoldState.OPEN, "the approval by ann has expired")


async def test_who_saw_another_set_approves_nothing(uni: InstitutionLedger) -> None:
    hold = await raised(uni, 1)
    await uni.holds.enter([found(1, 2)], NOW + 60)
    assert await uni.holds.approve(hold.id, "ann", NOW + 61, digest=hold.digest) is None
    assert (await only(uni)).state is HoldState.OPEN
    assert await uni.holds.approve(hold.id + 5, "ann", NOW, digest=hold.digest) is None


async def test_where_two_must_approve_one_account_is_not_enough(uni: InstitutionLedger) -> None:
    hold = await raised(uni, 1)
    for account, state in (("ann", HoldState.OPEN), ("ann", HoldState.OPEN), ("bob", HoldState.APPROVED)):
        done = await uni.holds.approve(hold.id, account, NOW, digest=hold.digest, needed=2)
        assert done is not None
        assert done.state is state
    assert (await only(uni)).approved_by == ("ann", "bob")


async def test_half_an_approval_is_void_if_the_set_has_grown(uni: InstitutionLedger) -> None:
    hold = await raised(uni, 1)
    await uni.holds.approve(hold.id, "ann", NOW, digest=hold.digest, needed=2)
    await uni.holds.enter([found(1, 2)], NOW + 60)
    grown = await only(uni)
    done = await uni.holds.approve(hold.id, "bob", NOW + 61, digest=grown.digest, needed=2)
    assert done is not None
    assert done.state is HoldState.OPEN


async def test_a_rejection_stays_until_there_is_more_to_decide(uni: InstitutionLedger) -> None:
    hold = await approved(uni, 1, 2)
    done = await uni.holds.reject(hold.id, "bob", NOW + 2)
    assert done is not None
    assert (done.state, done.decided_by, done.approved_by) == (HoldState.REJECTED, "bob", ())
    await uni.holds.enter([found(1)], NOW + 60)
    assert (await only(uni)).state is HoldState.REJECTED
    await uni.holds.enter([found(1, 2, 3)], NOW + 120)
    hold = await only(uni)
    assert hold.state is HoldState.OPEN
    assert "rejection by bob is void" in hold.note
    await uni.holds.enter([], NOW + 180)
    assert await uni.holds.reject(hold.id, "bob", NOW + 190) is None


async def test_the_configuration_of_the_last_accepted_run_is_remembered(uni: InstitutionLedger) -> None:
    assert await uni.holds.configuration() == {}
    await uni.holds.keep_configuration({"window": b"a", "audience": b"b"})
    await uni.holds.keep_configuration({"window": b"c"})
    assert await uni.holds.configuration() == {"window": b"c"}


async def test_no_institution_sees_or_decides_what_another_holds(
    ledger: Ledger, uni: InstitutionLedger
) -> None:
    hold = await raised(uni, 1)
    await uni.holds.keep_configuration({"window": b"a"})
    other = await ledger.institution("another")
    assert await other.holds.live() == await other.holds.newest(5) == []
    assert await other.holds.find(hold.id) is None
    assert await other.holds.approve(hold.id, "eve", NOW, digest=hold.digest) is None
    assert await other.holds.reject(hold.id, "eve", NOW) is None
    await other.holds.enter([], NOW)
    await other.holds.keep_configuration({"window": b"z"})
    assert (await only(uni)).state is HoldState.OPEN
    assert await uni.holds.configuration() == {"window": b"a"}


async def test_a_plan_whose_approved_hold_another_process_has_ended_is_refused_in_words(
    uni: InstitutionLedger,
) -> None:
    names = [("E-SRC-SHRUNK", "source", "lectures")]
    with pytest.raises(HeldError, match="taken back meanwhile"):
        await accept(uni, create("ann", "algebra"), approvals=numbers_of(names, {}))
    assert await uni.mailboxes.numbers() == {}


async def test_a_delete_of_which_nobody_knows_is_under_way_and_its_event_not_gone(
    uni: InstitutionLedger,
) -> None:
    people = ("ada", "bob", "eve", "fay")
    await accept(uni, *(create(who, "m") for who in people))
    await send(uni, await due(uni))
    for number in (await uni.mailboxes.numbers()).values():
        await conclude(uni, (await uni.changes.of_mailbox(number))[0][0], Became.DONE)
    await accept(uni, *(delete(who, "m") for who in people))
    gone, asked, waits, held = await due(uni)
    await send(uni, [gone, asked, held])
    await conclude(uni, (await uni.changes.of_mailbox(gone.mailbox.id))[0][0], Became.DONE)
    await conclude(uni, (await uni.changes.of_mailbox(held.mailbox.id))[0][0], Became.HELD)
    assert await uni.holds.deleted_since(NOW - 1) == (1, 1)
    under_way = {(asked.mailbox.id, True), (waits.mailbox.id, False)}
    for moment, may_be_gone in ((NOW - 1, {(held.mailbox.id, True)}), (NOW + 60, set[tuple[int, bool]]())):
        accepted = await uni.holds.accepted_deletes(moment)
        assert {(one.mailbox_id, one.sent) for one in accepted} == under_way | may_be_gone


async def test_what_was_deleted_and_put_back_counts_as_deleted_but_not_as_gone(
    uni: InstitutionLedger,
) -> None:
    for _ in range(2):
        await accept(uni, create("ann", "algebra"), create("ann", "botany"))
        await deliver(uni)
        await accept(uni, delete("ann", "algebra"), delete("ann", "botany"))
        await deliver(uni)
    assert await uni.holds.deleted_since(NOW - 1) == (4, 2)
    await accept(uni, create("ann", "algebra"))
    await deliver(uni)
    assert await uni.holds.deleted_since(NOW - 1) == (4, 1)
    assert await uni.holds.deleted_since(NOW + 1) == (0, 0)
