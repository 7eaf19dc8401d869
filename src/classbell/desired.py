"""
Desired state: which mailbox should hold which meeting, in which profile.

Held as packed arrays, so that planning can compare millions of pairs: a *slot* is a meeting in a
profile, and each mailbox has a run of slots in the order of the meetings' numbers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from classbell.model import Fingerprints, Ids, Indexes, Instants, Meeting, Policy, Rendering
from classbell.numbering import Numbering
from classbell.people import Receipt, mailbox_key

MeetingKey = tuple[str, str]
"""A meeting's key in full: the source's name and the source's own key."""

Render = Callable[[str, Meeting], Rendering]
"""Gives the rendering of a meeting in the profile of that name."""


@dataclass(frozen=True, kw_only=True)
class Slots:
    """
    Arrays of equal length, one element per meeting and profile.

    ``calendar`` indexes ``calendars``; ``policy`` holds the profile's ``Policy``.
    """

    meeting: Ids
    source: NDArray[np.int16]
    fingerprint: Fingerprints
    starts: Instants
    ends: Instants
    calendar: NDArray[np.int16]
    policy: NDArray[np.int8]
    calendars: tuple[str, ...] = ("",)


@dataclass(frozen=True, kw_only=True)
class Desired:
    """
    What every mailbox should hold.

    ``mailboxes`` (ascending numbers, M of them) own the runs ``slot[offsets[i]:offsets[i + 1]]``.
    ``known`` and ``cancelled`` are the ascending numbers of all meetings the snapshots name, and of those
    that they call cancelled. ``unread`` pairs a source's place in ``sources`` with a mailbox of which
    that source could not be read in full.
    """

    sources: tuple[str, ...]
    mailboxes: Ids
    offsets: Ids
    slot: Indexes = field(repr=False)
    slots: Slots = field(repr=False)
    known: Ids = field(repr=False)
    cancelled: Ids = field(repr=False)
    unread: frozenset[tuple[int, int]] = frozenset()

    def asks_for(self, pairs: Iterable[tuple[int, int]]) -> frozenset[tuple[int, int]]:
        """Those of some pairs (mailbox, meeting) of which the mailbox should hold the meeting."""
        return frozenset(pair for pair in pairs if self._names(*pair))

    def _names(self, mailbox: int, meeting: int) -> bool:
        place = int(np.searchsorted(self.mailboxes, mailbox))
        if place == len(self.mailboxes) or self.mailboxes[place] != mailbox:
            return False
        mine = self.slot[self.offsets[place] : self.offsets[place + 1]]
        return bool(np.any(self.slots.meeting[mine] == meeting))


def desired_state(
    receipts: Sequence[Receipt],
    *,
    meetings: Numbering[MeetingKey],
    mailboxes: Numbering[str],
    calendars: Mapping[str, str],
    render: Render,
    policies: Mapping[str, Policy] = MappingProxyType({}),
) -> Desired:
    """
    Work out what every mailbox should hold.

    Args:
        receipts: who receives what; where two give the same pair, the first decides.
        calendars: per profile the name of its calendar, empty for the default one.
        render: called once per meeting and profile.
        policies: per profile what it says of its owners' edits and deletions; without it all is put right.
    """
    builder = _Builder(meetings, mailboxes, calendars, render, policies)
    for receipt in receipts:
        builder.add(receipt)
    return builder.finish()


_Columns = tuple[
    Ids, NDArray[np.int16], Fingerprints, Instants, Instants, NDArray[np.int16], NDArray[np.int8]
]
"""The arrays of ``Slots``."""


