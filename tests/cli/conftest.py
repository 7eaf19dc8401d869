import time
from pathlib import Path

import pytest
from tests.cli.classbell import classbell
from tests.settings.folder import Folder

from classbell.identity.certificates import KeyPair, new_self_signed

PASSWORD = "hunter2"


@pytest.fixture(scope="session")
def pair() -> KeyPair:
    return new_self_signed("classbell", now=time.time() - 3600)


@pytest.fixture(scope="session")
def locked_pair() -> KeyPair:
    """As ``openssl req`` makes it: the key is encrypted."""
    return new_self_signed("classbell", now=time.time() - 3600, password=PASSWORD.encode())


@pytest.fixture(scope="session")
def expired() -> KeyPair:
    return new_self_signed("classbell", now=time.time() - 10 * 86_400, days=5)


def put(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    (folder / name).chmod(0o600)


@pytest.fixture
def folder(tmp_path: Path, pair: KeyPair) -> Folder:
    """A folder with the smallest configuration, and every file that it names."""
    folder = Folder(tmp_path)
    folder.write()
    put(tmp_path / "conf.d", "cert.pem", pair.certificate)
    put(tmp_path / "conf.d", "key.pem", pair.key)
    put(tmp_path / "conf.d", "meetings.csv", b"id,from,to\n")
    put(tmp_path / "conf.d", "attendance.csv", b"meeting,person\n")
    return folder


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A folder as ``classbell init`` leaves it."""
    assert classbell("init", cwd=tmp_path).code == 0
    return tmp_path
