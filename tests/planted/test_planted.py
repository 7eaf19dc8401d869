"""That the planted bugs can still be planted; `make planted-bugs` shows that each is found."""

import ast
from functools import cache
from pathlib import Path

import pytest
from tests.planted.bug import Bug
from tests.planted.bugs import BUGS
from tests.planted.scratch import ROOT, Misplaced, planted


@cache
def text_of(file: str) -> str:
    return (ROOT / "src" / "classbell" / file).read_text(encoding="utf-8")


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = {node.name for node in tree.body if isinstance(node, kinds)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{part.name}" for part in node.body if isinstance(part, kinds)}
    return frozenset(found)


def test_every_line_is_still_there_exactly_once_and_what_takes_its_place_is_python() -> None:
    for bug in BUGS:
        compile(planted(text_of(bug.file), bug), bug.file, "exec", ast.PyCF_ONLY_AST)


def test_whoever_should_find_a_bug_is_there() -> None:
    named = {test for bug in BUGS for test in bug.found_by}
    missing = {test for test in named if test.partition("::")[2] not in functions_of(test.partition("::")[0])}
    assert missing == set()


def test_there_are_many_and_each_has_its_own_name() -> None:
    assert len(BUGS) >= 30
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert all(bug.found_by for bug in BUGS)


@pytest.mark.parametrize("text", ["", "return x\n", "if a:\n    return 1\nreturn 1\n"])
def test_a_line_that_is_gone_or_no_longer_alone_is_told(text: str) -> None:
    bug = Bug(name="made-up", rule="", file="a.py", lines="return 1", instead="return 2", found_by=())
    with pytest.raises(Misplaced, match="made-up"):
        planted(text, bug)


def test_a_bug_keeps_the_indentation_of_its_place() -> None:
    bug = Bug(name="made-up", rule="", file="a.py", lines="return 1", instead="return 2", found_by=())
    assert planted("if a:\n    return 1\nreturn 10\n", bug) == "if a:\n    return 2\nreturn 10\n"
    assert Path(bug.file).suffix == ".py"
