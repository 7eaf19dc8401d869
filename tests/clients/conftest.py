"""
Microsoft's own clients and python-o365, unmodified, against the sandbox over HTTPS with its CA.

They come with the extra ``clients``, which `make prove` installs and `make test` does without.
"""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path

import pytest
from tests.clients.world import Pair, World, make_pair

from classbell.sandbox import Address, Sandbox, Switches

CLIENTS = ("azure-identity", "deprecated", "msal", "msgraph-sdk", "o365")
# Where this environment would make a client trust other CAs, or go through a proxy.
_DISTURBING = (
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "MSAL_FORCE_REGION",
)  # fmt: skip

_numbers = count(1)


def absent_clients() -> list[str]:
    """The clients that are not installed."""
    absent = []
    for name in CLIENTS:
        try:
            version(name)
        except PackageNotFoundError:
            absent.append(name)
    return absent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out modules that import what is not installed, or import seconds' worth of code for nothing."""
    if collection_path.suffix != ".py" or collection_path.name == "test_presence.py":
        return None
    return True if absent_clients() or config.option.markexpr == "not prove" else None


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="session")
def other_pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("other"))


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Sandbox, Address]]:
    """One sandbox for all tests, at the real time, which the clients go by."""
    sandbox = Sandbox(seed=1)
    with sandbox.serve() as address:
        yield sandbox, address


@pytest.fixture
def world(served: tuple[Sandbox, Address], pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in _DISTURBING:
        monkeypatch.delenv(name, raising=False)
    sandbox, address = served
    sandbox.faults.clear()
    vars(sandbox.switches).update(vars(Switches()))
    tenant = sandbox.add_tenant(f"c{next(_numbers)}.example.edu")
    app = tenant.register_app("Timetables")
    app.add_certificate(pair.certificate.encode())
    app.grant("Calendars.ReadWrite")
    ada = tenant.add_mailbox(f"ada@{tenant.domain}")
    yield World(sandbox, address, tenant, app, ada, pair, len(sandbox.history))
    sandbox.faults.clear()
