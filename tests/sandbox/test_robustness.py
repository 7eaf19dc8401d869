"""Whatever is asked, the sandbox answers or refuses; it never breaks."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sandbox.client import TAG, World, at, lecture

from classbell.sandbox import Refusal, Sandbox
from classbell.sandbox.filters import compile_filter
from classbell.sandbox.ids import MailboxIds
from classbell.sandbox.preferences import parse as parse_preferences
from classbell.sandbox.queries import next_link
from classbell.sandbox.queries import parse as parse_options

IDS = MailboxIds.of(UUID(int=1), UUID(int=2))

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["UTC", "Europe/Berlin", "html", "text", "busy", "a@b", "2026-09-21T00:00:00", TAG])
    | st.sampled_from(
        [at("0001-01-01", "Asia/Tokyo"), at("9999-12-31T23:59:59", "Pacific/Midway"), at("1601-01-01")]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "dateTime",
                    "timeZone",
                    "content",
                    "contentType",
                    "displayName",
                    "address",
                    "emailAddress",
                    "id",
                    "value",
                    "type",
                    "name",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        "subject", "body", "start", "end", "isAllDay", "location", "locations", "categories", "importance",
        "sensitivity", "showAs", "isReminderOn", "reminderMinutesBeforeStart", "attendees", "isOnlineMeeting",
        "onlineMeetingProvider", "transactionId", "singleValueExtendedProperties", "recurrence", "colour",
    ]
)  # fmt: skip
TOKENS = st.sampled_from(
    [
        "subject", "start/dateTime", "createdDateTime", "isAllDay", "id", "iCalUId", "categories/any(c:c",
        f"singleValueExtendedProperties/Any(ep: ep/id eq '{TAG}' and", "ep/value", "startswith(", "contains(",
        "cast(ep/value, Edm.Int32)", "eq", "ne", "gt", "and", "or", "not", "(", ")", ",", "'x'", "''", "'", "7",
        "true", "null", "2026-09-21", "'2026-09-21T10:00'", "/", ":", "%",
    ]
)  # fmt: skip


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_any_body_is_stored_and_shown_or_refused(changes: dict[str, Any]) -> None:
    sandbox = Sandbox()
    mailbox = sandbox.add_tenant("example.edu").add_mailbox("ada@example.edu")
    event = mailbox.put_event(lecture())
    with suppress(Refusal):
        mailbox.put_event(lecture() | changes)
    with suppress(Refusal):
        mailbox.edit_event(event, changes)
    assert msgspec.json.encode([*mailbox.events(), *(record.told() for record in sandbox.history)])


@given(st.lists(TOKENS, max_size=12))
def test_any_filter_is_compiled_and_run_or_refused(tokens: list[str]) -> None:
    sandbox = Sandbox()
    mailbox = sandbox.add_tenant("example.edu").add_mailbox("ada@example.edu")
    mailbox.put_event(lecture(singleValueExtendedProperties=[{"id": TAG, "value": "x"}]))
    with suppress(Refusal):
        compiled = compile_filter(" ".join(tokens), mailbox.store.ids)
        assert all(compiled.matches(event) in {True, False} for event in mailbox.store.live())


@pytest.mark.parametrize("text", ["(" * 5000, "not " * 5000, "(" * 5000 + "subject eq 'x'" + ")" * 5000])
def test_a_filter_of_absurd_depth_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        compile_filter(text, IDS)


@given(st.text(alphabet="$=&%,()' abcdeflortxpniksu'0129-+/", max_size=40))
def test_any_query_is_parsed_or_refused_and_makes_a_link(query: str) -> None:
    assert next_link("https://x/y", query, 10).endswith("$skip=10")
    with suppress(Refusal):
        assert 1 <= parse_options(query, IDS, top_clamp=1000).top <= 1000


@given(st.text(max_size=40))
def test_any_prefer_header_is_understood_or_ignored(header: str) -> None:
    page = parse_preferences(f"odata.maxpagesize={header}").page
    assert page is None or 1 <= page < 10**6


def test_a_body_of_absurd_depth_cannot_be_read(world: World) -> None:
    for path, body in ((world.events, b'{"x":' * 100_000), ("/$batch", b"[" * 100_000)):
        assert world.graph.post(path, body, Content_Type="application/json").status == 400


@pytest.mark.parametrize("year", ["0001", "1600", "4501", "9999"])
def test_dates_outside_the_stores_range_are_refused(world: World, year: str) -> None:
    body = lecture(start=at(f"{year}-01-01T00:00:00"), end=at("9999-12-31T23:59:59"))
    assert world.graph.post(world.events, body).code == "ErrorPropertyValidationFailure"


@pytest.mark.parametrize("sign", ["%0A", "%0D", "%00", "%E2%80%A8", "."])
def test_no_sign_in_an_id_leads_out_of_the_service(world: World, sign: str) -> None:
    answer = world.graph.get(f"/users/{world.ada.address}/events/x{sign}y")
    assert (answer.status, answer.code) == (400, "ErrorInvalidIdMalformed")
