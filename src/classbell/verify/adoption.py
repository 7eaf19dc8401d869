"""
Which events of a mailbox a ledger that was lost, or is old, may call its own again. Pure.

An event is adopted only as the single bearer of its mark, made when the mark says. Whatever else bears a mark
of ours may be somebody's copy whose original is gone, and is held: told, and never touched.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from msgspec import structs

from classbell.deliver.ownership import bears_its_mark
from classbell.deliver.settle import made_in_time
from classbell.ledger import KnownMailbox, Sighted, Sighting
from classbell.model import Entry
from classbell.outlook.dialect import FoundEvent
from classbell.outlook.mark import Mark
from classbell.verify.findings import Owner


@dataclass(kw_only=True)
class Adoption:
    """
    What a look means for a ledger that is rebuilt.

    Attributes:
        kept: entries whose events stand there, with what was found.
        adopted: events that are ours by their marks.
        left: entries that stay as they are, by the ids of their events.
        young: how many of them because the look may lack them.
        held: what is not ours to touch, each with the full key of the meeting that it names, if any.
        incarnations: the highest incarnation that was seen, by the full keys of meetings.
        revision: the highest revision of a ledger that was seen.
        moved: entries of other mailboxes whose events stand here by now, as after its owner has got another address.
        renamed: the full keys that meetings have now, by those that marks name, where a source has renumbered them.
    """

    kept: list[tuple[Entry, FoundEvent]] = field(default_factory=list)
    adopted: list[tuple[Mark, FoundEvent]] = field(default_factory=list)
    left: dict[str, Entry] = field(default_factory=dict)
    young: int = 0
    held: list[tuple[Sighting, str]] = field(default_factory=list)
    incarnations: dict[str, int] = field(default_factory=dict)
    revision: int = 0
    moved: list[Entry] = field(default_factory=list)
    renamed: Mapping[str, str] = field(default_factory=dict)

    def key_of(self, mark: Mark) -> str:
        """The full key that the meeting of a mark has now."""
        return self.renamed.get(mark.meeting_key, mark.meeting_key)


def adoption(
    known: KnownMailbox,
    events: Collection[FoundEvent],
    *,
    owner: Owner,
    bound: float,
    unmarked: Collection[Entry] = (),
    young: Collection[Entry] = (),
    elsewhere: Mapping[str, Entry] | None = None,
    renamed: Mapping[str, str] | None = None,
    coming: Collection[str] = (),
) -> Adoption:
    """
    Sort what a complete look has found.

    Args:
        bound: seconds after the end of sending within which an event may have been made.
        unmarked: entries whose events stand there without our mark.
        young: entries whose events are so new that the look may lack them.
        elsewhere: entries of mailboxes that marks found here name, by the ids of their events.
        renamed: as in the result.
        coming: the full keys of meetings of which another event may come to light yet.
    """
    left = {entry.event_id: entry for entry in young}
    result = Adoption(young=len(young), left=left, renamed=renamed or {})
    entries = {entry.event_id: entry for entry in known.entries}
    strangers: list[tuple[Mark, FoundEvent]] = []
    for lost in unmarked:
        _hold_unmarked(result, lost, lost.etag)
    for event in events:
        mark = Mark.parse(event.mark) if event.mark else None
        entry = entries.get(event.id)
        if mark is not None and mark.institution == owner.institution:
            result.revision = max(result.revision, mark.revision)
        if entry is not None:
            if mark is not None and bears_its_mark(event.mark, entry):
                result.kept.append((entry, event))
                _saw(result, mark)
            else:
                _hold_unmarked(result, entry, event.etag)
        elif mark is None:
            _hold(result, event, "", "bears what is no mark of ours", Sighted.FORGED)
        elif mark.institution != owner.institution:
            continue
        elif mark.mailbox_key != known.mailbox.key:
            _of_another_mailbox(result, known, event, mark, (elsewhere or {}).get(event.id), bound)
        else:
            strangers.append((mark, event))
            _saw(result, mark)
    _adopt(result, strangers, bound, {entry.operation for entry in known.entries}, coming)
    return result


def _of_another_mailbox(
    result: Adoption, known: KnownMailbox, event: FoundEvent, mark: Mark, there: Entry | None, bound: float
) -> None:
    """
    Of an event whose mark names another mailbox: the same event if that one's entry has its id; else a copy.

    No two events have one id, not even in different mailboxes: so the mailbox is the same one, under another address.
    """
    key = result.key_of(mark)
    if there is not None and bears_its_mark(event.mark, there):
        if any(entry.meeting_key == there.meeting_key for entry in known.entries):
            _hold(result, event, there.meeting_key, "another one of ours stands there for the same meeting")
            return
        result.kept.append((structs.replace(there, mailbox=known.mailbox), event))
        result.moved.append(there)
        _saw(result, mark)
    elif made_in_time(event, bound):
        # Without that address: who is forgotten leaves no trace with others.
        _hold(result, event, key, "was made for another address: perhaps the one that this mailbox had")
    else:
        _hold(result, event, "", "a copy of an event in another calendar", Sighted.COPY)


def _adopt(
    result: Adoption,
    strangers: Sequence[tuple[Mark, FoundEvent]],
    bound: float,
    known: Collection[str],
    coming: Collection[str],
) -> None:
    """Take those that are proven; *known* are the operations whose events the ledger knows by their ids."""
    taken = {entry.meeting_key for entry, _ in result.kept} | set(coming)
    taken |= {entry.meeting_key for entry in result.left.values()}
    candidates: dict[str, tuple[Mark, FoundEvent]] = {}
    for bearers in _by_operation(strangers):
        mark = bearers[0][0]
        key = result.key_of(mark)
        if mark.operation in known:
            for _, event in bearers:
                _hold(result, event, key, "a copy of our event", Sighted.COPY)
        elif key in taken:
            for _, event in bearers:
                _hold(
                    result,
                    event,
                    key,
                    "another one of ours stands there for the same meeting, or is on its way",
                )
        elif len(bearers) > 1:
            for _, event in bearers:
                _hold(result, event, key, f"{len(bearers)} events bear this mark; none is taken for ours")
        elif not made_in_time(bearers[0][1], bound):
            _hold(result, bearers[0][1], key, "was made at another time than its mark says: perhaps a copy")
        elif key not in candidates:
            candidates[key] = bearers[0]
        else:
            # Each incarnation was made because the one before it was gone: that came back.
            older, newer = sorted((candidates[key], bearers[0]), key=lambda pair: pair[0].incarnation)
            candidates[key] = newer
            _hold(result, older[1], key, "a later one of ours stands there for the same meeting")
    result.adopted += candidates.values()


def _by_operation(
    strangers: Sequence[tuple[Mark, FoundEvent]],
) -> Iterator[list[tuple[Mark, FoundEvent]]]:
    def operation(pair: tuple[Mark, FoundEvent]) -> str:
        return pair[0].operation

    for _, bearers in groupby(sorted(strangers, key=operation), key=operation):
        yield list(bearers)


def _saw(result: Adoption, mark: Mark) -> None:
    key = result.key_of(mark)
    result.incarnations[key] = max(result.incarnations.get(key, 0), mark.incarnation)


def _hold_unmarked(result: Adoption, entry: Entry, etag: str) -> None:
    result.left[entry.event_id] = entry
    result.held.append(
        (
            Sighting(
                kind=Sighted.FORGED,
                event_id=entry.event_id,
                etag=etag,
                detail="our event, but it does not bear the mark that we gave it",
            ),
            entry.meeting_key,
        )
    )


def _hold(result: Adoption, event: FoundEvent, key: str, detail: str, kind: Sighted = Sighted.EXTRA) -> None:
    result.held.append((Sighting(kind=kind, event_id=event.id, etag=event.etag, detail=detail), key))
