import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs.generate import EXAMPLE, REFERENCE, pages

from classbell.cli.exits import Exit
from classbell.life import LocalFiles
from classbell.settings import effective, load, schemas

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"\b[EW]-[A-Z]+(?:-[A-Z0-9]+)*\b")


def documented_errors() -> list[str]:
    return re.findall(
        r"^\| `([EW]-[A-Z0-9-]+)` \|", (REFERENCE / "errors.md").read_text("utf-8"), re.MULTILINE
    )


def errors_in_the_code() -> set[str]:
    # The sandbox speaks for Microsoft and has no codes of ours.
    files = [path for path in (ROOT / "src").rglob("*.py") if "sandbox" not in path.parts]
    return {code for path in files for code in CODE.findall(path.read_text("utf-8"))}


def test_pages_made_from_the_code_are_up_to_date() -> None:
    stale = [name for name, text in pages().items() if (REFERENCE / name).read_text("utf-8") != text]
    assert stale == [], "run: python docs/generate.py"


def test_every_error_code_is_documented() -> None:
    missing = sorted(errors_in_the_code() - set(documented_errors()))
    assert missing == [], "add these codes to docs/reference/errors.md"


def test_no_error_is_documented_that_cannot_occur_or_twice() -> None:
    documented = documented_errors()
    assert sorted(set(documented) - errors_in_the_code()) == []
    assert [code for code, count in Counter(documented).items() if count > 1] == []


def test_every_documented_error_says_what_happened_and_what_to_do() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in (REFERENCE / "errors.md").read_text("utf-8").splitlines()
        if CODE.match(line.removeprefix("| `"))
    ]
    assert [row[0] for row in rows if len(row) != 4 or not row[1] or not row[3]] == []


def test_every_exit_code_is_documented() -> None:
    page = (REFERENCE / "commands.md").read_text("utf-8")
    assert [code.name for code in Exit if f"| {code.value} | {code.meaning} |" not in page] == []


def test_the_complete_example_is_valid_and_complete() -> None:
    configuration = load(EXAMPLE / "classbell.toml", LocalFiles(), {})
    assert configuration.warnings == () or [w.code for w in configuration.warnings] == ["W-CFG-ENV"]
    files = {"host": EXAMPLE / "classbell.toml", "institution": EXAMPLE / "conf.d" / "example.toml"}
    for kind, path in files.items():
        given = set(keys(tomllib.loads(path.read_text("utf-8"))))
        known = set(known_keys(schemas()[kind], schemas()[kind]))
        assert sorted(known - given) == []


def test_defaults_on_the_page_are_those_in_force() -> None:
    page = (REFERENCE / "configuration.md").read_text("utf-8")
    rows = {row.path: row.value for row in effective(load(EXAMPLE / "classbell.toml", LocalFiles(), {}))}
    assert rows["institutions.example.window.past"] == "7d"
    assert '| `past` | duration, such as `30m` | `"7d"` |' in page
    assert "| `in_flight` | whole number | `64` |" in page


def keys(data: Any) -> Iterator[str]:
    for key, value in data.items() if isinstance(data, dict) else ():
        yield key
        yield from keys(value)
    for value in data if isinstance(data, list) else ():
        yield from keys(value)


def known_keys(node: Any, schema: dict[str, Any]) -> Iterator[str]:
    yield from node.get("properties", {})
    for definition in schema.get("$defs", {}).values() if node is schema else ():
        yield from known_keys(definition, schema)
