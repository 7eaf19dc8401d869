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
        run: if given, the number of the one run whose changes are carried out.
        anew: whether a calendar of ours is made again that its owner has deleted, whatever the profile says.
        fail_percent, min_failures: if so many changes fail, and such a share of all tried, nothing more is begun; and
            likewise if so many mailboxes cannot be prepared.
    """

    installation: str
    institution: str
    revision: int
    bound: float
    patience: float = 120.0
    only: int | None = None
    run: int | None = None
    anew: bool = False
    fail_percent: float = 100.0
    min_failures: int = 2**62


# What the service asks us to wait for, of one mailbox or of all, what never left, and what a look has shown never to have
# been made: who is busy is not broken, and who tells is well.
_PATIENCE = frozenset({"E-GRAPH-429", "E-GRAPH-BUSY", "E-GRAPH-UNSENT", "E-UNKNOWN-ABSENT"})


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a delivery is: changes done of all that were open, and until when the service has us wait."""

    done: int
    total: int
    waiting_until: float = 0.0


@dataclass(kw_only=True)
class Tally:
    """
    What a delivery did.

    Changes done by action; those left to a person, of which *refused*: not ours; batches sent; by change the codes of
    what fails. *prepared* counts mailboxes made ready, *unready* has by mailbox the codes of what failed on the way there.
    """

    done: Counter[Action] = field(default_factory=Counter)
    left: Counter[Became] = field(default_factory=Counter)
    refused: int = 0
    batches: int = 0
    interrupted: bool = False
    failing: dict[int, str] = field(default_factory=dict)
    prepared: int = 0
    unready: dict[int, str] = field(default_factory=dict)

    @property
    def failed(self) -> Counter[str]:
        """What fails, by its code."""
        return Counter([*self.failing.values(), *self.unready.values()])

    def add(self, outcomes: Sequence[Outcome]) -> int:
        """Count outcomes; how many of them ended their change."""
        ended = 0
        for outcome in outcomes:
            self._note(outcome)
            if outcome.became is Became.DONE:
                self.done[outcome.change.action] += 1
                ended += 1
            elif outcome.became is Became.SPARED:
                ended += 1
            elif outcome.became is Became.HELD:
                self.left[Became.HELD] += 1
                self.refused += refused(outcome)
                ended += 1
        return ended

    def prepare(self, mailboxes: Sequence[int]) -> None:
        """Count mailboxes that have been made ready."""
        self.prepared += len(mailboxes)
        for number in mailboxes:
            self.unready.pop(number, None)

    def include(self, earlier: "Tally") -> None:
        """Count what an earlier delivery of the same run did as well."""
        self.done += earlier.done
        self.left += earlier.left
        self.refused += earlier.refused
        self.batches += earlier.batches

    def too_many(self, charge: Charge) -> bool:
        """Whether so much fails that going on would be of no use."""
        done = self.done.total()
        # Each by itself: mailboxes are prepared long before most of what is written there.
        return _too_many(charge, len(self.failing), done) or _too_many(
            charge, len(self.unready), done + self.prepared
        )

    def _note(self, outcome: Outcome) -> None:
        """Keep, by change, the code of what went wrong with it last. To be asked for patience is no failure."""
        self.failing.pop(outcome.change.id, None)
        if outcome.became in {Became.WAITING, Became.UNKNOWN} and outcome.code not in _PATIENCE:
            self.failing[outcome.change.id] = outcome.code


def _too_many(charge: Charge, failed: int, succeeded: int) -> bool:
    return failed >= charge.min_failures and 100 * failed >= charge.fail_percent * (failed + succeeded)
