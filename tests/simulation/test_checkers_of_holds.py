"""What is held at the end: by a guard, an answer for who is paused; by what stands there, only for that very place."""

import pytest
from tests.simulation.forging import ADA, NOON, STARTS, Forged, state

STOPPED = {"institution": "north", "mailbox": ADA, "key": "lectures:l1", "code": "E-HOLD-MAILBOX"}
RESTORED = {"institution": "north", "mailbox": ADA, "key": "lectures:l1", "code": "E-CAL-STOPPED"}
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


@pytest.mark.parametrize(
    ("key", "mailbox", "later", "found"),
    [
        ("lectures:l9", ADA, 0, []),
        ("", ADA, 0, []),
        ("lectures:l1", ADA, 0, ["I3"]),
        ("lectures:l9", "grace@north.example", 0, ["I3"]),
        ("lectures:l9", ADA, 3600, ["I3"]),
    ],
    ids=["not_named_any_more", "of_no_meeting", "still_named", "somewhere_else", "at_another_time"],
)
def test_nothing_is_made_where_something_stands_that_may_be_it_under_another_key(
    key: str, mailbox: str, later: int, found: list[str]
) -> None:
    forged = Forged()
    forged.history.clear()
    told = {"institution": "north", "mailbox": mailbox, "key": key}
    times = {"start": STARTS + later, "end": STARTS + later + 3600}
    forged.testimony["final"]["beside"] = [told | times]
    assert sorted(forged.found()) == found


@pytest.mark.parametrize(
    ("deleted", "waiting", "found"),
    [
        (True, [RESTORED], False),
        (False, [RESTORED], True),
        (True, [], True),
        (True, [RESTORED | {"key": "lectures:l2"}], True),
        (True, [RESTORED | {"code": "E-MBX-404"}], True),
    ],
    ids=["stopped", "still_there", "not_told", "another_one_told", "for_another_reason"],
)
def test_what_is_put_back_waits_where_its_owner_has_deleted_the_calendar(
    waiting: list[dict[str, str]], *, deleted: bool, found: bool
) -> None:
    forged = Forged()
    forged.testimony["states"].append(state(NOON + 9))
    forged.change("delete", "e1", at=NOON + 20)
    if deleted:
        detail = {"action": "delete-calendar", "cause": "user", "calendar": "c"}
        forged.record("change", NOON + 30, app="", detail=detail)
    forged.testimony["final"]["restored"] = {"begin": len(forged.history), "waiting": waiting}
    assert ("I12" in forged.found()) is found
