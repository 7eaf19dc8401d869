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
from classbell.model import Action, Change, ChangeState
from classbell.outlook.pace import Pace

PAGE = 4000
# After the last page: seconds until the ledger is asked again for what has come due meanwhile.
ANEW = 1.0


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
    """What is known of mailboxes since this delivery began: first contact made, calendars found."""

    def __init__(self) -> None:
        self.contacted: set[int] = set()
        self.calendars: dict[tuple[int, str], str] = {}

    def step(self, change: Change) -> Step:
        """The next step of a change."""
        if change.action is not Action.CREATE:
            # An unknown one too: repeated under the same If-Match it can do no harm.
            return Step.WRITE
        if change.state is ChangeState.UNKNOWN:
            return Step.LOOK
        number = change.mailbox.id
        if not (change.mailbox.contacted or number in self.contacted):
            return Step.PREPARE
        if change.calendar and (number, change.calendar) not in self.calendars:
            return Step.PREPARE
        return Step.WRITE


class Backlog:
    """Takes due changes from the ledger, and hands them out in units."""

    def __init__(
        self,
        ledger: InstitutionLedger,
        pace: Pace,
        readiness: Readiness,
        only: int | None = None,
        page: int = PAGE,
    ) -> None:
        self._ledger = ledger
        self._pace = pace
        self._readiness = readiness
        self._only = only
        self._page = page
        self._queues: dict[int, deque[Change]] = {}
        self._order: list[tuple[int, int, int]] = []
        self._in_hand: set[int] = set()
        self._preparing: set[int] = set()
        self._cursor = (-(2**62), 0)
        self._size = 0
        self._anew_at = 0.0

    async def fill(self, now: float) -> None:
        """Load more due changes when few are left, going on behind the last one, and anew after the end."""
        if self._size > (0 if now < self._anew_at else self._page // 2):
            return
        found = await self._ledger.changes.due(now, self._page, self._cursor, self._only)
        for change in found:
            if change.id not in self._in_hand:
                self._put(change)
        last = found[-1] if len(found) == self._page else None
        self._cursor = (last.starts_at, last.id) if last else (-(2**62), 0)
        self._anew_at = 0.0 if last else now + ANEW

    def take(self, size: int) -> Unit | None:
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
            wanted = self._readiness.step(self._queues[number][0])
            mixed = step is not None and wanted is not step
            if mixed or number in self._preparing or not self._pace.admit(number):
                aside.append(place)
                if len(aside) > self._page:
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

    @property
    def empty(self) -> bool:
        """Whether nothing is left in memory."""
        return self._size == 0

    def blocked_until(self) -> float | None:
        """When the first fence around a mailbox with changes falls; None if there is none."""
        ends = [self._pace.blocked_until(number) for number in self._queues]
        return min((end for end in ends if end), default=None)

    def _put(self, change: Change) -> None:
        queue = self._queues.get(change.mailbox.id)
        if queue is None:
            queue = self._queues[change.mailbox.id] = deque()
            heapq.heappush(self._order, (change.starts_at, change.id, change.mailbox.id))
        queue.append(change)
        self._in_hand.add(change.id)
        self._size += 1

    def _pop(self, number: int) -> Change:
        queue = self._queues[number]
        change = queue.popleft()
        self._size -= 1
        if queue:
            heapq.heappush(self._order, (queue[0].starts_at, queue[0].id, number))
        else:
            del self._queues[number]
        return change
