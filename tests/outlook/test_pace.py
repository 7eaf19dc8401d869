"""The pace keeps within what the service allows, and lets nobody wait for another."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classbell.outlook.pace import Pace


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class FixedIds:
    """Always the same draw."""

    def __init__(self, draw: float) -> None:
        self.draw = draw

    def new_uuid(self) -> UUID:
        return UUID(int=0)

    def random(self) -> float:
        return self.draw


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def pace(clock: HandClock) -> Pace:
    return Pace(clock, FixedIds(0.5), batches=64)


def test_three_members_of_a_mailbox_are_under_way_at_most(pace: Pace) -> None:
    assert [pace.admit(1) for _ in range(5)] == [True, True, True, False, False]
    assert pace.admit(2), "another mailbox is not concerned"
    pace.release(1)
    assert [pace.admit(1), pace.admit(1)] == [True, False]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 3)), max_size=200))
def test_whatever_comes_and_goes_no_mailbox_has_more_than_three_under_way(
    steps: list[tuple[bool, int]],
) -> None:
    pace = Pace(HandClock(), FixedIds(0.5))
    under_way = {1: 0, 2: 0, 3: 0}
    for comes, mailbox in steps:
        if comes:
            admitted = pace.admit(mailbox)
            assert admitted == (under_way[mailbox] < 3)
            under_way[mailbox] += admitted
        elif under_way[mailbox]:
            pace.release(mailbox)
            under_way[mailbox] -= 1
    assert max(under_way.values()) <= 3


def test_releasing_what_was_never_admitted_is_a_mistake(pace: Pace) -> None:
    with pytest.raises(KeyError):
        pace.release(1)


def test_a_refused_mailbox_is_left_in_peace_exactly_as_long_as_asked(pace: Pace, clock: HandClock) -> None:
    assert pace.refuse(1, 7.0) == 1007.0
    assert pace.blocked_until(1) == 1007.0
    assert not pace.admit(1)
    assert pace.admit(2)
    assert pace.batches_allowed == 64
    clock.time = 1006.9
    assert not pace.admit(1)
    clock.time = 1007.0
    assert pace.blocked_until(1) == 0.0
    assert pace.admit(1)


def test_a_later_refusal_never_shortens_the_peace(pace: Pace) -> None:
    pace.refuse(1, 60.0)
    assert pace.refuse(1, 1.0) == 1060.0


def test_a_senseless_retry_after_is_kept_within_a_day(pace: Pace) -> None:
    assert pace.refuse(1, 1e12) == 1000.0 + 86_400.0
    assert pace.refuse(2, -5.0) == 1000.0


def test_without_retry_after_waits_double_up_to_a_minute_with_jitter(clock: HandClock) -> None:
    for draw, share in ((0.0, 0.5), (0.999999, 1.0)):
        pace = Pace(clock, FixedIds(draw))
        waits = []
        for _ in range(8):
            until = pace.refuse(1)
            waits.append(until - clock.time)
            clock.time = until
        assert waits == pytest.approx([wait * share for wait in (1, 2, 4, 8, 16, 32, 60, 60)], rel=1e-3)


def test_a_good_answer_of_a_mailbox_makes_its_waits_begin_anew(pace: Pace, clock: HandClock) -> None:
    for _ in range(5):
        clock.time = pace.refuse(1)
    pace.succeed(1)
    assert pace.refuse(1) - clock.time == pytest.approx(0.75)


def test_a_good_answer_to_an_earlier_request_does_not_end_the_peace(pace: Pace, clock: HandClock) -> None:
    until = pace.refuse(1, 30.0)
    pace.succeed(1)
    assert pace.blocked_until(1) == until
    clock.time = until - 0.1
    assert not pace.admit(1)


def test_a_refusal_of_everybody_stops_all_and_halves_what_follows(pace: Pace, clock: HandClock) -> None:
    pace.refuse_all(30.0)
    assert pace.batches_allowed == 0
    assert not pace.admit(1)
    assert pace.blocked_until(1) == pace.institution_blocked_until == 1030.0
    clock.time = 1030.0
    assert pace.batches_allowed == 32
    assert pace.institution_blocked_until == 0.0
    assert pace.admit(1)


def test_batches_refused_together_halve_once(pace: Pace, clock: HandClock) -> None:
    for _ in range(64):
        pace.refuse_all(5.0)
    clock.time += 5.0
    assert pace.batches_allowed == 32


def test_even_endless_refusals_leave_one_batch_to_try_with(pace: Pace, clock: HandClock) -> None:
    for _ in range(100):
        clock.time = pace.refuse_all(1.0)
    assert pace.batches_allowed == 1


def test_coming_back_takes_a_run_of_good_batches_for_each_one_more(pace: Pace, clock: HandClock) -> None:
    clock.time = pace.refuse_all(1.0)
    for _ in range(32):
        assert pace.batches_allowed == 32
        pace.succeed()
    pace.succeed()
    assert pace.batches_allowed == 33
    for _ in range(10_000):
        pace.succeed()
    assert pace.batches_allowed == 64


def test_nothing_is_kept_of_mailboxes_that_are_through(pace: Pace, clock: HandClock) -> None:
    for mailbox in range(1000):
        pace.admit(mailbox)
        clock.time = pace.refuse(mailbox, 1.0)
        pace.release(mailbox)
        pace.succeed(mailbox)
    assert not pace._under_way
    assert not pace._fences
