"""What pydantic finds, in our words: one complaint for one cause, and never a value that may be a secret."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from classbell.settings.origins import KeyPath, did_you_mean, nearest


@dataclass(frozen=True)
class Complaint:
    """
    A problem before it is known which file and line it belongs to.

    ``meant`` is the key that a misspelled key was meant to be; ``empty`` says that a list has no entry.
    """

    code: str
    path: KeyPath
    text: str
    hint: str = ""
    meant: KeyPath = ()
    empty: bool = False


def complaints(error: ValidationError, model: type[BaseModel], data: dict[str, Any]) -> list[Complaint]:
    """What pydantic found in *data*, in the order of its keys."""
    schema = model.model_json_schema(mode="validation")
    found = [_complaint(detail, schema, data) for detail in error.errors(include_url=False)]
    # A misspelled key is one cause, although the key that was meant is missing, too.
    return [one for one in found if not _follows_from_another(one, found)]


def _follows_from_another(one: Complaint, found: list[Complaint]) -> bool:
    if one.code == "E-CFG-MISSING":
        return any(other.meant == one.path for other in found)
    # A list counts as empty if each of its entries has a problem of its own.
    return one.empty and any(one.path == other.path[: len(one.path)] for other in found if other is not one)


def _complaint(detail: ErrorDetails, schema: dict[str, Any], data: dict[str, Any]) -> Complaint:
    kind = detail["type"]
    path = _place(detail["loc"], data, missing=kind == "missing")
    if kind == "union_tag_not_found":
        kind, path = "missing", (*path, "kind")
    if kind == "extra_forbidden":
        return _unknown_key(path, schema, data)
    if kind == "missing":
        return Complaint("E-CFG-MISSING", path, f'the key "{path[-1]}" is missing {table_name(path[:-1])}.')
    if kind == "secret_literal":
        return _literal_secret(path)
    if path == ("schema",):
        return Complaint(
            "E-CFG-SCHEMA",
            path,
            "this Classbell reads files of schema 1.",
            "Use the Classbell that wrote it.",
        )
    return _wrong_value(detail, path)


def _place(loc: tuple[str | int, ...], data: Any, *, missing: bool) -> KeyPath:
    """The path in the file: pydantic's own goes through the names of union members as well."""
    path: KeyPath = ()
    here = data
    for position, part in enumerate(loc):
        last = position == len(loc) - 1
        inside = isinstance(here, dict) and part in here
        if inside or (isinstance(here, list) and isinstance(part, int)):
            here = here[part]
        elif not (last and missing):
            continue
        path = (*path, part)
    return path


def table_name(path: KeyPath) -> str:
    """How a file writes the table at a path: ``in [safety]``, ``in [[sources]]``."""
    name = ".".join(str(part) for part in path if isinstance(part, str))
    if not name:
        return "at the top of the file"
    return f"in [[{name}]]" if isinstance(path[-1], int) else f"in [{name}]"


def _unknown_key(path: KeyPath, schema: dict[str, Any], data: dict[str, Any]) -> Complaint:
    *table, key = path
    known = _keys_at(schema, tuple(table), data)
    near = nearest(str(key).lower(), known)
    return Complaint(
        "E-CFG-KEY",
        path,
        f'unknown key "{key}" {table_name(tuple(table))}.',
        did_you_mean(near) or f"Known here: {', '.join(known)}.",
        meant=(*table, near) if near else (),
    )


def _literal_secret(path: KeyPath) -> Complaint:
    name = path[-1]
    return Complaint(
        "E-CFG-SECRET",
        path,
        f'"{name}" holds the content itself, instead of where it is kept.',
        f'Put it into a file of its own and write {name} = {{ file = "..." }}.',
    )


_EXPECTED = {
    "string_type": "a text in quotes",
    "string_too_short": "a text that is not empty",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list in square brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "path_type": "a path in quotes",
    "uuid_type": "a GUID in quotes",
    "uuid_parsing": "a GUID, as 00000000-0000-0000-0000-000000000000",
    "byte_size": "a size such as 64MiB",
    "byte_size_unit": "a size such as 64MiB",
    "time_delta_type": "a duration such as 30m, 7d or 26h",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def _wrong_value(detail: ErrorDetails, path: KeyPath) -> Complaint:
    kind, context = detail["type"], detail.get("ctx", {})
    name = ".".join(str(part) for part in path if isinstance(part, str))
    if kind == "union_tag_invalid":
        return _not_one_of(f"{name}.kind", (*path, "kind"), context["tag"], context["expected_tags"])
    if kind == "literal_error":
        return _not_one_of(name, path, str(detail["input"]), context["expected"])
    if kind in _EXPECTED:
        text = f"{name} must be {_EXPECTED[kind]}."
    elif kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        text = f"{name} must be {words} {context[key]:g}."
    elif kind == "too_short":
        text = f"{name} needs at least one entry."
    else:
        text = f"{name}: {detail['msg'].removeprefix('Value error, ')}."
    hint = did_you_mean(str(context.get("near", "")))
    return Complaint("E-CFG-VALUE", path, text, hint, empty=kind == "too_short")


def _not_one_of(name: str, path: KeyPath, given: str, expected: str) -> Complaint:
    words = re.findall(r"'([^']*)'", expected)
    text = f"{name} must be one of {', '.join(words)}."
    return Complaint("E-CFG-VALUE", path, text, did_you_mean(nearest(given.lower(), words)))


def _keys_at(schema: dict[str, Any], path: KeyPath, data: Any) -> list[str]:
    """The keys that the model knows in the table at a path."""
    node, here = schema, data
    for part in (*path, None):
        node = _resolved(node, schema, here)
        if part is None:
            break
        node = node["items"] if isinstance(part, int) else node.get("properties", {}).get(part, {})
        here = here[part]
    return sorted(node.get("properties", {}))


def _resolved(node: dict[str, Any], schema: dict[str, Any], here: Any) -> dict[str, Any]:
    if "$ref" in node:
        return _resolved(schema["$defs"][node["$ref"].rsplit("/", 1)[-1]], schema, here)
    if "oneOf" in node and "discriminator" in node:
        reference = node["discriminator"]["mapping"].get(here.get("kind"), "")
        return _resolved({"$ref": reference}, schema, here) if reference else {}
    for option in node.get("anyOf", node.get("oneOf", [])):
        found = _resolved(option, schema, here)
        if found.get("type") == ("array" if isinstance(here, list) else "object"):
            return found
    return node
