"""The settings in force, as data: each with its value as a file would say it, and its origin."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ByteSize

from classbell.settings.configuration import Configuration
from classbell.settings.host import HostSettings
from classbell.settings.institution import InstitutionSettings
from classbell.settings.origins import KeyPath, Origin, dotted
from classbell.settings.references import FileReference, PrivateFile, Secret
from classbell.settings.values import duration_text

Plain = str | int | float | bool | list[Any] | dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One setting: its path, its value in the words of a file (None: not set), and its origin."""

    path: str
    value: Plain
    origin: Origin


def effective(configuration: Configuration) -> Iterator[Row]:
    """Every setting, the host's first. Secrets are never read: they show as the place they are kept."""
    default = Origin()
    leaves = [*_leaves(configuration.host, ())]
    for name, settings in configuration.institutions.items():
        leaves += _leaves(settings, ("institutions", name))
    for path, value in leaves:
        text = dotted(path)
        yield Row(path=text, value=value, origin=configuration.origins.get(text, default))


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each kind of file: ``host`` and ``institution``."""
    return {"host": HostSettings.model_json_schema(), "institution": InstitutionSettings.model_json_schema()}


def _leaves(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Plain]]:
    if isinstance(value, Secret | PrivateFile | FileReference):
        yield path, {name: plain(kept) for name, kept in value if kept is not None}
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _leaves(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _leaves(entry, (*path, key))
    elif isinstance(value, tuple) and any(isinstance(entry, BaseModel) for entry in value):
        for number, entry in enumerate(value):
            yield from _leaves(entry, (*path, number))
    else:
        # "none" is how a file says that there is no reminder; all other absent values have no word.
        yield path, "none" if value is None and path[-1] == "reminder" else plain(value)


def plain(value: Any) -> Plain:
    """A value as a file says it."""
    match value:
        case timedelta():
            return duration_text(value)
        case ByteSize():
            return _size_text(value)
        case tuple():
            return [plain(entry) for entry in value]
        case Path() | UUID():
            return str(value)
        case _:
            found: Plain = value
            return found


def _size_text(size: int) -> str | int:
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size % factor == 0:
            return f"{size // factor}{unit}"
    return size
