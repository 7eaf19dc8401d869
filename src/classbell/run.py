"""
A run: one pass for one institution. Read, plan, guard, deliver; the same for every way to start one.

``look`` reads and plans and writes nothing anywhere; ``carry_out`` accepts what passed the guards and
delivers it. Between the two a person may be asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from classbell.access import Access
from classbell.configured import as_configured, changed_parts, digests_of, keep_accepted
from classbell.deliver import Charge, Delivery, Progress, Tally
from classbell.errors import (
    ClassbellError,
    RefusedError,
    SourceError,
    SourceUnreachable,
    SourceUnusable,
)
from classbell.guards import shrinkages
from classbell.holds import Holding, settle_restored
from classbell.ledger import FENCED, Acceptance, InstitutionLedger
from classbell.model import RunKind, Snapshot, Suspended, Window
from classbell.numbering import Numbering
from classbell.people import mailbox_key, receipts, unknown, without
from classbell.planning import Planning
from classbell.ports import Ports
from classbell.quarantine import Quarantine
from classbell.reach import coverages, in_order
from classbell.record import record_of_end, record_of_error, record_of_review
from classbell.renderings import Renderings
from classbell.report import Report, Review, accepted_of, exit_code_of, paused
from classbell.settings import InstitutionSettings
from classbell.sources import open_source
from classbell.verify import Owner, Verification
from classbell.wishes import settle
from classbell.witness import Witness

# Series are expanded a month further than the window, so that a meeting which moves out of it is seen to
# have moved rather than to be gone.
MARGIN = 31 * 86_400


@dataclass(frozen=True, kw_only=True)
class Office:
    """What the runs of one institution work with. ``installation`` is the installation's id."""

    installation: str
    settings: InstitutionSettings
    ledger: InstitutionLedger
    ports: Ports
    witness: Witness
    access: Callable[[], Awaitable[Access]]


