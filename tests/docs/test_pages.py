"""That the pages hold together: links lead somewhere, decisions are complete, commands and targets exist."""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
SECTIONS = ["## Context", "## Choice", "## Given up", "## How we will notice that it was wrong"]


@cache
def pages() -> tuple[Path, ...]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def anchors(page: Path) -> set[str]:
    """The anchors that headings give, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path, text: str) -> Iterator[str]:
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        linked = (page.parent / place).resolve() if place else page
        if not linked.exists() or (anchor and anchor not in anchors(linked)):
            yield target


def test_every_link_between_pages_leads_somewhere() -> None:
    found = {
        str(page.relative_to(ROOT)): list(broken(page, page.read_text(encoding="utf-8"))) for page in pages()
    }
    assert {page: targets for page, targets in found.items() if targets} == {}


@pytest.mark.parametrize("text", ["[gone](docs/gone.md)", "[no heading](README.md#no-such-heading)"])
def test_a_link_that_leads_nowhere_is_found(text: str) -> None:
    assert list(broken(ROOT / "README.md", text))


def test_every_page_of_the_documentation_can_be_reached_from_its_index() -> None:
    waiting, reached = [ROOT / "docs" / "README.md"], set[Path]()
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            linked = (page.parent / target.partition("#")[0]).resolve()
            if linked.suffix == ".md" and linked.is_file() and linked not in reached:
                waiting.append(linked)
    documentation = {page for page in pages() if page.is_relative_to(ROOT / "docs")}
    assert sorted(str(page.relative_to(ROOT)) for page in documentation - reached) == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_says_what_was_given_up_and_how_it_would_show_that_it_was_wrong(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^## .+$", text, re.MULTILINE) == SECTIONS
    assert text.startswith(f"# {page.stem[:4]} · ")
    assert all(re.search(rf"{re.escape(section)}\n\n[\w`]", text) for section in SECTIONS)


def test_the_words_of_the_glossary_are_in_order_and_have_one_meaning() -> None:
    words = re.findall(
        r"^\*\*(.+)\*\*$", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(words) > 30
    assert words == sorted(set(words))


def test_every_part_of_the_house_is_named_on_the_page_of_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    parts = {path.stem for path in (ROOT / "src" / "classbell").iterdir() if not path.stem.startswith("__")}
    assert sorted(part for part in parts if f"`{part}`" not in text) == []


def test_every_make_target_that_a_page_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        (str(page.relative_to(ROOT)), target)
        for page in pages()
        for target in re.findall(
            r"(?:^ {4}|`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert {one for one in named if one[1] not in targets} == set()
    assert {target for _, target in named} >= {"demo", "test", "prove", "soak", "check", "bench", "format"}


def test_every_command_that_the_first_pages_name_exists() -> None:
    help_text = subprocess.run(
        [str(Path(sys.executable).with_name("classbell")), "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    first = ["README.md", "CHANGELOG.md", "docs/README.md", "docs/how-to/connect-a-tenant.md"]
    named = {
        command
        for name in first
        for command in re.findall(r"\bclassbell ([a-z]+)", (ROOT / name).read_text(encoding="utf-8"))
    }
    assert named >= {"demo", "init", "plan", "apply", "sync"}
    assert {
        command for command in named if not re.search(rf"^\W*{command}\s", help_text, re.MULTILINE)
    } == set()
