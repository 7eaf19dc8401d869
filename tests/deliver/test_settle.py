"""What an answer makes of a change: each row of the protocol, and what holds for all answers."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from classbell.deliver.settle import (
    DAY,
    SEND_WITHIN,
    Situation,
    not_looked,
    outcome_of_look,
    outcome_of_read,
    outcome_of_write,
    undecided,
)
from classbell.model import Action, Became, Change, ChangeState, Entry, Mailbox, Outcome, Reason
from classbell.outlook.answers import Diagnosis, Meaning, classify
from classbell.outlook.dialect import Answer, FoundEvent, Kind
from classbell.outlook.mark import Mark

NOW = 1_790_000_000.0
BOUND = 600.0
ETAG = 'W/"abc"'
ADA = Mailbox(id=1, key="ada@example.edu", address="ada@example.edu", contacted=True)
MARK = Mark(
    installation="4a0f4e0e-93b1-4a4d-8a55-0f8f4f3a7f10",
    institution="example",
    mailbox_key=ADA.key,
    meeting_key="timetable:Logic",
    incarnation=1,
    intent_at=int(NOW),
    revision=1,
)
ENTRY = Entry(
    mailbox=ADA,
    meeting_id=1,
    meeting_key=MARK.meeting_key,
    event_id="event",
    etag=ETAG,
    fingerprint=1,
    starts_at=int(NOW),
    ends_at=int(NOW) + 3600,
    incarnation=1,
    operation=MARK.operation,
)
HERE = Situation(now=NOW, took=0.3, look_at=NOW + 661)
KINDS = {Action.CREATE: Kind.CREATE, Action.UPDATE: Kind.UPDATE, Action.DELETE: Kind.DELETE}
ACTIONS = pytest.mark.parametrize("action", KINDS)
CHANGES = pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])


def change(action: Action = Action.CREATE, **parts: object) -> Change:
    told = {
        "id": 1,
        "mailbox": ADA,
        "meeting_id": 1,
        "meeting_key": MARK.meeting_key,
        "action": action,
        "reason": Reason.NEW_MEETING,
        "state": ChangeState.PENDING,
        "fingerprint": 2,
        "starts_at": int(NOW),
        "ends_at": int(NOW) + 3600,
        "incarnation": 1,
        "operation": MARK.operation,
        "entry": None if action is Action.CREATE else ENTRY,
    }
    return Change(**(told | parts))  # type: ignore[arg-type]


def written(action: Action, answer: Answer, **parts: object) -> Outcome:
    return outcome_of_write(change(action, **parts), answer, classify(KINDS[action], answer), HERE)


def read(action: Action, answer: Answer, conflicts: int = 1) -> Outcome:
    diagnosis = classify(Kind.READ, answer)
    return outcome_of_read(change(action), ENTRY, answer, diagnosis, now=NOW, conflicts=conflicts)


def found(number: int = 1, after: float = 1.0) -> FoundEvent:
    """An event that was made so many seconds after the intent that its mark names."""
    return FoundEvent(
        id=f"event-{number}",
        etag=ETAG,
        created_at=MARK.intent_at + after,
        mark=MARK.text(),
        subject="",
        start="",
        end="",
        all_day=False,
    )


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
def test_a_good_answer_is_done_with_id_and_etag(action: Action) -> None:
    outcome = written(action, Answer(status=200, event_id="e", etag=ETAG, request_id="r"))
    assert (outcome.became, outcome.event_id, outcome.etag, outcome.request_id) == (
        Became.DONE,
        "e",
        ETAG,
        "r",
    )


def test_a_create_without_a_certain_answer_waits_for_the_look() -> None:
    for answer in (
        Answer(status=None),
        Answer(status=503),
        Answer(status=409),
        Answer(status=504, whole=True),
    ):
        outcome = written(Action.CREATE, answer)
        assert (outcome.became, outcome.due_at) == (Became.UNKNOWN, HERE.look_at)


@CHANGES
def test_an_update_or_delete_without_a_certain_answer_is_repeated_soon(action: Action) -> None:
    outcome = written(action, Answer(status=504))
    assert outcome.became is Became.UNKNOWN
    assert NOW < outcome.due_at <= NOW + 60


def test_what_was_to_be_deleted_and_is_gone_is_done_and_what_was_to_be_changed_is_made_again() -> None:
    gone = Answer(status=404, code="ErrorItemNotFound")
    assert written(Action.DELETE, gone).became is read(Action.DELETE, gone).became is Became.DONE
    assert written(Action.UPDATE, gone).became is read(Action.UPDATE, gone).became is Became.GONE


@ACTIONS
@pytest.mark.parametrize(("asked", "waits"), [(30.0, 30.0), (1e12, DAY), (0.0, 0.0)])
def test_a_refusal_for_now_waits_as_long_as_the_service_asks_but_not_for_ever(
    action: Action, asked: float, waits: float
) -> None:
    outcome = written(action, Answer(status=429, retry_after=asked))
    assert (outcome.became, outcome.due_at) == (Became.WAITING, NOW + waits)


@ACTIONS
def test_without_such_a_word_the_waits_grow_up_to_a_minute(action: Action) -> None:
    waits = [written(action, Answer(status=429), attempts=n).due_at - NOW for n in range(9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@ACTIONS
@pytest.mark.parametrize(
    ("status", "code"),
    [(400, ""), (413, ""), (403, ""), (404, "ErrorInvalidUser"), (403, "ErrorQuotaExceeded")],
)
def test_what_only_a_person_can_change_is_tried_again_after_a_day(
    action: Action, status: int, code: str
) -> None:
    outcome = written(action, Answer(status=status, code=code))
    assert (outcome.became, outcome.due_at) == (Became.WAITING, NOW + DAY)
    assert outcome.code
    assert outcome.detail


def test_an_event_that_stood_there_before_is_looked_for_whatever_our_clock_says() -> None:
    """Both times are the service's: an hour ago by its own clock, however wrong ours may be."""
    for service_time in (NOW - 7200, NOW, NOW + 7200):
        old = Answer(
            status=201,
            event_id="e",
            etag=ETAG,
            created=_stamp(service_time - 3600),
            service_time=service_time,
        )
        outcome = written(Action.CREATE, old)
        assert (outcome.became, outcome.code) == (Became.UNKNOWN, "E-EVT-MADE")
        new = Answer(
            status=201, event_id="e", etag=ETAG, created=_stamp(service_time), service_time=service_time
        )
        assert written(Action.CREATE, new).became is Became.DONE


