"""Packed rows, from which plans are made, and the rows they come from, which are the truth."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.ledger.books import (
    HUGE,
    INSTALLATION,
    SOURCE,
    Wish,
    accept,
    conclude,
    create,
    delete,
    deliver,
    due,
    pack,
    packed,
    rows,
    send,
    update,
)

from classbell.ledger import InstitutionLedger, Ledger
from classbell.ledger.entries import SourcesOf
from classbell.model import Action, Became, ChangeState

pytestmark = pytest.mark.anyio


async def test_what_was_delivered_is_told_once_it_is_packed(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra", fingerprint=HUGE, starts=-5000), create("bob", "algebra"))
    await deliver(uni)
    assert await packed(uni) == {}
    await pack(uni)
    assert await uni.entries.stale() == []
    told = await packed(uni)
    assert told == await rows(uni)
    numbers, meetings = await uni.mailboxes.numbers(), await uni.meetings.numbers()
    algebra = meetings[SOURCE, "algebra"]
    assert told[numbers["ann"], algebra] == (HUGE, -5000, -4900)


async def test_stale_mailboxes_can_be_told_afresh_without_being_packed(uni: InstitutionLedger) -> None:
    await accept(uni, *(create(person, "algebra") for person in ("ann", "bob", "cid")))
    await deliver(uni)
    await pack(uni)
    await accept(uni, update("bob", "algebra"), create("bob", "botany"), create("dan", "algebra"))
    await deliver(uni)
    before = await packed(uni)
    fresh = await packed(uni, fresh=await uni.entries.stale())
    assert fresh == await rows(uni)
    assert fresh != before == await packed(uni)
    assert len(await uni.entries.stale()) == 2


async def test_a_mailbox_that_lost_its_last_event_is_told_of_no_more(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("bob", "algebra"))
    await deliver(uni)
    await pack(uni)
    await accept(uni, delete("ann", "algebra"))
    await deliver(uni)
    ann = (await uni.mailboxes.numbers())["ann"]
    assert ann not in {box for box, _ in await packed(uni, fresh=[ann])}
    await pack(uni)
    assert {box for box, _ in await packed(uni)} == {(await uni.mailboxes.numbers())["bob"]}


async def test_no_mailbox_to_pack_is_no_trouble(uni: InstitutionLedger) -> None:
    await uni.entries.pack([], 1)
    assert await packed(uni, fresh=[]) == {}


async def test_a_mailbox_is_stale_from_the_moment_its_rows_change_until_it_is_packed(
    uni: InstitutionLedger,
) -> None:
    await accept(uni, create("ann", "algebra"), create("bob", "algebra"))
    changes = await due(uni)
    await send(uni, changes)
    assert await uni.entries.stale() == [], "nothing is in the books that the packed row does not say"
    await conclude(uni, changes[0], Became.DONE)
    assert await uni.entries.stale() == [changes[0].mailbox.id]
    await conclude(uni, changes[1], Became.WAITING)
    assert await uni.entries.stale() == [changes[0].mailbox.id]


@pytest.mark.parametrize("wish", [update("ann", "algebra"), delete("ann", "algebra"), create("ann", "b")])
async def test_each_delivery_of_one_process_marks_what_it_changes(uni: InstitutionLedger, wish: Wish) -> None:
    """The second one too, after the first has packed."""
    await accept(uni, create("ann", "algebra"))
    await deliver(uni)
    await pack(uni)
    await accept(uni, wish)
    await deliver(uni)
    assert len(await uni.entries.stale()) == 1
    await pack(uni)
    assert await packed(uni) == await rows(uni)


async def test_an_event_that_is_gone_makes_its_mailbox_stale(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"))
    await deliver(uni)
    await pack(uni)
    await accept(uni, update("ann", "algebra"))
    (change,) = await due(uni)
    await send(uni, [change])
    await conclude(uni, change, Became.GONE)
    assert await packed(uni, fresh=await uni.entries.stale()) == {}


async def test_what_a_dead_process_left_stale_is_known_to_the_next(url: str) -> None:
    ledger = await Ledger.open(url, INSTALLATION)
    book = await ledger.institution("uni")
    await accept(book, create("ann", "algebra"))
    await deliver(book)
    ledger.close()
    ledger = await Ledger.open(url, INSTALLATION)
    book = await ledger.institution("uni")
    assert len(await book.entries.stale()) == 1
    assert await packed(book, fresh=await book.entries.stale()) == await rows(book) != {}
    ledger.close()


async def test_delivered_events_are_counted_whether_packed_or_not(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra"), create("bob", "algebra"), create("bob", "botany"))
    await deliver(uni)
    assert await uni.entries.count() == (3, 2)
    await pack(uni)
    assert await uni.entries.count() == (3, 2)
    await accept(uni, create("bob", "chemistry"), create("cid", "algebra"))
    await deliver(uni)
    assert await uni.entries.count() == (5, 3)


@pytest.mark.prove
async def test_more_mailboxes_than_one_statement_can_name_are_no_trouble(
    uni: InstitutionLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after the crash of a first load: all are stale at once. Runs and parts are cut at other places."""
    monkeypatch.setattr("classbell.ledger.entries._MAILBOXES_AT_ONCE", 700)
    wishes = [create(f"p{n}", f"m{n % 3}", fingerprint=n + 1) for n in range(2000)]
    await accept(uni, *wishes)
    changes = await due(uni, limit=5000)
    await send(uni, changes)
    await asyncio.gather(*(conclude(uni, change, Became.DONE) for change in changes))
    stale = await uni.entries.stale()
    assert len(stale) == 2000
    afresh = await packed(uni, fresh=stale)
    assert len(afresh) == 2000
    await uni.entries.pack(stale[:1500], 1)
    assert await packed(uni, fresh=stale[1500:]) == afresh
    await pack(uni)
    assert await packed(uni) == afresh


