"""Every checker finds the bad histories that are forged for it, and has nothing to say of a good one."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.simulation.checkers import CHECKERS, judged
from tests.simulation.checkers.reading import SEND_WITHIN
from tests.simulation.forging import ADA, END, NOON, SOUTH_ADA, STARTS, Forged, marked, pair, run, state


def writes_to_a_copy(forged: Forged) -> None:
    forged.change("copy", "e2", by="user", copy_of="e1")
    forged.change("update", "e2")


def writes_to_a_copy_that_was_made_too_late(forged: Forged) -> None:
    forged.change("copy", "e2", by="user", copy_of="e1", at=NOON + 700)
    forged.change("delete", "e1", by="user", at=NOON + 701)
    forged.change("update", "e2", at=NOON + 5000)


def writes_to_a_copy_whose_original_was_there_in_the_rebuild(forged: Forged) -> None:
    forged.change("copy", "e2", by="user", copy_of="e1", at=NOON + 60)
    forged.change("update", "e1", at=NOON + 70)
    forged.testimony["runs"].append(run(NOON + 80, NOON + 90, kind="rebuild"))
    forged.change("delete", "e1", by="user", at=NOON + 700)
    forged.change("update", "e2", at=NOON + 5000)


def deletes_an_event_of_others(forged: Forged) -> None:
    forged.change("create", "e2", by="user", mark=None, title="dentist")
    forged.change("delete", "e2", mark=None, title="dentist")


def renames_a_calendar(forged: Forged) -> None:
    detail = {"action": "rename-calendar", "cause": "api:a-north", "calendar": "c"}
    forged.record("change", NOON, detail=detail)


def reads_what_bears_no_mark(forged: Forged) -> None:
    forged.change("create", "e2", by="user", mark=None, title="dentist")
    forged.asked("GET", NOON, events=["e2"])


def makes_an_event_twice(forged: Forged) -> None:
    forged.change("create", "e2", at=NOON + 5)


def never_delivers(forged: Forged) -> None:
    forged.testimony["states"].append(state(NOON + 9, pair(1), pair(1) | {"key": "lectures:l2"}))


def delivers_an_old_state(forged: Forged) -> None:
    forged.testimony["states"].append(state(NOON + 9, pair(2)))


def leaves_what_nobody_wants(forged: Forged) -> None:
    forged.testimony["states"].append(state(NOON + 9))


def waits_without_a_reason(forged: Forged) -> None:
    waiting = {"institution": "north", "mailbox": ADA, "key": "lectures:l1", "state": "waiting", "code": ""}
    forged.testimony["final"]["waiting"] = [waiting]


def deletes_for_an_unreadable_file(forged: Forged) -> None:
    forged.testimony["states"] += [state(NOON + 9, good=False, readable=False), state(END, pair(1))]
    forged.change("delete", "e1", at=NOON + 20)
    forged.change("create", "e2", at=END)


def deletes_much_for_a_shrunk_file(forged: Forged) -> None:
    pairs = [pair(1) | {"key": f"lectures:l{number}"} for number in range(2, 12)]
    forged.testimony["states"] = [state(NOON - 9, *pairs), state(NOON + 9, pair(1), good=False)]
    for number in range(2, 12):
        forged.change("create", f"e{number}", mark=marked(key=f"lectures:l{number}"))
    for number in range(2, 12):
        forged.change("delete", f"e{number}", at=NOON + 20, mark=marked(key=f"lectures:l{number}"))
    forged.testimony["states"].append(state(END, pair(1)))


def deletes_what_had_ended(forged: Forged) -> None:
    forged.testimony["states"].append(state(NOON + 9))
    forged.testimony["runs"].append(run(STARTS + 9000, STARTS + 9010))
    forged.change("delete", "e1", at=STARTS + 9001.0)


def deletes_what_had_ended_when_it_was_left_out(forged: Forged) -> None:
    """A run had died before, but then the class was still to be."""
    forged.testimony["runs"] += [run(NOON + 90, NOON + 91, outcome=""), run(STARTS + 9000, STARTS + 9010)]
    forged.testimony["states"].append(state(STARTS + 8000))
    forged.change("delete", "e1", at=STARTS + 9001.0)


def writes_in_the_third_run(forged: Forged) -> None:
    forged.testimony["final"]["third_run"] = [len(forged.history), 10_000]
    forged.asked("PATCH", END)


def never_comes_to_rest(forged: Forged) -> None:
    forged.testimony["final"] = {}


def asks_another_tenant(forged: Forged) -> None:
    forged.record("request", NOON, app="a-south", method="GET", path="/v1.0/users/x/calendars", status=200)


def asks_for_anothers_mailbox(forged: Forged) -> None:
    forged.record("refusal", NOON, method="GET", path=f"/v1.0/users/{SOUTH_ADA}/calendars", status=404)


def delivers_to_the_wrong_mailbox(forged: Forged) -> None:
    forged.change("create", "e2", mark=marked(mailbox="grace@north.example", key="lectures:l2"))


def marks_for_another_institution(forged: Forged) -> None:
    forged.change("create", "e2", mark=marked("south", key="lectures:l2"))


def invites(forged: Forged) -> None:
    forged.change("update", "e1", attendees=2)


def lets_a_mail_go_out(forged: Forged) -> None:
    forged.testimony["mails"] = ["user", "api:a-north"]


def puts_an_older_state_over_a_newer_one(forged: Forged) -> None:
    forged.testimony["states"] += [state(NOON + 1, pair(2)), state(NOON + 9, pair(1))]
    forged.change("update", "e1", title="l1 v2", at=NOON + 5)
    forged.change("update", "e1", title="l1 v1", at=NOON + 6)


def sends_while_it_only_looks(forged: Forged) -> None:
    forged.testimony["runs"].append(run(NOON, NOON, kind="plan", requests=1))


def writes_while_it_only_reads(forged: Forged) -> None:
    forged.testimony["runs"].append(run(NOON, NOON, kind="verify", requests=3, writes=1))


def asks_again_too_early(forged: Forged) -> None:
    forged.asked("PATCH", NOON, 429, retry_after="30")
    forged.asked("PATCH", NOON + 25, 200)


def crowds_a_mailbox(forged: Forged) -> None:
    for _ in range(4):
        forged.asked("PATCH", NOON + 2, arrived=NOON + 1)


def ends_by_surprise(forged: Forged) -> None:
    forged.testimony["surprises"] = ["sync#1: KeyError('x')"]


def writes_to_somebody_who_is_paused(forged: Forged) -> None:
    forged.decide("pause", NOON + 10, NOON + 11)
    forged.asked("PATCH", NOON + 200)


def makes_an_event_for_somebody_who_has_left(forged: Forged) -> None:
    forged.decide("unlink", NOON + 10, NOON + 11, mode="UNLINK_ONLY", deletes=0, events=[])
    forged.asked("POST", NOON + 200)


def deletes_more_than_leaving_approved(forged: Forged) -> None:
    forged.decide("unlink", NOON + 10, NOON + 11, mode="DELETE_ALL_EVENTS", deletes=0, events=[])
    forged.change("delete", "e1", at=NOON + 2000)


def deletes_what_had_begun_when_its_owner_left(forged: Forged) -> None:
    hers = [[ADA, "lectures:l1"]]
    forged.decide("unlink", STARTS + 1000, STARTS + 1001, mode="DELETE_FUTURE_EVENTS", deletes=1, events=hers)
    forged.change("delete", "e1", at=STARTS + 3000)


def makes_again_what_its_owner_deleted(forged: Forged) -> None:
    forged.asked("POST", NOON)
    forged.change("delete", "e1", by="user", at=NOON + 10)
    forged.change("create", "e2", at=NOON + 20, mark=marked(incarnation=2))


def deletes_more_than_was_approved(forged: Forged) -> None:
    pairs = [pair(1) | {"key": f"lectures:l{number}"} for number in range(2, 12)]
    forged.testimony["states"] = [state(NOON - 9, *pairs), state(NOON + 9, pair(1), good=False)]
    forged.decide("approval", NOON + 10, NOON + 11, deletes=[[ADA, "lectures:l2"]])
    for number in range(2, 12):
        forged.change("create", f"e{number}", mark=marked(key=f"lectures:l{number}"))
    for number in range(2, 12):
        forged.change("delete", f"e{number}", at=NOON + 20, mark=marked(key=f"lectures:l{number}"))
    forged.testimony["states"].append(state(END, pair(1)))


def deletes_more_within_a_day_than_the_limit(forged: Forged) -> None:
    """A good state has left them out, and a run each would have been allowed to delete a few."""
    forged.testimony["states"].append(state(NOON + 9, pair(1)))
    for number in range(2, 8):
        forged.change("create", f"e{number}", mark=marked(key=f"lectures:l{number}"))
    for number in range(2, 8):
        at = NOON + 3600.0 * number
        forged.change("delete", f"e{number}", at=at, mark=marked(key=f"lectures:l{number}"))


def does_what_is_not_in_its_plan(forged: Forged) -> None:
    forged.testimony["runs"].append(run(NOON + 90, NOON + 99, kind="apply", digest="d", plan=[]))
    forged.change("update", "e1", at=NOON + 95)
    forged.asked("PATCH", NOON + 95)


def does_what_it_holds(forged: Forged) -> None:
    held = [{"code": "E-HOLD-DAY", "listed": [[ADA, "lectures:l1", "delete"]]}]
    forged.testimony["runs"].append(run(NOON + 90, NOON + 99, held=held))
    forged.change("delete", "e1", at=NOON + 95)
    forged.asked("DELETE", NOON + 95)


def carries_out_a_plan_twice(forged: Forged) -> None:
    for begin in (NOON + 90, NOON + 190):
        forged.testimony["runs"].append(run(begin, begin + 9, kind="apply", digest="d", plan=[]))


def cannot_put_back_what_it_deleted(forged: Forged) -> None:
    forged.testimony["states"].append(state(NOON + 9))
    forged.change("delete", "e1", at=NOON + 20)
    forged.testimony["final"]["restored"] = {"begin": len(forged.history), "waiting": []}


def puts_back_something_else(forged: Forged) -> None:
    cannot_put_back_what_it_deleted(forged)
    forged.change("create", "e2", at=END, content="another", mark=marked(incarnation=2))


def deletes_again_what_was_put_back(forged: Forged) -> None:
    forged.testimony["states"].append(state(NOON + 9))
    forged.change("delete", "e1", at=NOON + 20)
    forged.decide("restore", NOON + 90, NOON + 99, events=[[ADA, "lectures:l1"]])
    forged.change("create", "e2", at=NOON + 95, mark=marked(incarnation=2))
    forged.change("delete", "e2", at=END, mark=marked(incarnation=2))


def moves_back_what_its_owner_moved(forged: Forged) -> None:
    forged.testimony["states"].append(state(NOON + 15, pair(2)))
    forged.change("update", "e1", by="user", at=NOON + 10, start=STARTS + 60, end=STARTS + 3660)
    forged.change("update", "e1", title="l1 v2", at=NOON + 20)


def shows_as_busy_what_its_owner_made_free(forged: Forged) -> None:
    forged.change("update", "e1", by="user", at=NOON + 10, show_as="free")
    forged.change("update", "e1", title="l1 v2", at=NOON + 20)


def makes_a_calendar_again_that_was_to_stop_it(forged: Forged) -> None:
    forged.change("delete", "e1", by="user", at=NOON + 10)
    for action, cause, at in (("delete", "user", NOON + 10), ("create", "api:a-north", NOON + 20)):
        detail = {"action": f"{action}-calendar", "cause": cause, "calendar": "c"}
        forged.record("change", at, app=cause.partition(":")[2], detail=detail)


BAD: list[tuple[str, Callable[[Forged], None]]] = [
    ("I1", writes_to_a_copy),
    ("I1", writes_to_a_copy_that_was_made_too_late),
    ("I1", writes_to_a_copy_whose_original_was_there_in_the_rebuild),
    ("I1", deletes_an_event_of_others),
    ("I1", renames_a_calendar),
    ("I1", reads_what_bears_no_mark),
    ("I2", makes_an_event_twice),
    ("I3", never_delivers),
    ("I3", delivers_an_old_state),
    ("I3", leaves_what_nobody_wants),
    ("I3", waits_without_a_reason),
    ("I4", deletes_for_an_unreadable_file),
    ("I4", deletes_much_for_a_shrunk_file),
    ("I4", deletes_what_had_ended),
    ("I4", deletes_more_than_was_approved),
    ("I4", deletes_more_within_a_day_than_the_limit),
    ("I5", writes_in_the_third_run),
    ("I5", never_comes_to_rest),
    ("I7", asks_another_tenant),
    ("I7", asks_for_anothers_mailbox),
    ("I7", delivers_to_the_wrong_mailbox),
    ("I7", marks_for_another_institution),
    ("I8", invites),
    ("I8", lets_a_mail_go_out),
    ("I9", puts_an_older_state_over_a_newer_one),
    ("I10", sends_while_it_only_looks),
    ("I10", writes_while_it_only_reads),
    ("I10", does_what_is_not_in_its_plan),
    ("I10", carries_out_a_plan_twice),
    ("I12", cannot_put_back_what_it_deleted),
    ("I12", puts_back_something_else),
    ("I12", deletes_again_what_was_put_back),
    ("I13", writes_to_somebody_who_is_paused),
    ("I13", makes_an_event_for_somebody_who_has_left),
    ("I13", deletes_more_than_leaving_approved),
    ("I13", deletes_what_had_begun_when_its_owner_left),
    ("I13", makes_again_what_its_owner_deleted),
    ("I13", moves_back_what_its_owner_moved),
    ("I13", shows_as_busy_what_its_owner_made_free),
    ("I13", makes_a_calendar_again_that_was_to_stop_it),
    ("I14", asks_again_too_early),
    ("I14", crowds_a_mailbox),
    ("held", does_what_it_holds),
    ("surprise", ends_by_surprise),
]


def test_of_a_good_history_no_checker_has_anything_to_say() -> None:
    forged = Forged()
    forged.change("create", "e2", by="user", mark=None, title="dentist")
    forged.change("copy", "e3", by="user", copy_of="e1")
    forged.change("update", "e1", by="user", title="mine 3")
    forged.asked("PATCH", NOON, 429, retry_after="30")
    forged.asked("PATCH", NOON + 31)
    assert judged(forged.history, forged.testimony) == []


@pytest.mark.parametrize("how", [{"action": "copy", "copy_of": "e1"}, {"action": "create"}])
def test_a_double_that_nobody_could_tell_from_its_original_is_the_documented_exception(
    how: dict[str, str],
) -> None:
    forged = Forged()
    forged.change(event="e2", by="user", at=NOON + 5, **how)
    forged.change("delete", "e1", by="user", at=NOON + 9)
    forged.change("update", "e2", at=NOON + 5000, title="l1 v2")
    forged.testimony["states"].append(state(NOON + 20, pair(2)))
    assert not forged.found() & {"I1", "I3"}


@pytest.mark.parametrize(
    ("state", "code", "found"),
    [
        ("held", "E-MARK-SEVERAL", False),
        ("unknown", "E-PAUSED", False),
        ("pending", "E-PAUSED", True),
        ("unknown", "E-GRAPH-5XX", True),
    ],
)
def test_where_the_service_made_two_of_one_request_a_person_is_asked_or_a_pause_put_it_off(
    state: str, code: str, *, found: bool
) -> None:
    forged = Forged()
    forged.change("create", "e2")
    pair = {"institution": "north", "mailbox": ADA, "key": "lectures:l1"}
    forged.testimony["final"]["waiting"] = [pair | {"state": state, "code": code}]
    assert ("I2" in forged.found()) is found


@pytest.mark.parametrize(("kind", "found"), [("unlinked", False), ("paused", True)])
def test_with_who_has_left_stays_what_the_service_made_twice(kind: str, *, found: bool) -> None:
    forged = Forged()
    forged.change("create", "e2")
    forged.testimony["final"]["suspended"].append({"institution": "north", "mailbox": ADA, "kind": kind})
    assert ("I2" in forged.found()) is found


@pytest.mark.parametrize(("seconds", "found"), [(4.0, False), (7.0, True)])
def test_that_exception_ends_with_the_bound_to_within_seconds(seconds: float, *, found: bool) -> None:
    forged = Forged()
    late = NOON + SEND_WITHIN + forged.testimony["bound"] + seconds
    forged.change("copy", "e2", by="user", copy_of="e1", at=late)
    forged.change("delete", "e1", by="user", at=late + 9)
    forged.change("update", "e2", at=NOON + 5000, title="l1 v2")
    assert ("I1" in forged.found()) is found


@pytest.mark.parametrize("outcome", ["3", ""], ids=["was_lost", "died_first"])
def test_a_deletion_may_be_repeated_after_the_end_if_it_was_asked_for_before(outcome: str) -> None:
    forged = Forged()
    forged.testimony["states"].append(state(NOON + 9))
    forged.testimony["runs"] += [
        run(NOON + 90, NOON + 91, outcome=outcome),
        run(STARTS + 9000, STARTS + 9010),
    ]
    if outcome:
        forged.testimony["deletes"] = [[NOON + 90.5, "/users/ada/events/e1"]]
    forged.change("delete", "e1", at=STARTS + 9001.0)
    assert "I4" not in forged.found()


@pytest.mark.parametrize(("name", "forge"), BAD, ids=[forge.__name__ for _, forge in BAD])
def test_a_forged_bad_history_is_found(name: str, forge: Callable[[Forged], None]) -> None:
    forged = Forged()
    forge(forged)
    assert name in forged.found()


def test_every_checker_has_bad_histories_forged_for_it() -> None:
    assert {name for name, _ in BAD} == set(CHECKERS)


def test_checkers_know_nothing_of_the_product() -> None:
    """They judge it, and must not share its mistakes."""
    for path in sorted((Path(__file__).parent / "checkers").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [name.name for name in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.startswith("classbell")], path.name