def test_an_exchange_that_took_long_does_not_make_its_event_an_old_one() -> None:
    answer = Answer(status=201, event_id="e", etag=ETAG, created=_stamp(NOW - 90), service_time=NOW)
    slow = Situation(now=NOW, took=95.0, look_at=NOW + 661)
    diagnosis = classify(Kind.CREATE, answer)
    assert outcome_of_write(change(), answer, diagnosis, slow).became is Became.DONE
    assert outcome_of_write(change(), answer, diagnosis, HERE).became is Became.UNKNOWN


@CHANGES
def test_an_event_whose_mark_agrees_is_still_ours_under_its_new_etag(action: Action) -> None:
    outcome = read(action, Answer(status=200, event_id="event", etag='W/"new"', mark=MARK.text()))
    assert (outcome.became, outcome.etag) == (Became.RENEWED, 'W/"new"')


@CHANGES
@pytest.mark.parametrize(
    "mark",
    [
        None,
        "",
        "nonsense",
        MARK.text()[:-3],
        structs.replace(MARK, incarnation=2).text(),
        structs.replace(MARK, meeting_key="timetable:Sets").text(),
    ],
)
def test_an_event_that_bears_another_mark_is_held(action: Action, mark: str | None) -> None:
    outcome = read(action, Answer(status=200, event_id="event", etag=ETAG, mark=mark))
    assert (outcome.became, outcome.code) == (Became.HELD, "E-EVT-FOREIGN")


def test_an_event_contested_again_and_again_waits() -> None:
    ours = Answer(status=200, event_id="event", etag=ETAG, mark=MARK.text())
    became = [read(Action.UPDATE, ours, conflicts=n).became for n in range(1, 7)]
    assert became == [Became.RENEWED] * 4 + [Became.WAITING] * 2


def test_a_look_adopts_the_one_event_that_the_ledger_does_not_know() -> None:
    """Without its etag, which would prove it untouched since it was written."""
    outcome = outcome_of_look(change(), [found(1), found(2)], {"event-2"}, NOW, BOUND)
    assert (outcome.became, outcome.event_id, outcome.etag) == (Became.DONE, "event-1", "")


def test_a_look_that_finds_several_leaves_them_to_a_person() -> None:
    outcome = outcome_of_look(change(), [found(1), found(2)], set(), NOW, BOUND)
    assert (outcome.became, outcome.code) == (Became.HELD, "E-MARK-SEVERAL")


