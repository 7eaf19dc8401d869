"""Which deletions count as agreed to, and of how many events a day's share is."""

import pytest
from tests.simulation.checkers import judged
from tests.simulation.forging import ADA, NOON, Forged, marked, pair, run, state

HOUR = 3600.0


def key(number: int) -> str:
    return f"lectures:l{number}"


def named(*numbers: int) -> list[dict[str, object]]:
    return [pair(1) | {"key": key(number)} for number in (1, *numbers)]


SIX = range(2, 8)


def made(forged: Forged, numbers: range, at: float = NOON) -> None:
    for number in numbers:
        forged.change("create", f"e{number}", at=at, mark=marked(key=key(number)))


def deleted(forged: Forged, numbers: range, at: float, by: str = "api:a-north") -> None:
    for number in numbers:
        forged.change("delete", f"e{number}", by=by, at=at, mark=marked(key=key(number)))


def six_were_left_out_for_a_while(forged: Forged, at: float, agreed: list[list[str]] | None) -> None:
    """While they were, a run was let delete fifty; the source named them again at once."""
    made(forged, SIX)
    forged.testimony["states"] = [
        state(NOON - 9, *named(*SIX)),
        state(at - 1, *named()),
        state(at + 1, *named(*SIX)),
    ]
    forged.testimony["runs"].append(run(at, at + 60, approved=50, agreed=agreed))


ALL_SIX = [[ADA, key(number)] for number in SIX]


@pytest.mark.parametrize("agreed", [ALL_SIX, None], ids=["told", "not_known"])
def test_what_a_run_was_let_delete_may_go_though_its_source_names_it_again_by_then(
    agreed: list[list[str]] | None,
) -> None:
    forged = Forged()
    six_were_left_out_for_a_while(forged, NOON + 100, agreed)
    deleted(forged, SIX, NOON + 105)
    assert "I4" not in forged.found()


@pytest.mark.parametrize("agreed", [[], ALL_SIX[:2]], ids=["nothing", "two"])
def test_what_was_not_in_the_set_that_somebody_agreed_to_is_not_agreed(agreed: list[list[str]]) -> None:
    forged = Forged()
    six_were_left_out_for_a_while(forged, NOON + 100, agreed)
    deleted(forged, SIX, NOON + 105)
    assert "I4" in forged.found()


def test_what_another_institution_or_person_agreed_to_is_not_agreed() -> None:
    for other in ({"institution": "south"}, {"person": "grace@north.example"}):
        forged = Forged()
        six_were_left_out_for_a_while(forged, NOON + 100, ALL_SIX)
        forged.testimony["runs"][-1] |= other
        deleted(forged, SIX, NOON + 105)
        assert "I4" in forged.found()


def test_an_agreement_is_over_once_a_whole_run_has_read_that_they_are_wanted() -> None:
    forged = Forged()
    six_were_left_out_for_a_while(forged, NOON + 100, ALL_SIX)
    forged.testimony["runs"].append(run(NOON + 200, NOON + 210))
    deleted(forged, SIX, NOON + HOUR)
    assert "I4" in forged.found()


@pytest.mark.parametrize("outcome", ["4", "E-GRAPH-DOWN", ""], ids=["held", "failed", "died"])
def test_it_goes_on_where_that_was_read_by_no_whole_run(outcome: str) -> None:
    forged = Forged()
    six_were_left_out_for_a_while(forged, NOON + 100, ALL_SIX)
    forged.testimony["runs"].append(run(NOON + 200, NOON + 210, outcome=outcome))
    deleted(forged, SIX, NOON + HOUR)
    assert "I4" not in forged.found()


def test_it_goes_on_where_nothing_was_accepted_because_all_was_paused() -> None:
    forged = Forged()
    six_were_left_out_for_a_while(forged, NOON + 100, ALL_SIX)
    forged.decide("pause", NOON + 150, NOON + 151, mailbox="")
    forged.testimony["runs"].append(run(NOON + 200, NOON + 210))
    forged.decide("resume", NOON + 300, NOON + 301, mailbox="")
    deleted(forged, SIX, NOON + HOUR)
    assert "I4" not in forged.found()


def test_a_first_request_whose_answer_was_lost_may_be_repeated_whatever_is_wanted_since() -> None:
    forged = Forged()
    six_were_left_out_for_a_while(forged, NOON + 100, ALL_SIX)
    forged.testimony["deletes"] = [[NOON + 101, f"/users/ada/events/e{number}"] for number in SIX]
    forged.testimony["runs"].append(run(NOON + 200, NOON + 210))
    deleted(forged, SIX, NOON + HOUR)
    assert "I4" not in forged.found()


