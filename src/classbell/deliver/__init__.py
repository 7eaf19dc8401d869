"""
Delivery: the only code that writes to a mailbox.

It pulls due changes, soonest meetings first, makes each intent durable before its request leaves, keeps
the pace, reads every answer and records the outcome. The protocol is in ``docs/architecture.md``.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from classbell.access import Access
from classbell.deliver.backlog import Backlog, Readiness, Step, Unit
from classbell.deliver.charge import Charge, Progress, Tally
from classbell.deliver.prepare import Preparation
from classbell.deliver.refusals import Refusals
from classbell.deliver.write import Writer
from classbell.errors import ClassbellError
from classbell.ledger import InstitutionLedger
from classbell.model import Change, Outcome
from classbell.ports import Clock


class Delivery:
    """
    One delivery of an institution's due changes.

    Args:
        tell: called with the progress after each unit.
    """

    def __init__(
        self,
        ledger: InstitutionLedger,
        access: Access,
        clock: Clock,
        charge: Charge,
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        client, dialect, pace = access.client, access.dialect, access.pace
        self._ledger = ledger
        self._pace = pace
        self._clock = clock
        self._charge = charge
        self._tell = tell
        self._size = dialect.capabilities.batch_size
        readiness = self._readiness = Readiness()
        self._backlog = Backlog(ledger, pace, readiness, charge.only, run=charge.run)
        self._refusals = Refusals(ledger, pace, clock, readiness, access.tokens.no_mailbox_open)
        shared = (clock, charge, readiness, self._refusals)
        self._preparation = Preparation(ledger, client, dialect, pace, *shared)
        self._writer = Writer(
            ledger,
            client,
            dialect,
            *shared,
            look=self._preparation.look_whether_standing,
            look_through=self._preparation.look_through,
        )
        self._tally = Tally()
        self._total = 0
        self._ended = 0
        self._moved_at = 0.0
        self._stop = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Send nothing more; what is on its way is finished and recorded."""
        self._stop.set()
        self._tally.interrupted = True

    async def run(self) -> Tally:
        """
        Deliver until nothing is due within the patience.

        Raises:
            RefusedError: a credential or the permission was refused; what was not sent waits.
            TemporaryError: the service cannot be reached.
        """
        changes = self._ledger.changes
        self._moved_at = self._clock.now()
        await changes.adrift(self._moved_at, self._charge.bound)
        await self._refusals.begin()
        self._total = await changes.open_count(self._charge.only, self._charge.run)
        try:
            await self._work()
        except asyncio.CancelledError:
            # At once: what was sent stays marked so, and the next run looks what became of it.
            await self._abandon()
            raise
        except BaseException:
            # The others are finished first: what they have sent must be recorded.
            await self._wind_up()
            with suppress(ClassbellError):
                await self._pack()
                await self._refusals.finish()
            raise
        await self._pack()
        await self._refusals.finish()
        return self._tally

    async def _work(self) -> None:
        """Units of work side by side, until nothing more comes due in time."""
        while True:
            await self._launch()
            if self._under_way:
                ended, self._under_way = await asyncio.wait(
                    self._under_way, return_when=asyncio.FIRST_COMPLETED
                )
                self._under_way |= {task for task in ended if task.exception()}
                for task in ended:
                    task.result()
            elif self._refusals.hopeless or not await self._worth_waiting():
                return

    async def _wind_up(self) -> None:
        """Wait for whatever is under way; its errors come after the one that is being told."""
        if self._under_way:
            try:
                await asyncio.wait(self._under_way)
            except asyncio.CancelledError:
                await self._abandon()
                raise
        for task in self._under_way:
            if not task.cancelled():
                task.exception()

    async def _abandon(self) -> None:
        """End whatever is under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _launch(self) -> None:
        while not (self._stop.is_set() or self._refusals.hopeless):
            if len(self._under_way) >= self._pace.batches_allowed:
                return
            now = self._clock.now()
            await self._backlog.fill(now)
            unit = self._backlog.take(self._size, now)
            if unit is None:
                return
            self._under_way.add(asyncio.create_task(self._carry_out(unit)))

    async def _carry_out(self, unit: Unit) -> None:
        outcomes: Sequence[Outcome] = ()
        ready: Sequence[Change] = ()
        try:
            if unit.step is Step.PREPARE:
                ready = await self._preparation.prepare(unit.changes)
            elif unit.step is Step.LOOK:
                outcomes = await self._preparation.look_for(unit.changes)
            else:
                outcomes = await self._writer.write(unit.changes)
            await self._refusals.settle()
        finally:
            self._backlog.done(unit, again=ready)
        ended = self._tally.add(outcomes)
        if self._tally.too_many(self._charge):
            self._stop.set()
        self._ended += ended
        if ended or any(self._readiness.is_ready(change) for change in ready):
            self._moved_at = self._clock.now()
        self._report(self._pace.institution_blocked_until)

    async def _worth_waiting(self) -> bool:
        """Wait for the next due change or the end of a fence, if that comes soon enough."""
        if self._stop.is_set():
            return False
        until = await self._next_chance()
        if until is None or until > self._moved_at + self._charge.patience:
            return False
        now = self._clock.now()
        if until > now:
            self._report(until)
            await self._sleep(until - now)
        return True

    async def _next_chance(self) -> float | None:
        """When something may go again; None if nothing is to come."""
        if self._pace.institution_blocked_until:
            return self._pace.institution_blocked_until
        charge = self._charge
        due = await self._ledger.changes.next_due(charge.only, self._backlog.asked_at, charge.run)
        return self._backlog.next_chance(due)

    async def _sleep(self, seconds: float) -> None:
        """Wait, but no longer than until the delivery is stopped."""
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            stopping.cancel()

    def _report(self, waiting_until: float) -> None:
        self._tell(
            Progress(done=self._ended, total=max(self._total, self._ended), waiting_until=waiting_until)
        )

    async def _pack(self) -> None:
        self._tally.batches = self._writer.batches + self._preparation.batches
        await self._ledger.entries.pack(await self._ledger.entries.stale(), self._charge.revision)


__all__ = ["Charge", "Delivery", "Progress", "Tally"]
