"""
Leaving: a person wants nothing of us any more, or a whole institution does.

It needs no timetable: what goes follows from the ledger alone, after the mailboxes were read where nothing at all
of ours shall remain. Delivered like everything else, with an entry, an etag and every answer recorded.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from classbell.access import Access
from classbell.deliver import Charge, Delivery, Progress, Tally
from classbell.errors import ClassbellError, ConfigurationError, HeldError, ServiceUnavailable
from classbell.ledger import Left, Waiting, departure
from classbell.model import LeaveMode, Mailbox
from classbell.people import mailbox_key
from classbell.quarantine import Quarantine
from classbell.readback import rebuild_of
from classbell.record import record_of_error
from classbell.run import Office
from classbell.verify import RebuildProgress, Rebuilt

# What goes follows from what the ledger knows already.
_BY_THE_LEDGER = (LeaveMode.DELETE_FUTURE_EVENTS, LeaveMode.DELETE_ALL_EVENTS)


@dataclass(frozen=True, kw_only=True)
class Farewell:
    """
    What leaving would mean, before anything is done.

    ``mailbox`` is None for the whole institution; ``rebuilt`` is what reading the mailboxes has shown, where nothing
    at all is to remain.
    """

    mode: LeaveMode
    mailbox: Mailbox | None
    left: Left
    rebuilt: Rebuilt | None = None


@dataclass(frozen=True, kw_only=True)
class Departed:
    """What became of it: what was done, what waits there still, and why nothing was tried, if so."""

    tally: Tally
    after: Left
    waiting: tuple[Waiting, ...] = field(default=())
    barred: ClassbellError | None = None


class Departure:
    """
    One departure from one institution's calendars.

    Args:
        person: who leaves; None for everybody.
    """

    def __init__(self, office: Office, mode: LeaveMode, *, person: str | None) -> None:
        self._office = office
        self._mode = mode
        self._person = person
        self._stoppable: Callable[[], None] | None = None
        self._access: Access | None = None
        # No run probes an institution that is paused, as this pauses it: whoever empties it asks for the probe as well.
        self._quarantine = Quarantine(office.ledger, office.settings.safety.quarantine, insist=person is None)

    def stop(self) -> bool:
        """Begin nothing new; what is on its way is finished and recorded. False if nothing is under way."""
        if self._stoppable is None:
            return False
        self._stoppable()
        return True

    async def look(self, tell: Callable[[RebuildProgress], None] = lambda _: None) -> Farewell:
        """
        Count what stands there and what would go. Writes to no mailbox.

        Raises:
            ConfigurationError: E-PERSON-UNKNOWN, the ledger does not know the person.
            HeldError: E-LEDGER-LOST, it does not know for certain what stands there.
            RefusedError, TemporaryError: the mailboxes were to be read, and cannot be.
        """
        mailbox = await self._mailbox()
        rebuilt = None
        if self._mode is LeaveMode.CLEANUP:
            rebuilt = await self._read(await self._accessed(), mailbox, tell)
        left = await self._office.ledger.leaving.look(
            mailbox.id if mailbox else None, self._mode, self._office.ports.clock.now()
        )
        if left.doubted and mailbox and self._mode in _BY_THE_LEDGER:
            raise HeldError(
                "E-LEDGER-LOST",
                f"Which events of ours stand in the calendar of {mailbox.address} is in doubt.",
                why="events of this installation stand there that this ledger does not know, or it is an older copy",
                do=f"classbell ledger rebuild {mailbox.address}, then this again; or, for all events, --mode CLEANUP",
                effect="no calendar was changed, and nobody was unlinked",
            )
        return Farewell(mode=self._mode, mailbox=mailbox, left=left, rebuilt=rebuilt)

    async def carry_out(
        self, farewell: Farewell, reason: str, tell: Callable[[Progress], None] = lambda _: None
    ) -> Departed:
        """
        Suspend whom it concerns, and delete exactly what was counted; in quarantine these deletes wait.

        Raises:
            HeldError: E-LEAVE-CHANGED, it is no longer what was counted; nothing is done.
            RefusedError, TemporaryError: Microsoft refuses us or cannot be reached, or too much failed; what was
                accepted waits.
        """
        office, ledger, clock = self._office, self._office.ledger, self._office.ports.clock
        number = farewell.mailbox.id if farewell.mailbox else None
        access = await self._accessed()
        probing, barred = await self._admitted() if farewell.left.deletes else (False, None)
        deliverable = farewell.left.deletes and barred is None
        if deliverable:
            await access.tokens.token()
        now = clock.now()
        accepted = await ledger.leaving.accept(number, farewell.mode, farewell.left, reason, now)
        tally = Tally()
        record = departure(number, farewell.mode)
        try:
            office.witness.bear(accepted.revision)
            if deliverable:
                tally = await self._deliver(access, accepted.revision, number, tell, probing=probing)
        except ClassbellError as error:
            record |= record_of_error(error)
            await ledger.runs.finish(accepted.run_id, error.exit_code, record, clock.now())
            raise
        after = await ledger.leaving.look(number, farewell.mode, now)
        waiting = tuple(await ledger.changes.waiting())
        departed = Departed(tally=tally, after=after, waiting=waiting, barred=barred)
        code = 3 if after.deletes or after.uncertain else 0
        done = {action.name.lower(): count for action, count in tally.done.items()}
        await ledger.runs.finish(accepted.run_id, code, record | {"done": done}, clock.now())
        return departed

    async def _accessed(self) -> Access:
        """One and the same for reading and deleting: who asked for peace is left in peace by both."""
        if self._access is None:
            self._access = await self._office.access()
        return self._access

    async def _mailbox(self) -> Mailbox | None:
        if self._person is None:
            return None
        key = mailbox_key(self._person)
        found = await self._office.ledger.mailboxes.find(key)
        if found is None and await self._office.ledger.persons.was_forgotten(key):
            raise _forgotten(self._person)
        if found is None:
            raise ConfigurationError(
                "E-PERSON-UNKNOWN",
                f"The ledger knows nobody called {self._person}.",
                why="nothing was ever delivered to this address, or by a ledger that was lost",
                do="check the address; to keep somebody out from the beginning: classbell pause PERSON; after a loss:"
                " classbell ledger rebuild PERSON, then this again",
                effect="no calendar was changed",
            )
        return found

    async def _read(
        self, access: Access, mailbox: Mailbox | None, tell: Callable[[RebuildProgress], None]
    ) -> Rebuilt:
        rebuild = rebuild_of(self._office, access, None, tell)
        self._stoppable = rebuild.stop
        try:
            return await (rebuild.all() if mailbox is None else rebuild.some([mailbox]))
        finally:
            self._stoppable = None

    async def _admitted(self) -> tuple[bool, ClassbellError | None]:
        """Whether the delivery is a probe; or why there is to be none now. Who wants to leave has left all the same."""
        try:
            return await self._quarantine.admit(self._office.ports.clock.now()), None
        except (HeldError, ServiceUnavailable) as error:
            return False, error

    async def _deliver(
        self,
        access: Access,
        revision: int,
        number: int | None,
        tell: Callable[[Progress], None],
        *,
        probing: bool,
    ) -> Tally:
        office = self._office
        charge = Charge(
            installation=office.installation,
            institution=office.settings.id,
            revision=revision,
            bound=office.settings.safety.outcome_bound.total_seconds(),
            only=number,
        )

        async def carry_out(charge: Charge) -> Tally:
            delivery = Delivery(office.ledger, access, office.ports.clock, charge, tell)
            self._stoppable = delivery.stop
            try:
                return await delivery.run()
            finally:
                self._stoppable = None

        return await self._quarantine.deliver(
            self._quarantine.limited(charge), carry_out, office.ports.clock, probing=probing
        )


def _forgotten(person: str) -> ConfigurationError:
    return ConfigurationError(
        "E-PERSON-UNKNOWN",
        f"{person} was forgotten: nothing is delivered there, whatever timetables say.",
        why="classbell forget has erased all that was known, but for a digest of the address",
        do=f"nothing; if events of ours were left there: classbell resume {person}, classbell ledger rebuild {person},"
        " then this again",
        effect="no calendar was changed",
    )
