"""A ledger that was lost: of what its owner did to a calendar meanwhile, what can be known and what cannot."""

from typing import Any

import pytest
from tests.simulation.checkers import judged
from tests.simulation.forging import ADA, NOON, STARTS, Forged, marked, pair, run, state

LOST, GONE, LATER = NOON + 1000, NOON + 9000, NOON + 20_000


def calendar_gone_after_a_loss(
    *unread: str, old: bool = False, renamed: float = 0.0, which: str = "c", back: float = 0.0
) -> Forged:
    """The ledger is lost, and rebuilt but for some mailboxes; then Ada deletes our calendar with its event."""
    forged = Forged()
    if renamed:
        forged.decide("other name", renamed, renamed)
    for at in filter(None, (renamed, back)):
        detail = {"action": "rename-calendar", "cause": "user", "calendar": which}
        forged.record("change", at, app="", detail=detail)
    forged.decide("loss", LOST, LOST, mailbox="", old=old)
    forged.testimony["runs"].append(
        run(LOST + 1, LOST + 900, kind="rebuild", outcome="rebuilt", unread=list(unread))
    )
    return forged


def deletes_it(forged: Forged) -> None:
    forged.change("delete", "e1", by="user", at=GONE)
    forged.record(
        "change", GONE, app="", detail={"action": "delete-calendar", "cause": "user", "calendar": "c"}
    )


def makes_it_again(forged: Forged) -> None:
    detail = {"action": "create-calendar", "cause": "api:a-north", "calendar": "d"}
    forged.record("change", LATER, detail=detail)


@pytest.mark.parametrize(
    ("unread", "found"), [((), ["I13"]), (("grace@north.example",), ["I13"]), ((ADA,), [])]
)
def test_what_a_rebuild_could_not_read_it_cannot_have_missed(
    unread: tuple[str, ...], found: list[str]
) -> None:
    forged = calendar_gone_after_a_loss(*unread)
    deletes_it(forged)
    makes_it_again(forged)
    assert sorted(forged.found() & {"I13"}) == found


def test_where_something_was_made_since_the_ledger_knows_the_mailbox_again() -> None:
    forged = calendar_gone_after_a_loss(ADA)
    forged.change("create", "e2", at=GONE - 10, mark=marked(key="lectures:l2"))
    deletes_it(forged)
    makes_it_again(forged)
    assert "I13" in forged.found()


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ({"renamed": LOST - 1}, []),
        ({"renamed": GONE - 1}, ["I13"]),
        ({"renamed": LOST - 1, "which": "d"}, ["I13"]),
        ({"renamed": LOST - 1, "old": True}, ["I13"]),
        ({"renamed": LOST - 2, "back": LOST - 1}, ["I13"]),
    ],
    ids=["before_the_loss", "after_the_rebuild", "another_one", "in_an_old_ledger", "and_named_back"],
)
def test_a_calendar_that_was_renamed_before_a_ledger_was_deleted_nobody_knows_again(
    how: dict[str, Any], found: list[str]
) -> None:
    forged = calendar_gone_after_a_loss(**how)
    deletes_it(forged)
    makes_it_again(forged)
    assert sorted(forged.found() & {"I13"}) == found


def test_it_is_known_again_where_something_was_made_since() -> None:
    forged = calendar_gone_after_a_loss(renamed=LOST - 1)
    forged.change("create", "e2", at=GONE - 10, mark=marked(key="lectures:l2"))
    deletes_it(forged)
    makes_it_again(forged)
    assert "I13" in forged.found()


@pytest.mark.parametrize(
    ("begin", "end", "found"),
    [
        (GONE + 1, GONE + 9, False),
        (GONE - 9, GONE + 9, False),
        (GONE - 9, None, False),
        (GONE - 9, GONE - 1, True),
        (LATER + 9, LATER + 99, True),
    ],
    ids=["after_it", "over_it", "without_an_end", "before_it", "after_all"],
)
def test_a_calendar_is_made_again_by_a_reset_that_ends_after_it_was_deleted(
    begin: float, end: float | None, *, found: bool
) -> None:
    forged = Forged()
    reset = run(begin, GONE, kind="sync", person=ADA, reset=True)
    forged.testimony["runs"].append(reset | {"end": end})
    deletes_it(forged)
    makes_it_again(forged)
    assert ("I13" in forged.found()) is found


