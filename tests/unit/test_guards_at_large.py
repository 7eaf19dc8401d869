"""The guards of the whole plan: everything changed, the day's total, the configuration; and approvals."""

import numpy as np
import pytest
from tests.unit.test_guards import (
    LOOSE,
    codes,
    creates,
    deletes,
    losses,
    passing,
    plan,
    safety,
    shrunk,
    updates,
)

from classbell.guards import Circumstances, Name, judge
from classbell.model import Action, Ids

DELETES_HELD: Name = ("E-HOLD-DELETES", "institution", "")
FEW = {"count": 10, "percent": 100, "per_24h_percent": 100, "at_least": 0}


@pytest.mark.parametrize(("count", "held"), [(60, False), (61, True)])
def test_a_plan_that_changes_most_of_what_stands_is_held_whole(count: int, held: bool) -> None:  # noqa: FBT001
    changes = [*updates(count - 1, box=1), *deletes(1, box=2), *creates(3, box=3)]
    verdict = judge(
        plan(changes, delivered=100), Circumstances(), safety(**LOOSE | {"max_changes_percent": 60})
    )
    assert codes(verdict) == ["E-HOLD-CHANGES"] * held
    assert verdict.passed.all() != held
    assert not held or (verdict.holds[0].changes, verdict.holds[0].deletes) == (len(changes), 1)


@pytest.mark.parametrize(("count", "told"), [(61, "61 %"), (1202, "60.1 %"), (6001, "60.01 %")])
def test_the_share_is_told_precisely_enough_to_be_above_the_limit(count: int, told: str) -> None:
    delivered = {61: 100, 1202: 2000, 6001: 10_000}[count]
    limits = safety(**LOOSE | {"max_changes_percent": 60})
    (hold,) = judge(plan(updates(count), delivered=delivered), Circumstances(), limits).holds
    assert f"({told})" in hold.text


def test_a_handful_of_events_may_all_change() -> None:
    limits = safety(max_changes_percent=60, max_deletes={"at_least": 10})
    assert judge(plan(updates(10), delivered=10), Circumstances(), limits).holds == ()
    assert codes(judge(plan(updates(11), delivered=11), Circumstances(), limits)) == ["E-HOLD-CHANGES"]


def test_creates_alone_are_never_everything() -> None:
    assert judge(plan(creates(500), delivered=0), Circumstances(), safety()).holds == ()


@pytest.mark.parametrize(("count", "held"), [(20, False), (21, True)])
def test_a_trickle_of_deletes_is_held_when_the_day_has_had_enough(count: int, held: bool) -> None:  # noqa: FBT001
    limits = safety(
        **LOOSE | {"max_deletes": {"count": 10**6, "percent": 100, "per_24h_percent": 10, "at_least": 0}}
    )
    changes = [*deletes(count, box=1), *creates(1, box=1), *creates(1, box=2), *updates(1, box=1)]
    verdict = judge(plan(changes, delivered=920), Circumstances(recent=80, gone=80), limits)
    assert codes(verdict) == ["E-HOLD-DAY"] * held
    if held:
        assert passing(changes, verdict) == [*creates(1, box=2), *updates(1, box=1)]
        assert "after 80 in the last 24 hours" in verdict.holds[0].text


def test_what_is_approved_counts_for_the_day_and_is_not_stopped_by_it() -> None:
    limits = safety(**LOOSE | {"max_deletes": FEW | {"per_24h_percent": 3}})
    changes = [*deletes(12, box=1), *deletes(20, box=2)]
    agreed = np.array([True] * 12 + [False] * 20)
    verdict = judge(plan(changes, delivered=400), Circumstances(), limits, agreed=agreed)
    assert codes(verdict) == ["E-HOLD-DELETES"]
    few = [*deletes(12, box=1), *deletes(5, box=2)]
    verdict = judge(
        plan(few, delivered=400), Circumstances(), limits, agreed=np.array([True] * 12 + [False] * 5)
    )
    assert codes(verdict) == ["E-HOLD-DAY"]
    assert passing(few, verdict) == deletes(12, box=1)


