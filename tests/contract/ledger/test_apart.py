"""Institutions share a database and nothing in it, whatever they call things and whatever number goes astray."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from tests.contract.ledger.books import (
    FORM,
    NOW,
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
from tests.contract.ledger.test_runs import rendering, snapshot

from classbell.errors import LeaseHeld
from classbell.ledger import InstitutionLedger, Ledger
from classbell.ledger.schema import metadata
from classbell.model import Became, Change

pytestmark = pytest.mark.anyio

DAY = 86_400.0


async def everything(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""

    def read(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
            if table.name != "ledger"  # its revision counts the plans of all
        }

    return await ledger._database.read(read)


async def seen(book: InstitutionLedger) -> dict[str, object]:
    """All that an institution can ask its ledger."""
    numbers = await book.mailboxes.numbers()
    return {
        "mailboxes": numbers,
        "meetings": await book.meetings.numbers(),
        "renderings": await book.meetings.known_renderings(),
        "bodies": await book.meetings.bodies(range(20)),
        "due": await due(book, NOW + 10 * DAY),
        "unsettled": await book.changes.unsettled(),
        "waiting": await book.changes.waiting(),
        "next": await book.changes.next_due(),
        "open": await book.changes.open_count(),
        "history": [await book.changes.of_mailbox(number) for number in range(20)],
        "rows": await rows(book),
        "packed": await packed(book),
        "afresh": await packed(book, fresh=range(20)),
        "count": await book.entries.count(),
        "stale": await book.entries.stale(),
        "events": [await book.entries.event_ids(number) for number in range(20)],
        "calendars": await book.calendars.known(range(20)),
        "out": await book.mailboxes.out(),
        "served": await book.mailboxes.served_beside([], "E-CODE"),
        "runs": await book.runs.last(50),
        "sources": {
            name: (state.digest, state.read_at, state.last.starts.tolist(), state.last.covered_until)
            for name, state in (await book.runs.sources()).items()
        },
    }


async def live(book: InstitutionLedger) -> None:
    """A few days of an institution's life, with some of everything."""
    wishes = [create("ann", "algebra", fingerprint=5), create("bob", "algebra"), create("bob", "botany")]
    await accept(book, *wishes, renderings=[rendering(b"algebra", 5)])
    await deliver(book)
    await pack(book)
    await accept(book, create("bob", "drama"))
    await deliver(book)
    changed = [
        replace(update("ann", "algebra"), previous=5),
        delete("bob", "botany"),
        create("ann", "b"),
        create("bob", "c"),
    ]
    accepted = await accept(book, *changed)
    first, second, third, fourth = await due(book)
    await send(book, [first, second, third])
    await conclude(book, first, Became.UNKNOWN, due_at=NOW + 5, code="E-GRAPH-LOST")
    await conclude(book, second, Became.HELD, code="E-HELD")
    await book.mailboxes.contacted([first.mailbox.id], NOW, FORM)
    await book.calendars.keep((first.mailbox.id, "Classes"), "AAA")
    await book.calendars.intend([(fourth, NOW)], NOW + 60)
    await book.mailboxes.put_out(fourth.mailbox.id, "E-CODE", "why", NOW + DAY)
    await book.runs.keep_sources([snapshot("timetable", 1, 2)], NOW)
    await book.runs.finish(accepted.run_id, 0, {"done": {}}, NOW)


async def test_institutions_that_use_the_same_words_live_side_by_side(ledger: Ledger) -> None:
    one, other = await ledger.institution("one"), await ledger.institution("other")
    await live(one)
    before = await seen(one)
    assert all(value for name, value in before.items() if name != "afresh")
    empty = await seen(other)
    assert not any(value for name, value in empty.items() if name not in {"history", "events", "count"})
    await live(other)
    assert await seen(one) == before
    mine, theirs = await due(one, NOW + 10 * DAY), await due(other, NOW + 10 * DAY)
    assert {change.id for change in mine}.isdisjoint(change.id for change in theirs)
    assert {change.operation for change in mine}.isdisjoint(change.operation for change in theirs)
    assert [change.meeting_key for change in mine] == [change.meeting_key for change in theirs]


Astray = Callable[[InstitutionLedger, Change], Awaitable[object]]

