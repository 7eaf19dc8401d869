"""What owners have deleted, as the ledger keeps it."""

import numpy as np
import pytest
from tests.contract.ledger.books import HUGE, NOW, accept, conclude, create, due, send, update

from classbell.ledger import InstitutionLedger, Ledger
from classbell.model import Action, Became, Change, Policy, Suspended

pytestmark = pytest.mark.anyio


async def sent(book: InstitutionLedger, *wishes: object, policy: int = 0, attempts: int = 1) -> Change:
    """One change of a plan, sent so often; nobody heard what came of it, and a look did not find it."""
    await accept(book, *wishes, policy=policy)  # type: ignore[arg-type]
    (change,) = await due(book)
    await send(book, [change])
    for _ in range(attempts - 1):
        await conclude(book, change, Became.UNKNOWN, code="E-GRAPH-LOST")
        (change,) = await due(book)
        await conclude(book, change, Became.WAITING, code="E-UNKNOWN-ABSENT")
        (change,) = await due(book)
        await send(book, [change])
    (again,) = [c for c, *_ in await book.changes.of_mailbox(change.mailbox.id) if c.id == change.id]
    return again


async def kept(book: InstitutionLedger) -> list[tuple[int, int, int]]:
    """The wishes: pair, fingerprint and start."""
    wishes = await book.wishes.all()
    assert np.all(np.diff(wishes.pairs) > 0)
    columns = (wishes.pairs.tolist(), wishes.fingerprint.tolist(), wishes.starts.tolist())
    return list(zip(*columns, strict=True))


async def test_a_policy_comes_back_with_its_change(uni: InstitutionLedger) -> None:
    both = Policy.KEEP_EDITS | Policy.RESPECT_DELETIONS
    assert (await sent(uni, create("ada", "m"), policy=both)).policy == both


async def test_what_was_made_and_deleted_again_is_a_wish_where_deletions_are_respected(
    uni: InstitutionLedger,
) -> None:
    made = await sent(uni, create("ada", "m", fingerprint=HUGE), policy=Policy.RESPECT_DELETIONS, attempts=2)
    await conclude(uni, made, Became.GONE, code="E-EVT-GONE")
    assert await kept(uni) == [(made.mailbox.id << 32 | made.meeting_id, HUGE, 1000)]
    assert await uni.wishes.sources() == ["timetable"]
    assert await uni.wishes.of_mailbox(made.mailbox.id) == ["timetable:m"]
    assert await due(uni) == []
    again = await sent(uni, create("ada", "m", fingerprint=2))
    assert again.incarnation == 2
    await conclude(uni, again, Became.DONE)
    assert await kept(uni) == []


async def test_what_the_service_knew_before_it_was_ever_sent_is_no_wish(uni: InstitutionLedger) -> None:
    """It is of a ledger that was lost, which may have removed it itself."""
    made = await sent(uni, create("ada", "m"), policy=Policy.RESPECT_DELETIONS)
    await conclude(uni, made, Became.GONE, code="E-EVT-GONE")
    assert await kept(uni) == []
    (again,) = await due(uni)
    assert (again.action, again.incarnation) == (Action.CREATE, 2)


async def test_an_attempt_that_was_refused_or_of_an_earlier_incarnation_makes_no_wish_of_it(
    uni: InstitutionLedger,
) -> None:
    await accept(uni, create("ada", "m"), policy=Policy.RESPECT_DELETIONS)
    for incarnation in (1, 2):
        for became in (Became.WAITING, Became.UNKNOWN, Became.GONE):
            (change,) = await due(uni)
            assert (change.action, change.incarnation, change.doubted) == (Action.CREATE, incarnation, False)
            if became is not Became.GONE:
                await send(uni, [change])
                (change,) = [c for c, *_ in await uni.changes.of_mailbox(change.mailbox.id)]
            code = {Became.WAITING: "E-GRAPH-429", Became.UNKNOWN: "E-EVT-MADE"}.get(became, "E-EVT-GONE")
            await conclude(uni, change, became, code=code)
    assert await kept(uni) == []
    (again,) = await due(uni)
    assert again.incarnation == 3


