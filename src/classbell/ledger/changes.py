"""
The durable changes of one institution: accepted plans, intents and outcomes.

A change row is written when its plan is accepted, marked sent before its request leaves, and concluded
after its answer. Whatever instant the process dies at, what is left tells the next run what to do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Float,
    Integer,
    Select,
    bindparam,
    func,
    or_,
    select,
    tuple_,
    update,
)

from classbell.errors import LeaseHeld
from classbell.ledger.change_rows import SELECTED, change_of
from classbell.ledger.database import Database
from classbell.ledger.gate import IS_PAUSED, OPEN_GATE, OUTLIVED, STILL_WANTED
from classbell.ledger.outcomes import CREATING, record
from classbell.ledger.schema import DUE_STATES, OPEN_STATES, change
from classbell.ledger.waiting import Waiting, read_waiting
from classbell.ledger.words import among
from classbell.model import Action, Change, ChangeState, Outcome
from classbell.operations import operation_id

# Of these nobody knows, or a person is to say, what becomes of them.
UNSETTLED = (ChangeState.SENT, ChangeState.UNKNOWN, ChangeState.HELD)

IS_OPEN: ColumnElement[bool] = among(change.c.state, OPEN_STATES)
IS_DUE = among(change.c.state, DUE_STATES)


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A change about to be sent, and until when its request may leave (seconds)."""

    change: Change
    send_until: float


