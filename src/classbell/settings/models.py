"""
Every setting once, as frozen values. What a file may say, its units and its defaults stand here.

Paths that are not absolute start at the file that names them; the loader passes that folder as
``context={"base": folder}``. Without a context (values made in code) paths stay as they are.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ByteSize,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from classbell.errors import ConfigurationError
from classbell.ports import Files
from classbell.settings.values import (
    CLOUDS,
    BaseUrl,
    CloudName,
    Duration,
    FieldName,
    Guid,
    LocalPath,
    Name,
    Percent,
    PositiveDuration,
    Reminder,
    Slug,
    SqliteUrl,
    TenantId,
    Text,
    Texts,
    ZoneName,
)


class Settings(BaseModel):
    """What all settings share: they never change, and a key that nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)


class FileReference(Settings):
    """A public file, ``{ file = "classbell.crt" }``: no care is taken who may read it."""

    file: LocalPath

    @model_validator(mode="before")
    @classmethod
    def _no_literal(cls, given: Any) -> Any:
        return _refuse_text(given)

    def read(self, files: Files) -> bytes:
        """
        The content of the file.

        Raises:
            ConfigurationError: ``E-SECRET-FILE``, it cannot be read.
        """
        return _read(self.file, files)


class Secret(Settings):
    """Where a secret is kept: exactly one of a file and an environment variable. Never the secret."""

    file: LocalPath | None = None
    env: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_literal(cls, given: Any) -> Any:
        return _refuse_text(given)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise PydanticCustomError("secret_shape", "a secret has exactly one of file and env")
        return self

    def reveal(self, files: Files, environ: Mapping[str, str]) -> bytes:
        """
        The secret, without one trailing line end. Read afresh each time, so that a rotation needs no restart.

        Raises:
            ConfigurationError: ``E-SECRET-FILE`` it cannot be read, ``E-SECRET-MODE`` other users of
                this computer may read it, ``E-SECRET-ENV`` the variable is not set.
        """
        if self.file is None:
            return _from_environment(self.env or "", environ)
        content = _read(self.file, files)
        _demand_privacy(self.file, files)
        return content.removesuffix(b"\n").removesuffix(b"\r")


def _refuse_text(given: Any) -> Any:
    # The text may be a pasted key or password: the message must not repeat it.
    if isinstance(given, str | bytes):
        raise PydanticCustomError(
            "secret_literal", "the content itself stands here, instead of where it is kept"
        )
    return given


def _read(path: Path, files: Files) -> bytes:
    try:
        return files.read(path)
    except OSError as error:
        raise ConfigurationError(
            "E-SECRET-FILE",
            f"The file {path} cannot be read.",
            why=error.strerror or type(error).__name__,
            do="check the path in the configuration, and that the account Classbell runs as may read the file.",
        ) from error


def _demand_privacy(path: Path, files: Files) -> None:
    try:
        mode = files.mode(path)
    except OSError:
        mode = 0
    if mode & 0o007:
        raise ConfigurationError(
            "E-SECRET-MODE",
            f"The secret file {path} is open to every user of this computer (mode {mode & 0o777:04o}).",
            why="a secret that others may read, write or run is not used.",
            do=f"chmod o-rwx {path}",
        )


def _from_environment(name: str, environ: Mapping[str, str]) -> bytes:
    try:
        return environ[name].encode().removesuffix(b"\n").removesuffix(b"\r")
    except KeyError:
        raise ConfigurationError(
            "E-SECRET-ENV",
            f"The environment variable {name} is not set.",
            why="the configuration names it as the place of a secret.",
            do=f"set {name} for the account Classbell runs as, or use {{ file = ... }} instead.",
        ) from None


class CertificateSettings(Settings):
    """A certificate with its private key, in the PEM files that OpenSSL makes; both may be one file."""

    certificate: FileReference
    private_key: Secret
    key_password: Secret | None = None


