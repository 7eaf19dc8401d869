"""What a run did is told whole, in however many deliveries."""

from collections import Counter

import pytest

from classbell.deliver.charge import Charge, Tally
from classbell.model import Action, Became, Change, ChangeState, Mailbox, Outcome, Reason


def test_what_a_probe_did_counts_with_what_came_after_it() -> None:
    probe = Tally(
        done=Counter({Action.CREATE: 2}),
        left=Counter({Became.HELD: 1}),
        refused=1,
        batches=3,
        failing={7: "E"},
    )
    rest = Tally(
        done=Counter({Action.CREATE: 1, Action.DELETE: 4}), left=Counter({Became.HELD: 2}), batches=5
    )
    rest.include(probe)
    assert rest.done == {Action.CREATE: 3, Action.DELETE: 4}
    assert (rest.left[Became.HELD], rest.refused, rest.batches) == (3, 1, 8)
    # What failed there is tried again by the rest, and judged by that.
    assert rest.failing == {}


@pytest.mark.parametrize(
    ("code", "fails"),
    [("E-GRAPH-429", False), ("E-GRAPH-BUSY", False), ("E-UNKNOWN-ABSENT", False), ("E-EVT-REJECTED", True)],
)
def test_to_be_asked_for_patience_or_told_of_a_loss_is_no_failure(code: str, *, fails: bool) -> None:
    change = Change(
        id=7,
        mailbox=Mailbox(id=1, key="ada", address="ada"),
        meeting_id=1,
        meeting_key="s:1",
        action=Action.CREATE,
        reason=Reason.JOINED,
        state=ChangeState.UNKNOWN,
        fingerprint=1,
        starts_at=0,
        ends_at=1,
        incarnation=1,
        operation="o",
    )
    tally = Tally()
    tally.add([Outcome(change=change, became=Became.WAITING, code=code)])
    assert (tally.failing == {7: code}) is fails


def test_mailboxes_that_cannot_be_prepared_are_judged_by_those_that_can() -> None:
    charge = Charge(
        installation="i", institution="u", revision=1, bound=600.0, fail_percent=40.0, min_failures=3
    )
    tally = Tally(unready=dict.fromkeys(range(3), "E-EVT-REJECTED"), failing={9: "E-MBX-404"})
    assert tally.too_many(charge)
    assert tally.failed == {"E-EVT-REJECTED": 3, "E-MBX-404": 1}
    # Long before anything is written in any of them.
    tally.prepare(range(10, 15))
    assert not tally.too_many(charge)
    tally.prepare([0])
    assert tally.unready == {1: "E-EVT-REJECTED", 2: "E-EVT-REJECTED"}
