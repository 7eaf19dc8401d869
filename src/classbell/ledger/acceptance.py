"""
Accepting a plan: one transaction in which its changes become durable rows.

Keys the ledger did not know get their lasting numbers, renderings are kept, and open changes that were
never sent give way to the new plan, unless it asks for exactly the same again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from classbell.errors import HeldError
from classbell.ledger.changes import IS_OPEN
from classbell.ledger.database import Database, insert_one, parts_of
from classbell.ledger.entries import full_key, mark_stale
from classbell.ledger.holds import use
from classbell.ledger.meetings import NewRendering, keep_meetings, keep_renderings
from classbell.ledger.outcomes import CREATING
from classbell.ledger.schema import change, entry, ledger, mailbox, meeting, past_incarnation, run
from classbell.model import ChangeState, Ids
from classbell.numbering import PROVISIONAL, lasting
from classbell.operations import operation_id
from classbell.plan import Mask, Plan, pair_keys

# Delivery may later be spread over workers by shard; a row's shard never changes.
SHARDS = 1024

# Rows are made and written in parts, so that a first load of millions needs no more memory than a small one.
_ROWS_AT_ONCE = 5000


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
        unread: pairs (source, mailbox number) of which a part could not be read; creates that are open there
            stay, since nobody knows whether they are still wanted.
        only: if given, the number of the one mailbox this plan answers for.
        approvals: the numbers of the holds whose approvals let the plan pass; they are used up with it.
    """

    plan: Plan
    calendars: Sequence[str]
    fresh_mailboxes: Mapping[str, str]
    fresh_meetings: Sequence[tuple[str, str]]
    renderings: Sequence[NewRendering]
    sources_read: frozenset[str]
    unread: frozenset[tuple[str, int]] = frozenset()
    only: int | None = None
    approvals: Sequence[int] = ()


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
        if use(connection, self._institution_id, accepted.approvals) != len(accepted.approvals):
            raise HeldError(
                "E-HOLD-WITHDRAWN",
                "An approval that this plan rests on was taken back meanwhile.",
                why="somebody rejected it, or another run has used it",
                do="see what is held: classbell holds list",
                effect="no calendar was changed by this command",
            )
        mailboxes = self._keep_mailboxes(connection, accepted.fresh_mailboxes)
        meetings = keep_meetings(connection, self._institution_id, accepted.fresh_meetings)
        keep_renderings(connection, self._institution_id, accepted.renderings)
        run_id = insert_one(
            connection, insert(run).values(institution_id=self._institution_id, started_at=now)
        )
        rows = _Rows(
            plan=accepted.plan,
            mailbox=lasting(accepted.plan.mailbox, mailboxes),
            meeting=lasting(accepted.plan.meeting, meetings),
            calendars=accepted.calendars,
        )
        repeated = self._give_way(connection, accepted, rows)
        names = _Names(connection, self._institution_id)
        names.mailboxes.update(zip(mailboxes.tolist(), accepted.fresh_mailboxes, strict=True))
        names.meetings.update(zip(meetings.tolist(), accepted.fresh_meetings, strict=True))
        new = 0
        for part in rows.parts(~repeated):
            new += self._insert(connection, part, names, run_id)
        connection.execute(update(ledger).values(revision=ledger.c.revision + 1))
        revision = int(connection.execute(select(ledger.c.revision)).scalar_one())
        return Acceptance(run_id=run_id, revision=revision, new=new, kept=int(np.count_nonzero(repeated)))

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
        given: dict[str, int] = {}
        for part in parts_of(list(fresh)):
            given.update(connection.execute(query.where(mailbox.c.key.in_(part))).all())
        return np.array([given[key] for key in fresh], dtype=np.int64)

    def _give_way(self, connection: Connection, accepted: Accepted, rows: "_Rows") -> Mask:
        """Supersede open changes that the new plan does not repeat; a mask of those rows that it does."""
        query = (
            select(
                change.c.id,
                change.c.mailbox_id,
                change.c.meeting_id,
                change.c.action,
                change.c.fingerprint,
                change.c.sent_at,
                change.c.calendar,
                meeting.c.source,
            )
            .join(meeting, meeting.c.id == change.c.meeting_id)
            .where(
                change.c.institution_id == self._institution_id,
                IS_OPEN,
                change.c.state.in_((ChangeState.PENDING, ChangeState.WAITING)),
                meeting.c.source.in_(accepted.sources_read),
            )
        )
        if accepted.only is not None:
            query = query.where(change.c.mailbox_id == accepted.only)
        repeated = np.zeros(len(rows), dtype=np.bool_)
        untried: list[dict[str, int]] = []
        tried: list[dict[str, int]] = []
        for found in connection.execute(query).partitions(_ROWS_AT_ONCE):
            places = rows.places([row.mailbox_id for row in found], [row.meeting_id for row in found])
            asked = rows.repeat(
                places,
                [row.action for row in found],
                [row.fingerprint for row in found],
                [row.calendar for row in found],
            )
            repeated[places[asked]] = True
            for index in np.flatnonzero(~asked).tolist():
                row = found[index]
                unread = (row.source, row.mailbox_id) in accepted.unread
                if not (places[index] < 0 and row.action in CREATING and unread):
                    (tried if row.sent_at else untried).append({"number": row.id})
        if untried:
            connection.execute(delete(change).where(change.c.id == bindparam("number")), untried)
        if tried:
            connection.execute(
                update(change).where(change.c.id == bindparam("number")).values(state=ChangeState.SUPERSEDED),
                tried,
            )
        return repeated

    def _insert(self, connection: Connection, part: "_Rows", names: "_Names", run_id: int) -> int:
        """Write a part of the plan as rows; how many."""
        names.learn(part)
        creates: list[dict[str, object]] = []
        others: list[dict[str, object]] = []
        for box, of, row in part.rows():
            code, detail, retry_at = names.out.get(box, ("", "", 0.0))
            row |= {
                "institution_id": self._institution_id,
                "run_id": run_id,
                "shard": box % SHARDS,
                "state": ChangeState.WAITING.value if code else ChangeState.PENDING.value,
                "due_at": retry_at,
                "code": code,
                "detail": detail,
            }
            if row["action"] in CREATING:
                incarnation = names.past.get((box, of), 0) + 1
                row["incarnation"] = incarnation
                row["operation"] = operation_id(
                    self._installation,
                    self._institution,
                    names.mailboxes[box],
                    full_key(*names.meetings[of]),
                    incarnation,
                )
                creates.append(row)
            else:
                others.append(row)
        if creates:
            connection.execute(insert(change), creates)
        touched = connection.execute(_INSERT_OTHERS, others).rowcount if others else 0
        if touched != len(others):
            # The packed rows that the plan was made from name an event that the ledger does not have.
            mark_stale(connection, self._institution_id, part.mailbox.tolist())
        return len(creates) + touched


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """A plan with lasting numbers, ready to be written."""

    plan: Plan
    mailbox: Ids
    meeting: Ids
    calendars: Sequence[str]

    def __len__(self) -> int:
        return len(self.plan)

    def parts(self, wanted: Mask) -> "Iterator[_Rows]":
        """The wanted rows, some at a time."""
        places = np.flatnonzero(wanted)
        for begin in range(0, len(places), _ROWS_AT_ONCE):
            part = places[begin : begin + _ROWS_AT_ONCE]
            yield _Rows(
                plan=self.plan.chosen(part),
                mailbox=self.mailbox[part],
                meeting=self.meeting[part],
                calendars=self.calendars,
            )

    def rows(self) -> Iterator[tuple[int, int, dict[str, object]]]:
        """Mailbox, meeting, and what the plan says of each."""
        plan = self.plan
        columns = (
            self.mailbox.tolist(),
            self.meeting.tolist(),
            plan.action.tolist(),
            plan.reason.tolist(),
            plan.fingerprint.view(np.int64).tolist(),
            plan.previous.view(np.int64).tolist(),
            plan.starts.tolist(),
            plan.ends.tolist(),
            [self.calendars[index] for index in plan.calendar.tolist()],
        )
        for values in zip(*columns, strict=True):
            yield values[0], values[1], dict(zip(_PLANNED, values, strict=True))

    @cached_property
    def _order(self) -> tuple[Ids, Ids]:
        """The pairs in ascending order, and where each stands."""
        keys = pair_keys(self.mailbox, self.meeting)
        order = np.argsort(keys)
        return keys[order], order

    def places(self, mailboxes: Sequence[int], meetings: Sequence[int]) -> Ids:
        """Where pairs stand in the plan; -1 for those that do not."""
        keys, order = self._order
        pairs = pair_keys(np.array(mailboxes, dtype=np.int64), np.array(meetings, dtype=np.int64))
        near = np.searchsorted(keys, pairs)
        inside = near < len(keys)
        found = np.full(len(pairs), -1, dtype=np.int64)
        hit = keys[near[inside]] == pairs[inside]
        found[np.flatnonzero(inside)[hit]] = order[near[inside][hit]]
        return found

    def repeat(
        self, places: Ids, actions: Sequence[int], fingerprints: Sequence[int], calendars: Sequence[str]
    ) -> Mask:
        """Whether the plan asks at these places for exactly this; only a create minds its calendar."""
        plan = self.plan
        asked = places >= 0
        at = places[asked]
        action = np.array(actions, dtype=np.int8)[asked]
        number = {name: index for index, name in enumerate(self.calendars)}
        calendar = np.array([number.get(name, -1) for name in calendars], dtype=np.int16)[asked]
        asked[asked] = (
            (plan.action[at] == action)
            & (plan.fingerprint[at].view(np.int64) == np.array(fingerprints, dtype=np.int64)[asked])
            & (~np.isin(action, CREATING) | (plan.calendar[at] == calendar))
        )
        return asked


