"""
Single-value extended properties: their ids and values.

Source: Graph page "Outlook extended properties overview".
"""

import re
from functools import lru_cache
from typing import Any

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
    for form in (_NAMED, _NUMBERED, _TAGGED):
        found = form.match(text)
        if found and found["type"].casefold() in _TYPES:
            kind = _TYPES[found["type"].casefold()]
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
    if not isinstance(value, list):
        raise body_unreadable(
            "The property 'singleValueExtendedProperties' does not have the expected collection type."
        )
    pairs: list[tuple[str, str | None]] = []
    for member in value:
        if not isinstance(member, dict) or not isinstance(member.get("id"), str):
            raise property_refused()
        content = member.get("value")
        if content is not None and not isinstance(content, str):
            raise body_unreadable("Cannot convert the value of 'value' to the expected type 'Edm.String'.")
        pairs.append((canonical(member["id"]), content))
    return pairs


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
