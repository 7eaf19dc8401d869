"""Differences between renderings, as people read them."""

from datetime import datetime, timedelta

import pytest

from classbell.differences import Difference, differences, seen
from classbell.model import Meeting
from classbell.render import Renderer
from classbell.settings import ProfileSettings

ZONE = "Europe/London"
START = datetime(2026, 10, 6, 9, 0)  # noqa: DTZ001 (a wall time)


def rendered(
    *, title: str = "Logic", location: str = "B12", start: datetime = START, minutes: int = 50
) -> bytes:
    meeting = Meeting(
        key="m1",
        start=start,
        end=start + timedelta(minutes=minutes),
        zone=ZONE,
        fields={"title": title, "location": location},
    )
    return Renderer(ProfileSettings(name="standard")).render(meeting).body


def test_equal_renderings_differ_in_nothing() -> None:
    assert differences(rendered(), rendered(), ZONE) == []


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (
            rendered(start=START.replace(hour=11)),
            Difference(field="start", old="Tue 06 Oct 09:00", new="11:00"),
        ),
        (
            rendered(start=START.replace(day=7)),
            Difference(field="start", old="Tue 06 Oct 09:00", new="Wed 07 Oct 09:00"),
        ),
        (rendered(minutes=110), Difference(field="end", old="Tue 06 Oct 09:50", new="10:50")),
        (rendered(location="C4"), Difference(field="room", old="B12", new="C4")),
        (rendered(title="Logic II"), Difference(field="title", old="Logic", new="Logic II")),
    ],
)
def test_one_change_is_told_once_and_shortly(new: bytes, expected: Difference) -> None:
    assert differences(rendered(), new, ZONE) == [expected]


def test_times_are_told_in_the_institutions_zone() -> None:
    event = seen(rendered(), ZONE)
    assert event is not None
    assert event.start == START


def test_a_rendering_that_is_not_kept_tells_nothing() -> None:
    assert differences(b"", rendered(), ZONE) == []
    assert seen(b"", ZONE) is None


def test_a_long_text_is_cut() -> None:
    (found,) = differences(rendered(title="x" * 200), rendered(title="y"), ZONE)
    assert len(found.old) == 60
    assert found.old.endswith("…")
