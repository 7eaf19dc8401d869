"""
Extended properties: their ids and values. Those of several values are kept as JSON text beside the others.

Source: Graph page "Outlook extended properties overview".
"""

import re
from functools import lru_cache
from typing import Any

import msgspec

from classbell.sandbox.refusals import Refusal, body_unreadable, property_refused

_TYPES = {
    name.casefold(): name
    for name in (
        "ApplicationTime",
        "Binary",
        "Boolean",
        "CLSID",
        "Currency",
        "Double",
        "Error",
        "Float",
        "Guid",
        "Integer",
        "Long",
        "Null",
        "Object",
        "Short",
        "String",
        "SystemTime",
    )
}
# MAPI has no arrays of these.
_MULTIPLE = {
    f"{name}Array".casefold(): f"{name}Array"
    for name in _TYPES.values()
    if name not in {"Boolean", "Error", "Null", "Object"}
}
_GUID = r"\{(?P<guid>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}"
_NAMED = re.compile(rf"(?P<type>\w+) {_GUID} Name (?P<name>\S.*)\Z", re.DOTALL)
_NUMBERED = re.compile(rf"(?P<type>\w+) {_GUID} Id (?P<id>0x[0-9A-Fa-f]{{1,8}})\Z")
_TAGGED = re.compile(r"(?P<type>\w+) (?P<tag>0x[0-9A-Fa-f]{1,8})\Z")


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """
    The stored form of a property id: type spelt as declared, GUID in lower case, name as it is.

    Raises:
        Refusal: it has none of the three forms.
    """
    return _canonical(text, _TYPES)


@lru_cache(maxsize=1024)
def canonical_multiple(text: str) -> str:
    """
    The same of a property with several values, whose type is an array.

    Raises:
        Refusal: it has none of the three forms.
    """
    return _canonical(text, _MULTIPLE)


def is_multiple(name: str) -> bool:
    """Whether a stored property has several values."""
    return name.partition(" ")[0].endswith("Array")


def values_of(value: str) -> list[str]:
    """The values of a stored property that has several."""
    return msgspec.json.decode(value, type=list[str])


def _canonical(text: str, types: dict[str, str]) -> str:
    for form in (_NAMED, _NUMBERED, _TAGGED):
        found = form.match(text)
        if found and found["type"].casefold() in types:
            kind = types[found["type"].casefold()]
            if form is _TAGGED:
                return f"{kind} {found['tag'].lower()}"
            end = f"Name {found['name']}" if form is _NAMED else f"Id {found['id'].lower()}"
            return f"{kind} {{{found['guid'].lower()}}} {end}"
    raise Refusal(
        400,
        "ErrorInvalidProperty",
        "PropertyId values may only be in one of the following formats: 'MapiPropertyType namespaceGuid Name "
        "propertyName', 'MapiPropertyType namespaceGuid Id propertyId' or 'MapiPropertyType propertyTag'.",
    )


def accepted(value: Any) -> list[tuple[str, str | None]]:
    """
    The properties of a body as (id, value) pairs; None means: take it away.

    Raises:
        Refusal: not a list of objects with id and value, or one of them is malformed.
    """
    pairs: list[tuple[str, str | None]] = []
    for member in _members(value, "singleValueExtendedProperties"):
        content = member.get("value")
        if content is not None and not isinstance(content, str):
            raise body_unreadable("Cannot convert the value of 'value' to the expected type 'Edm.String'.")
        pairs.append((canonical(member["id"]), content))
    return pairs


def accepted_multiple(value: Any) -> list[tuple[str, str | None]]:
    """
    The multi-value properties of a body in the same form, their values as JSON text.

    Raises:
        Refusal: not a list of objects with id and a list of values, or one of them is malformed.
    """
    pairs: list[tuple[str, str | None]] = []
    for member in _members(value, "multiValueExtendedProperties"):
        content = member.get("value")
        if content is not None and not (
            isinstance(content, list) and all(isinstance(part, str) for part in content)
        ):
            raise body_unreadable(
                "Cannot convert the value of 'value' to the expected type 'Collection(Edm.String)'."
            )
        told = None if content is None else msgspec.json.encode(content).decode()
        pairs.append((canonical_multiple(member["id"]), told))
    return pairs


def _members(value: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise body_unreadable(f"The property '{name}' does not have the expected collection type.")
    if not all(isinstance(member, dict) and isinstance(member.get("id"), str) for member in value):
        raise property_refused()
    return value


def merged(
    stored: tuple[tuple[str, str], ...], changes: list[tuple[str, str | None]]
) -> tuple[tuple[str, str], ...]:
    """The stored properties after the changes; others stay as they are."""
    if not changes:
        return stored
    result = dict(stored)
    for name, value in changes:
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return tuple(result.items())
