"""What a meeting is known by, when it moves and when others come and go."""

from hypothesis import given
from hypothesis import strategies as st
from tests.sources.reading import by_key, calendar, lecture, only, parsed, starts


def test_a_uid_that_stands_for_one_meeting_is_its_key() -> None:
    assert only(parsed("bare_cr_line_ends")).key == "lecture-1@example.edu"


def test_a_meeting_with_a_uid_keeps_its_key_wherever_it_moves() -> None:
    assert only(parsed(calendar(lecture("ADE6032303139", "20270105T150000Z")))).key == "ADE6032303139"


def test_meetings_without_ids_are_known_by_title_and_day() -> None:
    keys = list(by_key(parsed("without_ids")))
    assert len(set(keys)) == 4
    assert [key.partition("/")[2] for key in keys] == ["20260921", "20260921#2", "20260928", "20260921"]
    assert keys[0].partition("/")[0] == keys[2].partition("/")[0] != keys[3].partition("/")[0]


def test_a_meeting_without_an_id_keeps_its_key_within_its_day() -> None:
    before = parsed(calendar("DTSTART:20260921T080000Z\nSUMMARY:Algebra"))
    after = parsed(calendar("DTSTART:20260921T130000Z\nSUMMARY:Algebra\nLOCATION:Elsewhere"))
    assert only(before).key == only(after).key


def test_one_id_for_several_meetings_is_told_apart_by_the_day() -> None:
    assert list(by_key(parsed("one_id_for_several_meetings"))) == [
        "maths/20260921",
        "maths/20260928",
        "maths/20260928#2",
    ]


def test_ids_made_to_collide_with_numbered_keys_stay_apart() -> None:
    entries = [lecture("a", "20260921T080000Z"), lecture("a", "20260921T090000Z")]
    feed = parsed(calendar(*entries, lecture("a/20260921#2", "20260922T080000Z")))
    assert len(feed.meetings) == len(by_key(feed)) == 3


def test_of_several_versions_the_newest_counts() -> None:
    meetings = by_key(parsed("versions_of_one_entry"))
    assert {key: meeting.fields["location"] for key, meeting in meetings.items()} == {
        "lecture-1@example.edu": "Room 3",
        "lecture-2@example.edu": "New",
    }


def test_the_same_entry_listed_twice_is_one_meeting_under_its_own_id() -> None:
    assert list(by_key(parsed("the_same_entry_twice"))) == ["lecture-1@example.edu"]


def test_a_very_long_id_gives_a_key_of_bounded_length_that_still_tells_apart() -> None:
    feed = parsed(calendar(*(lecture("x" * 400 + end, "20260921T080000Z") for end in "ab")))
    assert len(by_key(feed)) == 2
    assert max(map(len, by_key(feed))) < 200


def test_a_meeting_in_a_feed_may_be_removed_without_touching_the_others() -> None:
    days = range(20260921, 20260929)
    whole = by_key(parsed(calendar(*(f"DTSTART:{day}T080000Z\nSUMMARY:Algebra" for day in days))))
    fewer = by_key(
        parsed(calendar(*(f"DTSTART:{day}T080000Z\nSUMMARY:Algebra" for day in days if day != 20260923)))
    )
    assert fewer.items() <= whole.items()
    assert len(whole) - len(fewer) == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "1", "a@x"]),
            st.sampled_from(["20260921T080000Z", "20260921T100000Z", "20260928T080000Z"]),
            st.sampled_from(["Algebra", "Geometry"]),
        ),
        max_size=8,
    ).flatmap(lambda entries: st.tuples(st.just(entries), st.permutations(entries)))
)
def test_keys_do_not_depend_on_the_order_of_the_entries(
    pair: tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]],
) -> None:
    feeds = [parsed(calendar(*(lecture(*entry) for entry in entries))) for entries in pair]
    assert by_key(feeds[0]) == by_key(feeds[1])
    assert len(by_key(feeds[0])) == len(feeds[0].meetings)
    assert starts(feeds[0].meetings) == starts(feeds[1].meetings)