def test_the_first_plan_after_a_change_of_the_configuration_waits() -> None:
    changed = Circumstances(changed=("templates", "window"))
    verdict = judge(plan([*creates(1), *updates(1)]), changed, safety(**LOOSE))
    assert codes(verdict) == ["E-HOLD-CONFIG"]
    assert "templates, window" in verdict.holds[0].text
    assert not verdict.passed.any()


def test_a_change_of_the_configuration_that_changes_nothing_holds_nothing() -> None:
    assert judge(plan([]), Circumstances(changed=("window",)), safety()).holds == ()


def test_creates_at_the_time_of_a_held_delete_wait_with_it_whatever_their_source() -> None:
    changes = [*deletes(1, box=1, source=0), *creates(1, box=1, source=1), *creates(1, box=2, source=1)]
    whole = plan(changes)
    verdict = judge(whole, losses(shrunk(100, 10)), safety(**LOOSE))
    assert passing(changes, verdict) == creates(1, box=2, source=1)
    whole.starts[1] = 3600
    verdict = judge(whole, losses(shrunk(100, 10)), safety(**LOOSE))
    assert passing(changes, verdict) == changes[1:]


def test_what_was_approved_passes_all_guards_and_nothing_else_does() -> None:
    changes = [*deletes(30, box=1), *creates(2, box=1), *updates(1, box=1)]
    limits = safety(**LOOSE | {"max_deletes": FEW})
    seen: list[list[int]] = []

    def approves(places: Ids) -> bool:
        seen.append(places.tolist())
        return True

    verdict = judge(plan(changes), Circumstances(), limits, approvals={DELETES_HELD: approves})
    assert (verdict.holds, verdict.used) == ((), (DELETES_HELD,))
    assert verdict.passed.all()
    assert seen == [list(range(32))]
    for other in (("E-HOLD-DAY", "institution", ""), ("E-HOLD-MAILBOX", "mailbox", "1")):
        assert codes(judge(plan(changes), Circumstances(), limits, approvals={other: approves}))


def test_an_approval_of_less_than_is_held_is_no_approval() -> None:
    limits = safety(**LOOSE | {"max_deletes": FEW})
    verdict = judge(plan(deletes(30)), Circumstances(), limits, approvals={DELETES_HELD: lambda _: False})
    assert (codes(verdict), verdict.used) == (["E-HOLD-DELETES"], ())


def test_an_approved_source_is_not_stopped_again_by_the_limits_of_mailboxes_and_runs() -> None:
    limits = safety(max_deletes=FEW, per_mailbox={"percent": 10, "min_events": 1})
    changes = [*deletes(30, box=1, source=0), *deletes(2, box=2, source=1)]
    name = ("E-SRC-SHRUNK", "source", "source 0")
    verdict = judge(
        plan(changes, upcoming={1: 30, 2: 100}),
        losses(shrunk(100, 10)),
        limits,
        approvals={name: lambda _: True},
    )
    assert (verdict.holds, verdict.used) == ((), (name,))
    assert verdict.passed.all()


def test_every_hold_says_where_its_changes_stand() -> None:
    limits = safety(max_deletes=FEW, per_mailbox={"percent": 50, "min_events": 1})
    changes = [*deletes(5, box=2), *deletes(12, box=1), *creates(1, box=2), *updates(1, box=1, source=1)]
    whole = plan(changes, upcoming={1: 100, 2: 5})
    verdict = judge(whole, Circumstances(), limits)
    assert codes(verdict) == ["E-HOLD-MAILBOX", "E-HOLD-DELETES"]
    for hold in verdict.holds:
        assert len(hold.places) == hold.changes
        assert int(np.count_nonzero(whole.action[hold.places] == Action.DELETE)) == hold.deletes
        assert not verdict.passed[hold.places].any()
    assert sorted(np.concatenate([h.places for h in verdict.holds]).tolist()) == list(range(18))
