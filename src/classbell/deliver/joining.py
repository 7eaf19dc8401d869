"""
Joining: which event an entry stands for, where its id no longer finds it.

Ids that change when an event is moved, or that another dialect gave, find nothing. The mark then says which events may be
it, and the etag of our own last write, or the time at which it was made, says which one is. What is not proven so is
never written to.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import structs

from classbell.deliver.settle import (
    CONFLICTS,
    CONTESTED_RETRY,
    DAY,
    SOON,
    deleted,
    in_words,
    made_in_time,
)
from classbell.deliver.survey import Survey
from classbell.ledger import InstitutionLedger, KnownMailbox
from classbell.model import Action, Became, Change, Entry, Mailbox, Outcome
from classbell.outlook.dialect import Capabilities, FoundEvent
from classbell.outlook.mark import Mark

# The service tells both instants itself, to the microsecond.
_SAME_INSTANT = 0.001


def event_of(entry: Entry, bearers: Sequence[FoundEvent], bound: float) -> FoundEvent | None:
    """
    The one of some events bearing its mark that an entry stands for; None if none is proven.

    Each write gives an event an etag that no other one has; and a copy, which is another event, was created later. Where the
    ledger does not know when, what its mark says has to do.
    """
    proven = [event for event in bearers if event.etag and event.etag == entry.etag]
    if not proven and entry.created_at:
        proven = [event for event in bearers if abs(event.created_at - entry.created_at) < _SAME_INSTANT]
    elif not proven:
        proven = [event for event in bearers if made_in_time(event, bound)]
    return proven[0] if len(proven) == 1 else None


def bearers_by_operation(
    known: Collection[str], events: Iterable[FoundEvent]
) -> Mapping[str, Sequence[FoundEvent]]:
    """The events that the ledger does not know by their ids, by the operations that their marks name."""
    found: dict[str, list[FoundEvent]] = {}
    for event in events:
        mark = Mark.parse(event.mark) if event.mark else None
        if mark is not None and event.id not in known:
            found.setdefault(mark.operation, []).append(event)
    return found


async def known_as_found(
    ledger: InstitutionLedger,
    owner: Mailbox,
    events: Sequence[FoundEvent],
    capabilities: Capabilities,
    bound: float,
) -> KnownMailbox:
    """
    All that the ledger knows of a mailbox, its entries joined to the events of a complete look by the dialect at work.

    Where ids last and are of its form, nothing is to be done.

    Args:
        bound: seconds after the end of sending within which an event may have been made.
    """
    known = await ledger.known.of(owner)
    other_form = owner.id_form != capabilities.id_form
    if capabilities.immutable_ids and not other_form:
        return known
    there = {event.id for event in events}
    unseen = [entry for entry in known.entries if entry.event_id not in there]
    bearers = bearers_by_operation({entry.event_id for entry in known.entries}, events)
    found: dict[int, str] = {}
    lost: list[Entry] = []
    for entry in unseen:
        event = event_of(entry, bearers.get(entry.operation, ()), bound)
        if event is not None:
            found[entry.meeting_id] = event.id
        elif other_form:
            lost.append(entry)
    if not found and not other_form:
        return known
    await ledger.entries.join(owner, found, lost, capabilities.id_form)
    return await ledger.known.of(structs.replace(owner, id_form=capabilities.id_form))


def astray(
    missing: Iterable[Entry], known: KnownMailbox, events: Iterable[FoundEvent], capabilities: Capabilities
) -> list[Entry]:
    """
    Of entries that their ids do not find those that may stand there all the same, though nothing proves which they are.

    Where an id lasts, what it does not find is gone, whoever has copied it.
    """
    bearers = bearers_by_operation({entry.event_id for entry in known.entries}, events)
    return [
        entry
        for entry in missing
        if entry.operation in bearers and (entry.is_lost or not capabilities.immutable_ids)
    ]


def outcome_of_search(
    change: Change,
    found: FoundEvent | None,
    bearers: int,
    survey: Survey,
    *,
    delivered_at: float,
    bound: float,
    now: float,
    conflicts: int,
) -> Outcome:
    """
    What an event that its id does not find is, by a look for its mark in all calendars.

    Args:
        found: the one of them that is proven to be it.
        bearers: how many may be it.
        delivered_at: when it was written last, by our clock.
        bound: how long after its create an event may be missing from lists, in seconds.
        now: by our clock.
        conflicts: how often this delivery has met one with this change.
    """
    if survey.failure is not None:
        return Outcome(
            change=change,
            became=Became.WAITING,
            due_at=now + min(survey.failure.retry_after or SOON, DAY),
            code=survey.failure.code,
            detail=f"could not be looked for: {in_words(survey.failure)}",
        )
    if found is not None and conflicts < CONFLICTS:
        return Outcome(change=change, became=Became.RENEWED, event_id=found.id, etag=found.etag)
    if found is not None:
        return Outcome(
            change=change,
            became=Became.WAITING,
            due_at=now + CONTESTED_RETRY,
            code="E-EVT-CONTESTED",
            detail=f"the event was moved before each of {conflicts} attempts; tried again later",
        )
    if bearers:
        return Outcome(
            change=change,
            became=Became.HELD,
            code="E-MARK-SEVERAL",
            detail=f"its id does not find it, and {bearers} events may be it; none is touched",
        )
    return _outcome_of_nothing(change, survey, delivered_at + bound, now)


def _outcome_of_nothing(change: Change, survey: Survey, settled_at: float, now: float) -> Outcome:
    """Where no event bears the mark, from *settled_at* on that proves it gone."""
    if survey.service_time <= settled_at:
        return Outcome(
            change=change,
            became=Became.WAITING,
            due_at=now + SOON,
            code="E-EVT-GONE",
            detail="not found in any calendar, which a young event may be for a while; looked for again",
        )
    if change.action is Action.DELETE:
        return deleted(change)
    return Outcome(
        change=change,
        became=Became.GONE,
        code="E-EVT-GONE",
        detail="the event stands in no calendar any more",
    )
