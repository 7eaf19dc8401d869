"""What a process can have known: answers, refusals and wishes, of its own institution and of those before it."""

import pytest
from tests.simulation.forging import ADA, NOON, SOUTH, Forged, marked, pair, run, state

LATER = NOON + 900


def made_again_though_its_owner_deleted_it(forged: Forged) -> None:
    forged.asked("POST", NOON)
    forged.change("delete", "e1", by="user", at=NOON + 10)
    forged.change("create", "e2", at=LATER, mark=marked(incarnation=2))


def test_an_owners_deletion_counts_though_we_deleted_the_event_once_more() -> None:
    forged = Forged()
    forged.asked("POST", NOON)
    forged.change("delete", "e1", by="user", at=NOON + 10)
    forged.change("purge", "e1", at=NOON + 20)
    forged.change("create", "e2", at=LATER, mark=marked(incarnation=2))
    assert "I13" in forged.found()


@pytest.mark.parametrize(("good", "wrong"), [(True, False), (False, True)], ids=["removed", "shrunk"])
def test_a_wish_is_forgotten_only_if_its_meeting_was_really_left_out(*, good: bool, wrong: bool) -> None:
    forged = Forged()
    forged.testimony["states"] += [state(NOON + 20, good=good), state(NOON + 30, pair(1))]
    made_again_though_its_owner_deleted_it(forged)
    assert ("I13" in forged.found()) is wrong


@pytest.mark.parametrize("by", ["a number", "a hold"])
@pytest.mark.parametrize(("key", "wrong"), [("lectures:l1", False), ("lectures:l2", True)])
def test_or_if_somebody_has_agreed_that_it_goes(by: str, key: str, *, wrong: bool) -> None:
    forged = Forged()
    forged.testimony["states"] += [state(NOON + 20, good=False), state(NOON + 30, pair(1))]
    if by == "a number":
        forged.testimony["runs"].append(run(NOON + 22, NOON + 25, approved=5, agreed=[[ADA, key]]))
    else:
        forged.decide("approval", NOON + 22, NOON + 23, mailbox="", deletes=[[ADA, key]])
    made_again_though_its_owner_deleted_it(forged)
    assert ("I13" in forged.found()) is wrong


@pytest.mark.parametrize(
    ("outcome", "begin", "of", "wrong"),
    [
        ("0", NOON + 25, "lectures:l2", False),
        ("4", NOON + 25, "lectures:l2", True),
        ("0", NOON + 40, "lectures:l2", True),
        ("0", NOON + 25, "lectures:l1", True),
    ],
    ids=["accepted", "held", "read_later", "never_left_out"],
)
@pytest.mark.parametrize("limit", [8, 0])
def test_or_if_it_is_among_the_few_that_a_bad_state_may_cost(
    limit: int, outcome: str, begin: float, of: str, *, wrong: bool
) -> None:
    forged = Forged()
    forged.testimony |= {"max_deletes": (limit, 100.0), "at_least": 0}
    shrunk = state(NOON + 20, pair(1) | {"key": of}, good=False)
    forged.testimony["states"] += [shrunk, state(NOON + 30, pair(1))]
    forged.testimony["runs"].append(run(begin, begin + 1, outcome=outcome))
    made_again_though_its_owner_deleted_it(forged)
    assert ("I13" in forged.found()) is (wrong or not limit)


@pytest.mark.parametrize("what", ["lost", "deaths"])
@pytest.mark.parametrize(("institution", "wrong"), [("north", False), ("south", True)])
def test_what_another_institution_did_not_hear_excuses_nothing(
    what: str, institution: str, *, wrong: bool
) -> None:
    forged = Forged()
    forged.testimony["runs"].append(run(NOON - 1, NOON + 60, process="sync#2", institution=institution))
    forged.testimony[what] = [(NOON - 1, NOON + 1, "sync#2") if what == "lost" else (NOON + 1, "sync#2")]
    made_again_though_its_owner_deleted_it(forged)
    assert ("I13" in forged.found()) is wrong


@pytest.mark.parametrize(("outcome", "wrong"), [("E-DB-BUSY", False), ("E-GRAPH-DOWN", True)])
def test_what_could_not_be_written_into_the_ledger_was_heard_in_vain(outcome: str, *, wrong: bool) -> None:
    forged = Forged()
    forged.testimony["runs"] = [run(NOON - 1, NOON + 2, outcome=outcome), run(LATER - 1, LATER + 60)]
    made_again_though_its_owner_deleted_it(forged)
    assert ("I13" in forged.found()) is wrong


