"""
Verify: read mailboxes back, and keep in the ledger what is not as it has it.

Nothing is written to a mailbox here. What was seen goes into the ledger, and the next plan makes good what the
policies want made good, under the same guards as ever.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from math import ceil

from classbell.access import Access
from classbell.deliver.joining import known_as_found
from classbell.deliver.overtaken import HELD, overtaken
from classbell.deliver.survey import Survey
from classbell.ledger import LOST, InstitutionLedger, KnownMailbox, Sighted, Verified
from classbell.model import Mailbox
from classbell.outlook.answers import Diagnosis, Meaning
from classbell.outlook.dialect import FoundEvent
from classbell.outlook.mark import installation_prefix
from classbell.ports import Clock
from classbell.verify.findings import Owner, absent, findings, keys_named, too_young, unlike
from classbell.verify.reading import Gone, Reader, Unread, told_apart

PAGE = 1000
# Of what is told one by one; the ledger keeps everything.
KEPT = 1000


@dataclass(kw_only=True)
class Verdict:
    """
    How reading back went: mailboxes read, what was seen by kind, and what stayed unread.

    ``boxes`` are the numbers of the mailboxes read, ``missing`` the pairs (mailbox, meeting) that are missing since this
    look. ``young`` counts events that were not found and are too new for that to mean anything until ``judged_at``.
    """

    read: int = 0
    boxes: set[int] = field(default_factory=set)
    missing: set[tuple[int, int]] = field(default_factory=set)
    young: int = 0
    judged_at: float = 0.0
    seen: Counter[Sighted] = field(default_factory=Counter)
    unlike: int = 0
    examples: list[Verified] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    unread_count: int = 0
    interrupted: bool = False

    def summary(self) -> dict[str, object]:
        """The counts that the ledger keeps of a run."""
        return {"verified": self.read, "seen": {kind.value: self.seen[kind] for kind in Sighted}}


class Verification:
    """
    Reads mailboxes of one institution back.

    Args:
        owner: the ids of installation and institution.
        bound: seconds for which a young event may be missing from lists.
        timezone: IANA name; the institution's.
        tell: called with the number of mailboxes read so far.
    """

    def __init__(
        self,
        ledger: InstitutionLedger,
        access: Access,
        clock: Clock,
        *,
        owner: Owner,
        bound: float,
        timezone: str,
        tell: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._ledger = ledger
        self._access = access
        self._clock = clock
        self._owner = owner
        self._bound = bound
        self._timezone = timezone
        self._tell = tell
        self._prefix = installation_prefix(owner.installation)
        self._reader: Reader | None = None
        self._verdict = Verdict()

    def stop(self) -> None:
        """Begin nothing new; what was read is kept."""
        if self._reader is not None:
            self._reader.stop()

    async def all(self) -> Verdict:
        """Read back every mailbox in which events of ours may stand."""
        return await self._read(self._pages())

    async def sample(self, count: int) -> Verdict:
        """Read back those mailboxes that were not for the longest time."""
        return await self._read(_once(await self._ledger.sightings.longest_unseen(count)))

    async def share(self, percent: float) -> Verdict:
        """Read back a share of the mailboxes, as ``sample``; at least one if there is any."""
        return await self.sample(ceil(await self._ledger.sightings.count_mailboxes() * percent / 100))

    async def some(self, mailboxes: Sequence[Mailbox]) -> Verdict:
        """Read back these mailboxes, even if they were out."""
        return await self._read(_once(mailboxes), insist=True)

    async def _read(self, pages: AsyncIterator[Sequence[Mailbox]], *, insist: bool = False) -> Verdict:
        verdict = self._verdict = Verdict()
        self._reader = Reader(self._ledger, self._access, self._clock, insist=insist)
        try:
            async for unread in self._reader.through(pages, self._unit):
                verdict.unread_count += 1
                if len(verdict.unread) < KEPT:
                    verdict.unread.append(unread)
            verdict.interrupted = self._reader.interrupted
        finally:
            self._reader = None
        return verdict

    async def _pages(self) -> AsyncIterator[Sequence[Mailbox]]:
        after = -1
        while page := await self._ledger.sightings.mailboxes(PAGE, after):
            yield page
            after = page[-1].id

    async def _unit(self, mailboxes: Sequence[Mailbox], reader: Reader) -> list[Survey]:
        """Look; look again, with contents, where something is not as the ledger has it."""
        first = await reader.look(mailboxes, self._prefix)
        failed = [survey for survey in first if survey.failure is not None]
        found: list[Verified] = []
        again: dict[int, tuple[KnownMailbox, Survey]] = {}
        for survey in first:
            if survey.failure is None:
                known = await self._known(survey.mailbox, survey.events)
                if await self._overtaken(known, survey):
                    failed.append(survey)
                elif unlike(known, survey.events):
                    again[survey.mailbox.id] = (known, survey)
                else:
                    found.append(await self._findings(known, survey.events))
        second = await reader.look([known.mailbox for known, _ in again.values()], self._prefix, content=True)
        for survey in second:
            known, earlier = again[survey.mailbox.id]
            if survey.failure is None:
                survey.failure = await self._closer(known, earlier, survey, reader, found)
            if survey.failure is not None:
                failed.append(survey)
        await self._ledger.sightings.keep(found, self._clock.now())
        self._count(found)
        return failed

    async def _overtaken(self, known: KnownMailbox, survey: Survey) -> bool:
        """Whether a newer ledger was at work there; then the survey has failed."""
        ours = {entry.event_id for entry in known.entries}
        held = await overtaken(self._ledger, known.mailbox, (e for e in survey.events if e.id not in ours))
        if held:
            survey.failure = Diagnosis(Meaning.MAILBOX_OUT, LOST, HELD)
        return held

    async def _closer(
        self, known: KnownMailbox, earlier: Survey, survey: Survey, reader: Reader, found: list[Verified]
    ) -> Diagnosis | None:
        """Find out what is gone; what kept us from it, if anything did."""
        known = await self._known(known.mailbox, survey.events)
        looks = (earlier.events, survey.events)
        candidates = absent(known, looks, service_time=earlier.service_time, bound=self._bound)
        gone = await reader.whether_gone(candidates)
        if isinstance(gone, Diagnosis):
            return gone
        found.append(await self._findings(known, survey.events, told_apart(gone, known, looks, reader)))
        for entry in too_young(known, looks, service_time=earlier.service_time, bound=self._bound):
            self._verdict.young += 1
            judged_at = known.delivered_at[entry.meeting_id] + self._bound
            self._verdict.judged_at = max(self._verdict.judged_at, judged_at)
        return None

    async def _known(self, owner: Mailbox, events: Sequence[FoundEvent]) -> KnownMailbox:
        capabilities = self._access.dialect.capabilities
        return await known_as_found(self._ledger, owner, events, capabilities, self._bound)

    async def _findings(
        self,
        known: KnownMailbox,
        events: Sequence[FoundEvent],
        gone: Gone | None = None,
    ) -> Verified:
        ours = {entry.event_id for entry in known.entries}
        strangers = keys_named(event for event in events if event.id not in ours)
        return findings(
            known,
            events,
            owner=self._owner,
            missing=gone.missing if gone else (),
            unmarked=gone.unmarked if gone else (),
            astray=gone.astray if gone else (),
            meetings=await self._ledger.known.numbers(strangers) if strangers else {},
            immutable_ids=self._access.dialect.capabilities.immutable_ids,
            timezone=self._timezone,
        )

    def _count(self, found: Sequence[Verified]) -> None:
        verdict = self._verdict
        for one in found:
            verdict.read += 1
            verdict.boxes.add(one.mailbox.id)
            verdict.missing.update((one.mailbox.id, entry.meeting_id) for entry in one.missing)
            verdict.seen.update(seen.kind for seen in one.sightings)
            if one.sightings:
                verdict.unlike += 1
                if len(verdict.examples) < KEPT:
                    verdict.examples.append(one)
        self._tell(verdict.read)


async def _once(mailboxes: Sequence[Mailbox]) -> AsyncIterator[Sequence[Mailbox]]:
    if mailboxes:
        yield mailboxes
