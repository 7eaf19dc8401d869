"""When two feeds mean one meeting by one key, and when they do not."""

from hypothesis import given
from hypothesis import strategies as st
from tests.sources.reading import calendar, lecture, parsed

from classbell.sources.merge import Merged, Reading, merge

MONDAY, TUESDAY = "20260921T080000Z", "20260922T080000Z"


def merged(**entries: str) -> dict[str, tuple[str, str, frozenset[str]]]:
    """Per key the day, the title and who attends, of feeds that are named for the person whose they are."""
    return told(
        merge(
            [
                Reading(
                    place=f"{person}.ics",
                    persons=frozenset({person}),
                    meetings=parsed(calendar(entry)).meetings,
                )
                for person, entry in entries.items()
            ]
        )
    )


def told(result: Merged) -> dict[str, tuple[str, str, frozenset[str]]]:
    audiences: dict[int, set[str]] = {number: set() for number in range(len(result.meetings))}
    for person, meeting in result.pairs.tolist():
        audiences[meeting].add(result.people[person])
    return {
        meeting.key: (f"{meeting.start:%d}", meeting.fields["title"], frozenset(audiences[number]))
        for number, meeting in enumerate(result.meetings)
    }


def test_the_same_meeting_in_two_feeds_is_one_with_both_audiences() -> None:
    assert merged(ada=lecture("7", MONDAY), bob=lecture("7", MONDAY)) == {
        "7": ("21", "Algebra", frozenset({"ada", "bob"}))
    }


def test_the_newer_of_two_versions_counts_for_both() -> None:
    meetings = merged(
        ada=lecture("7", TUESDAY, "Algebra", "SEQUENCE:2"), bob=lecture("7", MONDAY, "Algebra", "SEQUENCE:1")
    )
    assert meetings == {"7": ("22", "Algebra", frozenset({"ada", "bob"}))}


def test_the_later_change_counts_where_the_id_is_nobody_elses() -> None:
    meetings = merged(
        ada=lecture("7@example.edu", MONDAY, "Algebra", "LAST-MODIFIED:20260901T000000Z"),
        bob=lecture("7@example.edu", TUESDAY, "Algebra II", "LAST-MODIFIED:20260902T000000Z"),
    )
    assert meetings == {"7@example.edu": ("22", "Algebra II", frozenset({"ada", "bob"}))}


def test_one_id_for_two_titles_at_one_time_is_one_meeting_where_the_id_is_nobody_elses() -> None:
    meetings = merged(
        ada=lecture("7@example.edu", MONDAY, "Algebra A"), bob=lecture("7@example.edu", MONDAY, "Algebra B")
    )
    assert [audience for *_, audience in meetings.values()] == [frozenset({"ada", "bob"})]


def test_two_systems_that_count_from_one_do_not_share_meetings() -> None:
    meetings = merged(
        ada=lecture("1", MONDAY, "Algebra", "SEQUENCE:0"),
        bob=lecture("1", TUESDAY, "Dentistry", "SEQUENCE:3"),
    )
    assert sorted(meetings.values(), key=str) == [
        ("21", "Algebra", frozenset({"ada"})),
        ("22", "Dentistry", frozenset({"bob"})),
    ]
    assert "1" in meetings
    assert all(key == "1" or key.startswith("1@") for key in meetings)


def test_small_numbers_at_one_time_with_different_titles_are_two_meetings() -> None:
    assert len(merged(ada=lecture("1", MONDAY, "Algebra"), bob=lecture("1", MONDAY, "Dentistry"))) == 2


def test_one_id_at_two_times_that_nothing_tells_apart_as_versions_is_two_meetings() -> None:
    meetings = merged(ada=lecture("7@example.edu", MONDAY), bob=lecture("7@example.edu", TUESDAY))
    assert {day for day, *_ in meetings.values()} == {"21", "22"}


def test_what_most_feeds_say_keeps_the_plain_key() -> None:
    meetings = merged(ada=lecture("1", MONDAY), bob=lecture("1", TUESDAY), eve=lecture("1", TUESDAY))
    assert meetings["1"] == ("22", "Algebra", frozenset({"bob", "eve"}))


def test_the_key_of_a_meeting_in_another_feed_shows_nothing_of_its_address() -> None:
    readings = [
        Reading(
            place=f"https://host/{number}?token=secret",
            persons=frozenset({f"{number}@x"}),
            meetings=parsed(calendar(lecture("1", start))).meetings,
        )
        for number, start in enumerate((MONDAY, TUESDAY))
    ]
    assert not any("secret" in meeting.key or "host" in meeting.key for meeting in merge(readings).meetings)


ENTRIES = st.builds(
    lecture,
    st.sampled_from(["1", "7@example.edu"]),
    st.sampled_from([MONDAY, TUESDAY]),
    st.sampled_from(["Algebra", "Geometry"]),
    st.sampled_from(["SEQUENCE:1", "SEQUENCE:2", "X-NONE:0"]),
)


@given(st.lists(ENTRIES, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_the_feeds_does_not_matter_and_everybody_keeps_a_meeting(
    entries: list[str], chance: object
) -> None:
    readings = [
        Reading(
            place=f"{number}.ics",
            persons=frozenset({f"p{number}"}),
            meetings=parsed(calendar(entry)).meetings,
        )
        for number, entry in enumerate(entries)
    ]
    shuffled = list(readings)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert told(merge(readings)) == told(merge(shuffled))
    attending = set().union(*(audience for *_, audience in told(merge(readings)).values()))
    assert attending == {f"p{number}" for number in range(len(entries))}
