"""
Microsoft's client for JavaScript works on calendars, signed in by @azure/identity: both by their settings alone.

Each script under ``js`` does its work and tells what it has seen; what came of it is judged here.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.clients.world import PASSWORD, TAG, Pair, World, by_token

SCRIPTS = Path(__file__).parent / "js"

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(
        shutil.which("node") is None or not (SCRIPTS / "node_modules").is_dir(),
        reason="Node.js or its packages are missing; `make prove` says how to have them",
    ),
]


def run(world: World, script: str, pair: Pair | None = None) -> Any:
    """What a script tells."""
    settings = {
        "application": world.app.client_id,
        "certificate": str((pair or world.pair).both),
        "graph": world.address.graph_url,
        "login": world.address.login_url,
        "mailbox": world.ada.address,
        "password": PASSWORD,
        "scope": world.scope,
        "tag": TAG,
        "tenant": world.tenant.tenant_id,
    }
    done = subprocess.run(
        ["node", script],
        cwd=SCRIPTS,
        env=os.environ | {"NODE_EXTRA_CA_CERTS": world.ca_file},
        input=json.dumps(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_event_is_created_found_changed_viewed_and_deleted(world: World) -> None:
    seen = run(world, "events.mjs")
    assert [calendar["name"] for calendar in seen["calendars"]] == ["Calendar"]
    made = seen["made"]
    assert (made["subject"], made["transactionId"]) == ("Logic", "operation 1")
    assert "singleValueExtendedProperties" not in made
    assert seen["again"]["id"] == made["id"], "a create sent again"
    (found,) = seen["found"]
    assert (found["subject"], found["singleValueExtendedProperties"][0]["value"]) == ("Logic", "one")
    assert seen["changed"]["subject"] == "Sets"
    assert (seen["stale"]["status"], seen["stale"]["code"]) == (412, "ErrorIrresolvableConflict")
    (viewed,) = seen["view"]
    assert viewed["end"] == {"dateTime": "2026-09-21T14:00:00.0000000", "timeZone": "Europe/Amsterdam"}
    assert sorted(seen["read"]) == ["@odata.context", "@odata.etag", "end", "id", "subject"]
    assert (seen["gone"]["status"], seen["gone"]["code"]) == (404, "ErrorItemNotFound")
    assert world.subjects() == ["Other"]
    assert [event["id"] for event in world.ada.deleted_events()] == [made["id"]]


def test_a_list_is_read_page_by_page_to_its_end(world: World) -> None:
    subjects = world.fill(25)
    assert run(world, "pages.mjs") == {"first": 7, "seen": subjects}
    assert world.codes("GET", "/events") == [200] * 4


def test_a_batch_runs_in_the_order_that_it_asks_for(world: World) -> None:
    answers = run(world, "batch.mjs")
    assert {name: answer["status"] for name, answer in answers.items()} == {
        "new": 201,
        "after": 200,
        "bad": 400,
        "late": 424,
    }
    assert [event["subject"] for event in answers["after"]["body"]["value"]] == ["Sets"]
    assert answers["bad"]["body"]["error"]["code"] == "ErrorInvalidIdMalformed"
    assert answers["late"]["body"]["error"]["code"] == "FailedDependency"
    assert world.subjects() == ["Sets"]


def test_a_throttled_member_of_a_batch_shows_its_own_status_and_wait(world: World) -> None:
    world.throttle(lambda info: info.kind == "member" and info.method == "POST", times=1, seconds=7)
    answers = run(world, "batch.mjs")
    assert (answers["new"]["status"], answers["new"]["wait"]) == (429, "7")
    assert {answers[name]["status"] for name in ("after", "bad", "late")} == {424}
    assert world.ada.events() == []


def test_a_throttled_read_and_a_throttled_create_are_tried_again_when_the_service_says(world: World) -> None:
    world.throttle(lambda info: info.kind == "single" and info.method == "GET", times=1)
    world.throttle(lambda info: info.kind == "single" and info.method == "POST", times=2)
    assert run(world, "throttled.mjs") == {"read": None, "create": None}
    assert world.codes("GET", "/events") == [429, 200]
    assert world.codes("POST", "/events") == [429, 429, 201]
    assert all(wait >= 0.9 for wait in world.waits("GET", "/events") + world.waits("POST", "/events"))
    assert world.subjects() == ["Logic"]


def test_a_service_that_stays_throttled_is_an_error_with_its_code(world: World) -> None:
    world.throttle(lambda info: info.kind == "single", times=20)
    seen = run(world, "throttled.mjs")
    for error in (seen["read"], seen["create"]):
        assert (error["status"], error["code"]) == (429, "ApplicationThrottled")
    assert world.ada.events() == []


def test_a_throttled_sign_in_is_tried_again(world: World) -> None:
    world.throttle(by_token, times=1)
    assert run(world, "throttled.mjs") == {"read": None, "create": None}
    assert world.codes("POST", "/token") == [429, 200]


def test_a_certificate_that_is_not_registered_stops_every_request(world: World, other_pair: Pair) -> None:
    seen = run(world, "throttled.mjs", other_pair)
    for error in (seen["read"], seen["create"]):
        assert "AADSTS700027" in error["message"]
    assert world.asked("GET", "/events") + world.asked("POST", "/events") == []


def test_missing_consent_is_an_error_with_its_code(world: World) -> None:
    world.app.revoke("Calendars.ReadWrite")
    seen = run(world, "throttled.mjs")
    for error in (seen["read"], seen["create"]):
        assert (error["status"], error["code"]) == (403, "ErrorAccessDenied")
