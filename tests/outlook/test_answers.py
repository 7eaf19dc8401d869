"""Every row of the errors page means what the write protocol needs it to mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.outlook.made import ETAG

from classbell.outlook.answers import Fence, Meaning, classify
from classbell.outlook.dialect import Answer, FoundCalendar, Kind

WRITES = [Kind.CREATE, Kind.UPDATE, Kind.DELETE, Kind.CREATE_CALENDAR]
READS = [Kind.READ, Kind.LOOK, Kind.CALENDARS]
CHANGES = [Kind.UPDATE, Kind.DELETE]
CALENDAR = FoundCalendar(id="c", name="Timetable", default=False, editable=True)


def meaning(kind: Kind, status: int | None, code: str = "", **more: object) -> Meaning:
    return classify(kind, Answer(status=status, code=code, **more)).meaning  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (Kind.CREATE, Answer(status=201, event_id="e", etag=ETAG)),
        (Kind.UPDATE, Answer(status=200, event_id="e", etag=ETAG)),
        (Kind.DELETE, Answer(status=204)),
        (Kind.READ, Answer(status=200, event_id="e", etag=ETAG)),
        (Kind.LOOK, Answer(status=200, events=())),
        (Kind.CALENDARS, Answer(status=200, calendars=())),
        (Kind.CREATE_CALENDAR, Answer(status=201, calendars=(CALENDAR,))),
    ],
)
def test_a_whole_success_is_done(kind: Kind, answer: Answer) -> None:
    diagnosis = classify(kind, answer)
    assert (diagnosis.meaning, diagnosis.code, diagnosis.fence) == (Meaning.DONE, "", Fence.NOBODY)


@pytest.mark.parametrize("kind", [Kind.CREATE, Kind.UPDATE, Kind.CREATE_CALENDAR])
@pytest.mark.parametrize("answer", [{}, {"event_id": "e"}, {"etag": ETAG}])
def test_a_success_that_does_not_say_which_event_is_unknown(kind: Kind, answer: dict[str, str]) -> None:
    assert meaning(kind, 201, **answer) is Meaning.UNKNOWN


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_delete_that_is_not_answered_as_the_api_says_is_unknown(status: int) -> None:
    """A proxy's page comes as 200 as well."""
    assert meaning(Kind.DELETE, status) is Meaning.UNKNOWN


@pytest.mark.parametrize("kind", READS)
def test_a_list_without_a_list_is_asked_for_again(kind: Kind) -> None:
    assert meaning(kind, 200) is Meaning.BUSY


@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("status", [None, 302, 408, 500, 502, 503, 504, 507, 599])
def test_what_does_not_prove_that_a_write_was_refused_leaves_it_unknown(
    kind: Kind, status: int | None
) -> None:
    assert meaning(kind, status, "UnknownError") is Meaning.UNKNOWN
    assert meaning(kind, status) is Meaning.UNKNOWN


@pytest.mark.parametrize("kind", [Kind.CREATE, Kind.CREATE_CALENDAR])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "ErrorIrresolvableConflict"),
        (409, "ConcurrentItemSave"),
        (503, "ConcurrentItemSave"),
        (409, ""),
        (412, "ErrorIrresolvableConflict"),
        (423, "Locked"),
    ],
)
def test_a_create_after_which_the_event_has_been_found_is_unknown(kind: Kind, status: int, code: str) -> None:
    assert meaning(kind, status, code) is Meaning.UNKNOWN


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("status", [409, 412])
def test_an_event_that_somebody_touched_is_a_conflict(kind: Kind, status: int) -> None:
    assert meaning(kind, status, "ErrorIrresolvableConflict") is Meaning.CONFLICT


@pytest.mark.parametrize("kind", [*CHANGES, Kind.READ])
def test_an_event_that_is_not_there_is_gone(kind: Kind) -> None:
    assert meaning(kind, 404, "ErrorItemNotFound") is Meaning.GONE


