"""
Reading many mailboxes: in units of a batch, several side by side, with the pace and the fences of delivery.

A mailbox of which any part could not be read is unread, with a reason, and nothing is concluded from it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from classbell.access import Access
from classbell.deliver.backlog import Readiness
from classbell.deliver.joining import astray
from classbell.deliver.ownership import bears_its_mark
from classbell.deliver.refusals import Refusals
from classbell.deliver.settle import in_words
from classbell.deliver.survey import REPEATS, SHORT, Survey, Surveyor
from classbell.errors import ClassbellError
from classbell.ledger import LOST, InstitutionLedger, KnownMailbox, OutMailbox
from classbell.model import Entry, Mailbox
from classbell.outlook.answers import Diagnosis, Fence, Meaning, classify
from classbell.outlook.dialect import Answer, FoundEvent, Kind
from classbell.ports import Clock

# A mailbox with its contents takes some hundred KB meanwhile, so there are fewer side by side than in delivery.
SIDE_BY_SIDE = 8
ATTEMPTS = 5
PATIENCE = 120.0
PER_MAILBOX = 3

_PASSING = (Meaning.BUSY, Meaning.SERVICE_BUSY, Meaning.NOT_SENT, Meaning.UNAUTHORISED, Meaning.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A mailbox that could not be read, and why."""

    mailbox: Mailbox
    code: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Gone:
    """
    Entries whose events are gone, and those whose events stand there without our mark.

    ``astray`` are those whose events may stand there, among others that bear their marks.
    """

    missing: list[Entry] = field(default_factory=list)
    unmarked: list[Entry] = field(default_factory=list)
    astray: list[Entry] = field(default_factory=list)


def told_apart(
    gone: Gone, known: KnownMailbox, looks: Iterable[Sequence[FoundEvent]], reader: "Reader"
) -> Gone:
    """The same, without taking for missing what may stand there under an id that nobody knows."""
    seen = [event for events in looks for event in events]
    lost = astray(gone.missing, known, seen, reader.capabilities)
    missing = [entry for entry in gone.missing if entry not in lost]
    return Gone(missing=missing, unmarked=gone.unmarked, astray=lost)


Work = Callable[[Sequence[Mailbox], "Reader"], Awaitable[Sequence[Survey]]]
"""Reads a unit of mailboxes and does something with what is there; gives back the surveys that failed."""