def trickle(forged: Forged, begin: float) -> None:
    """A run at a moment that finds five left out, of which one goes then."""
    forged.testimony["states"].append(state(begin - 1, *named(*range(7, 100))))
    forged.testimony["runs"].append(run(begin, begin + 9))


@pytest.mark.parametrize("more", [0, 9])
def test_a_share_is_of_what_stood_when_it_was_decided(more: int) -> None:
    """Four of thirty-six are too many; but not where there are nine more before the last is decided."""
    forged = Forged()
    made(forged, range(2, 37))
    forged.testimony["states"].append(state(NOON + 100, *named(*range(5, 100))))
    forged.testimony["runs"].append(run(NOON + 101, NOON + 110))
    deleted(forged, range(2, 5), NOON + 105)
    made(forged, range(37, 37 + more), NOON + HOUR)
    trickle(forged, NOON + 2 * HOUR)
    deleted(forged, range(5, 6), NOON + 2 * HOUR + 1)
    assert ("I4" in forged.found()) is (more == 0)


@pytest.mark.parametrize("noticed", ["", "in vain", "asked", "of others", "died", "verify"])
def test_what_its_owner_has_deleted_counts_as_delivered_until_that_can_be_known(noticed: str) -> None:
    forged = Forged()
    made(forged, range(2, 41))
    deleted(forged, range(40, 41), NOON + 50, by="user")
    if noticed in {"asked", "in vain"}:
        status = 404 if noticed == "asked" else 502
        forged.record("refusal", NOON + 60, method="PATCH", path=f"/users/{ADA}/events/e40", status=status)
    elif noticed:
        forged.testimony["runs"].append(
            run(NOON + 60, NOON + 70, kind="verify", outcome="" if noticed == "died" else "read")
        )
        whose = "grace@north.example" if noticed == "of others" else ADA
        path = f"/v1.0/users/{whose}/events?$filter=x"
        forged.record("request", NOON + 65, method="GET", path=path, status=200)
    trickle(forged, NOON + HOUR)
    deleted(forged, range(2, 6), NOON + HOUR + 1)
    assert ("I4" in forged.found()) is (noticed in {"asked", "verify"})


@pytest.mark.parametrize(("runs", "wrong"), [(1, True), (2, False)])
def test_a_bad_state_may_cost_what_those_may_delete_unasked_who_can_have_read_it(
    runs: int, *, wrong: bool
) -> None:
    forged = Forged()
    made(forged, range(2, 6))
    forged.testimony["states"] = [
        state(NOON - 9, *named(*range(2, 6))),
        state(NOON + 9, pair(1), good=False),
        state(NOON + 50, *named(*range(2, 6))),
    ]
    begins = [*[NOON + 20, NOON + 30][:runs], NOON + 100, NOON + 200, NOON + 300]
    forged.testimony["runs"] = [run(begin, begin + 5, outcome="4") for begin in begins]
    deleted(forged, range(2, 6), NOON + 23)
    told = judged(forged.history, forged.testimony)
    assert any("because of one bad state" in text for text in told) is wrong


@pytest.mark.parametrize(("begin", "wrong"), [(NOON + 20, False), (NOON + 55, True)])
def test_who_can_have_read_it_does_not_depend_on_another_source(begin: float, *, wrong: bool) -> None:
    """That one changes at the very time, and again before the first run."""
    forged = Forged()
    made(forged, range(2, 5))
    forged.testimony["states"] = [
        state(NOON - 9, *named(*range(2, 5))),
        state(NOON + 9, pair(1), good=False),
        *(state(NOON + at) | {"source": "exams"} for at in (9, 15, 53)),
        state(NOON + 50, *named(*range(2, 5))),
    ]
    forged.testimony["runs"] = [run(begin, begin + 5, outcome="4")]
    deleted(forged, range(2, 5), NOON + 57)
    told = judged(forged.history, forged.testimony)
    assert any("because of one bad state" in text for text in told) is wrong


@pytest.mark.parametrize(("agreed", "wrong"), [([], True), (ALL_SIX, False)])
def test_what_a_bad_state_left_out_was_agreed_to_only_by_who_was_shown_it(
    agreed: list[list[str]], *, wrong: bool
) -> None:
    forged = Forged()
    six_were_left_out_for_a_while(forged, NOON + 100, agreed)
    forged.testimony["states"][1]["good"] = False
    deleted(forged, SIX, NOON + 105)
    told = judged(forged.history, forged.testimony)
    assert any("because of one bad state" in text for text in told) is wrong


