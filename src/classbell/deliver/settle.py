"""
What an answer makes of a change: the write protocol's decisions, one function per situation.

Nothing here sends or stores; it turns meanings into outcomes. The leading rule: whatever an answer does
not prove is unknown, and an unknown create is looked for, never repeated blindly. Instants at which
something comes due are by our own clock, since only that one is waited by; whether an event was made in
time is judged by the service's.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from msgspec import structs

from classbell.deliver.ownership import FOREIGN, bears_its_mark
from classbell.deliver.survey import Survey
from classbell.ledger import MADE_BEFORE
from classbell.model import Action, Became, Change, ChangeState, Entry, Mailbox, Outcome
from classbell.outlook.answers import Diagnosis, Meaning
from classbell.outlook.dialect import Answer, FoundEvent
from classbell.outlook.mark import Mark

HOUR = 3_600.0
DAY = 86_400.0
# A mailbox that cannot be served is probed daily; a refused event is refused again until the meeting or
# the profile changes, and then a new plan replaces the change.
LATER = DAY
# A request leaves within so many seconds of its intent, or not at all.
SEND_WITHIN = 60.0
# How often in one delivery a change is tried against somebody who keeps touching the event.
CONFLICTS = 5
CONTESTED_RETRY = HOUR
# Between a look that failed or cannot decide and the next one.
SOON = 60.0
LONGEST_WAIT = 60.0
# The service stamps events and answers on different machines, and answers with whole seconds.
STAMP_TOLERANCE = 5.0

_OUT = (Meaning.REJECTED, Meaning.MAILBOX_OUT, Meaning.FORBIDDEN)


@dataclass(frozen=True, kw_only=True)
class Situation:
    """
    When an answer came.

    ``now`` is our time; ``took`` how many seconds the exchange took; ``look_at`` the instant of our clock
    from which a look can decide what became of what was sent.
    """

    now: float
    took: float
    look_at: float


def outcome_of_write(change: Change, answer: Answer, diagnosis: Diagnosis, situation: Situation) -> Outcome:
    """What became of a create, update or delete by its answer. A conflict needs a read; see the caller."""
    meaning = diagnosis.meaning
    if meaning is Meaning.DONE:
        return _done(change, answer, situation)
    if meaning is Meaning.GONE and change.action is not Action.CREATE:
        return _gone(change, answer, diagnosis)
    if meaning in {Meaning.UNKNOWN, Meaning.DUPLICATE_TRANSACTION}:
        if change.action is Action.CREATE:
            made_before = meaning is Meaning.DUPLICATE_TRANSACTION
            look_at = _look_at(change, situation, made_before=made_before)
            return _outcome(change, Became.UNKNOWN, answer, diagnosis, look_at)
        # Under the same If-Match a second time can do no harm: if the first went through, it is refused.
        return _outcome(change, Became.UNKNOWN, answer, diagnosis, situation.now + _wait(change, diagnosis))
    wait = LATER if meaning in _OUT else _wait(change, diagnosis)
    return _outcome(change, Became.WAITING, answer, diagnosis, situation.now + wait)


def _done(change: Change, answer: Answer, situation: Situation) -> Outcome:
    if change.action is Action.CREATE and _made_earlier(answer, situation):
        # The service shows the event of an earlier attempt, which a look after the bound did not find:
        # its owner has removed it since, or moves it about. A further look tells.
        return Outcome(
            change=change,
            became=Became.UNKNOWN,
            due_at=_look_at(change, situation, made_before=True),
            code=MADE_BEFORE,
            detail="made by an earlier attempt; it will be looked up",
            request_id=answer.request_id,
        )
    return Outcome(
        change=change,
        became=Became.DONE,
        event_id=answer.event_id,
        etag=answer.etag,
        created_at=answer.created_at,
        request_id=answer.request_id,
    )


def _look_at(change: Change, situation: Situation, *, made_before: bool) -> float:
    """
    When to look what became of a create.

    Of one that the service knows before we have ever asked for it, another ledger may tell: that is looked at at once.
    """
    first = change.attempts == 0 and not change.doubted
    return situation.now if made_before and first else situation.look_at


def _made_earlier(answer: Answer, situation: Situation) -> bool:
    """
    Whether the event that an answer shows was there before its request was sent.

    Both stamps are the service's own, so that it does not matter what our clock says.
    """
    if not answer.service_time:
        return False
    sent_at = answer.service_time - situation.took - STAMP_TOLERANCE
    return 0.0 < answer.created_at < sent_at


def outcome_of_read(
    change: Change, entry: Entry, answer: Answer, diagnosis: Diagnosis, *, now: float, conflicts: int
) -> Outcome:
    """
    After a conflict: whether the event is still ours to change, and under which etag.

    Args:
        conflicts: how often this delivery has met one with this change.
    """
    if diagnosis.meaning is Meaning.GONE:
        return _gone(change, answer, diagnosis)
    if diagnosis.meaning is not Meaning.DONE:
        wait = LATER if diagnosis.meaning in _OUT else _wait(change, diagnosis)
        return _outcome(change, Became.WAITING, answer, diagnosis, now + wait)
    if not bears_its_mark(answer.mark, entry):
        return Outcome(
            change=change,
            became=Became.HELD,
            code=FOREIGN,
            detail="the event does not bear the mark we gave it; it is left alone",
            request_id=answer.request_id,
        )
    if conflicts >= CONFLICTS:
        return Outcome(
            change=change,
            became=Became.WAITING,
            due_at=now + CONTESTED_RETRY,
            code="E-EVT-CONTESTED",
            detail=f"something else changed the event before each of {conflicts} attempts; tried again later",
            request_id=answer.request_id,
        )
    return Outcome(
        change=change,
        became=Became.RENEWED,
        # Asked by an id that another dialect gave, the service tells the one of this dialect.
        event_id=answer.event_id if answer.event_id != entry.event_id else "",
        etag=answer.etag,
        request_id=answer.request_id,
    )


def outcome_of_survey(
    renewed: Outcome, answer: Answer, survey: Survey, *, bound: float, now: float
) -> Outcome:
    """
    After a read that found the event to be ours: whether it still stands in a calendar.

    Microsoft does not say whether the immutable id of an event in Deleted Items still answers. Where it does,
    whoever goes by the id alone changes what nobody sees.

    Args:
        renewed: what the read made of the change.
        answer: of that read.
        survey: a look for the event's mark in all calendars.
        bound: how long after its create an event may be missing from lists, in seconds.
        now: by our clock.
    """
    change = renewed.change
    if survey.failure is not None:
        return _outcome(change, Became.WAITING, answer, survey.failure, now + _wait(change, survey.failure))
    if any(event.id == answer.event_id for event in survey.events):
        return renewed
    if survey.service_time < answer.created_at + bound:
        return Outcome(
            change=change,
            became=Became.WAITING,
            due_at=now + SOON,
            code="E-EVT-GONE",
            detail="not found in any calendar, which a young event may be for a while; looked for again",
            request_id=answer.request_id,
        )
    if change.action is Action.DELETE:
        return deleted(change, answer)
    return Outcome(
        change=change,
        became=Became.GONE,
        code="E-EVT-GONE",
        detail="the event stands in no calendar any more",
        request_id=answer.request_id,
    )


def made_in_time(event: FoundEvent, bound: float) -> bool:
    """
    Whether an event was made between the intent that its mark names and the end of the bound.

    What was made at another time is a copy, for the mark goes along with one.
    """
    mark = Mark.parse(event.mark) if event.mark else None
    if mark is None:
        return False
    begin = mark.intent_at - STAMP_TOLERANCE
    return begin <= event.created_at <= mark.intent_at + SEND_WITHIN + bound + STAMP_TOLERANCE


def is_copy_from_elsewhere(event: FoundEvent, owner: Mailbox, bound: float) -> bool:
    """
    Whether an event is certainly somebody's copy of one in another mailbox.

    One that was made when its mark says may have been made here, when the mailbox had another address.
    """
    mark = Mark.parse(event.mark) if event.mark else None
    if mark is None or mark.mailbox_key == owner.key:
        return False
    return event.created_at > 0 and not made_in_time(event, bound)


def outcome_of_look(
    change: Change, found: Sequence[FoundEvent], known: Collection[str], now: float, bound: float
) -> Outcome:
    """
    What became of an unknown create, by a complete look at or after its bound.

    Args:
        found: the events that bear this operation's mark, in all calendars.
        known: ids that the ledger already has in this mailbox.
        bound: seconds after the end of sending after which the create is not carried out any more.
    """
    bearers = [event for event in found if event.id not in known]
    made = [event for event in bearers if made_in_time(event, bound)]
    if len(made) == 1:
        # Without its etag: whether its owner has changed it since it was made, that cannot tell.
        return Outcome(
            change=change,
            became=Became.DONE,
            event_id=made[0].id,
            created_at=made[0].created_at,
            code="E-UNKNOWN-FOUND",
        )
    if bearers:
        return Outcome(
            change=change,
            became=Became.HELD,
            code="E-MARK-SEVERAL" if made else "E-MARK-COPY",
            detail=f"{len(bearers)} events bear the mark of this one; none is touched"
            if made
            else "what bears the mark of this one was made at another time: a copy; it is not touched",
        )
    if change.code == MADE_BEFORE:
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


def undecided(change: Change, answered_at: float, decides_at: float, now: float) -> Outcome:
    """
    Outcome of a look that came too early to decide.

    Args:
        answered_at: when the service answered, by its clock; 0.0 if it did not say.
        decides_at: from when on a look decides, by the service's clock.
    """
    # Whole seconds are all that the service's answers say of the time: hence one more.
    wait = min(decides_at - answered_at + 1.0, DAY) if answered_at else SOON
    return _unsettled(change, "looked for; too early to decide", now + wait)


def spared(renewed: Outcome, answered_at: float, *, bound: float, now: float) -> Outcome:
    """
    What a delete becomes that nobody asks for any more, where its event stands: given up, once it can no longer be carried out.

    Args:
        renewed: what a look made of it.
        answered_at: when the service answered that, by its clock.
    """
    decides_at = renewed.change.send_until + bound
    if answered_at < decides_at:
        return undecided(renewed.change, answered_at, decides_at, now)
    return structs.replace(renewed, became=Became.SPARED)


def not_looked(change: Change, diagnosis: Diagnosis, now: float) -> Outcome:
    """Outcome of a look that failed."""
    return _unsettled(change, f"could not be looked for: {diagnosis.reason}", now + _until_a_look(diagnosis))


def _unsettled(change: Change, detail: str, due_at: float) -> Outcome:
    # The code stays: it says what a look that finds nothing will mean.
    return Outcome(change=change, became=Became.UNKNOWN, due_at=due_at, code=change.code, detail=detail)


def not_read(change: Change, why: Diagnosis, now: float) -> Outcome:
    """Outcome of a change that met a conflict in a mailbox that must not be asked more for now."""
    return Outcome(
        change=change,
        became=Became.WAITING,
        due_at=now + _wait(change, why),
        code="E-EVT-CHANGED",
        detail="the event was changed in Outlook; it is read when Microsoft allows it",
    )


def _until_a_look(failure: Diagnosis) -> float:
    return HOUR if failure.meaning in _OUT else min(failure.retry_after or SOON, DAY)


def not_joined(change: Change, why: Diagnosis, now: float) -> Outcome:
    """Outcome of a change whose event may have another id now, where the look for that failed."""
    return Outcome(
        change=change,
        became=Became.WAITING,
        due_at=now + _until_a_look(why),
        code=why.code,
        detail=f"the id of its event could not be looked up: {in_words(why)}",
    )


def not_sent(change: Change, reason: str, due_at: float) -> Outcome:
    """Outcome of a change whose request certainly never left."""
    return Outcome(change=change, became=Became.WAITING, due_at=due_at, code="E-GRAPH-UNSENT", detail=reason)


def _gone(change: Change, answer: Answer, diagnosis: Diagnosis) -> Outcome:
    if change.action is Action.DELETE:
        return deleted(change, answer)
    return _outcome(change, Became.GONE, answer, diagnosis)


def deleted(change: Change, answer: Answer | None = None) -> Outcome:
    """What was to be deleted is not there. If its deletion was sent before, that may have been us, and can be put back."""
    request_id = answer.request_id if answer is not None else ""
    if change.state is ChangeState.UNKNOWN:
        return Outcome(change=change, became=Became.DONE, request_id=request_id)
    return Outcome(
        change=change,
        became=Became.DONE,
        code="E-EVT-GONE",
        detail="the event stands in no calendar any more",
        request_id=request_id,
    )


def _outcome(
    change: Change, became: Became, answer: Answer, diagnosis: Diagnosis, due_at: float = 0.0
) -> Outcome:
    return Outcome(
        change=change,
        became=became,
        due_at=due_at,
        code=diagnosis.code,
        detail=in_words(diagnosis),
        request_id=answer.request_id,
    )


def in_words(diagnosis: Diagnosis) -> str:
    """The reason for a person, with the service's own code."""
    return f"{diagnosis.reason} [{diagnosis.origin}]" if diagnosis.origin else diagnosis.reason


def _wait(change: Change, diagnosis: Diagnosis) -> float:
    """As long as the service asked for, else ever longer with each attempt."""
    if diagnosis.retry_after is not None:
        return min(diagnosis.retry_after, DAY)
    return min(LONGEST_WAIT, 2.0 ** min(change.attempts, 6))
