"""
Looking before writing: first contact with a mailbox, our own calendars, and unknown creates.

These are the only reads that delivery makes. Each asks for our own marks, so that nobody's other events
ever reach us, and covers every calendar of the mailbox and every page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from classbell.deliver.refusals import DAY, Refusals
from classbell.deliver.settle import outcome_of_look
from classbell.ledger import InstitutionLedger
from classbell.model import Became, Change, Mailbox, Outcome
from classbell.outlook.answers import Diagnosis, Meaning, classify
from classbell.outlook.client import OutlookClient
from classbell.outlook.dialect import Answer, Dialect, FoundCalendar, FoundEvent, Kind, Request
from classbell.outlook.mark import installation_prefix, operation_prefix
from classbell.ports import Clock

if TYPE_CHECKING:
    from classbell.deliver import Charge
    from classbell.deliver.backlog import Readiness

SOON = 60.0


@dataclass(kw_only=True)
class Survey:
    """
    A complete look through one mailbox: its calendars, and the events whose mark begins as asked.

    ``failure`` is set if any part of it failed; then nothing may be concluded from what is missing.
    ``service_time`` is when the first look was answered, by the service's clock (0.0 before).
    """

    mailbox: Mailbox
    prefix: str
    calendars: tuple[FoundCalendar, ...] = ()
    events: tuple[FoundEvent, ...] = ()
    service_time: float = 0.0
    failure: Diagnosis | None = None


class Preparation:
    """Looks through mailboxes for one delivery."""

    def __init__(
        self,
        ledger: InstitutionLedger,
        client: OutlookClient,
        dialect: Dialect,
        clock: Clock,
        charge: "Charge",
        readiness: "Readiness",
        refusals: Refusals,
    ) -> None:
        self._ledger = ledger
        self._client = client
        self._dialect = dialect
        self._clock = clock
        self._charge = charge
        self._readiness = readiness
        self._refusals = refusals
        self.batches = 0

    async def prepare(self, changes: Sequence[Change]) -> list[Change]:
        """
        Make mailboxes ready for their first create; those of the changes that may go on now.

        The rest waits in the ledger, with the reason.
        """
        numbers = [change.mailbox.id for change in changes]
        self._readiness.calendars.update(await self._ledger.mailboxes.calendars(numbers))
        prefix = installation_prefix(self._charge.installation)
        surveys = [Survey(mailbox=change.mailbox, prefix=prefix) for change in changes]
        await self._survey(surveys)
        ready: list[Change] = []
        contacted: list[int] = []
        for change, survey in zip(changes, surveys, strict=True):
            if survey.failure is not None:
                if await self._may_go_on(survey.mailbox, survey.failure):
                    ready.append(change)
            elif not change.mailbox.contacted and await self._unknown_marks(survey):
                await self._hold(survey.mailbox)
            elif await self._calendar_found(change, survey):
                contacted.append(survey.mailbox.id)
                ready.append(change)
        await self._ledger.mailboxes.contacted(contacted, self._clock.now())
        self._readiness.contacted.update(contacted)
        return ready

    async def look_for(self, changes: Sequence[Change]) -> list[Outcome]:
        """Find out what became of unknown creates; their outcomes, recorded."""
        surveys = [
            Survey(
                mailbox=change.mailbox, prefix=operation_prefix(self._charge.installation, change.operation)
            )
            for change in changes
        ]
        await self._survey(surveys)
        outcomes = []
        for change, survey in zip(changes, surveys, strict=True):
            decides_at = change.send_until + self._charge.bound
            if survey.failure is not None or survey.service_time < decides_at:
                wait = max(decides_at - survey.service_time, SOON) if survey.failure is None else SOON
                outcomes.append(
                    Outcome(
                        change=change,
                        became=Became.UNKNOWN,
                        due_at=self._clock.now() + wait,
                        code=change.code,
                        detail="looked for; not decided yet",
                    )
                )
            else:
                known = await self._ledger.entries.event_ids(change.mailbox.id)
                outcomes.append(outcome_of_look(change, survey.events, known, self._clock.now()))
        await self._ledger.changes.conclude(outcomes, self._clock.now())
        return outcomes

    async def _survey(self, surveys: Sequence[Survey]) -> None:
        """Fill in surveys: first all lists of calendars, then one calendar of each mailbox at a time."""
        answers = await self._ask([(s, self._dialect.calendars(s.mailbox), Kind.CALENDARS) for s in surveys])
        for survey, answer in zip(surveys, answers, strict=True):
            if answer is not None and answer.calendars is not None:
                survey.calendars = answer.calendars
        round_ = 0
        while True:
            asked = [s for s in surveys if s.failure is None and round_ < len(_ours(s.calendars))]
            if not asked:
                return
            answers = await self._ask(
                [
                    (s, self._dialect.look(s.mailbox, _ours(s.calendars)[round_].id, s.prefix), Kind.LOOK)
                    for s in asked
                ]
            )
            for survey, answer in zip(asked, answers, strict=True):
                if answer is not None:
                    survey.events += answer.events or ()
                    survey.service_time = survey.service_time or answer.service_time
            round_ += 1

    async def _ask(self, questions: Sequence[tuple[Survey, Request, Kind]]) -> list[Answer | None]:
        """Ask one question for each survey; an answer that is not done becomes the survey's failure."""
        if not questions:
            return []
        answers = await self._client.send([request for _, request, _ in questions])
        self.batches += 1
        result: list[Answer | None] = []
        for (survey, _, kind), first in zip(questions, answers, strict=True):
            answer = await self._client.complete(first) if kind is Kind.LOOK else first
            diagnosis = classify(kind, answer)
            await self._refusals.note(survey.mailbox, diagnosis)
            if diagnosis.meaning is Meaning.DONE:
                result.append(answer)
            else:
                survey.failure = diagnosis
                result.append(None)
        return result

    async def _may_go_on(self, mailbox: Mailbox, failure: Diagnosis) -> bool:
        """Whether a look that failed may simply be made again when the pace allows."""
        if failure.meaning in {Meaning.BUSY, Meaning.SERVICE_BUSY, Meaning.NOT_SENT, Meaning.UNKNOWN}:
            return True
        if failure.meaning in {Meaning.REJECTED, Meaning.GONE, Meaning.FORBIDDEN, Meaning.UNAUTHORISED}:
            await self._ledger.changes.postpone(
                mailbox.id, failure.code, failure.reason, self._clock.now() + DAY
            )
        return False

    async def _unknown_marks(self, survey: Survey) -> bool:
        """Whether events of ours stand there that this ledger does not know: another one was lost."""
        if not survey.events:
            return False
        known = await self._ledger.entries.event_ids(survey.mailbox.id)
        return any(event.id not in known for event in survey.events)

    async def _hold(self, mailbox: Mailbox) -> None:
        await self._ledger.mailboxes.put_out(
            mailbox.id,
            "E-LEDGER-LOST",
            "events of this installation stand there that this ledger does not know; nothing is written there",
            self._clock.now() + DAY,
        )

    async def _calendar_found(self, change: Change, survey: Survey) -> bool:
        """Find or make the calendar a change goes to, and remember it."""
        name = change.calendar
        place = (change.mailbox.id, name)
        if not name or place in self._readiness.calendars:
            return True
        calendar = next((c for c in survey.calendars if c.name == name and c.editable), None)
        if calendar is None:
            request = self._dialect.create_calendar(change.mailbox, name)
            (answer,) = await self._ask([(survey, request, Kind.CREATE_CALENDAR)])
            if answer is None or not answer.calendars:
                # Whether it was made is unknown: the next look lists the calendars and matches the name.
                await self._ledger.changes.postpone(
                    change.mailbox.id,
                    survey.failure.code if survey.failure else "E-GRAPH-LOST",
                    "the calendar could not be made; tried again",
                    self._clock.now() + SOON,
                )
                return False
            calendar = answer.calendars[0]
        await self._ledger.mailboxes.keep_calendar(change.mailbox.id, name, calendar.id)
        self._readiness.calendars[place] = calendar.id
        return True


def _ours(calendars: Sequence[FoundCalendar]) -> list[FoundCalendar]:
    """The calendars in which an event of ours can stand: those that can be written to."""
    return [calendar for calendar in calendars if calendar.editable]
