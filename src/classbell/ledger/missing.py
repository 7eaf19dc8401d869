"""Absences: events that were seen to be gone from calendars, and that were not made again since."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from classbell.ledger.database import Database
from classbell.ledger.deletes import IS_DELETE
from classbell.ledger.mailboxes import mailbox_of
from classbell.ledger.schema import change, mailbox, suspension, wish
from classbell.ledger.words import among
from classbell.model import Action, ChangeState, Mailbox, Policy, Reason, Suspended


@dataclass(frozen=True, kw_only=True)
class Absence:
    """
    An event that is gone.

    ``policy`` is that of its profile when it was last planned; 0 if that is not known any more.
    """

    mailbox: Mailbox
    meeting_id: int
    starts_at: int
    policy: Policy


class Absences:
    """What is gone from the institution's calendars."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._mine = {"mine": institution_id}

    async def all(self, since: float) -> list[Absence]:
        """Those that start from *since* on, but for mailboxes in which nothing is wanted any more."""

        def read(connection: Connection) -> list[Absence]:
            return [
                Absence(
                    mailbox=mailbox_of(row),
                    meeting_id=row.meeting_id,
                    starts_at=row.starts_at,
                    policy=Policy(row.policy or 0),
                )
                for row in connection.execute(_ABSENCES, self._mine | {"since": since})
            ]

        return await self._database.read(read)

    async def deleted_in_vain(self, since: float) -> int:
        """How many events turned out, since a moment, to be deleted by a plan that was not valid any more; not made since."""
        wanted = self._mine | {"since": since}
        return await self._database.read(lambda c: int(c.execute(_IN_VAIN, wanted).scalar_one()))


_LAST_POLICY = (
    select(change.c.policy)
    .where(
        change.c.mailbox_id == wish.c.mailbox_id,
        change.c.meeting_id == wish.c.meeting_id,
        change.c.action != Action.DELETE,
    )
    .order_by(change.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_WANT_NOTHING = (Suspended.UNLINKED, Suspended.PURGED, Suspended.CALENDAR)
_NOTHING_WANTED = select(suspension.c.mailbox_id).where(among(suspension.c.kind, _WANT_NOTHING))
_ABSENCES: Select[Any] = (
    select(mailbox, wish.c.meeting_id, wish.c.starts_at, _LAST_POLICY.label("policy"))
    .join(wish, wish.c.mailbox_id == mailbox.c.id)
    .where(
        mailbox.c.institution_id == bindparam("mine"),
        mailbox.c.id.not_in(_NOTHING_WANTED),
        wish.c.starts_at >= bindparam("since"),
    )
    .order_by(mailbox.c.id, wish.c.starts_at, wish.c.meeting_id)
)
_LATER = change.alias("later")
_IN_VAIN = (
    select(func.count())
    .select_from(change)
    .where(
        change.c.institution_id == bindparam("mine"),
        IS_DELETE,
        change.c.finished_at >= bindparam("since"),
        change.c.state == ChangeState.DONE,
        change.c.reason == Reason.REPRIEVED,
        change.c.mailbox_id.not_in(_NOTHING_WANTED),
        ~select(_LATER.c.id)
        .where(
            _LATER.c.mailbox_id == change.c.mailbox_id,
            _LATER.c.meeting_id == change.c.meeting_id,
            _LATER.c.id > change.c.id,
        )
        .exists(),
    )
)