@pytest.mark.parametrize("step", [1, 2])
async def test_runs_are_whole_mailboxes_in_ascending_order(
    uni: InstitutionLedger, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Whether or not stale mailboxes have an older packed row, each is told once."""
    monkeypatch.setattr("classbell.ledger.entries._MAILBOXES_AT_ONCE", 2)
    people = [f"p{n}" for n in range(7)]
    await accept(uni, *(create(person, key) for person in people for key in ("m1", "m2", "m3")))
    await deliver(uni)
    numbers = sorted((await uni.mailboxes.numbers()).values())
    await uni.entries.pack(numbers[::step], 1)
    told = uni.entries.delivered(_places(defaultdict(int)), fresh=numbers[1::2])
    seen: list[list[int]] = [run.mailbox.tolist() async for run in told]
    assert [box for run in seen for box in run] == [box for box in numbers for _ in range(3)]
    assert all(set(one).isdisjoint(other) for one, other in pairwise(seen))


async def test_each_event_is_told_with_the_place_of_its_source(uni: InstitutionLedger) -> None:
    exam = Wish(person="ann", meeting="exam", source="exams")
    await accept(uni, create("ann", "algebra"), exam, read=(SOURCE, "exams"))
    await deliver(uni)
    await pack(uni)
    numbers = await uni.meetings.numbers()
    places = {numbers[SOURCE, "algebra"]: 0, numbers["exams", "exam"]: -1}
    async for run in uni.entries.delivered(_places(places)):
        assert run.source.tolist() == [places[of] for of in run.meeting.tolist()]
        assert sorted(run.source.tolist()) == [-1, 0]


pairs = st.tuples(st.sampled_from(["ann", "bob", "cid"]), st.sampled_from(["m1", "m2", "m3"]))
steps = st.lists(
    st.tuples(
        st.dictionaries(pairs, st.integers(1, HUGE), max_size=6),
        st.sampled_from(list(Became)),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=steps, name=st.uuids())
async def test_whatever_happened_packed_rows_derived_afresh_equal_the_rows(
    ledger: Ledger, story: Sequence[tuple[dict[tuple[str, str], int], Became, bool]], name: object
) -> None:
    book = await ledger.institution(str(name))
    for wanted, became, packs in story:
        await accept(book, *await _plan(book, wanted))
        for index, change in enumerate(await due(book)):
            # What became of a create is looked for; it is not sent again meanwhile.
            if (change.action, change.state) != (Action.CREATE, ChangeState.UNKNOWN):
                await send(book, [change])
            await conclude(book, change, became if index % 2 else Became.DONE)
        assert await packed(book, fresh=await book.entries.stale()) == await rows(book)
        if packs:
            await pack(book)
            assert await packed(book) == await rows(book)


async def _plan(book: InstitutionLedger, wanted: dict[tuple[str, str], int]) -> list[Wish]:
    """What a plan for this desired state would be, by the rows."""
    boxes = {number: key for key, number in (await book.mailboxes.numbers()).items()}
    keys = {number: key for key, number in (await book.meetings.numbers()).items()}
    busy = {(boxes[box], keys[of][1]) for box, of in await book.changes.unsettled()}
    have = {(boxes[box], keys[of][1]): print_ for (box, of), (print_, *_) in (await rows(book)).items()}
    wishes = [
        (update if pair in have else create)(*pair, fingerprint=print_)
        for pair, print_ in wanted.items()
        if have.get(pair) != print_ and pair not in busy
    ]
    return wishes + [delete(*pair) for pair in have.keys() - wanted.keys() - busy]


def _places(places: Mapping[int, int]) -> SourcesOf:
    """Gives the places of meetings by their numbers."""
    return lambda meetings: np.array([places[of] for of in meetings.tolist()], dtype=np.int16)
