"""Every setting once: TOML files to typed, frozen values, each with the place it came from."""

from classbell.settings.configuration import Configuration, Unsound
from classbell.settings.draft import DraftSettings, DraftTenant
from classbell.settings.effective import Row, effective, schemas
from classbell.settings.host import DatabaseSettings, EngineSettings, HostSettings, RetentionSettings
from classbell.settings.institution import (
    AudienceSettings,
    Feed,
    IcsSource,
    InstitutionSettings,
    MaxDeletes,
    PerMailbox,
    ProfileSettings,
    QuarantineSettings,
    SafetySettings,
    SourceLimits,
    SourceSettings,
    TableSource,
    WindowSettings,
)
from classbell.settings.loading import Draft, load, load_draft, load_sound
from classbell.settings.origins import InvalidConfiguration, Origin, Problem, problem_of
from classbell.settings.presence import absences
from classbell.settings.references import (
    Ask,
    FileReference,
    PrivateFile,
    Secret,
    cannot_ask,
    demand_privacy,
    read_private,
    read_public,
)
from classbell.settings.tenant import CertificateSettings, TenantSettings
from classbell.settings.values import is_slug

__all__ = [
    "Ask",
    "AudienceSettings",
    "CertificateSettings",
    "Configuration",
    "DatabaseSettings",
    "Draft",
    "DraftSettings",
    "DraftTenant",
    "EngineSettings",
    "Feed",
    "FileReference",
    "HostSettings",
    "IcsSource",
    "InstitutionSettings",
    "InvalidConfiguration",
    "MaxDeletes",
    "Origin",
    "PerMailbox",
    "PrivateFile",
    "Problem",
    "ProfileSettings",
    "QuarantineSettings",
    "RetentionSettings",
    "Row",
    "SafetySettings",
    "Secret",
    "SourceLimits",
    "SourceSettings",
    "TableSource",
    "TenantSettings",
    "Unsound",
    "WindowSettings",
    "absences",
    "cannot_ask",
    "demand_privacy",
    "effective",
    "is_slug",
    "load",
    "load_draft",
    "load_sound",
    "problem_of",
    "read_private",
    "read_public",
    "schemas",
]
