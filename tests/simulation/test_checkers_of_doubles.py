"""What stands twice: only what the service made twice of one request, and left to a person event by event."""

import pytest
from tests.simulation.forging import NOON, Forged, marked


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
