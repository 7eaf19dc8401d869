"""
Delivery: the only code that writes to a mailbox.

It pulls due changes, soonest meetings first, makes each intent durable before its request leaves, keeps
the pace, reads every answer and records the outcome. The protocol is in ``docs/architecture.md``.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from classbell.access import Access
from classbell.deliver.backlog import Backlog, Readiness, Step, Unit
from classbell.deliver.prepare import Preparation
from classbell.deliver.refusals import Refusals
from classbell.deliver.write import Writer
from classbell.errors import ClassbellError
from classbell.ledger import InstitutionLedger
from classbell.model import Action, Became, Change, Outcome
from classbell.ports import Clock


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a delivery is: changes done of all that were open, and until when the service has us wait."""

    done: int
    total: int
    waiting_until: float = 0.0


@dataclass(kw_only=True)
class Tally:
    """What a delivery did: changes done by action; those left, by state; batches sent."""

    done: Counter[Action] = field(default_factory=Counter)
    left: Counter[Became] = field(default_factory=Counter)
    batches: int = 0
    interrupted: bool = False

    def add(self, outcomes: Sequence[Outcome]) -> int:
        """Count outcomes; how many of them ended their change."""
        ended = 0
        for outcome in outcomes:
            if outcome.became is Became.DONE:
                self.done[outcome.change.action] += 1
                ended += 1
            elif outcome.became is Became.HELD:
                self.left[Became.HELD] += 1
                ended += 1
        return ended


@dataclass(frozen=True, kw_only=True)
class Charge:
    """
    What a delivery is for.

    Args:
        installation, institution: ids, part of every mark.
        revision: the ledger's revision, part of every mark.
        bound: seconds after the end of sending at which a look decides about an unknown create.
        patience: seconds a delivery waits for what comes due, before it leaves it to the next run.
        only: if given, the number of the one mailbox that is delivered to.
    """

    installation: str
    institution: str
    revision: int
    bound: float
    patience: float = 120.0
    only: int | None = None


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
        self._readiness = Readiness()
        self._backlog = Backlog(ledger, pace, self._readiness, charge.only)
        self._refusals = Refusals(ledger, pace, clock, access.tokens.no_mailbox_open)
        shared = (clock, charge, self._readiness, self._refusals)
        self._writer = Writer(ledger, client, dialect, pace, *shared)
        self._preparation = Preparation(ledger, client, dialect, *shared)
        self._tally = Tally()
        self._total = 0
        self._ended = 0
        self._stop = asyncio.Event()

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
        await self._ledger.changes.adrift(self._clock.now(), self._charge.bound)
        self._total = await self._ledger.changes.open_count(self._charge.only)
        under_way: set[asyncio.Task[None]] = set()
        try:
            while True:
                await self._launch(under_way)
                if not under_way:
                    if not await self._worth_waiting():
                        break
                    continue
                ended, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    task.result()
            await self._refusals.judge(finally_=True)
        except ClassbellError:
            # The others are finished first: what they have sent must be recorded.
            if under_way:
                await asyncio.wait(under_way)
            raise
        finally:
            self._tally.batches = self._writer.batches + self._preparation.batches
            await self._pack()
        return self._tally

    async def _launch(self, under_way: "set[asyncio.Task[None]]") -> None:
        while not self._stop.is_set() and len(under_way) < self._pace.batches_allowed:
            await self._backlog.fill(self._clock.now())
            unit = self._backlog.take(self._size)
            if unit is None:
                return
            under_way.add(asyncio.create_task(self._carry_out(unit)))

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
        finally:
            self._backlog.done(unit, again=() if self._stop.is_set() else ready)
        await self._refusals.judge()
        self._ended += self._tally.add(outcomes)
        self._tell(
            Progress(
                done=self._ended,
                total=max(self._total, self._ended),
                waiting_until=self._pace.institution_blocked_until,
            )
        )

    async def _worth_waiting(self) -> bool:
        """Wait for the next due change or the end of a fence, if that comes soon enough."""
        if self._stop.is_set():
            return False
        ends = [self._pace.institution_blocked_until or None, self._backlog.blocked_until()]
        if self._backlog.empty:
            ends = [await self._ledger.changes.next_due(self._charge.only)]
        until = min((end for end in ends if end is not None), default=None)
        now = self._clock.now()
        if until is None or until > now + self._charge.patience:
            return False
        self._tell(Progress(done=self._ended, total=max(self._total, self._ended), waiting_until=until))
        sleeping = asyncio.ensure_future(self._clock.sleep(max(until - now, 0.01)))
        stopping = asyncio.ensure_future(self._stop.wait())
        _, left = await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        return True

    async def _pack(self) -> None:
        await self._ledger.entries.pack(await self._ledger.entries.stale(), self._charge.revision)


__all__ = ["Charge", "Delivery", "Progress", "Tally"]
