"""The kinds of value that settings are made of: durations, names, addresses, paths."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from classbell.zones import zone


@dataclass(frozen=True)
class Cloud:
    """The roots of one national cloud."""

    login: str
    graph: str


CloudName = Literal["global", "usgov", "usgov-dod", "china"]

# Graph page "National cloud deployments", read 2026-11.
CLOUDS: dict[CloudName, Cloud] = {
    "global": Cloud("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "usgov": Cloud("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "usgov-dod": Cloud("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
    "china": Cloud("https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
}

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DOMAIN = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.IGNORECASE
)
_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
# Longer than any timetable, and far from the end of the calendar that datetime knows.
_LONGEST = timedelta(days=36_500)


def parse_duration(text: str) -> timedelta:
    """
    A duration such as ``30m``, ``7d``, ``26h`` or ``1h30m``: whole weeks, days, hours, minutes, seconds.

    Raises:
        ValueError: *text* is no duration.
    """
    found = _DURATION.fullmatch(text.strip())
    if not text.strip() or found is None:
        raise ValueError("a duration is written as 30m, 7d, 26h or 1h30m")
    seconds = sum(
        int(count) * unit for count, unit in zip(found.groups(), _UNITS.values(), strict=True) if count
    )
    if seconds > _LONGEST.total_seconds():
        raise ValueError("a duration is at most 36500d")
    return timedelta(seconds=seconds)


def duration_text(duration: timedelta) -> str:
    """A duration as a configuration file says it: ``timedelta(hours=26)`` is ``1d2h``."""
    rest = int(duration.total_seconds())
    parts = []
    for name, unit in _UNITS.items():
        if name == "w":
            continue
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts) or "0s"


def _duration(given: Any) -> Any:
    return parse_duration(given) if isinstance(given, str) else _no_bare_number(given)


def _no_bare_number(given: Any) -> Any:
    if isinstance(given, int | float):
        raise ValueError("a duration needs a unit, as in 30m, 7d or 26h")  # noqa: TRY004 (pydantic reads ValueError)
    return given


def _not_negative(duration: timedelta) -> timedelta:
    if duration < timedelta(0):
        raise ValueError("a duration is not negative")
    return duration


def _more_than_nothing(duration: timedelta) -> timedelta:
    if duration <= timedelta(0):
        raise ValueError("a duration of nothing makes no sense here")
    return duration


def _reminder(given: Any) -> Any:
    return None if given == "none" else _duration(given)


def _zone_name(name: str) -> str:
    zone(name)
    return name


def _tenant_id(text: str) -> str:
    if not (_GUID.fullmatch(text) or _DOMAIN.fullmatch(text)):
        raise ValueError(
            "a tenant is named by its GUID or by one of its verified domains, such as example.ac.uk"
        )
    return text.lower()


def _guid(text: str) -> str:
    if not _GUID.fullmatch(text):
        raise ValueError("a GUID is written as 00000000-0000-0000-0000-000000000000")
    return text.lower()


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("an address is written as https://host, with a port or a path if need be")
    return text.rstrip("/")


def _from_folder(path: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base")
    return path if base is None else Path(base) / path


def _sqlite_url(url: str, info: ValidationInfo) -> str:
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url == prefix:
        raise PydanticCustomError("database_kind", "the ledger is kept in SQLite: sqlite:///classbell.db")
    path = Path(url.removeprefix(prefix))
    return f"{prefix}{_from_folder(path, info)}"


def _as_several(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


Text = Annotated[str, StringConstraints(min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_several), Field(min_length=1)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_not_negative)]
PositiveDuration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_more_than_nothing)]
Reminder = Annotated[Duration | None, BeforeValidator(_reminder)]
ZoneName = Annotated[str, AfterValidator(_zone_name)]
TenantId = Annotated[str, AfterValidator(_tenant_id)]
Guid = Annotated[str, AfterValidator(_guid)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
LocalPath = Annotated[Path, AfterValidator(_from_folder)]
SqliteUrl = Annotated[str, AfterValidator(_sqlite_url)]
