"""Histories that reminded somebody, or whose owner had asked for that."""

from typing import Any

import pytest
from tests.simulation.forging import NOON, NORTH, SOUTH, WISHES, Forged


@pytest.mark.parametrize(("action", "found"), [("delete", False), ("update", True)])
def test_what_is_removed_reminds_nobody(action: str, *, found: bool) -> None:
    """A reminder that its owner, or whoever made it, had set."""
    forged = Forged()
    forged.change(action, "e1", at=NOON + 10, reminder=15)
    assert ("I8" in forged.found()) is found


@pytest.mark.parametrize("what", [{"reminder": 15}, {"online": True}])
def test_nobody_is_reminded_or_put_into_an_online_meeting(what: dict[str, Any]) -> None:
    for by, wrong in (("api:a-north", True), ("user", False)):
        forged = Forged()
        forged.change("update", "e1", by=by, at=NOON + 10, **what)
        assert ("I8" in forged.found()) is wrong


@pytest.mark.parametrize(
    ("policy", "before", "after", "wrong"),
    [("keep", 15, 15, False), ("restore", 15, 15, True), ("keep", 15, 10, True), ("keep", None, 15, True)],
)
def test_a_reminder_that_its_owner_has_set_may_stay_where_what_they_change_stays(
    policy: str, before: int | None, after: int, *, wrong: bool
) -> None:
    forged = Forged()
    forged.testimony["institutions"] = [NORTH | {"policies": WISHES | {"on_user_edit": policy}}, SOUTH]
    forged.change("update", "e1", by="user", at=NOON + 10, reminder=before)
    forged.change("update", "e1", title="l1 v2", at=NOON + 20, reminder=after)
    assert ("I8" in forged.found()) is wrong
