"""
Accepting a plan: one transaction in which its changes become durable rows.

Keys the ledger did not know get their lasting numbers, renderings are kept, and open changes that were
never sent give way to the new plan, unless it asks for exactly the same again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from sqlalchemy import BindParameter, Connection, bindparam, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from classbell.errors import HeldError, LeaseHeld
from classbell.ledger.changes import IS_OPEN, UNSETTLED
from classbell.ledger.database import Database, insert_one, parts_of
from classbell.ledger.entries import full_key, mark_stale
from classbell.ledger.giving_way import give_way, reprieve, take_back
from classbell.ledger.holds import use
from classbell.ledger.incarnations import used_before
from classbell.ledger.left_open import LeftOpen, left_open
from classbell.ledger.meetings import NewRendering, keep_meetings, keep_renderings
from classbell.ledger.outcomes import CREATING
from classbell.ledger.rekeying import Rekeyed, rekey
from classbell.ledger.rows import PLANNED, Rows
from classbell.ledger.runs import BEGIN, overtaken
from classbell.ledger.schema import change, entry, ledger, mailbox, meeting, past_incarnation, sighting
from classbell.ledger.sighted import Sighted
from classbell.ledger.used_plans import use_plan
from classbell.ledger.words import among
from classbell.model import ChangeState, Ids, RunKind
from classbell.numbering import PROVISIONAL, lasting
from classbell.operations import operation_id
from classbell.plan import Mask, Plan

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
        unread: pairs (source, mailbox number) of which a part could not be read; creates that are open there
            stay, since nobody knows whether they are still wanted.
        wanted_again: pairs (mailbox, meeting) that sources ask for and that a request of before may have deleted.
        only: if given, the number of the one mailbox this plan answers for.
        rekeys: meetings that their source has given other keys; the plan knows them by these already.
        approvals: the numbers of the holds whose approvals let the plan pass; they are used up with it.
        basis: the newest run when the ledger was read for this plan (``Runs.newest``); None if nobody else
            can have planned meanwhile.
        kind: which command it was.
        saved_plan: the digest of the saved plan that it is; each is accepted once, if anything of it passes.
        takes_back: the number of a run whose deletes are not to be carried out any more.
        record: what is to be known of the run from its beginning, however it ends.
    """

    plan: Plan
    calendars: Sequence[str]
    fresh_mailboxes: Mapping[str, str]
    fresh_meetings: Sequence[tuple[str, str]]
    renderings: Sequence[NewRendering]
    sources_read: frozenset[str]
    unread: frozenset[tuple[str, int]] = frozenset()
    wanted_again: frozenset[tuple[int, int]] = frozenset()
    only: int | None = None
    rekeys: Sequence[Rekeyed] = ()
    approvals: Sequence[int] = ()
    basis: int | None = None
    kind: RunKind = RunKind.SYNC
    saved_plan: str = ""
    takes_back: int | None = None
    record: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_of_now(self) -> bool:
        """Whether it was made from what sources say now."""
        return self.kind is not RunKind.RESTORE and not self.saved_plan


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
        """
        Make a plan's changes durable; nothing of it is kept if this raises.

        What has been settled, sent or held since the plan was made is left out of it: the next plan will see.

        Raises:
            LeaseHeld: E-LEASE, another plan has been accepted meanwhile, perhaps from newer timetables.
            HeldError: E-HOLD-WITHDRAWN, an approval that it rests on was taken back meanwhile.
        """
        return await self._database.write(lambda connection: self._accept(connection, accepted, now))

    async def left_open(self, accepted: Accepted, now: float) -> LeftOpen:
        """What was open before and goes on beside a plan, if it is accepted."""
        return await self._database.read(lambda c: left_open(c, self._institution_id, accepted, now))

    def _accept(self, connection: Connection, accepted: Accepted, now: float) -> Acceptance:
        if overtaken(connection, self._institution_id, accepted.basis, saved=bool(accepted.saved_plan)):
            raise _overtaken("Another plan for this institution has been accepted since this one was made.")
        if use(connection, self._institution_id, accepted.approvals) != len(accepted.approvals):
            raise HeldError(
                "E-HOLD-WITHDRAWN",
                "An approval that this plan rests on was taken back meanwhile.",
                why="somebody rejected it, or another run has used it",
                do="see what is held: classbell holds list",
                effect="no calendar was changed by this command",
            )
        try:
            mailboxes = self._keep_mailboxes(connection, accepted.fresh_mailboxes)
            meetings = keep_meetings(connection, self._institution_id, accepted.fresh_meetings)
        except IntegrityError as error:
            # Entered by what is no run: a pause, or a rebuild.
            raise _overtaken("The ledger has changed since this plan was made.") from error
        # What is held whole can be carried out once it is approved.
        if accepted.saved_plan and (len(accepted.plan) or accepted.rekeys):
            use_plan(connection, self._institution_id, accepted.saved_plan, now)
        keep_renderings(connection, self._institution_id, accepted.renderings)
        run_id = self._begin(connection, accepted, now)
        rekey(connection, self._institution_id, accepted.rekeys, run_id, now)
        rows = Rows(
            plan=accepted.plan,
            mailbox=lasting(accepted.plan.mailbox, mailboxes),
            meeting=lasting(accepted.plan.meeting, meetings),
            calendars=accepted.calendars,
        )
        repeated = give_way(connection, self._institution_id, accepted, rows, run_id)
        if accepted.is_of_now:
            reprieve(connection, self._institution_id, accepted)
        if accepted.takes_back is not None:
            take_back(connection, self._institution_id, accepted.takes_back, accepted.only)
        names = _Names(connection, self._institution_id)
        names.mailboxes.update(zip(mailboxes.tolist(), accepted.fresh_mailboxes, strict=True))
        names.meetings.update(zip(meetings.tolist(), accepted.fresh_meetings, strict=True))
        names.see(rows.mailbox)
        new = 0
        for part in rows.parts(~repeated & ~self._unsettled(connection, rows)):
            new += self._insert(connection, part, names, run_id)
        connection.execute(_ADVANCE)
        revision = int(connection.execute(_REVISION).scalar_one())
        return Acceptance(run_id=run_id, revision=revision, new=new, kept=int(np.count_nonzero(repeated)))

    def _begin(self, connection: Connection, accepted: Accepted, now: float) -> int:
        values = {"institution_id": self._institution_id, "kind": accepted.kind, "started_at": now}
        return insert_one(connection, BEGIN, values | {"summary": msgspec.json.encode(accepted.record)})

    def _keep_mailboxes(self, connection: Connection, fresh: Mapping[str, str]) -> Ids:
        if not fresh:
            return np.empty(0, dtype=np.int64)
        connection.execute(
            _ENTER,
            [
                {"institution_id": self._institution_id, "key": key, "address": address}
                for key, address in fresh.items()
            ],
        )
        given: dict[str, int] = {}
        for part in parts_of(list(fresh)):
            wanted = {"mine": self._institution_id, "names": part}
            given.update(connection.execute(_OF_KEYS, wanted).all())
        return np.array([given[key] for key in fresh], dtype=np.int64)

    def _unsettled(self, connection: Connection, rows: Rows) -> Mask:
        """A mask of the rows whose pair has a change that was sent, or waits for a person, since the plan was made."""
        pairs = connection.execute(_UNSETTLED, {"mine": self._institution_id}).all()
        places = rows.places([row.mailbox_id for row in pairs], [row.meeting_id for row in pairs])
        mask = np.zeros(len(rows), dtype=np.bool_)
        mask[places[places >= 0]] = True
        return mask

    def _insert(self, connection: Connection, part: Rows, names: "_Names", run_id: int) -> int:
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
                incarnation = max(names.past.get((box, of), 0), names.used_before) + 1
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
        made = connection.execute(_INSERT_CREATES, creates).rowcount if creates else 0
        touched = connection.execute(_INSERT_OTHERS, others).rowcount if others else 0
        if made + touched != len(creates) + len(others):
            # The packed rows that the plan was made from do not say what the ledger says now.
            mark_stale(connection, self._institution_id, part.mailbox.tolist())
        return made + touched