BY_NUMBER: dict[str, Astray] = {
    "contacted": lambda book, of: book.mailboxes.contacted([of.mailbox.id], NOW + 9, FORM),
    "keep_calendar": lambda book, of: book.calendars.keep((of.mailbox.id, "Classes"), "ZZZ"),
    "intend": lambda book, of: book.calendars.intend([(of, NOW)], NOW + 9),
    "withdraw": lambda book, of: book.calendars.withdraw([(of.mailbox.id, of.calendar)]),
    "put_out": lambda book, of: book.mailboxes.put_out(of.mailbox.id, "E-ASTRAY", "astray", NOW + 9),
    "put_in": lambda book, of: book.mailboxes.put_in(of.mailbox.id),
    "postpone": lambda book, of: book.changes.postpone(of.mailbox.id, "E-ASTRAY", "astray", NOW + 9 * DAY),
    "release": lambda book, _: book.changes.release("E-CODE", range(20)),
    "release_held": lambda book, of: book.changes.release_held(of.mailbox.id),
    "adrift": lambda book, _: book.changes.adrift(NOW, 600),
    "pack": lambda book, _: book.entries.pack(range(20), 99),
    "finish": lambda book, _: book.runs.finish(1, 1, {}, NOW),
    "keep_sources": lambda book, _: book.runs.keep_sources([], NOW),
    **{
        f"conclude {became}": lambda book, of, became=became: conclude(  # type: ignore[misc]
            book, of, became, event_id="ZZZ", etag="Z", code="E-ASTRAY"
        )
        for became in Became
    },
}


@pytest.mark.parametrize("name", BY_NUMBER)
async def test_a_number_of_another_institution_touches_nothing(ledger: Ledger, name: str) -> None:
    one, other = await ledger.institution("one"), await ledger.institution("other")
    await live(one)
    changes = await due(one, NOW + 10 * DAY)
    before = await everything(ledger)
    for change in changes:
        await BY_NUMBER[name](other, change)
        assert await everything(ledger) == before


async def test_a_change_of_another_institution_cannot_be_sent(ledger: Ledger) -> None:
    one, other = await ledger.institution("one"), await ledger.institution("other")
    await accept(one, create("ann", "algebra"))
    before = await everything(ledger)
    with pytest.raises(LeaseHeld):
        await send(other, await due(one))
    assert await everything(ledger) == before
    await send(one, await due(one))


async def test_a_plan_of_one_institution_leaves_the_open_changes_of_others(ledger: Ledger) -> None:
    one, other = await ledger.institution("one"), await ledger.institution("other")
    await accept(one, create("ann", "algebra"))
    await accept(other, create("ann", "algebra", fingerprint=2))
    await accept(other)
    assert len(await due(one)) == 1
    assert await due(other) == []


async def test_incarnations_are_counted_for_each_institution(ledger: Ledger) -> None:
    one, other = await ledger.institution("one"), await ledger.institution("other")
    for book in (one, other):
        await accept(book, create("ann", "algebra"))
        await deliver(book)
    await accept(one, delete("ann", "algebra"))
    await deliver(one)
    await accept(one, create("ann", "algebra"))
    await accept(other, create("ann", "algebra", fingerprint=2, starts=1), create("ann", "botany"))
    assert {change.incarnation for change in await due(one)} == {2}
    assert {change.incarnation for change in await due(other)} == {1}


keys = st.sampled_from(["a", "b", "ann", "ann ", "A", "one:a"])
wish = st.builds(
    lambda person, meeting, source, fingerprint: Wish(
        person=person, meeting=meeting, source=source, fingerprint=fingerprint
    ),
    keys,
    keys,
    st.sampled_from(["one", "one:a", "timetable"]),
    st.integers(1, 3),
)
plan = st.lists(wish, max_size=5, unique_by=lambda w: (w.person, w.source, w.meeting))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(st.tuples(st.sampled_from([0, 1, 2]), plan), max_size=6), name=st.uuids())
async def test_each_institution_sees_exactly_what_it_would_see_alone(
    ledger: Ledger, story: list[tuple[int, list[Wish]]], name: object
) -> None:
    """Side by side, as in three ledgers of their own: numbers differ, nothing else does."""
    together = [await ledger.institution(f"{name}-{index}") for index in range(3)]
    alone = [await ledger.institution(f"{name}-alone-{index}") for index in range(3)]
    for index, wishes in story:
        await accept(together[index], *wishes, read=("one", "one:a", "timetable"))
    for index in range(3):
        for at, wishes in story:
            if at == index:
                await accept(alone[index], *wishes, read=("one", "one:a", "timetable"))
    for side, single in zip(together, alone, strict=True):
        assert await _in_words(side) == await _in_words(single)


async def _in_words(book: InstitutionLedger) -> object:
    return (
        {(c.mailbox.key, c.meeting_key, c.fingerprint, c.incarnation) for c in await due(book)},
        set(await book.mailboxes.numbers()),
        set(await book.meetings.numbers()),
        len(await book.runs.last(50)),
    )
