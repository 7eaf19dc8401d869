"""
An OpenAPI document to hold answers against: the operation of a path, and a compiled schema for each of its answers.

Formats are asserted, and every failure names the place in the content.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

# ``users('ada@example.edu')`` means ``users/ada@example.edu``.
_KEYED = re.compile(r"(?P<word>\w+)\('(?P<key>(?:[^']|'')*)'\)\Z")
_PART = re.compile(r"\{[^}]*\}")
METHODS = frozenset({"get", "post", "patch", "put", "delete"})
MOST_FAILURES = 5


def segments(path: str) -> list[str]:
    """The decoded segments of a percent-encoded path, keys as segments of their own."""
    found: list[str] = []
    for part in path.split("/"):
        segment = unquote(part).removeprefix("microsoft.graph.")
        keyed = _KEYED.match(segment)
        if keyed:
            found += [keyed["word"], keyed["key"]]
        elif segment:
            found.append(segment)
    return found


@dataclass
class _Node:
    """What may follow a beginning of a path: words, patterns of segments, anything."""

    words: dict[str, "_Node"] = field(default_factory=dict)
    patterns: list[tuple[re.Pattern[str], "_Node"]] = field(default_factory=list)
    anything: "_Node | None" = None
    path: str = ""
    is_root: bool = False

    def add(self, segment: str) -> "_Node":
        if _PART.fullmatch(segment):
            self.anything = self.anything or _Node()
            return self.anything
        if "{" not in segment:
            return self.words.setdefault(segment.casefold(), _Node())
        pattern = "[^/]+".join(re.escape(text) for text in _PART.split(segment))
        for known, node in self.patterns:
            if known.pattern == pattern:
                return node
        self.patterns.append((re.compile(pattern, re.IGNORECASE), _Node()))
        return self.patterns[-1][1]

    def find(self, rest: list[str]) -> str:
        """The path that fits, or nothing."""
        if not rest:
            return self.path
        for node in self._following(rest[0]):
            found = node.find(rest[1:])
            if found:
                return found
        return ""

    def _following(self, segment: str) -> Iterator["_Node"]:
        if segment.casefold() in self.words:
            yield self.words[segment.casefold()]
        yield from (node for pattern, node in self.patterns if pattern.fullmatch(segment))
        # Where OData has its own words no name begins so; a tenant, which comes first, may be called anything.
        if self.anything is not None and (self.is_root or not segment.startswith("$")):
            yield self.anything


class Contract:
    """A document with its operations."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    @cached_property
    def operations(self) -> dict[str, Mapping[str, Any]]:
        """Every operation by its name, such as ``GET /v1.0/users/{user}/events``."""
        return {
            f"{method.upper()} {path}": operation
            for path, operations in self._document["paths"].items()
            for method, operation in operations.items()
            if method in METHODS
        }

    @cached_property
    def _paths(self) -> _Node:
        root = _Node(is_root=True)
        for path in self._document["paths"]:
            node = root
            for segment in path.strip("/").split("/"):
                node = node.add(segment)
            node.path = path
        return root

    def find(self, method: str, path: str) -> str:
        """The name of the operation that a request asks for, or nothing."""
        name = f"{method} {self._paths.find(segments(path))}"
        return name if name in self.operations else ""

    def answer(self, operation: str, status: int) -> Mapping[str, Any] | None:
        """What the operation says of a status by itself, not by ``default``."""
        responses = self.operations[operation]["responses"]
        found = responses.get(str(status)) or responses.get(f"{status // 100}XX")
        return None if found is None else self.resolved(found)

    def resolved(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a reference leads to."""
        while "$ref" in part:
            target: Any = self._document
            for step in part["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/")]
            part = target
        return part

    def failures(self, schema: Mapping[str, Any], content: Any) -> list[str]:
        """In which places the content does not fit, each with the reason."""
        key = repr(schema)
        validator = self._validators.get(key)
        if validator is None:
            whole = {"components": self._document.get("components", {}), **schema}
            validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
            self._validators[key] = validator
        if validator.is_valid(content):
            return []
        return [
            f"{'$' + ''.join(f'[{part!r}]' for part in failure.instance_path)}: {failure.message[:300]}"
            for failure, _ in zip(validator.iter_errors(content), range(MOST_FAILURES), strict=False)
        ]
