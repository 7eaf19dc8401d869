"""What the sources want in a mailbox now, for telling whether the events that stand there show it."""

from dataclasses import dataclass

import numpy as np

from classbell.desired import Desired, MeetingKey
from classbell.ledger import InstitutionLedger, full_key
from classbell.numbering import Numbering
from classbell.renderings import Renderings


@dataclass(frozen=True, kw_only=True)
class Want:
    """How a meeting should look: its rendering with the fingerprint, and when it is."""

    fingerprint: int
    body: bytes
    starts_at: int
    ends_at: int


class Wanted:
    """Looks up the desired state by the keys that marks name."""

    def __init__(
        self,
        ledger: InstitutionLedger,
        desired: Desired,
        meetings: Numbering[MeetingKey],
        mailboxes: Numbering[str],
        renderings: Renderings,
    ) -> None:
        self._ledger = ledger
        self._desired = desired
        self._names = meetings.keys()
        self._mailboxes = mailboxes
        self._bodies = renderings.new_bodies()

    @property
    def calendars(self) -> tuple[str, ...]:
        """The names of the calendars that Classbell makes and fills."""
        return tuple(name for name in self._desired.slots.calendars if name)

    async def of(self, mailbox_key: str) -> dict[str, Want]:
        """What a mailbox should hold, by the full keys of meetings; nothing where its rendering is not known."""
        desired, slots = self._desired, self._desired.slots
        number = self._mailboxes.known(mailbox_key)
        if number is None:
            return {}
        place = int(np.searchsorted(desired.mailboxes, number))
        if place >= len(desired.mailboxes) or desired.mailboxes[place] != number:
            return {}
        mine = desired.slot[desired.offsets[place] : desired.offsets[place + 1]]
        prints = slots.fingerprint[mine].tolist()
        bodies = await self._ledger.meetings.bodies(set(prints) - self._bodies.keys())
        found: dict[str, Want] = {}
        for slot, fingerprint in zip(mine.tolist(), prints, strict=True):
            body = self._bodies.get(fingerprint) or bodies.get(fingerprint)
            if body:
                found[full_key(*self._names[int(slots.meeting[slot])])] = Want(
                    fingerprint=fingerprint,
                    body=body,
                    starts_at=int(slots.starts[slot]),
                    ends_at=int(slots.ends[slot]),
                )
        return found
