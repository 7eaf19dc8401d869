"""
What came of sent changes, entered into the books in one transaction.

An outcome settles its change; what was done also makes, changes or strikes the entry of its pair. Each
statement names the institution, so that a number gone astray touches nothing of another one.
"""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, func, insert, literal, select, update

from classbell.ledger.bits import signed
from classbell.ledger.database import parts_of
from classbell.ledger.entries import mark_stale
from classbell.ledger.schema import change, entry, mailbox, past_incarnation, sighting
from classbell.ledger.sighted import Sighted
from classbell.ledger.wishes import Removed, drop_wishes, keep_wishes
from classbell.ledger.words import among
from classbell.model import MIXED_FORMS, Action, Became, Change, ChangeState, Outcome, Policy, Reason

CREATING = (Action.CREATE, Action.ADOPT)
# An earlier attempt has made the event, by what the service says; it was not the one that was answered so.
MADE_BEFORE = "E-EVT-MADE"

_UNDER_WAY = (ChangeState.PENDING, ChangeState.WAITING, ChangeState.SENT, ChangeState.UNKNOWN)

OperationOf = Callable[[Change, int], str]
"""Gives the operation id of a change's pair in an incarnation."""

_STATES = {
    Became.DONE: ChangeState.DONE,
    Became.GONE: ChangeState.DONE,
    Became.WAITING: ChangeState.WAITING,
    Became.UNKNOWN: ChangeState.UNKNOWN,
    Became.RENEWED: ChangeState.PENDING,
    Became.SPARED: ChangeState.SUPERSEDED,
    Became.HELD: ChangeState.HELD,
}


def record(
    connection: Connection,
    institution_id: int,
    outcomes: Iterable[Outcome],
    now: float,
    operation_of: OperationOf,
    sent: int = 0,
    id_form: str = "",
) -> None:
    """
    Enter outcomes into the books.

    Args:
        sent: how many attempts were begun since the changes were read whose outcomes these are.
        id_form: in which form the outcomes have ids of events; empty if they have none.
    """
    books = _Books(connection, institution_id, now)
    settled: list[Outcome] = []
    again: list[Outcome] = []
    left: list[Outcome] = []
    for outcome in books.still_due(outcomes, sent):
        # What was to be deleted and is gone is done; it is never made again.
        if outcome.became is not Became.GONE or outcome.change.action is Action.DELETE:
            settled.append(outcome)
        else:
            (left if _stays_deleted(outcome.change) else again).append(outcome)
    done = [o for o in settled if _STATES[o.became] is ChangeState.DONE]
    # In this very transaction, so that a crash leaves no packed row that is wrong and trusted.
    mark_stale(connection, institution_id, {o.change.mailbox.id for o in (*done, *again, *left)})
    created = [o for o in done if o.change.action in CREATING]
    books.enter(created)
    books.rewrite([o for o in done if o.change.action is Action.UPDATE])
    books.strike([*(o for o in done if o.change.action is Action.DELETE), *again, *left])
    keep_wishes(connection, [_removed(o.change) for o in left], now)
    renewed = [o for o in settled if o.became is Became.RENEWED or _spared_otherwise(o)]
    books.renew(renewed)
    books.mix({o.change.mailbox.id for o in (*created, *renewed) if o.event_id}, id_form)
    books.settle([*settled, *left])
    books.make_again(again, operation_of)


