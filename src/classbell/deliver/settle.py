"""
What an answer makes of a change: the write protocol's decisions, one function per situation.

Nothing here sends or stores; it turns meanings into outcomes. The leading rule: whatever an answer does
not prove is unknown, and an unknown create is looked for, never repeated blindly.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from classbell.model import Action, Became, Change, Entry, Outcome
from classbell.outlook.answers import Diagnosis, Meaning
from classbell.outlook.dialect import Answer, FoundEvent
from classbell.outlook.mark import Mark

# How often one change is tried against somebody who keeps touching the event, before a person is asked.
CONFLICTS = 5
DAY = 86_400.0
# A refused event is refused again until the meeting or the profile changes; then a new plan replaces it.
REJECTED_RETRY = DAY
MAILBOX_RETRY = DAY
# The created event's own time stamp and our clock's reading of service time differ by less than this.
STAMP_TOLERANCE = 5.0


@dataclass(frozen=True, kw_only=True)
class Situation:
    """
    When an answer came, in service time.

    ``sent_at`` is the intent's instant and ``send_until`` its end; ``bound`` is how many seconds an
    unknown create waits after that.
    """

    now: float
    sent_at: float
    send_until: float
    bound: float


def outcome_of_write(change: Change, answer: Answer, diagnosis: Diagnosis, situation: Situation) -> Outcome:
    """What became of a create, update or delete by its answer. A conflict needs a read; see the caller."""
    meaning = diagnosis.meaning
    if meaning is Meaning.DONE:
        return _done(change, answer, situation)
    if meaning is Meaning.GONE and change.action is not Action.CREATE:
        # What was to be deleted is not there: done. What was to be changed is made again.
        became = Became.DONE if change.action is Action.DELETE else Became.GONE
        return _outcome(change, became, answer, diagnosis)
    if meaning in {Meaning.UNKNOWN, Meaning.DUPLICATE_TRANSACTION}:
        return _unknown(change, answer, diagnosis, situation)
    if meaning is Meaning.REJECTED:
        return _outcome(change, Became.WAITING, answer, diagnosis, situation.now + REJECTED_RETRY)
    if meaning in {Meaning.MAILBOX_OUT, Meaning.FORBIDDEN}:
        return _outcome(change, Became.WAITING, answer, diagnosis, situation.now + MAILBOX_RETRY)
    wait = diagnosis.retry_after if diagnosis.retry_after is not None else _growing(change)
    return _outcome(change, Became.WAITING, answer, diagnosis, situation.now + wait)


def _done(change: Change, answer: Answer, situation: Situation) -> Outcome:
    earlier = 0 < answer.created_at < situation.sent_at - STAMP_TOLERANCE
    if change.action is Action.CREATE and change.code == "E-UNKNOWN-ABSENT" and earlier:
        # The service shows the event of an earlier attempt, although a look after the bound did not find
        # it: it was created then, and removed by its owner since.
        return Outcome(
            change=change,
            became=Became.GONE,
            code="E-EVT-GONE",
            detail="created by an earlier attempt and removed since",
            request_id=answer.request_id,
        )
    return Outcome(
        change=change,
        became=Became.DONE,
        event_id=answer.event_id,
        etag=answer.etag,
        request_id=answer.request_id,
    )


def _unknown(change: Change, answer: Answer, diagnosis: Diagnosis, situation: Situation) -> Outcome:
    if change.action is Action.CREATE:
        due_at = situation.send_until + situation.bound
        return _outcome(change, Became.UNKNOWN, answer, diagnosis, due_at)
    # Under the same If-Match a second time can do no harm: if the first went through, it is refused.
    wait = diagnosis.retry_after if diagnosis.retry_after is not None else _growing(change)
    return _outcome(change, Became.WAITING, answer, diagnosis, situation.now + wait)


def outcome_of_read(
    change: Change, entry: Entry, answer: Answer, diagnosis: Diagnosis, now: float
) -> Outcome:
    """After a conflict: whether the event is still ours to change, and under which etag."""
    if diagnosis.meaning is Meaning.GONE:
        became = Became.DONE if change.action is Action.DELETE else Became.GONE
        return _outcome(change, became, answer, diagnosis)
    if diagnosis.meaning is not Meaning.DONE:
        wait = diagnosis.retry_after if diagnosis.retry_after is not None else _growing(change)
        return _outcome(change, Became.WAITING, answer, diagnosis, now + wait)
    mark = Mark.parse(answer.mark) if answer.mark else None
    if mark is None or mark.operation != entry.operation:
        return Outcome(
            change=change,
            became=Became.HELD,
            code="E-EVT-FOREIGN",
            detail="the event does not bear the mark we gave it; it is left alone",
            request_id=answer.request_id,
        )
    if change.attempts >= CONFLICTS:
        return Outcome(
            change=change,
            became=Became.HELD,
            code="E-EVT-CONTESTED",
            detail=f"something else changed the event before each of {change.attempts} attempts",
            request_id=answer.request_id,
        )
    return Outcome(change=change, became=Became.RENEWED, etag=answer.etag, request_id=answer.request_id)


def outcome_of_look(
    change: Change, found: Sequence[FoundEvent], known: Collection[str], now: float
) -> Outcome:
    """
    What became of an unknown create, by a complete look at or after its bound.

    Args:
        found: the events that bear this operation's mark, in all calendars.
        known: ids that the ledger already has in this mailbox.
    """
    bearers = [event for event in found if event.id not in known]
    if len(bearers) == 1:
        return Outcome(
            change=change,
            became=Became.DONE,
            event_id=bearers[0].id,
            etag=bearers[0].etag,
            code="E-UNKNOWN-FOUND",
        )
    if bearers:
        return Outcome(
            change=change,
            became=Became.HELD,
            code="E-MARK-SEVERAL",
            detail=f"{len(bearers)} events bear the mark of this one; none is touched",
        )
    if change.code == "E-EVT-MADE":
        return Outcome(
            change=change,
            became=Became.GONE,
            code="E-EVT-GONE",
            detail="created by an earlier attempt and removed since",
        )
    return Outcome(
        change=change,
        became=Became.WAITING,
        due_at=now,
        code="E-UNKNOWN-ABSENT",
        detail="looked for and not found: it was never made, and is sent again",
    )


def not_sent(change: Change, reason: str, due_at: float) -> Outcome:
    """Outcome of a change whose request certainly never left."""
    return Outcome(change=change, became=Became.WAITING, due_at=due_at, code="E-GRAPH-UNSENT", detail=reason)


def _outcome(
    change: Change, became: Became, answer: Answer, diagnosis: Diagnosis, due_at: float = 0.0
) -> Outcome:
    detail = f"{diagnosis.reason} [{diagnosis.origin}]" if diagnosis.origin else diagnosis.reason
    return Outcome(
        change=change,
        became=became,
        due_at=due_at,
        code=diagnosis.code,
        detail=detail,
        request_id=answer.request_id,
    )


def _growing(change: Change) -> float:
    return float(min(60, 2 ** min(change.attempts, 6)))
