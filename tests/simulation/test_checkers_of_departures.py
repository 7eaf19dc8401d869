"""Who has left more than once, or together with everybody: what may go, and what must not."""

from collections.abc import Sequence

import pytest
from tests.simulation.checkers import judged
from tests.simulation.forging import ADA, NOON, STARTS, Forged, marked, run, state

GRACE = "grace@north.example"
HERS = [[ADA, "lectures:l1"]]
LATER = NOON + 10_000


def leaves(
    forged: Forged,
    at: float,
    mode: str,
    events: list[list[str]],
    *,
    mailbox: str = ADA,
    deletes: int = -1,
    unread: Sequence[str] = (),
) -> None:
    """Somebody leaves, and these events are to go: as many as were counted, unless another number is given."""
    counted = len(events) if deletes < 0 else deletes
    told = {"mode": mode, "deletes": counted, "events": events, "unread": list(unread)}
    forged.decide("unlink", at, at + 1, mailbox=mailbox, **told)


@pytest.mark.parametrize("whom", [ADA, ""])
def test_a_later_departure_may_take_what_an_earlier_one_left(whom: str) -> None:
    forged = Forged()
    leaves(forged, NOON + 10, "UNLINK_ONLY", [])
    leaves(forged, LATER, "CLEANUP", [*HERS, [GRACE, "lectures:l1"]], mailbox=whom)
    forged.change("delete", "e1", at=LATER + 5)
    assert "I13" not in forged.found()


def test_what_had_begun_goes_if_a_later_departure_takes_that_as_well() -> None:
    forged = Forged()
    leaves(forged, STARTS + 1000, "DELETE_FUTURE_EVENTS", [])
    leaves(forged, STARTS + 9000, "CLEANUP", HERS, mailbox="")
    forged.change("delete", "e1", at=STARTS + 9002)
    assert "I13" not in forged.found()


def test_an_approved_deletion_may_come_after_another_departure_that_takes_nothing() -> None:
    forged = Forged()
    leaves(forged, NOON + 10, "DELETE_ALL_EVENTS", HERS)
    leaves(forged, LATER, "UNLINK_ONLY", [])
    forged.change("delete", "e1", at=LATER + 5000)
    assert "I13" not in forged.found()


def test_a_later_departure_approves_nothing_that_went_before_it() -> None:
    forged = Forged()
    leaves(forged, NOON + 10, "UNLINK_ONLY", [])
    forged.change("delete", "e1", at=LATER - 5)
    leaves(forged, LATER, "CLEANUP", HERS)
    assert "I13" in forged.found()


def test_the_departure_of_another_person_approves_nothing() -> None:
    forged = Forged()
    leaves(forged, NOON + 10, "UNLINK_ONLY", [])
    leaves(forged, LATER, "CLEANUP", [[GRACE, "lectures:l1"]], mailbox=GRACE)
    forged.change("delete", "e1", at=LATER + 5)
    assert "I13" in forged.found()


def test_what_was_approved_before_somebody_came_back_is_no_longer() -> None:
    forged = Forged()
    leaves(forged, NOON + 10, "DELETE_ALL_EVENTS", HERS)
    forged.decide("resume", NOON + 20, NOON + 21)
    leaves(forged, NOON + 30, "UNLINK_ONLY", [])
    forged.change("delete", "e1", at=LATER)
    assert "I13" in forged.found()


def test_one_approval_is_of_one_deletion() -> None:
    forged = Forged()
    leaves(forged, NOON + 10, "DELETE_ALL_EVENTS", HERS)
    forged.change("delete", "e1", at=LATER)
    forged.change("create", "e2", at=LATER + 1, mark=marked(incarnation=2))
    forged.change("delete", "e2", at=LATER + 2, mark=marked(incarnation=2))
    assert "I13" in forged.found()


def test_no_more_goes_than_was_counted() -> None:
    forged = Forged()
    leaves(forged, NOON + 10, "DELETE_ALL_EVENTS", HERS, deletes=0)
    assert "I13" in forged.found()


@pytest.mark.parametrize("found", [[], ["I13"]], ids=["gone", "came_back"])
def test_from_somebody_paused_goes_only_what_a_departure_takes_that_holds_good(found: list[str]) -> None:
    forged = Forged()
    forged.decide("pause", NOON + 5, NOON + 6, until=None)
    leaves(forged, NOON + 10, "CLEANUP", HERS, mailbox="")
    if found:
        forged.decide("resume", LATER - 900, LATER - 899, mailbox="")
    forged.asked("DELETE", LATER)
    assert sorted(forged.found() & {"I13"}) == found


def test_a_departure_does_not_excuse_another_deletion_that_nothing_asked_for() -> None:
    forged = Forged()
    leaves(forged, NOON + 10, "DELETE_ALL_EVENTS", [])
    forged.change("delete", "e1", at=LATER)
    assert "I4" in forged.found()


def test_what_is_forgotten_is_not_written_not_even_deleted() -> None:
    for method in ("POST", "DELETE"):
        forged = Forged()
        leaves(forged, NOON + 5, "DELETE_ALL_EVENTS", HERS)
        forged.decide("forget", NOON + 10, NOON + 11, left=0)
        forged.asked(method, LATER)
        assert "I13" in forged.found()
        forged.decide("resume", LATER - 900, LATER - 899)
        assert "I13" not in forged.found()


