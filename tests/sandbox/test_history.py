"""The record of requests and changes."""

import http.client
import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from tests.sandbox.client import MONDAY, Client, World, at, lecture, tag

from classbell.sandbox import Record


def since(world: World, start: int) -> list[Record]:
    return world.sandbox.history[start:]


def test_a_create_leaves_the_change_with_its_cause_and_the_request_with_its_status(world: World) -> None:
    start = len(world.sandbox.history)
    event = world.create(singleValueExtendedProperties=tag("x"))
    change, request = since(world, start)
    assert (change.kind, request.kind) == ("change", "request")
    assert (request.method, request.path, request.status) == ("POST", f"/v1.0{world.events}", 201)
    for record in (change, request):
        assert (record.tenant, record.app) == (world.tenant.tenant_id, world.app.client_id)
        assert record.mailbox == world.ada.address
        assert MONDAY.timestamp() <= record.at < MONDAY.timestamp() + 60
    detail = change.detail
    assert (detail["action"], detail["cause"]) == ("create", f"api:{world.app.client_id}")
    assert (detail["event"], detail["subject"]) == (event["id"], "Logic")
    assert list(detail["properties"].values()) == ["x"]
    assert detail["start"] == int(MONDAY.timestamp()) + 4 * 3600


def test_a_request_that_took_its_time_tells_when_it_came(world: World) -> None:
    world.sandbox.latency = 0.02
    start = len(world.sandbox.history)
    world.create()
    (request,) = (record for record in since(world, start) if record.kind == "request")
    assert 0.02 <= request.at - request.detail["arrived"] < 10


def test_of_a_request_that_is_refused_at_the_door_it_is_kept_what_it_asked_for(world: World) -> None:
    asked = f"{world.events}?$select=id&$top=3"
    start = len(world.sandbox.history)
    answer = Client(world.wire, "no token").get(asked)
    (refused,) = since(world, start)
    assert (answer.status, refused.kind, unquote(refused.path)) == (401, "refusal", f"/v1.0{asked}")


def test_records_are_numbered_from_one_without_gaps(world: World) -> None:
    world.create()
    history = world.sandbox.history
    assert [record.number for record in history] == list(range(1, len(history) + 1))


def test_each_kind_of_change_is_named(world: World) -> None:
    start = len(world.sandbox.history)
    event = world.create()["id"]
    path = f"{world.events}/{event}"
    calendar = world.graph.post(f"{world.home}/calendars", {"name": "Other"}).body["id"]
    world.graph.patch(path, {"subject": "Sets"})
    world.ada.touch_event(event)
    world.ada.move_event(event, calendar)
    world.ada.copy_event(event)
    world.ada.delete_event(event)
    world.ada.restore_event(event)
    world.graph.post(f"{path}/permanentDelete")
    world.ada.rename_calendar(calendar, "Another")
    world.graph.delete(f"{world.home}/calendars/{calendar}")
    actions = [record.detail["action"] for record in since(world, start) if record.kind == "change"]
    assert actions == [
        "create", "create-calendar", "update", "touch", "move", "copy", "delete", "restore", "purge",
        "rename-calendar", "delete", "delete-calendar",
    ]  # fmt: skip


def test_the_content_digest_tells_whether_an_event_is_the_same(world: World) -> None:
    start = len(world.sandbox.history)
    event = world.create()["id"]
    world.ada.edit_event(event, {"subject": "Mine"})
    world.ada.edit_event(event, {"subject": "Logic"})
    first, second, third = (
        record.detail["content"] for record in since(world, start) if record.kind == "change"
    )
    assert first == third != second


def test_a_read_records_which_events_its_answer_carried(world: World) -> None:
    event = world.create()["id"]
    world.ada.put_event(lecture(subject="foreign", start=at("2026-09-21T10:30:00")))
    start = len(world.sandbox.history)
    world.graph.get(world.events, {"$filter": "subject eq 'Logic'"})
    world.graph.get(f"{world.events}/{event}")
    world.graph.get(world.events, {"$filter": "subject eq 'none'"})
    assert [record.detail["events"] for record in since(world, start)] == [[event], [event], []]


def test_the_query_of_a_request_is_recorded(world: World) -> None:
    world.graph.get(world.events, {"$select": "subject"})
    assert world.sandbox.history[-1].path == f"/v1.0{world.events}?%24select=subject"


