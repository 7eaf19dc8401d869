"""The reference page names a test for each behaviour, and the tests are there."""

import re
from pathlib import Path

from classbell.sandbox.faults import EFFECTS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "sandbox.md").read_text()


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", PAGE)
    assert named
    for file, test in named:
        path = Path(__file__).with_name(file)
        assert path.exists(), file
        assert not test or f"def {test}(" in path.read_text(), f"{file}::{test}"


def test_every_effect_of_a_fault_is_described_with_its_moments() -> None:
    table = PAGE.partition("| effect | moments |")[2].partition("\n\n")[0]
    told = {
        ("status" if name.isdigit() else name): tuple(re.findall(r"`(\w+)`", moments))
        for name, moments in re.findall(r"^\| `(\w+)`[^|]* \| ([^|]+) \|", table, re.MULTILINE)
    }
    assert told == EFFECTS
