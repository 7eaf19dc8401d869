"""Guards: what of a plan waits for a person, and what goes on."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.timetables import DAY, HOUR, NOW, meeting, snapshot

from classbell.guards import (
    Circumstances,
    LastRead,
    Shrinkage,
    Verdict,
    judge,
    left_of_day,
    live_starts,
    shrinkages,
)
from classbell.model import Action, Meeting, Snapshot, Window
from classbell.plan import Plan, pair_keys
from classbell.settings import SafetySettings

Change = tuple[int, Action, int]
"""Mailbox, action, source."""

NOTHING_SHRUNK = Circumstances()


def safety(**limits: Mapping[str, float] | float) -> SafetySettings:
    return SafetySettings.model_validate(limits)


# Nothing but what a test is about trips.
LOOSE: dict[str, Mapping[str, float] | float] = {
    "max_deletes": {"count": 10**6, "percent": 100, "per_24h_percent": 100, "at_least": 0},
    "max_changes_percent": 100,
    "per_mailbox": {"percent": 100, "min_events": 10**6},
}


def plan(
    changes: Sequence[Change], *, upcoming: Mapping[int, int] | None = None, delivered: int = 1000
) -> Plan:
    count = len(changes)
    return Plan(
        mailbox=np.array([box for box, _, _ in changes], dtype=np.int64),
        meeting=np.arange(count, dtype=np.int64),
        action=np.array([action for _, action, _ in changes], dtype=np.int8),
        reason=np.ones(count, dtype=np.int8),
        fingerprint=np.ones(count, dtype=np.uint64),
        previous=np.zeros(count, dtype=np.uint64),
        starts=np.zeros(count, dtype=np.int64),
        ends=np.zeros(count, dtype=np.int64),
        source=np.array([source for _, _, source in changes], dtype=np.int16),
        calendar=np.zeros(count, dtype=np.int16),
        delivered=delivered,
        upcoming=dict(upcoming or {}),
    )


def creates(count: int, *, box: int = 1, source: int = 0) -> list[Change]:
    return [(box, Action.CREATE, source)] * count


def updates(count: int, *, box: int = 1, source: int = 0) -> list[Change]:
    return [(box, Action.UPDATE, source)] * count


def deletes(count: int, *, box: int = 1, source: int = 0) -> list[Change]:
    return [(box, Action.DELETE, source)] * count


def codes(verdict: Verdict) -> list[str]:
    return [hold.code for hold in verdict.holds]


def passing(changes: Sequence[Change], verdict: Verdict) -> list[Change]:
    return [change for change, passes in zip(changes, verdict.passed.tolist(), strict=True) if passes]


def shrunk(before: int, after: int, *, source: int = 0) -> Shrinkage:
    return Shrinkage(source=source, name=f"source {source}", before=before, after=after)


def losses(*shrunk: Shrinkage) -> Circumstances:
    return Circumstances(shrunk=shrunk)


def test_a_plan_without_anything_passes() -> None:
    verdict = judge(plan([]), NOTHING_SHRUNK, SafetySettings())
    assert verdict.holds == ()
    assert verdict.passed.tolist() == []


@pytest.mark.parametrize(("count", "held"), [(20, False), (21, True)])
def test_too_many_deletes_by_count_are_held(count: int, held: bool) -> None:  # noqa: FBT001
    limits = safety(**LOOSE | {"max_deletes": {"count": 20, "percent": 100, "at_least": 0}})
    verdict = judge(plan(deletes(count)), NOTHING_SHRUNK, limits)
    assert codes(verdict) == ["E-HOLD-DELETES"] * held
    assert verdict.passed.any() != held


@pytest.mark.parametrize(("count", "held"), [(50, False), (51, True)])
def test_too_many_deletes_by_share_of_what_is_delivered_are_held(count: int, held: bool) -> None:  # noqa: FBT001
    limits = safety(**LOOSE | {"max_deletes": {"count": 10**6, "percent": 5, "at_least": 0}})
    verdict = judge(plan(deletes(count), delivered=1000), NOTHING_SHRUNK, limits)
    assert codes(verdict) == ["E-HOLD-DELETES"] * held


@pytest.mark.parametrize(("count", "held"), [(10, False), (11, True)])
def test_a_few_deletes_pass_however_small_the_institution(count: int, held: bool) -> None:  # noqa: FBT001
    limits = safety(**LOOSE | {"max_deletes": {"count": 500, "percent": 5, "at_least": 10}})
    verdict = judge(plan(deletes(count), delivered=20), NOTHING_SHRUNK, limits)
    assert codes(verdict) == ["E-HOLD-DELETES"] * held


def test_a_hold_of_deletes_holds_creates_that_may_replace_one_and_lets_others_go_on() -> None:
    changes = [
        *deletes(11, box=1),
        *creates(2, box=1),
        *updates(3, box=1),
        *creates(4, box=2),
        *updates(1, box=2),
    ]
    limits = safety(**LOOSE | {"max_deletes": {"count": 10, "percent": 100, "at_least": 0}})
    verdict = judge(plan(changes), NOTHING_SHRUNK, limits)
    assert passing(changes, verdict) == [*updates(3, box=1), *creates(4, box=2), *updates(1, box=2)]
    (hold,) = verdict.holds
    assert (hold.scope, hold.subject, hold.changes, hold.deletes) == ("institution", "", 13, 11)


@pytest.mark.parametrize(("count", "held"), [(6, False), (7, True)])
def test_a_mailbox_that_would_lose_too_large_a_share_is_held_whole(count: int, held: bool) -> None:  # noqa: FBT001
    limits = safety(**LOOSE | {"per_mailbox": {"percent": 60, "min_events": 10}})
    changes = [*deletes(count, box=1), *creates(1, box=1), *deletes(1, box=2), *updates(1, box=2)]
    verdict = judge(plan(changes, upcoming={1: 10, 2: 10}), NOTHING_SHRUNK, limits)
    assert codes(verdict) == ["E-HOLD-MAILBOX"] * held
    assert passing(changes, verdict) == (changes[-2:] if held else changes)
    if held:
        (hold,) = verdict.holds
        assert (hold.scope, hold.subject, hold.changes, hold.deletes) == ("mailbox", "1", 8, 7)


def test_a_mailbox_with_few_events_may_lose_them_all() -> None:
    limits = safety(**LOOSE | {"per_mailbox": {"percent": 60, "min_events": 10}})
    assert judge(plan(deletes(9), upcoming={1: 9}), NOTHING_SHRUNK, limits).holds == ()
    assert codes(judge(plan(deletes(10), upcoming={1: 10}), NOTHING_SHRUNK, limits)) == ["E-HOLD-MAILBOX"]


def test_what_a_mailboxs_hold_stops_no_longer_counts_for_the_institution() -> None:
    limits = safety(
        max_deletes={"count": 10, "percent": 100, "at_least": 0},
        per_mailbox={"percent": 60, "min_events": 10},
    )
    changes = [*deletes(20, box=1), *deletes(10, box=2)]
    verdict = judge(plan(changes, upcoming={1: 20, 2: 100}), NOTHING_SHRUNK, limits)
    assert codes(verdict) == ["E-HOLD-MAILBOX"]
    assert passing(changes, verdict) == deletes(10, box=2)


def test_many_held_mailboxes_are_each_told_with_what_is_theirs() -> None:
    changes = [
        change for box in range(200) for change in (*deletes(10 + box, box=box), *creates(box, box=box))
    ]
    limits = safety(**LOOSE | {"per_mailbox": {"percent": 60, "min_events": 10}})
    whole = plan(changes, upcoming={box: 10 + box for box in range(200)}, delivered=10**6)
    verdict = judge(whole, NOTHING_SHRUNK, limits)
    assert [(h.subject, h.changes, h.deletes) for h in verdict.holds] == [
        (str(box), 10 + 2 * box, 10 + box) for box in range(200)
    ]


@pytest.mark.parametrize(("after", "held"), [(85, False), (84, True), (0, True), (100, False), (150, False)])
def test_a_source_that_shrank_too_much_is_held_whole_and_others_go_on(after: int, held: bool) -> None:  # noqa: FBT001
    changes = [*creates(1, source=0), *updates(1, source=0), *deletes(1, source=0), *deletes(1, source=1)]
    verdict = judge(plan(changes), losses(shrunk(100, after), shrunk(5, 5, source=1)), safety(**LOOSE))
    assert codes(verdict) == ["E-SRC-SHRUNK"] * held
    assert passing(changes, verdict) == (changes[-1:] if held else changes)
    if held:
        (hold,) = verdict.holds
        assert (hold.scope, hold.subject, hold.changes, hold.deletes) == ("source", "source 0", 3, 1)
        assert f"{after} coming meetings, was 100" in hold.text


def test_a_source_that_shrank_is_held_even_if_it_asks_for_nothing() -> None:
    """So that nobody believes the read was good."""
    assert codes(judge(plan([]), losses(shrunk(100, 10)), SafetySettings())) == ["E-SRC-SHRUNK"]


@pytest.mark.parametrize(
    ("code", "limits"),
    [
        ("E-HOLD-MAILBOX", {"per_mailbox": {"percent": 1, "min_events": 1}}),
        ("E-HOLD-DELETES", {"max_deletes": {"count": 1, "percent": 1, "at_least": 0}}),
        (
            "E-HOLD-DAY",
            {"max_deletes": {"count": 10**6, "percent": 100, "per_24h_percent": 1, "at_least": 0}},
        ),
    ],
)
def test_a_person_may_allow_so_many_deletes_and_no_more(
    code: str, limits: Mapping[str, Mapping[str, float]]
) -> None:
    whole = plan([*deletes(30), *creates(5)], upcoming={1: 30})
    tight = safety(**{**LOOSE, **limits})
    assert codes(judge(whole, NOTHING_SHRUNK, tight, allow_deletes=29)) == [code]
    allowed = judge(whole, NOTHING_SHRUNK, tight, allow_deletes=30)
    assert allowed.holds == ()
    assert allowed.passed.all()


@pytest.mark.parametrize(
    ("code", "circumstances", "limits"),
    [
        ("E-SRC-SHRUNK", losses(shrunk(100, 10)), {}),
        ("E-HOLD-CONFIG", Circumstances(changed=("templates",)), {}),
        ("E-HOLD-RESTORED", Circumstances(restored=pair_keys(np.array([1]), np.array([0]))), {}),
        ("E-HOLD-CHANGES", NOTHING_SHRUNK, {"max_changes_percent": 1, "max_deletes": {"at_least": 0}}),
    ],
)
def test_who_allows_a_number_of_deletes_allows_nothing_else(
    code: str, circumstances: Circumstances, limits: Mapping[str, Mapping[str, float]]
) -> None:
    whole = plan([*deletes(30), *updates(10)], upcoming={1: 30})
    assert codes(judge(whole, circumstances, safety(**{**LOOSE, **limits}), allow_deletes=10**6)) == [code]


@pytest.mark.parametrize(
    ("recent", "least", "left"), [(0, 0, 100), (60, 0, 40), (60, 150, 90), (100, 0, 0), (300, 0, 0)]
)
def test_what_is_left_of_a_day_is_what_its_guard_lets_pass(recent: int, least: int, left: int) -> None:
    limits = safety(**{**LOOSE, "max_deletes": {"count": 10**6, "percent": 100, "at_least": least}})
    of_day = Circumstances(recent=recent)
    assert left_of_day(plan(deletes(1)), of_day, limits) == left
    assert codes(judge(plan(deletes(left)), of_day, limits)) == []
    assert codes(judge(plan(deletes(left + 1)), of_day, limits)) == ["E-HOLD-DAY"]


@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from([*Action][:3]), st.integers(-1, 1)), max_size=40),
    st.dictionaries(st.integers(1, 4), st.integers(0, 30)),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=2),
    st.integers(0, 30),
)
def test_whatever_does_not_pass_is_told_and_what_passes_is_within_the_limits(
    changes: list[Change], upcoming: dict[int, int], drawn: list[tuple[int, int]], count: int
) -> None:
    limits = safety(
        max_deletes={"count": count, "percent": 10, "at_least": 3},
        per_mailbox={"percent": 50, "min_events": 5},
    )
    whole = plan(changes, upcoming=upcoming, delivered=100)
    lost = losses(*(shrunk(*loss, source=at) for at, loss in enumerate(drawn)))
    verdict = judge(whole, lost, limits)
    stopped = len(changes) - int(verdict.passed.sum())
    assert stopped == sum(hold.changes for hold in verdict.holds)
    passed = passing(changes, verdict)
    gone = [box for box, action, _ in passed if action is Action.DELETE]
    assert len(gone) <= max(3, min(count, 10))
    for box in set(gone):
        assert upcoming.get(box, 0) < 5 or gone.count(box) <= upcoming[box] / 2
    for at, (before, after) in enumerate(drawn):
        if before and (before - after) / before > 0.15:
            assert not any(source == at for _, _, source in passed)


def last(*starts: int, until: int = 10 * DAY) -> dict[str, LastRead]:
    """The last accepted read, with meetings at so many seconds from now."""
    return {
        "timetable": LastRead(
            starts=np.array([NOW + s for s in starts], dtype=np.int64), covered_until=NOW + until
        )
    }


def read(*starts: int, until: int = 10 * DAY, cancelled: int = 0) -> Snapshot:
    meetings = [meeting(str(at), s, cancelled=at < cancelled) for at, s in enumerate(starts)]
    return snapshot(meetings, [], window=Window(begin=NOW - DAY, end=NOW + until))


def counted(now_read: Snapshot, before: Mapping[str, LastRead], *, later: int = 0) -> tuple[int, int]:
    (found,) = shrinkages([now_read], before, now=NOW + later)
    return found.before, found.after


def test_a_source_is_compared_with_its_last_accepted_read() -> None:
    assert counted(read(HOUR, 2 * HOUR), last(HOUR, 2 * HOUR, 3 * HOUR)) == (3, 2)


def test_a_source_read_for_the_first_time_has_not_shrunk() -> None:
    assert shrinkages([read(HOUR)], {}, now=NOW) == ()


def test_a_term_that_runs_out_is_not_loss() -> None:
    starts = [day * DAY for day in range(1, 10)]
    assert counted(read(*starts[5:]), last(*starts), later=5 * DAY + 1) == (4, 4)


def test_only_what_both_reads_covered_is_compared() -> None:
    starts = [day * DAY for day in range(1, 10)]
    assert counted(read(*starts[:3], until=4 * DAY), last(*starts)) == (3, 3)
    assert counted(read(*starts, until=30 * DAY), last(*starts[:3], until=4 * DAY)) == (3, 3)


def test_the_span_compared_begins_now_and_ends_before_the_nearer_end() -> None:
    edges = [-1, 0, DAY - 1, DAY]
    assert counted(read(*edges, until=DAY), last(*edges, until=DAY)) == (2, 2)


def test_cancelled_meetings_count_as_gone() -> None:
    assert counted(read(HOUR, 2 * HOUR, 3 * HOUR, cancelled=2), last(HOUR, 2 * HOUR, 3 * HOUR)) == (3, 1)


def test_the_share_that_is_gone_is_a_percentage() -> None:
    assert shrunk(200, 50).percent == 75
    assert shrunk(0, 5).percent == 0
    assert shrunk(10, 20).percent < 0


@given(st.lists(st.tuples(st.integers(-DAY, DAY), st.booleans())))
def test_live_starts_are_those_of_meetings_that_take_place_in_order(drawn: list[tuple[int, bool]]) -> None:
    meetings: list[Meeting] = [meeting(str(at), s, cancelled=off) for at, (s, off) in enumerate(drawn)]
    found = live_starts(snapshot(meetings, []))
    assert found.tolist() == sorted(NOW + start for start, off in drawn if not off)
    assert found.dtype == np.int64
