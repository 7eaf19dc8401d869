"""Batches are spliced without loss, and answers are read whatever is wrong with one of them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.outlook.made import ADA, ETAG, SEEN, batch_answer, entry, mark, rendering

from classbell.outlook import batch
from classbell.outlook.dialect import Answer, Kind, Request
from classbell.outlook.graph import GraphDialect
from classbell.outlook.mark import MARK_PROPERTY

GRAPH = GraphDialect()
DELETE = GRAPH.delete(entry())
CREATE = GRAPH.create(ADA, rendering(), mark().operation, mark().text())
LOOK = GRAPH.look(ADA, "", "1/")


def created(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "status": 201,
        "headers": {"Location": "https://graph.example/x", "Content-Type": "application/json"},
        "body": {
            "@odata.context": "https://graph.example/v1.0/$metadata#x/$entity",
            "@odata.etag": ETAG,
            "id": f"event-{number}",
            "createdDateTime": "2026-09-21T13:46:40.5123456Z",
            "subject": "Algorithms",
            "recurrence": None,
            "locations": [{"displayName": "B12"}],
        }
        | changes,
    }


def refused(number: int, status: int, code: str, **headers: str) -> dict[str, Any]:
    return {
        "id": str(number),
        "status": status,
        "headers": headers,
        "body": {
            "error": {
                "code": code,
                "message": "In words.",
                "innerError": {"date": "2026-09-21T13:46:40", "request-id": "part"},
            }
        },
    }


def decode(*parts: Any, requests: int = 1) -> list[Answer]:
    return batch.decode([CREATE] * requests, batch_answer(*parts), SEEN)


requests_of_any_kind = st.builds(
    Request,
    kind=st.sampled_from(Kind),
    method=st.sampled_from(["POST", "PATCH", "DELETE", "GET"]),
    path=st.from_regex(r"\A/users/[a-z0-9@%$&=(),'?-]{1,40}\Z"),
    headers=st.dictionaries(st.text(), st.text()).map(lambda found: json.dumps(found).encode()),
    body=st.one_of(
        st.just(b""), st.dictionaries(st.text(), st.text()).map(lambda found: json.dumps(found).encode())
    ),
)


@given(st.lists(requests_of_any_kind, min_size=1, max_size=20))
def test_a_batch_is_json_that_says_what_its_requests_say(requests: list[Request]) -> None:
    members = json.loads(batch.encode(requests))["requests"]
    assert [member["id"] for member in members] == [str(number + 1) for number in range(len(requests))]
    for member, request in zip(members, requests, strict=True):
        assert member["method"] == request.method
        assert member["url"] == request.path
        assert member["headers"] == json.loads(request.headers)
        assert member.get("body") == (json.loads(request.body) if request.body else None)


@pytest.mark.parametrize("size", [0, 21])
def test_a_batch_has_one_to_twenty_members(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 20"):
        batch.encode([DELETE] * size)


def test_a_created_event_is_read_with_what_has_to_be_remembered() -> None:
    assert decode(created(1)) == [
        Answer(
            status=201,
            event_id="event-1",
            etag=ETAG,
            created="2026-09-21T13:46:40.5123456Z",
            request_id="envelope",
            service_time=SEEN.service_time,
        )
    ]


def test_answers_are_put_into_the_order_of_the_requests() -> None:
    found = decode(*(created(number) for number in (3, 20, 1, *range(4, 20), 2)), requests=20)
    assert [answer.event_id for answer in found] == [f"event-{number + 1}" for number in range(20)]


def test_a_missing_part_is_lost_and_the_others_are_not() -> None:
    first, second, third = decode(created(1), created(3), requests=3)
    assert (first.status, second.status, third.status) == (201, None, 201)


def test_a_doubled_part_is_lost_for_nobody_knows_which_is_true() -> None:
    first, second = decode(created(1), created(2), refused(2, 404, "ErrorItemNotFound"), requests=2)
    assert (first.status, second.status) == (201, None)


def test_parts_that_nobody_asked_for_are_ignored() -> None:
    found = decode(created(1), created(2), created(21) | {"id": "x"}, created(20))
    assert [answer.event_id for answer in found] == ["event-1"]


@pytest.mark.parametrize(
    "odd",
    [
        {"id": "2"},
        {"id": "2", "status": "201"},
        {"id": "2", "status": 201, "body": ["x"]},
        {"id": "2", "status": 201, "body": {"id": 7}},
        {"id": "2", "status": 404, "body": {"error": "not an object"}},
        {"id": 2, "status": 204},
        "not an object",
        None,
    ],
)
def test_a_part_of_an_unknown_shape_is_lost_and_the_others_are_not(odd: Any) -> None:
    first, second, third = decode(created(1), odd, created(3), requests=3)
    assert (first.event_id, second.status, third.event_id) == ("event-1", None, "event-3")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b"<html>Sign in</html>",
        b"\xff\xfe",
        b'{"responses":null}',
        batch_answer(created(1))[:-40],
        batch_answer(created(1)).replace(b"event-1", b"event-\xff"),
    ],
)
def test_an_unreadable_body_loses_all_its_parts(body: bytes) -> None:
    assert [answer.status for answer in batch.decode([CREATE] * 3, body, SEEN)] == [None] * 3


def test_a_part_without_content_is_an_answer() -> None:
    parts = [{"id": "1", "status": 204, "headers": {}, "body": None}, {"id": "2", "status": 204}]
    assert [answer.status for answer in decode(*parts, requests=2)] == [204, 204]


def test_content_that_is_no_json_is_skipped() -> None:
    (answer,) = decode({"id": "1", "status": 502, "body": "PGh0bWw+"})
    assert (answer.status, answer.code) == (502, "")


def test_a_refusal_is_read_with_its_own_code_and_request_id() -> None:
    (answer,) = decode(refused(1, 404, "ErrorItemNotFound"))
    assert (answer.status, answer.code, answer.message) == (404, "ErrorItemNotFound", "In words.")
    assert answer.request_id == "part"
    assert not answer.whole


def test_an_error_under_a_good_status_proves_nothing() -> None:
    (answer,) = decode(refused(1, 201, "ErrorInternalServerError"))
    assert answer.status is None


@pytest.mark.parametrize(
    ("name", "value", "seconds"),
    [
        ("Retry-After", "7", 7.0),
        ("retry-after", "2.128", 2.128),
        ("Retry-After", 9, 9.0),
        ("Retry-After", "soon", None),
        ("Retry-After", "-3", None),
        ("Retry-After", "inf", None),
        ("Retry-After", "nan", None),
        ("Retry-After", "Mon, 21 Sep 2026 14:13:30 GMT", 10.0),
        ("X-Other", "7", None),
    ],
)
def test_each_part_has_its_own_retry_after(name: str, value: Any, seconds: float | None) -> None:
    (answer,) = decode(refused(1, 429, "ApplicationThrottled", **{name: value}))
    assert answer.retry_after == seconds


def test_an_etag_that_could_not_prove_anything_is_not_kept() -> None:
    for etag in ("*", "", None, 'W/"a", W/"b"'):
        (answer,) = decode(created(1, **{"@odata.etag": etag}))
        assert (answer.status, answer.etag) == (201, "")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-09-21T13:46:40Z", 1_789_998_400.0),
        ("2026-09-21T13:46:40", 1_789_998_400.0),
        ("2026-09-21T15:46:40.5+02:00", 1_789_998_400.5),
        ("yesterday", 0.0),
        (None, 0.0),
    ],
)
def test_the_instant_of_creation_is_read_or_unknown(text: str | None, moment: float) -> None:
    (answer,) = decode(created(1, createdDateTime=text))
    assert answer.created_at == moment


def test_a_duplicate_transaction_names_the_event_it_made() -> None:
    part = refused(1, 409, "ErrorDuplicateTransactionId")
    part["body"]["error"]["@event.existingEventId"] = "event-9"
    assert decode(part)[0].existing_id == "event-9"


def test_a_look_gives_the_events_with_their_marks_and_where_it_goes_on() -> None:
    event = {
        "@odata.etag": ETAG,
        "id": "event-1",
        "createdDateTime": "2026-09-21T13:46:40Z",
        "subject": "Algorithms",
        "isAllDay": False,
        "start": {"dateTime": "2026-10-05T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-10-05T10:00:00.0000000", "timeZone": "UTC"},
        "singleValueExtendedProperties": [
            {"id": "String {00000000-0000-0000-0000-000000000000} Name Other", "value": "x"},
            {"id": MARK_PROPERTY.upper(), "value": mark().text()},
        ],
    }
    body = {"value": [event, {"id": "event-2"}], "@odata.nextLink": "https://graph.example/v1.0/next"}
    (answer,) = batch.decode([LOOK], batch_answer({"id": "1", "status": 200, "body": body}), SEEN)
    assert answer.events is not None
    first, second = answer.events
    assert (first.id, first.etag, first.mark) == ("event-1", ETAG, mark().text())
    assert (first.start, first.end, first.all_day) == (
        "2026-10-05T09:00:00.0000000",
        "2026-10-05T10:00:00.0000000",
        False,
    )
    assert (second.id, second.mark, second.created_at) == ("event-2", None, 0.0)
    assert answer.next_link == "https://graph.example/v1.0/next"


def test_an_empty_look_is_not_the_same_as_none() -> None:
    parts = [{"id": "1", "status": 200, "body": {"value": []}}, {"id": "2", "status": 200, "body": {}}]
    empty, none = batch.decode([LOOK, LOOK], batch_answer(*parts), SEEN)
    assert (empty.events, none.events) == ((), None)


def test_calendars_are_listed_and_a_created_one_is_given() -> None:
    found = {"id": "c", "name": "Kalender", "isDefaultCalendar": True, "canEdit": True}
    parts = [
        {"id": "1", "status": 200, "body": {"value": [found]}},
        {"id": "2", "status": 201, "body": found | {"isDefaultCalendar": False}},
    ]
    requests = [GRAPH.calendars(ADA), GRAPH.create_calendar(ADA, "Kalender")]
    listed, made = batch.decode(requests, batch_answer(*parts), SEEN)
    assert listed.calendars is not None
    assert made.calendars is not None
    assert (listed.calendars[0].name, listed.calendars[0].default) == ("Kalender", True)
    assert (made.calendars[0].id, made.calendars[0].default) == ("c", False)


def test_a_refusal_of_the_whole_batch_is_read_even_from_a_web_page() -> None:
    body = b'{"error":{"code":"TooManyRequests","message":"Please retry again later."}}'
    answer = batch.decode_refusal(429, body, SEEN)
    assert (answer.status, answer.code, answer.whole) == (429, "TooManyRequests", True)
    page = batch.decode_refusal(502, b"<html>Bad gateway", SEEN)
    assert (page.status, page.code, page.whole) == (502, "", True)


def test_a_cut_answer_to_a_single_request_is_lost() -> None:
    assert batch.decode_one(Kind.LOOK, 200, b'{"value":[{"id":"a"', SEEN).status is None


@given(st.binary(max_size=200), st.integers(0, 599))
def test_no_answer_whatsoever_is_too_odd_to_be_read(body: bytes, status: int) -> None:
    batch.decode([CREATE, LOOK], body, SEEN)
    batch.decode_one(Kind.LOOK, status, body, SEEN)
    batch.decode_refusal(status, body, SEEN)
