"""
What a look through a mailbox means beside what the ledger knows of it. Pure.

A mark alone proves nothing, for Outlook copies it with a copied event: only an event that the ledger knows by
its id is ours. Everything else that bears our mark is told, and never touched.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from classbell.deliver.ownership import bears_its_mark
from classbell.ledger import KnownMailbox, Sighted, Sighting, Verified
from classbell.model import LOST_ID, Entry
from classbell.outlook.dialect import FoundEvent, instant_of
from classbell.outlook.mark import Mark
from classbell.verify.compare import differing
from classbell.zones import instant

_ASTRAY = "our event cannot be told from its copies any more"
_UNMARKED = "our event, but it does not bear the mark that we gave it"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """To whom the events of a mailbox belong: the ids of installation and institution."""

    installation: str
    institution: str


def unlike(known: KnownMailbox, events: Iterable[FoundEvent]) -> bool:
    """Whether anything stands there otherwise than the ledger has it, as far as ids and etags tell."""
    found = {event.id: event.etag for event in events}
    return found != {entry.event_id: entry.etag for entry in known.entries}


def absent(
    known: KnownMailbox, looks: Iterable[Collection[FoundEvent]], *, service_time: float, bound: float
) -> list[Entry]:
    """
    The entries whose events no look has found, though it should have.

    Left out are pairs whose last request is not settled, and events so young that lists may lack them.

    Args:
        looks: what each complete look has found.
        service_time: when the first of them began, by the service's clock; 0.0 if it did not say.
        bound: how long after its create an event may be missing from lists, in seconds.
    """
    return [
        entry
        for entry in unseen(known, looks)
        if entry.meeting_id not in known.unsettled
        and not is_young(known, entry, service_time=service_time, bound=bound)
    ]


def unseen(known: KnownMailbox, looks: Iterable[Collection[FoundEvent]]) -> list[Entry]:
    """The entries whose events no look has found."""
    found = {event.id for events in looks for event in events}
    return [entry for entry in known.entries if entry.event_id not in found]


def is_young(known: KnownMailbox, entry: Entry, *, service_time: float, bound: float) -> bool:
    """Whether an event was written so short a time before a look that it may have been missing from it."""
    return known.delivered_at[entry.meeting_id] + bound >= service_time


def too_young(
    known: KnownMailbox, looks: Iterable[Collection[FoundEvent]], *, service_time: float, bound: float
) -> list[Entry]:
    """The entries whose events no look has found, and of which that says nothing yet."""
    return [
        entry
        for entry in unseen(known, looks)
        if entry.meeting_id not in known.unsettled
        and is_young(known, entry, service_time=service_time, bound=bound)
    ]


def times_of(event: FoundEvent, timezone: str) -> tuple[int, int]:
    """
    When an event stands in a calendar: begin and end in seconds.

    Args:
        timezone: IANA name; in which the days of all-day events are.
    """
    if not event.all_day:
        return int(instant_of(event.start)), int(instant_of(event.end))
    # Floating: a date, wherever its owner is.
    begin, end = (instant(datetime.fromisoformat(text[:10]), timezone) for text in (event.start, event.end))
    return begin, end


def findings(
    known: KnownMailbox,
    events: Collection[FoundEvent],
    *,
    owner: Owner,
    missing: Collection[Entry] = (),
    unmarked: Collection[Entry] = (),
    astray: Collection[Entry] = (),
    meetings: Mapping[str, int],
    immutable_ids: bool,
    timezone: str,
) -> Verified:
    """
    What a complete look with contents means.

    Args:
        timezone: as for ``times_of``.
        missing: entries whose events are gone.
        unmarked: entries whose events stand there without our mark.
        astray: entries whose events stand there among others that bear their marks.
        meetings: the numbers of meetings that marks name, by their full keys.
        immutable_ids: whether an id finds its event wherever that stands.
    """
    there = {event.id for event in events}
    adrift = [
        seen
        for seen in known.seen
        if seen.kind is Sighted.EXTRA
        and seen.event_id not in there
        and (not immutable_ids or seen.event_id.startswith(LOST_ID))
    ]
    entries = {entry.event_id: entry for entry in known.entries}
    renewed: list[tuple[Entry, str]] = []
    sightings: list[Sighting] = [
        Sighting(
            kind=Sighted.MISSING,
            event_id=entry.event_id,
            meeting_id=entry.meeting_id,
            etag=entry.etag,
            detail="our event stands in no calendar any more",
            starts_at=entry.starts_at,
            ends_at=entry.ends_at,
        )
        for entry in missing
    ]
    sightings += [_forged(entry.event_id, entry.meeting_id, entry.etag, _UNMARKED) for entry in unmarked]
    sightings += [_forged(entry.event_id, entry.meeting_id, entry.etag, _ASTRAY) for entry in astray]
    for event in events:
        entry = entries.get(event.id)
        if entry is None:
            # When it stands there tells which meeting it may be of, should the source renumber them.
            begin, end = times_of(event, timezone)
            strange = _strange(known, event, owner, meetings, adrift)
            sightings += [replace(one, starts_at=begin, ends_at=end) for one in strange]
            continue
        if not bears_its_mark(event.mark, entry):
            sightings.append(_forged(event.id, entry.meeting_id, event.etag, _UNMARKED))
        elif event.etag == entry.etag:
            # What was left as its owner had it stays known to be so.
            sightings += [
                seen
                for seen in known.seen
                if (seen.kind, seen.event_id, seen.etag) == (Sighted.DRIFTED, event.id, event.etag)
            ]
        elif entry.meeting_id in known.unsettled:
            # Our own last request may have changed it.
            continue
        elif event.etag and (body := known.bodies.get(entry.fingerprint)):
            renewed.append((entry, event.etag))
            fields = differing(body, event)
            if fields:
                begin, end = times_of(event, timezone)
                sightings.append(
                    Sighting(
                        kind=Sighted.DRIFTED,
                        event_id=event.id,
                        meeting_id=entry.meeting_id,
                        etag=event.etag,
                        detail=", ".join(fields),
                        starts_at=begin,
                        ends_at=end,
                    )
                )
    return Verified(mailbox=known.mailbox, renewed=renewed, missing=list(missing), sightings=sightings)


def keys_named(events: Iterable[FoundEvent]) -> set[str]:
    """The full keys of the meetings that the events' marks name."""
    marks = (Mark.parse(event.mark) for event in events if event.mark)
    return {mark.meeting_key for mark in marks if mark is not None}


