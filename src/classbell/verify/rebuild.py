"""
Rebuild: a ledger that was lost, or is old, is made again from the marks in the mailboxes.

Nothing is written to a mailbox. What was sent before may still come to light for a while, so that a look at a
mailbox in doubt counts only from a minute and the bound after the beginning.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from classbell.access import Access
from classbell.deliver.joining import known_as_found
from classbell.deliver.settle import SEND_WITHIN
from classbell.deliver.survey import Survey
from classbell.ledger import (
    InstitutionLedger,
    KnownMailbox,
    RebuiltMailbox,
    Sighted,
    Sighting,
    Standing,
)
from classbell.model import Entry, Mailbox
from classbell.outlook.answers import Diagnosis, Meaning
from classbell.outlook.dialect import FoundEvent
from classbell.outlook.mark import Mark, installation_prefix
from classbell.ports import Clock
from classbell.verify.adoption import Adoption, adoption
from classbell.verify.findings import Owner, is_young, times_of, unseen
from classbell.verify.reading import Reader, Unread, told_apart
from classbell.verify.wanted import Want, Wanted, Wants, shown_by, what_was_sent

PAGE = 1000
KEPT = 1000

_CHANGED = Diagnosis(Meaning.BUSY, "E-LEDGER-EARLY", "The mailbox changed while it was read.")


@dataclass(frozen=True)
class _Found:
    """What one mailbox is to be from now on, and what was found for that."""

    survey: Survey
    rebuilt: RebuiltMailbox
    sorted_out: Adoption
    struck: int


@dataclass(frozen=True, kw_only=True)
class RebuildProgress:
    """How many mailboxes are rebuilt, and until when (our clock) there is only waiting."""

    rebuilt: int
    waiting_until: float = 0.0


@dataclass(kw_only=True)
class Rebuilt:
    """
    How a rebuild went.

    ``known`` and ``adopted`` count events that are the ledger's now, ``differing`` those of them that do not show
    what is wanted, ``struck`` entries whose events are gone. ``held`` is what is not ours to touch, the first of
    it with its mailbox; ``revision`` is the highest revision of a ledger that any mark names.
    """

    mailboxes: int = 0
    known: int = 0
    adopted: int = 0
    differing: int = 0
    struck: int = 0
    held_count: int = 0
    copies: int = 0
    held: list[tuple[Mailbox, Sighting]] = field(default_factory=list)
    unread_count: int = 0
    unread: list[Unread] = field(default_factory=list)
    revision: int = 0
    interrupted: bool = False


async def rebuild_mailboxes(
    ledger: InstitutionLedger,
    access: Access,
    clock: Clock,
    mailboxes: Sequence[Mailbox],
    *,
    owner: Owner,
    bound: float,
    timezone: str,
) -> Rebuilt:
    """
    Look for everything of this installation in some mailboxes, and enter what is ours into the ledger.

    Waits first until nothing that was sent there can come to light any more. What is held is in the result.

    Args:
        bound: the setting ``outcome_bound``, in seconds.
        timezone: IANA name; the institution's.

    Raises:
        RefusedError, TemporaryError: Microsoft refuses us or cannot be reached.
    """
    rebuild = Rebuild(ledger, access, clock, owner=owner, bound=bound, timezone=timezone)
    return await rebuild.some(mailboxes)


class Rebuild:
    """
    Rebuilds the ledger of one institution.

    Args:
        wanted: what should stand there; without it nobody can say whether an adopted event shows what it should.
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
        wanted: Wanted | None = None,
        tell: Callable[[RebuildProgress], None] = lambda _: None,
    ) -> None:
        self._ledger = ledger
        self._access = access
        self._clock = clock
        self._owner = owner
        self._bound = bound
        self._timezone = timezone
        self._wanted = wanted
        self._tell = tell
        self._prefix = installation_prefix(owner.installation)
        self._reader = Reader(ledger, access, clock, insist=True, lost=True)
        self._rebuilt = Rebuilt()
        self._decides_at = 0.0
        self._renamed: Mapping[str, str] = {}

    def stop(self) -> None:
        """Begin nothing new; what is rebuilt stays."""
        self._reader.stop()

    async def all(self) -> Rebuilt:
        """Rebuild every mailbox that the ledger knows by name."""
        return await self._run(self._pages)

    async def some(self, mailboxes: Sequence[Mailbox]) -> Rebuilt:
        """Rebuild these mailboxes."""

        async def once() -> AsyncIterator[Sequence[Mailbox]]:
            if mailboxes:
                yield mailboxes

        return await self._run(once)

    async def _run(self, pages: Callable[[], AsyncIterator[Sequence[Mailbox]]]) -> Rebuilt:
        await self._settle(pages())
        self._renamed = await self._ledger.known.renamed()
        async for unread in self._reader.through(pages(), self._unit):
            self._rebuilt.unread_count += 1
            if len(self._rebuilt.unread) < KEPT:
                self._rebuilt.unread.append(unread)
        self._rebuilt.interrupted = self._reader.interrupted
        revision = self._rebuilt.revision
        await self._ledger.entries.pack(await self._ledger.entries.stale(), revision)
        return self._rebuilt

    async def _pages(self) -> AsyncIterator[Sequence[Mailbox]]:
        after = -1
        while page := await self._ledger.rebuilding.mailboxes(PAGE, after):
            yield page
            after = page[-1].id

    async def _settle(self, pages: AsyncIterator[Sequence[Mailbox]]) -> None:
        """Wait until whatever may have been sent to these mailboxes before has come to light."""
        sent_until = 0.0
        first = True
        async for page in pages:
            if first:
                # Who must not read will know before waiting; and from here on we know the service's time.
                await self._reader.begin()
                if self._reader.may_ask(page[0]):
                    await self._reader.look(page[:1], "")
                else:
                    await self._access.client.learn_time()
                first = False
            if not all(mailbox.contacted for mailbox in page):
                # Another ledger may have sent something there a moment ago.
                sent_until = max(sent_until, self._access.client.service_now() + SEND_WITHIN)
            numbers = [mailbox.id for mailbox in page]
            sent_until = max(sent_until, await self._ledger.known.sent_until(numbers))
        self._decides_at = sent_until + self._bound if sent_until else 0.0
        while not self._reader.interrupted:
            # Whole seconds are all that the service's answers say of the time: hence one more.
            left = self._decides_at + 1.0 - self._access.client.service_now()
            if left <= 0:
                return
            self._tell(RebuildProgress(rebuilt=0, waiting_until=self._clock.now() + left))
            await self._reader.sleep(left)

    async def _unit(self, mailboxes: Sequence[Mailbox], reader: Reader) -> list[Survey]:
        first = await reader.look(mailboxes, self._prefix)
        failed = [survey for survey in first if survey.failure is not None]
        earlier = {survey.mailbox.id: survey for survey in first if survey.failure is None}
        again = [survey.mailbox for survey in earlier.values()]
        found: list[_Found] = []
        for survey in await reader.look(again, self._prefix, content=True):
            if survey.failure is None:
                survey.failure = await self._rebuild(earlier[survey.mailbox.id], survey, reader, found)
            if survey.failure is not None:
                failed.append(survey)
        changed = await self._ledger.rebuilding.keep([one.rebuilt for one in found], self._clock.now())
        for one in found:
            if one.survey.mailbox.id in changed:
                one.survey.failure = _CHANGED
                failed.append(one.survey)
            else:
                self._count(one)
                await self._keep_calendars(one.survey)
        self._tell(RebuildProgress(rebuilt=self._rebuilt.mailboxes))
        return failed

    async def _keep_calendars(self, survey: Survey) -> None:
        """Remember which calendars are ours, so that it is noticed if their owner deletes them."""
        number = survey.mailbox.id
        known = await self._ledger.calendars.known([number])
        standing = {calendar.id for calendar in survey.calendars}
        for name in self._wanted.calendars if self._wanted is not None else ():
            found = survey.calendar(name)
            # One of that name in which nothing of ours stands may be its owner's own.
            if found is None or found.id not in survey.holding or known.get((number, name)) in standing:
                continue
            await self._ledger.calendars.keep((number, name), found.id)

    async def _rebuild(
        self, earlier: Survey, survey: Survey, reader: Reader, found: list[_Found]
    ) -> Diagnosis | None:
        """Work out one mailbox; what kept us from it, if anything did."""
        if earlier.service_time < self._decides_at:
            return Diagnosis(
                Meaning.BUSY, "E-LEDGER-EARLY", "Requests of before may still come to light there."
            )
        if {event.id for event in earlier.events} != {event.id for event in survey.events}:
            return _CHANGED
        decides_until = earlier.service_time - self._bound
        capabilities = self._access.dialect.capabilities
        known = await known_as_found(self._ledger, survey.mailbox, survey.events, capabilities, self._bound)
        absent = unseen(known, [survey.events])
        young: list[Entry] = []
        older: list[Entry] = []
        for entry in absent:
            new = is_young(known, entry, service_time=earlier.service_time, bound=self._bound)
            (young if new else older).append(entry)
        gone = await reader.whether_gone(older)
        if isinstance(gone, Diagnosis):
            return gone
        gone = told_apart(gone, known, [survey.events], reader)
        elsewhere = await self._elsewhere(survey)
        known = replace(
            known, bodies={**{e.fingerprint: body for e, body in elsewhere if body}, **known.bodies}
        )
        sorted_out = adoption(
            known,
            survey.events,
            owner=self._owner,
            bound=self._bound,
            unmarked=[*gone.unmarked, *gone.astray],
            young=young,
            elsewhere={entry.event_id: entry for entry, _ in elsewhere},
            renamed=self._renamed,
            coming=_coming(known, survey.events, decides_until),
        )
        times = {event.id: self._times(event) for event in survey.events}
        sorted_out.held = [
            (replace(held, starts_at=times[held.event_id][0], ends_at=times[held.event_id][1]), key)
            if held.event_id in times
            else (held, key)
            for held, key in sorted_out.held
        ]
        wants = await self._wanted.of(survey.mailbox.key) if self._wanted is not None else Wants()
        rebuilt = self._rebuilt_mailbox(known, sorted_out, wants)
        rebuilt = replace(rebuilt, decides_until=decides_until)
        found.append(_Found(survey, rebuilt, sorted_out, struck=len(gone.missing)))
        return None

    async def _elsewhere(self, survey: Survey) -> list[tuple[Entry, bytes]]:
        """
        What the ledger has, with its renderings, of other mailboxes that marks name which stand in this one.

        Not of one that timetables still name: two addresses of one mailbox would take its events from each other.
        """
        marks = [mark for event in survey.events if event.mark and (mark := Mark.parse(event.mark))]
        found: list[tuple[Entry, bytes]] = []
        for key in sorted({mark.mailbox_key for mark in marks} - {survey.mailbox.key}):
            still_named = self._wanted is not None and self._wanted.names(key)
            other = None if still_named else await self._ledger.mailboxes.find(key)
            if other is not None:
                found += [
                    (entry, body or b"") for entry, body in await self._ledger.entries.of_mailbox(other)
                ]
        return found

    def _rebuilt_mailbox(self, known: KnownMailbox, sorted_out: Adoption, wants: Wants) -> RebuiltMailbox:
        standing: list[Standing] = []
        sightings = list(sorted_out.held)
        for entry, event in sorted_out.kept:
            before = Want(
                fingerprint=entry.fingerprint,
                body=known.bodies.get(entry.fingerprint, b""),
                starts_at=entry.starts_at,
                ends_at=entry.ends_at,
            )
            wanted = [*wants.may_show(entry.meeting_key, self._times(event))]
            sent = what_was_sent(known.updates.get(entry.meeting_id))
            # Without a timetable it is known by what was sent alone.
            wanted += [sent] if sent is not None and sent.body else []
            if not known.mailbox.contacted:
                # What an old ledger takes for a change by its owner we may have written ourselves.
                wanted += [before] if before.body else []
            shown, drifted = shown_by(event, wanted, before if known.mailbox.contacted else None)
            sightings += [(sighting, entry.meeting_key) for sighting in drifted]
            standing.append(
                self._standing(entry.meeting_key, entry.incarnation, entry.operation, event, shown)
            )
        for mark, event in sorted_out.adopted:
            key = sorted_out.key_of(mark)
            sent = what_was_sent(known.under_way.get(mark.operation))
            shown, drifted = shown_by(event, wants.may_show(key, self._times(event)), sent)
            sightings += [(sighting, key) for sighting in drifted]
            standing.append(self._standing(key, mark.incarnation, mark.operation, event, shown))
        return RebuiltMailbox(
            mailbox=known.mailbox,
            known={entry.event_id: entry.etag for entry in known.entries},
            standing=standing,
            left=sorted_out.left,
            sightings=sightings,
            incarnations=sorted_out.incarnations,
            moved=sorted_out.moved,
        )

    def _standing(
        self, key: str, incarnation: int, operation: str, event: FoundEvent, shown: Want | None
    ) -> Standing:
        starts_at, ends_at = self._times(event)
        return Standing(
            meeting_key=key,
            event_id=event.id,
            etag=event.etag,
            fingerprint=shown.fingerprint if shown is not None else 0,
            # Of an event that shows something else it counts when it stands there, not when it should.
            starts_at=shown.starts_at if shown is not None else starts_at,
            ends_at=shown.ends_at if shown is not None else ends_at,
            incarnation=incarnation,
            operation=operation,
            created_at=event.created_at,
        )

    def _times(self, event: FoundEvent) -> tuple[int, int]:
        return times_of(event, self._timezone)

    def _count(self, found: _Found) -> None:
        rebuilt, sorted_out = self._rebuilt, found.sorted_out
        rebuilt.mailboxes += 1
        rebuilt.known += len(sorted_out.kept) + sorted_out.young
        rebuilt.adopted += len(sorted_out.adopted)
        rebuilt.differing += sum(not one.fingerprint for one in found.rebuilt.standing)
        rebuilt.differing += len(found.rebuilt.sightings) - len(sorted_out.held)
        rebuilt.struck += found.struck
        rebuilt.revision = max(rebuilt.revision, sorted_out.revision)
        rebuilt.held_count += len(sorted_out.held)
        rebuilt.copies += sum(held.kind is Sighted.COPY for held, _ in sorted_out.held)
        if len(rebuilt.held) < KEPT:
            rebuilt.held += [(found.survey.mailbox, sighting) for sighting, _ in sorted_out.held]


def _coming(known: KnownMailbox, events: Sequence[FoundEvent], decides_until: float) -> set[str]:
    """The full keys of meetings of which a create was sent so lately that a look need not find its event."""
    seen = {mark.operation for event in events if event.mark and (mark := Mark.parse(event.mark)) is not None}
    return {
        request.meeting_key
        for operation, request in known.under_way.items()
        if operation not in seen and request.send_until > decides_until
    }
