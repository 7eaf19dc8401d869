from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classbell.settings.values import duration_text, parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30m", timedelta(minutes=30)),
        ("7d", timedelta(days=7)),
        ("26h", timedelta(hours=26)),
        ("2w1d", timedelta(days=15)),
        ("1h30m5s", timedelta(hours=1, minutes=30, seconds=5)),
        ("0s", timedelta(0)),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "7", "m", "30 m", "1m1h", "-1d", "1.5h", "7D", "99999999d", "٣d" * 2])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a duration is"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=36_500 * 86_400))
def test_a_duration_said_and_read_again_is_the_same(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(duration_text(duration)) == duration
