from pathlib import Path

import pytest
from tests.cli.classbell import classbell
from tests.settings.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder with the smallest configuration, and every file that it names."""
    folder = Folder(tmp_path)
    folder.write()
    for name in ("cert.pem", "key.pem", "meetings.csv", "attendance.csv"):
        (tmp_path / "conf.d" / name).write_text("hunter2")
        (tmp_path / "conf.d" / name).chmod(0o600)
    return folder


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A folder as ``classbell init`` leaves it."""
    assert classbell("init", cwd=tmp_path).code == 0
    return tmp_path
