"""What a guard has stopped at the end: an answer for who is paused, and for nobody else."""

import pytest
from tests.simulation.forging import ADA, NOON, Forged, state

STOPPED = {"institution": "north", "mailbox": ADA, "key": "lectures:l1", "code": "E-HOLD-MAILBOX"}
PAUSED = {"institution": "north", "mailbox": ADA, "kind": "paused"}


@pytest.mark.parametrize(
    ("suspended", "stopped", "found"),
    [
        ([PAUSED], [STOPPED], []),
        ([], [STOPPED], ["I3"]),
        ([PAUSED], [], ["I3"]),
        ([PAUSED], [STOPPED | {"key": "lectures:l2"}], ["I3"]),
        ([PAUSED | {"institution": "south"}], [STOPPED], ["I3"]),
    ],
    ids=["paused_and_held", "not_paused", "not_held", "another_held", "somebody_else_paused"],
)
def test_what_is_held_of_somebody_paused_waits(
    suspended: list[dict[str, str]], stopped: list[dict[str, str]], found: list[str]
) -> None:
    forged = Forged()
    forged.testimony["states"].append(state(NOON + 9))
    forged.testimony["final"] |= {"suspended": suspended, "stopped": stopped}
    assert sorted(forged.found()) == found