def test_a_look_that_finds_only_a_copy_leaves_it_to_a_person() -> None:
    """Made after the bound, or before the intent: its owner has copied ours, and removed it."""
    for after in (SEND_WITHIN + BOUND + 10, -10.0):
        outcome = outcome_of_look(change(), [found(1, after)], set(), NOW, BOUND)
        assert (outcome.became, outcome.code) == (Became.HELD, "E-MARK-COPY")


def test_a_look_tells_the_event_that_was_made_from_later_copies_of_it() -> None:
    events = [found(1, 86_400.0), found(2, SEND_WITHIN + BOUND), found(3, 90_000.0)]
    outcome = outcome_of_look(change(), events, set(), NOW, BOUND)
    assert (outcome.became, outcome.event_id) == (Became.DONE, "event-2")


def test_a_look_that_finds_nothing_lets_it_be_sent_again_or_made_anew_if_it_was_made_before() -> None:
    assert outcome_of_look(change(), [], set(), NOW, BOUND).became is Became.WAITING
    assert outcome_of_look(change(code="E-EVT-MADE"), [], set(), NOW, BOUND).became is Became.GONE


def test_a_look_that_came_too_early_waits_for_the_rest_by_the_services_clock() -> None:
    outcome = undecided(change(code="E-EVT-MADE"), NOW - 1000, NOW - 900, NOW)
    assert (outcome.became, outcome.code, outcome.due_at) == (Became.UNKNOWN, "E-EVT-MADE", NOW + 101)


def test_a_look_that_the_service_did_not_date_is_repeated_within_the_minute() -> None:
    assert undecided(change(), 0.0, NOW, NOW).due_at == NOW + 60


@pytest.mark.parametrize(
    ("meaning", "asked", "waits"),
    [
        (Meaning.BUSY, None, 60),
        (Meaning.BUSY, 17.0, 17),
        (Meaning.BUSY, 1e12, DAY),
        (Meaning.MAILBOX_OUT, None, 3600),
        (Meaning.FORBIDDEN, None, 3600),
        (Meaning.NOT_SENT, None, 60),
    ],
)
def test_a_look_that_failed_is_repeated_and_keeps_what_it_is_about(
    meaning: Meaning, asked: float | None, waits: float
) -> None:
    diagnosis = Diagnosis(meaning, "E-X", "In words.", retry_after=asked)
    outcome = not_looked(change(code="E-EVT-MADE"), diagnosis, NOW)
    assert (outcome.became, outcome.code, outcome.due_at) == (Became.UNKNOWN, "E-EVT-MADE", NOW + waits)


answers = st.builds(
    Answer,
    status=st.one_of(st.none(), st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 408, 409, 412, 413,
                                                 423, 424, 429, 500, 502, 503, 504, 507])),
    sent=st.booleans(),
    whole=st.booleans(),
    code=st.sampled_from(["", "ErrorItemNotFound", "ErrorDuplicateTransactionId", "ErrorQuotaExceeded"]),
    event_id=st.sampled_from(["", "e"]),
    etag=st.sampled_from(["", ETAG]),
    retry_after=st.one_of(st.none(), st.floats(0, 1e15)),
    created=st.sampled_from(["", "2026-09-21T06:00:00Z"]),
    service_time=st.sampled_from([0.0, NOW]),
)  # fmt: skip


@given(st.sampled_from(list(KINDS)), answers, st.integers(0, 100))
def test_whatever_the_answer_a_change_is_done_or_comes_due_within_a_day(
    action: Action, answer: Answer, attempts: int
) -> None:
    diagnosis = classify(KINDS[action], answer)
    if diagnosis.meaning is Meaning.CONFLICT:
        return
    outcome = outcome_of_write(change(action, attempts=attempts), answer, diagnosis, HERE)
    if outcome.became in {Became.WAITING, Became.UNKNOWN}:
        assert NOW <= outcome.due_at <= NOW + DAY
        assert outcome.code
        assert outcome.detail
    else:
        assert outcome.became in {Became.DONE, Became.GONE}
    if outcome.became is Became.DONE and action is not Action.DELETE:
        assert outcome.event_id
        assert outcome.etag


@given(answers.filter(lambda answer: answer.sent), st.integers(0, 100))
def test_a_create_is_sent_again_without_a_look_only_if_it_was_refused(answer: Answer, attempts: int) -> None:
    outcome = written(Action.CREATE, answer, attempts=attempts)
    if outcome.became is Became.WAITING:
        assert answer.status is not None
        assert 400 <= answer.status < 500
        assert answer.status != 408
    assert outcome.became is not Became.GONE


def _stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