class _Names:
    """What the rows of a plan need to know of their mailboxes and meetings, asked for once."""

    def __init__(self, connection: Connection, institution_id: int) -> None:
        self._connection = connection
        self._institution_id = institution_id
        self._mine = mailbox.c.institution_id == institution_id
        self.mailboxes: dict[int, str] = {}
        self.meetings: dict[int, tuple[str, str]] = {}
        self.past: dict[tuple[int, int], int] = {}
        query = select(mailbox.c.id, mailbox.c.out_code, mailbox.c.out_detail, mailbox.c.retry_at)
        found = connection.execute(query.where(self._mine, mailbox.c.out_code != ""))
        self.out: dict[int, tuple[str, str, float]] = {
            number: (code, detail, retry_at) for number, code, detail, retry_at in found
        }

    def learn(self, part: _Rows) -> None:
        """Look up the keys that its creates need, and the incarnations that were there before."""
        creating = np.isin(part.plan.action, CREATING)
        boxes = np.unique(part.mailbox[creating]).tolist()
        of_mailbox = select(mailbox.c.id, mailbox.c.key).where(self._mine)
        for numbers in parts_of([box for box in boxes if box not in self.mailboxes]):
            self.mailboxes.update(self._connection.execute(of_mailbox.where(mailbox.c.id.in_(numbers))).all())
        of_meeting = select(meeting.c.id, meeting.c.source, meeting.c.key).where(
            meeting.c.institution_id == self._institution_id
        )
        meetings = np.unique(part.meeting[creating]).tolist()
        for numbers in parts_of([of for of in meetings if of not in self.meetings]):
            found = self._connection.execute(of_meeting.where(meeting.c.id.in_(numbers)))
            self.meetings.update((number, (source, key)) for number, source, key in found)
        # A pair whose mailbox or meeting is new was never delivered.
        old = creating & (part.plan.mailbox < PROVISIONAL) & (part.plan.meeting < PROVISIONAL)
        self.past.clear()
        for numbers in parts_of(np.unique(part.mailbox[old]).tolist()):
            query = select(past_incarnation).where(past_incarnation.c.mailbox_id.in_(numbers))
            for box, of, incarnation in self._connection.execute(query):
                self.past[box, of] = incarnation


_PLANNED = (
    "mailbox_id",
    "meeting_id",
    "action",
    "reason",
    "fingerprint",
    "previous",
    "starts_at",
    "ends_at",
    "calendar",
)

# What changes or removes an event takes incarnation and operation from the event's own row: without such
# a row there is nothing that may be touched.
_FROM_ENTRY = {"incarnation": entry.c.incarnation, "operation": entry.c.operation}
_WRITTEN = [
    *("institution_id", "run_id", "shard", "state", "due_at", "code", "detail"),
    *_PLANNED,
    *_FROM_ENTRY,
]
_INSERT_OTHERS = (
    insert(change)
    .from_select(
        _WRITTEN,
        select(
            *(_FROM_ENTRY.get(name, bindparam(name, type_=change.c[name].type)) for name in _WRITTEN)
        ).where(entry.c.mailbox_id == bindparam("mailbox_id"), entry.c.meeting_id == bindparam("meeting_id")),
    )
    .execution_options(preserve_rowcount=True)
)
