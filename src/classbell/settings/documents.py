"""One TOML file as data, with the line of each key. What the data mean is not known here."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

from classbell.ports import Files
from classbell.settings.origins import InvalidConfiguration, KeyPath, Origin, Problem

_PLACE = re.compile(r" \((?:at line (\d+), column (\d+)|at end of document)\)$")


_ADVICE = "A quotation mark or a bracket is missing in this line, or in the one above it."


@dataclass(frozen=True, kw_only=True)
class Document:
    """
    A file as it was read.

    ``label`` is how messages name it. ``lines`` has the line, from 1, of each key and element.
    """

    path: Path
    label: str
    data: dict[str, Any]
    lines: Mapping[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """The line of a key, or else of what encloses it; 0 if nothing does."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)


def read_document(path: Path, label: str, files: Files) -> Document:
    """
    Read a TOML file.

    Raises:
        OSError: it cannot be read.
        InvalidConfiguration: ``E-CFG-SYNTAX``, it is no TOML.
    """
    # Editors on Windows put a byte order mark in front, which TOML does not know.
    content = files.read(path).removeprefix(b"\xef\xbb\xbf")
    try:
        data = tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        origin = Origin(file=label, line=content.count(b"\n", 0, error.start) + 1)
        raise _no_toml(origin, "The file is not in UTF-8; save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise _no_toml(*_explained(label, content, str(error))) from error
    return Document(path=path, label=label, data=data, lines=lines_of(content))


def _explained(label: str, content: bytes, message: str) -> tuple[Origin, str]:
    found = _PLACE.search(message)
    line, column = (int(found[1] or 0), int(found[2] or 0)) if found else (0, 0)
    origin = Origin(file=label, line=line or len(content.splitlines()), column=column)
    told = _PLACE.sub("", message) + "."
    # The parser's own words tell those little who have left out a quotation mark.
    return origin, _ADVICE if "Illegal character" in told or "Unterminated" in told else told


def _no_toml(origin: Origin, hint: str) -> InvalidConfiguration:
    return InvalidConfiguration(
        [Problem(code="E-CFG-SYNTAX", origin=origin, text="this is not TOML.", hint=hint)]
    )


def lines_of(content: bytes) -> dict[KeyPath, int]:
    """
    The line, from 1, of each key, table, and element of an array in a TOML document.

    A table that opens more than once, as ``[a.b]`` opens ``a``, counts where it first stands.
    """
    lines: dict[KeyPath, int] = {(): 1}
    # The element that ``[[name]]`` opened last: what follows under that name belongs to it.
    latest: dict[KeyPath, int] = {}
    root = Parser(Language(tree_sitter_toml.language())).parse(content).root_node
    for node in root.named_children:
        if node.type == "pair":
            lines.update(_new(lines, _pair(node, ())))
        elif node.type in {"table", "table_array_element"}:
            header, *pairs = _parts(node)
            path = _table_path(list(_keys(header)), latest, new_element=node.type == "table_array_element")
            lines.update(_new(lines, _prefixes(path, header)))
            for pair in pairs:
                lines.update(_new(lines, _pair(pair, path)))
    return lines


def _new(known: Mapping[KeyPath, int], found: Iterator[tuple[KeyPath, int]]) -> dict[KeyPath, int]:
    return {path: line for path, line in found if path not in known}


def _table_path(keys: list[str], latest: dict[KeyPath, int], *, new_element: bool) -> KeyPath:
    path: KeyPath = ()
    for key in keys[:-1]:
        path = (*path, key)
        if path in latest:
            path = (*path, latest[path])
    path = (*path, keys[-1])
    if new_element:
        latest[path] = latest.get(path, -1) + 1
        path = (*path, latest[path])
    return path


def _pair(node: Node, table: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    key, value = _parts(node)
    path = (*table, *_keys(key))
    yield from _prefixes(path, key)
    yield from _inside(value, path)


def _inside(value: Node, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    if value.type == "inline_table":
        for pair in _parts(value):
            yield from _pair(pair, path)
    elif value.type == "array":
        for index, element in enumerate(_parts(value)):
            yield (*path, index), _line(element)
            yield from _inside(element, (*path, index))


def _prefixes(path: KeyPath, node: Node) -> Iterator[tuple[KeyPath, int]]:
    for length in range(1, len(path) + 1):
        yield path[:length], _line(node)


def _keys(node: Node) -> Iterator[str]:
    if node.type == "dotted_key":
        for part in _parts(node):
            yield from _keys(part)
    else:
        # Quoted keys have escapes; the parser of TOML undoes them.
        yield next(iter(tomllib.loads(f"{(node.text or b'').decode()} = 0")))


def _parts(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type != "comment"]


def _line(node: Node) -> int:
    return node.start_point.row + 1
