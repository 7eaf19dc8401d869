"""What a run did is told whole, in however many deliveries."""

from collections import Counter

from classbell.deliver.charge import Tally
from classbell.model import Action, Became


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
