"""How long a token is good."""

from dataclasses import replace

import pytest
from tests.sandbox.client import MONDAY, Wire, World

from classbell.sandbox import Sandbox


def test_the_life_of_a_token_can_be_fixed(world: World) -> None:
    sandbox = Sandbox(token_lifetime=600)
    sandbox.clock.set(MONDAY)
    tenant = sandbox.add_tenant("short.example.edu")
    app = tenant.register_app("Timetables")
    app.add_certificate(world.certificate.pem)
    with sandbox.serve() as address:
        wire = Wire(address)
        short = replace(world, sandbox=sandbox, address=address, tenant=tenant, app=app, wire=wire)
        assert short.ask_token().body["expires_in"] == 599
        wire.close()


@pytest.mark.parametrize(("lifetime", "renew"), [(7200, None), (7201, 3600), (86_400, 43_199)])
def test_a_long_life_says_when_to_renew(world: World, lifetime: int, renew: int | None) -> None:
    sandbox = Sandbox(token_lifetime=lifetime)
    sandbox.clock.set(MONDAY)
    tenant = sandbox.add_tenant("long.example.edu")
    app = tenant.register_app("Timetables")
    app.add_certificate(world.certificate.pem)
    with sandbox.serve() as address:
        wire = Wire(address)
        long = replace(world, sandbox=sandbox, address=address, tenant=tenant, app=app, wire=wire)
        assert long.ask_token().body.get("refresh_in") == renew
        wire.close()
