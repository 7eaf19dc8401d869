"""Zone names, wall time and instants."""

from datetime import UTC, datetime
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classbell.zones import instant, utc_text, wall, zone

ZONES = sorted(available_timezones())


@pytest.mark.parametrize(
    "name", ["", " ", "Europe", "Nowhere/City", "../etc/passwd", "/etc/localtime", "a\x00b", "x" * 999]
)
def test_what_is_no_iana_zone_is_a_value_error_that_names_it(name: str) -> None:
    with pytest.raises(ValueError, match="IANA") as error:
        zone(name)
    assert repr(name) in str(error.value)


@given(st.integers(0, 2**32), st.sampled_from(ZONES))
def test_an_instant_and_its_wall_time_are_the_same_moment(moment: int, name: str) -> None:
    assert instant(wall(moment, name), name) == moment


@pytest.mark.parametrize(
    ("local", "text"),
    [
        (datetime(2026, 3, 29, 0, 59), "2026-03-29T00:59:00Z"),  # noqa: DTZ001 - wall times
        (datetime(2026, 3, 29, 1, 30), "2026-03-29T01:30:00Z"),  # noqa: DTZ001 - skipped: the clock had not changed
        (datetime(2026, 3, 29, 2, 0), "2026-03-29T01:00:00Z"),  # noqa: DTZ001
        (datetime(2026, 10, 25, 1, 30), "2026-10-25T00:30:00Z"),  # noqa: DTZ001 - twice: the first
        (datetime(2026, 10, 25, 2, 0), "2026-10-25T02:00:00Z"),  # noqa: DTZ001
    ],
)
def test_wall_times_around_changes_of_the_clock_are_read_as_said(local: datetime, text: str) -> None:
    assert utc_text(instant(local, "Europe/London")) == text


@given(st.integers(0, 2**32), st.floats(0, 0.999))
def test_an_instant_is_written_in_utc_with_whole_seconds(moment: int, fraction: float) -> None:
    written = utc_text(moment + fraction)
    assert datetime.fromisoformat(written) == datetime.fromtimestamp(moment, UTC)
    assert written.endswith("Z")
