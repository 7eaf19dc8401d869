"""The ids that an institution sends back, and how they come into its file."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tomlkit
from pydantic import TypeAdapter, ValidationError
from tomlkit.exceptions import TOMLKitError

from classbell.errors import ConfigurationError
from classbell.settings.documents import lines_of
from classbell.settings.values import UNKNOWN_CLIENT, UNKNOWN_TENANT, Guid, TenantId

KEYS = ("tenant_id", "client_id", "application_object_id")
_FORMS: dict[str, TypeAdapter[str]] = {
    "tenant_id": TypeAdapter(TenantId),
    "client_id": TypeAdapter(Guid),
    "application_object_id": TypeAdapter(Guid),
}
# As the form has it, and as mail programs leave it: quoted, indented, with other quotation marks or none.
_LINE = re.compile(rf"^[>\s]*({'|'.join(KEYS)})\s*[=:]\s*(.*?)\s*$", re.MULTILINE)
_MARKS = "\"'\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb `"
_BOM = "\ufeff"


@dataclass(frozen=True, kw_only=True)
class Change:
    """
    One id that is to be written.

    Attributes:
        key: ``tenant_id``, ``client_id`` or ``application_object_id``.
        old: what stands there; empty if nothing does, or only what ``classbell init`` put in its place.
        new: what is to stand there.
    """

    key: str
    old: str
    new: str


def parse_answer(text: str) -> dict[str, str]:
    """
    The ids in an answer, by their keys, checked. What is left empty is left out; other text does not matter.

    Raises:
        ConfigurationError: ``E-SETUP-ANSWER``, there is none, one has not the form it must have, or one is
            given twice with different values.
    """
    found: dict[str, str] = {}
    for key, value in _LINE.findall(text.replace("\r\n", "\n").removeprefix(_BOM)):
        written = value.partition("#")[0].strip(_MARKS)
        if not written:
            continue
        checked = _checked(key, written)
        if found.setdefault(key, checked) != checked:
            raise _unusable(
                f"{key} stands there twice, with different values.", "send it once more, with one of them."
            )
    if not found:
        raise _unusable(
            "There is no id in the answer.",
            f"it needs lines such as: client_id = ID   (or {', '.join(KEYS)}).",
        )
    return found


def _checked(key: str, written: str) -> str:
    try:
        return _FORMS[key].validate_python(written)
    except ValidationError as error:
        rule = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise _unusable(
            f"{key}: {rule}.", "copy it once more from the application's overview page."
        ) from None


def _unusable(what: str, do: str) -> ConfigurationError:
    return ConfigurationError("E-SETUP-ANSWER", what, effect="nothing was changed.", do=do)


def amended(content: bytes, place: str, ids: Mapping[str, str]) -> tuple[bytes, list[Change]]:
    """
    The file of an institution with these ids in its ``[tenant]``, all else as it was, comments included.

    Args:
        content: the file.
        place: what messages call it.
        ids: by their keys.

    Returns:
        the new content, and what is new in it.

    Raises:
        ConfigurationError: ``E-SETUP-FILE``, it is written in a way that does not allow it.
    """
    mark = _BOM if content.startswith(_BOM.encode()) else ""
    text = content.decode().removeprefix(mark)
    data = tomllib.loads(text)
    tenant = data.get("tenant")
    if not isinstance(tenant, dict):
        raise _unfit(place, "it has no table [tenant]")
    changes = [
        Change(key=key, old=_known(tenant.get(key)), new=new)
        for key, new in ids.items()
        if tenant.get(key) != new
    ]
    wanted = {**data, "tenant": {**tenant, **{change.key: change.new for change in changes}}}
    for changed in (_with_lines(text, tenant, changes), _with_keys(text, changes)):
        if _says(changed, wanted):
            return (mark + changed).encode(), changes
    raise _unfit(place, "it is written in a way that cannot be changed safely")


def _known(value: Any) -> str:
    return "" if value in {None, "", UNKNOWN_TENANT, UNKNOWN_CLIENT} else str(value)


def _says(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _with_keys(text: str, changes: list[Change]) -> str:
    """Replaced where the key is there, else put behind all other keys of the table."""
    try:
        document = tomlkit.parse(text)
        for change in changes:
            document["tenant"][change.key] = change.new
        return tomlkit.dumps(document)
    except TOMLKitError:
        return ""


def _with_lines(text: str, tenant: Mapping[str, Any], changes: list[Change]) -> str:
    """The same, but a key that is not there yet gets a line below the last id: comments stay where they belong."""
    present = [change for change in changes if change.key in tenant]
    text = _with_keys(text, present)
    below = [key for key in KEYS if key in tenant]
    if not below:
        return ""
    lines = text.splitlines(keepends=True)
    at = lines_of(text.encode()).get(("tenant", below[-1]), 0)
    if not at:
        return ""
    before = lines[at - 1]
    indent = before[: len(before) - len(before.lstrip())]
    end = "\r\n" if before.endswith("\r\n") else "\n"
    new = [f'{indent}{change.key} = "{change.new}"{end}' for change in changes if change.key not in tenant]
    return "".join([*lines[:at], *new, *lines[at:]])


def _unfit(place: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        "E-SETUP-FILE",
        f"The file {place} cannot be changed by Classbell.",
        why=f"{why}.",
        effect="the file is as it was.",
        do="write the ids into its [tenant] yourself: tenant_id, client_id, application_object_id.",
    )
