"""
Settings from environment variables: ``CLASSBELL_`` and the path in capitals, ``__`` between levels.

``CLASSBELL_DATABASE__URL`` is ``database.url`` of the host file;
``CLASSBELL_INSTITUTIONS__EXAMPLE__WINDOW__PAST`` is ``window.past`` of the institution ``example``, whose
hyphens are written as underscores. Entries of lists are counted from 0: ``...__SOURCES__0__TIMEZONE``.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from classbell.settings.origins import KeyPath, Origin, Problem, did_you_mean, nearest

PREFIX = "CLASSBELL_"
INSTITUTIONS = "INSTITUTIONS"
# Read by the command line itself; no settings.
OWN_VARIABLES = frozenset({"CLASSBELL_CONFIG", "CLASSBELL_INSTITUTION"})


@dataclass(frozen=True, kw_only=True)
class Override:
    """One variable, and the levels of the path it sets, in the capitals of the variable."""

    variable: str
    levels: tuple[str, ...]
    value: Any


def overrides(environ: Mapping[str, str], roots: Iterable[str]) -> list[Override]:
    """The variables that set something; *roots* are the keys at the top of the host file."""
    known = {root.upper() for root in roots} | {INSTITUTIONS}
    found = []
    for variable in sorted(environ):
        levels = tuple(variable.removeprefix(PREFIX).split("__"))
        # CLASSBELL_KEY_PASSWORD, without levels, is the place of a secret and no setting.
        if variable.startswith(PREFIX) and (levels[0] in known or len(levels) > 1):
            found.append(Override(variable=variable, levels=levels, value=_value(environ[variable])))
    return [one for one in found if one.variable not in OWN_VARIABLES]


def institution_level(institution: str) -> str:
    """The level that stands for an institution in the name of a variable."""
    return institution.upper().replace("-", "_")


def put(data: dict[str, Any], levels: tuple[str, ...], value: Any) -> KeyPath | None:
    """Put a value into *data*: the path where it stands, or None if the way there ends in a list or value."""
    path: KeyPath = ()
    here: Any = data
    for level in levels:
        key = _key(level, here)
        if key is None:
            return None
        path = (*path, key)
        if len(path) == len(levels):
            here[key] = value
        else:
            here = here.setdefault(key, {}) if isinstance(here, dict) else here[key]
    return path


def _key(level: str, here: Any) -> Any:
    if isinstance(here, dict):
        # As the file already spells it: the fields of a map may have capitals.
        return next((key for key in here if key.upper() == level), level.lower())
    if isinstance(here, list) and level.isdecimal() and int(level) < len(here):
        return int(level)
    return None


def unused(found: Iterable[Override], secrets: Iterable[str], known: Iterable[str]) -> list[Problem]:
    """
    A problem for each variable that would set something, were its name right.

    *secrets* are the variables in which secrets are kept, *known* the beginnings of variables that exist.
    """
    places = set(secrets)
    return [
        Problem(
            code="E-CFG-KEY",
            origin=Origin(variable=one.variable),
            text="no setting has this name.",
            hint=did_you_mean(_near(one.levels, set(known))),
        )
        for one in found
        if one.variable not in places
    ]


def _near(levels: tuple[str, ...], known: set[str]) -> str:
    beginning = PREFIX + "__".join(levels[: 2 if levels[0] == INSTITUTIONS else 1])
    return "" if beginning in known else nearest(beginning, known)


def _value(text: str) -> Any:
    """Lists and tables are written as in TOML; all else is text, which the setting's type then reads."""
    if not text.startswith(("[", "{")):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        # A template may begin with a brace as well.
        return text