@pytest.mark.parametrize("kind", [Kind.CREATE, Kind.LOOK])
def test_a_calendar_that_is_not_there_is_gone(kind: Kind) -> None:
    diagnosis = classify(kind, Answer(status=404, code="ErrorItemNotFound"))
    assert (diagnosis.meaning, diagnosis.code) == (Meaning.GONE, "E-CAL-GONE")


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("code", ["", "NotFound", "SomethingNew"])
def test_a_404_of_another_kind_does_not_prove_that_an_event_is_gone(kind: Kind, code: str) -> None:
    assert meaning(kind, 404, code) is Meaning.REJECTED


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    "code",
    [
        "MailboxNotEnabledForRESTAPI",
        "MailboxNotSupportedForRESTAPI",
        "ErrorInvalidUser",
        "ResourceNotFound",
        "Request_ResourceNotFound",
        "mailboxnotenabledforrestapi",
    ],
)
@pytest.mark.parametrize("status", [404, 403])
def test_a_mailbox_that_cannot_be_reached_is_out(kind: Kind, status: int, code: str) -> None:
    diagnosis = classify(kind, Answer(status=status, code=code))
    assert (diagnosis.meaning, diagnosis.code, diagnosis.origin) == (Meaning.MAILBOX_OUT, "E-MBX-404", code)
    assert diagnosis.fence is Fence.NOBODY


@pytest.mark.parametrize("status", [400, 403, 413, 507])
def test_a_full_mailbox_is_out_but_a_write_under_a_fault_stays_unknown(status: int) -> None:
    expected = Meaning.UNKNOWN if status >= 500 else Meaning.MAILBOX_OUT
    for kind in WRITES:
        assert classify(kind, Answer(status=status, code="ErrorQuotaExceeded")).code == "E-MBX-FULL"
        assert meaning(kind, status, "ErrorQuotaExceeded") is expected
    for kind in READS:
        assert meaning(kind, status, "ErrorQuotaExceeded") is Meaning.MAILBOX_OUT


@pytest.mark.parametrize("kind", Kind)
def test_a_throttled_mailbox_waits_as_long_as_asked_and_no_other(kind: Kind) -> None:
    diagnosis = classify(kind, Answer(status=429, code="ApplicationThrottled", retry_after=7.0))
    assert (diagnosis.meaning, diagnosis.fence, diagnosis.retry_after) == (Meaning.BUSY, Fence.MAILBOX, 7.0)
    assert diagnosis.code == "E-GRAPH-429"


@pytest.mark.parametrize("kind", Kind)
def test_a_throttled_batch_makes_the_whole_institution_wait(kind: Kind) -> None:
    diagnosis = classify(kind, Answer(status=429, whole=True, retry_after=30.0))
    assert (diagnosis.meaning, diagnosis.fence) == (Meaning.SERVICE_BUSY, Fence.INSTITUTION)
    assert diagnosis.retry_after == 30.0


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_fault_of_the_entrance_fences_the_institution_and_proves_nothing_about_writes(
    kind: Kind, status: int
) -> None:
    diagnosis = classify(kind, Answer(status=status, whole=True))
    assert diagnosis.fence is Fence.INSTITUTION
    assert diagnosis.meaning is (Meaning.UNKNOWN if kind.writes else Meaning.SERVICE_BUSY)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.writes])
@pytest.mark.parametrize("status", [409, 412, 423])
def test_a_conflict_of_a_whole_batch_proves_nothing_about_its_members(kind: Kind, status: int) -> None:
    answer = Answer(status=status, whole=True, code="ErrorIrresolvableConflict")
    assert classify(kind, answer).meaning is Meaning.UNKNOWN


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("status", [400, 403, 404, 405, 407, 451])
def test_a_gateways_page_instead_of_graph_stops_nobody_for_good(kind: Kind, status: int) -> None:
    diagnosis = classify(kind, Answer(status=status, whole=True))
    assert (diagnosis.meaning, diagnosis.code) == (Meaning.SERVICE_BUSY, "E-GRAPH-ANSWER")


@pytest.mark.parametrize("kind", READS)
@pytest.mark.parametrize("status", [None, 302, 409, 412, 423, 500, 502, 503, 504])
def test_a_question_without_an_answer_is_asked_again(kind: Kind, status: int | None) -> None:
    assert meaning(kind, status) is Meaning.BUSY


