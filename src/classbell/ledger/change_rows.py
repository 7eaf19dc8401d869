"""Changes as the ledger has them: a row with all that delivery needs of its mailbox, meeting and entry."""

from typing import Any

from sqlalchemy import Row, Select, select

from classbell.ledger.bits import unsigned
from classbell.ledger.entries import full_key
from classbell.ledger.schema import change, entry, mailbox, meeting
from classbell.model import Action, Change, ChangeState, Entry, Mailbox, Policy, Reason

SELECTED: Select[Any] = (
    select(
        change.c.id,
        change.c.mailbox_id,
        change.c.meeting_id,
        change.c.action,
        change.c.reason,
        change.c.state,
        change.c.fingerprint,
        change.c.starts_at,
        change.c.ends_at,
        change.c.calendar,
        change.c.incarnation,
        change.c.operation,
        change.c.due_at,
        change.c.sent_at,
        change.c.send_until,
        change.c.attempts,
        change.c.code,
        change.c.policy,
        change.c.doubted,
        mailbox.c.key.label("mailbox_key"),
        mailbox.c.address,
        mailbox.c.contacted_at,
        mailbox.c.id_form,
        meeting.c.source,
        meeting.c.key.label("meeting_key"),
        entry.c.event_id,
        entry.c.etag,
        entry.c.fingerprint.label("entry_fingerprint"),
        entry.c.starts_at.label("entry_starts_at"),
        entry.c.ends_at.label("entry_ends_at"),
        entry.c.incarnation.label("entry_incarnation"),
        entry.c.operation.label("entry_operation"),
    )
    .join(mailbox, mailbox.c.id == change.c.mailbox_id)
    .join(meeting, meeting.c.id == change.c.meeting_id)
    .outerjoin(
        entry, (entry.c.mailbox_id == change.c.mailbox_id) & (entry.c.meeting_id == change.c.meeting_id)
    )
)


def change_of(row: Row[Any]) -> Change:
    """A change as a row of ``SELECTED`` tells it."""
    owner = Mailbox(
        id=row.mailbox_id,
        key=row.mailbox_key,
        address=row.address,
        contacted=row.contacted_at is not None,
        id_form=row.id_form,
    )
    key = full_key(row.source, row.meeting_key)
    return Change(
        id=row.id,
        mailbox=owner,
        meeting_id=row.meeting_id,
        meeting_key=key,
        action=Action(row.action),
        reason=Reason(row.reason),
        state=ChangeState(row.state),
        fingerprint=unsigned(row.fingerprint),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        incarnation=row.incarnation,
        operation=row.operation,
        calendar=row.calendar,
        entry=_entry(row, owner, key) if row.event_id is not None else None,
        due_at=row.due_at,
        sent_at=row.sent_at,
        send_until=row.send_until,
        attempts=row.attempts,
        code=row.code,
        policy=Policy(row.policy),
        doubted=bool(row.doubted),
    )


def _entry(row: Row[Any], owner: Mailbox, key: str) -> Entry:
    return Entry(
        mailbox=owner,
        meeting_id=row.meeting_id,
        meeting_key=key,
        event_id=row.event_id,
        etag=row.etag,
        fingerprint=unsigned(row.entry_fingerprint),
        starts_at=row.entry_starts_at,
        ends_at=row.entry_ends_at,
        incarnation=row.entry_incarnation,
        operation=row.entry_operation,
    )