async def test_what_a_dead_process_had_sent_may_have_been_made(uni: InstitutionLedger) -> None:
    await sent(uni, create("ada", "m"), policy=Policy.RESPECT_DELETIONS)
    assert await uni.changes.adrift(NOW, 0.0) == 1
    (change,) = await due(uni, NOW + 1000)
    assert change.doubted
    await conclude(uni, change, Became.GONE, code="E-EVT-GONE")
    assert len(await kept(uni)) == 1


async def test_it_is_made_again_where_deletions_are_put_right(uni: InstitutionLedger) -> None:
    made = await sent(uni, create("ada", "m"))
    await conclude(uni, made, Became.GONE, code="E-EVT-GONE")
    assert await kept(uni) == []
    (again,) = await due(uni)
    assert (again.action, again.incarnation) == (Action.CREATE, 2)


@pytest.mark.parametrize(("to", "stays"), [(1, True), (2, False)])
async def test_an_update_of_what_is_gone_makes_it_again_only_if_the_meeting_has_changed(
    uni: InstitutionLedger, to: int, *, stays: bool
) -> None:
    made = await sent(uni, create("ada", "m", fingerprint=1))
    await conclude(uni, made, Became.DONE)
    change = await sent(uni, update("ada", "m", fingerprint=to), policy=Policy.RESPECT_DELETIONS)
    await conclude(uni, change, Became.GONE, code="E-EVT-GONE")
    assert bool(await kept(uni)) is stays
    assert [c.action for c in await due(uni)] == ([] if stays else [Action.CREATE])


async def test_wishes_are_forgotten_one_by_one_or_for_a_mailbox(uni: InstitutionLedger) -> None:
    numbers = []
    for person, meeting in (("ada", "m"), ("ada", "n"), ("bob", "m")):
        made = await sent(uni, create(person, meeting), policy=Policy.RESPECT_DELETIONS, attempts=2)
        await conclude(uni, made, Became.GONE)
        numbers.append((made.mailbox.id, made.meeting_id))
    await uni.wishes.forget(numbers[:1])
    assert [pair for pair, *_ in await kept(uni)] == [box << 32 | of for box, of in numbers[1:]]
    await uni.wishes.forget_all(numbers[2][0])
    assert [pair for pair, *_ in await kept(uni)] == [numbers[1][0] << 32 | numbers[1][1]]


async def test_no_institution_sees_or_forgets_wishes_of_another(
    ledger: Ledger, uni: InstitutionLedger
) -> None:
    made = await sent(uni, create("ada", "m"), policy=Policy.RESPECT_DELETIONS, attempts=2)
    await conclude(uni, made, Became.GONE, now=NOW)
    other = await ledger.institution("another")
    assert await kept(other) == []
    assert await other.wishes.of_mailbox(made.mailbox.id) == []
    await other.wishes.forget([(made.mailbox.id, made.meeting_id)])
    await other.wishes.forget_all(made.mailbox.id)
    assert len(await kept(uni)) == 1


async def test_what_is_gone_is_known_with_the_policy_of_its_profile_until_nothing_is_wanted_there(
    uni: InstitutionLedger,
) -> None:
    made = await sent(uni, create("ada", "m"), policy=Policy.RESPECT_DELETIONS, attempts=2)
    await conclude(uni, made, Became.GONE, code="E-EVT-GONE")
    (gone,) = await uni.absences.all(1000)
    assert (gone.mailbox.id, gone.meeting_id) == (made.mailbox.id, made.meeting_id)
    assert (gone.starts_at, gone.policy) == (1000, Policy.RESPECT_DELETIONS)
    assert await uni.absences.all(1001) == []
    await uni.suspensions.suspend("ada", Suspended.PAUSED, "on leave", NOW)
    assert len(await uni.absences.all(0)) == 1
    await uni.suspensions.suspend("ada", Suspended.UNLINKED, "asked for it", NOW)
    assert await uni.absences.all(0) == []
