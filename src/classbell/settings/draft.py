"""An institution whose file is not complete yet: of it, guided set-up needs only what connects it to Microsoft."""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict

from classbell.settings.base import Settings
from classbell.settings.tenant import CertificateSettings
from classbell.settings.values import (
    CLOUDS,
    UNKNOWN_CLIENT,
    UNKNOWN_NAME,
    UNKNOWN_TENANT,
    ApiName,
    BaseUrl,
    CloudName,
    Guid,
    LocalPath,
    Slug,
    TenantId,
    Text,
)


def _nameless(given: Any) -> Any:
    return "the institution" if given == UNKNOWN_NAME else given


def _unknown(given: Any) -> Any:
    return None if given in {UNKNOWN_TENANT, UNKNOWN_CLIENT, ""} else given


class DraftTenant(Settings):
    """The Microsoft side, as far as it is known. What is filled in is checked, what is not is None."""

    model_config = ConfigDict(extra="ignore")

    tenant_id: Annotated[TenantId | None, BeforeValidator(_unknown)] = None
    """The tenant."""

    client_id: Annotated[Guid | None, BeforeValidator(_unknown)] = None
    """The application (client) ID."""

    application_object_id: Annotated[Guid | None, BeforeValidator(_unknown)] = None
    """The Object ID of the application."""

    cloud: CloudName = "global"
    """The national cloud."""

    api: ApiName = "graph"
    """The interface to calendars."""

    login_url: BaseUrl | None = None
    """Another address for sign-in."""

    ca_file: LocalPath | None = None
    """Authorities to trust beside the system's."""

    certificates: tuple[CertificateSettings, ...] = ()
    """What Classbell signs in with."""

    @property
    def login(self) -> str:
        """Base URL of Entra ID without a slash at the end."""
        return self.login_url or CLOUDS[self.cloud].login


class DraftSettings(Settings):
    """One institution."""

    model_config = ConfigDict(extra="ignore")

    id: Slug
    """Its id."""

    name: Annotated[Text, BeforeValidator(_nameless)]
    """The name for people."""

    tenant: DraftTenant = DraftTenant()
    """The Microsoft side."""
