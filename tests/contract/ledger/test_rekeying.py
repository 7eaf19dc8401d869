"""Meetings that get another key keep their number, and with it their events."""

from typing import Any

import numpy as np
import pytest
from tests.contract.ledger.books import (
    NOW,
    SOURCE,
    accept,
    create,
    delete,
    deliver,
    due,
    entries,
    update,
)

from classbell.ledger import Accepted, InstitutionLedger, Ledger, Rekeyed
from classbell.plan import Plan

pytestmark = pytest.mark.anyio


async def rekey(book: InstitutionLedger, old: str, new: str, number: int | None = None) -> None:
    """Accept an empty plan in which one meeting, its own by default, has another key."""
    if number is None:
        number = (await book.meetings.numbers())[SOURCE, old]
    await book.plans.accept(
        Accepted(
            plan=_nothing(),
            calendars=("",),
            fresh_mailboxes={},
            fresh_meetings=[],
            renderings=[],
            sources_read=frozenset(),
            rekeys=[Rekeyed(number=number, source=SOURCE, old_key=old, new_key=new)],
        ),
        NOW,
    )


def _nothing() -> Plan:
    arrays: dict[str, Any] = {
        name: np.empty(0, dtype=kind)
        for name, kind in {
            "mailbox": np.int64,
            "meeting": np.int64,
            "action": np.int8,
            "reason": np.int8,
            "fingerprint": np.uint64,
            "previous": np.uint64,
            "starts": np.int64,
            "ends": np.int64,
            "source": np.int16,
            "calendar": np.int16,
            "policy": np.int8,
        }.items()
    }
    return Plan(**arrays)


async def test_an_entry_is_found_under_the_new_key_and_is_what_it_was(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "a1"))
    await deliver(uni)
    before = await entries(uni, "ann")
    numbers = await uni.meetings.numbers()
    await rekey(uni, "a1", "b1")
    assert await uni.meetings.numbers() == {(SOURCE, "b1"): numbers[SOURCE, "a1"]}
    assert await entries(uni, "ann") == {f"{SOURCE}:b1": before[f"{SOURCE}:a1"]}
    await accept(uni, update("ann", "b1"))
    (change,) = await due(uni)
    assert change.entry is not None
    assert change.operation == change.entry.operation


async def test_a_meeting_that_had_the_key_before_gets_the_old_one(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "b1"))
    await deliver(uni)
    await accept(uni, delete("ann", "b1"))
    await deliver(uni)
    await accept(uni, create("bob", "a1"))
    await deliver(uni)
    numbers = await uni.meetings.numbers()
    await rekey(uni, "a1", "b1")
    assert await uni.meetings.numbers() == {
        (SOURCE, "b1"): numbers[SOURCE, "a1"],
        (SOURCE, "a1"): numbers[SOURCE, "b1"],
    }
    # What once was made for Ann under this key is never made as the same operation again.
    await accept(uni, create("ann", "b1"))
    (again,) = await due(uni)
    assert again.incarnation == 2


async def test_a_meeting_is_found_by_every_key_that_it_had_and_that_none_has_now(
    ledger: Ledger, uni: InstitutionLedger
) -> None:
    await accept(uni, create("ann", "a1"), create("ann", "z1"))
    await deliver(uni)
    numbers = await uni.meetings.numbers()
    for old, new in (("a1", "b1"), ("b1", "c1"), ("z1", "a1")):
        await rekey(uni, old, new)
    assert await uni.known.renamed() == {f"{SOURCE}:b1": f"{SOURCE}:c1", f"{SOURCE}:z1": f"{SOURCE}:a1"}
    wanted = {f"{SOURCE}:{key}" for key in ("a1", "b1", "c1", "none")}
    first, second = numbers[SOURCE, "a1"], numbers[SOURCE, "z1"]
    assert await uni.known.numbers(wanted) == {
        f"{SOURCE}:a1": second,
        f"{SOURCE}:b1": first,
        f"{SOURCE}:c1": first,
    }
    assert await (await ledger.institution("another")).known.renamed() == {}


async def test_a_create_that_was_not_sent_is_made_anew_under_the_new_key(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "a1"))
    (old,) = await due(uni)
    await rekey(uni, "a1", "b1")
    assert await due(uni) == []
    await accept(uni, create("ann", "b1"))
    (new,) = await due(uni)
    assert new.operation != old.operation
    assert new.meeting_key == f"{SOURCE}:b1"


async def test_no_institution_renames_the_meetings_of_another(ledger: Ledger, uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "a1"))
    number = (await uni.meetings.numbers())[SOURCE, "a1"]
    other = await ledger.institution("another")
    await rekey(other, "a1", "b1", number)
    assert await uni.meetings.numbers() == {(SOURCE, "a1"): number}
    assert len(await due(uni)) == 1
