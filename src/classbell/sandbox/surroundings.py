"""What all parts of one sandbox share: clock, randomness, switches, lock, history, outbox."""

from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from classbell.sandbox.clock import SandboxClock
from classbell.sandbox.history import History
from classbell.sandbox.later import DueLock
from classbell.sandbox.store import Mail, Surroundings
from classbell.sandbox.switches import Switches


@dataclass
class Commons:
    """
    Shared by all parts of one sandbox.

    The lock is held for every look at and change of a mailbox, since requests are served in one thread and
    the owner of the sandbox acts in another.
    """

    clock: SandboxClock
    random: Random
    switches: Switches
    outbox: list[Mail] = field(default_factory=list)
    lock: DueLock = field(init=False)
    history: History = field(init=False)
    around: Surroundings = field(init=False)

    def __post_init__(self) -> None:
        self.lock = DueLock(self.clock.now)
        self.history = History(self.lock.now)
        self.around = Surroundings(self.lock.now, self.history, self.outbox, {})

    def new_guid(self) -> UUID:
        """A GUID, the same in every run with the same seed."""
        return UUID(int=self.random.getrandbits(128), version=4)
