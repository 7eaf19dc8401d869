"""What guards are told, and what they answer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from classbell.guards.sources import Shrinkage
from classbell.model import Action, Ids
from classbell.plan import Mask, Plan
from classbell.settings import SafetySettings

Name = tuple[str, str, str]
"""What makes a hold the same one in two runs: its code, scope and subject."""

Approved = Callable[[Ids], bool]
"""Whether all the changes at these places of the plan are among those that a person approved."""


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """
    What a plan does not say of itself.

    ``changed`` names the parts of the configuration that differ from those of the last accepted run;
    ``recent`` counts the deletions of the last 24 hours, whoever approved them, and ``gone`` the events that do not
    stand there any more because of them; ``accepted`` are pairs that will be deleted whatever becomes of the plan,
    since an earlier one was accepted and this one does not supersede it.
    ``restored`` are the pairs, as one number each, that a person has had put back.
    """

    shrunk: Sequence[Shrinkage] = ()
    changed: Sequence[str] = ()
    recent: int = 0
    gone: int = 0
    accepted: Ids = field(default_factory=lambda: np.empty(0, np.int64), repr=False, compare=False)
    restored: Ids = field(default_factory=lambda: np.empty(0, np.int64), repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Hold:
    """
    Something that waits for a person.

    ``scope`` is "source", "mailbox" or "institution", ``subject`` its name or (for a mailbox) number;
    ``changes`` and ``deletes`` are what it stops, and ``places`` where that stands in the plan. ``id`` is
    the ledger's number of the hold, if it is entered there, and ``note`` what became of an approval.
    """

    code: str
    scope: str
    subject: str
    text: str
    changes: int
    deletes: int
    places: Ids = field(default_factory=lambda: np.empty(0, np.int64), repr=False, compare=False)
    id: int | None = None
    note: str = ""

    @property
    def name(self) -> Name:
        """What makes it the same hold in the next run."""
        return self.code, self.scope, self.subject


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """
    ``passed`` is a mask over the plan; what it leaves out is in ``holds``, one per cause.

    ``used`` names the holds that would be there, had nobody approved exactly what they stop.
    """

    passed: Mask
    holds: tuple[Hold, ...]
    used: tuple[Name, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Matter:
    """
    A plan as one guard sees it.

    ``passed`` is what earlier guards let through; ``agreed`` is what a person has approved of that, and no
    guard may stop; ``open`` is the rest.
    """

    plan: Plan
    circumstances: Circumstances
    safety: SafetySettings
    passed: Mask
    agreed: Mask

    @property
    def open(self) -> Mask:
        """What may still be stopped."""
        return self.passed & ~self.agreed

    @property
    def deletes(self) -> Mask:
        """The deletes that may still be stopped."""
        deletes: Mask = self.open & (self.plan.action == Action.DELETE)
        return deletes

    def hold(self, which: Mask, code: str, scope: str, subject: str, text: str) -> Hold:
        """A hold of these changes."""
        places = np.flatnonzero(which).astype(np.int64)
        return Hold(
            code=code,
            scope=scope,
            subject=subject,
            text=text,
            changes=len(places),
            deletes=int(np.count_nonzero(self.plan.action[places] == Action.DELETE)),
            places=places,
        )


Guard = Callable[[Matter], Iterator[Hold]]