class TenantSettings(Settings):
    """The Microsoft tenant, and the application with which Classbell signs in to it."""

    tenant_id: TenantId
    client_id: Guid
    cloud: CloudName = "global"
    login_url: BaseUrl | None = None
    graph_url: BaseUrl | None = None
    ca_file: LocalPath | None = None
    certificates: Annotated[tuple[CertificateSettings, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _both_urls_or_none(self) -> Self:
        if (self.login_url is None) != (self.graph_url is None):
            raise PydanticCustomError("url_pair", "login_url and graph_url stand together, or neither does")
        return self

    @property
    def login(self) -> str:
        """Base URL of Entra ID without a slash at the end; the tenant's path follows."""
        return self.login_url or CLOUDS[self.cloud].login

    @property
    def graph(self) -> str:
        """Base URL of Microsoft Graph without a slash at the end; ``/v1.0`` follows."""
        return self.graph_url or CLOUDS[self.cloud].graph


class SourceLimits(Settings):
    """
    How much one read of a source may be before it is refused.

    ``bytes`` is per feed or file, ``items`` per source, ``parse`` the time for parsing.
    """

    bytes: Annotated[ByteSize, Field(gt=0)] = ByteSize(64 * 1024 * 1024)
    items: Annotated[int, Field(gt=0)] = 200_000
    occurrences_per_item: Annotated[int, Field(gt=0)] = 2_000
    parse: PositiveDuration = timedelta(seconds=120)


class Feed(Settings):
    """One calendar feed of one person: ``url`` is http, https, or a path beside the configuration."""

    person: Text
    url: Text


def _shape_of_feeds(given: Any) -> str:
    return "file" if isinstance(given, str | Path) else "inline"


class IcsSource(Settings):
    """Calendar feeds in the iCalendar format, each with the person whose timetable it is."""

    name: Name
    kind: Literal["ics"] = "ics"
    feeds: Annotated[
        Annotated[LocalPath, Tag("file")] | Annotated[tuple[Feed, ...], Field(min_length=1), Tag("inline")],
        Discriminator(_shape_of_feeds),
    ]
    timezone: ZoneName | None = None
    allow_private_addresses: bool = False
    limits: SourceLimits = SourceLimits()


class TableSource(Settings):
    """Two tables: the meetings (CSV or XLSX) and who attends them (CSV)."""

    name: Name
    kind: Literal["table"] = "table"
    meetings: LocalPath
    attendance: LocalPath
    sheet: Text | None = None
    timezone: ZoneName | None = None
    map: dict[FieldName, Text]
    limits: SourceLimits = SourceLimits()

    @model_validator(mode="after")
    def _map_has_the_needed(self) -> Self:
        absent = [field for field in ("key", "start", "end") if field not in self.map]
        if absent:
            raise PydanticCustomError("map_incomplete", f"map names no column for {', '.join(absent)}")
        return self


SourceSettings = Annotated[IcsSource | TableSource, Discriminator("kind")]


class AudienceSettings(Settings):
    """Who receives what: the people whom these sources attach, in this profile."""

    name: Name
    gets: Annotated[tuple[Name, ...], Field(min_length=1)]
    profile: Name


class ProfileSettings(Settings):
    """How meetings look for an audience. A template knows the meeting, never the person."""

    name: Name
    calendar: Text = "default"
    subject: Texts = ("{{ title }}",)
    body: LocalPath | None = None
    location: Texts = ("{{ location }}",)
    show_as: Literal["free", "tentative", "busy", "oof", "workingElsewhere"] = "busy"
    sensitivity: Literal["normal", "personal", "private", "confidential"] = "normal"
    reminder: Reminder = None
    categories: tuple[Text, ...] = ("Timetable",)


class WindowSettings(Settings):
    """Which meetings are kept true, by their start."""

    past: Duration = timedelta(days=7)
    future: PositiveDuration = timedelta(days=200)
    timezone: ZoneName


class MaxDeletes(Settings):
    """How many events one run may delete unasked in an institution; the stricter of count and share wins."""

    count: Annotated[int, Field(ge=0)] = 500
    percent: Percent = 5.0
    at_least: Annotated[int, Field(ge=0)] = 10


class PerMailbox(Settings):
    """What share of one mailbox's events a run may delete unasked, in mailboxes with enough events."""

    percent: Percent = 60.0
    min_events: Annotated[int, Field(ge=0)] = 10


class SafetySettings(Settings):
    """The limits at which a plan waits for a person."""

    max_deletes: MaxDeletes = MaxDeletes()
    per_mailbox: PerMailbox = PerMailbox()
    source_shrink_percent: Percent = 15.0
    outcome_bound: PositiveDuration = timedelta(minutes=10)


class EngineSettings(Settings):
    """How much work is under way at once; ``in_flight`` counts batches."""

    in_flight: Annotated[int, Field(ge=1, le=1024)] = 64


class InstitutionSettings(Settings):
    """One customer: its tenant, sources, audiences, looks and limits. One file under ``conf.d``."""

    schema_version: Literal[1] = Field(alias="schema")
    id: Slug
    name: Text
    mode: Literal["observe", "approve", "auto"] = "observe"
    tenant: TenantSettings
    sources: Annotated[tuple[SourceSettings, ...], Field(min_length=1)]
    audience: Annotated[tuple[AudienceSettings, ...], Field(min_length=1)]
    profiles: Annotated[tuple[ProfileSettings, ...], Field(min_length=1)]
    window: WindowSettings
    safety: SafetySettings = SafetySettings()


class DatabaseSettings(Settings):
    """Where the ledger is kept: an SQLAlchemy URL; a relative SQLite path starts at the file."""

    url: SqliteUrl = "sqlite:///classbell.db"


class HostSettings(Settings):
    """What all institutions of one installation share."""

    schema_version: Literal[1] = Field(alias="schema")
    installation: UUID
    include: tuple[Text, ...] = ("conf.d/*.toml",)
    # An empty table, not a made value: validation then sees the folder that the default path starts at.
    database: DatabaseSettings = Field(default_factory=dict)  # type: ignore[assignment]
    engine: EngineSettings = EngineSettings()


__all__ = [
    "AudienceSettings",
    "CertificateSettings",
    "DatabaseSettings",
    "EngineSettings",
    "Feed",
    "FileReference",
    "HostSettings",
    "IcsSource",
    "InstitutionSettings",
    "MaxDeletes",
    "PerMailbox",
    "ProfileSettings",
    "SafetySettings",
    "Secret",
    "Settings",
    "SourceLimits",
    "SourceSettings",
    "TableSource",
    "TenantSettings",
    "WindowSettings",
]
