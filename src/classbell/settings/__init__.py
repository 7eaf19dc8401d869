"""Every setting once: TOML files to typed, frozen values, each with the place it came from."""

from classbell.settings.host import DatabaseSettings, EngineSettings, HostSettings
from classbell.settings.institution import (
    AudienceSettings,
    Feed,
    IcsSource,
    InstitutionSettings,
    MaxDeletes,
    PerMailbox,
    ProfileSettings,
    SafetySettings,
    SourceLimits,
    SourceSettings,
    TableSource,
    WindowSettings,
)
from classbell.settings.references import FileReference, Secret
from classbell.settings.tenant import CertificateSettings, TenantSettings

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
    "SourceLimits",
    "SourceSettings",
    "TableSource",
    "TenantSettings",
    "WindowSettings",
]
