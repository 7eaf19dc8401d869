"""
What holds for every test.

A test marked ``shared`` reads the real timetables beside the repository. Where they are absent it is
deselected at collection, and the closing summary says how many were. Where ``CI`` is set, a skipped test
counts as a failure: a skip there means that something was not shown. Every answer of every sandbox that a test
serves is held against its description (``tests/conformity``); one that does not fit fails the test. At the end all that
the tests left behind is searched for their keys, passwords, assertions and tokens (``tests/canary``); one that is found
fails the session.
"""

import gc
import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from tests import sooner
from tests.trials import run_trials

# A shell that starts us in the background has us ignore Ctrl-C, and every command that tests start would
# inherit that. A handler is not inherited: the commands begin with the usual disposition.
signal.signal(signal.SIGINT, signal.default_int_handler)

sooner.install()

# Looks, at the end, for the secrets of all tests in all that they left behind.
pytest_plugins = ["tests.canary.plugin"]

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
IN_CI = os.environ.get("CI", "").lower() not in {"", "0", "false"}

TRIALS_TIMEOUT = 1_200

DESELECTED = pytest.StashKey[int]()

# The same examples in each run; `make soak` draws new and many more.
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.register_profile("soak", max_examples=5_000, deadline=None, print_blob=True)
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--each-switch",
        action="store_true",
        help="run each test again under every other value of the sandbox's switches that matter to it",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(capability): only by interfaces to calendars that have it")
    config.addinivalue_line("markers", "lacks(capability): only by interfaces to calendars that have it not")
    config.addinivalue_line("markers", "stands_on(*switches): stands on the default of these switches")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever holds by one interface to calendars holds by the other: those tests run once by each."""
    if "api" not in metafunc.fixturenames:
        return
    from classbell.access import DIALECTS  # noqa: PLC0415 - most tests do without

    definition = metafunc.definition
    wanted = [(mark.args[0], True) for mark in definition.iter_markers("needs")]
    wanted += [(mark.args[0], False) for mark in definition.iter_markers("lacks")]
    able = [
        name
        for name, dialect in DIALECTS.items()
        if all(getattr(dialect().capabilities, capability) is has for capability, has in wanted)
    ]
    prove = {name: () if name == "graph" else (pytest.mark.prove,) for name in able}
    metafunc.parametrize("api", [pytest.param(name, marks=prove[name]) for name in able])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if not item.config.getoption("--each-switch"):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    run_trials(item, nextitem)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The directory of the real timetables; only for tests marked ``shared``."""
    return SHARED_DATA


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """As ``tmp_path``, where nothing is waited for that is written; afterwards it is all there."""
    with sooner.kept(tmp_path) as folder:
        yield folder


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # What is there for good need not be walked over again and again: that took a sixth of the time of some tests.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    if config.getoption("--each-switch"):
        for item in items:
            # All trials of a test together count as one to the plugin that limits its time.
            item.add_marker(pytest.mark.timeout(TRIALS_TIMEOUT))
    if SHARED_DATA.is_dir():
        return
    absent = [item for item in items if item.get_closest_marker("shared")]
    if absent:
        config.hook.pytest_deselected(items=absent)
        items[:] = [item for item in items if not item.get_closest_marker("shared")]
    config.stash[DESELECTED] = len(absent)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI a skip is a failure: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"module skipped, and in CI a skip is a failure: {report.longrepr}"
    return report


def pytest_collection_finish() -> None:
    # Tests that serve no sandbox do without; whoever serves one has imported it by now.
    if "classbell.sandbox" in sys.modules:
        from tests.conformity import observer  # noqa: PLC0415 - see above

        observer.install()


def fail_for_nonconforming_answers() -> None:
    """Fail the present test where a sandbox gave it an answer that its description does not allow."""
    observer = sys.modules.get("tests.conformity.observer")
    found = observer.taken_failures() if observer else []
    if found:
        pytest.fail("answers do not conform:\n" + "\n".join(dict.fromkeys(found[:20])), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    yield
    fail_for_nonconforming_answers()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    yield
    fail_for_nonconforming_answers()


def pytest_sessionfinish(session: pytest.Session) -> None:
    # Under xdist only the workers collect; this carries their count to the process that reports.
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["shared_deselected"] = session.config.stash.get(DESELECTED, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    count = getattr(node, "workeroutput", {}).get("shared_deselected", 0)
    node.config.stash[DESELECTED] = max(count, node.config.stash.get(DESELECTED, 0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    count = config.stash.get(DESELECTED, 0)
    if count:
        terminalreporter.write_line(f"{count} deselected: the real timetables (shared data) are absent")