def _strange(
    known: KnownMailbox,
    event: FoundEvent,
    owner: Owner,
    meetings: Mapping[str, int],
    adrift: Iterable[Sighting],
) -> Iterator[Sighting]:
    """
    What an event is that the ledger does not know by its id, though it bears a mark of this installation.

    Args:
        adrift: what was held there, and may stand under an id that nobody knows.
    """
    mark = Mark.parse(event.mark) if event.mark else None
    if mark is None:
        yield _forged(event.id, None, event.etag, "bears what is no mark of ours")
        return
    if mark.institution != owner.institution:
        # Another institution of this installation serves the same mailbox.
        return
    meeting = meetings.get(mark.meeting_key)
    # Held by a rebuild, which has seen its incarnation as well: that makes it no copy.
    extras = (seen for seen in known.seen if seen.kind is Sighted.EXTRA and _is_of(seen, event))
    # Nothing disproves that it is one which no id finds any more.
    others = (seen for seen in adrift if meeting is not None and seen.meeting_id == meeting)
    held = next(chain(extras, others), None)
    if mark.mailbox_key != known.mailbox.key and held is None:
        yield _copy(event, None, "a copy of an event in another calendar")
    elif any(entry.operation == mark.operation for entry in known.entries):
        yield _copy(event, meeting, "a copy of our event")
    elif mark.operation in known.under_way:
        # Delivery looks for it by itself.
        return
    elif held is not None:
        yield replace(held, event_id=event.id, etag=event.etag)
    elif meeting is not None and mark.incarnation <= known.past.get(meeting, 0):
        yield _copy(
            event, meeting, "a copy of an event of ours that is no more, or put back from Deleted Items"
        )
    else:
        yield Sighting(
            kind=Sighted.EXTRA,
            event_id=event.id,
            meeting_id=meeting,
            etag=event.etag,
            detail="bears our mark, and the ledger does not know it",
        )


def _is_of(seen: Sighting, event: FoundEvent) -> bool:
    """Whether it was this event; by its etag, too, for another dialect knows it by another id."""
    return seen.event_id == event.id or bool(event.etag and seen.etag == event.etag)


def _copy(event: FoundEvent, meeting: int | None, detail: str) -> Sighting:
    return Sighting(kind=Sighted.COPY, event_id=event.id, meeting_id=meeting, etag=event.etag, detail=detail)


def _forged(event_id: str, meeting: int | None, etag: str, detail: str) -> Sighting:
    return Sighting(kind=Sighted.FORGED, event_id=event_id, meeting_id=meeting, etag=etag, detail=detail)
