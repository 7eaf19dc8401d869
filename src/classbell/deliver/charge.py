"""What a delivery is for, how far it is, and what it did."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from classbell.deliver.ownership import refused
from classbell.model import Action, Became, Outcome


@dataclass(frozen=True, kw_only=True)
class Charge:
    """
    What a delivery is for.

    Args:
        installation, institution: ids, part of every mark.
        revision: the ledger's revision, part of every mark.
        bound: seconds after the end of sending at which a look decides about an unknown create.
        patience: seconds without a change carried out, after which a delivery leaves what still waits to
            the next run. It does not begin a wait that would end later.
        only: if given, the number of the one mailbox that is delivered to.
    """

    installation: str
    institution: str
    revision: int
    bound: float
    patience: float = 120.0
    only: int | None = None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a delivery is: changes done of all that were open, and until when the service has us wait."""

    done: int
    total: int
    waiting_until: float = 0.0


@dataclass(kw_only=True)
class Tally:
    """What a delivery did: changes done by action; those left to a person, of which *refused*: not ours; batches sent."""

    done: Counter[Action] = field(default_factory=Counter)
    left: Counter[Became] = field(default_factory=Counter)
    refused: int = 0
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
                self.refused += refused(outcome)
                ended += 1
        return ended
