"""What is remembered of events that are no more: a later create for the pair must be another operation."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from classbell.ledger.database import parts_of
from classbell.ledger.schema import past_incarnation


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
