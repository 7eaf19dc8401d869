"""Which answers count as heard: only who heard what became of an update knows what was deleted."""

import pytest
from tests.simulation.forging import ADA, END, NOON, Forged, marked, pair, run, state

LATER = NOON + 900


def update_whose_outcome(forged: Forged) -> None:
    """A second version is written, at once or long after its request was given up."""
    forged.asked("POST", NOON)
    forged.testimony["states"].append(state(NOON + 1, pair(2)))
    forged.change("update", "e1", title="l1 v2", at=LATER)


def made_again(forged: Forged) -> bool:
    """Ada deletes the second version; whether it counts as a wrong that she gets it again."""
    forged.change("delete", "e1", by="user", title="l1 v2", at=LATER + 100)
    forged.change("create", "e2", title="l1 v2", at=LATER + 200, mark=marked(incarnation=2))
    return "I13" in forged.found()


def test_what_was_answered_at_once_was_heard() -> None:
    forged = Forged()
    update_whose_outcome(forged)
    forged.asked("PATCH", LATER)
    assert made_again(forged)


@pytest.mark.parametrize(("by", "found"), [("api:a-north", False), ("user", True)], ids=["ours", "theirs"])
def test_what_its_owner_took_back_and_removed_again_counts_unless_we_had_removed_it(
    by: str, *, found: bool
) -> None:
    forged = Forged()
    forged.asked("POST", NOON)
    forged.change("delete", "e1", by=by, at=NOON + 10)
    forged.asked("DELETE" if by != "user" else "GET", NOON + 10)
    forged.change("restore", "e1", by="user", at=NOON + 20)
    forged.change("delete", "e1", by="user", at=NOON + 30)
    forged.change("create", "e2", at=NOON + 40, mark=marked(incarnation=2))
    assert ("I13" in forged.found()) is found


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/t-north/oauth2/v2.0/token"),
        ("PATCH", f"/v1.0/users/{ADA}/events/e9"),
        ("PATCH", "/v1.0/users/grace@north.example/events/e1"),
        ("GET", f"/v1.0/users/{ADA}/events/e1"),
    ],
)
def test_what_came_late_was_answered_to_nobody_whatever_is_answered_next(method: str, path: str) -> None:
    forged = Forged()
    update_whose_outcome(forged)
    forged.record("request", LATER + 9, method=method, path=path, status=200)
    assert not made_again(forged)


@pytest.mark.parametrize(
    ("status", "title", "found"), [(503, "l1 v2", False), (412, "l1 v2", True), (503, "l1 v0", True)]
)
def test_what_comes_back_newer_than_it_was_deleted_is_right_after_an_update_that_nobody_heard_of(
    status: int, title: str, *, found: bool
) -> None:
    forged = Forged()
    forged.testimony["states"].append(state(NOON + 9))
    forged.asked("PATCH", NOON + 10, status)
    forged.change("delete", "e1", at=NOON + 20)
    forged.testimony["final"]["restored"] = {"begin": len(forged.history), "waiting": []}
    forged.change("create", "e2", at=END, title=title, content="another", mark=marked(incarnation=2))
    assert ("I12" in forged.found()) is found


@pytest.mark.parametrize(
    ("status", "title", "found"),
    [(500, "l1 v1", False), (500, "l1 v2", False), (200, "l1 v1", True), (500, "l1 v0", True)],
)
def test_it_comes_back_as_it_was_known_before_an_update_that_went_through_and_nobody_heard_of(
    status: int, title: str, *, found: bool
) -> None:
    forged = Forged()
    forged.asked("POST", NOON)
    forged.testimony["states"] += [state(NOON + 5, pair(2)), state(NOON + 15)]
    forged.change("update", "e1", title="l1 v2", at=NOON + 10, content="l1 v2")
    forged.asked("PATCH", NOON + 10, status)
    forged.change("delete", "e1", title="l1 v2", at=NOON + 20)
    forged.testimony["final"]["restored"] = {"begin": len(forged.history), "waiting": []}
    content = {"l1 v1": ""}.get(title, title)
    forged.change("create", "e2", at=END, title=title, content=content, mark=marked(incarnation=2))
    assert ("I12" in forged.found()) is found


@pytest.mark.parametrize(
    ("outcome", "ended", "title", "found"),
    [
        ("", NOON + 15, "l1 v2", False),
        ("0", NOON + 15, "l1 v2", True),
        ("", NOON + 7, "l1 v2", True),
        ("", NOON + 25, "l1 v2", True),
        ("", NOON + 15, "l1 v3", True),
    ],
    ids=["died", "ended_well", "died_before_it_was_wanted", "died_since", "nobody_wanted_that"],
)
def test_what_comes_back_may_be_newer_if_a_process_died_that_may_have_been_about_to_write_that(
    outcome: str, ended: float, title: str, *, found: bool
) -> None:
    forged = Forged()
    forged.testimony["states"] += [state(NOON + 9, pair(2)), state(NOON + 16)]
    forged.testimony["runs"].append(run(NOON + 5, ended, outcome=outcome))
    forged.change("delete", "e1", at=NOON + 20)
    forged.testimony["final"]["restored"] = {"begin": len(forged.history), "waiting": []}
    forged.change("create", "e2", at=END, title=title, content="another", mark=marked(incarnation=2))
    assert ("I12" in forged.found()) is found
