"""
Looking before writing: first contact with a mailbox, our own calendars, and unknown creates.

These are the only reads that delivery makes, beside the one by id after a conflict. Each asks for our own
marks, so that nobody's other events ever reach us, and covers every calendar of the mailbox and every page.
"""

from collections.abc import Sequence
from math import inf

from classbell.deliver.backlog import Readiness
from classbell.deliver.charge import Charge
from classbell.deliver.overtaken import overtaken
from classbell.deliver.refusals import Refusals
from classbell.deliver.settle import (
    DAY,
    HOUR,
    SEND_WITHIN,
    SOON,
    in_words,
    is_copy_from_elsewhere,
    not_looked,
    outcome_of_look,
    undecided,
)
from classbell.deliver.survey import Survey, Surveyor
from classbell.ledger import LOST, InstitutionLedger, Place
from classbell.model import Change, Entry, Mailbox, Outcome
from classbell.outlook.answers import Diagnosis, Fence, Meaning
from classbell.outlook.client import OutlookClient
from classbell.outlook.dialect import Dialect, FoundCalendar, Kind
from classbell.outlook.mark import installation_prefix, operation_prefix
from classbell.outlook.pace import Pace
from classbell.ports import Clock

_EARLY = "a newer ledger was lost a moment ago; what it sent last may still come to light there"
_PERHAPS_MADE = "whether the calendar was made that was asked for is not certain yet; it is looked for until it is, and then made anew"
_PASSING = (Meaning.BUSY, Meaning.SERVICE_BUSY, Meaning.NOT_SENT, Meaning.UNAUTHORISED)


