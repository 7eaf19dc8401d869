import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.cert.commands import PASSWORD, Installed, installed
from tests.cli.conftest import put

from classbell.identity.certificates import KeyPair, new_self_signed


@pytest.fixture(scope="session")
def sealed_pair() -> KeyPair:
    return new_self_signed("classbell", now=time.time() - 3600, password=PASSWORD.encode())


@pytest.fixture
def example(tmp_path: Path, pair: KeyPair) -> Iterator[Installed]:
    with installed(tmp_path, pair) as made:
        yield made


@pytest.fixture
def files(tmp_path: Path, sealed_pair: KeyPair) -> Path:
    """A folder with a pair whose key is encrypted, and password files; without any configuration."""
    put(tmp_path, "cert.pem", sealed_pair.certificate)
    put(tmp_path, "key.pem", sealed_pair.key)
    put(tmp_path, "password", f"{PASSWORD}\n".encode())
    return tmp_path
