"""
Accepting a plan: one transaction in which its changes become durable rows.

Keys the ledger did not know get their lasting numbers, renderings are kept, and open changes that were
never sent give way to the new plan, unless it asks for exactly the same again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from classbell.ledger.bits import signed
from classbell.ledger.database import Database, insert_one
from classbell.ledger.entries import full_key
from classbell.ledger.meetings import NewRendering, keep_meetings, keep_renderings
from classbell.ledger.schema import change, entry, ledger, mailbox, meeting, past_incarnation, run
from classbell.model import Action, ChangeState, Ids
from classbell.numbering import lasting
from classbell.operations import operation_id
from classbell.plan import Plan

# Delivery may later be spread over workers by shard; a row's shard never changes.
SHARDS = 1024


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """
    A plan that passed its guards, with what the ledger needs to keep it.

    Args:
        plan: the changes; mailbox and meeting numbers may be provisional.
        calendars: the names that ``plan.calendar`` indexes.
        fresh_mailboxes: new mailbox keys with their addresses, in the order of their provisional numbers.
        fresh_meetings: new (source, key), in the order of their provisional numbers.
        renderings: new renderings.
        sources_read: the sources this plan answers for; open changes of others stay.
        only: if given, the number of the one mailbox this plan answers for.
    """

    plan: Plan
    calendars: Sequence[str]
    fresh_mailboxes: Mapping[str, str]
    fresh_meetings: Sequence[tuple[str, str]]
    renderings: Sequence[NewRendering]
    sources_read: frozenset[str]
    only: int | None = None


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """The run that now owns the changes, the ledger's new revision, and how many rows are new or kept."""

    run_id: int
    revision: int
    new: int
    kept: int


