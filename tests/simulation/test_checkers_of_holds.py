"""What is held at the end: by a guard, an answer for who is paused; by what stands there, only for that very place."""

from typing import Any

import pytest
from tests.simulation.forging import ADA, NOON, STARTS, Forged, run, state

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


def deletes_what_is(
    forged: Forged, how: str, code: str = "E-HOLD-DELETES", action: str = "delete", **more: Any
) -> None:
    """A run holds a change of Ada's event, or leaves it rejected; and deletes it."""
    told = {how: [{"code": code, "listed": [[ADA, "lectures:l1", action]]}]}
    forged.testimony["runs"].append(run(NOON + 90, NOON + 99, **told, **more))
    forged.change("delete", "e1", at=NOON + 95)
    forged.asked("DELETE", NOON + 95)


@pytest.mark.parametrize("how", ["held", "rejected"])
@pytest.mark.parametrize(
    ("code", "action", "found"),
    [
        ("E-HOLD-DELETES", "delete", True),
        ("E-SRC-SHRUNK", "delete", True),
        ("E-HOLD-DELETES", "create", False),
        ("E-HOLD-DELETES", "update", False),
    ],
)
def test_what_is_held_or_rejected_is_not_done(how: str, code: str, action: str, *, found: bool) -> None:
    forged = Forged()
    deletes_what_is(forged, how, code, action)
    assert ("held" in forged.found()) is found


@pytest.mark.parametrize(("code", "found"), [("E-HOLD-CHANGES", True), ("E-SRC-SHRUNK", False)])
def test_of_a_source_that_is_held_goes_on_what_was_asked_for_before_but_for_deletions(
    code: str, *, found: bool
) -> None:
    forged = Forged()
    held = [{"code": code, "listed": [[ADA, "lectures:l1", "update"]]}]
    forged.testimony["runs"].append(run(NOON + 90, NOON + 99, held=held))
    forged.change("update", "e1", at=NOON + 95)
    forged.asked("PATCH", NOON + 95)
    assert ("held" in forged.found()) is found


@pytest.mark.parametrize(
    ("listed", "asked", "found"),
    [
        ([[ADA, "lectures:l1", "delete"]], NOON + 80, False),
        ([[ADA, "lectures:l1", "delete"]], NOON + 97, True),
        ([[ADA, "lectures:l1", "delete"]], NOON - 90_000, True),
        ([[ADA, "lectures:l2", "delete"]], NOON + 80, True),
        ([[ADA, "lectures:l1", "update"]], NOON + 80, True),
    ],
    ids=["approved", "too_late", "too_long_ago", "another_one", "another_change"],
)
def test_but_for_what_was_approved(listed: list[list[str]], asked: float, *, found: bool) -> None:
    forged = Forged()
    deletes_what_is(forged, "held")
    forged.decide("approval", asked, asked, mailbox="", deletes=[], listed=listed)
    assert ("held" in forged.found()) is found


@pytest.mark.parametrize(("key", "found"), [("lectures:l1", False), ("lectures:l2", True)])
def test_or_for_the_deletions_that_the_run_was_allowed(key: str, *, found: bool) -> None:
    forged = Forged()
    deletes_what_is(forged, "rejected", approved=5, agreed=[[ADA, key]])
    assert ("held" in forged.found()) is found


def test_and_what_an_earlier_run_was_allowed_it_is_not() -> None:
    forged = Forged()
    deletes_what_is(forged, "held")
    hers = [[ADA, "lectures:l1"]]
    forged.testimony["runs"].append(run(NOON + 80, NOON + 89, approved=5, agreed=hers))
    assert "held" in forged.found()


def test_what_another_run_beside_it_did_is_not_its_deed() -> None:
    forged = Forged()
    deletes_what_is(forged, "held")
    forged.testimony["runs"].append(run(NOON + 85, NOON + 98))
    assert "held" not in forged.found()
