"""Requests say what they must, and cannot be built without proof of ownership."""

import json
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.outlook.made import ADA, ETAG, INSTALLATION, entry, mark, rendering

from classbell.model import Mailbox
from classbell.outlook.dialect import Kind, Request
from classbell.outlook.graph import GraphDialect
from classbell.outlook.mark import MARK_PROPERTY, installation_prefix

GRAPH = GraphDialect()
ODD = Mailbox(id=2, key="x", address="o'brien+tt/1@example.edu", calendar_id="AAMk=/+")


def headers(request: Request) -> dict[str, str]:
    read: dict[str, str] = json.loads(request.headers)
    return read


def every_request() -> list[Request]:
    return [
        GRAPH.create(ADA, rendering(), mark().operation, mark().text()),
        GRAPH.update(entry(), rendering()),
        GRAPH.delete(entry()),
        GRAPH.read(entry()),
        GRAPH.look(ADA, "", "1/x/"),
        GRAPH.calendars(ADA),
        GRAPH.create_calendar(ADA, "Timetable"),
    ]


def test_every_request_asks_for_immutable_ids_and_utc() -> None:
    for request in every_request():
        assert headers(request)["Prefer"] == 'IdType="ImmutableId", outlook.timezone="UTC"'


def test_each_kind_of_request_is_built_once() -> None:
    assert {request.kind for request in every_request()} == set(Kind)


def test_paths_can_be_spliced_into_json_whatever_the_address() -> None:
    for request in [
        GRAPH.create(ODD, rendering(), "op", "mark"),
        GRAPH.look(ODD, ODD.calendar_id, 'it\'s/"1"\\'),
        GRAPH.update(entry('a"b\\c/d', mailbox=ODD), rendering()),
        *every_request(),
    ]:
        assert json.loads(f'"{request.path}"') == request.path
        assert request.path.startswith("/users/")
        assert request.path.isascii()


def test_a_mailbox_and_its_calendar_are_named_by_escaped_segments() -> None:
    request = GRAPH.create(ODD, rendering(), "op", "mark")
    segments = request.path.split("/")
    assert [unquote(segment) for segment in segments[1:]] == [
        "users",
        ODD.address,
        "calendars",
        ODD.calendar_id,
        "events",
    ]


def test_the_default_calendar_needs_no_id() -> None:
    assert GRAPH.create(ADA, rendering(), "op", "mark").path == "/users/ada@example.edu/calendar/events"


def test_a_create_carries_mark_and_transaction_id_beside_the_untouched_rendering() -> None:
    body = json.loads(GRAPH.create(ADA, rendering(), mark().operation, mark('a"\\é').text()).body)
    assert body.pop("transactionId") == mark().operation
    assert body.pop("singleValueExtendedProperties") == [{"id": MARK_PROPERTY, "value": mark('a"\\é').text()}]
    assert body == json.loads(rendering())


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'"x"', b'{"subject":"x"'])
def test_what_is_no_rendering_is_not_sent(text: bytes) -> None:
    with pytest.raises(ValueError, match="rendering"):
        GRAPH.create(ADA, text, "op", "mark")


def test_an_update_sends_the_rendering_alone_under_the_etag() -> None:
    request = GRAPH.update(entry(), rendering())
    assert (request.method, request.body) == ("PATCH", rendering())
    assert headers(request)["If-Match"] == ETAG


def test_a_delete_goes_under_the_etag() -> None:
    request = GRAPH.delete(entry())
    assert (request.method, request.body) == ("DELETE", b"")
    assert headers(request)["If-Match"] == ETAG


@pytest.mark.parametrize("etag", ["", "*", 'W/"a", *', 'W/"a", W/"b"', "a", 'W/""', 'W/"a\n"'])
def test_nothing_is_written_without_an_etag_that_proves_one_state(etag: str) -> None:
    with pytest.raises(ValueError, match="read it first"):
        GRAPH.update(entry(etag=etag), rendering())
    with pytest.raises(ValueError, match="read it first"):
        GRAPH.delete(entry(etag=etag))


def test_an_entry_without_an_event_names_no_whole_collection() -> None:
    for build in (GRAPH.delete, GRAPH.read):
        with pytest.raises(ValueError, match="names the event"):
            build(entry(event_id=""))
    with pytest.raises(ValueError, match="names the event"):
        GRAPH.update(entry(event_id=""), rendering())


def test_a_look_asks_for_marks_with_the_prefix_and_nothing_else() -> None:
    path = GRAPH.look(ADA, "", installation_prefix(INSTALLATION)).path
    assert " " not in path
    assert "+" not in path
    address, _, query = unquote(path).partition("?")
    assert address == "/users/ada@example.edu/calendar/events"
    assert query.split("&")[0] == (
        f"$filter=singleValueExtendedProperties/Any(ep: ep/id eq '{MARK_PROPERTY}'"
        f" and startswith(ep/value,'1/{INSTALLATION}/'))"
    )
    assert f"$expand=singleValueExtendedProperties($filter=id eq '{MARK_PROPERTY}')" in query
    assert "$orderby" not in query


def test_quotes_in_a_prefix_are_doubled() -> None:
    assert "startswith(ep/value,'it''s')" in unquote(GRAPH.look(ADA, "", "it's").path)


@given(st.text(min_size=1).filter(lambda text: text.strip(".") != ""))
def test_no_id_can_lead_out_of_its_segment(event_id: str) -> None:
    path = GRAPH.delete(entry(event_id)).path
    assert path.count("/") == 4
    assert "?" not in path
    assert "#" not in path


def test_what_is_asked_of_an_event_does_not_include_its_text() -> None:
    for request in (GRAPH.read(entry()), GRAPH.look(ADA, "", "1/")):
        (fields,) = [part for part in request.path.split("&") if "$select=" in part]
        assert "body" not in fields
        assert "attendees" not in fields
