"""Whatever a name holds, it comes out of a script as it went in, and is nothing more than a text there."""

import json
import re
import subprocess

import hcl2
import tree_sitter_powershell
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.setup.grammar import nodes
from tests.setup.institutions import NASTY
from tree_sitter import Language, Parser

from classbell.setup.quoting import hcl, one_line, powershell, shell

# Signs that mean something somewhere, and any others. NUL is no text for any of the three.
SIGNS = st.one_of(
    st.sampled_from("'\"$`\\{}%()#;&|<>@\n\r\t \u2018\u2019\u201a\u201b\u201c\u2028\u0085"),
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
)
TEXTS = st.one_of(st.text(SIGNS, max_size=40), st.sampled_from([name.replace("\0", "") for name in NASTY]))


@given(st.lists(TEXTS, min_size=1, max_size=30))
@settings(max_examples=20, deadline=None)
def test_a_shell_gets_each_text_as_one_word(texts: list[str]) -> None:
    script = "printf '%s\\0' " + " ".join(shell(text) for text in texts)
    told = subprocess.run(["/bin/sh", "-s"], input=script.encode(), capture_output=True, check=True)
    assert told.stdout.decode().split("\0")[:-1] == texts


@given(TEXTS)
@settings(max_examples=300)
def test_powershell_gets_a_text_in_which_nothing_is_expanded(text: str) -> None:
    literal = powershell(text)
    tree = Parser(Language(tree_sitter_powershell.language())).parse(f"$a = {literal}\n".encode())
    kinds = [node.type for node in nodes(tree.root_node)]
    assert not tree.root_node.has_error
    assert kinds.count("verbatim_string_characters") == 1
    # The grammar does not know that PowerShell takes typographic marks for plain ones.
    assert re.fullmatch(r"'(?:[^'\u2018-\u201b]|(['\u2018-\u201b])\1)*'", literal)
    assert re.sub(r"(['\u2018-\u201b])\1", r"\1", literal[1:-1]) == text


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_terraform_gets_a_text_without_templates(text: str) -> None:
    literal = hcl(text)
    assert hcl2.loads(f"name = {literal}\n")["name"] == literal
    assert "${" not in literal
    assert "%{" not in literal
    # What is escaped, is escaped as in JSON.
    assert json.loads(literal) == text


@given(TEXTS)
def test_a_name_in_a_comment_ends_no_line(text: str) -> None:
    shown = one_line(text)
    assert len(f"# {shown}.".splitlines()) == 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", shown)


def test_a_text_without_meaning_in_any_script_loses_it() -> None:
    assert (shell("a\0b"), powershell("a\0b"), hcl("a\0b")) == ("ab", "'ab'", '"ab"')
