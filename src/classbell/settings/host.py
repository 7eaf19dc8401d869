"""What all institutions of one installation share."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from classbell.settings.base import Settings
from classbell.settings.values import PositiveDuration, SqliteUrl, Text


class RetentionSettings(Settings):
    """How long is kept what only people ask for; what stands in calendars is kept as long as it does."""

    ledger_payload: PositiveDuration = timedelta(days=30)
    """Events that stand nowhere any more: so long can `classbell restore` put them back."""

    runs: PositiveDuration = timedelta(days=180)
    """Runs, and the changes that they made: so far back `classbell runs` and `explain` reach."""


class DatabaseSettings(Settings):
    """Where Classbell remembers what it has delivered."""

    url: SqliteUrl = "sqlite:///classbell.db"
    """The SQLite file: three slashes and a path that starts at this file, or four and an absolute one."""

    retention: RetentionSettings = RetentionSettings()
    """How long is kept what only people ask for."""


class EngineSettings(Settings):
    """How much work is under way at once."""

    in_flight: Annotated[int, Field(ge=1, le=1024)] = 64
    """How many batches of requests. Never more than three requests of one mailbox, whatever stands here."""


class HostSettings(Settings):
    """The host file, `classbell.toml`."""

    schema_version: Literal[1] = Field(alias="schema")
    """The version of this file's form."""

    installation: UUID
    """Made once by `classbell init`. Permanent: it is part of the mark of every event. Keep it with the backups."""

    include: tuple[Text, ...] = ("conf.d/*.toml",)
    """The files of the institutions."""

    # An empty table, not a made value: validation then sees the folder that the default path starts at.
    database: DatabaseSettings = Field(default_factory=dict)  # type: ignore[assignment]
    """Where Classbell remembers what it has delivered."""

    engine: EngineSettings = EngineSettings()
    """How much work is under way at once."""
