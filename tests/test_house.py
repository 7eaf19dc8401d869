"""
The directions in which modules may import each other, where effects may happen, and what no file may hold.

``docs/architecture.md`` says why. Each rule is also shown to catch a planted offence.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "classbell"

# The life forms of the ports, and what stands on top of the engine.
LIFE_OF_PORTS = ("life", "transport", "sources.child", "sources.child_main", "ledger.database", "lease")
ON_TOP = ("__main__", "cli", "service", "sandbox", "sample")

# Modules and calls with effects (or of uncertain outcome) that the engine reaches through its ports only.
EFFECTFUL_MODULES = {
    "aiohttp", "concurrent", "ctypes", "fcntl", "glob", "http", "httpx", "multiprocessing", "os", "random",
    "requests", "resource", "secrets", "select", "shutil", "signal", "socket", "ssl", "subprocess", "sys",
    "tempfile", "threading", "time",
}  # fmt: skip
EFFECTFUL_IMPORTS = {"urllib.request", "asyncio.subprocess"}
EFFECTFUL_CALLS = {
    "asyncio.create_subprocess_exec", "asyncio.run", "asyncio.sleep", "asyncio.to_thread", "date.today",
    "datetime.now", "datetime.today", "datetime.utcnow", "exec", "eval", "input", "open", "print",
    "uuid.uuid1", "uuid.uuid4", "uuid1", "uuid4",
}  # fmt: skip
EFFECTFUL_METHODS = {
    "chmod", "exists", "expanduser", "glob", "is_dir", "is_file", "iterdir", "mkdir", "read_bytes", "read_text",
    "rglob", "run_in_executor", "stat", "touch", "unlink", "write_bytes", "write_text",
}  # fmt: skip

# Longer than anything else, each with its reason.
LONG_FILES: dict[str, str] = {}
LONGEST = 400


def within(module: str, *places: str) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


@cache
def sources() -> dict[str, str]:
    """The text of each of our modules, by its name without ``classbell.``."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path.read_text(encoding="utf-8")
    return found