class Changes:
    """The institution's changes."""

    def __init__(self, database: Database, institution_id: int, installation: str, institution: str) -> None:
        self._database = database
        self._institution_id = institution_id
        self._installation = installation
        self._institution = institution
        self._mine = {"mine": institution_id}

    async def adrift(self, now: float, bound: float) -> int:
        """
        Take up what a dead process left as sent: nobody knows what became of it.

        Creates wait until *bound* seconds after their last moment of sending; then a look decides.
        Updates and deletes are due at once, under the same ``If-Match``. Until then planning leaves the
        pair alone: the plan of another day must not rest on what the ledger says of it.
        Deletes of what has ended by now, while nothing was sent of them, are given up.
        """

        def write(connection: Connection) -> int:
            self._give_up(connection, now)
            creates = connection.execute(_TAKE_UP_CREATES, self._mine | {"bound": bound}).rowcount
            others = connection.execute(_TAKE_UP_OTHERS, self._mine | {"now": now}).rowcount
            return creates + others

        return await self._database.write(write)

    async def give_up_ended(self, now: float) -> set[int]:
        """Give up the deletes of what has ended by now, while nothing was sent of them; their numbers."""
        return await self._database.write(lambda c: self._give_up(c, now))

    def _give_up(self, connection: Connection, now: float) -> set[int]:
        ended = set(connection.execute(_ENDED, self._mine | {"now": now}).scalars())
        if ended:
            connection.execute(_GIVE_UP, self._mine | {"now": now})
        return ended

    async def unsettled(self) -> list[tuple[int, int]]:
        """The pairs (mailbox, meeting) that planning must leave alone: sent, unknown or held changes."""
        return await self._database.read(lambda c: [(a, b) for a, b in c.execute(_UNSETTLED, self._mine)])

    async def due(
        self,
        now: float,
        limit: int,
        after: tuple[int, int] = (-(2**62), 0),
        only: int | None = None,
        run: int | None = None,
    ) -> list[Change]:
        """Changes to carry out or look after, soonest meetings first, from behind (start, id) *after*."""
        start, number = after
        bounds = {"now": now, "start": start, "number": number, "limit": limit}
        return await self._database.read(
            lambda c: [change_of(row) for row in self._doable(c, _DUE, only, run, bounds)]
        )

    async def next_due(
        self, only: int | None = None, after: float = -1.0, run: int | None = None
    ) -> float | None:
        """When the next open change comes due that was not yet at *after*; held ones never do."""
        return await self._database.read(
            lambda c: self._doable(c, _NEXT_DUE, only, run, {"after": after}).scalar()
        )

    async def open_count(self, only: int | None = None, run: int | None = None) -> int:
        """How many changes are open and may be carried out."""
        return await self._database.read(
            lambda c: int(self._doable(c, _OPEN_COUNT, only, run, {}).scalar_one())
        )

    def _doable(
        self,
        connection: Connection,
        query: Select[Any],
        only: int | None,
        run: int | None,
        bounds: Mapping[str, object],
    ) -> CursorResult[Any]:
        """What a query finds in all of the institution, or in *only* one mailbox, or of one run."""
        narrowed = _narrowed(query, in_one=only is not None, of_run=run is not None)
        return connection.execute(narrowed, {**self._mine, **bounds, "box": only, "run": run})

    async def waiting(self, only: str | None = None) -> list[Waiting]:
        """Open changes by state and reason, or only those of the mailbox with a key."""
        return await self._database.read(lambda c: read_waiting(c, self._institution_id, only))

    async def of_mailbox(self, number: int, limit: int = 1000) -> list[tuple[Change, str, float | None, str]]:
        """A mailbox's newest changes, each with detail, when it ended, and Microsoft's request id."""
        newest = self._mine | {"box": number, "limit": limit}
        return await self._database.read(
            lambda c: [
                (change_of(row), row.detail, row.finished_at, row.request_id)
                for row in c.execute(_OF_MAILBOX, newest)
            ]
        )

    async def intend(self, intents: Sequence[Intent], now: float) -> frozenset[int]:
        """
        Mark changes as sent. Their requests may leave once this has returned.

        Returns:
            The numbers of those that are not marked, since they were paused meanwhile: these must not be sent.

        Raises:
            LeaseHeld: E-LEASE, one of them is no longer open; nothing is marked and nothing may be sent.
        """
        rows = [
            {
                "number": intent.change.id,
                "mine": self._institution_id,
                "at": now,
                "until": intent.send_until,
                "tried": intent.change.attempts,
            }
            for intent in intents
        ]

        def write(connection: Connection) -> frozenset[int]:
            missed = len(rows) - connection.execute(_INTEND, rows).rowcount if rows else 0
            paused = self._paused(connection, intents) if missed else frozenset()
            if missed != len(paused):
                raise LeaseHeld(
                    "E-LEASE",
                    "A change to be sent is no longer in the ledger as it was read.",
                    why="another Classbell process works on this institution, and planned or delivered meanwhile",
                    do="wait until it has ended, or end it; then run this command again",
                    effect="this request was not sent",
                )
            return paused

        return await self._database.write(write)

    def _paused(self, connection: Connection, intents: Sequence[Intent]) -> frozenset[int]:
        """Those of some changes that were paused since they were read, and that nobody else has touched."""
        wanted = self._mine | {"numbers": [intent.change.id for intent in intents]}
        found = {(row.id, row.attempts, row.state) for row in connection.execute(_PAUSED, wanted)}
        read = {intent.change.id: (intent.change.attempts, intent.change.state) for intent in intents}
        return frozenset(number for number, *how in found if read[number] == tuple(how))

    async def postpone(self, number: int, code: str, detail: str, due_at: float) -> None:
        """Let all unsent changes of a mailbox that were due before wait until *due_at*, with a reason."""
        await self._database.write(
            lambda connection: postpone(connection, self._institution_id, number, code, detail, due_at)
        )

    async def release(self, code: str, numbers: Iterable[int]) -> None:
        """Make due what waits for one reason in some mailboxes."""
        rows = [self._mine | {"box": number, "why": code} for number in numbers]
        if rows:
            await self._database.write(lambda connection: connection.execute(_RELEASE, rows))

    async def release_held(self, number: int) -> None:
        """Try again what was held in a mailbox. A create is looked for again, never simply sent again."""

        def write(connection: Connection) -> None:
            for statement in (_LOOK_AGAIN, _TRY_AGAIN):
                connection.execute(statement, self._mine | {"box": number})

        await self._database.write(write)

    async def conclude(
        self, outcomes: Iterable[Outcome], now: float, *, intended: bool = False, id_form: str = ""
    ) -> None:
        """
        Record what came of changes, together with what the ledger then holds.

        An outcome counts only for its attempt: what another process has settled or sent since is for that one to record.

        Args:
            intended: whether ``intend`` was called for the changes as they stand in the outcomes.
            id_form: in which form the outcomes have ids of events; empty if they have none.
        """
        told, sent = list(outcomes), int(intended)
        await self._database.write(
            lambda c: record(c, self._institution_id, told, now, self._operation_of, sent, id_form)
        )

    def _operation_of(self, made: Change, incarnation: int) -> str:
        return operation_id(
            self._installation, self._institution, made.mailbox.key, made.meeting_key, incarnation
        )


def postpone(
    connection: Connection, institution_id: int, number: int, code: str, detail: str, due_at: float
) -> None:
    """Let the unsent changes of a mailbox that were due before wait until *due_at*, with a reason."""
    values = {"mine": institution_id, "box": number, "why": code, "text": detail, "due": due_at}
    connection.execute(_POSTPONE, values)


_MINE = change.c.institution_id == bindparam("mine")
_IN_THE_BOX = change.c.mailbox_id == bindparam("box")
_CREATES = among(change.c.action, CREATING)
# Open and not held nor under way, where people want something written.
_DOABLE: ColumnElement[bool] = _MINE & IS_DUE & OPEN_GATE
_LIMIT = bindparam("limit", type_=Integer)