class Run:
    """
    One pass for one institution.

    Args:
        person: if given, the one person whose mailbox is planned for and delivered to.
        reset: whether all that this person has changed or deleted is put back.
        insist: whether an institution in quarantine is probed now.
        kind: which command it is, for whoever looks later.
    """

    def __init__(
        self,
        office: Office,
        *,
        person: str | None = None,
        allow_deletes: int = 0,
        allowed_by: str = "",
        reset: bool = False,
        insist: bool = False,
        kind: RunKind = RunKind.SYNC,
    ) -> None:
        self._office = office
        self._person = person
        self._allow_deletes, self._allowed_by = allow_deletes, allowed_by
        self._reset = reset
        self._kind = kind
        self._delivery: Delivery | None = None
        self._review: Review | None = None
        self._accepted = False
        self._began = 0.0
        self._holding = Holding(office.ledger, office.settings.safety)
        # Who asks for one mailbox asks for no more than a probe.
        self._quarantine = Quarantine(
            office.ledger, office.settings.safety.quarantine, insist=insist or person is not None
        )

    def stop(self) -> bool:
        """Begin nothing new; what is on its way is finished and recorded. False if nothing is under way."""
        if self._delivery is not None:
            self._delivery.stop()
        return self._delivery is not None

    async def look(self) -> Review:
        """
        Read the sources, plan, and judge the plan. Writes nothing anywhere.

        Raises:
            ConfigurationError: E-PERSON-UNKNOWN, no source names the person asked for, nor does the ledger.
            SourceError: the same, but a source that could not be read may name them.
            LeaseHeld: E-LEASE, another plan was accepted while this one was being made.
        """
        office, ledger = self._office, self._office.ledger
        now = self._began = office.ports.clock.now()
        # Before anything else of it is read: whoever plans from now on will be noticed.
        basis = await ledger.runs.newest()
        window = self._window(now)
        snapshots, failed = await self._read(window)
        failures = tuple(failed.values())
        served, remarks = receipts(office.settings.audience, snapshots)
        forgotten = await ledger.persons.forgotten()
        served = without(served, forgotten, ledger.persons.digest)
        mailboxes: Numbering[str] = Numbering(await ledger.mailboxes.numbers())
        renderings = Renderings(
            office.settings.profiles, office.ports.files, await ledger.meetings.known_renderings()
        )
        planned = await Planning(ledger, office.settings, reset=self._reset).planned(
            served,
            snapshots,
            mailboxes,
            renderings,
            now=now,
            window=window,
            only_of=lambda known: self._only(known, failures, forgotten),
        )
        desired, only = planned.desired, planned.only
        before = {name: state.last for name, state in (await ledger.runs.sources()).items()}
        changed = changed_parts(await ledger.holds.configuration(), digests_of(office.settings, renderings))
        review = Review(
            now=now,
            snapshots=snapshots,
            failures=failures,
            remarks=(*(r for s in snapshots for r in s.remarks), *remarks),
            desired=desired,
            plan=as_configured(planned.plan, changed),
            circumstances=await self._holding.circumstances(
                shrinkages(in_order(snapshots, desired), before, now=int(now)),
                changed,
                now=now,
                only=only,
                read={*(s.source for s in snapshots), *planned.withdrawn},
            ),
            meetings=planned.meetings,
            mailboxes=mailboxes,
            renderings=renderings,
            withdrawn=planned.withdrawn,
            only=only,
            basis=basis,
            rekeys=planned.rekeys,
            failed=tuple(failed),
            wanted_again=planned.wanted_again,
        )
        return await self.judged(review)

    async def judged(self, review: Review) -> Review:
        """The same plan with the verdict on it, by what people have decided up to now."""
        self._review = await self._holding.judged(review, allow_deletes=self._allow_deletes)
        return self._review

    async def remember(self, error: ClassbellError) -> None:
        """Record what ended this run; once its plan is accepted, that is recorded already."""
        # Nor is a mistyped address a run: what somebody is called is not kept where they have no calendar.
        if self._accepted or error.code == "E-PERSON-UNKNOWN":
            return
        known = record_of_review(self._review) if self._review else {}
        now = self._office.ports.clock.now()
        # If it is the ledger that fails, that error is the one to be told.
        with suppress(ClassbellError):
            await self._office.ledger.runs.note(
                error.exit_code, known | record_of_error(error), self._began or now, now, kind=self._kind
            )

    async def entered(self, review: Review) -> Review:
        """What is held is in the ledger from now on, so that people can decide; the review with its numbers."""
        return await self._holding.entered(review, allow_deletes=self._allow_deletes)

    async def carry_out(self, review: Review, tell: Callable[[Progress], None] = lambda _: None) -> Report:
        """
        Accept what passed of a plan and deliver it, with whatever was open before unless it was saved; nothing while paused.

        Raises:
            LeaseHeld: E-LEASE, another plan was accepted since this one was made; nothing is accepted.
            HeldError, TemporaryError: the institution is in quarantine, or paused for a saved plan; nothing is accepted.
            RefusedError, TemporaryError: Microsoft refuses us or cannot be reached; what was accepted waits.
        """
        office, ledger, clock = self._office, self._office.ledger, self._office.ports.clock
        await ledger.suspensions.expire(clock.now())
        pause = await ledger.suspensions.pause()
        if pause is not None and review.saved:
            raise paused(review.saved, office.settings.id, pause.reason)
        if pause is not None:
            # Nothing is even accepted: what is open waits, and what is new is planned when it is over.
            record = record_of_review(review) | {"paused": pause.reason}
            report = await self._reported(review, Tally())
            await ledger.runs.note(report.exit_code, record, review.now, clock.now(), kind=self._kind)
            return report
        probing = await self._quarantine.admit(clock.now())
        review = await self.entered(review)
        due = len(review.passed) or review.verdict.holds or await ledger.changes.open_count(review.only)
        # Nobody who is in quarantine gets out of it without having asked.
        access = await self._access(signed_in=bool(due or await ledger.quarantine.standing()))
        approvals = await self._holding.used(review)
        record = record_of_review(review, approvals, self._allow_deletes, self._allowed_by)
        accepted = await ledger.plans.accept(
            replace(accepted_of(review), approvals=approvals, kind=self._kind, record=record),
            review.now,
        )
        self._accepted = True
        try:
            office.witness.bear(accepted.revision)
            await keep_accepted(ledger, office.settings, review)
            if self._allow_deletes:
                await self._holding.entered(review)
            await settle_restored(ledger, review)
            if not review.saved:
                await settle(ledger.wishes, review, coverages(review), reset=self._reset)
            only = await self._readmitted()
            report = await self._deliver(access, review, accepted, only, tell, probing=probing)
            seen = await self._read_back(access, report)
        except ClassbellError as error:
            # If it is the ledger that fails, that error is the one to be told.
            with suppress(ClassbellError):
                if isinstance(error, RefusedError):
                    await self._quarantine.refused(error, clock.now())
                await ledger.runs.finish(
                    accepted.run_id, error.exit_code, record | record_of_error(error), clock.now()
                )
            raise
        summary = record | record_of_end(report, access) | seen
        vain = report.changed_nothing(review, decided=bool(approvals) or self._reset)
        await ledger.runs.finish(accepted.run_id, report.exit_code, summary, clock.now(), fruitless=vain)
        return report

    async def _access(self, *, signed_in: bool) -> Access:
        """Access to the tenant; *signed_in* only with a token that Microsoft has given us."""
        try:
            access = await self._office.access()
            if signed_in:
                # Before anything is accepted: a refused credential is no reason to begin a run. And before anything is
                # approved: a mistyped tenant is held as a change of the configuration, and should be told as a mistake.
                await access.tokens.token()
        except RefusedError as error:
            await self._quarantine.refused(error, self._office.ports.clock.now())
            raise
        return access

    async def _read_back(self, access: Access, report: Report) -> dict[str, object]:
        """Read a share of the mailboxes back, if the settings want it; what is seen is for the next run."""
        office, safety = self._office, self._office.settings.safety
        if not safety.verify_percent or self._person is not None or report.tally.interrupted:
            return {}
        owner = Owner(installation=office.installation, institution=office.settings.id)
        bound = safety.outcome_bound.total_seconds()
        zone = office.settings.window.timezone
        clock = office.ports.clock
        reading = Verification(office.ledger, access, clock, owner=owner, bound=bound, timezone=zone)
        return (await reading.share(safety.verify_percent)).summary()

    async def _readmitted(self) -> int | None:
        """The number of the person asked for; what was out or held there is tried again."""
        if self._person is None:
            return None
        mailbox = await self._office.ledger.mailboxes.find(mailbox_key(self._person))
        if mailbox is None:
            raise AssertionError("accepting the plan has entered it")
        out = {out.mailbox.id: out.code for out in await self._office.ledger.mailboxes.out()}
        # What the service itself asked for is kept, whoever is in a hurry.
        if out.get(mailbox.id) not in FENCED:
            await self._office.ledger.mailboxes.put_in(mailbox.id)
        await self._office.ledger.changes.release_held(mailbox.id)
        if self._reset:
            await self._office.ledger.suspensions.lift(mailbox.id, Suspended.CALENDAR)
        return mailbox.id

    def _window(self, now: float) -> Window:
        window = self._office.settings.window
        return Window(
            begin=int(now - window.past.total_seconds()), end=int(now + window.future.total_seconds())
        )

    async def _read(
        self, window: Window
    ) -> tuple[tuple[Snapshot, ...], dict[str, SourceUnusable | SourceUnreachable]]:
        """What was read, and by name the sources that could not be."""
        wide = Window(begin=window.begin - MARGIN, end=window.end + MARGIN)
        zone = self._office.settings.window.timezone
        opened = [open_source(s, self._office.ports, timezone=zone) for s in self._office.settings.sources]
        results = await asyncio.gather(*(source.read(wide) for source in opened), return_exceptions=True)
        snapshots: list[Snapshot] = []
        failures: dict[str, SourceUnusable | SourceUnreachable] = {}
        for settings, result in zip(self._office.settings.sources, results, strict=True):
            if isinstance(result, Snapshot):
                snapshots.append(result)
            elif isinstance(result, SourceError):
                failures[settings.name] = result
            else:
                raise result
        return tuple(snapshots), failures

    def _only(
        self,
        mailboxes: Numbering[str],
        failures: Sequence[SourceUnusable | SourceUnreachable],
        forgotten: Collection[str],
    ) -> int | None:
        if self._person is None:
            return None
        number = mailboxes.known(mailbox_key(self._person))
        if number is None:
            was = self._office.ledger.persons.digest(mailbox_key(self._person)) in forgotten
            raise failures[0] if failures and not was else unknown(self._person, forgotten=was)
        return number

    async def _deliver(
        self,
        access: Access,
        review: Review,
        accepted: Acceptance,
        only: int | None,
        tell: Callable[[Progress], None],
        *,
        probing: bool,
    ) -> Report:
        office, clock = self._office, self._office.ports.clock
        limits = office.settings.safety.quarantine
        charge = Charge(
            installation=office.installation,
            institution=office.settings.id,
            revision=accepted.revision,
            bound=office.settings.safety.outcome_bound.total_seconds(),
            only=only,
            run=accepted.run_id if review.saved else None,
            anew=self._reset,
            fail_percent=limits.fail_percent,
            min_failures=limits.min_failures,
        )
        tally = await self._quarantine.deliver(
            charge, lambda charge: self._carried(access, charge, tell), clock, probing=probing
        )
        return await self._reported(review, tally)

    async def _carried(self, access: Access, charge: Charge, tell: Callable[[Progress], None]) -> Tally:
        self._delivery = Delivery(self._office.ledger, access, self._office.ports.clock, charge, tell)
        try:
            return await self._delivery.run()
        finally:
            self._delivery = None

    async def _reported(self, review: Review, tally: Tally) -> Report:
        # What others wait for is not what was asked.
        key = mailbox_key(self._person) if self._person is not None else None
        waiting = tuple(await self._office.ledger.changes.waiting(key))
        return Report(
            tally=tally,
            holds=review.verdict.holds,
            failures=review.failures,
            waiting=waiting,
            exit_code=exit_code_of(review, tally, waiting),
            seconds=self._office.ports.clock.now() - review.now,
            remarks=review.remarks,
        )


__all__ = ["Office", "Report", "Review", "Run"]
