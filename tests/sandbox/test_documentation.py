"""The reference page says what there is."""

import dataclasses
import re
from pathlib import Path

from classbell.sandbox import Switches, aadsts
from classbell.sandbox.mailbox import STATES

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "sandbox.md").read_text()
SOURCES = Path(aadsts.__file__).parent


def rows(heading: str) -> list[str]:
    """The first cells of the table under a heading."""
    section = PAGE.partition(f"{heading}\n")[2].partition("\n## ")[0].partition("\n### ")[0]
    cells = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    return re.findall(r"`([\w-]+)`", " ".join(cells[1:]))


def test_every_switch_is_described_with_its_default_first() -> None:
    assert rows("## Switches") == [field.name for field in dataclasses.fields(Switches)]
    for field in dataclasses.fields(Switches):
        default = str(field.default).lower() if not isinstance(field.default, str) else f'"{field.default}"'
        assert f"| `{field.name}` | {default.removesuffix('.0')}" in PAGE


def test_every_test_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    folder = Path(__file__).parent
    text = "".join(path.read_text() for path in folder.rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)", text))
    assert named
    assert named <= there


def test_every_test_that_is_named_with_its_file_is_in_it() -> None:
    named = re.findall(r"`(?:clients/)?(test_\w+\.py)::(test_\w+)`", PAGE)
    folders = (Path(__file__).parent, Path(__file__).parents[1] / "clients")
    there = {
        (path.name, name)
        for folder in folders
        for path in folder.glob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    assert named
    assert set(named) <= there


def test_every_row_that_is_reproduced_names_its_tests() -> None:
    shown = PAGE.partition("## Shown by\n")[2].partition("\n## ")[0]
    named = re.findall(r"^\| ([GE])(\d+) \|.*\|.*`(?:clients/)?test_\w+", shown, re.MULTILINE)
    graph = {int(number) for letter, number in named if letter == "G"}
    assert graph == {*range(1, 19), 20, 23, 24, 25}
    assert {int(number) for letter, number in named if letter == "E"} == set(range(1, 14))


def test_every_state_of_a_mailbox_is_described() -> None:
    assert sorted(rows("### States of a mailbox")) == sorted(STATES)


def test_every_code_of_the_entra_half_is_named() -> None:
    told = set(re.findall(r"\d{5,}", PAGE.partition("AADSTS")[2].partition("\n- ")[0]))
    coded = set(re.findall(r"\b\d{5,}\b", Path(aadsts.__file__).read_text()))
    assert told == coded


def test_every_action_of_the_history_is_named() -> None:
    text = "".join(path.read_text() for path in SOURCES.glob("*.py"))
    actions = set(re.findall(r'\b(?:_record|_changed|_record_calendar|note)\(\s*"([a-z-]+)"', text))
    actions |= {"move", "restore"}
    told = set(re.findall(r"`([a-z-]+)`", PAGE.partition("\nActions: ")[2].partition("\n\n")[0]))
    assert told == actions