class Preparation:
    """Looks through mailboxes for one delivery."""

    def __init__(
        self,
        ledger: InstitutionLedger,
        client: OutlookClient,
        dialect: Dialect,
        pace: Pace,
        clock: Clock,
        charge: Charge,
        readiness: Readiness,
        refusals: Refusals,
    ) -> None:
        self._ledger = ledger
        self._client = client
        self._surveyor = Surveyor(client, dialect, refusals.note, refusals.barred, clock.sleep)
        self._dialect = dialect
        self._pace = pace
        self._clock = clock
        self._charge = charge
        self._readiness = readiness
        self._refusals = refusals
        self._begun: dict[int, Survey] = {}
        self._doubted_at: float | None = None
        self.failed: dict[int, str] = {}
        """By mailbox the code of what failed last there, other than that it cannot be served, or not now."""

    @property
    def batches(self) -> int:
        """How many batches were sent."""
        return self._surveyor.batches

    async def prepare(self, changes: Sequence[Change]) -> list[Change]:
        """
        Make mailboxes ready for their first create; those of the changes that may go on now.

        The rest waits in the ledger, with the reason.
        """
        await self._recall_calendars(changes)
        ready: list[Change] = []
        surveyed: list[tuple[Change, Survey]] = []
        for change in changes:
            if self._readiness.is_ready(change):
                ready.append(change)
            else:
                surveyed.append((change, self._survey_for(change)))
        await self._surveyor.fill([survey for _, survey in surveyed])
        sound: list[tuple[Change, Survey]] = []
        for change, survey in surveyed:
            if survey.failure is not None:
                if survey.refused_for_now:
                    # Begun anew, a look through very many calendars might be refused before its end for ever.
                    self._begun[change.mailbox.id] = survey
                ready += self._put_off(change, survey.failure)
            elif survey.events and await self._unknown_marks(survey):
                self._hold(survey.mailbox)
            elif survey.prefix and (wait := await self._until_all_is_listed()) > 0:
                self._refusals.close(survey.mailbox, "E-LEDGER-EARLY", _EARLY, wait, out=False)
            else:
                sound.append((change, survey))
        contacted = [survey.mailbox.id for _, survey in sound if survey.prefix]
        await self._ledger.mailboxes.contacted(
            contacted, self._clock.now(), self._dialect.capabilities.id_form
        )
        self._readiness.contacted.update(contacted)
        return ready + await self._provide_calendars(sound)

    async def look_for(self, changes: Sequence[Change]) -> list[Outcome]:
        """Find out what became of unknown creates; their outcomes, recorded."""
        installation = self._charge.installation
        surveys = [
            Survey(mailbox=change.mailbox, prefix=operation_prefix(installation, change.operation))
            for change in changes
        ]
        await self._surveyor.fill(surveys)
        now, bound = self._clock.now(), self._charge.bound
        outcomes = []
        for change, survey in zip(changes, surveys, strict=True):
            decides_at = change.send_until + bound
            known = await self._ledger.entries.event_ids(change.mailbox.id) if survey.events else ()
            strangers = [event for event in survey.events if event.id not in known]
            sound = survey.failure is None
            if sound and await overtaken(self._ledger, change.mailbox, strangers, change):
                # Its change waits for the rebuild with all others there.
                self._readiness.closed[change.mailbox.id] = inf
                continue
            if survey.failure is not None:
                outcomes.append(not_looked(change, survey.failure, now))
            elif survey.service_time < decides_at:
                outcomes.append(undecided(change, survey.service_time, decides_at, now))
            else:
                outcomes.append(outcome_of_look(change, survey.events, known, now, bound))
        form = self._dialect.capabilities.id_form
        await self._ledger.changes.conclude(outcomes, now, id_form=form)
        return outcomes

    async def look_whether_standing(self, entries: Sequence[Entry]) -> list[Survey]:
        """Look for events that the ledger knows, by their marks: whether they still stand in a calendar."""
        installation = self._charge.installation
        surveys = [
            Survey(mailbox=entry.mailbox, prefix=operation_prefix(installation, entry.operation))
            for entry in entries
        ]
        await self._surveyor.fill(surveys)
        return surveys

    async def look_through(self, owners: Sequence[Mailbox]) -> list[Survey]:
        """Look for all events of this installation in some mailboxes."""
        prefix = installation_prefix(self._charge.installation)
        surveys = [Survey(mailbox=owner, prefix=prefix) for owner in owners]
        await self._surveyor.fill(surveys)
        return surveys

    def _survey_for(self, change: Change) -> Survey:
        if begun := self._begun.pop(change.mailbox.id, None):
            return begun
        if self._readiness.is_contacted(change.mailbox):
            return Survey(mailbox=change.mailbox)
        return Survey(mailbox=change.mailbox, prefix=installation_prefix(self._charge.installation))

    def _put_off(self, change: Change, failure: Diagnosis) -> list[Change]:
        """What failed in passing goes on when the fences have fallen; the rest waits, with the reason."""
        if failure.meaning in _PASSING:
            if failure.fence is Fence.NOBODY:
                self._pace.refuse(change.mailbox.id)
            return [change]
        if failure.meaning not in {Meaning.MAILBOX_OUT, Meaning.FORBIDDEN}:
            waits = {Meaning.REJECTED: DAY, Meaning.GONE: HOUR}
            seconds = waits.get(failure.meaning, SOON)
            self.failed[change.mailbox.id] = failure.code
            self._refusals.close(change.mailbox, failure.code, in_words(failure), seconds, out=False)
        return []

    async def _unknown_marks(self, survey: Survey) -> bool:
        """Whether events of ours stand there that this ledger does not know: another one was lost."""
        bound = self._charge.bound
        copies = {e.id for e in survey.events if is_copy_from_elsewhere(e, survey.mailbox, bound)}
        known = copies.union(await self._ledger.entries.event_ids(survey.mailbox.id))
        return any(event.id not in known for event in survey.events)

    async def _until_all_is_listed(self) -> float:
        """For how long a first look does not find for certain what a ledger sent that was lost before this one."""
        if self._doubted_at is None:
            self._doubted_at = await self._ledger.rebuilding.doubted_at()
        return self._doubted_at + SEND_WITHIN + self._charge.bound - self._clock.now()

    def _hold(self, mailbox: Mailbox) -> None:
        self._refusals.close(
            mailbox,
            LOST,
            "events of this installation stand there that this ledger does not know, or knows of another address;"
            " nothing is written there",
            out=True,
        )

    async def _recall_calendars(self, changes: Sequence[Change]) -> None:
        numbers = {change.mailbox.id for change in changes if change.calendar}
        if numbers:
            known = await self._ledger.calendars.known(sorted(numbers))
            for place, calendar_id in known.items():
                # What was learnt in this delivery is newer.
                self._readiness.calendars.setdefault(place, calendar_id)

    async def _provide_calendars(self, surveyed: Sequence[tuple[Change, Survey]]) -> list[Change]:
        """Find or make the calendars that changes go to, and remember them; the changes that have theirs."""
        ready: list[Change] = []
        lacking: list[tuple[Change, Survey]] = []
        for change, survey in surveyed:
            if self._readiness.is_ready(change):
                ready.append(change)
            elif (found := survey.calendar(change.calendar)) is not None:
                await self._keep(change, found)
                ready.append(change)
            else:
                lacking.append((change, survey))
        return ready + await self._make_calendars(lacking)

    async def _make_calendars(self, lacking: Sequence[tuple[Change, Survey]]) -> list[Change]:
        """Make calendars, each noted before it is asked for, and only if it was certainly not made yet; the changes that may go on."""
        calendars = self._ledger.calendars
        send_until = self._client.service_now() + SEND_WITHIN
        wanted = [(change, survey.service_time - self._charge.bound) for change, survey in lacking]
        intended = await calendars.intend(wanted, send_until)
        for change, _ in lacking:
            if change.id in intended.uncertain:
                self._refusals.close(change.mailbox, "E-CAL-UNKNOWN", _PERHAPS_MADE, SOON, out=False)
        asked = [(change, survey) for change, survey in lacking if change.id in intended.going]
        create = self._dialect.create_calendar
        # Where no token is to be had this raises, and the intents stay: they are asked for after the bound, not lost.
        answers = await self._surveyor.ask(
            [(s, create(c.mailbox, c.calendar), Kind.CREATE_CALENDAR) for c, s in asked],
            send_until=send_until,
        )
        ready: list[Change] = []
        never_made: list[Place] = []
        for (change, survey), answer in zip(asked, answers, strict=True):
            if answer is not None and answer.calendars:
                await self._keep(change, answer.calendars[0])
                ready.append(change)
            elif survey.failure is not None:
                ready += self._put_off(change, survey.failure)
                if survey.failure.meaning is not Meaning.UNKNOWN:
                    never_made.append(_place(change))
        await calendars.withdraw(never_made)
        return ready

    async def _keep(self, change: Change, calendar: FoundCalendar) -> None:
        place = _place(change)
        await self._ledger.calendars.keep(place, calendar.id)
        self._readiness.calendars[place] = calendar.id
        self._readiness.lost.discard(place)


def _place(change: Change) -> Place:
    return change.mailbox.id, change.calendar
