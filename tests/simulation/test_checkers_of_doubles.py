"""What stands twice, and what is taken for something else: the service doubles requests, owners copy events."""

import pytest
from tests.simulation.forging import ADA, NOON, Forged, marked, run, state


@pytest.mark.parametrize(
    ("left", "wrong"),
    [(["e1", "e2", "e3"], False), (["e2", "e3"], False), (["e2"], True), ([], True)],
    ids=["all", "all_but_ours", "one_of_three", "none"],
)
def test_what_one_request_made_is_left_to_a_person_event_by_event(left: list[str], *, wrong: bool) -> None:
    forged = Forged()
    forged.change("create", "e2")
    forged.change("create", "e3")
    forged.testimony["final"]["left_to_people"] = left
    assert ("I2" in forged.found()) is wrong


def test_what_two_requests_made_is_a_duplicate_whoever_is_asked() -> None:
    forged = Forged()
    forged.change("create", "e2", at=NOON + 5, mark=marked(incarnation=2, intent_at=NOON + 4))
    forged.testimony["final"]["left_to_people"] = ["e1", "e2"]
    assert "I2" in forged.found()


@pytest.mark.parametrize(
    ("status", "later", "wrong"),
    [(504, 599, True), (0, 599, True), (504, 601, False), (429, 30, False)],
    ids=["broken", "unanswered", "after_the_bound", "refused"],
)
def test_a_calendar_that_was_perhaps_made_is_not_asked_for_again_too_soon(
    status: int, later: float, *, wrong: bool
) -> None:
    forged = Forged()
    path = f"/v1.0/users/{ADA}/calendars"
    forged.record("refusal", NOON + 1, method="POST", path=path, status=status)
    forged.record("request", NOON + 1 + later, method="POST", path=path, status=201)
    assert ("I2" in forged.found()) is wrong


@pytest.mark.parametrize("why", ["made", "lost"])
def test_a_calendar_is_asked_for_again_where_it_was_found_or_the_ledger_was_lost(why: str) -> None:
    forged = Forged()
    path = f"/v1.0/users/{ADA}/calendars"
    forged.record("refusal", NOON + 1, method="POST", path=path, status=504)
    if why == "made":
        forged.change("create-calendar", "", at=NOON + 2, name="Timetable", folder=2)
    else:
        forged.decide("loss", NOON + 2, NOON + 2)
    forged.record("request", NOON + 9, method="POST", path=path, status=201)
    assert "I2" not in forged.found()


@pytest.mark.parametrize(
    ("copied", "rebuilt", "wrong"),
    [(NOON + 60, True, False), (NOON + 60, False, True), (NOON + 700, True, True)],
    ids=["soon", "but_nothing_was_rebuilt", "late"],
)
def test_nothing_is_to_be_put_back_where_a_rebuild_may_take_a_copy_for_what_we_deleted(
    copied: float, *, rebuilt: bool, wrong: bool
) -> None:
    forged = Forged()
    forged.asked("POST", NOON)
    forged.change("copy", "e2", by="user", copy_of="e1", at=copied)
    forged.testimony["states"].append(state(NOON + 750))
    forged.change("delete", "e1", at=NOON + 800)
    forged.asked("DELETE", NOON + 800, 204)
    if rebuilt:
        forged.testimony["runs"].append(run(NOON + 900, NOON + 950, kind="rebuild"))
    forged.asked("GET", NOON + 960)
    forged.testimony["final"]["restored"] = {"begin": len(forged.history), "waiting": []}
    assert ("I12" in forged.found()) is wrong
