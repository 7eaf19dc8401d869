"""On which days a series falls, compared with dateutil, which knows the rules of iCalendar."""

from datetime import date, datetime
from itertools import takewhile

import pytest
from dateutil import rrule
from hypothesis import given
from hypothesis import strategies as st

from classbell.sandbox.recurrence import (
    INDEXES,
    LAST_DAY,
    WEEKDAYS,
    Recurrence,
    days_after,
    days_before,
    days_between,
    falls_on,
    last_day,
)

FREQUENCIES = {"daily": rrule.DAILY, "weekly": rrule.WEEKLY, "Monthly": rrule.MONTHLY, "Yearly": rrule.YEARLY}
first_days = st.dates(date(2020, 1, 1), date(2030, 12, 31)).map(date.toordinal)
some_days = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=4, unique=True).map(tuple)


@st.composite
def recurrences(draw: st.DrawFn) -> Recurrence:
    kind = draw(
        st.sampled_from(
            ["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"]
        )
    )
    first = draw(first_days)
    span = draw(st.sampled_from(["noEnd", "endDate", "numbered"]))
    return Recurrence(
        type=kind,
        interval=draw(st.integers(1, 5)),
        month=draw(st.integers(1, 12)) if kind.endswith("Yearly") else 0,
        day=draw(st.integers(1, 31)) if kind.startswith("absolute") else 0,
        days=draw(some_days) if kind == "weekly" or kind.startswith("relative") else (),
        week_start=draw(st.sampled_from(WEEKDAYS)),
        index=draw(st.sampled_from(INDEXES)) if kind.startswith("relative") else "first",
        range=span,
        first=first,
        last=first + draw(st.integers(0, 3000)) if span == "endDate" else 0,
        count=draw(st.integers(1, 40)) if span == "numbered" else 0,
    )


def by_dateutil(recurrence: Recurrence, end: int) -> list[int]:
    options: dict[str, object] = {
        "interval": recurrence.interval,
        "dtstart": datetime.combine(date.fromordinal(recurrence.first), datetime.min.time()),
        "wkst": WEEKDAYS.index(recurrence.week_start),
    }
    if recurrence.type.startswith("absolute"):
        # The last of the days that the month has: a 31st falls on the 30th, or on the 28th.
        options |= {
            "bymonthday": list(range(min(28, recurrence.day), recurrence.day + 1)),
            "bysetpos": -1,
        }
    elif recurrence.days:
        options["byweekday"] = [WEEKDAYS.index(day) for day in recurrence.days]
    if recurrence.type.startswith("relative"):
        place = INDEXES.index(recurrence.index)
        options["bysetpos"] = -1 if recurrence.index == "last" else place + 1
    if recurrence.month:
        options["bymonth"] = recurrence.month
    if recurrence.count:
        options["count"] = recurrence.count
    if recurrence.last:
        end = min(end, recurrence.last)
    frequency = next(value for name, value in FREQUENCIES.items() if recurrence.type.endswith(name))
    found = rrule.rrule(frequency, **options)  # type: ignore[arg-type]
    return list(takewhile(lambda day: day <= end, (moment.toordinal() for moment in found)))


@given(recurrences(), st.integers(0, 6000))
def test_a_series_falls_on_the_days_that_dateutil_finds(recurrence: Recurrence, length: int) -> None:
    end = recurrence.first + length
    assert list(days_between(recurrence, recurrence.first - 10, end)) == by_dateutil(recurrence, end)


@given(recurrences(), st.integers(-50, 4000), st.integers(0, 400))
def test_a_window_shows_the_same_days_as_the_whole(recurrence: Recurrence, begin: int, length: int) -> None:
    begin += recurrence.first
    end = begin + length
    whole = list(days_between(recurrence, recurrence.first, end))
    assert list(days_between(recurrence, begin, end)) == [day for day in whole if day >= begin]


@given(recurrences(), st.integers(-10, 800))
def test_the_days_before_and_after_are_those_of_the_whole(recurrence: Recurrence, place: int) -> None:
    day = recurrence.first + place
    whole = list(days_between(recurrence, recurrence.first, day + 40_000))
    assert list(days_before(recurrence, day)) == [other for other in reversed(whole) if other < day]
    assert next(days_after(recurrence, day), None) == next((other for other in whole if other > day), None)
    assert falls_on(recurrence, day) == (day in whole)


@given(recurrences())
def test_nothing_comes_after_the_last_day(recurrence: Recurrence) -> None:
    end = last_day(recurrence)
    assert next(days_after(recurrence, end), None) is None
    if recurrence.range == "numbered" and end < LAST_DAY:
        assert len(list(days_between(recurrence, recurrence.first, end))) == recurrence.count


@pytest.mark.parametrize(("month", "wanted"), [(2, "2027-02-28"), (3, "2027-03-31"), (4, "2027-04-30")])
def test_the_31st_of_a_shorter_month_is_its_last_day(month: int, wanted: str) -> None:
    recurrence = Recurrence(type="absoluteMonthly", day=31, first=date(2027, 1, 31).toordinal())
    begin = date(2027, month, 1).toordinal()
    assert date.fromordinal(next(days_after(recurrence, begin))).isoformat() == wanted


def test_a_window_two_thousand_years_away_costs_no_more_than_a_near_one() -> None:
    recurrence = Recurrence(type="daily", first=date(2026, 9, 21).toordinal())
    end = LAST_DAY - 1
    # By counting from the first day this would take seconds, and the suite's time out would show it.
    for _ in range(10_000):
        assert list(days_between(recurrence, end, end + 5)) == [end, LAST_DAY]
