"""The reference page says what the administrative API and a fault as data have."""

import dataclasses
import re
from pathlib import Path

from classbell.sandbox import Sandbox
from classbell.sandbox.administration import make_api
from classbell.sandbox.rules import Rule

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "sandbox.md").read_text()


def table(heading: str) -> list[tuple[list[str], str]]:
    """The rows of the table with this first heading: the names in code of the first cell, and the second."""
    _, found, rest = PAGE.partition(f"\n| {heading} |")
    assert found
    rows = rest.partition("\n\n")[0].splitlines()[2:]
    cells = [row.strip("|").split(" | ") for row in rows]
    return [(re.findall(r"`([^`]+)`", first), second) for first, second in cells]


def test_every_path_and_method_of_the_administrative_api_is_described() -> None:
    told = {
        (f"{prefix}{path}", method)
        for prefix in ("", "/tenants/{tenant}", "/tenants/{tenant}/mailboxes/{mailbox}")
        for (path,), methods in table(f"below `/_sandbox{prefix}`")
        for method in re.findall(r"GET|POST|PUT|PATCH|DELETE", methods)
    }
    described = make_api(Sandbox()).openapi()["paths"]
    assert told == {(path, method.upper()) for path, methods in described.items() for method in methods}


def test_every_member_of_a_fault_is_described() -> None:
    section = PAGE.partition("In the file and over the API a fault is data")[2].partition("An effect is")[0]
    names = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)[1:]))
    assert sorted(names) == sorted(field.name for field in dataclasses.fields(Rule))