# Under the same ``If-Match`` a second time does no harm. One by one: a list cannot be given to many rows at once.
_REPEATED = (Action.UPDATE, Action.DELETE)

_INTEND = (
    update(change)
    .where(change.c.id == bindparam("number"), change.c.institution_id == bindparam("mine"), IS_DUE)
    .where(STILL_WANTED)
    # Whoever has read it before another process sent it must not send it: of a create nobody may know whether it was made.
    .where(change.c.attempts == bindparam("tried"))
    .where(or_(change.c.state != ChangeState.UNKNOWN, *(change.c.action == one for one in _REPEATED)))
    .values(
        state=ChangeState.SENT,
        sent_at=bindparam("at"),
        send_until=bindparam("until"),
        attempts=change.c.attempts + 1,
    )
)

_PAUSED = select(change.c.id, change.c.attempts, change.c.state).where(
    _MINE, IS_DUE, change.c.id.in_(bindparam("numbers", expanding=True)), IS_PAUSED, ~STILL_WANTED
)

_OF_MAILBOX = (
    SELECTED.add_columns(change.c.detail, change.c.finished_at, change.c.request_id)
    .where(_MINE, _IN_THE_BOX)
    .order_by(change.c.id.desc())
    .limit(_LIMIT)
)

_BEHIND = tuple_(
    bindparam("start", type_=change.c.starts_at.type), bindparam("number", type_=change.c.id.type)
)
_DUE = (
    SELECTED.where(
        _DOABLE, change.c.due_at <= bindparam("now"), tuple_(change.c.starts_at, change.c.id) > _BEHIND
    )
    .order_by(change.c.starts_at, change.c.id)
    .limit(_LIMIT)
)
_NEXT_DUE = select(func.min(change.c.due_at)).where(_DOABLE, change.c.due_at > bindparam("after"))
_OPEN_COUNT = select(func.count()).select_from(change).where(_DOABLE)


@cache
def _narrowed(query: Select[Any], *, in_one: bool, of_run: bool) -> Select[Any]:
    query = query.where(_IN_THE_BOX) if in_one else query
    return query.where(change.c.run_id == bindparam("run")) if of_run else query


_UNSETTLED = select(change.c.mailbox_id, change.c.meeting_id).where(
    _MINE, IS_OPEN, among(change.c.state, UNSETTLED)
)

_SENT = (_MINE, IS_OPEN, change.c.state == ChangeState.SENT)
_NOT_KNOWN = {
    "state": ChangeState.UNKNOWN,
    "code": "E-UNKNOWN",
    "detail": "the process that sent it ended before an answer was recorded",
}
_TAKE_UP_CREATES = (
    update(change)
    .where(*_SENT, _CREATES)
    .values(due_at=change.c.send_until + bindparam("bound", type_=Float), doubted=1, **_NOT_KNOWN)
)
_TAKE_UP_OTHERS = (
    update(change).where(*_SENT, ~_CREATES).values(due_at=bindparam("now"), doubted=0, **_NOT_KNOWN)
)

_ENDED = select(change.c.id).where(_MINE, IS_OPEN, OUTLIVED)
_GIVE_UP = update(change).where(_MINE, IS_OPEN, OUTLIVED).values(state=ChangeState.SUPERSEDED)

_POSTPONE = (
    update(change)
    .where(
        _MINE,
        _IN_THE_BOX,
        IS_OPEN,
        among(change.c.state, (ChangeState.PENDING, ChangeState.WAITING)),
        # What waits longer for a reason of its own keeps it.
        change.c.due_at <= bindparam("due"),
    )
    .values(
        state=ChangeState.WAITING, code=bindparam("why"), detail=bindparam("text"), due_at=bindparam("due")
    )
)

_RELEASE = (
    update(change)
    .where(
        _MINE,
        _IN_THE_BOX,
        IS_OPEN,
        change.c.state == ChangeState.WAITING,
        change.c.code == bindparam("why"),
    )
    .values(state=ChangeState.PENDING, code="", detail="", due_at=0)
)

_HELD = (_MINE, _IN_THE_BOX, IS_OPEN, change.c.state == ChangeState.HELD)
# A create is looked for again, never simply sent again.
_LOOK_AGAIN = update(change).where(*_HELD, _CREATES).values(state=ChangeState.UNKNOWN, attempts=0, due_at=0)
_TRY_AGAIN = update(change).where(*_HELD, ~_CREATES).values(state=ChangeState.PENDING, attempts=0, due_at=0)
