"""Building a snapshot: one order, unique keys, and a digest that does not depend on the order of the input."""

import struct
from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from classbell.model import Coverage, Indexes, Meeting, Remark, Snapshot, Window

Pairs = NDArray[np.int64]

_DIGEST_SIZE = 16


def person_of(text: str) -> str:
    """A person's address in the one form it has in snapshots."""
    return text.strip().lower().removeprefix("mailto:")


def build(
    *,
    source: str,
    meetings: Sequence[Meeting],
    people: Sequence[str],
    pairs: Pairs,
    window: Window,
    unread: frozenset[str] = frozenset(),
    remarks: Sequence[Remark] = (),
) -> Snapshot:
    """
    A snapshot with meetings sorted by key and people by address.

    Args:
        meetings: with unique keys.
        people: unique, as ``person_of`` gives them.
        pairs: shape (n, 2), an index into *people* beside an index into *meetings*; may repeat.

    Raises:
        ValueError: two meetings share a key.
    """
    meeting_order = sorted(range(len(meetings)), key=lambda index: meetings[index].key)
    people_order = sorted(range(len(people)), key=people.__getitem__)
    ordered = tuple(meetings[index] for index in meeting_order)
    for before, after in pairwise(ordered):
        if before.key == after.key:
            raise ValueError(f"two meetings share the key {before.key!r}")
    named = tuple(people[index] for index in people_order)
    attendance = _attendance(pairs, _ranks(people_order), _ranks(meeting_order))
    return Snapshot(
        source=source,
        meetings=ordered,
        people=named,
        attendance=attendance,
        coverage=Coverage(window=window, unread=unread),
        digest=_digest(ordered, named, attendance, unread),
        remarks=tuple(remarks),
    )


def _ranks(order: Sequence[int]) -> NDArray[np.int64]:
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[np.asarray(order, dtype=np.int64)] = np.arange(len(order), dtype=np.int64)
    return ranks


def _attendance(pairs: Pairs, people: NDArray[np.int64], meetings: NDArray[np.int64]) -> Indexes:
    if not len(pairs):
        return np.empty((0, 2), dtype=np.int32)
    # Each pair as one number, so that sorting and uniqueness cost one pass over plain integers.
    packed = people[pairs[:, 0]] * len(meetings) + meetings[pairs[:, 1]]
    packed.sort()
    packed = packed[np.concatenate(([True], packed[1:] != packed[:-1]))]
    return np.stack(np.divmod(packed, len(meetings)), axis=1).astype(np.int32)


def _digest(
    meetings: Sequence[Meeting], people: Sequence[str], attendance: Indexes, unread: frozenset[str]
) -> bytes:
    # Who was unread belongs to it: a feed that can be read again may change nothing but what its absences
    # prove. The window does not: it moves with the clock.
    encoder = msgspec.msgpack.Encoder(order="deterministic")
    digest = blake2b(digest_size=_DIGEST_SIZE)
    parts = (
        *(encoder.encode(meeting) for meeting in meetings),
        encoder.encode(people),
        encoder.encode(sorted(unread)),
        np.ascontiguousarray(attendance, dtype="<i4").tobytes(),
    )
    for part in parts:
        digest.update(struct.pack("<Q", len(part)))
        digest.update(part)
    return digest.digest()
