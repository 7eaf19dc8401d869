"""Putting back what a run deleted: as it looked, each as a new event, and safe from the next run."""

from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from classbell.access import Access
from classbell.deliver import Charge, Delivery, Progress, Tally
from classbell.errors import ClassbellError, ConfigurationError
from classbell.ledger import Accepted, Deleted, Waiting
from classbell.model import Action, Policy, Reason, RunKind
from classbell.people import mailbox_key
from classbell.plan import Plan
from classbell.quarantine import Quarantine
from classbell.record import record_of_error
from classbell.report import needs_a_person
from classbell.run import Office
from classbell.settings import InstitutionSettings
from classbell.wishes import stopping_calendars


@dataclass(frozen=True, kw_only=True)
class Restorable:
    """
    What can be put back of a run, with the bytes of each event by fingerprint.

    ``open`` are the pairs of which the run has not deleted the events yet, or nobody knows: they stay. ``lost`` counts
    what cannot be put back: nobody knows any more what it looked like. ``left`` counts that of persons who get nothing
    any more. ``before`` is the number of our events that stand now in the mailboxes concerned.
    """

    run_id: int
    events: Sequence[Deleted]
    bodies: dict[int, bytes]
    open: Sequence[tuple[int, int]]
    lost: int
    left: int
    before: int


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What came of it. ``waiting`` counts all open changes of the institution, or of the one person it was for."""

    run_id: int
    created: int
    waiting: tuple[Waiting, ...]
    exit_code: int


class Restoration:
    """Puts back what one run of an institution deleted."""

    def __init__(self, office: Office, run_id: int, person: str | None = None) -> None:
        self._office = office
        self._run_id = run_id
        self._person = person
        self._delivery: Delivery | None = None

    @property
    def _key(self) -> str | None:
        return mailbox_key(self._person) if self._person is not None else None

    async def _only(self) -> int | None:
        mailbox = await self._office.ledger.mailboxes.find(self._key) if self._key is not None else None
        return mailbox.id if mailbox is not None else None

    def stop(self) -> bool:
        """Begin nothing new; what is on its way is finished and recorded. False if nothing is under way."""
        if self._delivery is None:
            return False
        self._delivery.stop()
        return True

    async def look(self) -> Restorable:
        """
        What there is to put back. Writes nothing anywhere.

        Raises:
            ConfigurationError: E-RUN-UNKNOWN, E-PERSON-UNKNOWN.
        """
        ledger = self._office.ledger
        if await ledger.runs.find(self._run_id) is None:
            raise ConfigurationError(
                "E-RUN-UNKNOWN",
                f"There is no run {self._run_id}.",
                why="none has had this number, it was of another institution, or it is no longer kept",
                do="classbell runs list",
                effect="no calendar was changed",
            )
        key = self._key
        if key is not None and await ledger.mailboxes.find(key) is None:
            raise ConfigurationError(
                "E-PERSON-UNKNOWN",
                f"The ledger knows nobody called {self._person}.",
                why="nothing was ever delivered to this address",
                do="check the address; classbell runs list has the runs",
                effect="no calendar was changed",
            )
        deleted = await ledger.restoring.deleted(self._run_id, key)
        unlinked = set(await ledger.suspensions.unlinked())
        places = _calendars(self._office.settings)
        wanted = [
            one if one.calendar is not None else replace(one, calendar=places.get(one.source, ""))
            for one in deleted
            if one.mailbox_id not in unlinked
        ]
        bodies = await ledger.meetings.bodies({one.fingerprint for one in wanted})
        events = [one for one in wanted if one.fingerprint in bodies]
        before = 0
        for number in {one.mailbox_id for one in events}:
            before += len(await ledger.entries.event_ids(number))
        return Restorable(
            run_id=self._run_id,
            events=events,
            bodies=bodies,
            open=await ledger.restoring.open(self._run_id, key),
            lost=len(wanted) - len(events),
            left=len(deleted) - len(wanted),
            before=before,
        )

    async def carry_out(
        self, found: Restorable, tell: Callable[[Progress], None] = lambda _: None
    ) -> Restored:
        """
        Create the events again, each in a new incarnation, and note that no run may delete them unasked.

        What the run has not deleted yet it will not; nothing else that is open is carried out.

        Raises:
            ServiceUnavailable, HeldError: the institution is in quarantine; nothing is accepted.
            RefusedError, TemporaryError: Microsoft refuses us or cannot be reached, or too much failed; what was
                accepted waits.
        """
        office, ledger, clock = self._office, self._office.ledger, self._office.ports.clock
        quarantine = Quarantine(ledger, office.settings.safety.quarantine)
        probing = await quarantine.admit(clock.now())
        access = await office.access()
        await access.tokens.token()
        now = clock.now()
        # Before they are accepted: protection of what never came to be does no harm, a lack of it would.
        pairs = [(one.mailbox_id, one.meeting_id) for one in found.events]
        await ledger.restoring.protect([*pairs, *found.open], now)
        calendars = tuple(dict.fromkeys(("", *(one.calendar or "" for one in found.events))))
        record: dict[str, object] = {"restores": self._run_id, "planned": {"create": len(found.events)}}
        record["passed"] = record["planned"]
        accepted = await ledger.plans.accept(
            Accepted(
                plan=_plan(found.events, calendars, stopping_calendars(office.settings.profiles)),
                calendars=calendars,
                fresh_mailboxes={},
                fresh_meetings=[],
                renderings=[],
                # It answers for no source: what is open of them stays as it is.
                sources_read=frozenset(),
                kind=RunKind.RESTORE,
                takes_back=self._run_id,
                only=await self._only(),
                record=record,
            ),
            now,
        )
        try:
            office.witness.bear(accepted.revision)
            charge = Charge(
                installation=office.installation,
                institution=office.settings.id,
                revision=accepted.revision,
                bound=office.settings.safety.outcome_bound.total_seconds(),
                run=accepted.run_id,
            )
            tally = await quarantine.deliver(
                quarantine.limited(charge),
                lambda charge: self._carried(access, charge, tell),
                clock,
                probing=probing,
            )
        except ClassbellError as error:
            # If it is the ledger that fails, that error is the one to be told.
            with suppress(ClassbellError):
                await ledger.runs.finish(
                    accepted.run_id, error.exit_code, record | record_of_error(error), clock.now()
                )
            raise
        waiting = tuple(await ledger.changes.waiting(self._key))
        code = _exit_code(tally, waiting)
        done = {action.name.lower(): count for action, count in tally.done.items()}
        await ledger.runs.finish(accepted.run_id, code, record | {"done": done}, clock.now())
        return Restored(
            run_id=accepted.run_id, created=tally.done[Action.CREATE], waiting=waiting, exit_code=code
        )

    async def _carried(self, access: Access, charge: Charge, tell: Callable[[Progress], None]) -> Tally:
        self._delivery = Delivery(self._office.ledger, access, self._office.ports.clock, charge, tell)
        try:
            return await self._delivery.run()
        finally:
            self._delivery = None


def _calendars(settings: InstitutionSettings) -> dict[str, str]:
    """Per source the calendar in which its events are made now: the first audience that gets it decides."""
    names = {one.name: "" if one.calendar == "default" else one.calendar for one in settings.profiles}
    served = [(source, names[audience.profile]) for audience in settings.audience for source in audience.gets]
    return dict(reversed(served))


def _plan(events: Sequence[Deleted], calendars: Sequence[str], stopping: Container[str]) -> Plan:
    count = len(events)
    # Whose wish it is that there is no such calendar was asked nothing: only `sync PERSON --reset` puts that aside.
    policies = (Policy.STOP_WITHOUT_CALENDAR if one.calendar in stopping else Policy(0) for one in events)
    return Plan(
        mailbox=np.fromiter((one.mailbox_id for one in events), np.int64, count),
        meeting=np.fromiter((one.meeting_id for one in events), np.int64, count),
        action=np.full(count, Action.CREATE, dtype=np.int8),
        reason=np.full(count, Reason.PUT_BACK, dtype=np.int8),
        fingerprint=np.fromiter((one.fingerprint for one in events), np.uint64, count),
        previous=np.zeros(count, dtype=np.uint64),
        starts=np.fromiter((one.starts_at for one in events), np.int64, count),
        ends=np.fromiter((one.ends_at for one in events), np.int64, count),
        source=np.full(count, -1, dtype=np.int16),
        calendar=np.fromiter((calendars.index(one.calendar or "") for one in events), np.int16, count),
        policy=np.fromiter(policies, np.int8, count),
    )


def _exit_code(tally: Tally, waiting: Sequence[Waiting]) -> int:
    if tally.interrupted:
        return 130
    if any(needs_a_person(one) for one in waiting):
        return 4
    return 3 if waiting else 0
