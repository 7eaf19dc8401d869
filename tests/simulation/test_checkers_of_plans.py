"""What a saved plan, and what puts back, does beyond what it told; and what was not its deed."""

import pytest
from tests.simulation.forging import ADA, NOON, Forged, run

LATER = NOON + 5000


@pytest.mark.parametrize(("kind", "wrong"), [("plan", True), ("verify", True), ("sync", False)])
def test_who_only_looks_beside_an_apply_cannot_have_done_what_is_not_in_its_plan(
    kind: str, *, wrong: bool
) -> None:
    forged = Forged()
    forged.testimony["runs"] = [
        run(NOON + 90, NOON + 99, kind="apply", digest="d", plan=[]),
        run(NOON + 91, NOON + 98, kind=kind),
    ]
    forged.change("update", "e1", at=NOON + 95)
    forged.asked("PATCH", NOON + 95)
    assert ("I10" in forged.found()) is wrong


@pytest.mark.parametrize(
    ("kind", "plan", "action", "wrong"),
    [
        ("apply", ["update"], "update", False),
        ("apply", ["update"], "create", False),
        ("apply", ["create"], "update", True),
        ("apply", [], "update", True),
        ("restore", ["create"], "create", False),
        ("restore", ["create"], "update", True),
        ("restore", ["create"], "delete", True),
        ("restore", [], "create", True),
        ("sync", [], "update", False),
    ],
)
def test_who_carries_out_a_plan_or_puts_back_does_what_was_told(
    kind: str, plan: list[str], action: str, *, wrong: bool
) -> None:
    forged = Forged()
    told = [[ADA, "lectures:l1", one] for one in plan]
    forged.testimony["runs"] = [run(NOON + 90, NOON + 99, kind=kind, digest="d", plan=told)]
    forged.change(action, "e2" if action == "create" else "e1", at=NOON + 95)
    forged.asked("PATCH" if action == "update" else "POST" if action == "create" else "DELETE", NOON + 95)
    assert any("not in the plan" in text for text in forged.told()) is wrong


@pytest.mark.parametrize(
    ("lost", "late", "wrong"),
    [
        (None, False, True),
        ((NOON + 80, NOON + 96), False, False),
        ((NOON + 91, NOON + 96), False, True),
        ((NOON + 80, NOON + 94), False, True),
        (None, True, False),
    ],
    ids=["sent", "sent_before_by_another", "sent_by_itself", "another_was_done_before", "done_late"],
)
def test_what_had_left_before_is_not_its_deed(
    lost: tuple[float, float] | None, *, late: bool, wrong: bool
) -> None:
    forged = Forged()
    forged.testimony["runs"] = [run(NOON + 90, NOON + 99, kind="apply", digest="d", plan=[])]
    forged.testimony["lost"] = [(*lost, "sync#1")] if lost else []
    forged.change("update", "e1", at=NOON + 95)
    if not late:
        forged.asked("PATCH", NOON + 95)
    else:
        forged.asked("GET", NOON + 96)
    assert ("I10" in forged.found()) is wrong


@pytest.mark.parametrize(("outcome", "wrong"), [("0", True), ("E-PLAN-OLD", False)])
def test_a_plan_is_carried_out_within_its_time(outcome: str, *, wrong: bool) -> None:
    forged = Forged()
    apply = run(LATER, LATER + 9, kind="apply", digest="d", plan=[], until=NOON, outcome=outcome)
    forged.testimony["runs"].append(apply)
    assert ("I10" in forged.found()) is wrong
