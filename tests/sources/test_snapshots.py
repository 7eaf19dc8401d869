"""What a snapshot promises whatever it was built from."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.reading import TERM, attendance

from classbell.model import Meeting, Remark, Snapshot
from classbell.sources.snapshot import build, person_of


def meeting(key: str, title: str = "Algebra") -> Meeting:
    start = datetime.fromisoformat("2026-09-21T09:00")
    return Meeting(key=key, start=start, end=start, zone="UTC", fields={"title": title, "location": "Room"})


def built(
    keys: list[str], people: list[str], pairs: list[tuple[int, int]], unread: frozenset[str] = frozenset()
) -> Snapshot:
    return build(
        source="s",
        meetings=[meeting(key) for key in keys],
        people=people,
        pairs=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        window=TERM,
        unread=unread,
    )


PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=30)


@given(PAIRS, st.permutations(range(5)), st.permutations(range(4)))
def test_a_snapshot_does_not_depend_on_the_order_of_its_input(
    pairs: list[tuple[int, int]], meetings: list[int], people: list[int]
) -> None:
    keys, names = list("abcde"), list("wxyz")
    plain = built(keys, names, pairs)
    mixed = built(
        [keys[index] for index in meetings],
        [names[index] for index in people],
        [(people.index(person), meetings.index(number)) for person, number in reversed(pairs)],
    )
    assert mixed.digest == plain.digest
    assert mixed.meetings == plain.meetings
    assert mixed.attendance.tolist() == plain.attendance.tolist()
    assert attendance(mixed) == {(names[person], keys[number]) for person, number in pairs}


@given(PAIRS)
def test_attendance_is_sorted_and_unique_in_compact_numbers(pairs: list[tuple[int, int]]) -> None:
    rows = built(list("abcde"), list("wxyz"), pairs).attendance
    assert rows.dtype == np.int32
    assert rows.tolist() == sorted(list(pair) for pair in set(pairs))


def test_the_digest_changes_with_a_text_a_person_an_attendance_and_who_was_unread() -> None:
    plain = built(["a", "b"], ["x", "y"], [(0, 0), (1, 1)])
    others = [
        built(["a", "c"], ["x", "y"], [(0, 0), (1, 1)]),
        built(["a", "b"], ["x", "z"], [(0, 0), (1, 1)]),
        built(["a", "b"], ["x", "y"], [(0, 0), (1, 0)]),
        built(["a", "b"], ["x", "y"], [(0, 0), (1, 1)], unread=frozenset({"x"})),
        build(
            source="s",
            meetings=[meeting("a"), meeting("b", "Geometry")],
            people=["x", "y"],
            pairs=np.array([(0, 0), (1, 1)], dtype=np.int64),
            window=TERM,
        ),
    ]
    assert len({plain.digest, *(other.digest for other in others)}) == 6
    assert len(plain.digest) == 16


def test_a_remark_does_not_change_the_digest() -> None:
    arguments = {"source": "s", "meetings": [meeting("a")], "people": ["x"], "window": TERM}
    pairs = np.zeros((1, 2), dtype=np.int64)
    told = build(**arguments, pairs=pairs, remarks=[Remark(code="E", text="t")])  # type: ignore[arg-type]
    assert told.digest == build(**arguments, pairs=pairs).digest  # type: ignore[arg-type]
    assert told.remarks == (Remark(code="E", text="t"),)


def test_two_meetings_with_one_key_are_never_a_snapshot() -> None:
    with pytest.raises(ValueError, match="'a'"):
        built(["a", "a"], ["x"], [])


@pytest.mark.parametrize(
    "text", ["Ada@Example.edu", " ada@example.edu\t", "mailto:ada@example.edu", "MAILTO:ada@example.EDU"]
)
def test_a_person_has_one_form(text: str) -> None:
    assert person_of(text) == "ada@example.edu"
