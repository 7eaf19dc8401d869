"""Bugs in the making of calendars of our own."""

from tests.planted.bug import Bug

BUGS = (
    Bug(
        name="calendar-for-the-paused",
        rule="Nothing is made for who wants nothing by now, a calendar neither.",
        file="deliver/prepare.py",
        lines="asked = [(change, survey) for change, survey in lacking if change.id in intended.going]",
        instead="asked = [(change, survey) for change, survey in lacking if change.id not in intended.uncertain]",
        found_by=(
            "tests/deliver/test_deleted_calendars.py::test_no_calendar_is_made_for_who_wants_nothing_since_their_changes_were_read",
        ),
    ),
    Bug(
        name="calendar-without-intent",
        rule="A calendar that is to be made is noted before it is asked for.",
        file="ledger/calendars.py",
        lines='connection.execute(_KEEP_INTENT, {**self._values(place), "until": send_until})',
        instead='connection.execute(_FORGET_INTENT, {**self._values(place), "until": send_until})',
        found_by=(
            "tests/deliver/test_calendars.py::test_a_calendar_of_which_nobody_can_say_whether_it_was_made_is_not_asked_for_again_too_soon",
        ),
    ),
    Bug(
        name="calendar-asked-again",
        rule="A calendar that was perhaps made is asked for again only when it certainly was not.",
        file="ledger/calendars.py",
        lines="if earlier.get(place, listed) > listed:",
        instead="if earlier.get(place, listed) > listed + 1e9:",
        found_by=(
            "tests/deliver/test_calendars.py::test_a_calendar_of_which_nobody_can_say_whether_it_was_made_is_not_asked_for_again_too_soon",
        ),
    ),
)
