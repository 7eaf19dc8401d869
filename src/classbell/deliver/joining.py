"""
Joining: which event an entry stands for, where its id no longer finds it.

Ids that change when an event is moved, or that another dialect gave, find nothing. The mark then says which events may be
it, and the etag of our own last write, or the time at which it was made, says which one is. What is not proven so is
never written to.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import structs

from classbell.deliver.settle import made_in_time
from classbell.ledger import InstitutionLedger, KnownMailbox
from classbell.model import Entry, Mailbox
from classbell.outlook.dialect import Capabilities, FoundEvent
from classbell.outlook.mark import Mark


def event_of(entry: Entry, bearers: Sequence[FoundEvent], bound: float) -> FoundEvent | None:
    """
    The one of some events bearing its mark that an entry stands for; None if none is proven.

    Each write gives an event an etag that no other one has: a copy is another one.
    """
    proven = [event for event in bearers if event.etag and event.etag == entry.etag]
    proven = proven or [event for event in bearers if made_in_time(event, bound)]
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
        if entry.operation in bearers and not (capabilities.immutable_ids and entry.etag)
    ]
