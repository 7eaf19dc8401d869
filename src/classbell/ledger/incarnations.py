"""What is remembered of events that are no more: a later create for the pair must be another operation."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, func, insert, select, update

from classbell.ledger.database import parts_of
from classbell.ledger.schema import change, entry, institution, past_incarnation

# So many for one ledger, and no other one is rebuilt within the same hour: a rebuild alone takes the bound.
_FOR_A_LEDGER = 1000
_HOUR = 3_600.0
# So many until somebody is forgotten, so that people are told how often an event was made since then.
_AT_LEAST = 100


def remembered(connection: Connection, number: int) -> dict[int, int]:
    """The highest incarnation that is over, by meeting, in a mailbox."""
    query = select(past_incarnation.c.meeting_id, past_incarnation.c.incarnation).where(
        past_incarnation.c.mailbox_id == number
    )
    return dict(connection.execute(query).all())


def remember(connection: Connection, number: int, highest: Mapping[int, int]) -> None:
    """Remember incarnations of a mailbox, by meeting; what is known to be higher already stays."""
    known = remembered(connection, number)
    rising = {of: incarnation for of, incarnation in highest.items() if incarnation > known.get(of, 0)}
    for part in parts_of(list(rising)):
        connection.execute(
            delete(past_incarnation).where(
                past_incarnation.c.mailbox_id == number, past_incarnation.c.meeting_id.in_(part)
            )
        )
    rows = [
        {"mailbox_id": number, "meeting_id": of, "incarnation": incarnation}
        for of, incarnation in rising.items()
    ]
    if rows:
        connection.execute(insert(past_incarnation), rows)


def begin_anew(connection: Connection, institution_id: int, now: float) -> None:
    """
    Let all incarnations from now on be higher than any that a ledger before this one can have given.

    What it had made, and it or an owner has removed, no mark tells of. But the service may remember its
    ``transactionId``, and would answer a create of the same operation as if it had been made and removed now.
    """
    _go_beyond(connection, institution_id, int(now // _HOUR) * _FOR_A_LEDGER)


def go_beyond(connection: Connection, institution_id: int, number: int) -> None:
    """
    Let all incarnations from now on be higher than any that was given in a mailbox, whose rows are to go.

    Else its owner, come back, would be given the same operations again; see ``begin_anew``.
    """
    highest = max(
        connection.execute(
            select(func.coalesce(func.max(table.c.incarnation), 0)).where(table.c.mailbox_id == number)
        ).scalar_one()
        for table in (entry, past_incarnation, change)
    )
    _go_beyond(connection, institution_id, -(-highest // _AT_LEAST) * _AT_LEAST)


def _go_beyond(connection: Connection, institution_id: int, used: int) -> None:
    connection.execute(
        update(institution)
        .where(institution.c.id == institution_id, institution.c.incarnations_used < used)
        .values(incarnations_used=used)
    )


def used_before(connection: Connection, institution_id: int) -> int:
    """The highest incarnation that rows may have had which are lost or forgotten; 0 if there were none."""
    query = select(institution.c.incarnations_used).where(institution.c.id == institution_id)
    return int(connection.execute(query).scalar_one())


def times_made(incarnation: int) -> int:
    """How often an event was made, as far as the ledger knows that made it last."""
    return incarnation % _AT_LEAST
