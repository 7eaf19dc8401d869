"""
What is sent of meetings: whole renderings, or only what has changed since the last one.

An owner who may keep edits is sent the fields alone whose value differs between what was delivered and what
is wanted now: what a PATCH does not name stays as it is (Graph, "Update event"). The bytes are shared by all
who attend, as whole renderings are.
"""

from collections.abc import Sequence

import msgspec

from classbell.ledger import InstitutionLedger
from classbell.model import Action, Change, Policy

BODIES_KEPT = 20_000

# What makes sense only together: who has moved an event has moved its end as well.
_TOGETHER = (
    ("start", "end", "isAllDay"),
    ("isReminderOn", "reminderMinutesBeforeStart"),
)


class Bodies:
    """The bodies of changes, each loaded and worked out once."""

    def __init__(self, ledger: InstitutionLedger) -> None:
        self._ledger = ledger
        self._whole: dict[int, bytes] = {}
        self._partial: dict[tuple[int, int], bytes] = {}

    async def load(self, changes: Sequence[Change]) -> None:
        """Load what the bodies of some changes are made of."""
        wanted = {c.fingerprint for c in changes if c.fingerprint}
        wanted |= {c.entry.fingerprint for c in changes if c.entry is not None and _keeps(c)}
        missing = wanted - self._whole.keys()
        if not missing:
            return
        if len(self._whole) > BODIES_KEPT:
            self._whole.clear()
            self._partial.clear()
            missing = wanted
        self._whole.update(await self._ledger.meetings.bodies(missing))

    def of(self, change: Change) -> bytes:
        """
        The body of a create or update.

        An update is whole, too, where what was delivered is no longer known: which of its fields the owner has
        changed since cannot be told then, and the meeting's own values are what everybody relies on.
        """
        whole = self._whole[change.fingerprint]
        if change.entry is None or not _keeps(change):
            return whole
        pair = (change.entry.fingerprint, change.fingerprint)
        found = self._partial.get(pair)
        if found is None:
            before = self._whole.get(pair[0])
            found = self._partial[pair] = changed_fields(before, whole) if before else whole
        return found


def changed_fields(before: bytes, after: bytes) -> bytes:
    """The fields of a rendering whose value is another than before; all of them if none is."""
    was, will = msgspec.json.decode(before), msgspec.json.decode(after)
    differing = {name for name, value in will.items() if was.get(name) != value}
    for group in _TOGETHER:
        if differing.intersection(group):
            differing.update(group)
    sent = {name: value for name, value in will.items() if name in differing}
    return msgspec.json.encode(sent) if sent else after


def _keeps(change: Change) -> bool:
    return change.action is Action.UPDATE and bool(change.policy & Policy.KEEP_EDITS)