def test_a_refusal_is_recorded_with_code_and_waiting_time(world: World) -> None:
    world.sandbox.faults.add(lambda _: True, 429, retry_after=7)
    world.graph.get(world.events)
    record = world.sandbox.history[-1]
    assert (record.kind, record.status) == ("refusal", 429)
    assert record.detail == {"code": "ApplicationThrottled", "retry_after": "7"}


def test_a_request_without_a_token_is_a_refusal_of_nobody(world: World) -> None:
    world.graph.token = ""
    world.graph.get(world.events)
    record = world.sandbox.history[-1]
    assert (record.kind, record.status, record.app) == ("refusal", 401, "")


def test_a_batch_and_each_of_its_members_have_a_record(world: World) -> None:
    start = len(world.sandbox.history)
    world.graph.members({"method": "GET", "url": world.events}, {"method": "GET", "url": f"{world.events}/x"})
    envelope, *members = since(world, start)
    assert (envelope.path, envelope.status) == ("/v1.0/$batch", 200)
    assert sorted((member.kind, member.status) for member in members) == [("refusal", 400), ("request", 200)]
    assert {record.batch for record in since(world, start)} == {envelope.batch}
    assert envelope.batch > 0


def test_an_answer_lost_after_the_work_is_recorded_as_the_client_saw_it(world: World) -> None:
    start = len(world.sandbox.history)
    world.sandbox.faults.add(lambda _: True, "503-after")
    world.graph.post(world.events, lecture())
    change, request = since(world, start)
    assert (change.kind, request.kind, request.status) == ("change", "refusal", 503)


def test_token_requests_are_recorded_with_their_code(world: World) -> None:
    world.ask_token()
    good = world.sandbox.history[-1]
    assert (good.kind, good.status, good.app) == ("request", 200, world.app.client_id)
    assert good.path == f"/{world.tenant.tenant_id}/oauth2/v2.0/token"
    world.ask_token(client_assertion="x")
    bad = world.sandbox.history[-1]
    assert (bad.kind, bad.status, bad.detail) == ("refusal", 401, {"code": "AADSTS50027"})


@pytest.mark.parametrize(
    ("effect", "status", "code"), [("429", 429, "temporarily_unavailable"), ("drop-after", 0, "dropped")]
)
def test_a_token_request_that_a_fault_met_is_recorded_as_the_client_saw_it(
    world: World, effect: str, status: int, code: str
) -> None:
    start = len(world.sandbox.history)
    world.sandbox.faults.add(lambda info: info.kind == "token", effect, retry_after=3)
    with suppress(OSError, http.client.HTTPException):
        world.ask_token()
    (record,) = since(world, start)
    assert (record.kind, record.method, record.status) == ("refusal", "POST", status)
    assert record.path.endswith("/oauth2/v2.0/token")
    assert record.detail == {"code": code, "retry_after": "3"}


@pytest.mark.parametrize(("effect", "members"), [("503-before", 0), ("503-after", 1)])
def test_an_envelope_that_a_fault_met_is_recorded_as_the_client_saw_it(
    world: World, effect: str, members: int
) -> None:
    start = len(world.sandbox.history)
    world.sandbox.faults.add(lambda info: info.kind == "batch", effect)
    assert world.graph.batch({"method": "GET", "url": world.events}).status == 503
    envelope, *others = since(world, start)
    assert (envelope.kind, envelope.path, envelope.status) == ("refusal", "/v1.0/$batch", 503)
    assert envelope.detail["code"] == "ErrorServerBusy"
    assert [record.status for record in others] == [200] * members


def test_no_credential_is_in_the_history(world: World, tmp_path: Path) -> None:
    assertion = world.assertion()
    world.ask_token(client_assertion=assertion)
    world.create()
    world.sandbox.export_history(tmp_path / "history.jsonl")
    written = (tmp_path / "history.jsonl").read_text()
    assert world.graph.token not in written
    assert assertion not in written


def test_the_export_holds_every_record_as_a_json_line(world: World, tmp_path: Path) -> None:
    world.create()
    world.sandbox.export_history(tmp_path / "history.jsonl")
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()
    ]
    assert len(lines) == len(world.sandbox.history)
    last = world.sandbox.history[-1]
    assert lines[-1] == {
        "number": last.number, "at": last.at, "kind": "request", "tenant": last.tenant, "app": last.app,
        "mailbox": last.mailbox, "method": "POST", "path": last.path, "status": 201, "detail": last.detail,
    }  # fmt: skip
    assert lines[-2]["detail"]["action"] == "create"
