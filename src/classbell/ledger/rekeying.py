"""
Giving meetings new keys, where their source has renumbered them.

A meeting keeps its number, and with it its events in all mailboxes: their marks go on naming the old key.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from classbell.ledger.changes import IS_OPEN
from classbell.ledger.database import parts_of
from classbell.ledger.incarnations import remember, remembered
from classbell.ledger.outcomes import CREATING
from classbell.ledger.schema import change, meeting, past_incarnation, rekeyed
from classbell.model import ChangeState


@dataclass(frozen=True, kw_only=True)
class Rekeyed:
    """That the meeting of this number has another key at its source from now on."""

    number: int
    source: str
    old_key: str
    new_key: str


def rekey(
    connection: Connection, institution_id: int, rekeys: Sequence[Rekeyed], run_id: int, now: float
) -> None:
    """Give meetings their new keys; a meeting that has such a key already, and no event, gets the old one."""
    if not rekeys:
        return
    numbers = [one.number for one in rekeys]
    _withdraw(connection, institution_id, numbers)
    taken = _owners(connection, institution_id, rekeys)
    for one in rekeys:
        other = taken.get((one.source, one.new_key))
        if other is not None:
            _inherit(connection, other, one.number)
    swapped = [
        {"number": taken[one.source, one.new_key], "name": one.old_key, "mine": institution_id}
        for one in rekeys
        if (one.source, one.new_key) in taken
    ]
    named = [{"number": one.number, "name": one.new_key, "mine": institution_id} for one in rekeys]
    # Two steps, since keys are unique at every moment; not by way of NUL, which PostgreSQL takes in no text.
    for rows in ([row | {"name": f"\x01{row['number']}"} for row in (*named, *swapped)], [*named, *swapped]):
        connection.execute(_RENAME, rows)
    connection.execute(
        insert(rekeyed),
        [
            {
                "meeting_id": one.number,
                "run_id": run_id,
                "old_key": one.old_key,
                "new_key": one.new_key,
                "at": now,
            }
            for one in rekeys
        ],
    )


def _withdraw(connection: Connection, institution_id: int, numbers: Sequence[int]) -> None:
    """Creates that were not sent bear the old key; the plan makes them anew."""
    for part in parts_of(numbers):
        connection.execute(
            update(change)
            .where(
                change.c.institution_id == institution_id,
                IS_OPEN,
                change.c.meeting_id.in_(part),
                change.c.action.in_(CREATING),
                change.c.state.in_((ChangeState.PENDING, ChangeState.WAITING)),
            )
            .values(state=ChangeState.SUPERSEDED)
        )


def _owners(
    connection: Connection, institution_id: int, rekeys: Sequence[Rekeyed]
) -> dict[tuple[str, str], int]:
    """The meetings that have one of the new keys already."""
    found: dict[tuple[str, str], int] = {}
    wanted: dict[str, list[str]] = {}
    for one in rekeys:
        wanted.setdefault(one.source, []).append(one.new_key)
    for source, keys in wanted.items():
        query = select(meeting.c.id, meeting.c.key).where(
            meeting.c.institution_id == institution_id, meeting.c.source == source
        )
        for part in parts_of(keys):
            for number, key in connection.execute(query.where(meeting.c.key.in_(part))):
                found[source, key] = number
    return found


def _inherit(connection: Connection, other: int, number: int) -> None:
    """What once stood under the new key stays remembered, so that no operation is ever used twice."""
    query = select(past_incarnation.c.mailbox_id, past_incarnation.c.incarnation).where(
        past_incarnation.c.meeting_id == other
    )
    for mailbox, incarnation in connection.execute(query).all():
        remember(
            connection, mailbox, {number: max(incarnation, remembered(connection, mailbox).get(number, 0))}
        )


_RENAME = (
    update(meeting)
    .where(meeting.c.id == bindparam("number"), meeting.c.institution_id == bindparam("mine"))
    .values(key=bindparam("name"))
)