class _Builder:
    def __init__(
        self,
        meetings: Numbering[MeetingKey],
        mailboxes: Numbering[str],
        calendars: Mapping[str, str],
        render: Render,
        policies: Mapping[str, Policy],
    ) -> None:
        self._meetings = meetings
        self._mailboxes = mailboxes
        self._calendar_of = calendars
        self._calendars = tuple(dict.fromkeys(("", *calendars.values())))
        self._render = render
        self._policy_of = policies
        self._sources: dict[str, int] = {}
        self._parts: list[_Columns] = []
        self._pairs: list[tuple[Ids, Indexes]] = []
        self._slots = 0
        self._known: list[Ids] = []
        self._cancelled: list[Ids] = []
        self._unread: set[tuple[int, int]] = set()

    def add(self, receipt: Receipt) -> None:
        snapshot = receipt.snapshot
        source = self._sources.setdefault(snapshot.source, len(self._sources))
        numbers = self._meetings.numbers((snapshot.source, meeting.key) for meeting in snapshot.meetings)
        live = np.fromiter((not meeting.cancelled for meeting in snapshot.meetings), dtype=np.bool_)
        self._known.append(numbers)
        self._cancelled.append(numbers[~live])
        self._unread.update(
            (source, self._mailboxes.number(mailbox_key(person))) for person in snapshot.coverage.unread
        )
        slot_of = np.full(len(numbers), -1, dtype=np.int32)
        slot_of[live] = self._slots + np.arange(int(live.sum()), dtype=np.int32)
        self._slots += int(live.sum())
        self._parts.append(self._slot_arrays(receipt, source, numbers, live))
        self._pairs.append(self._pairs_of(receipt, slot_of))

    def _slot_arrays(self, receipt: Receipt, source: int, numbers: Ids, live: NDArray[np.bool_]) -> _Columns:
        chosen = [receipt.snapshot.meetings[index] for index in np.flatnonzero(live)]
        count = len(chosen)
        calendar = self._calendars.index(self._calendar_of[receipt.profile])
        return (
            numbers[live],
            np.full(count, source, dtype=np.int16),
            np.fromiter((self._render(receipt.profile, m).fingerprint for m in chosen), np.uint64, count),
            np.fromiter((m.starts_at for m in chosen), np.int64, count),
            np.fromiter((m.ends_at for m in chosen), np.int64, count),
            np.full(count, calendar, dtype=np.int16),
            np.full(count, self._policy_of.get(receipt.profile, 0), dtype=np.int8),
        )

    def _pairs_of(self, receipt: Receipt, slot_of: Indexes) -> tuple[Ids, Indexes]:
        snapshot = receipt.snapshot
        mailbox_of = np.full(len(snapshot.people), -1, dtype=np.int64)
        for index in np.flatnonzero(receipt.people):
            mailbox_of[index] = self._mailboxes.number(mailbox_key(snapshot.people[index]))
        mailbox = mailbox_of[snapshot.attendance[:, 0]]
        slot = slot_of[snapshot.attendance[:, 1]]
        wanted = (mailbox >= 0) & (slot >= 0)
        return mailbox[wanted], slot[wanted]

    def finish(self) -> Desired:
        slots = self._all_slots()
        mailbox = _joined([pair[0] for pair in self._pairs], np.int64)
        slot = _joined([pair[1] for pair in self._pairs], np.int32)
        # Stable, so that of two slots of one meeting in one mailbox the first receipt's comes first.
        order = np.lexsort((slots.meeting[slot], mailbox))
        mailbox, slot = mailbox[order], slot[order]
        meeting = slots.meeting[slot]
        first = np.ones(len(slot), dtype=np.bool_)
        first[1:] = (mailbox[1:] != mailbox[:-1]) | (meeting[1:] != meeting[:-1])
        mailbox, slot = mailbox[first], slot[first]
        owners, begins = np.unique(mailbox, return_index=True)
        return Desired(
            sources=tuple(self._sources),
            mailboxes=owners,
            offsets=np.append(begins, len(mailbox)).astype(np.int64),
            slot=slot,
            slots=slots,
            known=np.unique(_joined(self._known, np.int64)),
            cancelled=np.unique(_joined(self._cancelled, np.int64)),
            unread=frozenset(self._unread),
        )

    def _all_slots(self) -> Slots:
        columns = list(zip(*self._parts, strict=True)) or [()] * 7
        return Slots(
            meeting=_joined(columns[0], np.int64),
            source=_joined(columns[1], np.int16),
            fingerprint=_joined(columns[2], np.uint64),
            starts=_joined(columns[3], np.int64),
            ends=_joined(columns[4], np.int64),
            calendar=_joined(columns[5], np.int16),
            policy=_joined(columns[6], np.int8),
            calendars=self._calendars,
        )


def _joined(parts: Sequence[NDArray[np.generic]], kind: type[np.generic]) -> NDArray:  # type: ignore[type-arg]
    return np.concatenate(parts).astype(kind, copy=False) if parts else np.empty(0, dtype=kind)