@pytest.mark.parametrize("found", [[], ["I13"]], ids=["forgotten", "known"])
def test_with_somebody_their_wishes_are_forgotten(found: list[str]) -> None:
    """What they had deleted is made again for who comes back as somebody new."""
    forged = Forged()
    forged.asked("PATCH", NOON + 5)
    forged.change("delete", "e1", by="user", at=NOON + 1000)
    who = GRACE if found else ADA
    forged.decide("forget", NOON + 2000, NOON + 2001, mailbox=who, left=0)
    forged.decide("resume", NOON + 3000, NOON + 3001, mailbox=who)
    forged.change("create", "e2", at=LATER, mark=marked(incarnation=101))
    assert sorted(forged.found() & {"I13"}) == found


@pytest.mark.parametrize("found", [[], ["I3"]], ids=["forgotten", "nobody_says_so"])
def test_who_was_forgotten_gets_nothing_and_that_is_said(found: list[str]) -> None:
    forged = Forged()
    forged.change("delete", "e1", at=NOON + 100)
    leaves(forged, NOON + 90, "DELETE_ALL_EVENTS", HERS)
    forged.decide("forget", NOON + 200, NOON + 201, left=0)
    if not found:
        told = {"institution": "north", "mailbox": ADA, "kind": "forgotten"}
        forged.testimony["final"]["suspended"].append(told)
    assert sorted(forged.found() & {"I3"}) == found


@pytest.mark.parametrize(
    ("mode", "wrong"), [("DELETE_FUTURE_EVENTS", False), ("", True)], ids=["again", "once"]
)
def test_what_was_to_go_goes_by_what_was_said_when_somebody_left_last(mode: str, *, wrong: bool) -> None:
    forged = Forged()
    forged.asked("POST", NOON)
    leaves(forged, NOON + 90, "DELETE_ALL_EVENTS", HERS)
    if mode:
        leaves(forged, NOON + 200, mode, [])
    forged.testimony["states"].append(state(NOON + 80))
    forged.testimony["final"]["suspended"].append(
        {"institution": "north", "mailbox": ADA, "kind": "unlinked"}
    )
    assert any("in spite of" in text for text in judged(forged.history, forged.testimony)) is wrong


@pytest.mark.parametrize("what", ["certain", "died", "beside"])
def test_what_may_have_been_agreed_or_heard_otherwise_is_not_missed(what: str) -> None:
    """Somebody leaves once more as a process dies, or while the process that made the event is at work."""
    forged = Forged()
    forged.asked("POST", NOON)
    leaves(forged, NOON + 90, "CLEANUP", HERS)
    if what == "died":
        leaves(forged, NOON + 200, "UNLINK_ONLY", [])
        forged.testimony["decisions"][-1]["done"] = None
    forged.testimony["runs"] = [run(NOON - 9, NOON + 90 + (9 if what == "beside" else -9))]
    forged.testimony["states"].append(state(NOON + 80))
    forged.testimony["final"]["suspended"].append(
        {"institution": "north", "mailbox": ADA, "kind": "unlinked"}
    )
    told = any("in spite of" in text for text in judged(forged.history, forged.testimony))
    assert told is (what == "certain")


@pytest.mark.parametrize(("forgotten", "lost"), [(True, True), (False, True), (True, False)])
def test_what_could_not_be_told_from_a_copy_is_not_known_once_somebody_is_forgotten(
    *, forgotten: bool, lost: bool
) -> None:
    forged = Forged()
    forged.asked("POST", NOON)
    forged.change("copy", "e2", by="user", copy_of="e1", at=NOON + 20)
    if lost:
        forged.decide("loss", NOON + 60, NOON + 60, mailbox="", old=False)
    leaves(forged, NOON + 90, "CLEANUP", HERS)
    if forgotten:
        forged.decide("forget", NOON + 200, NOON + 200, left=0)
    forged.testimony["states"].append(state(NOON + 80))
    told = any("in spite of" in text for text in judged(forged.history, forged.testimony))
    assert told is not (forgotten and lost)


@pytest.mark.parametrize(
    ("unread", "known", "wrong"),
    [([ADA], [], False), ([ADA], HERS, True), ([GRACE], [], True)],
    ids=["unread", "unread_but_known", "read"],
)
def test_where_a_mailbox_was_not_read_only_what_was_known_is_to_go(
    unread: list[str], known: list[list[str]], *, wrong: bool
) -> None:
    forged = Forged()
    forged.asked("POST", NOON)
    leaves(forged, NOON + 90, "CLEANUP", known, unread=unread)
    forged.testimony["states"].append(state(NOON + 80))
    forged.testimony["final"]["suspended"].append(
        {"institution": "north", "mailbox": ADA, "kind": "unlinked"}
    )
    assert any("in spite of" in text for text in judged(forged.history, forged.testimony)) is wrong


@pytest.mark.parametrize(
    ("status", "mode", "at", "wrong"),
    [
        (500, "UNLINK_ONLY", LATER, False),
        (204, "UNLINK_ONLY", LATER, True),
        (500, "UNLINK_ONLY", NOON + 10, True),
        (500, "DELETE_ALL_EVENTS", LATER, True),
    ],
)
def test_what_nobody_had_heard_of_is_no_runs_once_who_left_keeps_their_events(
    status: int, mode: str, at: float, *, wrong: bool
) -> None:
    forged = Forged()
    leaves(forged, at, mode, [])
    forged.change("delete", "e1", at=NOON + 20)
    forged.asked("DELETE", NOON + 20, status)
    forged.testimony["final"]["restored"] = {"begin": len(forged.history), "waiting": []}
    assert ("I12" in forged.found()) is wrong
