"""
Names and enumeration values: PascalCase here, camelCase in Graph, with few exceptions.

Source: "Outlook Calendar REST API reference (version 2.0)", event and calendar resources.
"""

import re
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from classbell.sandbox.refusals import Refusal, bad_request, body_unreadable
from classbell.sandbox.surface import UNREADABLE

# What Graph got later, and this API never.
LATER = frozenset(
    {
        "allowNewTimeProposals",
        "allowedOnlineMeetingProviders",
        "cancelledOccurrences",
        "defaultOnlineMeetingProvider",
        "exceptionOccurrences",
        "hexColor",
        "hideAttendees",
        "isDefaultCalendar",
        "isDraft",
        "isOnlineMeeting",
        "isRemovable",
        "isTallyingResponses",
        "onlineMeeting",
        "onlineMeetingProvider",
        "transactionId",
    }
)
# Properties whose values are members of enumerations.
_CHOICES = frozenset(
    {
        "color",
        "daysOfWeek",
        "firstDayOfWeek",
        "importance",
        "index",
        "locationType",
        "response",
        "sensitivity",
        "showAs",
        "type",
        "uniqueIdType",
    }
)
_EXTENDED = frozenset({"singleValueExtendedProperties", "multiValueExtendedProperties"})
_CONTENT_TYPES = {"html": "HTML", "text": "Text"}
_QUOTED = re.compile(r"('(?:[^']|'')*')")
_WORD = re.compile(r"(?<![\w.@$])[A-Z]\w*")
_PLAIN_ID = re.compile(r"(?<![\w$])id(?!\w)")
_PROPERTY_NAME = re.compile(r"(?<=property )'(\w+)'|(?<=property named )'(\w+)'")


def pascal(name: str) -> str:
    """A name of Graph as this API spells it."""
    return name if name == "iCalUId" or name.startswith("@") else name[:1].upper() + name[1:]


def camel(name: str) -> str:
    """A name of this API as Graph spells it."""
    return name if name == "iCalUId" else name[:1].lower() + name[1:]


def told(value: Any, key: str = "") -> Any:
    """
    JSON values of Graph as this API tells them.

    Args:
        value: the values.
        key: the property of Graph that they belong to, if any.
    """
    if isinstance(value, dict):
        return {pascal(name): told(part, name) for name, part in value.items() if name not in LATER}
    if isinstance(value, list):
        if key in _EXTENDED:
            return [{"PropertyId": member["id"], "Value": member["value"]} for member in value]
        return [told(part, key) for part in value]
    if isinstance(value, str):
        if key == "contentType":
            return _CONTENT_TYPES.get(value, value)
        if key in _CHOICES:
            return pascal(value)
    return value


def read(body: Any, kind: str) -> Any:
    """
    The body of a request as Graph takes it.

    Args:
        body: decoded JSON.
        kind: ``Event`` or ``Calendar``, for the message of a refusal.

    Raises:
        Refusal: a name is not of this API.
    """
    if not isinstance(body, dict):
        return body
    for name in body:
        if camel(name) in LATER:
            raise _unknown(name, kind)
    try:
        return _read(body, "", kind)
    except RecursionError:
        raise bad_request(UNREADABLE) from None


def _read(value: Any, key: str, kind: str) -> Any:
    if isinstance(value, dict):
        return {_known(name, kind): _read(part, camel(name), kind) for name, part in value.items()}
    if isinstance(value, list):
        if key in _EXTENDED:
            return [_read_extended(member) for member in value]
        return [_read(part, key, kind) for part in value]
    if isinstance(value, str):
        if key == "contentType":
            return value.lower()
        if key in _CHOICES:
            return camel(value)
    return value


def _known(name: str, kind: str) -> str:
    if "@" in name:
        return name
    if name != "iCalUId" and not name[:1].isupper():
        raise _unknown(name, kind)
    return camel(name)


def _read_extended(member: Any) -> Any:
    if not isinstance(member, dict):
        return member
    for name in member:
        if name not in {"PropertyId", "Value"} and "@" not in name:
            raise _unknown(name, "SingleValueLegacyExtendedProperty")
    return {"id": member.get("PropertyId"), "value": member.get("Value")}


def _unknown(name: str, kind: str) -> Refusal:
    return body_unreadable(
        f"The property '{name}' does not exist on type 'Microsoft.OutlookServices.{kind}'. Make sure to only use "
        "property names that are defined by the type."
    )


def query(text: str) -> str:
    """
    The query options of a request as Graph takes them.

    Raises:
        Refusal: an option names a property that is not of this API.
    """
    if not text:
        return ""
    pairs = []
    for name, value in parse_qsl(text, keep_blank_values=True):
        match name.casefold():
            case "$select":
                translated = ",".join(_selected(part.strip()) for part in value.split(","))
            case "$filter" | "$expand" | "$orderby":
                translated = _expression(value)
            case _:
                translated = value
        pairs.append((name, translated))
    return urlencode(pairs, quote_via=quote)


def _selected(name: str) -> str:
    if name and name not in {"*", "iCalUId"} and (not name[:1].isupper() or camel(name) in LATER):
        raise _not_found(name, "Event")
    return camel(name)


def _expression(text: str) -> str:
    parts = _QUOTED.split(text)
    for place in range(0, len(parts), 2):  # what is quoted stands at odd places
        plain = parts[place]
        if _PLAIN_ID.search(plain):
            raise _not_found("id", "SingleValueLegacyExtendedProperty")
        parts[place] = _WORD.sub(lambda found: _word(found.group()), plain)
    return "".join(parts)


def _word(name: str) -> str:
    if camel(name) in LATER:
        raise _not_found(name, "Event")
    return "id" if name == "PropertyId" else camel(name)


def _not_found(name: str, kind: str) -> Refusal:
    return bad_request(
        f"Could not find a property named '{name}' on type 'Microsoft.OutlookServices.{kind}'.",
        "RequestBroker--ParseUri",
    )


def message(text: str) -> str:
    """The message of a refusal of Graph with the names of this API."""
    text = re.sub(
        r"microsoft\.graph\.(\w)", lambda found: f"Microsoft.OutlookServices.{found[1].upper()}", text
    )
    return _PROPERTY_NAME.sub(lambda found: f"'{pascal(found[1] or found[2])}'", text)
