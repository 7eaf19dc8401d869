"""
Requests that nobody thought of, made by schemathesis from the descriptions: nothing crashes, and all answers conform.

A little of it every day, much more of it with the longer proofs; the same requests each time. The observer of the whole
suite examines these answers as well, with their statuses.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.schemas import OpenApiSchema
from tests.conformity.contract import Contract
from tests.conformity.test_every_operation import PERMISSIONS
from tests.sandbox.client import MONDAY, TAG, World, lecture
from tests.sandbox.conftest import certificate, served, world
from tests.sandbox.outlook_client import SCOPE
from tests.sandbox.series import WEEKS

from classbell.sandbox import Sandbox
from classbell.sandbox.administration import make_api
from classbell.sandbox.description import description

__all__ = ["certificate", "served", "world"]

CHECKS = [content_type_conformance, response_schema_conformance, response_headers_conformance]
# A 5xx that the sandbox means: what it does not reproduce, and what the service does not support.
MEANT = {(501, "SandboxNotReproduced"), (500, "ErrorInternalServerError")}
LONGEST = 20
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
A_FEW, MANY = 2, 40


@cache
def schema(about: str, examples: int) -> OpenApiSchema:
    """What schemathesis makes of a description; read when it is first needed, since that takes seconds."""
    document = description() if about == "Microsoft" else make_api(Sandbox()).openapi()
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "suppress-health-check": ["all"],
            "generation": {
                "mode": "all",
                "max-examples": examples,
                "deterministic": True,
                "database": "none",
                "with-security-parameters": False,
            },
        }
    )
    return schemathesis.openapi.from_dict(document, config=config)


def operations(about: str) -> list[str]:
    """The names of the operations of a description, such as ``GET /tenants``."""
    return list(Contract(description() if about == "Microsoft" else make_api(Sandbox()).openapi()).operations)


def made(about: str, name: str, examples: int, call: Callable[[Case[Any]], None]) -> None:
    """Make requests for one operation: as described, and not."""
    operation = schema(about, examples).find_operation_by_label(name)
    assert operation is not None
    cases = st.one_of([operation.as_strategy(mode) for mode in MODES])

    @seed(1)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(cases)
    def every(case: Case[Any]) -> None:
        call(case)

    every()


def at_the_edges(about: str, name: str, call: Callable[[Case[Any]], None]) -> None:
    """Make the requests of one operation that lie at the edges of what its description says."""
    whole = schema(about, 1)
    operation = whole.find_operation_by_label(name)
    assert operation is not None
    generation = whole.config.generation_for(operation=operation, phase="coverage")
    for case in whole.iter_coverage_cases(operation, generation_modes=MODES, generation_config=generation):
        call(case)


@dataclass
class Caller:
    """
    Sends what was generated, mostly to things that are there.

    What takes the place of a generated id follows from the rest of the request, so that each runs the same again.
    """

    url: str
    ca_file: str
    session: requests.Session
    things: dict[str, Any]
    tokens: dict[str, str]

    def call(self, case: Case[Any]) -> None:
        """Send it, and look at the answer."""
        drawn = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode())
        for name in case.path_parameters or {}:
            if name in self.things and drawn % 8:
                known = self.things[name](drawn >> 3)
                case.path_parameters[name] = known
        token = next((token for root, token in self.tokens.items() if case.path.startswith(root)), None)
        headers = {"Authorization": f"Bearer {token}"} if token and drawn % 32 else {}
        response = case.call(
            base_url=self.url,
            session=self.session,
            headers=headers,
            timeout=LONGEST,
            verify=self.ca_file,
            allow_redirects=False,
        )
        check(case, response)


def check(case: Case[Any], response: Any) -> None:
    if response.status_code >= 500:
        assert response.headers["content-type"][0].startswith("application/json"), response.text
        assert (response.status_code, response.json()["error"]["code"]) in MEANT, response.text
    case.validate_response(response, checks=CHECKS)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.trust_env = False
        yield made


@pytest.fixture
def microsoft(world: World, session: requests.Session) -> Caller:
    """A caller of the faces of Microsoft 365 with good tokens, and a mailbox with something in it."""
    for permission in PERMISSIONS:
        world.app.grant(permission)
    world.app.require("Calendars.Read")
    world.app.redirect_uris.append("https://timetable.example.edu/")
    world.app.grant_exchange("Calendars.ReadWrite.All")
    ada = world.ada
    calendar = ada.create_calendar("Timetable")
    graph = world.sign_in()
    series = graph.post(f"{world.home}/events", lecture(recurrence=WEEKS)).body["id"]
    found = graph.get(
        f"{world.home}/calendarView?startDateTime=2026-09-01&endDateTime=2026-12-01", None
    ).body["value"]

    def event(drawn: int) -> str:
        if drawn % 3 == 0:
            return str(found[drawn // 3 % len(found)]["id"])
        if drawn % 3 == 1:
            return str(series)
        hidden = [{"id": TAG, "value": "x"}]
        return str(
            graph.post(f"{world.home}/events", lecture(singleValueExtendedProperties=hidden)).body["id"]
        )

    groups = [group["id"] for group in graph.get(f"{world.home}/calendarGroups").body["value"]]
    categories = [one["id"] for one in graph.get(f"{world.home}/outlook/masterCategories").body["value"]]
    return Caller(
        world.address.url,
        str(world.address.ca_file),
        session,
        {
            "user": lambda drawn: (ada.address, ada.id)[drawn % 2],
            "tenant": lambda drawn: (world.tenant.domain, world.tenant.tenant_id)[drawn % 2],
            "calendar": lambda _: calendar,
            "group": lambda drawn: groups[drawn % len(groups)],
            "category": lambda drawn: categories[drawn % len(categories)],
            "event": event,
            "application": lambda _: world.app.object_id,
            "client": lambda _: world.app.client_id,
        },
        {
            "/v1.0": graph.token,
            "/api": world.ask_token(scope=SCOPE).body["access_token"],
        },
    )


@pytest.fixture
def administration() -> Iterator[Caller]:
    """A caller of the administrative API of a sandbox of its own, which it may ruin."""
    sandbox = Sandbox(seed=1)
    sandbox.clock.set(MONDAY)
    tenant = sandbox.add_tenant("example.edu")
    app = tenant.register_app("Timetables")
    ada = tenant.add_mailbox("ada@example.edu")
    calendar = ada.create_calendar("Timetable")
    with sandbox.serve() as address, requests.Session() as made:
        made.trust_env = False
        yield Caller(
            f"{address.url}/_sandbox",
            str(address.ca_file),
            made,
            {
                "tenant": lambda drawn: (tenant.domain, tenant.tenant_id)[drawn % 2],
                "app": lambda _: app.client_id,
                "mailbox": lambda _: ada.address,
                "calendar": lambda _: calendar,
                "event": lambda drawn: ada.put_event(lecture(recurrence=WEEKS) if drawn % 2 else lecture()),
            },
            {},
        )


@pytest.mark.parametrize("name", operations("Microsoft"))
def test_what_is_made_of_the_description_is_answered_as_described(name: str, microsoft: Caller) -> None:
    made("Microsoft", name, A_FEW, microsoft.call)


@pytest.mark.prove
@pytest.mark.parametrize("name", operations("Microsoft"))
def test_much_that_is_made_of_the_description_is_answered_as_described(name: str, microsoft: Caller) -> None:
    made("Microsoft", name, MANY, microsoft.call)
    at_the_edges("Microsoft", name, microsoft.call)


@pytest.mark.parametrize("name", operations("administration"))
def test_what_is_made_of_the_description_of_the_administration_is_answered_as_described(
    name: str, administration: Caller
) -> None:
    made("administration", name, A_FEW, administration.call)


@pytest.mark.prove
@pytest.mark.parametrize("name", operations("administration"))
def test_much_that_is_made_of_the_description_of_the_administration_is_answered_as_described(
    name: str, administration: Caller
) -> None:
    made("administration", name, MANY, administration.call)
    at_the_edges("administration", name, administration.call)
