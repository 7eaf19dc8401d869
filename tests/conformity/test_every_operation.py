"""
Each operation of the description, asked once as it should be.

The observer of the whole suite holds the answers against the schemas; here every operation is shown to be there, and to
be examined.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from tests.conformity import observer
from tests.conformity.checks import ours
from tests.conformity.microsoft import microsoft
from tests.sandbox.client import Certificate, World, lecture, make_certificate
from tests.sandbox.conftest import certificate, served, world
from tests.sandbox.outlook_client import SCOPE, seminar
from tests.sandbox.series import TERM, WEEKS
from tests.sandbox.test_applications import key, proof

__all__ = ["certificate", "served", "world"]

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
WEEK = urlencode(TERM)
# What the service never does, so that its refusal is the answer.
REFUSED = {
    "DELETE /v1.0/users/{user}/calendar": 400,
    "POST /v1.0/users/{user}/calendar/permanentDelete": 400,
    "DELETE /api/v2.0/users/{user}/calendar": 400,
}
# What their file leaves out: counts as text, single settings, functions with another spelling, and that the default
# calendar can be asked to go (it refuses).
UNKNOWN_TO_MICROSOFT = {
    "GET $count",
    "DELETE calendar",
    "POST permanentDelete",
    "GET timeZone",
    "PATCH timeZone",
    "GET {setting}",
    "GET supportedTimeZones",
    "GET supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'{standard}')",
}
PERMISSIONS = ("MailboxSettings.ReadWrite", "User.Read.All", "Application.ReadWrite.All")
BODIES: dict[str, Any] = {
    "givenEvent": lecture(),
    "changedEvent": {"subject": "Logic II"},
    "givenCalendar": {"name": "Another"},
    "changedCalendar": {"color": "lightBlue"},
    "comment": {"comment": "Called off"},
    "givenGroup": {"name": "Another"},
    "givenCategory": {"displayName": "Lecture"},
    "changedCategory": {"color": "preset4"},
    "givenSettings": {"timeZone": "Europe/Berlin"},
    "givenValue": {"value": "Europe/Berlin"},
    "changedApplication": {"displayName": "Timetables"},
    "batchRequest": {"requests": [{"id": "1", "method": "GET", "url": "/users/nobody/events"}]},
    "outlookBatchRequest": {"requests": [{"id": "1", "method": "GET", "url": "/users('nobody')/events"}]},
    "outlookGivenEvent": seminar(),
    "outlookGivenCalendar": {"Name": "Another"},
}


class Asking:
    """Makes a request of the name of an operation."""

    def __init__(self, world: World, fresh: Certificate) -> None:
        self._world = world
        self._fresh = fresh
        for permission in PERMISSIONS:
            world.app.grant(permission)
        world.app.redirect_uris.append("https://timetable.example.edu/consented")
        world.app.grant_exchange("Calendars.ReadWrite.All")
        world.graph = world.sign_in()

    def ask(self, name: str) -> int:
        """The status of the answer."""
        method, _, path = name.partition(" ")
        operation = ours().operations[name]
        body = operation.get("requestBody", {}).get("content", {})
        headers, content = {"Authorization": f"Bearer {self._token(path)}"}, None
        if body:
            kind = next(iter(body))
            schema = body[kind]["schema"]["$ref"].rpartition("/")[2]
            told = self._told(schema)
            content = urlencode(told).encode() if kind == FORM["Content-Type"] else json.dumps(told).encode()
            headers |= {"Content-Type": kind}
        where = re.sub(r"\{(\w+)\}", lambda part: quote(self._value(part[1], name)), path)
        answer = self._world.wire.send(method, where + self._query(path), content, headers)
        return answer.status

    def _token(self, path: str) -> str:
        if not path.startswith("/api/"):
            return self._world.graph.token
        return str(self._world.ask_token(scope=SCOPE).body["access_token"])

    def _value(self, part: str, name: str) -> str:
        made: dict[str, Callable[[], str]] = {
            "user": lambda: self._world.ada.address,
            "tenant": lambda: self._world.tenant.tenant_id,
            "application": lambda: self._world.app.object_id,
            "client": lambda: self._world.app.client_id,
            "standard": lambda: "Iana",
            "setting": lambda: "workingHours",
            "category": lambda: self._first("/outlook/masterCategories"),
            "group": lambda: self._group(name),
            "calendar": lambda: self._made("/calendars", {"name": "Timetable"}),
            "event": lambda: self._event(name),
        }
        return made[part]()

    def _group(self, name: str) -> str:
        if name.startswith("DELETE") and name.endswith("{group}"):
            return self._made("/calendarGroups", {"name": "Empty"})
        return self._first("/calendarGroups")

    def _event(self, name: str) -> str:
        attendees = [{"emailAddress": {"address": "bob@example.edu"}}] if name.endswith("/cancel") else []
        return self._made("/events", lecture(recurrence=WEEKS, attendees=attendees))

    def _made(self, path: str, body: dict[str, Any]) -> str:
        answer = self._world.graph.post(f"{self._world.home}{path}", body)
        assert answer.status == 201, answer
        return str(answer.body["id"])

    def _first(self, path: str) -> str:
        return str(self._world.graph.get(f"{self._world.home}{path}").body["value"][0]["id"])

    def _query(self, path: str) -> str:
        world = self._world
        if "calendarview" in path.casefold() or "/instances" in path:
            return f"?{WEEK}"
        if path.endswith("adminconsent"):
            asked = {
                "client_id": world.app.client_id,
                "redirect_uri": "https://timetable.example.edu/consented",
                "scope": "https://graph.microsoft.com/.default",
            }
            return f"?{urlencode(asked)}"
        if path.endswith("/discovery/instance"):
            endpoint = "https://login.microsoftonline.com/common/oauth2/v2.0/authorize"
            return f"?{urlencode({'authorization_endpoint': endpoint, 'api-version': '1.1'})}"
        return ""

    def _told(self, schema: str) -> Any:
        world = self._world
        signed = {
            "grant_type": "client_credentials",
            "client_id": world.app.client_id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": world.assertion(),
        }
        made: dict[str, Callable[[], Any]] = {
            "tokenRequest": lambda: signed | {"scope": "https://graph.microsoft.com/.default"},
            "tokenRequestV1": lambda: signed | {"resource": "https://graph.microsoft.com"},
            "decision": lambda: {"decision": "accept"},
            "keyToAdd": lambda: {"keyCredential": key(self._fresh), "proof": proof(world)},
            "keyToRemove": lambda: {"keyId": world.app.credentials[0].key_id, "proof": proof(world)},
            "idsToTranslate": lambda: {
                "inputIds": [self._made("/events", lecture()), "nonsense"],
                "sourceIdType": "restId",
                "targetIdType": "restImmutableEntryId",
            },
        }
        return made[schema]() if schema in made else BODIES[schema]


@pytest.fixture(scope="module")
def fresh() -> Certificate:
    return make_certificate()


@pytest.mark.parametrize("name", ours().operations)
def test_an_operation_answers_as_described_and_is_examined(
    world: World, fresh: Certificate, name: str
) -> None:
    asking = Asking(world, fresh)
    before = observer.EXAMINER.counts.total()
    status = asking.ask(name)
    wanted = REFUSED.get(name) or next(int(code) for code in ours().operations[name]["responses"])
    assert status == (302 if name.startswith("POST") and "adminconsent" in name else wanted)
    assert observer.EXAMINER.counts[f"{name} {status}"] > 0
    assert observer.EXAMINER.counts.total() > before


@pytest.mark.shared
def test_microsofts_schemas_know_what_we_describe_of_the_calendar_but_for_what_is_named_here() -> None:
    contract = microsoft()
    assert contract is not None
    unknown = set()
    for name in ours().operations:
        method, _, path = name.partition(" ")
        if path.startswith("/v1.0/users") and not contract.find(method, path):
            unknown.add(f"{method} {path.rpartition('/')[2]}")
    assert unknown == UNKNOWN_TO_MICROSOFT