class Reader:
    """
    Reads mailboxes for one pass.

    Args:
        insist: mailboxes that are out are tried as well, since somebody asked for them by name.
        lost: whether those are read too whose ledger was lost.
    """

    def __init__(
        self,
        ledger: InstitutionLedger,
        access: Access,
        clock: Clock,
        *,
        insist: bool = False,
        lost: bool = False,
    ) -> None:
        self._ledger = ledger
        self._access = access
        self._clock = clock
        self._insist = insist
        self._lost = lost
        self._readiness = Readiness()
        self._refusals = Refusals(ledger, access.pace, clock, self._readiness, access.tokens.no_mailbox_open)
        self._surveyor = Surveyor(
            access.client, access.dialect, self._refusals.note, self._refusals.barred, clock.sleep
        )
        self._stop = asyncio.Event()
        self._out: dict[int, OutMailbox] = {}
        self.capabilities = access.dialect.capabilities
        self.interrupted = False

    def stop(self) -> None:
        """Begin nothing new."""
        self.interrupted = True
        self._stop.set()

    async def begin(self) -> None:
        """Learn who must be left in peace since an earlier run, and which mailboxes are out."""
        await self._refusals.begin()
        self._out = {out.mailbox.id: out for out in await self._ledger.mailboxes.out()}

    def may_ask(self, mailbox: Mailbox) -> bool:
        """Whether a mailbox can be looked at now."""
        return self._shut(mailbox) is None and not self._access.pace.blocked_until(mailbox.id)

    async def look(self, mailboxes: Sequence[Mailbox], prefix: str, *, content: bool = False) -> list[Survey]:
        """Look through mailboxes of at most one batch."""
        surveys = [Survey(mailbox=mailbox, prefix=prefix, content=content) for mailbox in mailboxes]
        if surveys:
            await self._surveyor.fill(surveys)
        return surveys

    async def whether_gone(self, entries: Sequence[Entry]) -> "Gone | Diagnosis":
        """
        Of events of one mailbox that no calendar shows, which are gone; or what kept us from finding out.

        What is refused for a moment is asked again after it, as in a look.
        """
        gone = Gone()
        left = list(entries)
        # Only by its mark could such a one have been found.
        gone.missing.extend(entry for entry in left if entry.is_lost)
        left = [entry for entry in left if not entry.is_lost]
        refusals = 0
        while left:
            # Never more of one mailbox at once than the pace allows.
            part = left[:PER_MAILBOX]
            for entry, (answer, diagnosis) in zip(part, await self._read(part), strict=True):
                if diagnosis.meaning is Meaning.GONE:
                    gone.missing.append(entry)
                elif diagnosis.meaning is not Meaning.DONE:
                    refusals += 1
                    if refusals > REPEATS or not await self._passed(entry.mailbox, diagnosis):
                        return diagnosis
                    break
                elif bears_its_mark(answer.mark, entry):
                    # In Deleted Items, where its id may go on answering.
                    gone.missing.append(entry)
                else:
                    gone.unmarked.append(entry)
                refusals = 0
                del left[0]
        return gone

    async def _read(self, entries: Sequence[Entry]) -> list[tuple[Answer, Diagnosis]]:
        """Read events of ours by their ids."""
        answers = await self._access.client.send([self._access.dialect.read(entry) for entry in entries])
        heard = [(answer, classify(Kind.READ, answer)) for answer in answers]
        self._refusals.note([(entry.mailbox, *each) for entry, each in zip(entries, heard, strict=True)])
        return heard

    async def _passed(self, mailbox: Mailbox, refusal: Diagnosis) -> bool:
        """Wait until a mailbox takes requests again, if it refused one for a moment only."""
        if refusal.meaning is not Meaning.BUSY or refusal.fence is not Fence.MAILBOX:
            return False
        barred = self._refusals.barred(mailbox)
        wait = (barred.retry_after or 0.0) if barred is not None else 0.0
        if wait > SHORT:
            return False
        await self.sleep(wait)
        return not self._stop.is_set()

    async def through(self, pages: AsyncIterator[Sequence[Mailbox]], work: Work) -> AsyncIterator[Unread]:
        """
        Do *work* with all mailboxes of *pages*; those that stayed unread come out.

        Raises:
            RefusedError: a credential was refused, or no mailbox is open to us.
            TemporaryError: the service cannot be reached.
        """
        await self.begin()
        try:
            async for page in pages:
                for unread in await self._page(page, work):
                    yield unread
                if self._stop.is_set() or self._refusals.hopeless:
                    break
        except BaseException:
            with suppress(ClassbellError):
                await self._refusals.settle()
            raise
        await self._refusals.settle()
        await self._refusals.finish()

    async def _page(self, page: Sequence[Mailbox], work: Work) -> list[Unread]:
        unread = [left for mailbox in page if (left := self._shut(mailbox)) is not None]
        shut = {left.mailbox.id for left in unread}
        pending = [mailbox for mailbox in page if mailbox.id not in shut]
        failed: dict[int, Survey] = {}
        for attempt in range(ATTEMPTS):
            failed.update({survey.mailbox.id: survey for survey in await self._units(pending, work)})
            pending = [s.mailbox for s in failed.values() if self._may_pass(s)]
            if not pending or attempt == ATTEMPTS - 1 or not await self._wait(pending):
                break
            for mailbox in pending:
                del failed[mailbox.id]
        unread += [_unread(survey) for survey in failed.values()]
        return unread

    async def _units(self, mailboxes: Sequence[Mailbox], work: Work) -> list[Survey]:
        """Do the work unit by unit, several side by side; the surveys that failed."""
        size = self._access.dialect.capabilities.batch_size
        units = [mailboxes[begin : begin + size] for begin in range(0, len(mailboxes), size)][::-1]
        under_way: set[asyncio.Task[Sequence[Survey]]] = set()
        failed: list[Survey] = []
        try:
            while units or under_way:
                while units and len(under_way) < min(SIDE_BY_SIDE, self._access.pace.batches_allowed or 1):
                    unit = units.pop()
                    if self._stop.is_set() or self._refusals.hopeless:
                        failed += [_not_tried(mailbox) for mailbox in unit]
                    else:
                        under_way.add(asyncio.create_task(self._unit(unit, work)))
                if under_way:
                    ended, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                    for task in ended:
                        failed += task.result()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        return failed

    async def _unit(self, unit: Sequence[Mailbox], work: Work) -> Sequence[Survey]:
        admitted = [mailbox for mailbox in unit if self._access.pace.admit(mailbox.id)]
        try:
            failed = list(await work(admitted, self)) if admitted else []
            await self._refusals.settle()
        finally:
            for mailbox in admitted:
                self._access.pace.release(mailbox.id)
        return failed + [_not_tried(mailbox) for mailbox in unit if mailbox not in admitted]

    def _shut(self, mailbox: Mailbox) -> Unread | None:
        """Why a mailbox is not even tried."""
        out = self._out.get(mailbox.id)
        if out is None:
            return None
        now = self._clock.now()
        passable = self._lost if out.code == LOST else self._insist or out.retry_at <= now
        if passable and out.quiet_until <= now:
            return None
        return Unread(mailbox=mailbox, code=out.code, detail=out.detail)

    def _may_pass(self, survey: Survey) -> bool:
        failure = survey.failure
        closed = self._readiness.is_closed(survey.mailbox.id, self._clock.now())
        return failure is not None and failure.meaning in _PASSING and not closed

    async def _wait(self, pending: Sequence[Mailbox]) -> bool:
        """Wait until the fences around mailboxes have fallen; False if that takes too long."""
        if self._stop.is_set() or self._refusals.hopeless:
            return False
        now = self._clock.now()
        until = max(self._access.pace.blocked_until(mailbox.id) for mailbox in pending)
        if until > now + PATIENCE:
            return False
        await self.sleep(max(until - now, 1.0))
        return not self._stop.is_set()

    async def sleep(self, seconds: float) -> None:
        """Wait, but no longer than until this pass is stopped."""
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            stopping.cancel()


def _not_tried(mailbox: Mailbox) -> Survey:
    return Survey(
        mailbox=mailbox,
        failure=Diagnosis(Meaning.NOT_SENT, "E-GRAPH-UNSENT", "It was not this mailbox's turn any more."),
    )


def _unread(survey: Survey) -> Unread:
    failure = survey.failure
    if failure is None:
        raise AssertionError("a survey that did not fail is not unread")
    return Unread(mailbox=survey.mailbox, code=failure.code, detail=in_words(failure))