class _Books:
    """The tables, for one transaction of one institution."""

    def __init__(self, connection: Connection, institution_id: int, now: float) -> None:
        self._connection = connection
        self._mine = institution_id
        self._now = now

    def still_due(self, outcomes: Iterable[Outcome], sent: int) -> list[Outcome]:
        """
        Those whose change is still as the attempt left it that they are of.

        An update that another process has sent again meanwhile is done as well: under one ``If-Match`` only one of
        both can go through. Unknown to us, a version that its owner then deletes would be made again.
        """
        told = list(outcomes)
        rows = {
            row.id: row
            for part in parts_of([outcome.change.id for outcome in told])
            for row in self._connection.execute(_UNDER_WAY_OF, {"mine": self._mine, "numbers": part})
        }
        due: list[Outcome] = []
        for outcome in told:
            row = rows.get(outcome.change.id)
            if row is None:
                continue
            its_own = row.attempts == outcome.change.attempts + sent
            if its_own or _updated(outcome, row.action, row.fingerprint):
                due.append(outcome)
        return due

    def enter(self, created: Sequence[Outcome]) -> None:
        """Make the rows of events that were created or adopted."""
        rows = [
            {
                "mine": self._mine,
                "mailbox_id": o.change.mailbox.id,
                "meeting_id": o.change.meeting_id,
                "event_id": o.event_id,
                "etag": o.etag,
                "fingerprint": signed(o.change.fingerprint),
                "starts_at": o.change.starts_at,
                "ends_at": o.change.ends_at,
                "incarnation": o.change.incarnation,
                "operation": o.change.operation,
                "delivered_at": self._now,
                "created_at": o.created_at or None,
            }
            for o in created
        ]
        if rows:
            self._connection.execute(_ENTER, rows)
            drop_wishes(self._connection, [(o.change.mailbox.id, o.change.meeting_id) for o in created])

    def rewrite(self, updated: Sequence[Outcome]) -> None:
        """Set the rows of events to what now stands in them."""
        rows = [
            self._pair(o)
            | {
                "tag": o.etag,
                "print": signed(o.change.fingerprint),
                "begin": o.change.starts_at,
                "end": o.change.ends_at,
                "at": self._now,
            }
            for o in updated
        ]
        if rows:
            self._connection.execute(_REWRITE, rows)

    def renew(self, read: Sequence[Outcome]) -> None:
        """Set the etags of events that were read afresh, and the ids of those that were found under another one."""
        rows = [
            self._pair(o)
            | {"tag": o.etag, "event": o.event_id or o.change.entry.event_id}
            | {"begin": o.change.entry.starts_at, "end": o.change.entry.ends_at, "at": self._now}
            for o in read
            if o.change.entry is not None
        ]
        if rows:
            self._connection.execute(_RENEW, rows)
            # Its etag is no longer that of our own write. Should the change be wanted no more before it is made, only
            # this tells that its owner has changed something; once it is made, this is out of date.
            self._connection.execute(_FORGET_SEEN, rows)
            self._connection.execute(_SEE_DRIFTED, rows)

    def mix(self, numbers: Iterable[int], id_form: str) -> None:
        """Note of mailboxes that they have got ids of another form than theirs: no dialect may trust all of them then."""
        for part in parts_of(sorted(numbers)):
            self._connection.execute(_MIX, {"mine": self._mine, "numbers": part, "form": id_form})

    def strike(self, removed: Sequence[Outcome]) -> None:
        """Take rows out, remembering their incarnation: a later create must be another one."""
        pairs = [self._pair(o) for o in removed]
        if pairs:
            self._connection.execute(_STRIKE, pairs)
            past = [pair | {"number": o.change.incarnation} for pair, o in zip(pairs, removed, strict=True)]
            self._connection.execute(_FORGET_PAST, past)
            self._connection.execute(_REMEMBER_PAST, past)

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Set the states of changes to what came of them."""
        rows = [
            {
                "mine": self._mine,
                "number": o.change.id,
                "into": _state(o).value,
                "due": o.due_at,
                "why": o.code,
                "text": o.detail,
                "request": o.request_id,
                "at": self._now if _STATES[o.became] is ChangeState.DONE else None,
                "doubt": int(o.change.doubted or _doubts(o)),
            }
            for o in outcomes
        ]
        if rows:
            self._connection.execute(_SETTLE, rows)

    def make_again(self, missing: Sequence[Outcome], operation_of: OperationOf) -> None:
        """Let the changes whose event is gone create it anew."""
        rows = [
            {
                "mine": self._mine,
                "number": o.change.id,
                "next": o.change.incarnation + 1,
                "word": operation_of(o.change, o.change.incarnation + 1),
                "why": o.code,
                "text": o.detail,
                "request": o.request_id,
            }
            for o in missing
        ]
        if rows:
            self._connection.execute(_MAKE_AGAIN, rows)

    def _pair(self, outcome: Outcome) -> dict[str, object]:
        return {
            "mine": self._mine,
            "box": outcome.change.mailbox.id,
            "of": outcome.change.meeting_id,
        }


def _spared_otherwise(outcome: Outcome) -> bool:
    """Whether an event that stays was found under another etag, or by another id, than we have of it."""
    known = outcome.change.entry
    return (
        outcome.became is Became.SPARED
        and known is not None
        and (outcome.etag != known.etag or bool(outcome.event_id))
    )


def _updated(outcome: Outcome, action: int, fingerprint: int) -> bool:
    """Whether an update has gone through that is still to be made; its event was not missed meanwhile."""
    change = outcome.change
    both = change.action is Action.UPDATE and action == Action.UPDATE
    return both and outcome.became is Became.DONE and fingerprint == signed(change.fingerprint)


def _stays_deleted(gone: Change) -> bool:
    """Whether the owner has deleted the event as the meeting is still, and the profile respects that."""
    if gone.entry is None and not gone.doubted:
        # A create that the service knew already, and that no attempt of ours can have made, is that of a ledger that was
        # lost: which version it had nobody knows.
        return False
    as_it_was = gone.entry is None or gone.entry.fingerprint == gone.fingerprint
    return bool(gone.policy & Policy.RESPECT_DELETIONS) and as_it_was


def _removed(gone: Change) -> Removed:
    return Removed(gone.mailbox.id, gone.meeting_id, gone.fingerprint, gone.starts_at)


def _doubts(outcome: Outcome) -> bool:
    """Whether the attempt that an outcome is of may have created the event."""
    return (
        outcome.became is Became.UNKNOWN and outcome.change.action in CREATING and outcome.code != MADE_BEFORE
    )


def _state(outcome: Outcome) -> ChangeState:
    """
    The state that an outcome leaves its change in.

    An update or delete of which nobody knows whether it went through stays unknown until it is done: to
    be refused later proves nothing of the earlier time.
    """
    unsure = outcome.change.state is ChangeState.UNKNOWN and outcome.change.action not in CREATING
    if unsure and outcome.became in {Became.WAITING, Became.RENEWED}:
        return ChangeState.UNKNOWN
    return _STATES[outcome.became]


_MINE = bindparam("mine", type_=change.c.institution_id.type)
_OUR_MAILBOX = (
    select(literal(1)).where(mailbox.c.id == bindparam("box"), mailbox.c.institution_id == _MINE).exists()
)
_OUR_PAIR = (entry.c.mailbox_id == bindparam("box"), entry.c.meeting_id == bindparam("of"), _OUR_MAILBOX)
_OUR_CHANGE = (change.c.id == bindparam("number"), change.c.institution_id == _MINE)

_UNDER_WAY_OF = select(change.c.id, change.c.attempts, change.c.action, change.c.fingerprint).where(
    change.c.institution_id == _MINE,
    among(change.c.state, _UNDER_WAY),
    change.c.id.in_(bindparam("numbers", expanding=True)),
)

_ENTER = insert(entry).from_select(
    [column.name for column in entry.c],
    select(*(bindparam(column.name, type_=column.type) for column in entry.c)).where(
        mailbox.c.id == bindparam("mailbox_id"), mailbox.c.institution_id == _MINE
    ),
)

_REWRITE = (
    update(entry)
    .where(*_OUR_PAIR)
    .values(
        etag=bindparam("tag"),
        fingerprint=bindparam("print"),
        starts_at=bindparam("begin"),
        ends_at=bindparam("end"),
        delivered_at=bindparam("at"),
    )
)

_MIX = (
    update(mailbox)
    .where(
        mailbox.c.institution_id == bindparam("mine"),
        mailbox.c.id.in_(bindparam("numbers", expanding=True)),
        mailbox.c.id_form != bindparam("form"),
    )
    .values(id_form=MIXED_FORMS)
)
_RENEW = update(entry).where(*_OUR_PAIR).values(etag=bindparam("tag"), event_id=bindparam("event"))

_FORGET_SEEN = delete(sighting).where(
    sighting.c.mailbox_id == bindparam("box"), sighting.c.event_id == bindparam("event"), _OUR_MAILBOX
)
_SEE_DRIFTED = insert(sighting).from_select(
    [column.name for column in sighting.c],
    select(
        mailbox.c.id,
        bindparam("event", type_=sighting.c.event_id.type),
        bindparam("of", type_=sighting.c.meeting_id.type),
        literal(Sighted.DRIFTED.value),
        bindparam("tag", type_=sighting.c.etag.type),
        literal("met as it was to be written"),
        bindparam("at", type_=sighting.c.seen_at.type),
        bindparam("begin", type_=sighting.c.starts_at.type),
        bindparam("end", type_=sighting.c.ends_at.type),
    ).where(mailbox.c.id == bindparam("box"), mailbox.c.institution_id == _MINE),
)

_STRIKE = delete(entry).where(*_OUR_PAIR)

_FORGET_PAST = delete(past_incarnation).where(
    past_incarnation.c.mailbox_id == bindparam("box"),
    past_incarnation.c.meeting_id == bindparam("of"),
    _OUR_MAILBOX,
    # A mark may have shown a higher one, as after a rebuild: never the same operation twice.
    past_incarnation.c.incarnation <= bindparam("number"),
)

_REMEMBER_PAST = insert(past_incarnation).from_select(
    ["mailbox_id", "meeting_id", "incarnation"],
    select(
        mailbox.c.id,
        bindparam("of", type_=past_incarnation.c.meeting_id.type),
        bindparam("number", type_=past_incarnation.c.incarnation.type),
    ).where(
        mailbox.c.id == bindparam("box"),
        mailbox.c.institution_id == _MINE,
        ~select(literal(1))
        .where(
            past_incarnation.c.mailbox_id == bindparam("box"),
            past_incarnation.c.meeting_id == bindparam("of"),
        )
        .exists(),
    ),
)

# What a look settles has no answer of its own: Microsoft's support can only find the one that was heard before.
_LAST_HEARD = func.coalesce(func.nullif(bindparam("request"), ""), change.c.request_id)

_SETTLE = (
    update(change)
    .where(*_OUR_CHANGE)
    .values(
        state=bindparam("into"),
        due_at=bindparam("due"),
        code=bindparam("why"),
        detail=bindparam("text"),
        request_id=_LAST_HEARD,
        finished_at=bindparam("at"),
        doubted=bindparam("doubt"),
    )
)

_MAKE_AGAIN = (
    update(change)
    .where(*_OUR_CHANGE)
    .values(
        action=Action.CREATE,
        reason=Reason.RESTORED,
        state=ChangeState.PENDING,
        previous=0,
        incarnation=bindparam("next"),
        operation=bindparam("word"),
        due_at=0,
        send_until=0,
        doubted=0,
        code=bindparam("why"),
        detail=bindparam("text"),
        request_id=_LAST_HEARD,
    )
)
