"""
Joining: which event an entry stands for, where its id no longer finds it.

Ids that change when an event is moved, or that another dialect gave, find nothing. The mark then says which events may be
it, and the etag of our own last write, or the time at which it was made, says which one is. What is not proven so is
never written to.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import structs

from classbell.deliver.settle import (
    CONFLICTS,
    CONTESTED_RETRY,
    SOON,
    deleted,
    made_in_time,
    not_joined,
)
from classbell.deliver.survey import Survey
from classbell.ledger import InstitutionLedger, KnownMailbox, NewId, Sighted
from classbell.model import LOST_ID, Action, Became, Change, Entry, Mailbox, Outcome
from classbell.outlook.dialect import Capabilities, FoundEvent
from classbell.outlook.mark import Mark

# The service tells both instants itself, to the microsecond.
_SAME_INSTANT = 0.001
_NOT_FOUND = "E-EVT-GONE"


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
    lasting = capabilities.immutable_ids and not other_form
    if lasting and not any(entry.is_lost for entry in known.entries):
        return known
    there = {event.id for event in events}
    bearers = bearers_by_operation({entry.event_id for entry in known.entries}, events)
    ids: list[NewId] = []
    for entry in known.entries:
        # Where an id lasts, what it does not find is gone, whoever has copied it.
        if entry.event_id in there or (lasting and not entry.is_lost):
            continue
        event = event_of(entry, bearers.get(entry.operation, ()), bound)
        if event is not None:
            ids.append(NewId(entry.event_id, event.id))
        elif other_form and not entry.is_lost:
            ids.append(NewId(entry.event_id, f"{LOST_ID}{entry.operation}"))
    if not ids and not other_form:
        return known
    ids += _of_held(known, events) if other_form else []
    await ledger.entries.join(owner, ids, capabilities.id_form)
    return await ledger.known.of(structs.replace(owner, id_form=capabilities.id_form))


def _of_held(known: KnownMailbox, events: Sequence[FoundEvent]) -> Iterator[NewId]:
    """What a rebuild has held is known by its etag, or by no id: then nothing is made where it may stand."""
    by_etag = {event.etag: event.id for event in events if event.etag}
    there = set(by_etag.values())
    for one in known.seen:
        if one.kind is Sighted.EXTRA and one.event_id not in there and not one.event_id.startswith(LOST_ID):
            yield NewId(one.event_id, by_etag.get(one.etag, f"{LOST_ID}{one.event_id}"))


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


def is_sought(change: Change, capabilities: Capabilities) -> bool:
    """Whether only its mark can find a change's event: it has no id any more, or one that does not last did not find it."""
    if change.entry is None:
        return False
    return change.entry.is_lost or (change.code == _NOT_FOUND and not capabilities.immutable_ids)


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
        return not_joined(change, survey.failure, now)
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
            detail=f"its id does not find it, and what bears its mark ({bearers}) may be it or a copy; none is touched",
        )
    return _outcome_of_nothing(change, survey, delivered_at + bound, now)


def _outcome_of_nothing(change: Change, survey: Survey, settled_at: float, now: float) -> Outcome:
    """
    Where no event bears the mark, from *settled_at* on that proves it gone, if it is found so twice.

    Calendars are listed one after the other: what is moved meanwhile may stand in none of the lists.
    """
    if survey.service_time <= settled_at or change.code != _NOT_FOUND:
        return Outcome(
            change=change,
            became=Became.WAITING,
            due_at=now + SOON,
            code=_NOT_FOUND,
            detail="not found in any calendar, which a young or moving event may be for a while; looked for again",
        )
    if change.action is Action.DELETE:
        return deleted(change)
    return Outcome(
        change=change,
        became=Became.GONE,
        code=_NOT_FOUND,
        detail="the event stands in no calendar any more",
    )