class _Names:
    """What the rows of a plan need to know of their mailboxes and meetings, asked for once."""

    def __init__(self, connection: Connection, institution_id: int) -> None:
        self._connection = connection
        self._mine = {"mine": institution_id}
        self.mailboxes: dict[int, str] = {}
        self.meetings: dict[int, tuple[str, str]] = {}
        self.past: dict[tuple[int, int], int] = {}
        self.used_before = used_before(connection, institution_id)
        self.out: dict[int, tuple[str, str, float]] = {
            number: (code, detail, retry_at)
            for number, code, detail, retry_at in connection.execute(_OUT, self._mine)
        }

    def see(self, mailboxes: Ids) -> None:
        """See that nobody was forgotten whom the plan names."""
        known = set(self._connection.execute(_KNOWN, self._mine).scalars())
        if not known.issuperset(np.unique(mailboxes).tolist()):
            raise _overtaken("Somebody whom this plan names was forgotten since it was made.")

    def learn(self, part: Rows) -> None:
        """Look up the keys that its creates need, and the incarnations that were there before."""
        creating = np.isin(part.plan.action, CREATING)
        boxes = np.unique(part.mailbox[creating]).tolist()
        for numbers in parts_of([box for box in boxes if box not in self.mailboxes]):
            self.mailboxes.update(self._connection.execute(_MAILBOX_KEYS, self._some(numbers)).all())
        meetings = np.unique(part.meeting[creating]).tolist()
        for numbers in parts_of([of for of in meetings if of not in self.meetings]):
            found = self._connection.execute(_MEETING_KEYS, self._some(numbers))
            self.meetings.update((number, (source, key)) for number, source, key in found)
        # A pair whose mailbox or meeting is new was never delivered.
        old = creating & (part.plan.mailbox < PROVISIONAL) & (part.plan.meeting < PROVISIONAL)
        self.past.clear()
        for numbers in parts_of(np.unique(part.mailbox[old]).tolist()):
            for box, of, incarnation in self._connection.execute(_PAST, self._some(numbers)):
                self.past[box, of] = incarnation

    def _some(self, numbers: Sequence[int]) -> Mapping[str, object]:
        return {**self._mine, "numbers": numbers}


