from collections.abc import Iterator
from itertools import count

import pytest
from tests.sandbox.administrator import Administrator
from tests.sandbox.client import MONDAY, Certificate, Client, Wire, World, make_certificate

from classbell.sandbox import Address, Sandbox, Switches

_numbers = count(1)


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    return make_certificate()


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Sandbox, Address]]:
    """One sandbox for all tests; each has a tenant of its own in it."""
    sandbox = Sandbox(seed=1)
    with sandbox.serve() as address:
        yield sandbox, address


@pytest.fixture
def world(served: tuple[Sandbox, Address], certificate: Certificate) -> Iterator[World]:
    """A tenant with one application, which may write calendars, and Ada's mailbox; everything else reset."""
    sandbox, address = served
    sandbox.clock.set(MONDAY)
    vars(sandbox.switches).update(vars(Switches()))
    sandbox.faults.clear()
    sandbox.latency = 0.0
    number = next(_numbers)
    tenant = sandbox.add_tenant(f"u{number}.example.edu")
    app = tenant.register_app("Timetables")
    app.add_certificate(certificate.pem)
    app.grant("Calendars.ReadWrite")
    ada = tenant.add_mailbox(f"ada@{tenant.domain}")
    wire = Wire(address)
    made = World(sandbox, address, tenant, app, certificate, wire, ada, Client(wire))
    made.graph = made.sign_in()
    yield made
    wire.close()


@pytest.fixture
def admin(world: World) -> Iterator[Administrator]:
    """An administrator of the world's sandbox."""
    made = Administrator(world.address)
    yield made
    made.close()


@pytest.fixture
def home(world: World) -> str:
    """Ada's mailbox in the administrative API."""
    return f"/tenants/{world.tenant.domain}/mailboxes/{world.ada.address}"
