"""Writing: a batch of creates, updates and deletes, with durable intents before and outcomes after."""

from collections import Counter
from collections.abc import Awaitable, Callable, Container, Sequence
from math import inf

from msgspec import structs

from classbell.deliver.backlog import Readiness
from classbell.deliver.bodies import Bodies
from classbell.deliver.charge import Charge
from classbell.deliver.joining import (
    bearers_by_operation,
    event_of,
    is_sought,
    known_as_found,
    outcome_of_search,
)
from classbell.deliver.ownership import refused, tell, without_entry
from classbell.deliver.refusals import Refusals
from classbell.deliver.settle import (
    SEND_WITHIN,
    Situation,
    in_words,
    not_joined,
    not_read,
    not_sent,
    outcome_of_read,
    outcome_of_survey,
    outcome_of_write,
    spared,
)
from classbell.deliver.survey import Survey
from classbell.errors import ClassbellError
from classbell.ledger import InstitutionLedger, Intent
from classbell.model import Action, Became, Change, ChangeState, Entry, Mailbox, Outcome, Policy, Reason
from classbell.outlook.answers import Diagnosis, Meaning, classify
from classbell.outlook.client import OutlookClient
from classbell.outlook.dialect import Answer, Dialect, Kind, Request
from classbell.outlook.mark import Mark
from classbell.ports import Clock

_KINDS = {Action.CREATE: Kind.CREATE, Action.UPDATE: Kind.UPDATE, Action.DELETE: Kind.DELETE}


