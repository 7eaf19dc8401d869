"""What a script must be to its own language's parser."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hcl2
import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

SHELLCHECK = str(Path(sys.executable).with_name("shellcheck"))
_POWERSHELL = Parser(Language(tree_sitter_powershell.language()))
_ATTRIBUTE = re.compile(r"^( *)([a-z_]+)( +)= ")


def shellcheck(files: Sequence[Path], *options: str) -> str:
    """What ShellCheck has to say; nothing if all is well."""
    return subprocess.run([SHELLCHECK, *options, *files], capture_output=True, text=True, check=False).stdout


def powershell_faults(text: str) -> list[str]:
    """The places that PowerShell's grammar does not allow."""
    root = _POWERSHELL.parse(text.encode()).root_node
    return [f"{node.start_point}: {node.type}" for node in nodes(root) if node.is_error or node.is_missing]


def powershell_calls(text: str) -> list[str]:
    """The commands that a script calls, in order."""
    root = _POWERSHELL.parse(text.encode()).root_node
    return [(node.text or b"").decode() for node in nodes(root) if node.type == "command_name"]


def nodes(node: Node) -> Iterator[Node]:
    """A node and all below it, in the order of the text."""
    yield node
    for child in node.children:
        yield from nodes(child)


def terraform(text: str) -> dict[str, Any]:
    """A configuration as data."""
    found: dict[str, Any] = hcl2.loads(text)
    return found


def format_offences(text: str) -> list[str]:
    """
    Lines that `terraform fmt` would change, as far as its rules can be told from lines.

    Source: Terraform page "Style conventions": two spaces a level, equals signs of consecutive lines aligned.
    """
    found, depth, block = [], 0, list[tuple[int, re.Match[str]]]()
    lines = text.splitlines()
    for number, line in enumerate([*lines, ""]):
        matched = _ATTRIBUTE.match(line)
        if matched and not line.endswith("{"):
            block.append((number, matched))
        else:
            found += _unaligned(block)
            block = []
        if line.lstrip().startswith("}"):
            depth -= 1
        if line.strip() and len(line) - len(line.lstrip()) != 2 * depth:
            found.append(f"{number + 1}: indented wrongly: {line}")
        if line != line.rstrip() or (not line and number and not lines[number - 1] and number < len(lines)):
            found.append(f"{number + 1}: needless space")
        if line.endswith("{"):
            depth += 1
    return found


def _unaligned(block: list[tuple[int, re.Match[str]]]) -> list[str]:
    width = max((len(matched[2]) for _, matched in block), default=0)
    return [
        f"{number + 1}: equals sign out of line"
        for number, matched in block
        if len(matched[2]) + len(matched[3]) != width + 1
    ]