@pytest.mark.parametrize(("many", "wrong"), [(9, True), (2, False)])
def test_what_somebody_agreed_to_counts_for_the_day(many: int, *, wrong: bool) -> None:
    """Thirty-nine stand there; of them some go with somebody's word, and then one without."""
    forged = Forged()
    made(forged, range(2, 40))
    some = range(2, 2 + many)
    forged.testimony["states"] += [
        state(NOON - 8, *named(*range(2, 100))),
        state(NOON + 99, *named(*range(2 + many, 100))),
    ]
    agreed = [[ADA, key(number)] for number in some]
    forged.testimony["runs"].append(run(NOON + 100, NOON + 110, approved=50, agreed=agreed))
    deleted(forged, some, NOON + 105)
    forged.testimony["states"].append(state(NOON + HOUR, *named(*range(3 + many, 100))))
    forged.testimony["runs"].append(run(NOON + HOUR + 1, NOON + HOUR + 9))
    deleted(forged, range(2 + many, 3 + many), NOON + HOUR + 5)
    assert ("I4" in forged.found()) is wrong


@pytest.mark.parametrize(("version", "wrong"), [(1, False), (2, True)])
def test_what_somebody_took_back_may_be_taken_for_ours_again_if_it_shows_what_is_wanted(
    version: int, *, wrong: bool
) -> None:
    forged = Forged()
    forged.change("delete", "e1", at=NOON + 20)
    forged.change("restore", "e1", by="user", at=NOON + 30)
    forged.testimony["states"] += [state(NOON + 10), state(NOON + 40, pair(version))]
    assert ("I3" in forged.found()) is wrong


@pytest.mark.parametrize(("many", "wrong"), [(6, False), (9, True)])
def test_a_bad_state_costs_at_most_what_one_run_may_delete_unasked_of_all_that_stands(
    many: int, *, wrong: bool
) -> None:
    forged = Forged()
    made(forged, range(2, 60))
    some = range(2, 2 + many)
    forged.testimony["states"] += [
        state(NOON - 8, *named(*range(2, 60))),
        state(NOON + 99, *named(*range(2 + many, 60)), good=False),
        state(NOON + 200, *named(*range(2, 60))),
    ]
    forged.testimony["runs"].append(run(NOON + 100, NOON + 110))
    deleted(forged, some, NOON + 105)
    told = judged(forged.history, forged.testimony)
    assert any("because of one bad state" in text for text in told) is wrong


@pytest.mark.parametrize(
    ("heard", "numbers", "wrong"),
    [(False, range(4, 5), False), (True, range(4, 5), True), (False, range(5, 6), True)],
    ids=["nobody_heard", "heard", "another_one"],
)
def test_a_deletion_that_nobody_heard_of_is_one_however_often_its_owner_takes_the_event_back(
    numbers: range, *, heard: bool, wrong: bool
) -> None:
    """Three of thirty-six may go, and a fourth may not."""
    forged = Forged()
    made(forged, range(2, 37))
    forged.testimony["states"].append(state(NOON + 100, *named(*range(6, 100))))
    forged.testimony["runs"].append(run(NOON + 101, NOON + 110))
    deleted(forged, range(2, 5), NOON + 105)
    if heard:
        forged.record("request", NOON + 105, method="DELETE", path=f"/v1.0/users/{ADA}/events/e4", status=204)
    forged.change("restore", "e4", by="user", at=NOON + 106, mark=marked(key=key(4)))
    deleted(forged, numbers, NOON + 109)
    assert ("I4" in forged.found()) is wrong


@pytest.mark.parametrize(("begin", "wrong"), [(NOON + 12, False), (NOON + 30, True)], ids=["read", "unread"])
def test_a_bad_state_that_no_run_can_have_read_has_not_asked_for_what_an_earlier_one_did(
    begin: float, *, wrong: bool
) -> None:
    """Two bad states one after the other; the second one is over at once."""
    forged = Forged()
    made(forged, range(2, 4))
    forged.testimony |= {"max_deletes": (50, 100.0), "at_least": 50}
    forged.testimony["states"] = [
        state(NOON - 9, *named(2, 3)),
        state(NOON + 9, *named(3), good=False),
        state(NOON + 20, *named(), good=False),
        state(NOON + 21, *named(2, 3)),
    ]
    forged.testimony["runs"] = [run(begin, begin + 1, outcome="E-GRAPH-DOWN")]
    deleted(forged, range(2, 3), NOON + 40)
    told = judged(forged.history, forged.testimony)
    assert any("because of one bad state" in text for text in told) is wrong