_REVISION = select(ledger.c.revision)
_ADVANCE = update(ledger).values(revision=ledger.c.revision + 1)

_OUR_MAILBOXES = mailbox.c.institution_id == bindparam("mine")
_SOME: BindParameter[Sequence[int]] = bindparam("numbers", expanding=True)
_ENTER = insert(mailbox)
_OF_KEYS = select(mailbox.c.key, mailbox.c.id).where(
    _OUR_MAILBOXES, mailbox.c.key.in_(bindparam("names", expanding=True))
)
_OUT = select(mailbox.c.id, mailbox.c.out_code, mailbox.c.out_detail, mailbox.c.retry_at).where(
    _OUR_MAILBOXES, mailbox.c.out_code != ""
)
_KNOWN = select(mailbox.c.id).where(_OUR_MAILBOXES)
_MAILBOX_KEYS = select(mailbox.c.id, mailbox.c.key).where(_OUR_MAILBOXES, mailbox.c.id.in_(_SOME))
_MEETING_KEYS = select(meeting.c.id, meeting.c.source, meeting.c.key).where(
    meeting.c.institution_id == bindparam("mine"), meeting.c.id.in_(_SOME)
)
_PAST = select(past_incarnation).where(past_incarnation.c.mailbox_id.in_(_SOME))

_MINE = change.c.institution_id == bindparam("mine")
_UNSETTLED = select(change.c.mailbox_id, change.c.meeting_id).where(
    _MINE, IS_OPEN, among(change.c.state, UNSETTLED)
)
# What changes or removes an event takes incarnation and operation from the event's own row: without such
# a row there is nothing that may be touched.
_FROM_ENTRY = {"incarnation": entry.c.incarnation, "operation": entry.c.operation}
_WRITTEN = [
    *("institution_id", "run_id", "shard", "state", "due_at", "code", "detail"),
    *PLANNED,
    *_FROM_ENTRY,
]
_INSERT_OTHERS = (
    insert(change)
    .from_select(
        _WRITTEN,
        select(
            *(_FROM_ENTRY.get(name, bindparam(name, type_=change.c[name].type)) for name in _WRITTEN)
        ).where(
            entry.c.mailbox_id == bindparam("mailbox_id"),
            entry.c.meeting_id == bindparam("meeting_id"),
            entry.c.fingerprint == bindparam("previous"),
        ),
    )
    .execution_options(preserve_rowcount=True)
)

# Nothing is created that another process has delivered since the plan was made.
_DELIVERED = (
    select(literal(1))
    .where(entry.c.mailbox_id == bindparam("mailbox_id"), entry.c.meeting_id == bindparam("meeting_id"))
    .exists()
)
# Nor where a look since has found what nobody can prove to be ours, as a rebuild beside this process does.
_HELD_THERE = (
    select(literal(1))
    .where(
        sighting.c.mailbox_id == bindparam("mailbox_id"),
        sighting.c.meeting_id == bindparam("meeting_id"),
        sighting.c.kind == Sighted.EXTRA,
    )
    .exists()
)
_INSERT_CREATES = (
    insert(change)
    .from_select(
        _WRITTEN,
        select(*(bindparam(name, type_=change.c[name].type) for name in _WRITTEN)).where(
            ~_DELIVERED, ~_HELD_THERE
        ),
    )
    .execution_options(preserve_rowcount=True)
)


def _overtaken(what: str) -> LeaseHeld:
    return LeaseHeld(
        "E-LEASE",
        what,
        why="another Classbell process works on this institution",
        do="run this command again; it then plans from what is there now",
        effect="no calendar was changed by this command",
    )
