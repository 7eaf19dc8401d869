"""What ``conftest.py`` promises about skipped and deselected tests, shown on a repository of three tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.prove

ROOT = Path(__file__).resolve().parent.parent
TESTS = """
import pytest

def test_plain():
    pass

@pytest.mark.shared
def test_of_real_timetables(shared_data):
    assert (shared_data / "feed.ics").is_file()
"""
SKIPPED = (
    TESTS
    + """
def test_skipped():
    pytest.skip("no such tool")
"""
)
MODULE_SKIPPED = "import pytest\npytest.importorskip('a_module_that_nobody_has')\n"


class Repository:
    """A repository with our configuration and these tests."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for path in (
            ROOT / "pyproject.toml",
            *(ROOT / "tests").glob("*.py"),
            *(ROOT / "tests/canary").glob("*.py"),
        ):
            if not path.name.startswith("test_"):
                copy = root / path.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())

    def run(self, source: str, *arguments: str, ci: str = "") -> tuple[int, str]:
        (self.root / "tests" / "test_sample.py").write_text(source, encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
            cwd=self.root,
            env={**{key: value for key, value in os.environ.items() if "PYTEST" not in key}, "CI": ci},
            capture_output=True,
            text=True,
            check=False,
        )
        return run.returncode, run.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_tests_of_absent_timetables_are_deselected_and_counted(repository: Repository, workers: str) -> None:
    status, output = repository.run(TESTS, "-n", workers, ci="true")
    assert status == 0
    assert "1 passed" in output
    assert "1 deselected: the real timetables (shared data) are absent" in output


def test_tests_of_timetables_run_where_these_are(repository: Repository) -> None:
    data = repository.root.parent / "shared" / "data"
    data.mkdir(parents=True)
    status, output = repository.run(TESTS)
    assert status == 1, "the feed is not there, so the test that wants it fails"
    (data / "feed.ics").touch()
    status, output = repository.run(TESTS)
    assert status == 0
    assert "2 passed" in output
    assert "deselected" not in output


def test_a_skip_is_a_failure_in_ci_only(repository: Repository) -> None:
    status, output = repository.run(SKIPPED)
    assert (status, "1 skipped" in output) == (0, True)
    status, output = repository.run(SKIPPED, ci="true")
    assert (status, "in CI a skip is a failure" in output) == (1, True)
    assert "no such tool" in output


def test_a_skipped_module_is_a_failure_in_ci_only(repository: Repository) -> None:
    assert repository.run(MODULE_SKIPPED)[0] in {0, 5}
    status, output = repository.run(MODULE_SKIPPED, ci="1")
    assert status not in {0, 5}
    assert "in CI a skip is a failure" in output


def test_a_failure_that_is_expected_is_no_skip(repository: Repository) -> None:
    source = (
        "import pytest\n\n@pytest.mark.xfail(reason='known')\ndef test_known():\n    raise AssertionError\n"
    )
    assert repository.run(source, ci="true")[0] == 0
