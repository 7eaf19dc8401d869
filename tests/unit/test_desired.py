"""Desired state: which mailbox should hold which meeting, in which profile."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.timetables import HOUR, NOW, audience, desired, fingerprint, meeting, snapshot

from classbell.desired import Desired, MeetingKey
from classbell.model import Meeting, Rendering, Snapshot
from classbell.numbering import Numbering

ANN, BOB, CID = "ann@x.edu", "bob@x.edu", "cid@x.edu"


def pairs(of: Desired) -> list[tuple[int, int]]:
    """Every (mailbox, meeting), mailbox by mailbox."""
    return [
        (box, int(of.slots.meeting[slot]))
        for index, box in enumerate(of.mailboxes.tolist())
        for slot in of.slot[of.offsets[index] : of.offsets[index + 1]].tolist()
    ]


def test_every_attendance_of_a_meeting_that_takes_place_is_a_pair() -> None:
    meetings = [meeting("m1"), meeting("off", cancelled=True), meeting("m2", 2 * HOUR)]
    attends = [(ANN, "m1"), (ANN, "off"), (ANN, "m2"), (BOB, "m2")]
    mailboxes: Numbering[str] = Numbering({ANN: 9, BOB: 4})
    numbers: Numbering[MeetingKey] = Numbering({("timetable", "m1"): 2, ("timetable", "m2"): 1})
    wanted = desired([snapshot(meetings, attends)], mailboxes=mailboxes, meetings=numbers)
    assert wanted.sources == ("timetable",)
    assert pairs(wanted) == [(4, 1), (9, 1), (9, 2)]
    off = numbers.number(("timetable", "off"))
    assert wanted.known.tolist() == [1, 2, off]
    assert wanted.cancelled.tolist() == [off]


def test_a_slot_says_when_the_meeting_is_and_how_it_looks() -> None:
    late = meeting("m1", 5 * HOUR, lasts=600)
    wanted = desired([snapshot([late], [(ANN, "m1")])], calendars={"standard": "Classes"})
    (slot,) = wanted.slot.tolist()
    slots = wanted.slots
    assert (slots.starts[slot], slots.ends[slot]) == (NOW + 5 * HOUR, NOW + 5 * HOUR + 600)
    assert int(slots.fingerprint[slot]) == fingerprint("standard", late)
    assert slots.calendars[slots.calendar[slot]] == "Classes"


def test_a_meeting_is_rendered_once_per_profile_whoever_attends_and_not_if_it_is_cancelled() -> None:
    seen: list[tuple[str, str]] = []

    def render(profile: str, of: Meeting) -> Rendering:
        seen.append((profile, of.key))
        return Rendering(fingerprint=1, body=b"")

    people = [f"p{number}@x.edu" for number in range(40)]
    read = snapshot(
        [meeting("m1"), meeting("off", cancelled=True)], [(p, k) for p in people for k in ("m1", "off")]
    )
    desired([read], render=render)
    assert seen == [("standard", "m1")]


def test_spellings_of_one_address_are_one_mailbox_that_holds_a_meeting_once() -> None:
    read = snapshot([meeting("m1")], [("Ann@x.edu", "m1"), (ANN, "m1")])
    assert len(pairs(desired([read]))) == 1


def test_equal_keys_of_two_sources_are_two_meetings_and_each_source_has_its_profile() -> None:
    reads = [snapshot([meeting("m1")], [(ANN, "m1")], source=source) for source in ("one", "two")]
    audiences = [audience("two", profile="loud"), audience("one", "two", profile="plain")]
    wanted = desired(reads, audiences=audiences)
    assert len(pairs(wanted)) == 2
    assert wanted.sources == ("one", "two")
    assert set(wanted.slots.fingerprint.tolist()) == {
        fingerprint("plain", reads[0].meetings[0]),
        fingerprint("loud", reads[1].meetings[0]),
    }


def test_whoever_could_not_be_read_in_full_is_named_with_the_source() -> None:
    mailboxes: Numbering[str] = Numbering({ANN: 3, CID: 5})
    reads = [
        snapshot([meeting("m1")], [(ANN, "m1")], source="one", unread=["CID@x.edu"]),
        snapshot([meeting("m1")], [(ANN, "m1")], source="two", unread=[ANN]),
    ]
    assert desired(reads, mailboxes=mailboxes).unread == {(0, 5), (1, 3)}


def test_nothing_read_wants_nothing() -> None:
    wanted = desired([])
    assert pairs(wanted) == []
    assert wanted.offsets.tolist() == [0]
    assert (wanted.sources, wanted.known.tolist(), wanted.unread) == ((), [], frozenset())


def test_a_source_that_attaches_nobody_is_known_with_its_meetings() -> None:
    wanted = desired([snapshot([meeting("m1"), meeting("m2", cancelled=True)], [])])
    assert (wanted.sources, len(wanted.known), len(wanted.cancelled)) == (("timetable",), 2, 1)
    assert pairs(wanted) == []


PEOPLE = st.sampled_from([ANN, BOB, CID, "ANN@X.edu", "40112"])
KEYS = st.sampled_from(["m1", "m2", "m3"])


@st.composite
def reads(draw: st.DrawFn, source: str) -> Snapshot:
    meetings = [meeting(key, cancelled=draw(st.booleans())) for key in ("m3", "m1", "m2")]
    return snapshot(meetings, draw(st.lists(st.tuples(PEOPLE, KEYS), unique=True)), source=source)


@given(st.tuples(reads("one"), reads("two")), st.dictionaries(PEOPLE.map(str.lower), st.integers(0, 9)))
def test_runs_are_ascending_and_hold_exactly_the_pairs_of_the_snapshots(
    read: Sequence[Snapshot], known: dict[str, int]
) -> None:
    mailboxes = Numbering({key: number for number, key in enumerate(sorted(known))})
    meetings: Numbering[MeetingKey] = Numbering({("two", "m1"): 0})
    wanted = desired(read, mailboxes=mailboxes, meetings=meetings)
    found = pairs(wanted)
    assert found == sorted(set(found))
    assert wanted.mailboxes.tolist() == sorted({box for box, _ in found})
    names, keys = mailboxes.keys(), meetings.keys()
    assert {(names[box], keys[of]) for box, of in found} == {
        (one.people[person].lower(), (one.source, one.meetings[at].key))
        for one in read
        for person, at in one.attendance.tolist()
        if not one.meetings[at].cancelled and "@" in one.people[person]
    }
