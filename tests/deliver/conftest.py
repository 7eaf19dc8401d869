"""A stage for each test, in a sandbox that all share."""

import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.deliver.stage import INSTALLATION, MONDAY, SharedClock, Stage

from classbell.identity.certificates import new_self_signed
from classbell.ledger import Ledger
from classbell.sandbox import Address, Sandbox, Switches
from classbell.settings import TenantSettings
from classbell.transport import AiohttpTransport

_numbers = count(1)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Sandbox, Address]]:
    sandbox = Sandbox(seed=0)
    with sandbox.serve() as address:
        yield sandbox, address


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate and its key."""
    folder = tmp_path_factory.mktemp("identity")
    pair = new_self_signed("classbell", now=MONDAY.timestamp() - 86_400)
    (folder / "cert.pem").write_bytes(pair.certificate)
    (folder / "key.pem").write_bytes(pair.key)
    (folder / "key.pem").chmod(0o600)
    return folder


@pytest.fixture(scope="session")
async def new_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger file, to be copied."""
    file = tmp_path_factory.mktemp("ledger") / "ledger.db"
    (await Ledger.open(f"sqlite:///{file}", INSTALLATION)).close()
    return file


@pytest.fixture
async def stage(
    served: tuple[Sandbox, Address], identity: Path, new_ledger: Path, tmp_path: Path
) -> AsyncIterator[Stage]:
    """A tenant with one application, which may write calendars; everything else reset."""
    sandbox, address = served
    sandbox.clock.set(MONDAY)
    vars(sandbox.switches).update(vars(Switches()))
    sandbox.faults.clear()
    sandbox.latency = 0.0
    tenant = sandbox.add_tenant(f"u{next(_numbers)}.example.edu")
    app = tenant.register_app("Classbell")
    app.add_certificate((identity / "cert.pem").read_bytes())
    app.grant("Calendars.ReadWrite")
    shutil.copy(new_ledger, tmp_path / "ledger.db")
    clock = SharedClock(sandbox.clock)
    async with AiohttpTransport(clock, address.ca_file, environ={}) as transport:
        yield Stage(
            sandbox=sandbox,
            tenant=tenant,
            app=app,
            folder=tmp_path,
            clock=clock,
            transport=transport,
            tenant_settings=TenantSettings.model_validate(
                {
                    "tenant_id": tenant.tenant_id,
                    "client_id": app.client_id,
                    "login_url": address.login_url,
                    "graph_url": address.graph_url,
                    "ca_file": address.ca_file,
                    "certificates": [
                        {
                            "certificate": {"file": identity / "cert.pem"},
                            "private_key": {"file": identity / "key.pem"},
                        }
                    ],
                }
            ),
        )