def imports(source: str) -> Iterator[str]:
    """Every module that is imported, in full: for ``from a import b`` both ``a`` and ``a.b``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield "." * node.level + (node.module or "")
            else:
                yield node.module or ""
                yield from (f"{node.module}.{name.name}" for name in node.names)


def ours(source: str) -> set[str]:
    """What a module imports of ours, without ``classbell.``; names inside modules are dropped."""
    names = {
        name.removeprefix("classbell").removeprefix(".")
        for name in imports(source)
        if within(name, "classbell")
    }
    return {name for name in names if name in sources()} - {""}


# What guided set-up may know: it tells people what to do, and does nothing at Microsoft's itself.
UNDER_SETUP = ("setup", "errors", "identity", "ports", "settings", "zones")


def direction_offences(module: str, source: str) -> list[str]:
    """Imports that go the wrong way."""
    found = [f"{module} imports relatively" for name in imports(source) if name.startswith(".")]
    for name in sorted(ours(source)):
        apart = ("sources", "ledger", "outlook")
        if any(within(module, one) and within(name, *(set(apart) - {one})) for one in apart):
            found.append(f"{module} imports {name}: sources, ledger and outlook know nothing of each other")
        if within(name, "cli", "service") and not within(module, name.split(".")[0], "__main__"):
            found.append(f"{module} imports {name}: cli and service stand on top")
        if within(module, "sandbox") and not within(name, "sandbox"):
            found.append(f"{module} imports {name}: the sandbox imports nothing of ours")
        if within(module, "setup") and not within(name, *UNDER_SETUP):
            found.append(
                f"{module} imports {name}: setup knows settings and certificates, nothing of the engine"
            )
        if within(name, "doctor") and not within(module, "doctor", "cli", "service"):
            found.append(f"{module} imports {name}: doctor looks at all parts, and no part at it")
        if within(name, "sandbox", "sample") and not within(module, name.split(".")[0], "cli"):
            found.append(f"{module} imports {name}: only cli may")
    return found


WRITES = re.compile(r"dialect\.(create|update|delete|delete_permanently|create_calendar)\(")


def writing_offences(module: str, source: str) -> list[str]:
    """Requests that write to a mailbox are made by delivery, and by the probe for its own test event."""
    if within(module, "deliver", "doctor.probe"):
        return []
    return [f"{module} makes a request to {found[1]}" for found in WRITES.finditer(source)]


PURE = {"plan": {"desired", "model", "numbering"}, "guards": {"model", "plan", "settings"}}
PURE_LIBRARIES = {
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "itertools",
    "math",
    "numpy",
    "operator",
    "typing",
}


def purity_offences(module: str, source: str) -> list[str]:
    """What a pure module may not do: know other modules than values, or be asynchronous."""
    package = module.split(".", maxsplit=1)[0]
    strangers = {name for name in ours(source) if not within(name, package, *PURE[package])}
    foreign = {name.split(".")[0] for name in imports(source)} - {"classbell", ""} - PURE_LIBRARIES
    waits = any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(ast.parse(source)))
    return [
        *(f"{module} is pure and imports {name}" for name in sorted(strangers | foreign)),
        *([f"{module} is pure and waits"] if waits else []),
    ]


def effect_offences(module: str, source: str) -> list[str]:
    """Effects of an engine module that go past the ports."""
    found = [
        f"{module} imports {name}"
        for name in imports(source)
        if name.split(".")[0] in EFFECTFUL_MODULES or name in EFFECTFUL_IMPORTS
    ]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in EFFECTFUL_CALLS or (
                isinstance(node.func, ast.Attribute)
                and node.func.attr in EFFECTFUL_METHODS
                # The port's own methods bear such names too, and so does SQL.
                and not called.startswith(
                    ("files.", "self._files.", "self._ports.files.", "ports.files.", "select(")
                )
            ):
                found.append(f"{module}:{node.lineno} calls {called}")
    return found


def engine() -> Iterator[tuple[str, str]]:
    return (
        (module, source)
        for module, source in sources().items()
        if not within(module, *LIFE_OF_PORTS, *ON_TOP)
    )


def reachable(module: str) -> set[str]:
    """All of ours that a module imports, directly or not."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for name in ours(sources()[waiting.pop()]) - found:
            found.add(name)
            waiting.append(name)
    return found


def test_imports_go_in_the_directions_of_the_house() -> None:
    assert [one for module, source in sources().items() for one in direction_offences(module, source)] == []


def test_only_delivery_and_the_probe_make_requests_that_write_to_a_mailbox() -> None:
    assert [one for module, source in sources().items() for one in writing_offences(module, source)] == []
    assert writing_offences("run", "access.dialect.delete(entry)")


def pure_modules() -> list[str]:
    return [module for module in sources() if within(module, *PURE)]


def test_plan_and_guards_are_pure_and_reach_no_effect() -> None:
    assert set(PURE) < set(pure_modules())
    assert [one for module in pure_modules() for one in purity_offences(module, sources()[module])] == []
    for module in pure_modules():
        assert not {name for name in reachable(module) if within(name, *LIFE_OF_PORTS, *ON_TOP)}


