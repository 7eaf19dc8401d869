"""What the sources want in a mailbox now, for telling whether the events that stand there show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from classbell.desired import Desired, MeetingKey
from classbell.ledger import InstitutionLedger, Sighted, Sighting, UnderWay, full_key
from classbell.numbering import Numbering
from classbell.outlook.dialect import FoundEvent
from classbell.renderings import Renderings
from classbell.verify.compare import differing


@dataclass(frozen=True, kw_only=True)
class Want:
    """How a meeting should look: its rendering with the fingerprint, and when it is."""

    fingerprint: int
    body: bytes
    starts_at: int
    ends_at: int


class Wants:
    """
    What one mailbox should hold.

    Args:
        by_key: by the full keys of meetings.
    """

    def __init__(self, by_key: Mapping[str, Want] | None = None) -> None:
        self._by_key = by_key or {}
        self._by_time: dict[tuple[int, int], list[Want]] = {}
        for want in self._by_key.values():
            self._by_time.setdefault((want.starts_at, want.ends_at), []).append(want)

    def may_show(self, key: str, times: tuple[int, int]) -> Sequence[Want]:
        """
        What an event may show that bears a key and stands at these times: its meeting as it is wanted now.

        A key that is wanted no more may be one of before its source has renumbered its meetings. Then it is any
        meeting of that time; which of them it is, planning finds out.
        """
        want = self._by_key.get(key)
        return [want] if want is not None else self._by_time.get(times, [])


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

    def names(self, mailbox_key: str) -> bool:
        """Whether anything should stand in a mailbox."""
        number = self._mailboxes.known(mailbox_key)
        return number is not None and bool(np.isin(number, self._desired.mailboxes))

    async def of(self, mailbox_key: str) -> Wants:
        """What a mailbox should hold; nothing where its rendering is not known."""
        desired, slots = self._desired, self._desired.slots
        number = self._mailboxes.known(mailbox_key)
        if number is None:
            return Wants()
        place = int(np.searchsorted(desired.mailboxes, number))
        if place >= len(desired.mailboxes) or desired.mailboxes[place] != number:
            return Wants()
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
        return Wants(found)


def what_was_sent(request: UnderWay | None) -> Want | None:
    """What a request asked for of which nobody heard whether it was carried out."""
    if request is None:
        return None
    return Want(
        fingerprint=request.fingerprint,
        body=request.body,
        starts_at=request.starts_at,
        ends_at=request.ends_at,
    )


def shown_by(
    event: FoundEvent, wants: Sequence[Want], before: Want | None
) -> tuple[Want | None, list[Sighting]]:
    """The rendering that an event shows, or that we gave it; and what its owner has made of that."""
    shown = next((want for want in wants if not differing(want.body, event)), None)
    if shown is not None or before is None or not before.body:
        return shown, []
    # What was delivered stays known, so that its owner's changes can be told from ours.
    fields = differing(before.body, event)
    return before, [_drifted(event, fields)] if fields else []


def _drifted(event: FoundEvent, fields: Sequence[str]) -> Sighting:
    return Sighting(kind=Sighted.DRIFTED, event_id=event.id, etag=event.etag, detail=", ".join(fields))
