"""
At the end of a session of tests: no secret of it stands in any output, log, error, database, archive or other file.

Each process of the session looks through its own files.
"""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from tests.canary import listening

listening.install()

LEAKS = pytest.StashKey[list[str]]()
_FACTORY = pytest.StashKey[pytest.TempPathFactory]()
_SHOWN = 50
# Logs what looks like secrets, to see that they are taken out; pytest shows the records as they were before.
_PLANTING = "tests/unit/test_telemetry.py"


@pytest.fixture(scope="session", autouse=True)
def files_of_the_session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Remember where the files of this session are."""
    request.config.stash[_FACTORY] = tmp_path_factory


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    for name, text in report.sections if not item.nodeid.startswith(_PLANTING) else ():
        listening.CANARY.hear(text, f"{item.nodeid} ({name})")
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    factory = session.config.stash.get(_FACTORY, None)
    if factory is None:
        return
    leaks = listening.CANARY.leaks(Path(factory.getbasetemp()))
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["leaks"] = leaks
    else:
        session.config.stash[LEAKS] = leaks
    if leaks:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    found = node.config.stash.setdefault(LEAKS, [])
    found += getattr(node, "workeroutput", {}).get("leaks", [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    leaks = config.stash.get(LEAKS, [])
    if leaks:
        terminalreporter.section("secrets that leaked", red=True)
        for leak in leaks[:_SHOWN]:
            terminalreporter.write_line(leak)
        session = terminalreporter._session
        if session is not None and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