@pytest.mark.parametrize(
    ("what", "at", "heard", "wrong"),
    [
        ("loss", NOON + 5, True, True),
        ("loss", NOON + 5, False, True),
        ("loss", NOON + 15, True, False),
        ("reset", NOON + 5, True, True),
        ("reset", NOON + 5, False, False),
        ("reset", NOON - 5, False, True),
        ("reset", NOON + 15, True, False),
    ],
)
def test_only_what_was_forgotten_or_asked_for_since_our_last_write_excuses_another_over_an_edit(
    what: str, at: float, *, heard: bool, wrong: bool
) -> None:
    """What a reset had written, and did not hear of, it writes again."""
    forged = Forged()
    forged.asked("POST", NOON)
    if what == "loss":
        forged.decide("loss", at, at, mailbox="", old=False)
    else:
        forged.testimony["runs"].append(run(at, at + 1, person=ADA, reset=True))
    forged.change("update", "e1", title="l1 v2", at=NOON + 9)
    forged.asked("PATCH", NOON + 9, 200 if heard else 503)
    forged.change("update", "e1", by="user", at=NOON + 12, show_as="free")
    forged.change("update", "e1", title="l1 v3", at=NOON + 20)
    assert ("I13" in forged.found()) is wrong


@pytest.mark.parametrize(
    ("wait", "outcome", "kind", "wrong"),
    [
        ("3000", "3", "sync", True),
        ("3000", "", "sync", False),
        ("3000", "3", "verify", False),
        ("65", "3", "sync", False),
        ("300", "3", "sync", False),
    ],
    ids=["kept", "died", "only_read", "a_moment", "over"],
)
def test_the_next_process_leaves_in_peace_who_asked_for_it(
    wait: str, outcome: str, kind: str, *, wrong: bool
) -> None:
    forged = Forged()
    forged.testimony["runs"] = [
        run(NOON - 1, NOON + 60, outcome=outcome, kind=kind),
        run(NOON + 62 if wait == "65" else LATER, NOON + 1000),
    ]
    forged.asked("PATCH", NOON, 429, retry_after=wait)
    forged.asked("PATCH", NOON + 63 if wait == "65" else LATER + 1)
    assert ("I14" in forged.found()) is wrong


@pytest.mark.parametrize(
    ("what", "at", "whose", "wrong"),
    [
        ("loss", NOON + 100, "", False),
        ("loss", NOON - 100, "", True),
        ("loss", LATER + 100, "", True),
        ("forget", NOON + 100, ADA, False),
        ("forget", NOON + 100, "bo@north.example", True),
    ],
)
def test_what_was_written_down_is_lost_with_the_ledger_or_with_whom_it_concerned(
    what: str, at: float, whose: str, *, wrong: bool
) -> None:
    forged = Forged()
    forged.testimony["runs"] = [run(NOON - 1, NOON + 60), run(LATER, NOON + 1000)]
    forged.asked("PATCH", NOON, 429, retry_after="3000")
    forged.decide(what, at, at, mailbox=whose, old=False, left=0)
    forged.asked("PATCH", LATER + 1)
    assert ("I14" in forged.found()) is wrong


def test_who_was_beside_another_may_not_have_been_told() -> None:
    forged = Forged()
    forged.testimony["runs"] = [run(NOON - 1, NOON + 60), run(NOON + 30, NOON + 1000)]
    forged.asked("PATCH", NOON, 429, retry_after="3000")
    forged.asked("PATCH", LATER)
    assert "I14" not in forged.found()


@pytest.mark.parametrize(
    ("quick_since", "wrong"), [(NOON - 10, False), (NOON - 60, True)], ids=["then", "long"]
)
def test_what_left_before_the_network_was_quick_may_still_be_on_its_way(
    quick_since: float, *, wrong: bool
) -> None:
    forged = Forged()
    forged.testimony["ways"] = [[0.0, 12.0], [quick_since, 0.1]]
    forged.asked("PATCH", NOON, 429, retry_after="30")
    forged.asked("PATCH", NOON + 10)
    assert ("I14" in forged.found()) is wrong


def test_the_south_has_another_application() -> None:
    """What the tests above rest on."""
    assert Forged().testimony["institutions"][1]["app"] == SOUTH["app"] != "a-north"


@pytest.mark.parametrize(("policy", "wrong"), [("restore", False), ("stop", True)])
def test_what_went_with_its_calendar_was_not_deleted_by_itself(policy: str, *, wrong: bool) -> None:
    forged = Forged()
    north = forged.testimony["institutions"][0]
    wishes = north["policies"] | {"on_calendar_delete": policy}
    forged.testimony["institutions"] = [north | {"policies": wishes}, SOUTH]
    forged.asked("POST", NOON)
    detail = {"action": "delete-calendar", "cause": "user", "calendar": "c"}
    forged.record("change", NOON + 10, app="", detail=detail)
    made_again_though_its_owner_deleted_it(forged)
    assert ("I13" in forged.found()) is wrong
