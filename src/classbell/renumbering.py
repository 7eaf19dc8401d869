"""
What a source has renumbered: the old number of a meeting for its new key, so that planning sees one meeting.

Whether two are the same by time, mailboxes and fingerprint ``rekey`` tells; here titles are compared where
the rest of a meeting has changed as well, and what is not settled yet is left alone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from classbell.desired import Desired, MeetingKey
from classbell.differences import seen
from classbell.ledger import Extra, InstitutionLedger, Rekeyed
from classbell.model import Ids, Window
from classbell.numbering import Numbering
from classbell.plan import Delivered, pair_keys
from classbell.rekey import Candidates, candidates
from classbell.renderings import Renderings


@dataclass(frozen=True, kw_only=True)
class Renumbering:
    """
    Meetings with new keys; and ``waiting``, by their new keys, the numbers of those that must wait.

    These wait for the outcome of a request: until it is known, neither the old nor the new is touched.
    """

    rekeys: tuple[Rekeyed, ...] = ()
    waiting: Mapping[MeetingKey, int] = field(default_factory=dict)

    def numbers(self, known: Mapping[MeetingKey, int]) -> Numbering[MeetingKey]:
        """The numbers of keys, as they will be once these meetings have their new keys."""
        renamed = dict(known)
        for one in self.rekeys:
            other = renamed.pop((one.source, one.new_key), None)
            renamed.pop((one.source, one.old_key), None)
            if other is not None:
                renamed[one.source, one.old_key] = other
        renamed.update({(one.source, one.new_key): one.number for one in self.rekeys})
        return Numbering(renamed)

    def untouchable(
        self, desired: Desired, delivered: Sequence[Delivered], meetings: Numbering[MeetingKey]
    ) -> Ids:
        """The pairs that planning must leave alone, ascending."""
        if not self.waiting:
            return np.empty(0, dtype=np.int64)
        new = meetings.numbers(self.waiting)
        old = np.array(list(self.waiting.values()), dtype=np.int64)
        meeting = desired.slots.meeting[desired.slot]
        places = np.flatnonzero(np.isin(meeting, new))
        owner = desired.mailboxes[np.searchsorted(desired.offsets, places, side="right") - 1]
        parts = [pair_keys(owner, meeting[places])]
        for run in delivered:
            mine = np.isin(run.meeting, old)
            parts.append(pair_keys(run.mailbox[mine], run.meeting[mine]))
        return np.unique(np.concatenate(parts))


async def renumbering(
    ledger: InstitutionLedger,
    desired: Desired,
    delivered: Sequence[Delivered],
    *,
    window: Window,
    meetings: Numbering[MeetingKey],
    renderings: Renderings,
    timezone: str,
    unsettled: Collection[int],
) -> Renumbering:
    """
    Find the meetings that only changed their key.

    Args:
        unsettled: the numbers of meetings of which some request has no certain outcome yet.
    """
    found = candidates(desired, delivered, window)
    if not len(found):
        return Renumbering()
    alike = found.same.copy()
    alike[~alike] = await _same_titles(ledger, found, renderings, timezone)
    pairs = found.settled(alike)
    keys = meetings.keys()
    ready = {new: old for new, old in pairs.items() if old not in unsettled and new not in unsettled}
    return Renumbering(
        rekeys=tuple(
            Rekeyed(number=old, source=keys[new][0], old_key=keys[old][1], new_key=keys[new][1])
            for new, old in ready.items()
        ),
        waiting={keys[new]: old for new, old in pairs.items() if new not in ready},
    )


def as_delivered(extras: Sequence[Extra], places: Callable[[Ids], NDArray[np.int16]]) -> Delivered:
    """Events that the ledger cannot prove, like delivered ones: their meetings may have got other keys as well."""
    rows = np.array(
        [(e.mailbox_id, e.meeting_id, e.starts_at, e.ends_at) for e in extras if e.meeting_id is not None],
        dtype=np.int64,
    ).reshape(-1, 4)
    return Delivered(
        mailbox=rows[:, 0],
        meeting=rows[:, 1],
        fingerprint=np.zeros(len(rows), dtype=np.uint64),
        starts=rows[:, 2],
        ends=rows[:, 3],
        source=places(rows[:, 1]),
    )


def beside(desired: Desired, extras: Sequence[Extra]) -> Ids:
    """
    The pairs, ascending, at whose very time an event stands there that the ledger cannot prove.

    It may be theirs under a key that their source no longer has, so only such events count.
    """
    slots = desired.slots
    wanted = set(slots.meeting.tolist()) if extras else set()
    stray = {(e.mailbox_id, e.starts_at, e.ends_at) for e in extras if e.meeting_id not in wanted}
    if not stray:
        return np.empty(0, dtype=np.int64)
    places = np.flatnonzero(np.isin(slots.starts[desired.slot], [start for _, start, _ in stray]))
    slot = desired.slot[places]
    owner = desired.mailboxes[np.searchsorted(desired.offsets, places, side="right") - 1]
    told = zip(owner.tolist(), slots.starts[slot].tolist(), slots.ends[slot].tolist(), strict=True)
    near = np.array([one in stray for one in told], dtype=np.bool_)
    return np.unique(pair_keys(owner[near], slots.meeting[slot][near]))


async def _same_titles(
    ledger: InstitutionLedger, found: Candidates, renderings: Renderings, timezone: str
) -> list[bool]:
    """Of those that do not show the same: whether at least the title is."""
    old, new = found.old_print[~found.same].tolist(), found.new_print[~found.same].tolist()
    bodies = renderings.new_bodies()
    bodies.update(await ledger.meetings.bodies({*old, *new} - bodies.keys() - {0}))
    titles = {}
    for fingerprint, body in bodies.items():
        event = seen(body, timezone)
        titles[fingerprint] = event.subject if event else None
    # Of what a rebuilt ledger has adopted, nobody knows what it shows; time and mailboxes are the same.
    return [
        titles.get(before) is None or titles.get(before) == titles.get(after)
        for before, after in zip(old, new, strict=True)
    ]
