"""Telling meetings that only changed their key from new ones."""

from collections.abc import Sequence

from tests.unit.timetables import DAY, HOUR, NOW, delivered, desired, fingerprint, meeting, snapshot

from classbell.model import Meeting, Window
from classbell.numbering import Numbering
from classbell.rekey import Candidates, candidates

WINDOW = Window(begin=NOW - 7 * DAY, end=NOW + 30 * DAY)
PEOPLE = [f"p{number}@example.edu" for number in range(5)]


def found(
    before: Sequence[Meeting],
    now: Sequence[Meeting],
    *,
    people_before: Sequence[str] = PEOPLE,
    people_now: Sequence[str] = PEOPLE,
    unread: Sequence[str] = (),
) -> tuple[Candidates, dict[str, str]]:
    """The candidates, and by new keys the old ones that show the same."""
    known = {("timetable", one.key): number for number, one in enumerate(before)}
    boxes = {person: number for number, person in enumerate(PEOPLE)}
    events = {
        (boxes[person], number): (fingerprint("standard", one), one.starts_at, one.ends_at)
        for number, one in enumerate(before)
        for person in people_before
    }
    meetings = Numbering(known)
    wanted = desired(
        [snapshot(now, [(person, one.key) for one in now for person in people_now], unread=unread)],
        meetings=meetings,
        mailboxes=Numbering(boxes),
    )
    result = candidates(wanted, [delivered(events)] if events else [], WINDOW)
    keys = meetings.keys()
    pairs = {keys[new][1]: keys[old][1] for new, old in result.settled(result.same).items()}
    return result, pairs


def lecture(key: str, start: int, title: str = "Algebra") -> Meeting:
    return meeting(key, start, title=title)


def test_all_ids_changed_are_paired_by_what_stands_in_calendars() -> None:
    old = [lecture(f"a{day}", day * DAY) for day in range(1, 20)]
    new = [lecture(f"b{day}", day * DAY) for day in range(1, 20)]
    assert found(old, new)[1] == {f"b{day}": f"a{day}" for day in range(1, 20)}


def test_meetings_that_have_ended_are_paired_as_well() -> None:
    assert found([lecture("a", -3 * DAY)], [lecture("b", -3 * DAY)])[1] == {"b": "a"}
    assert found([lecture("a", -8 * DAY)], [lecture("b", -8 * DAY)])[1] == {}


def test_nothing_is_paired_that_keeps_its_key_or_stands_at_another_time() -> None:
    assert found([lecture("a", HOUR)], [lecture("a", HOUR), lecture("b", HOUR)])[1] == {}
    assert found([lecture("a", HOUR)], [lecture("b", 2 * HOUR)])[1] == {}
    assert found([lecture("a", HOUR)], [meeting("b", HOUR, title="Algebra", lasts=2 * HOUR)])[1] == {}
    assert found([], [lecture("b", HOUR)])[1] == {}


def test_four_fifths_of_the_mailboxes_must_be_the_same() -> None:
    old, new = [lecture("a", HOUR)], [lecture("b", HOUR)]
    assert found(old, new, people_now=PEOPLE[:4])[1] == {"b": "a"}
    assert found(old, new, people_now=PEOPLE[:3])[1] == {}
    assert found(old, new, people_before=PEOPLE[:4], people_now=PEOPLE[1:])[1] == {}


def test_another_title_is_a_candidate_that_somebody_must_look_at() -> None:
    result, pairs = found([lecture("a", HOUR)], [lecture("b", HOUR, "Logic")])
    assert (len(result), pairs) == (1, {})
    assert (result.old_print[0], result.new_print[0]) == (
        fingerprint("standard", lecture("a", HOUR)),
        fingerprint("standard", lecture("b", HOUR, "Logic")),
    )


def test_of_several_at_one_time_those_that_show_the_same_belong_together() -> None:
    old = [lecture("a1", HOUR, "Algebra"), lecture("a2", HOUR, "Logic")]
    new = [lecture("b1", HOUR, "Logic"), lecture("b2", HOUR, "Algebra")]
    assert found(old, new)[1] == {"b1": "a2", "b2": "a1"}


def test_twins_are_each_paired_once() -> None:
    old = [lecture("a1", HOUR), lecture("a2", HOUR)]
    new = [lecture("b1", HOUR), lecture("b2", HOUR), lecture("b3", HOUR)]
    pairs = found(old, new)[1]
    assert len(pairs) == 2
    assert sorted(pairs.values()) == ["a1", "a2"]


def test_what_somebody_may_still_have_unread_has_not_vanished() -> None:
    assert found([lecture("a", HOUR)], [lecture("b", HOUR)], unread=PEOPLE[:1])[1] == {}
