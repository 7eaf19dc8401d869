"""That a wrong answer is found, whatever is wrong with it, and fails the test that got it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.conformity import observer
from tests.conformity.checks import Batch, Examiner, Exchange, ours
from tests.sandbox.client import World
from tests.sandbox.conftest import certificate, served, world

from classbell.sandbox import calendars, represent

__all__ = ["certificate", "served", "world"]

ROOT = Path(__file__).resolve().parent.parent.parent
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def right(world: World) -> Exchange:
    """The answer to a create, as it came."""
    event = world.create()
    path = f"/v1.0{world.events}"
    headers = {
        "content-type": "application/json",
        "etag": event["@odata.etag"],
        "location": "https://localhost/x",
    }
    return Exchange("POST", path, "", 201, headers, msgspec.json.encode(event))


def changed(exchange: Exchange, change: Change) -> Exchange:
    body = msgspec.json.decode(exchange.content)
    change(body)
    return replace(exchange, content=msgspec.json.encode(body))


def found(exchange: Exchange) -> list[str]:
    return Examiner().failures(exchange)


def test_a_right_answer_is_content_and_counted(right: Exchange) -> None:
    examiner = Examiner()
    assert examiner.failures(right) == []
    assert examiner.counts == {"POST /v1.0/users/{user}/calendar/events 201": 1}


@pytest.mark.shared
def test_a_right_answer_is_held_against_microsofts_schemas_too(right: Exchange) -> None:
    examiner = Examiner()
    examiner.failures(right)
    assert examiner.microsofts == {"POST /v1.0/users/{user-id}/calendar/events": 1}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda body: body.pop("subject"), '"subject" is a required property'),
        (lambda body: body.update(organiser="Ada"), "'organiser' was unexpected"),
        (lambda body: body.update(showAs="Busy"), "$['showAs']"),
        (lambda body: body.update(reminderMinutesBeforeStart="15"), "$['reminderMinutesBeforeStart']"),
        (lambda body: body.update(createdDateTime="2026-09-21T06:00:00"), "$['createdDateTime']"),
        (lambda body: body.update(createdDateTime="2026-13-21T06:00:00Z"), "$['createdDateTime']"),
        (lambda body: body["start"].update(dateTime="2026-09-21T10:00:00"), "$['start']['dateTime']"),
        (lambda body: body.update(id="AAMk"), "$['id']"),
        (lambda body: body.update(singleValueExtendedProperties=[]), "was unexpected"),
    ],
)
def test_a_wrong_content_is_told_with_its_place(right: Exchange, change: Change, place: str) -> None:
    told = found(changed(right, change))
    assert told
    assert place in "\n".join(told)
    assert told[0].startswith(f"POST {right.path} answered 201: by our description of")


@pytest.mark.shared
@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(organiser="Ada"),
        lambda body: body.update(showAs="Busy"),
        lambda body: body.update(categories=None),
        lambda body: body.update(isAllDay="no"),
        lambda body: body["organizer"]["emailAddress"].update(mail="ada@example.edu"),
        lambda body: body["start"].update(dateTime=None),
    ],
)
def test_microsofts_schemas_find_it_without_ours(right: Exchange, change: Change) -> None:
    told = Examiner()._by_microsoft(changed(right, change))
    assert told
    assert told[0].startswith("by Microsoft's POST")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"status": 200}, "does not know this status"),
        ({"content": b""}, "it has no content"),
        ({"headers": {"content-type": "application/json"}}, "it has no header"),
        ({"path": "/v1.0/users/ada/agenda"}, "nothing of the kind is described"),
        ({"method": "PUT"}, "nothing of the kind is described"),
    ],
)
def test_a_wrong_status_or_header_or_place_is_found(
    right: Exchange, wrong: dict[str, Any], reason: str
) -> None:
    assert reason in "\n".join(found(replace(right, **wrong)))


def test_a_wrong_type_of_content_is_found(right: Exchange) -> None:
    wrong = replace(right, headers={**right.headers, "content-type": "text/html"})
    assert "its content is text/html" in found(wrong)[0]


def test_what_select_leaves_out_may_be_missing_and_nothing_else(right: Exchange) -> None:
    body = {"@odata.context": "https://localhost/", "id": msgspec.json.decode(right.content)["id"]}
    body["@odata.etag"] = right.headers["etag"]
    read = replace(right, method="GET", path=f"{right.path}/x", status=200, content=msgspec.json.encode(body))
    assert found(replace(read, query="$select=id")) == []
    assert "required property" in found(read)[0]


@pytest.mark.parametrize("effect", ["cut", "empty", "html", "drop", "missing"])
def test_what_a_fault_has_spoilt_is_not_examined(right: Exchange, effect: str) -> None:
    assert found(replace(right, content=b"<html>", faults=[effect])) == []


def test_an_error_by_fault_may_have_any_status_and_no_other_shape(right: Exchange) -> None:
    inner = {"date": "2026-09-21T06:00:00", "request-id": "x", "client-request-id": "x"}
    error: dict[str, Any] = {"code": "BadGateway", "message": "", "innerError": inner}
    told = replace(right, status=502, content=msgspec.json.encode({"error": error}))
    assert found(replace(told, faults=["status"])) == []
    assert "does not know this status" in found(told)[0]
    shapeless = replace(told, content=msgspec.json.encode({"error": error["code"]}), faults=["status"])
    assert "$['error']" in found(shapeless)[0]


def test_members_of_a_batch_are_examined_each_against_its_own_operation(right: Exchange) -> None:
    asked = {"requests": [{"id": "1", "method": "POST", "url": right.path.removeprefix("/v1.0")}]}
    body = msgspec.json.decode(right.content) | {"showAs": "Busy"}
    responses = [{"id": "1", "status": 201, "headers": dict(right.headers), "body": body}]
    content = msgspec.json.encode({"responses": responses})
    kind = {"content-type": "application/json"}
    batch = Batch("POST", "/v1.0/$batch", "", 200, kind, content, asked=msgspec.json.encode(asked))
    assert found(batch)[0].startswith(f"in a batch: POST {right.path} answered 201: by our description of")


def test_a_sandbox_that_answers_wrongly_is_found_out_by_the_observer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = represent.calendar_json
    monkeypatch.setattr(calendars, "calendar_json", lambda *known: true(*known) | {"colour": "auto"})
    answer = world.graph.get(f"{world.home}/calendar")
    assert answer.status == 200
    told = observer.taken_failures()
    assert "'colour' was unexpected" in told[0]


def test_a_sandbox_that_crashes_is_found_out_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # Called without what it needs.
    monkeypatch.setattr(calendars, "calendar_json", dict)
    assert (
        world.wire.send(
            "GET", f"/v1.0{world.home}/calendar", None, {"Authorization": f"Bearer {world.graph.token}"}
        ).status
        == 500
    )
    assert "does not know this status" in "\n".join(observer.taken_failures())


@pytest.mark.prove
def test_a_test_that_gets_a_wrong_answer_fails(tmp_path: Path) -> None:
    (tmp_path / "test_wrong.py").write_text(
        "from tests.sandbox.conftest import certificate, served, world\n"
        "from classbell.sandbox import calendars\n"
        "def test_reading(world, monkeypatch):\n"
        "    true = calendars.calendar_json\n"
        "    monkeypatch.setattr(calendars, 'calendar_json', lambda *known: true(*known) | {'colour': 1})\n"
        "    world.graph.get(f'{world.home}/calendar')\n"
    )
    # Whatever runs the tests says where they are; the inner ones are somewhere else.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "answers do not conform" in done.stdout
    assert "'colour' was unexpected" in done.stdout


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/%24/discovery/v2.0/keys", "GET /{tenant}/discovery/v2.0/keys"),
        ("/v1.0/users/ada/%24count", ""),
    ],
)
def test_a_tenant_may_be_called_anything_and_an_event_not_like_a_word_of_odata(path: str, name: str) -> None:
    assert ours().find("GET", path) == name
