"""The links and answers of set-up, tried on the sandbox."""

from urllib.parse import urlencode, urlsplit

import pytest
from tests.sandbox.client import World
from tests.sandbox.conftest import certificate, served, world
from tests.sandbox.test_tokens import decoded
from tests.setup.institutions import facts

from classbell.setup import Facts

__all__ = ["certificate", "served", "world"]


def known(world: World, **changes: str) -> Facts:
    ids = {"tenant": world.tenant.tenant_id, "client": world.app.client_id, "login": world.address.login_url}
    return facts(**(ids | changes))


def opened(world: World, known: Facts, decision: str = "") -> tuple[int, str]:
    parts = urlsplit(known.consent_link)
    assert f"{parts.scheme}://{parts.netloc}" == world.address.login_url
    method, body = ("POST", urlencode({"decision": decision}).encode()) if decision else ("GET", b"")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = world.wire.send(method, f"{parts.path}?{parts.query}", body, form)
    return answer.status, str(answer.body)


@pytest.mark.parametrize("tenant", ["tenant_id", "domain", ""])
def test_the_link_grants_what_is_asked_for_and_nothing_else(world: World, tenant: str) -> None:
    world.app.revoke("Calendars.ReadWrite")
    world.app.require("Calendars.ReadWrite")
    link = known(world, tenant=getattr(world.tenant, tenant) if tenant else "")
    status, page = opened(world, link)
    assert (status, world.app.client_id in page, "<li>Calendars.ReadWrite</li>" in page) == (200, True, True)
    assert "roles" not in decoded(world.ask_token())
    status, page = opened(world, link, "accept")
    assert (status, "<h1>Granted</h1>" in page) == (200, True)
    assert decoded(world.ask_token())["roles"] == ["Calendars.ReadWrite"]


def test_with_the_ids_of_another_application_the_link_grants_nothing(world: World) -> None:
    status, page = opened(world, known(world, client="0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10"), "accept")
    assert (status, "AADSTS700016" in page) == (400, True)