def test_the_engine_has_effects_only_through_its_ports() -> None:
    assert [one for module, source in engine() for one in effect_offences(module, source)] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("sources.ics", "from classbell.ledger import schema"),
        ("ledger.entries", "from classbell import outlook"),
        ("outlook.client", "import classbell.sources"),
        ("run", "def late():\n    from classbell.cli import output"),
        ("sandbox.graph", "from classbell.model import Mailbox"),
        ("deliver", "from classbell.sandbox import Sandbox"),
        ("people", "from classbell.sample import University"),
        ("run", "from classbell.doctor import examine"),
        ("plan", "from . import model"),
        ("setup.parts", "from classbell.outlook import client"),
    ],
)
def test_an_import_in_the_wrong_direction_is_found(module: str, source: str) -> None:
    assert direction_offences(module, source)


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio",
        "from classbell.ports import Files",
        "from pathlib import Path",
        "async def plan(): ...",
        "from classbell.ledger import schema",
    ],
)
def test_an_impure_plan_is_found(source: str) -> None:
    assert purity_offences("plan", source)


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from random import choice",
        "import urllib.request",
        "open('file')",
        "from pathlib import Path\nPath('file').read_text()",
        "import asyncio\nasync def late():\n    await asyncio.sleep(1)",
        "from datetime import datetime, UTC\ndatetime.now(UTC)",
        "from uuid import uuid4\nuuid4()",
    ],
)
def test_an_effect_past_the_ports_is_found(source: str) -> None:
    assert effect_offences("run", source)


@cache
def files() -> tuple[Path, ...]:
    """Every file of the repository that git knows, or would take up."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


# Split, so that this file is not its own offence.
MACHINE_PATHS = re.compile(r"(?<![\w.~:/-])/(?:wo" r"rk|ro" r"ot|ho" r"me/\w+|Us" r"ers/\w+)/")
OUTSIDE_PAGES = re.compile(r"shared/refe" r"rence|\bthe design sa" r"ys\b|\bissue [1-8]\b")
PRIVATE_KEYS = re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\n[A-Za-z0-9+/]{40}")


def text_offences(text: str) -> list[str]:
    return [
        found.group()
        for rule in (MACHINE_PATHS, OUTSIDE_PAGES, PRIVATE_KEYS)
        for found in rule.finditer(text)
    ]


def texts(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        try:
            yield path, path.read_bytes().decode()
        except UnicodeDecodeError:
            yield path, path.read_bytes().decode("latin-1")


def test_no_file_names_a_path_of_a_machine_a_page_outside_or_a_private_key() -> None:
    offences = {str(path.relative_to(ROOT)): text_offences(text) for path, text in texts(files())}
    assert {name: found for name, found in offences.items() if found} == {}


@pytest.mark.parametrize(
    "text",
    [
        "see /wo" + "rk/shared/data",
        'path = "/ro' + 'ot/.cache"',
        "in shared/refe" + "rence/graph.md",
        "-----BEGIN PRIVATE KEY-----\n" + "A" * 64,
    ],
)
def test_a_forbidden_text_is_found(text: str) -> None:
    assert text_offences(text)


def test_files_stay_below_four_hundred_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path, text in texts(path for path in files() if path.suffix == ".py")
        if (lines := len(text.splitlines())) > LONGEST and str(path.relative_to(ROOT)) not in LONG_FILES
    }
    assert long == {}
    assert all((ROOT / name).is_file() for name in LONG_FILES), "a file of LONG_FILES is gone"


def named(requirements: Iterable[str]) -> set[str]:
    """The names of requirements such as ``pyjwt[crypto]>=2.10``."""
    return {re.split(r"[\[<>=~! ]", one)[0].lower().replace("_", "-") for one in requirements}


def project() -> dict[str, Any]:
    described: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    return described


def test_no_library_is_imported_that_is_only_there_by_chance() -> None:
    dependencies = named(project()["dependencies"])
    distributions = packages_distributions()
    unnamed = {
        f"{module} imports {name}"
        for module, source in sources().items()
        for name in {full.split(".")[0] for full in imports(source)} - {"classbell", ""}
        if name not in sys.stdlib_module_names
        and name != "pydantic_core"  # pydantic's own other half, at the one version that fits it
        and not named(distributions.get(name, [])) & dependencies
    }
    assert unnamed == set()


def test_the_exact_version_of_every_dependency_is_written_down() -> None:
    """After a change of dependencies: ``make constraints``."""
    wanted = named((*project()["dependencies"], *project()["optional-dependencies"]["dev"]))
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert wanted - named(lines) == set()
    assert [line for line in lines if "==" not in line] == []
