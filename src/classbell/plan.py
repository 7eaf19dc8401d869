"""
The plan: the difference between desired state and ledger. Pure and total.

A pair (mailbox, meeting) counts if its delivered or its new start lies in the window. Comparison works
on packed arrays, a run of mailboxes at a time; no Python code runs per pair. Meetings that have ended
are created and updated inside the window, never deleted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from classbell.desired import Desired
from classbell.model import Action, Coverage, Fingerprints, Ids, Instants, Policy, Reason, Window
from classbell.numbering import PROVISIONAL

Mask = NDArray[np.bool_]

_SHIFT = np.int64(32)


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """
    What the ledger says some mailboxes hold: arrays of equal length, ascending by (mailbox, meeting).

    ``source`` is the place of the meeting's source in ``Desired.sources``, or -1 for one not read now.
    """

    mailbox: Ids
    meeting: Ids
    fingerprint: Fingerprints
    starts: Instants
    ends: Instants
    source: NDArray[np.int16]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """
    Events that the owners of calendars have deleted: arrays of equal length, ascending by pair.

    ``pairs`` are numbers of pairs, ``fingerprint`` says what was deleted, and ``starts`` when it was to start.
    """

    pairs: Ids = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    fingerprint: Fingerprints = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    starts: Instants = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """
    What absence may prove.

    Args:
        now: the instant of planning.
        window: what counts.
        coverages: per source of ``Desired.sources``, what its snapshot really saw.
        busy: pairs (mailbox << 32 | meeting, ascending) whose last request is not settled; left alone.
        beside: pairs beside which something stands that may be their event; none is created there.
        drifted: pairs whose event was seen to show something else than was delivered; written again.
        missing: pairs whose event was seen to be gone.
        wishes: what the owners of calendars have deleted there; a profile says whether that counts.
        anew: whether events are written again that are right, and nobody's wishes count.
        unlinked: mailboxes, ascending, of persons who want nothing of this; left alone.
        only: if given, the one mailbox that is planned for.
    """

    now: int
    window: Window
    coverages: Sequence[Coverage]
    busy: Ids = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    beside: Ids = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    drifted: Ids = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    missing: Ids = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    wishes: Wishes = field(default_factory=Wishes)
    anew: bool = False
    unlinked: Ids = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    only: int | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """
    Changes as arrays of equal length, ordered by mailbox and meeting.

    ``fingerprint`` is 0 for deletes, ``previous`` 0 for creates. ``source`` is -1 where unknown;
    ``calendar`` indexes ``Slots.calendars``; ``policy`` is the profile's, 0 if left out. ``unchanged`` counts pairs in the window that are right,
    ``delivered`` the events in the window that all mailboxes hold, even if the plan is for one of them;
    ``upcoming`` maps each mailbox with deletes to the number of its delivered events that have not ended.
    """

    mailbox: Ids
    meeting: Ids
    action: NDArray[np.int8]
    reason: NDArray[np.int8]
    fingerprint: Fingerprints
    previous: Fingerprints
    starts: Instants
    ends: Instants
    source: NDArray[np.int16]
    calendar: NDArray[np.int16]
    policy: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, dtype=np.int8))
    unchanged: int = 0
    delivered: int = 0
    upcoming: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.policy) != len(self.mailbox):
            object.__setattr__(self, "policy", np.zeros(len(self.mailbox), dtype=np.int8))

    def __len__(self) -> int:
        return len(self.mailbox)

    def count(self, action: Action) -> int:
        """How many changes do this."""
        return int(np.count_nonzero(self.action == action))

    def chosen(self, which: Mask | Ids) -> "Plan":
        """The same plan with only the changes of a mask, or at some places."""
        arrays = {name: getattr(self, name)[which] for name in _ARRAYS}
        return Plan(**arrays, unchanged=self.unchanged, delivered=self.delivered, upcoming=self.upcoming)


_ARRAYS = [part.name for part in fields(Plan) if part.name not in {"unchanged", "delivered", "upcoming"}]


def pair_keys(mailbox: Ids, meeting: Ids) -> Ids:
    """One number per pair, in the order of (mailbox, meeting)."""
    return (mailbox << _SHIFT) | meeting


def pairs_of(pairs: Sequence[tuple[int, int]]) -> Ids:
    """The numbers of some pairs (mailbox, meeting), ascending."""
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return np.sort(pair_keys(columns[:, 0], columns[:, 1]))


def plan_changes(desired: Desired, delivered: Iterable[Delivered], terms: Terms) -> Plan:
    """
    Compare what mailboxes should hold with what was delivered to them.

    *delivered* comes in runs of ascending mailbox numbers, each mailbox whole in one run; mailboxes that
    no run names have nothing delivered. Changes come out ordered by mailbox and meeting.
    """
    comparison = _Comparison(desired, terms)
    parts = [comparison.run(run) for run in delivered]
    parts.append(comparison.rest())
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
    upcoming: dict[int, int] = {}
    for part in parts:
        upcoming.update(part.upcoming)
    return Plan(
        **arrays,
        unchanged=sum(part.unchanged for part in parts),
        delivered=sum(part.delivered for part in parts),
        upcoming=upcoming,
    )


class _Comparison:
    """Walks through desired mailboxes beside the runs of delivered ones."""

    def __init__(self, desired: Desired, terms: Terms) -> None:
        self._desired = desired
        self._terms = terms
        self._next = 0

    def run(self, held: Delivered) -> Plan:
        last = int(held.mailbox[-1]) if len(held.mailbox) else -1
        return self._compare(self._advance(last), held)

    def rest(self) -> Plan:
        nothing = Delivered(
            mailbox=np.empty(0, np.int64),
            meeting=np.empty(0, np.int64),
            fingerprint=np.empty(0, np.uint64),
            starts=np.empty(0, np.int64),
            ends=np.empty(0, np.int64),
            source=np.empty(0, np.int16),
        )
        return self._compare(self._advance(None), nothing)

    def _advance(self, last: int | None) -> tuple[Ids, Ids]:
        """The (mailbox, slot) pairs of desired mailboxes up to *last* that were not yet compared."""
        desired = self._desired
        begin = self._next
        end = (
            len(desired.mailboxes)
            if last is None
            else int(np.searchsorted(desired.mailboxes, last, side="right"))
        )
        self._next = max(begin, end)
        counts = desired.offsets[begin + 1 : self._next + 1] - desired.offsets[begin : self._next]
        mailbox = np.repeat(desired.mailboxes[begin : self._next], counts)
        slot = desired.slot[desired.offsets[begin] : desired.offsets[self._next]].astype(np.int64)
        return mailbox, slot

    def _compare(self, wanted: tuple[Ids, Ids], held: Delivered) -> Plan:
        mailbox, slot = wanted
        delivered = int(np.count_nonzero(self._in_window(held.starts)))
        if self._terms.only is not None:
            mine = mailbox == self._terms.only
            mailbox, slot = mailbox[mine], slot[mine]
            held = _of_mailbox(held, self._terms.only)
        slots = self._desired.slots
        want = pair_keys(mailbox, slots.meeting[slot])
        have = pair_keys(held.mailbox, held.meeting)
        place = np.searchsorted(have, want)
        found = np.zeros(len(want), dtype=np.bool_)
        inside = place < len(have)
        found[inside] = have[place[inside]] == want[inside]
        match = place[found]
        new_in = self._in_window(slots.starts[slot])
        old_in = self._in_window(held.starts)
        counts = new_in.copy()
        counts[found] |= old_in[match]
        differs = np.zeros(len(want), dtype=np.bool_)
        differs[found] = slots.fingerprint[slot[found]] != held.fingerprint[match]
        policy = slots.policy[slot]
        if self._terms.anew:
            # That a deleted calendar is made again all the same is for the run that was asked for it, not for its changes:
            # one that waits until later would disregard what its owner deletes meanwhile.
            policy = policy & np.int8(Policy.STOP_WITHOUT_CALENDAR)
        drifted = found & ~differs & self._to_restore(want, policy, slots.ends[slot])
        differs |= drifted
        idle = ~np.isin(want, self._terms.busy) & ~np.isin(mailbox, self._terms.unlinked)
        wished, deleted = self._wished(want, slots.fingerprint[slot])
        respected = ~found & wished & _says(policy, Policy.RESPECT_DELETIONS)
        create = ~found & new_in & idle & ~respected & ~np.isin(want, self._terms.beside)
        update = differs & counts & idle
        absent = np.ones(len(have), dtype=np.bool_)
        absent[match] = False
        delete = absent & old_in & self._deletable(held) & ~np.isin(have, self._terms.busy)
        delete &= ~np.isin(held.mailbox, self._terms.unlinked)
        previous = np.zeros(len(want), dtype=np.uint64)
        previous[found] = held.fingerprint[match]
        # 0 is the fingerprint of what nobody can prove to be a rendering of ours: who has changed it is not known.
        why = np.where(found & (previous == 0), Reason.UNLIKE, Reason.CHANGED)
        why[drifted] = Reason.EDITED
        if self._terms.anew:
            why[drifted | found & (previous == 0)] = Reason.RESET
        why[create] = np.where(slots.meeting[slot[create]] >= PROVISIONAL, Reason.NEW_MEETING, Reason.JOINED)
        why[create & (deleted | np.isin(want, self._terms.missing))] = Reason.RESTORED
        return _ordered(
            self._wanted_changes(mailbox, slot, create, update, previous, why, policy),
            self._deletes(held, delete),
            unchanged=int(np.count_nonzero(found & ~differs & counts | respected & new_in)),
            delivered=delivered,
            upcoming=_upcoming(held, delete, self._terms.now),
        )

    def _to_restore(self, want: Ids, policy: NDArray[np.int8], ends: Instants) -> Mask:
        """Where an event is written again although its meeting is as it was."""
        if self._terms.anew:
            return ends > self._terms.now
        return np.isin(want, self._terms.drifted) & ~_says(policy, Policy.KEEP_EDITS)

    def _wished(self, want: Ids, fingerprint: Fingerprints) -> tuple[Mask, Mask]:
        """Which pairs their owner has deleted as they are now, and which at all."""
        wishes = self._terms.wishes
        same, deleted = np.zeros(len(want), dtype=np.bool_), np.isin(want, wishes.pairs)
        place = np.searchsorted(wishes.pairs, want[deleted])
        same[deleted] = wishes.fingerprint[place] == fingerprint[deleted]
        return same, deleted

    def _in_window(self, starts: Instants) -> Mask:
        window = self._terms.window
        return (starts >= window.begin) & (starts < window.end)

    def _deletable(self, held: Delivered) -> Mask:
        """Where absence proves removal: read in full, inside the coverage, and not yet ended."""
        coverages = self._terms.coverages
        # The extra last element answers for -1, a source that was not read.
        begins = np.array([c.window.begin for c in coverages] + [1], dtype=np.int64)
        ends = np.array([c.window.end for c in coverages] + [0], dtype=np.int64)
        mask = (held.starts >= begins[held.source]) & (held.starts < ends[held.source])
        mask &= held.ends > self._terms.now
        unread = np.array(list(self._desired.unread), dtype=np.int64).reshape(-1, 2)
        places = pair_keys(held.mailbox, held.source.astype(np.int64))
        return mask & ~np.isin(places, pair_keys(unread[:, 1], unread[:, 0]))

    def _wanted_changes(
        self,
        mailbox: Ids,
        slot: Ids,
        create: Mask,
        update: Mask,
        previous: Fingerprints,
        why: Ids,
        policy: NDArray[np.int8],
    ) -> Plan:
        either = create | update
        slots, chosen = self._desired.slots, slot[either]
        creates = create[either]
        return Plan(
            mailbox=mailbox[either],
            meeting=slots.meeting[chosen],
            action=np.where(creates, Action.CREATE, Action.UPDATE).astype(np.int8),
            reason=why[either].astype(np.int8),
            fingerprint=slots.fingerprint[chosen],
            previous=previous[either],
            starts=slots.starts[chosen],
            ends=slots.ends[chosen],
            source=slots.source[chosen],
            calendar=slots.calendar[chosen],
            policy=policy[either],
        )

    def _deletes(self, held: Delivered, mask: Mask) -> Plan:
        meeting = held.meeting[mask]
        count = len(meeting)
        reason = np.full(count, Reason.REMOVED, dtype=np.int8)
        reason[np.isin(meeting, self._desired.known)] = Reason.LEFT
        reason[np.isin(meeting, self._desired.cancelled)] = Reason.CANCELLED
        return Plan(
            mailbox=held.mailbox[mask],
            meeting=meeting,
            action=np.full(count, Action.DELETE, dtype=np.int8),
            reason=reason,
            fingerprint=np.zeros(count, dtype=np.uint64),
            previous=held.fingerprint[mask],
            starts=held.starts[mask],
            ends=held.ends[mask],
            source=held.source[mask],
            calendar=np.zeros(count, dtype=np.int16),
            policy=np.zeros(count, dtype=np.int8),
        )


def _says(policy: NDArray[np.int8], what: Policy) -> Mask:
    found: Mask = (policy & np.int8(what)) != 0
    return found


def _of_mailbox(held: Delivered, mailbox: int) -> Delivered:
    mask = held.mailbox == mailbox
    return Delivered(**{part.name: getattr(held, part.name)[mask] for part in fields(Delivered)})


def _upcoming(held: Delivered, delete: Mask, now: int) -> dict[int, int]:
    losing = np.unique(held.mailbox[delete])
    alive = held.mailbox[(held.ends > now) & np.isin(held.mailbox, losing)]
    numbers, counts = np.unique(alive, return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))


def _ordered(
    changes: Plan, deletes: Plan, *, unchanged: int, delivered: int, upcoming: dict[int, int]
) -> Plan:
    arrays = {name: np.concatenate([getattr(changes, name), getattr(deletes, name)]) for name in _ARRAYS}
    order = np.argsort(pair_keys(arrays["mailbox"], arrays["meeting"]), kind="stable")
    return Plan(
        **{name: array[order] for name, array in arrays.items()},
        unchanged=unchanged,
        delivered=delivered,
        upcoming=upcoming,
    )
