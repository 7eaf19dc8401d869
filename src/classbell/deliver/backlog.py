"""
The backlog: due changes in memory, soonest meetings first, never more than a few thousand.

A unit of work is up to one batch of changes that need the same step. Which mailbox is next is a question
to the ledger; how many of one mailbox may be on their way is the pace's.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from classbell.ledger import InstitutionLedger
from classbell.model import Action, Change, ChangeState, Mailbox
from classbell.outlook.pace import Pace

PAGE = 4000
# After the last page: seconds until the ledger is asked again for what has come due meanwhile.
ANEW = 1.0
# A unit goes with fewer changes rather than search the whole backlog for ones of its step: this many units
# of others are passed over.
PASSED_OVER = 10
_START = (-(2**62), 0)


class Step(Enum):
    """What a change needs next: its mailbox prepared, a look for what became of it, or to be written."""

    PREPARE = auto()
    LOOK = auto()
    WRITE = auto()


@dataclass(frozen=True, kw_only=True)
class Unit:
    """Changes that go through one step together; each holds one of its mailbox's places in the pace."""

    step: Step
    changes: tuple[Change, ...]


class Readiness:
    """
    What is known of mailboxes since this delivery began.

    Attributes:
        contacted: those with which first contact was made.
        calendars: ids of our own calendars, by mailbox and name.
        lost: those of them that are no longer there.
        closed: mailboxes to which nothing may be sent, each until an instant of our clock.
    """

    def __init__(self) -> None:
        self.contacted: set[int] = set()
        self.calendars: dict[tuple[int, str], str] = {}
        self.lost: set[tuple[int, str]] = set()
        self.closed: dict[int, float] = {}

    def is_contacted(self, mailbox: Mailbox) -> bool:
        """Whether a look has shown that no event of ours stands there that the ledger does not know."""
        return mailbox.contacted or mailbox.id in self.contacted

    def is_ready(self, change: Change) -> bool:
        """Whether a create may be sent: first contact is made, and its calendar is there."""
        place = (change.mailbox.id, change.calendar)
        return self.is_contacted(change.mailbox) and (
            not change.calendar or (place in self.calendars and place not in self.lost)
        )

    def is_closed(self, number: int, now: float) -> bool:
        """Whether nothing may be sent to a mailbox now."""
        return bool(self.closed) and self.closed.get(number, now) > now

    def step(self, change: Change) -> Step:
        """The next step of a change."""
        if change.action is not Action.CREATE:
            # An unknown one too: repeated under the same If-Match it can do no harm.
            return Step.WRITE
        if change.state is ChangeState.UNKNOWN:
            return Step.LOOK
        return Step.WRITE if self.is_ready(change) else Step.PREPARE


class Backlog:
    """Takes due changes from the ledger, and hands them out in units."""

    def __init__(
        self,
        ledger: InstitutionLedger,
        pace: Pace,
        readiness: Readiness,
        only: int | None = None,
        page: int = PAGE,
        run: int | None = None,
    ) -> None:
        self._ledger = ledger
        self._pace = pace
        self._readiness = readiness
        self._only = only
        self._run = run
        self._page = page
        self._queues: dict[int, deque[Change]] = {}
        self._order: list[tuple[int, int, int]] = []
        self._in_hand: set[int] = set()
        self._preparing: set[int] = set()
        self._cursor = _START
        self._size = 0
        self._anew_at = 0.0
        self.asked_at = 0.0
        """When the ledger was last asked for what is due."""

    async def fill(self, now: float) -> None:
        """Load more due changes when few are left, going on behind the last one, and anew after the end."""
        if self._size > (0 if now < self._anew_at else self._page // 2):
            return
        self.asked_at = now
        behind = self._cursor != _START
        await self._load(now)
        # Nothing found behind the last one, or only what must not go now, says nothing of all the rest.
        while self._size == 0 and (behind or self._cursor != _START):
            behind = behind and self._cursor != _START
            await self._load(now)

    async def _load(self, now: float) -> None:
        found = await self._ledger.changes.due(now, self._page, self._cursor, self._only, self._run)
        for change in found:
            if change.id not in self._in_hand and not self._readiness.is_closed(change.mailbox.id, now):
                self._put(change)
        last = found[-1] if len(found) == self._page else None
        self._cursor = (last.starts_at, last.id) if last else _START
        self._anew_at = 0.0 if last else now + ANEW

    def take(self, size: int, now: float) -> Unit | None:
        """
        The next unit of at most *size* changes; None if nothing may go now.

        Every change taken is counted in by the pace; the caller gives it back with ``done``.
        """
        taken: list[Change] = []
        step: Step | None = None
        aside: list[tuple[int, int, int]] = []
        while self._order and len(taken) < size:
            place = heapq.heappop(self._order)
            number = place[2]
            if self._readiness.is_closed(number, now):
                self._drop(number)
                continue
            wanted = self._readiness.step(self._queues[number][0])
            mixed = step is not None and wanted is not step
            if mixed or number in self._preparing or not self._pace.admit(number):
                aside.append(place)
                if taken and len(aside) >= PASSED_OVER * size:
                    break
                continue
            step = wanted
            taken.append(self._pop(number))
            if wanted is Step.PREPARE:
                self._preparing.add(number)
        for place in aside:
            heapq.heappush(self._order, place)
        return Unit(step=step, changes=tuple(taken)) if step is not None else None

    def done(self, unit: Unit, *, again: Sequence[Change] = ()) -> None:
        """Give a unit's places back; *again* are those of its changes that need another step at once."""
        for change in unit.changes:
            self._pace.release(change.mailbox.id)
            self._in_hand.discard(change.id)
            if unit.step is Step.PREPARE:
                self._preparing.discard(change.mailbox.id)
        for change in again:
            self._put(change)

    def next_chance(self, due: float | None) -> float | None:
        """
        When something may go again; None if nothing is to come.

        Args:
            due: when something comes due in the ledger that was not when it was last asked; None if nothing.
        """
        if self._size == 0:
            return due
        fence = min(self._pace.blocked_until(number) for number in self._queues)
        if due is None or self._size > self._page // 2:
            return fence
        return min(fence, max(due, self._anew_at))

    def _put(self, change: Change) -> None:
        queue = self._queues.get(change.mailbox.id)
        if queue is None:
            queue = self._queues[change.mailbox.id] = deque()
            heapq.heappush(self._order, (change.starts_at, change.id, change.mailbox.id))
        queue.append(change)
        self._in_hand.add(change.id)
        self._size += 1

    def _drop(self, number: int) -> None:
        """Forget the changes of a mailbox; they wait in the ledger."""
        queue = self._queues.pop(number)
        self._size -= len(queue)
        self._in_hand.difference_update(change.id for change in queue)

    def _pop(self, number: int) -> Change:
        queue = self._queues[number]
        change = queue.popleft()
        self._size -= 1
        if queue:
            heapq.heappush(self._order, (queue[0].starts_at, queue[0].id, number))
        else:
            del self._queues[number]
        return change
