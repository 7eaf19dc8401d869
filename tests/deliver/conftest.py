"""A stage for each test, in a sandbox that all share."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from tests.deliver.stage import INSTALLATION, MONDAY, SharedClock, Stage
from tests.switching import NotedSwitches, registered_before

from classbell.identity.certificates import Credential, load_credential, new_self_signed
from classbell.ledger import Ledger
from classbell.life import LocalFiles
from classbell.sandbox import Address, Sandbox
from classbell.settings import CertificateSettings, TenantSettings
from classbell.settings.values import ApiName
from classbell.transport import AiohttpTransport

_numbers = count(1)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Sandbox, Address]]:
    sandbox = Sandbox(seed=0, switches=NotedSwitches())
    with sandbox.serve() as address:
        yield sandbox, address


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Where a certificate and its key are, and what they are once loaded."""

    settings: CertificateSettings
    credentials: Sequence[Credential]
    pem: bytes


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """One for all tests: keys take long to make and to check."""
    folder = tmp_path_factory.mktemp("identity")
    pair = new_self_signed("classbell", now=MONDAY.timestamp() - 86_400)
    (folder / "cert.pem").write_bytes(pair.certificate)
    (folder / "key.pem").write_bytes(pair.key)
    (folder / "key.pem").chmod(0o600)
    settings = CertificateSettings.model_validate(
        {"certificate": {"file": folder / "cert.pem"}, "private_key": {"file": folder / "key.pem"}}
    )
    credentials = [load_credential(settings, LocalFiles(), {}, MONDAY.timestamp())]
    return Identity(settings=settings, credentials=credentials, pem=pair.certificate)


@pytest.fixture(scope="session")
async def new_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger file, to be copied."""
    file = tmp_path_factory.mktemp("ledger") / "ledger.db"
    (await Ledger.open(f"sqlite:///{file}", INSTALLATION)).close()
    return file


@pytest.fixture
async def stage(
    served: tuple[Sandbox, Address], identity: Identity, new_ledger: Path, quick_path: Path, api: ApiName
) -> AsyncIterator[Stage]:
    """A tenant with one application, which may write calendars by either interface; everything else reset."""
    sandbox, address = served
    sandbox.clock.set(MONDAY)
    assert isinstance(sandbox.switches, NotedSwitches)
    sandbox.switches.begin_anew()
    sandbox.faults.clear()
    sandbox.latency = 0.0
    tenant = sandbox.add_tenant(f"u{next(_numbers)}.example.edu")
    app = tenant.register_app("Classbell")
    with registered_before(sandbox.clock):
        app.add_certificate(identity.pem)
    app.grant("Calendars.ReadWrite")
    app.grant_exchange("Calendars.ReadWrite.All")
    clock = SharedClock(sandbox.clock)
    async with AiohttpTransport(clock, address.ca_file, environ={}) as transport:
        stage = Stage(
            sandbox=sandbox,
            tenant=tenant,
            app=app,
            folder=quick_path,
            new_ledger=new_ledger,
            clock=clock,
            transport=transport,
            tenant_settings=TenantSettings.model_validate(
                {
                    "api": api,
                    "tenant_id": tenant.tenant_id,
                    "client_id": app.client_id,
                    "login_url": address.login_url,
                    "graph_url": address.graph_url,
                    "ca_file": address.ca_file,
                    "certificates": [identity.settings],
                }
            ),
            credentials=identity.credentials,
        )
        stage.begin_anew()
        yield stage
