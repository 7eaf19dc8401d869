"""Whose meetings are: told by their numbers."""

import numpy as np
import pytest

from classbell.errors import LeaseHeld
from classbell.reach import source_places

KNOWN = {("exams", "e1"): 1, ("lectures", "l1"): 2, ("old", "o1"): 4}


def test_of_each_meeting_the_place_of_its_source_is_told() -> None:
    places = source_places(KNOWN, ("lectures", "exams"))
    assert places(np.array([1, 2, 4])).tolist() == [1, 0, -1]
    assert places(np.array([], dtype=np.int64)).tolist() == []


def test_a_meeting_that_another_process_has_entered_meanwhile_ends_the_plan_in_words() -> None:
    places = source_places(KNOWN, ("lectures",))
    with pytest.raises(LeaseHeld, match="accepted while"):
        places(np.array([2, 5]))