@pytest.mark.parametrize("kind", Kind)
def test_a_request_that_never_left_is_known_not_to_have(kind: Kind) -> None:
    assert meaning(kind, None, sent=False) is Meaning.NOT_SENT


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("whole", [True, False])
def test_a_refused_token_concerns_everybody(kind: Kind, *, whole: bool) -> None:
    diagnosis = classify(kind, Answer(status=401, whole=whole, code="InvalidAuthenticationToken"))
    assert (diagnosis.meaning, diagnosis.fence) == (Meaning.UNAUTHORISED, Fence.INSTITUTION)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "ErrorAccessDenied"), (403, ""), (401, "NoPermissionsInAccessToken"), (403, "Forbidden")],
)
def test_a_closed_mailbox_concerns_itself(kind: Kind, status: int, code: str) -> None:
    diagnosis = classify(kind, Answer(status=status, code=code))
    assert (diagnosis.meaning, diagnosis.code, diagnosis.fence) == (
        Meaning.FORBIDDEN,
        "E-MBX-DENIED",
        Fence.NOBODY,
    )


@pytest.mark.parametrize("status", [400, 409])
def test_a_used_transaction_id_is_said_under_either_status(status: int) -> None:
    assert meaning(Kind.CREATE, status, "ErrorDuplicateTransactionId") is Meaning.DUPLICATE_TRANSACTION


def test_a_calendar_that_exists_is_looked_up() -> None:
    diagnosis = classify(Kind.CREATE_CALENDAR, Answer(status=409, code="ErrorFolderExists"))
    assert (diagnosis.meaning, diagnosis.code) == (Meaning.UNKNOWN, "E-CAL-EXISTS")


@pytest.mark.parametrize("kind", [Kind.CREATE, *CHANGES])
@pytest.mark.parametrize(
    "code", ["ErrorPropertyValidationFailure", "ErrorInvalidRequest", "TimeZoneNotSupportedException", ""]
)
def test_what_the_store_does_not_accept_is_rejected_with_the_services_own_code(kind: Kind, code: str) -> None:
    diagnosis = classify(kind, Answer(status=400, code=code))
    assert (diagnosis.meaning, diagnosis.code) == (Meaning.REJECTED, "E-EVT-REJECTED")
    assert diagnosis.origin == (code or "HTTP 400")


def test_an_event_that_is_too_large_is_said_to_be() -> None:
    assert classify(Kind.CREATE, Answer(status=413)).code == "E-EVT-LARGE"


def test_a_member_that_was_never_reached_is_sent_again() -> None:
    assert meaning(Kind.CREATE, 424, "FailedDependency") is Meaning.BUSY


UNKNOWN, BUSY, OUT, CONFLICT = Meaning.UNKNOWN, Meaning.BUSY, Meaning.MAILBOX_OUT, Meaning.CONFLICT
AGAIN, SHUT, GONE, NO = Meaning.UNAUTHORISED, Meaning.FORBIDDEN, Meaning.GONE, Meaning.REJECTED