@pytest.mark.parametrize(
    ("of", "others", "found"),
    [
        (None, [], []),
        (NOON - 60, [], []),
        (NOON + 60, [], ["I3"]),
        (None, ["lectures:l2"], ["I3"]),
        (NOON - 60, ["lectures:l2"], ["I3"]),
    ],
    ids=["nobody", "an_older_ledger", "an_old_ledger", "a_timetable", "a_timetable_beside_it"],
)
def test_whom_neither_a_timetable_nor_the_ledger_knows_nobody_can_look_for(
    of: float | None, others: list[str], found: list[str]
) -> None:
    forged = Forged()
    forged.testimony["states"].append(state(NOON + 10, *(pair(1) | {"key": key} for key in others)))
    forged.decide("loss", LOST, LOST, mailbox="", old=of is not None, of=of)
    told = judged(forged.history, forged.testimony)
    assert sorted({text[:2] for text in told if "still stands" in text}) == found


@pytest.mark.parametrize(
    ("whom", "at", "left", "found"),
    [
        (ADA, LOST, 1, []),
        (ADA, LOST, 0, ["I3"]),
        ("bo@north.example", LOST, 1, ["I3"]),
        (ADA, NOON - 9, 1, ["I3"]),
    ],
    ids=["left_there", "nothing_left", "somebody_else", "before_it_was_made"],
)
def test_what_somebody_leaves_who_is_forgotten_and_named_no_more_stays(
    whom: str, at: float, left: int, found: list[str]
) -> None:
    forged = Forged()
    forged.testimony["states"].append(state(NOON + 10))
    forged.decide("forget", at, at, mailbox=whom, left=left)
    forged.decide("resume", at + 9, at + 9, mailbox=whom)
    told = judged(forged.history, forged.testimony)
    assert sorted({text[:2] for text in told if "still stands" in text}) == found


@pytest.mark.parametrize(
    ("lost", "copied", "version", "found"),
    [
        (True, NOON + 60, 1, []),
        (True, NOON + 60, 2, ["I3"]),
        (True, NOON + 900, 1, ["I3"]),
        (False, NOON + 60, 1, ["I3"]),
    ],
    ids=["taken_for_ours", "wanted_otherwise", "made_too_late", "known_for_a_copy"],
)
def test_a_double_that_is_as_it_should_be_is_taken_for_the_original_without_a_write(
    copied: float, version: int, found: list[str], *, lost: bool
) -> None:
    """The original is removed by its owner, and once more by us; then a lost ledger is rebuilt from the double."""
    forged = Forged()
    forged.asked("POST", NOON)
    forged.change("copy", "e2", by="user", copy_of="e1", at=copied)
    forged.change("delete", "e1", by="user", at=copied + 1)
    forged.change("purge", "e1", at=NOON + 950)
    forged.testimony["unconditional_deletes"] = True
    if lost:
        forged.decide("loss", LOST, LOST, mailbox="", old=False)
        forged.testimony["runs"].append(
            run(LOST + 1, LOST + 900, kind="rebuild", outcome="rebuilt", unread=[])
        )
    forged.record("request", LOST + 2, method="GET", path="/v1.0/users", status=200)
    forged.testimony["states"] += [state(NOON + 940), state(LATER, pair(version))]
    assert sorted(forged.found() & {"I3"}) == found


@pytest.mark.parametrize(
    ("lost", "hours", "found"),
    [(True, 0, []), (True, 1, ["I1"]), (False, 0, ["I1"])],
    ids=["renumbered", "at_another_time", "known"],
)
def test_an_event_of_a_lost_ledger_may_be_that_of_another_meeting_at_its_time(
    hours: int, found: list[str], *, lost: bool
) -> None:
    forged = Forged()
    if lost:
        forged.decide("loss", LOST, LOST, mailbox="", old=False)
    start = STARTS + 3600 * hours
    forged.change("update", "e1", title="l2 v1", at=LATER, start=start, end=start + 3600)
    # From then on it is that meeting's.
    forged.change("update", "e1", title="l2 v2", at=LATER + 60, start=start + 7200, end=start + 10_800)
    assert sorted(forged.found() & {"I1"}) == found


@pytest.mark.parametrize(
    ("gone", "said", "wrong"), [(True, True, False), (True, False, True), (False, True, True)]
)
def test_what_stands_in_a_mailbox_that_is_said_to_be_in_doubt_is_looked_at_by_a_rebuild(
    *, gone: bool, said: bool, wrong: bool
) -> None:
    forged = Forged()
    if gone:
        forged.decide("loss", LOST, LOST, mailbox="", old=False)
    forged.testimony["states"].append(state(NOON + 9, pair(1) | {"key": "lectures:l2", "title": "l2 v1"}))
    forged.change("create", "e2", title="l2 v1", at=LATER, mark=marked(key="lectures:l2"))
    if said:
        forged.testimony["final"]["lost"] = [{"institution": "north", "mailbox": ADA}]
    assert ("I3" in forged.found()) is wrong
