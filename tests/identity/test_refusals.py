"""
What an administrator reads when Entra ID refuses: each refusal that can occur here, provoked on the sandbox.

The texts stand in ``refusals.txt`` beside this file, and are to be read by people before they change.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.identity.world import World, new_credential

from classbell.cli.errors import lines
from classbell.errors import ClassbellError
from classbell.identity.certificates import Credential
from classbell.identity.tokens import PAUSES_REFUSED, Tokens
from classbell.life import SystemIds
from classbell.ports import Response
from classbell.sandbox import RequestInfo

pytestmark = pytest.mark.anyio

GOLDEN = Path(__file__).with_name("refusals.txt")
STRANGERS = ("stranger", "registered for a short time")
UNKNOWN_TENANT = "11111111-2222-4333-8444-555555555555"


class Gateway:
    """A gateway that reaches the sandbox under another name."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def request(self, method: str, url: str, **more: Any) -> Response:
        address = url.replace("https://gateway.example", self._world.login_url)
        return await self._world.transport.request(method, address, **more)


def token_requests(info: RequestInfo) -> bool:
    return info.kind == "token"


Provoked = Callable[[World], Tokens]


def not_registered(world: World) -> Tokens:
    stranger, _ = new_credential(STRANGERS[0])
    return world.tokens(stranger)


def expired_there(world: World) -> Tokens:
    short, pem = new_credential(STRANGERS[1])
    world.app.add_certificate(pem, end=datetime.now(UTC) - timedelta(minutes=10))
    return world.tokens(short)


def another_key(world: World) -> Tokens:
    other, _ = new_credential("other")
    mixed: Credential = replace(world.credential, key=other.key)
    return world.tokens(mixed)


def clock_behind(world: World) -> Tokens:
    world.clock.offset = -3600.0
    return world.tokens()


def clock_ahead(world: World) -> Tokens:
    world.clock.offset = 1864.0
    return world.tokens()


def through_a_gateway(world: World) -> Tokens:
    settings = world.settings(login_url="https://gateway.example")
    return Tokens(Gateway(world), world.clock, SystemIds(), settings, [world.credential])


def unknown_application(world: World) -> Tokens:
    return world.tokens(client_id=UNKNOWN_TENANT)


def unknown_tenant(world: World) -> Tokens:
    return world.tokens(tenant_id=UNKNOWN_TENANT)


def no_tenant(world: World) -> Tokens:
    return world.tokens(tenant_id="00000000-0000-0000-0000-000000000000")


def other_cloud(world: World) -> Tokens:
    world.tenant.cloud = "usgov"
    return world.tokens()


def switched_off(world: World) -> Tokens:
    world.app.enabled = False
    return world.tokens()


def public_client(world: World) -> Tokens:
    world.app.public = True
    return world.tokens()


def other_service(world: World) -> Tokens:
    return world.tokens(graph_url="https://graph.microsoft.us")


def kept_out(world: World) -> Tokens:
    world.app.blocked_by = "4b1f7a2e-0000-4000-8000-000000000001"
    return world.tokens()


def fault(effect: str, **more: Any) -> Provoked:
    def provoke(world: World) -> Tokens:
        world.sandbox.faults.add(token_requests, effect, **more)
        return world.tokens()

    return provoke


def throttled(world: World) -> Tokens:
    world.sandbox.switches.sign_in_limit = 0
    return world.tokens()


# For those that somebody must mend: looked at again after a minute, then ever more slowly. For the others: soon.
MEND: dict[str, Provoked] = {
    "AADSTS700027 not registered": not_registered,
    "AADSTS700027 expired": expired_there,
    "AADSTS700027 signature": another_key,
    "AADSTS700024 behind": clock_behind,
    "AADSTS700024 ahead": clock_ahead,
    "AADSTS700023": through_a_gateway,
    "AADSTS700016": unknown_application,
    "AADSTS90002": unknown_tenant,
    "AADSTS900021": no_tenant,
    "AADSTS90038": other_cloud,
    "AADSTS7000112": switched_off,
    "AADSTS700025": public_client,
    "AADSTS500011": other_service,
    "AADSTS53003": kept_out,
}
PASSING: dict[str, Provoked] = {
    "AADSTS90033": fault("400", code="AADSTS90033"),
    "AADSTS90006": fault("503", code="AADSTS90006"),
    "AADSTS90090": fault("400", code="AADSTS90090"),
    "AADSTS90012": fault("400", code="AADSTS90012"),
    "AADSTS90024": fault("400", code="AADSTS90024"),
    "AADSTS50033": fault("400", code="AADSTS50033"),
    "AADSTS50196": fault("400", code="AADSTS50196"),
    "AADSTS90055": throttled,
    "HTTP 429": fault("429", code="text", retry_after=30),
    "HTTP 503": fault("503", code="text"),
    "a proxy's page": fault("html-before"),
    "no answer": fault("drop"),
}


async def refused(tokens: Tokens) -> ClassbellError:
    with pytest.raises(ClassbellError) as caught:
        await tokens.token()
    return caught.value


def told(error: ClassbellError, world: World) -> str:
    """What the command line prints, without what differs from run to run."""
    text = "\n".join(lines(error))
    for value, name in (
        (world.tenant.tenant_id, "TENANT"),
        (world.app.client_id, "APPLICATION"),
        (world.login_url, "https://login.microsoftonline.com"),
    ):
        text = text.replace(value, name)
    for credential in (world.credential, *(new_credential(name)[0] for name in STRANGERS)):
        text = text.replace(credential.sha1, "THUMBPRINT")
    return text


def golden() -> dict[str, str]:
    parts = GOLDEN.read_text(encoding="utf-8").split("== ")[1:]
    return {name: text.strip() for name, _, text in (part.partition(" ==\n") for part in parts)}


def test_there_is_a_text_for_each_and_none_for_others() -> None:
    assert golden().keys() == MEND.keys() | PASSING.keys()


@pytest.mark.parametrize("name", MEND)
async def test_what_somebody_must_mend_is_told_and_tried_again_ever_more_slowly(
    world: World, name: str
) -> None:
    tokens = MEND[name](world)
    error = await refused(tokens)
    assert told(error, world) == golden()[name]
    assert error.exit_code == 6
    for pause in PAUSES_REFUSED[1:]:
        waited = tokens.retry_at - world.clock.now()
        world.pass_time(waited)
        before = world.clock.now()
        await refused(tokens)
        assert tokens.retry_at - before == pytest.approx(pause, abs=5)


@pytest.mark.parametrize("name", PASSING)
async def test_what_passes_by_itself_is_told_and_tried_again_soon(world: World, name: str) -> None:
    tokens = PASSING[name](world)
    error = await refused(tokens)
    assert told(error, world) == golden()[name]
    assert error.exit_code == 5
    assert 0 < tokens.retry_at - world.clock.now() <= 60
    if name == "AADSTS90055":
        return
    world.pass_time(tokens.retry_at - world.clock.now())
    assert await tokens.token()


async def test_what_is_mended_heals_without_a_restart(world: World) -> None:
    tokens = switched_off(world)
    await refused(tokens)
    world.app.enabled = True
    world.pass_time(PAUSES_REFUSED[0] + 1)
    assert await tokens.token()