@pytest.mark.parametrize(
    ("status", "code", "create", "change", "read"),
    [
        (401, "InvalidAuthenticationToken", AGAIN, AGAIN, AGAIN),
        (403, "ErrorAccessDenied", SHUT, SHUT, SHUT),
        (403, "Authorization_RequestDenied", SHUT, SHUT, SHUT),
        (404, "ErrorInvalidUser", OUT, OUT, OUT),
        (404, "ResourceNotFound", OUT, OUT, OUT),
        (404, "Request_ResourceNotFound", OUT, OUT, OUT),
        (404, "MailboxNotEnabledForRESTAPI", OUT, OUT, OUT),
        (404, "MailboxNotSupportedForRESTAPI", OUT, OUT, OUT),
        (404, "ErrorItemNotFound", GONE, GONE, GONE),
        (400, "ErrorInvalidIdMalformed", NO, NO, NO),
        (400, "RequestBroker--ParseUri", NO, NO, NO),
        (400, "ErrorPropertyValidationFailure", NO, NO, NO),
        (400, "ErrorInvalidProperty", NO, NO, NO),
        (400, "ErrorInvalidRequest", NO, NO, NO),
        (400, "ErrorInvalidParameter", NO, NO, NO),
        (400, "TimeZoneNotSupportedException", NO, NO, NO),
        (400, "ErrorOccurrenceCrossingBoundary", NO, NO, NO),
        (400, "ErrorDuplicateTransactionId", Meaning.DUPLICATE_TRANSACTION, NO, NO),
        (409, "ErrorDuplicateTransactionId", Meaning.DUPLICATE_TRANSACTION, CONFLICT, BUSY),
        (400, "ErrorCalendarInvalidRecurrence", NO, NO, NO),
        (400, "", NO, NO, NO),
        (409, "ErrorFolderExists", UNKNOWN, CONFLICT, BUSY),
        (409, "ErrorIrresolvableConflict", UNKNOWN, CONFLICT, BUSY),
        (412, "ErrorIrresolvableConflict", UNKNOWN, CONFLICT, BUSY),
        (409, "ConcurrentItemSave", UNKNOWN, CONFLICT, BUSY),
        (503, "ConcurrentItemSave", UNKNOWN, UNKNOWN, BUSY),
        (410, "SyncStateNotFound", NO, NO, NO),
        (413, "RequestEntityTooLarge", NO, NO, NO),
        (423, "", UNKNOWN, UNKNOWN, BUSY),
        (424, "FailedDependency", BUSY, BUSY, BUSY),
        (429, "ApplicationThrottled", BUSY, BUSY, BUSY),
        (429, "ErrorExceededMessageLimit", BUSY, BUSY, BUSY),
        (500, "ErrorInternalServerError", UNKNOWN, UNKNOWN, BUSY),
        (503, "ErrorInternalServerTransientError", UNKNOWN, UNKNOWN, BUSY),
        (503, "MailboxInfoStale", UNKNOWN, UNKNOWN, BUSY),
        (503, "ErrorMailboxStoreUnavailable", UNKNOWN, UNKNOWN, BUSY),
        (503, "ErrorMailboxMoveInProgress", UNKNOWN, UNKNOWN, BUSY),
        (503, "ErrorServerBusy", UNKNOWN, UNKNOWN, BUSY),
        (503, "ErrorMailboxFailover", UNKNOWN, UNKNOWN, BUSY),
        (504, "UnknownError", UNKNOWN, UNKNOWN, BUSY),
        (507, "ErrorQuotaExceeded", UNKNOWN, UNKNOWN, OUT),
        (400, "ErrorQuotaExceeded", OUT, OUT, OUT),
        (None, "", UNKNOWN, UNKNOWN, BUSY),
    ],
)
def test_every_row_of_what_the_service_is_known_to_answer(
    status: int | None, code: str, create: Meaning, change: Meaning, read: Meaning
) -> None:
    """Rows of the errors pages and of what others report, each as a member of a batch, in any spelling."""
    for spelled in (code, code.lower(), code.upper()):
        assert meaning(Kind.CREATE, status, spelled) is create
        assert {meaning(kind, status, spelled) for kind in CHANGES} == {change}
        assert {meaning(kind, status, spelled) for kind in READS} == {read}


answers = st.builds(
    Answer,
    status=st.one_of(st.none(), st.integers(0, 999)),
    sent=st.booleans(),
    whole=st.booleans(),
    code=st.sampled_from(["", "ErrorItemNotFound", "ApplicationThrottled", "ErrorQuotaExceeded", "x"]),
    event_id=st.sampled_from(["", "e"]),
    etag=st.sampled_from(["", ETAG]),
)


@given(st.sampled_from(Kind), answers)
def test_every_answer_has_a_meaning_with_words_and_code(kind: Kind, answer: Answer) -> None:
    diagnosis = classify(kind, answer)
    if diagnosis.meaning is Meaning.DONE:
        return
    assert diagnosis.code.startswith("E-")
    assert diagnosis.reason.endswith(".")


@given(st.sampled_from(WRITES), answers.filter(lambda answer: answer.sent))
def test_a_write_is_never_sent_again_blindly_unless_it_was_refused(kind: Kind, answer: Answer) -> None:
    diagnosis = classify(kind, answer)
    proven_refused = answer.status is not None and 400 <= answer.status < 500 and answer.status != 408
    if diagnosis.meaning in {Meaning.BUSY, Meaning.SERVICE_BUSY, Meaning.REJECTED, Meaning.NOT_SENT}:
        assert proven_refused


@given(answers)
def test_a_read_is_never_unknown(answer: Answer) -> None:
    for kind in READS:
        assert classify(kind, answer).meaning is not Meaning.UNKNOWN
