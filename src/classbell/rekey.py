"""
Pairing the meetings of a source that has renumbered its ids. Pure.

A meeting whose key has vanished and one whose key is new are the same meeting if they stand at the same
time in the same mailboxes and show the same, or at least the same title. Then the ledger gives the old
meeting its new key, and nothing is written to any mailbox.

Only what is new is looked at, beside what stands at the very same times: a source that keeps its ids costs
one pass over the meeting numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from classbell.desired import Desired
from classbell.model import Fingerprints, Ids, Instants, Window
from classbell.numbering import PROVISIONAL
from classbell.plan import Delivered, Mask, pair_keys

# So much of the mailboxes of both must be the same.
ALIKE = 0.8


@dataclass(frozen=True, kw_only=True)
class _Pairs:
    """Arrays of equal length: meetings in mailboxes."""

    source: NDArray[np.int16]
    mailbox: Ids
    meeting: Ids
    starts: Instants
    ends: Instants
    fingerprint: Fingerprints

    def __len__(self) -> int:
        return len(self.meeting)

    def chosen(self, which: Mask | Ids) -> "_Pairs":
        return _Pairs(**{part.name: getattr(self, part.name)[which] for part in fields(_Pairs)})


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """
    Old and new meetings at the same time in nearly the same mailboxes: arrays of equal length, the best first.

    ``same`` tells where what people see is the same in nearly all of them; elsewhere ``old_print`` and
    ``new_print`` are the fingerprints of what is to be compared by its title.
    """

    old: Ids
    new: Ids
    same: Mask
    old_print: Fingerprints
    new_print: Fingerprints

    def __len__(self) -> int:
        return len(self.old)

    def settled(self, alike: Mask) -> dict[int, int]:
        """New numbers to old ones, each at most once; only where *alike*."""
        result: dict[int, int] = {}
        taken: set[int] = set()
        for old, new in zip(self.old[alike].tolist(), self.new[alike].tolist(), strict=True):
            if new not in result and old not in taken:
                result[new] = old
                taken.add(old)
        return result


def candidates(desired: Desired, delivered: Sequence[Delivered], window: Window) -> Candidates:
    """Which meetings may have only changed their key."""
    entered = _marked([run.meeting for run in delivered])
    fresh = ~_in(entered, desired.slots.meeting)
    fresh &= _inside(desired.slots.starts, window)
    if not delivered or not fresh.any():
        return _none()
    old = _vanished(desired, delivered, window, np.unique(desired.slots.starts[fresh]))
    if not len(old):
        return _none()
    new = _new(desired, fresh & np.isin(desired.slots.starts, old.starts))
    return _matched(old, new)


def _vanished(desired: Desired, delivered: Sequence[Delivered], window: Window, moments: Instants) -> _Pairs:
    """What was delivered under keys that their source no longer has, at these moments."""
    known = _marked([desired.known[desired.known < PROVISIONAL]])
    parts = []
    for run in delivered:
        gone = (run.source >= 0) & (run.source < len(desired.sources)) & _inside(run.starts, window)
        gone &= ~_in(known, run.meeting)
        gone[gone] = np.isin(run.starts[gone], moments)
        parts.append(
            _Pairs(
                source=run.source[gone],
                mailbox=run.mailbox[gone],
                meeting=run.meeting[gone],
                starts=run.starts[gone],
                ends=run.ends[gone],
                fingerprint=run.fingerprint[gone],
            )
        )
    found = _Pairs(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(_Pairs)})
    unread = np.array(list(desired.unread), dtype=np.int64).reshape(-1, 2)
    # Whoever could not be read may have it still.
    hidden = np.isin(
        pair_keys(found.mailbox, found.source.astype(np.int64)), pair_keys(unread[:, 1], unread[:, 0])
    )
    return found.chosen(~np.isin(found.meeting, found.meeting[hidden]))


def _new(desired: Desired, wanted: Mask) -> _Pairs:
    """Who is to have the meetings of these slots."""
    slots = desired.slots
    places = np.flatnonzero(wanted[desired.slot])
    slot = desired.slot[places]
    owner = np.searchsorted(desired.offsets, places, side="right") - 1
    return _Pairs(
        source=slots.source[slot],
        mailbox=desired.mailboxes[owner],
        meeting=slots.meeting[slot],
        starts=slots.starts[slot],
        ends=slots.ends[slot],
        fingerprint=slots.fingerprint[slot],
    )


def _matched(old: _Pairs, new: _Pairs) -> Candidates:
    left, right = _joined(old, new)
    if not len(left):
        return _none()
    olds, old_of = np.unique(old.meeting, return_inverse=True)
    news, new_of = np.unique(new.meeting, return_inverse=True)
    pairs, first, member, votes = np.unique(
        pair_keys(old_of[left], new_of[right]), return_index=True, return_inverse=True, return_counts=True
    )
    same = old.fingerprint[left] == new.fingerprint[right]
    equal = np.bincount(member, weights=same, minlength=len(pairs))
    at_old, at_new = pairs >> 32, pairs & (2**32 - 1)
    together = np.bincount(old_of)[at_old] + np.bincount(new_of)[at_new] - votes
    close = votes >= ALIKE * together
    seen_same = equal >= ALIKE * votes
    order = np.lexsort((at_new, at_old, -votes / together, ~seen_same))
    order = order[close[order]]
    return Candidates(
        old=olds[at_old[order]],
        new=news[at_new[order]],
        same=seen_same[order],
        old_print=old.fingerprint[left][first][order],
        new_print=new.fingerprint[right][first][order],
    )


def _joined(old: _Pairs, new: _Pairs) -> tuple[Ids, Ids]:
    """Places in *old* and *new* with the same source, mailbox, start and end, in all combinations."""
    columns = [
        np.concatenate([getattr(old, name), getattr(new, name)]).astype(np.int64)
        for name in ("source", "mailbox", "starts", "ends")
    ]
    order = np.lexsort(columns)
    changes = np.zeros(len(order), dtype=np.bool_)
    for column in columns:
        changes[1:] |= column[order][1:] != column[order][:-1]
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.cumsum(changes)
    of_old, of_new = group[: len(old)], group[len(old) :]
    by_group = np.argsort(of_new, kind="stable")
    begin = np.searchsorted(of_new[by_group], of_old, side="left")
    count = np.searchsorted(of_new[by_group], of_old, side="right") - begin
    left = np.repeat(np.arange(len(old)), count)
    within = np.arange(len(left)) - np.repeat(np.cumsum(count) - count, count)
    return left, by_group[np.repeat(begin, count) + within]


def _marked(parts: Sequence[Ids]) -> Mask:
    """A table that tells of a number whether it occurs."""
    table = np.zeros(max((int(part.max()) for part in parts if len(part)), default=-1) + 1, dtype=np.bool_)
    for part in parts:
        table[part] = True
    return table


def _in(table: Mask, numbers: Ids) -> Mask:
    found = np.zeros(len(numbers), dtype=np.bool_)
    inside = numbers < len(table)
    found[inside] = table[numbers[inside]]
    return found


def _inside(starts: Instants, window: Window) -> Mask:
    return (starts >= window.begin) & (starts < window.end)


def _none() -> Candidates:
    nothing = np.empty(0, dtype=np.int64)
    prints = np.empty(0, dtype=np.uint64)
    return Candidates(
        old=nothing, new=nothing, same=np.empty(0, dtype=np.bool_), old_print=prints, new_print=prints
    )
