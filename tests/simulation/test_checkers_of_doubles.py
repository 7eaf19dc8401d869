"""What stands twice, and what is taken for something else: the service doubles requests, owners copy events."""

import pytest
from tests.simulation.forging import NOON, Forged, marked, run, state


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