class Writer:
    """Writes batches of changes for one delivery."""

    def __init__(
        self,
        ledger: InstitutionLedger,
        client: OutlookClient,
        dialect: Dialect,
        clock: Clock,
        charge: Charge,
        readiness: Readiness,
        refusals: Refusals,
        look: Callable[[Sequence[Entry]], Awaitable[list[Survey]]],
        look_through: Callable[[Sequence[Mailbox]], Awaitable[list[Survey]]],
    ) -> None:
        self._ledger = ledger
        self._client = client
        self._dialect = dialect
        self._form = dialect.capabilities.id_form
        self._clock = clock
        self._charge = charge
        self._bodies = Bodies(ledger)
        self._conflicts: Counter[int] = Counter()
        # The deletes of events that have been seen to stand in a calendar, and that were not sent since.
        self._seen: set[int] = set()
        self._readiness = readiness
        self._refusals = refusals
        self._look = look
        self._look_through = look_through
        self.batches = 0

    async def write(self, changes: Sequence[Change]) -> list[Outcome]:
        """Carry out one batch of changes; their outcomes, recorded."""
        foreign = [outcome for change in changes if (outcome := without_entry(change)) is not None]
        if foreign:
            await self._ledger.changes.conclude(foreign, self._clock.now())
            changes = [change for change in changes if without_entry(change) is None]
        outcomes = await self._write(changes) if changes else []
        for outcome in (*foreign, *outcomes):
            if refused(outcome):
                tell(outcome)
        return foreign + outcomes

    async def _write(self, changes: Sequence[Change]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        if any(map(self._is_of_another_form, changes)):
            changes, outcomes = await self._join(changes)
        unknown = [change for change in changes if is_sought(change, self._dialect.capabilities)]
        blind = [change for change in changes if self._is_blind(change) and change not in unknown]
        aside = unknown + blind
        sendable = [change for change in changes if change not in aside] if aside else changes
        sent, conflicts, lost = await self._send(sendable) if sendable else ([], [], [])
        outcomes += sent
        self._seen.difference_update(change.id for change in sendable)
        conflicts += blind
        lost += unknown
        # Where others of the same batch were refused, reading must wait as well.
        barred = [(change, why) for change in conflicts if (why := self._refusals.barred(change.mailbox))]
        if barred:
            now = self._clock.now()
            waiting = [not_read(change, why, now) for change, why in barred]
            await self._ledger.changes.conclude(waiting, now)
            outcomes += waiting
            conflicts = [change for change in conflicts if not self._refusals.barred(change.mailbox)]
        if conflicts:
            read, moved = await self._read_again(conflicts)
            outcomes += read
            lost += moved
        return outcomes + (await self._search(lost) if lost else [])

    def _is_blind(self, change: Change) -> bool:
        """
        Whether an event must be read before anything is sent to it.

        Without an etag nothing proves it untouched. What nobody asks for any more is never sent. And a delete that may have
        gone through already must not be repeated as it is: where an immutable id leads into Deleted Items, and
        ``If-Match`` is not obeyed, the second one would remove the event for good.
        """
        if change.entry is None:
            return False
        if change.reason is Reason.REPRIEVED:
            return True
        unsure = change.action is Action.DELETE and change.state is ChangeState.UNKNOWN
        return not change.entry.etag or (unsure and change.id not in self._seen)

    async def _send(self, changes: Sequence[Change]) -> tuple[list[Outcome], list[Change], list[Change]]:
        """Send changes; the outcomes, those that met a conflict, and those whose event their id did not find."""
        await self._bodies.load(changes)
        try:
            # By the time in its mark an event is told from a copy: a clock of ours that is wrong must not be in it.
            await self._client.learn_time()
        except ClassbellError as error:
            await self._put_back(changes, error)
            raise
        began = self._clock.now()
        changes = await self._without_ended(changes, began)
        if not changes:
            return [], [], []
        sent_at = self._client.service_now()
        send_until = sent_at + SEND_WITHIN
        requests = [self._request(change, sent_at) for change in changes]

        def barred(place: int) -> bool:
            return self._refusals.barred(changes[place].mailbox) is not None

        paused = await self._ledger.changes.intend(
            [Intent(change=change, send_until=send_until) for change in changes], began
        )
        changes, requests = self._without_paused(changes, requests, paused)
        if not changes:
            return [], [], []
        try:
            answers = await self._client.send(requests, send_until, barred)
        except ClassbellError as error:
            await self._put_back(changes, error, intended=True)
            raise
        self.batches += 1
        now = self._clock.now()
        # One second more than the bound, for the service tells the time in whole seconds.
        look_at = began + SEND_WITHIN + self._charge.bound + 1.0
        outcomes, conflicts, lost = self._read_answers(
            changes, answers, Situation(now=now, took=now - began, look_at=look_at)
        )
        if outcomes:
            await self._ledger.changes.conclude(outcomes, now, intended=True, id_form=self._form)
        # What is told of them from here on is told of this attempt.
        return outcomes, _tried_again(conflicts), _tried_again(lost)

    async def _without_ended(self, changes: Sequence[Change], now: float) -> Sequence[Change]:
        """Those that still go: while a delivery waits, an event that it was to delete may end."""
        if not any(change.action is Action.DELETE and change.ends_at <= now for change in changes):
            return changes
        ended = await self._ledger.changes.give_up_ended(now)
        return [change for change in changes if change.id not in ended]

    def _without_paused(
        self, changes: Sequence[Change], requests: list[Request], paused: Container[int]
    ) -> tuple[Sequence[Change], list[Request]]:
        """What still goes: who was paused amid a delivery is left out of the rest of it, and waits."""
        for change in changes:
            if change.id in paused:
                self._readiness.closed[change.mailbox.id] = inf
        kept = [place for place, change in enumerate(changes) if change.id not in paused]
        return [changes[place] for place in kept], [requests[place] for place in kept]

    def _read_answers(
        self, changes: Sequence[Change], answers: Sequence[Answer], situation: Situation
    ) -> tuple[list[Outcome], list[Change], list[Change]]:
        outcomes: list[Outcome] = []
        conflicts: list[Change] = []
        lost: list[Change] = []
        heard: list[tuple[Mailbox, Answer, Diagnosis]] = []
        for change, answer in zip(changes, answers, strict=True):
            diagnosis = classify(_KINDS[change.action], answer)
            heard.append((change.mailbox, answer, diagnosis))
            if diagnosis.meaning is Meaning.CONFLICT:
                conflicts.append(change)
                continue
            if diagnosis.meaning is Meaning.GONE and self._may_have_moved(change):
                lost.append(change)
                continue
            outcomes.append(outcome_of_write(change, answer, diagnosis, situation))
            if diagnosis.meaning is Meaning.GONE and change.action is Action.CREATE:
                self._calendar_gone(change, diagnosis)
        self._refusals.note(heard)
        return outcomes, conflicts, lost

    def _may_have_moved(self, change: Change) -> bool:
        """Whether what an id does not find may stand somewhere under another one: an id that lasts finds it."""
        return change.action is not Action.CREATE and not self._dialect.capabilities.immutable_ids

    async def _join(self, changes: Sequence[Change]) -> tuple[list[Change], list[Outcome]]:
        """Where ids of a mailbox are not of this dialect's form, look once under which ones its events are known now."""
        ledger, capabilities = self._ledger, self._dialect.capabilities
        affected = [change for change in changes if self._is_of_another_form(change)]
        # Another batch may have looked since these were read.
        entries = await ledger.entries.of_changes(affected)
        others = {
            entry.mailbox.id: entry.mailbox
            for entry in entries.values()
            if entry.mailbox.id_form != self._form
        }
        failed: dict[int, Diagnosis] = {}
        try:
            surveys = await self._look_through(list(others.values())) if others else []
        except ClassbellError as error:
            await self._put_back(changes, error)
            raise
        for survey in surveys:
            if survey.failure is not None:
                failed[survey.mailbox.id] = survey.failure
                continue
            await known_as_found(ledger, survey.mailbox, survey.events, capabilities, self._charge.bound)
        if others:
            entries = await ledger.entries.of_changes(affected)
        now = self._clock.now()
        waiting = [
            not_joined(change, failed[change.mailbox.id], now)
            for change in affected
            if change.mailbox.id in failed
        ]
        await ledger.changes.conclude(waiting, now)
        going = [
            structs.replace(change, entry=entries[change.id]) if change.id in entries else change
            for change in changes
            if change.mailbox.id not in failed or change.entry is None
        ]
        return going, waiting

    def _is_of_another_form(self, change: Change) -> bool:
        return change.entry is not None and change.mailbox.id_form != self._form

    async def _search(self, changes: Sequence[Change]) -> list[Outcome]:
        """Look by their marks for events that their ids do not find."""
        pairs = [(change, change.entry) for change in changes if change.entry is not None]
        try:
            surveys = await self._look([entry for _, entry in pairs])
        except ClassbellError as error:
            await self._put_back(changes, error)
            raise
        bound = self._charge.bound
        outcomes = []
        for (change, entry), survey in zip(pairs, surveys, strict=True):
            known = await self._ledger.known.of(change.mailbox)
            ours = {one.meeting_id: one for one in known.entries}
            others = {one.event_id for one in known.entries} - {entry.event_id}
            bearers = bearers_by_operation(others, survey.events).get(entry.operation, ())
            self._conflicts[change.id] += 1
            outcome = outcome_of_search(
                change,
                event_of(ours.get(change.meeting_id, entry), bearers, bound),
                len(bearers),
                survey,
                delivered_at=known.delivered_at.get(change.meeting_id, 0.0),
                bound=bound,
                now=self._clock.now(),
                conflicts=self._conflicts[change.id],
            )
            outcomes.append(self._unless_spared(outcome, survey))
        self._seen.update(outcome.change.id for outcome in outcomes if outcome.became is Became.RENEWED)
        await self._ledger.changes.conclude(outcomes, self._clock.now(), id_form=self._form)
        return outcomes

    async def _read_again(self, changes: Sequence[Change]) -> tuple[list[Outcome], list[Change]]:
        """
        After conflicts: read each event, and decide by its mark whether it is still ours to change.

        Those that are not found by their ids, and may have moved, come beside the outcomes.
        """
        pairs = [(change, change.entry) for change in changes if change.entry is not None]
        try:
            answers = await self._client.send([self._dialect.read(entry) for _, entry in pairs])
        except ClassbellError as error:
            await self._put_back(changes, error)
            raise
        self.batches += 1
        now = self._clock.now()
        outcomes = []
        heard = []
        lost: list[Change] = []
        found: list[tuple[Entry, Answer]] = []
        for (change, entry), answer in zip(pairs, answers, strict=True):
            diagnosis = classify(Kind.READ, answer)
            heard.append((change.mailbox, answer, diagnosis))
            if diagnosis.meaning is Meaning.GONE and self._may_have_moved(change):
                lost.append(change)
                continue
            found.append((entry, answer))
            self._conflicts[change.id] += 1
            conflicts = self._conflicts[change.id]
            outcomes.append(outcome_of_read(change, entry, answer, diagnosis, now=now, conflicts=conflicts))
        self._refusals.note(heard)
        renewed = [place for place, outcome in enumerate(outcomes) if outcome.became is Became.RENEWED]
        if renewed:
            try:
                surveys = await self._look([found[place][0] for place in renewed])
            except ClassbellError as error:
                await self._put_back(changes, error)
                raise
            for place, survey in zip(renewed, surveys, strict=True):
                outcome = outcome_of_survey(
                    outcomes[place],
                    found[place][1],
                    survey,
                    bound=self._charge.bound,
                    now=self._clock.now(),
                )
                outcomes[place] = self._unless_spared(outcome, survey)
        self._seen.update(outcome.change.id for outcome in outcomes if outcome.became is Became.RENEWED)
        await self._ledger.changes.conclude(outcomes, now, id_form=self._form)
        return outcomes, lost

    def _unless_spared(self, outcome: Outcome, survey: Survey) -> Outcome:
        """The outcome of a look, but that a delete which nobody asks for any more is not to be sent after it."""
        if outcome.change.reason is not Reason.REPRIEVED or outcome.became is not Became.RENEWED:
            return outcome
        return spared(outcome, survey.service_time, bound=self._charge.bound, now=self._clock.now())

    async def _put_back(
        self, changes: Sequence[Change], error: ClassbellError, *, intended: bool = False
    ) -> None:
        now = self._clock.now()
        outcomes = [not_sent(change, error.what, now) for change in changes]
        await self._ledger.changes.conclude(outcomes, now, intended=intended)

    def _calendar_gone(self, change: Change, diagnosis: Diagnosis) -> None:
        """Of our own calendar, find or make another one; a mailbox without a default calendar is out."""
        stops = change.policy & Policy.STOP_WITHOUT_CALENDAR and not self._charge.anew
        if change.calendar and stops:
            self._refusals.stop(
                change.mailbox,
                f"its owner has deleted the calendar {change.calendar!r}; nothing is written there",
            )
        elif change.calendar:
            self._readiness.lost.add((change.mailbox.id, change.calendar))
        else:
            self._refusals.close(change.mailbox, diagnosis.code, in_words(diagnosis), out=True)

    def _request(self, change: Change, sent_at: float) -> Request:
        if change.action is Action.CREATE:
            return self._create(change, sent_at)
        if change.entry is None:
            raise ValueError(
                f"change {change.id} would {change.action.name.lower()} an event that is not ours"
            )
        if change.action is Action.DELETE:
            return self._dialect.delete(change.entry)
        return self._dialect.update(change.entry, self._bodies.of(change))

    def _create(self, change: Change, sent_at: float) -> Request:
        mark = Mark(
            installation=self._charge.installation,
            institution=self._charge.institution,
            mailbox_key=change.mailbox.key,
            meeting_key=change.meeting_key,
            incarnation=change.incarnation,
            intent_at=int(sent_at),
            revision=self._charge.revision,
        )
        mailbox = change.mailbox
        if change.calendar:
            calendar_id = self._readiness.calendars[mailbox.id, change.calendar]
            mailbox = structs.replace(mailbox, calendar_id=calendar_id)
        body = self._bodies.of(change)
        return self._dialect.create(mailbox, body, change.operation, mark.text(change.operation))


def _tried_again(changes: Sequence[Change]) -> list[Change]:
    return [structs.replace(change, attempts=change.attempts + 1) for change in changes]
