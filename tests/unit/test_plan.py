"""The plan, beside a planner that is so simple that it must be right."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.timetables import (
    DAY,
    HOUR,
    NOW,
    WIDE,
    Event,
    delivered,
    desired,
    fingerprint,
    meeting,
    snapshot,
)

from classbell.desired import MeetingKey
from classbell.model import Action, Coverage, Meeting, Reason, Snapshot, Window
from classbell.numbering import PROVISIONAL, Numbering
from classbell.plan import Plan, Terms, pair_keys, plan_changes

WINDOW = Window(begin=NOW - DAY, end=NOW + DAY)

Pair = tuple[str, MeetingKey]
Planned = tuple[Action, Reason, int, int, int, int]
"""Action, reason, wanted and previous fingerprint, start, end."""


@dataclass(kw_only=True)
class World:
    """What was read, and what is delivered by keys; how to plan for it, and how to plan simply."""

    snapshots: list[Snapshot]
    held: dict[Pair, Event] = field(default_factory=dict)
    known: set[MeetingKey] = field(default_factory=set)
    busy: set[Pair] = field(default_factory=set)
    window: Window = WINDOW
    only: str | None = None
    runs: int = 1

    def numberings(self) -> tuple[Numbering[str], Numbering[MeetingKey]]:
        people = sorted({person for person, _ in (*self.held, *self.busy)})
        keys = sorted(self.known | {key for _, key in (*self.held, *self.busy)})
        return (
            Numbering({person: number for number, person in enumerate(people, 3)}),
            Numbering({key: number for number, key in enumerate(keys, 5)}),
        )

    def plan(self) -> tuple[Plan, dict[Pair, Planned]]:
        """The plan as it is, and by keys."""
        mailboxes, meetings = self.numberings()
        wanted = desired(self.snapshots, mailboxes=mailboxes, meetings=meetings)
        names = meetings.keys()
        places = {name: place for place, name in enumerate(wanted.sources)}
        held = {(mailboxes.number(p), meetings.number(k)): event for (p, k), event in self.held.items()}
        boxes = sorted({box for box, _ in held})
        ends = [len(boxes) * at // self.runs for at in range(self.runs + 1)]
        cuts = [boxes[begin:end] for begin, end in pairwise(ends)]
        runs = [
            delivered(
                {pair: event for pair, event in held.items() if pair[0] in cut},
                lambda of: places.get(names[of][0], -1),
            )
            for cut in cuts
        ]
        by_name = {one.source: one.coverage for one in self.snapshots}
        busy = [(mailboxes.number(person), meetings.number(key)) for person, key in self.busy]
        pairs = np.array(busy, dtype=np.int64).reshape(-1, 2)
        made = plan_changes(
            wanted,
            runs,
            Terms(
                now=NOW,
                window=self.window,
                coverages=[by_name[name] for name in wanted.sources],
                busy=np.sort(pair_keys(pairs[:, 0], pairs[:, 1])),
                only=None if self.only is None else mailboxes.number(self.only),
            ),
        )
        people = mailboxes.keys()
        return made, {
            (people[box], names[of]): (Action(action), Reason(reason), wanted_, previous, start, end)
            for box, of, action, reason, wanted_, previous, start, end in zip(
                made.mailbox.tolist(),
                made.meeting.tolist(),
                made.action.tolist(),
                made.reason.tolist(),
                made.fingerprint.tolist(),
                made.previous.tolist(),
                made.starts.tolist(),
                made.ends.tolist(),
                strict=True,
            )
        }

    def simply(self) -> dict[Pair, Planned]:
        """The plan as one would write it down by hand, pair by pair."""
        wanted = self.wanted()
        known = self.known | {key for _, key in (*self.held, *self.busy)}
        result: dict[Pair, Planned] = {}
        for pair in wanted.keys() | self.held.keys():
            person, key = pair
            if pair in self.busy or (self.only is not None and person != self.only):
                continue
            want, have = wanted.get(pair), self.held.get(pair)
            old_in = have is not None and have[1] in self.window
            if want is not None:
                print_ = fingerprint("standard", want)
                new_in = want.starts_at in self.window
                times = (want.starts_at, want.ends_at)
                if have is None and new_in:
                    reason = Reason.JOINED if key in known else Reason.NEW_MEETING
                    result[pair] = (Action.CREATE, reason, print_, 0, *times)
                elif have is not None and have[0] != print_ and (new_in or old_in):
                    result[pair] = (Action.UPDATE, Reason.CHANGED, print_, have[0], *times)
            elif have is not None and old_in and have[2] > NOW and self._absent(pair, have):
                result[pair] = (Action.DELETE, self._why(key), 0, have[0], have[1], have[2])
        return result

    def wanted(self) -> dict[Pair, Meeting]:
        return {
            (one.people[person], (one.source, one.meetings[at].key)): one.meetings[at]
            for one in self.snapshots
            for person, at in one.attendance.tolist()
            if not one.meetings[at].cancelled
        }

    def _absent(self, pair: Pair, have: Event) -> bool:
        person, (source, _) = pair
        read = next((one.coverage for one in self.snapshots if one.source == source), None)
        return read is not None and have[1] in read.window and person not in read.unread

    def _why(self, key: MeetingKey) -> Reason:
        for one in self.snapshots:
            for at in one.meetings:
                if (one.source, at.key) == key:
                    return Reason.CANCELLED if at.cancelled else Reason.LEFT
        return Reason.REMOVED

    def applied(self) -> "World":
        """The world after its plan was carried out."""
        held = dict(self.held)
        for pair, (action, _, print_, _, start, end) in self.plan()[1].items():
            if action is Action.DELETE:
                del held[pair]
            else:
                held[pair] = (print_, start, end)
        return replace(self, held=held)


PEOPLE = ["ann@x.edu", "bob@x.edu", "cid@x.edu"]
KEYS = ["m1", "m2", "m3"]
SOURCES = ["one", "two"]

# Around every edge: the window's, the coverage's, and now.
times = st.sampled_from(
    [-DAY - 1, -DAY, -DAY + 1, -HOUR - 1, -HOUR, -HOUR + 1, -1, 0, 1, HOUR, DAY - 1, DAY, DAY + 1]
)
windows = st.tuples(times, times).map(lambda t: Window(begin=NOW + min(t), end=NOW + max(t)))
prints = st.integers(1, 2**64 - 1)


@st.composite
def snapshots(draw: st.DrawFn, source: str) -> Snapshot:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True))
    meetings = [
        meeting(key, draw(times), title=draw(st.sampled_from("ab")), cancelled=draw(st.booleans()))
        for key in keys
    ]
    pairs = [(person, key) for person in PEOPLE for key in keys]
    attends = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    unread = draw(st.sets(st.sampled_from(PEOPLE), max_size=2))
    return snapshot(meetings, attends, source=source, window=draw(windows | st.just(WIDE)), unread=unread)


@st.composite
def worlds(draw: st.DrawFn, *, busy: bool = True) -> World:
    read = [draw(snapshots(source)) for source in draw(st.sampled_from([[], ["one"], SOURCES, ["two"]]))]
    world = World(
        snapshots=read,
        window=draw(windows),
        only=draw(st.none() | st.sampled_from(PEOPLE)),
        runs=draw(st.integers(1, 4)),
        known=draw(st.sets(st.tuples(st.sampled_from(SOURCES), st.sampled_from(KEYS)), max_size=3)),
    )
    pairs = [(person, (source, key)) for person in PEOPLE for source in SOURCES for key in KEYS]
    wanted = world.wanted()
    for pair in draw(st.lists(st.sampled_from(pairs), unique=True)):
        if pair in wanted and draw(st.booleans()):
            of = wanted[pair]
            world.held[pair] = (fingerprint("standard", of), of.starts_at, of.ends_at)
        else:
            start = NOW + draw(times)
            world.held[pair] = (draw(prints), start, start + draw(st.sampled_from([0, HOUR])))
    if busy:
        world.busy = draw(st.sets(st.sampled_from(pairs), max_size=4))
    return world


@given(worlds())
def test_the_plan_is_what_one_would_write_down_by_hand(world: World) -> None:
    assert world.plan()[1] == world.simply()


@given(worlds())
def test_what_is_counted_is_what_stands_there(world: World) -> None:
    plan, changes = world.plan()
    losing = {person for (person, _), change in changes.items() if change[0] is Action.DELETE}
    people = world.numberings()[0].keys()
    assert {people[box]: count for box, count in plan.upcoming.items()} == {
        loser: sum(event[2] > NOW for (person, _), event in world.held.items() if person == loser)
        for loser in losing
    }
    assert plan.delivered == sum(event[1] in world.window for event in world.held.values())
    wanted = world.wanted()
    assert plan.unchanged == sum(
        wanted[pair].starts_at in world.window or world.held[pair][1] in world.window
        for pair in wanted.keys() & world.held.keys()
        if fingerprint("standard", wanted[pair]) == world.held[pair][0] and world.only in {None, pair[0]}
    )


@given(worlds(busy=False))
def test_planning_again_after_applying_the_plan_gives_an_empty_plan(world: World) -> None:
    assert world.applied().plan()[1] == {}


@given(worlds())
def test_changes_are_ordered_by_mailbox_and_meeting_and_name_each_pair_once(world: World) -> None:
    plan, _ = world.plan()
    pairs = list(zip(plan.mailbox.tolist(), plan.meeting.tolist(), strict=True))
    assert pairs == sorted(set(pairs))


@given(worlds())
def test_whoever_could_not_be_read_in_full_loses_nothing(world: World) -> None:
    for (person, (source, _)), change in world.plan()[1].items():
        read = next(one for one in world.snapshots if one.source == source)
        assert change[0] is not Action.DELETE or person not in read.coverage.unread


@given(worlds(), st.sampled_from(SOURCES))
def test_nothing_is_deleted_of_a_source_that_was_not_read(world: World, failed: str) -> None:
    world.snapshots = [one for one in world.snapshots if one.source != failed]
    assert not any(key[0] == failed for _, key in world.plan()[1])


@given(worlds())
def test_how_delivered_events_are_cut_into_runs_does_not_matter(world: World) -> None:
    assert replace(world, runs=1).plan()[1] == replace(world, runs=5).plan()[1]


@given(worlds())
def test_a_plan_for_one_person_is_their_part_of_the_plan_for_all(world: World) -> None:
    whole = replace(world, only=None).plan()[1]
    for person in PEOPLE:
        mine = replace(world, only=person).plan()[1]
        assert mine == {pair: change for pair, change in whole.items() if pair[0] == person}


def one(
    start: int, *, held: Event | None = None, window: Window = WINDOW, busy: frozenset[Pair] = frozenset()
) -> dict[Pair, Planned]:
    """The plan for one person and one meeting."""
    read = [snapshot([meeting("m1", start)], [("ann@x.edu", "m1")])]
    world = World(snapshots=read, window=window, busy=set(busy))
    if held is not None:
        world.held["ann@x.edu", ("timetable", "m1")] = held
    return world.plan()[1]


@pytest.mark.parametrize(
    ("start", "counts"),
    [(-DAY - 1, False), (-DAY, True), (0, True), (DAY - 1, True), (DAY, False)],
)
def test_the_window_is_half_open_by_the_start(start: int, counts: bool) -> None:  # noqa: FBT001
    assert bool(one(start)) == counts


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        (DAY - 1, DAY, True),
        (DAY, DAY - 1, True),
        (-DAY - 1, -DAY, True),
        (-DAY, -DAY - 1, True),
        (DAY, DAY + HOUR, False),
        (-DAY - 1, DAY, False),
    ],
)
def test_a_move_counts_if_its_old_or_its_new_start_lies_inside(old: int, new: int, counts: bool) -> None:  # noqa: FBT001
    changes = one(new, held=(7, NOW + old, NOW + old + HOUR))
    assert [change[0] for change in changes.values()] == [Action.UPDATE] * counts


@pytest.mark.parametrize(("ends", "goes"), [(-1, False), (0, False), (1, True)])
def test_what_has_ended_is_never_deleted(ends: int, goes: bool) -> None:  # noqa: FBT001
    world = World(snapshots=[snapshot([], [])])
    world.held["ann@x.edu", ("timetable", "m1")] = (7, NOW - HOUR, NOW + ends)
    world.snapshots = [snapshot([meeting("other")], [("ann@x.edu", "other")])]
    assert (Action.DELETE in {change[0] for change in world.plan()[1].values()}) == goes


@pytest.mark.parametrize("held", [None, (7, NOW + HOUR, NOW + 2 * HOUR)])
def test_a_pair_whose_last_request_is_not_settled_is_left_alone(held: Event | None) -> None:
    assert len(one(0, held=held)) == 1
    assert one(0, held=held, busy=frozenset({("ann@x.edu", ("timetable", "m1"))})) == {}


def test_what_has_ended_is_still_created_and_corrected_inside_the_window() -> None:
    assert [change[0] for change in one(-5 * HOUR).values()] == [Action.CREATE]
    held = (7, NOW - 5 * HOUR, NOW - 4 * HOUR)
    assert [change[0] for change in one(-5 * HOUR, held=held).values()] == [Action.UPDATE]


@pytest.mark.parametrize(
    ("start", "goes"), [(HOUR - 1, False), (HOUR, True), (2 * HOUR - 1, True), (2 * HOUR, False)]
)
def test_absence_proves_nothing_outside_the_coverage(start: int, goes: bool) -> None:  # noqa: FBT001
    covered = Window(begin=NOW + HOUR, end=NOW + 2 * HOUR)
    read = snapshot([meeting("other")], [("ann@x.edu", "other")], window=covered)
    world = World(snapshots=[read])
    world.held["ann@x.edu", ("timetable", "m1")] = (7, NOW + start, NOW + start + HOUR)
    assert (("ann@x.edu", ("timetable", "m1")) in world.plan()[1]) == goes


def test_an_empty_coverage_proves_nothing() -> None:
    world = World(snapshots=[snapshot([], [], window=Window(begin=0, end=0))])
    world.held["ann@x.edu", ("timetable", "m1")] = (7, NOW + HOUR, NOW + 2 * HOUR)
    assert world.plan()[1] == {}


def test_the_reason_says_what_happened_to_the_meeting() -> None:
    meetings = [
        meeting("stays"),
        meeting("left"),
        meeting("off", cancelled=True),
        meeting("new"),
        meeting("old"),
    ]
    attends = [("ann@x.edu", key) for key in ("stays", "off", "new", "old")]
    world = World(snapshots=[snapshot(meetings, attends)], known={("timetable", "old")})
    for key in ("stays", "left", "off", "gone"):
        world.held["ann@x.edu", ("timetable", key)] = (7, NOW + HOUR, NOW + 2 * HOUR)
    assert {key[1]: change[:2] for (_, key), change in world.plan()[1].items()} == {
        "stays": (Action.UPDATE, Reason.CHANGED),
        "left": (Action.DELETE, Reason.LEFT),
        "off": (Action.DELETE, Reason.CANCELLED),
        "gone": (Action.DELETE, Reason.REMOVED),
        "new": (Action.CREATE, Reason.NEW_MEETING),
        "old": (Action.CREATE, Reason.JOINED),
    }


def test_keys_the_ledger_does_not_know_bear_provisional_numbers() -> None:
    world = World(
        snapshots=[snapshot([meeting("m1"), meeting("m2")], [("ann@x.edu", "m1"), ("bob@x.edu", "m2")])]
    )
    world.held["ann@x.edu", ("timetable", "m2")] = (7, NOW + HOUR, NOW + 2 * HOUR)
    plan, _ = world.plan()
    numbers = set(
        zip((plan.mailbox >= PROVISIONAL).tolist(), (plan.meeting >= PROVISIONAL).tolist(), strict=True)
    )
    assert numbers == {(False, True), (False, False), (True, False)}


def test_changes_say_which_source_and_calendar_they_belong_to() -> None:
    reads = [
        snapshot([meeting("m1")], [("ann@x.edu", "m1")], source="one"),
        snapshot([meeting("m2")], [("ann@x.edu", "m2")], source="two"),
    ]
    wanted = desired(reads, calendars={"standard": "Classes"})
    plan = plan_changes(wanted, [], Terms(now=NOW, window=WINDOW, coverages=[Coverage(window=WIDE)] * 2))
    assert plan.source.tolist() == [0, 1]
    assert [wanted.slots.calendars[index] for index in plan.calendar.tolist()] == ["Classes", "Classes"]


def test_nothing_read_and_nothing_delivered_is_an_empty_plan() -> None:
    plan = plan_changes(desired([]), [], Terms(now=NOW, window=WINDOW, coverages=[]))
    assert len(plan) == 0
    assert (plan.unchanged, plan.delivered, plan.upcoming) == (0, 0, {})


def test_chosen_keeps_what_the_mask_says_and_all_that_was_counted() -> None:
    world = World(
        snapshots=[snapshot([meeting("m1"), meeting("m2")], [("ann@x.edu", "m1"), ("ann@x.edu", "m2")])]
    )
    plan, _ = world.plan()
    half = plan.chosen(np.array([False, True]))
    assert half.meeting.tolist() == plan.meeting.tolist()[1:]
    assert plan.chosen(np.array([1, 0])).meeting.tolist() == plan.meeting.tolist()[::-1]
    assert (half.unchanged, half.delivered) == (plan.unchanged, plan.delivered)
    assert half.count(Action.CREATE) == 1
