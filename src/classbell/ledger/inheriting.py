"""What a mailbox takes over from the address that it had: its events, and what its owner wants."""

from collections.abc import Sequence

from sqlalchemy import Connection, Table, and_, delete, insert, literal, select, update

from classbell.ledger.calendars import calendar, calendar_intent
from classbell.ledger.changes import IS_OPEN
from classbell.ledger.entries import mark_stale
from classbell.ledger.incarnations import remember
from classbell.ledger.schema import change, entry, mailbox, suspension, wish
from classbell.model import ChangeState, Entry

# What is known of owners, each with what tells its rows of one mailbox apart.
_OF_OWNERS: Sequence[tuple[Table, tuple[str, ...]]] = (
    (suspension, ()),
    (wish, ("meeting_id",)),
    (calendar, ("name",)),
    (calendar_intent, ("name",)),
)


def inherit(connection: Connection, institution_id: int, box: int, moved: Sequence[Entry]) -> None:
    """
    Take events from the mailboxes that had them under another address, and what is known of their owners.

    What was to become of the events there is over. What is known of the new address itself stays.

    Args:
        moved: entries of other mailboxes whose events stand in this one; that they are its own now is entered apart.
    """
    query = select(mailbox.c.id).where(
        mailbox.c.institution_id == institution_id, mailbox.c.id.in_({one.mailbox.id for one in moved})
    )
    others = set(connection.execute(query).scalars())
    for one in moved:
        if one.mailbox.id in others:
            _take(connection, one)
    for other in sorted(others):
        mark_stale(connection, institution_id, {other})
        for table, key in _OF_OWNERS:
            _copy(connection, table, key, other, box)


def _take(connection: Connection, moved: Entry) -> None:
    other, meeting = moved.mailbox.id, moved.meeting_id
    there = (entry.c.mailbox_id == other, entry.c.meeting_id == meeting, entry.c.event_id == moved.event_id)
    if connection.execute(delete(entry).where(*there)).rowcount:
        remember(connection, other, {meeting: moved.incarnation})
        connection.execute(
            update(change)
            .where(change.c.mailbox_id == other, change.c.meeting_id == meeting, IS_OPEN)
            .values(state=ChangeState.SUPERSEDED)
        )


def _copy(connection: Connection, table: Table, key: Sequence[str], other: int, box: int) -> None:
    """Copy the rows of one mailbox to another, where that has none of its own."""
    mine = table.alias()
    same = [mine.c[name] == table.c[name] for name in key]
    has_one = select(literal(1)).where(and_(mine.c.mailbox_id == box, *same)).exists()
    columns = [literal(box) if column.name == "mailbox_id" else column for column in table.c]
    rows = select(*columns).where(table.c.mailbox_id == other, ~has_one)
    connection.execute(insert(table).from_select([column.name for column in table.c], rows))
