"""
Short words for JSON Schema (2020-12, as OpenAPI 3.1 has it): closed objects, lists, choices, patterns.

Everything here returns plain JSON values.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
NULL: Schema = {"type": "null"}
INT32: Schema = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
ANYTHING: Schema = {}


def ref(name: str) -> Schema:
    """A schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def matching(pattern: str) -> Schema:
    """Text that fits a pattern as a whole."""
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def choice(*values: str) -> Schema:
    """One of some words."""
    return {"type": "string", "enum": list(values)}


def const(value: Any) -> Schema:
    """A value and no other."""
    return {"const": value}


def listed(of: Schema, **limits: Any) -> Schema:
    """A list."""
    return {"type": "array", "items": of, **limits}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, NULL]}


def closed(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object with these members and no others: what the sandbox sends."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def opened(optional: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """An object with these members among others: what the sandbox takes."""
    return {"type": "object", "properties": dict(optional), "required": list(required)}
