"""What a run found and what came of it: the review of a plan, and the report at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from classbell.deliver import Tally
from classbell.desired import Desired, MeetingKey
from classbell.errors import HeldError, SourceUnreachable, SourceUnusable
from classbell.guards import Circumstances, Hold, Verdict
from classbell.ledger import Accepted, Rekeyed, Waiting
from classbell.model import Became, ChangeState, Remark, Snapshot
from classbell.numbering import Numbering
from classbell.plan import Plan
from classbell.renderings import Renderings

# Holds of the whole plan.
HOLDING_ALL = frozenset({"E-HOLD-CONFIG", "E-HOLD-CHANGES"})
NO_CIRCUMSTANCES = Circumstances()
NOT_JUDGED = Verdict(passed=np.zeros(0, dtype=np.bool_), holds=())


@dataclass(frozen=True, kw_only=True)
class Review:
    """
    A finished plan with the verdict on it, and what it was made from.

    ``plan`` is everything that differs; ``passed`` what the guards let through, judging by ``circumstances``. ``failures``
    are the sources that could not be read, ``failed`` their names: nothing of theirs is in the plan. ``withdrawn`` are
    sources that we delivered from and that nobody gets any more. ``basis`` is the run that was the newest when it was
    made. ``saved`` is the name of the saved plan that it was read from, ``digest`` that plan's: ``desired`` then names
    no pair, and ``saved_served`` is how many mailboxes it named when that plan was made.
    ``rekeys`` are meetings that only have other keys than before: the plan knows them by these.
    """

    now: float
    snapshots: tuple[Snapshot, ...]
    failures: tuple[SourceUnusable | SourceUnreachable, ...]
    remarks: tuple[Remark, ...]
    desired: Desired
    plan: Plan
    verdict: Verdict = NOT_JUDGED
    circumstances: Circumstances = NO_CIRCUMSTANCES
    meetings: Numbering[MeetingKey]
    mailboxes: Numbering[str]
    renderings: Renderings
    withdrawn: tuple[str, ...] = ()
    only: int | None = None
    basis: int = 0
    rekeys: tuple[Rekeyed, ...] = ()
    failed: tuple[str, ...] = ()
    wanted_again: frozenset[tuple[int, int]] = frozenset()
    saved: str = ""
    digest: str = ""
    saved_served: int = 0

    @property
    def served(self) -> int:
        """How many mailboxes timetables name, whether or not anything changes there."""
        return self.saved_served if self.saved else len(self.desired.mailboxes)

    @property
    def passed(self) -> Plan:
        """The part of the plan that may be delivered."""
        return self.plan.chosen(self.verdict.passed)


@dataclass(frozen=True, kw_only=True)
class Report:
    """How a run ended. ``waiting`` counts all open changes of the institution, or of the one person it was for."""

    tally: Tally
    holds: tuple[Hold, ...]
    failures: tuple[SourceUnusable | SourceUnreachable, ...]
    waiting: tuple[Waiting, ...]
    exit_code: int
    seconds: float = 0.0
    remarks: tuple[Remark, ...] = field(default=())

    def changed_nothing(self, review: Review, *, decided: bool) -> bool:
        """
        Whether a plan that was saved before this run is as good as it was: nothing was changed, sent or *decided*.

        One that read everything and found nothing to do has seen that what such a plan wants is wanted no more.
        """
        saw_all = review.only is None and not review.verdict.holds and not review.failures
        changed = decided or len(review.passed) > 0 or len(applicable_rekeys(review)) > 0
        return not (saw_all or changed or self.tally.batches)


def held_sources(review: Review) -> frozenset[str]:
    """The sources of which nothing may be applied."""
    return frozenset(hold.subject for hold in review.verdict.holds if hold.scope == "source")


def applicable_rekeys(review: Review) -> tuple[Rekeyed, ...]:
    """The meetings that get their new keys: all but those of which nothing may be applied."""
    held = held_sources(review)
    if any(hold.code in HOLDING_ALL for hold in review.verdict.holds):
        return ()
    return tuple(one for one in review.rekeys if one.source not in held)


def accepted_of(review: Review) -> Accepted:
    """What a run accepts of a plan, but for what is to be known of the run itself."""
    return Accepted(
        plan=review.passed,
        calendars=review.desired.slots.calendars,
        fresh_mailboxes={key: key for key in review.mailboxes.fresh},
        fresh_meetings=list(review.meetings.fresh),
        renderings=review.renderings.fresh,
        # Of a held source nothing is applied. What its last good read asked for stays open, but for deletes.
        sources_read=frozenset(s.source for s in review.snapshots).union(review.withdrawn)
        - held_sources(review),
        unread=frozenset((review.desired.sources[at], box) for at, box in review.desired.unread),
        wanted_again=review.wanted_again,
        only=review.only,
        basis=review.basis,
        rekeys=applicable_rekeys(review),
        saved_plan=review.digest,
    )


def needs_a_person(waiting: Waiting) -> bool:
    """Whether these open changes end only if somebody decides or does something about them."""
    return waiting.state is ChangeState.HELD or waiting.code == "E-LEDGER-LOST"


def paused(plan: str, institution: str, reason: str) -> HeldError:
    """That a saved plan is not even begun: it stays as good as it was."""
    return HeldError(
        "E-PAUSED",
        f"The plan {plan} is not carried out: {institution} is paused.",
        why=reason,
        do=f"classbell resume -i {institution}, then apply the plan again",
        effect="no calendar was changed",
    )


# What waits because people want it so: that is no disturbance.
AS_WANTED = frozenset({"E-PAUSED", "E-UNLINKED", "E-CAL-STOPPED"})


def exit_code_of(review: Review, tally: Tally, waiting: Sequence[Waiting]) -> int:
    """What a script may conclude from a run: 4 before 5 before 3."""
    if tally.interrupted:
        return 130
    codes = [failure.exit_code for failure in review.failures]
    if review.verdict.holds or any(needs_a_person(w) for w in waiting):
        codes.append(HeldError.exit_code)
    unread = any(snapshot.coverage.unread for snapshot in review.snapshots)
    if unread or any(not needs_a_person(w) and w.code not in AS_WANTED for w in waiting):
        codes.append(3)
    return next((code for code in (4, 5, 3) if code in codes), 0)


def summary_of(report: Report) -> dict[str, object]:
    """The counts that the ledger keeps of a run."""
    return {
        "done": {action.name.lower(): count for action, count in report.tally.done.items()},
        "held": report.tally.left[Became.HELD],
        "refused": report.tally.refused,
        "batches": report.tally.batches,
        "holds": [hold.code for hold in report.holds],
        "failures": [failure.code for failure in report.failures],
        "seconds": round(report.seconds, 3),
    }
