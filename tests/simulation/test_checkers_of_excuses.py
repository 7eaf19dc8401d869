"""What excuses a product, and what does not: each excuse is as narrow as the rule that gives it."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.simulation.forging import (
    ADA,
    END,
    INSTALLATION,
    NOON,
    NORTH,
    SOUTH,
    STARTS,
    WISHES,
    Forged,
    marked,
    pair,
    run,
    state,
)

HERS = [[ADA, "lectures:l1"]]
LATER = NOON + 5000


def found(name: str, forge: Callable[[Forged], None]) -> bool:
    forged = Forged()
    forge(forged)
    return name in forged.found()


def double_taken_for_its_original(forged: Forged, *, heard: bool = False, lost: bool = False) -> None:
    """A copy is made at once, the original removed; a rebuild follows, and then the copy is written."""
    if heard:
        forged.asked("POST", NOON)
    forged.change("copy", "e2", by="user", copy_of="e1", at=NOON + 60)
    forged.change("delete", "e1", by="user", at=NOON + 700)
    if lost:
        forged.decide("loss", NOON + 800, NOON + 800, mailbox="", old=False)
    if heard:
        forged.testimony["runs"].append(run(NOON + 900, NOON + 950, kind="rebuild"))
    forged.change("update", "e2", at=LATER)


def test_a_double_may_be_taken_only_by_who_had_not_heard_of_its_original_or_has_lost_what_they_knew() -> None:
    assert not found("I1", double_taken_for_its_original)
    assert found("I1", lambda forged: double_taken_for_its_original(forged, heard=True))
    assert not found("I1", lambda forged: double_taken_for_its_original(forged, heard=True, lost=True))


@pytest.mark.parametrize(("status", "wrong"), [(404, False), (503, True)])
def test_or_by_a_rebuild_that_no_longer_knows_the_original_since_it_was_known_to_be_gone(
    status: int, *, wrong: bool
) -> None:
    forged = Forged()
    double_taken_for_its_original(forged, heard=True)
    asked = {"number": 0, "kind": "refusal", "at": NOON + 800, "method": "DELETE", "status": status}
    forged.history.append(forged.history[-1] | asked | {"path": f"/v1.0/users/{ADA}/events/e1", "detail": {}})
    assert ("I1" in forged.found()) is wrong


def test_an_event_holds_the_meeting_that_it_was_made_for() -> None:
    assert found("I1", lambda forged: forged.change("update", "e1", title="l2 v1"))


@pytest.mark.parametrize(
    ("by", "unconditional", "late", "wrong"),
    [
        ("user", False, False, True),
        ("user", True, False, False),
        ("api:a-north", True, False, True),
        ("api:a-north", True, True, False),
        ("api:a-north", False, True, True),
    ],
    ids=["theirs", "theirs_and_nobody_can_know", "ours", "ours_and_late", "late_in_spite_of_a_condition"],
)
def test_nothing_is_removed_from_deleted_items(
    by: str, *, unconditional: bool, late: bool, wrong: bool
) -> None:
    forged = Forged()
    forged.testimony["unconditional_deletes"] = unconditional
    forged.change("delete", "e1", by=by, at=NOON + 10)
    forged.asked("GET", NOON + 15)
    forged.change("purge", "e1", at=NOON + 20)
    if not late:
        forged.asked("DELETE", NOON + 20)
    assert ("I1" in forged.found()) is wrong


@pytest.mark.parametrize("unconditional", [True, False])
def test_what_the_service_does_twice_of_one_request_is_its_own_doing(*, unconditional: bool) -> None:
    forged = Forged()
    forged.testimony["unconditional_deletes"] = unconditional
    forged.change("delete", "e1", at=NOON + 10)
    forged.change("purge", "e1", at=NOON + 10)
    forged.asked("DELETE", NOON + 10, 502)
    assert ("I1" in forged.found()) is not unconditional


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("events?$top=100", True),
        ("calendarView?startDateTime=a", True),
        ("events?$filter=ClassbellMark", False),
        ("events/e1?$select=id", False),
        ("calendars?$top=100", False),
    ],
)
def test_a_question_for_events_names_our_mark_or_one_of_them(path: str, *, wrong: bool) -> None:
    forged = Forged()
    forged.record("request", NOON, method="GET", path=f"/v1.0/users/{ADA}/{path}", status=200)
    assert ("I1" in forged.found()) is wrong


@pytest.mark.parametrize("before", ["", "delete", "restore"])
def test_nothing_is_made_where_it_stands_even_if_one_of_both_goes_again(before: str) -> None:
    forged = Forged()
    if before:
        forged.change("delete", "e1", by="user", at=NOON + 10)
    if before == "restore":
        forged.change("restore", "e1", by="user", at=NOON + 20)
    forged.change("create", "e2", at=NOON + 500, mark=marked(incarnation=2, intent_at=NOON + 400))
    forged.change("delete", "e2", by="user", at=NOON + 600)
    assert ("I2" in forged.found()) is (not before)


def test_what_went_in_the_second_of_an_intent_did_not_stand_there() -> None:
    forged = Forged()
    forged.change("delete", "e1", by="user", at=NOON + 400.2)
    forged.change("create", "e2", at=NOON + 400.9, mark=marked(incarnation=2, intent_at=NOON + 400))
    assert "I2" not in forged.found()


def test_one_operation_is_of_one_meeting() -> None:
    other = marked(key="lectures:l2").replace("-lectures:l2-1/", "-lectures:l1-1/")
    assert found("I2", lambda forged: forged.change("create", "e2", title="l2 v1", mark=other))


@pytest.mark.parametrize(
    ("code", "wrong"), [("E-GRAPH-429", True), ("E-PAUSED", False), ("E-EVT-FOREIGN", False)]
)
def test_when_all_is_well_only_a_person_is_waited_for(code: str, *, wrong: bool) -> None:
    forged = Forged()
    waiting = {"institution": "north", "mailbox": ADA, "key": "lectures:l1", "state": "waiting", "code": code}
    forged.testimony["final"]["waiting"] = [waiting]
    assert ("I3" in forged.found()) is wrong


@pytest.mark.parametrize(
    ("forgotten", "method", "wrong"), [(True, "GET", False), (True, "POST", True), (False, "GET", True)]
)
def test_of_whom_nothing_is_known_any_more_a_rebuild_is_waited_for_and_looked_for(
    method: str, *, forgotten: bool, wrong: bool
) -> None:
    forged = Forged()
    waiting = {"institution": "north", "mailbox": ADA, "key": "lectures:l1", "state": "waiting"}
    forged.testimony["final"] |= {"waiting": [waiting | {"code": "E-LEDGER-LOST"}], "third_run": [1, 99]}
    if forgotten:
        forged.decide("forget", NOON + 100, NOON + 101, left=0)
        forged.decide("resume", NOON + 200, NOON + 201)
    forged.asked(method, END)
    assert bool(forged.found() & {"I3", "I5"}) is wrong


@pytest.mark.parametrize(
    ("mode", "heard", "back", "wrong"),
    [
        ("DELETE_ALL_EVENTS", True, False, True),
        ("CLEANUP", True, False, True),
        ("DELETE_ALL_EVENTS", False, False, False),
        ("DELETE_ALL_EVENTS", True, True, False),
        ("UNLINK_ONLY", True, False, False),
    ],
)
def test_what_was_to_go_with_who_left_is_gone(mode: str, *, heard: bool, back: bool, wrong: bool) -> None:
    forged = Forged()
    if heard:
        forged.asked("POST", NOON)
    events = [] if mode == "UNLINK_ONLY" else HERS
    forged.decide("unlink", NOON + 100, NOON + 101, mode=mode, deletes=len(events), events=events)
    if back:
        forged.decide("resume", NOON + 200, NOON + 201)
    assert ("I3" in forged.found()) is wrong


def calendar(forged: Forged, action: str, by: str, folder: int, name: str = "", at: float = NOON) -> None:
    detail = {
        "action": f"{action}-calendar",
        "cause": by,
        "calendar": f"c{folder}",
        "folder": folder,
        "name": name,
    }
    forged.record("change", at, app=by.partition(":")[2], detail=detail)


@pytest.mark.parametrize(
    ("by", "name", "folder", "wrong"),
    [
        ("api:a-north", "Classes", 300, False),
        ("user", "classes", 300, False),
        ("user", "Private", 300, True),
        ("user", "Classes", 0, True),
    ],
    ids=["ours", "theirs_of_that_name", "theirs_of_another", "default"],
)
def test_an_event_is_made_in_the_calendar_that_its_profile_names(
    by: str, name: str, folder: int, *, wrong: bool
) -> None:
    forged = Forged()
    forged.testimony["institutions"] = [NORTH | {"calendar": "Classes"}, SOUTH]
    forged.history.clear()
    calendar(forged, "create", by, 300, name)
    forged.change("create", "e1", folder=folder)
    assert ("I3" in forged.found()) is wrong


def test_where_the_default_calendar_is_meant_none_is_made() -> None:
    forged = Forged()
    calendar(forged, "create", "user", 300, "Classes")
    forged.change("create", "e2", folder=300, mark=marked(key="lectures:l2"), title="l2 v1")
    assert any("another calendar" in text for text in forged.told())


@pytest.mark.parametrize(
    ("used", "renamed", "lost", "wrong"),
    [
        (True, False, False, True),
        (True, True, False, True),
        (True, False, True, True),
        (True, True, True, False),
        (False, True, False, False),
    ],
)
def test_no_second_calendar_is_made_beside_ours(
    *, used: bool, renamed: bool, lost: bool, wrong: bool
) -> None:
    forged = Forged()
    calendar(forged, "create", "api:a-north", 300, "Classes")
    if used:
        forged.change("create", "e2", folder=300, mark=marked(key="lectures:l2"), title="l2 v1")
    if renamed:
        calendar(forged, "rename", "user", 300, "Mine", NOON + 5)
    if lost:
        forged.decide("loss", NOON + 9, NOON + 9, mailbox="", old=False)
    calendar(forged, "create", "api:a-north", 301, "Classes", LATER)
    assert any("second calendar" in text for text in forged.told()) is wrong
    calendar(forged, "delete", "user", 300, "Classes", LATER + 1)
    calendar(forged, "delete", "user", 301, "Classes", LATER + 1)
    before = len(forged.told())
    calendar(forged, "create", "api:a-north", 302, "Classes", LATER + 2)
    assert len(forged.told()) == before


@pytest.mark.parametrize(("left", "wrong"), [(1, False), (0, True)])
def test_what_was_left_with_somebody_who_was_forgotten_may_stay(left: int, *, wrong: bool) -> None:
    forged = Forged()
    forged.asked("POST", NOON)
    forged.decide("unlink", NOON + 100, NOON + 101, mode="CLEANUP", deletes=1, events=HERS)
    forged.decide("forget", NOON + 200, NOON + 201, left=left)
    assert ("I3" in forged.found()) is wrong


def test_with_unlink_only_nothing_is_counted_out() -> None:
    forged = Forged()
    forged.decide("unlink", NOON + 100, NOON + 101, mode="UNLINK_ONLY", deletes=1, events=HERS)
    assert "I13" in forged.found()


@pytest.mark.parametrize(
    ("policies", "read_back", "wrong"),
    [("restore", True, True), ("restore", False, False), ("keep", True, False)],
)
def test_what_was_read_back_is_put_right_where_it_is_to_be(
    policies: str, *, read_back: bool, wrong: bool
) -> None:
    forged = Forged()
    wishes = dict.fromkeys(WISHES, "restore") | {"on_user_edit": policies}
    forged.testimony["institutions"] = [NORTH | {"policies": wishes}, SOUTH]
    forged.testimony["final"] |= {"read_back": END - 9} if read_back else {}
    forged.change("update", "e1", by="user", at=NOON + 10, show_as="free")
    assert ("I3" in forged.found()) is wrong


@pytest.mark.parametrize("read", [True, False])
def test_what_a_source_left_out_once_is_not_deleted_after_a_whole_run_has_read_that_it_is_wanted(
    *, read: bool
) -> None:
    forged = Forged()
    forged.testimony["states"] += [state(NOON + 90), state(NOON + 100, pair(1))]
    if read:
        forged.testimony["runs"].append(run(NOON + 200, NOON + 210))
    forged.change("delete", "e1", at=LATER)
    assert ("I4" in forged.found()) is read


def test_an_event_that_came_back_is_not_deleted_again_for_what_was_said_before() -> None:
    forged = Forged()
    forged.testimony["states"] += [state(NOON + 90), state(NOON + 100, pair(1))]
    forged.change("delete", "e1", at=NOON + 95)
    forged.change("restore", "e1", by="user", at=NOON + 150)
    assert "I4" not in forged.found()
    forged.testimony["runs"].append(run(NOON + 200, NOON + 210))
    forged.change("delete", "e1", at=LATER)
    assert "I4" in forged.found()


def test_an_event_has_ended_when_its_last_version_has() -> None:
    forged = Forged()
    forged.change("update", "e1", title="l1 v2", at=NOON + 9, start=STARTS - 90_000, end=STARTS - 86_400)
    forged.asked("PATCH", NOON + 9)
    forged.change("update", "e1", title="l1 v3", at=NOON + 19, start=STARTS - 90_000, end=STARTS - 86_400)
    forged.asked("PATCH", NOON + 19)
    forged.testimony["states"].append(state(STARTS - 10_000))
    forged.testimony["runs"].append(run(STARTS - 5000, STARTS - 4990))
    forged.change("delete", "e1", at=STARTS - 4995)
    assert "I4" in forged.found()


@pytest.mark.parametrize(
    ("final", "method"), [({"bounds": 3}, ""), ({"third_run": [1, 99]}, "GET")], ids=["slow", "looks"]
)
def test_in_the_end_nothing_is_waited_for_or_looked_at(final: dict[str, Any], method: str) -> None:
    forged = Forged()
    forged.testimony["final"] |= final
    if method:
        forged.asked(method, END)
    assert "I5" in forged.found()


def test_nothing_is_marked_for_another_installation() -> None:
    other = marked(key="lectures:l2").replace(INSTALLATION, "aaaa", 1)
    assert found("I7", lambda forged: forged.change("create", "e2", title="l2 v1", mark=other))


def test_what_we_delete_can_be_restored() -> None:
    assert found("I12", lambda forged: forged.change("purge", "e1", at=LATER))


@pytest.mark.parametrize(("agreed", "wrong"), [([], True), (HERS, False)])
def test_only_who_was_shown_a_deletion_has_agreed_that_what_was_put_back_goes(
    agreed: list[list[str]], *, wrong: bool
) -> None:
    forged = Forged()
    forged.testimony["states"].append(state(NOON + 9))
    forged.change("delete", "e1", at=NOON + 20)
    forged.decide("restore", NOON + 90, NOON + 99, events=HERS)
    forged.change("create", "e2", at=NOON + 95, mark=marked(incarnation=2))
    forged.testimony["runs"].append(run(LATER, LATER + 9, approved=5, agreed=agreed))
    forged.change("delete", "e2", at=LATER + 5, mark=marked(incarnation=2))
    assert ("I12" in forged.found()) is wrong