class Acceptor:
    """Accepts plans for one institution."""

    def __init__(self, database: Database, institution_id: int, installation: str, institution: str) -> None:
        self._database = database
        self._institution_id = institution_id
        self._installation = installation
        self._institution = institution

    async def accept(self, accepted: Accepted, now: float) -> Acceptance:
        """Make a plan's changes durable; nothing of it is kept if this raises."""
        return await self._database.write(lambda connection: self._accept(connection, accepted, now))

    def _accept(self, connection: Connection, accepted: Accepted, now: float) -> Acceptance:
        plan = accepted.plan
        mailboxes = lasting(plan.mailbox, self._keep_mailboxes(connection, accepted.fresh_mailboxes))
        meetings = lasting(
            plan.meeting, keep_meetings(connection, self._institution_id, accepted.fresh_meetings)
        )
        keep_renderings(connection, self._institution_id, accepted.renderings)
        run_id = insert_one(
            connection, insert(run).values(institution_id=self._institution_id, started_at=now)
        )
        kept = self._give_way(connection, accepted, mailboxes, meetings)
        rows = self._rows(connection, accepted, mailboxes, meetings, kept, run_id)
        if rows:
            connection.execute(insert(change), rows)
        connection.execute(update(ledger).values(revision=ledger.c.revision + 1))
        revision = int(connection.execute(select(ledger.c.revision)).scalar_one())
        return Acceptance(run_id=run_id, revision=revision, new=len(rows), kept=len(kept))

    def _keep_mailboxes(self, connection: Connection, fresh: Mapping[str, str]) -> Ids:
        if not fresh:
            return np.empty(0, dtype=np.int64)
        connection.execute(
            insert(mailbox),
            [
                {"institution_id": self._institution_id, "key": key, "address": address}
                for key, address in fresh.items()
            ],
        )
        query = select(mailbox.c.key, mailbox.c.id).where(mailbox.c.institution_id == self._institution_id)
        known = dict(connection.execute(query).all())
        return np.array([known[key] for key in fresh], dtype=np.int64)

    def _give_way(
        self, connection: Connection, accepted: Accepted, mailboxes: Ids, meetings: Ids
    ) -> set[tuple[int, int]]:
        """Supersede open changes that the new plan does not repeat; the pairs of those it does."""
        plan = accepted.plan
        wanted = {
            (box, of): (action, signed(fingerprint))
            for box, of, action, fingerprint in zip(
                mailboxes.tolist(),
                meetings.tolist(),
                plan.action.tolist(),
                plan.fingerprint.tolist(),
                strict=True,
            )
        }
        query = (
            select(
                change.c.id,
                change.c.mailbox_id,
                change.c.meeting_id,
                change.c.action,
                change.c.fingerprint,
                change.c.attempts,
            )
            .join(meeting, meeting.c.id == change.c.meeting_id)
            .where(
                change.c.institution_id == self._institution_id,
                change.c.state.in_((ChangeState.PENDING, ChangeState.WAITING)),
                meeting.c.source.in_(accepted.sources_read),
            )
        )
        if accepted.only is not None:
            query = query.where(change.c.mailbox_id == accepted.only)
        kept: set[tuple[int, int]] = set()
        untried: list[dict[str, int]] = []
        tried: list[dict[str, int]] = []
        for row in connection.execute(query):
            pair = (row.mailbox_id, row.meeting_id)
            if wanted.get(pair) == (row.action, row.fingerprint):
                kept.add(pair)
            else:
                (tried if row.attempts else untried).append({"number": row.id})
        if untried:
            connection.execute(delete(change).where(change.c.id == bindparam("number")), untried)
        if tried:
            connection.execute(
                update(change).where(change.c.id == bindparam("number")).values(state=ChangeState.SUPERSEDED),
                tried,
            )
        return kept

    def _rows(
        self,
        connection: Connection,
        accepted: Accepted,
        mailboxes: Ids,
        meetings: Ids,
        kept: set[tuple[int, int]],
        run_id: int,
    ) -> list[dict[str, object]]:
        plan = accepted.plan
        incarnations = self._incarnations(connection, plan, mailboxes, meetings)
        keys = _mailbox_keys(connection, self._institution_id)
        names = _meeting_keys(connection, self._institution_id)
        out = _out(connection, self._institution_id)
        rows: list[dict[str, object]] = []
        for box, of, action, reason, wanted, previous, starts, ends, calendar, incarnation in zip(
            mailboxes.tolist(),
            meetings.tolist(),
            plan.action.tolist(),
            plan.reason.tolist(),
            plan.fingerprint.tolist(),
            plan.previous.tolist(),
            plan.starts.tolist(),
            plan.ends.tolist(),
            plan.calendar.tolist(),
            incarnations,
            strict=True,
        ):
            if (box, of) in kept:
                continue
            code, detail, retry_at = out.get(box, ("", "", 0.0))
            rows.append(
                {
                    "institution_id": self._institution_id,
                    "shard": box % SHARDS,
                    "run_id": run_id,
                    "mailbox_id": box,
                    "meeting_id": of,
                    "action": action,
                    "reason": reason,
                    "state": ChangeState.WAITING.value if code else ChangeState.PENDING.value,
                    "fingerprint": signed(wanted),
                    "previous": signed(previous),
                    "starts_at": starts,
                    "ends_at": ends,
                    "calendar": accepted.calendars[calendar],
                    "incarnation": incarnation,
                    "operation": operation_id(
                        self._installation, self._institution, keys[box], names[of], incarnation
                    ),
                    "due_at": retry_at,
                    "code": code,
                    "detail": detail,
                }
            )
        return rows

    def _incarnations(self, connection: Connection, plan: Plan, mailboxes: Ids, meetings: Ids) -> list[int]:
        """For a create one more than ever before; for the others that of the event they touch."""
        past: dict[tuple[int, int], int] = {}
        query = select(past_incarnation).join(mailbox, mailbox.c.id == past_incarnation.c.mailbox_id)
        for row in connection.execute(query.where(mailbox.c.institution_id == self._institution_id)):
            past[row.mailbox_id, row.meeting_id] = row.incarnation
        result = []
        for box, of, action in zip(mailboxes.tolist(), meetings.tolist(), plan.action.tolist(), strict=True):
            if action == Action.CREATE:
                result.append(past.get((box, of), 0) + 1)
            else:
                found = connection.execute(_INCARNATION, {"box": box, "of": of}).scalar()
                result.append(int(found or 1))
        return result


_INCARNATION = select(entry.c.incarnation).where(
    entry.c.mailbox_id == bindparam("box"), entry.c.meeting_id == bindparam("of")
)


def _mailbox_keys(connection: Connection, institution_id: int) -> dict[int, str]:
    query = select(mailbox.c.id, mailbox.c.key).where(mailbox.c.institution_id == institution_id)
    return dict(connection.execute(query).all())


def _meeting_keys(connection: Connection, institution_id: int) -> dict[int, str]:
    query = select(meeting.c.id, meeting.c.source, meeting.c.key).where(
        meeting.c.institution_id == institution_id
    )
    return {number: full_key(source, key) for number, source, key in connection.execute(query)}


def _out(connection: Connection, institution_id: int) -> dict[int, tuple[str, str, float]]:
    query = select(mailbox.c.id, mailbox.c.out_code, mailbox.c.out_detail, mailbox.c.retry_at).where(
        mailbox.c.institution_id == institution_id, mailbox.c.out_code != ""
    )
    return {row.id: (row.out_code, row.out_detail, row.retry_at) for row in connection.execute(query)}
