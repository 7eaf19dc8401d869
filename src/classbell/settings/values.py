"""
The kinds of value that settings are made of: durations, names, addresses, paths.

Paths that are not absolute start at the file that names them; the loader passes that folder as
``context={"base": folder}``. Without a context (values made in code) paths stay as they are.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ByteSize,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from classbell.settings.origins import nearest
from classbell.zones import zone


@dataclass(frozen=True)
class Cloud:
    """The roots of one national cloud."""

    login: str
    graph: str
    outlook: str


CloudName = Literal["global", "usgov", "usgov-dod", "china"]
ApiName = Literal["graph", "outlook-rest-v2"]

# Graph page "National cloud deployments"; the roots of Outlook are those of "Microsoft 365 URLs and IP address
# ranges" and of its pages for US Government and for China. Read 2026-11.
CLOUDS: dict[CloudName, Cloud] = {
    "global": Cloud(
        "https://login.microsoftonline.com", "https://graph.microsoft.com", "https://outlook.office.com"
    ),
    "usgov": Cloud(
        "https://login.microsoftonline.us", "https://graph.microsoft.us", "https://outlook.office365.us"
    ),
    "usgov-dod": Cloud(
        "https://login.microsoftonline.us",
        "https://dod-graph.microsoft.us",
        "https://outlook-dod.office365.us",
    ),
    "china": Cloud(
        "https://login.partner.microsoftonline.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        "https://partner.outlook.cn",
    ),
}

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DOMAIN = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.IGNORECASE
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ENVIRONMENT = re.compile(r"[A-Z_][A-Z0-9_]*")
_CREDENTIAL = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,255}")
_MAILBOX = re.compile(r"[^\s@/\\<>\"]+@[^\s@/\\<>\"]+\.[^\s@/\\<>\"]+")
_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
# Longer than any timetable, and far from the end of the calendar that datetime knows.
_LONGEST = 36_500 * _UNITS["d"]


def parse_duration(text: str) -> timedelta:
    """
    A duration such as ``30m``, ``7d``, ``26h`` or ``1h30m``: whole weeks, days, hours, minutes, seconds.

    Raises:
        ValueError: *text* is no duration.
    """
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        raise ValueError("a duration is written as 30m, 7d, 26h or 1h30m")
    seconds = sum(
        int(count) * unit for count, unit in zip(found.groups(), _UNITS.values(), strict=True) if count
    )
    if seconds > _LONGEST:
        raise ValueError("a duration is at most 36500d")
    return timedelta(seconds=seconds)


def duration_text(duration: timedelta) -> str:
    """A duration as a configuration file says it; ``timedelta(hours=26)`` is ``1d2h``."""
    rest = int(duration.total_seconds())
    parts = []
    for name, unit in _UNITS.items():
        if name != "w":
            count, rest = divmod(rest, unit)
            parts.append(f"{count}{name}" if count else "")
    return "".join(parts) or "0s"


def _duration(given: Any) -> Any:
    if isinstance(given, int | float):
        raise ValueError("a duration needs a unit, as in 30m, 7d or 26h")  # noqa: TRY004 (pydantic collects ValueErrors)
    return parse_duration(given) if isinstance(given, str) else given


def _not_negative(duration: timedelta) -> timedelta:
    if duration < timedelta(0):
        raise ValueError("a duration is not negative")
    return duration


def _more_than_nothing(duration: timedelta) -> timedelta:
    if duration <= timedelta(0):
        raise ValueError("a duration is longer than nothing")
    return duration


def _reminder(given: Any) -> Any:
    return None if given == "none" else _duration(given)


def _whole_minutes(reminder: timedelta | None) -> timedelta | None:
    # Graph has reminderMinutesBeforeStart, a whole number.
    if reminder is not None and (reminder < timedelta(0) or reminder % timedelta(minutes=1)):
        raise ValueError("a reminder is a number of whole minutes before the start, such as 15m")
    return reminder


def _zone_name(name: str) -> str:
    try:
        zone(name)
    except ValueError as error:
        near = nearest(name, available_timezones())
        raise PydanticCustomError("zone_name", "{rule}", {"rule": str(error), "near": near}) from error
    return name


def _named(form: re.Pattern[str], rule: str) -> AfterValidator:
    def check(text: str) -> str:
        if not form.fullmatch(text):
            raise ValueError(rule)
        return text

    return AfterValidator(check)


# What a first configuration has in place of what is only known once the application is registered.
UNKNOWN_TENANT, UNKNOWN_CLIENT = "TENANT-GUID", "CLIENT-GUID"
# What the files of further institutions have in place of their names.
UNKNOWN_NAME = "NAME OF THE INSTITUTION"
_NOT_YET = "not filled in yet; classbell setup says how to come by it"


def _tenant_id(text: str) -> str:
    if text == UNKNOWN_TENANT:
        raise ValueError(_NOT_YET)
    if not (_GUID.fullmatch(text) or _DOMAIN.fullmatch(text)):
        raise ValueError("a tenant is named by its GUID, or by a verified domain such as example.ac.uk")
    return text.lower()


def _guid(text: str) -> str:
    if text == UNKNOWN_CLIENT:
        raise ValueError(_NOT_YET)
    if not _GUID.fullmatch(text):
        raise ValueError("a GUID is written as 00000000-0000-0000-0000-000000000000")
    return text.lower()


def _base_url(text: str) -> str:
    rule = "an address is written as https://host, with a port or a path if need be"
    try:
        parts = urlsplit(text)
        usable = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:
        raise ValueError(rule) from None
    if not usable or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(rule)
    return text.rstrip("/")


def _one_line(text: Any) -> Any:
    # A pasted key is many lines, and a path would be printed in messages.
    if isinstance(text, str) and (not text or "\n" in text or "-----BEGIN" in text or "\0" in text):
        raise PydanticCustomError("path_form", "a path is one line of text")
    return text


def _from_folder(path: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base")
    return path if base is None else Path(base) / path


def _feed_url(text: str, info: ValidationInfo) -> str:
    return text if "://" in text else str(_from_folder(Path(text), info))


def _complete_map(columns: dict[str, str]) -> dict[str, str]:
    absent = [field for field in ("key", "start", "end") if field not in columns]
    if absent:
        raise ValueError(f"no column is named for {', '.join(absent)}")
    return columns


def _sqlite_url(url: str, info: ValidationInfo) -> str:
    prefix = "sqlite:///"
    name = url.removeprefix(prefix)
    # The other forms are SQLite's in-memory databases and connection options: neither keeps a ledger safe.
    if not url.startswith(prefix) or not name or name == ":memory:" or "?" in name:
        raise PydanticCustomError(
            "database_form", "the database is an SQLite file, as in sqlite:///classbell.db"
        )
    return f"{prefix}{_from_folder(Path(name), info)}"


def _as_several(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


_NAME_RULE = "a name has letters, digits, hyphens, dots and underscores, at most 63"
_SLUG_RULE = "an id has small letters, digits and hyphens, at most 63"
_FIELD_RULE = "a field has letters, digits and underscores"
_CREDENTIAL_RULE = "a credential has letters, digits, hyphens, dots and underscores, and begins with no dot"
_ENVIRONMENT_RULE = "an environment variable is named in capitals, digits and underscores"
_MAILBOX_RULE = "a mailbox is named by its address, as in pilot@example.ac.uk"
_DURATION_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^(?!$){_DURATION.pattern}$"})
_DURATION_FORM = PlainSerializer(duration_text, return_type=str, when_used="json")
_PATH_SCHEMA = WithJsonSchema({"type": "string", "minLength": 1})


@dataclass(frozen=True)
class Form:
    """How a value is written, in the words of the reference page."""

    words: str


Text = Annotated[str, StringConstraints(min_length=1), Form("text")]


def _institution_name(text: str) -> str:
    if text == UNKNOWN_NAME:
        raise ValueError("not filled in yet; it is what people call the institution")
    return text


InstitutionName = Annotated[Text, AfterValidator(_institution_name)]
Texts = Annotated[
    tuple[Text, ...],
    BeforeValidator(_as_several),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
    Form("template, or list of templates"),
]
Name = Annotated[str, _named(_NAME, _NAME_RULE), Form("name")]
Slug = Annotated[str, _named(_SLUG, _SLUG_RULE), Form("id: small letters, digits, hyphens")]
FieldName = Annotated[str, _named(_FIELD, _FIELD_RULE)]
EnvironmentName = Annotated[str, _named(_ENVIRONMENT, _ENVIRONMENT_RULE), Form("name of a variable")]
MailAddress = Annotated[str, _named(_MAILBOX, _MAILBOX_RULE), Form("mailbox address")]
CredentialName = Annotated[str, _named(_CREDENTIAL, _CREDENTIAL_RULE), Form("name of a credential")]
Count = Annotated[int, Field(ge=0), Form("whole number")]
PositiveCount = Annotated[int, Field(gt=0), Form("whole number, at least 1")]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False), Form("number from 0 to 100")]
Size = Annotated[
    ByteSize, Field(gt=0), WithJsonSchema({"type": ["integer", "string"]}), Form("size, such as `64MiB`")
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    AfterValidator(_not_negative),
    _DURATION_FORM,
    _DURATION_SCHEMA,
    Form("duration, such as `30m`"),
]
PositiveDuration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    AfterValidator(_more_than_nothing),
    _DURATION_FORM,
    _DURATION_SCHEMA,
    Form("duration, such as `30m`"),
]
Reminder = Annotated[
    timedelta | None,
    BeforeValidator(_reminder),
    AfterValidator(_whole_minutes),
    WithJsonSchema({"type": "string", "pattern": f"^(none|(?!$){_DURATION.pattern})$"}),
    Form('`"none"`, or duration, such as `15m`'),
]
ZoneName = Annotated[str, AfterValidator(_zone_name), Form("IANA time zone")]
TenantId = Annotated[str, AfterValidator(_tenant_id), Form("GUID or domain")]
Guid = Annotated[str, AfterValidator(_guid), Form("GUID")]
BaseUrl = Annotated[str, AfterValidator(_base_url), Form("https address")]
LocalPath = Annotated[
    Path, BeforeValidator(_one_line), AfterValidator(_from_folder), _PATH_SCHEMA, Form("path")
]
ColumnMap = Annotated[dict[FieldName, Text], AfterValidator(_complete_map), Form("table: field = column")]
FeedUrl = Annotated[str, BeforeValidator(_one_line), AfterValidator(_feed_url), Form("address or path")]
SqliteUrl = Annotated[str, AfterValidator(_sqlite_url), Form("`sqlite:///` and a path")]


def is_slug(text: str) -> bool:
    """Whether a text may be the id of an institution."""
    return _SLUG.fullmatch(text) is not None
