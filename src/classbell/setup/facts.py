"""What is known of one institution, and what follows from it for texts and scripts."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from classbell.settings.values import CLOUDS, ApiName, CloudName
from classbell.setup.certificates import PublicCertificate
from classbell.setup.clouds import CLOUD_TOOLS, CloudTools
from classbell.setup.permissions import PERMISSIONS, Permission
from classbell.setup.quoting import one_line

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Exchange page "New-ManagementRoleAssignment": a name has at most 64 characters; Graph's displayName of an
# application has at most 256.
_EXCHANGE_NAME = 64
_APPLICATION_NAME = 120
_ADDRESS = re.compile(r"[^\s@\"'<>;,]+@[^\s@\"'<>;,]+")
_GROUP_NAME = re.compile(r"[^<>;|*?!\"]{1,256}")


def is_guid(text: str) -> bool:
    """Whether a text has the form of a GUID."""
    return _GUID.fullmatch(text) is not None


def is_group(text: str) -> bool:
    """Whether a text can name a group in Exchange: by its address, or by a name without signs of another meaning."""
    if not text.strip() or one_line(text) != text or text.startswith("-"):
        return False
    return _ADDRESS.fullmatch(text) is not None if "@" in text else _GROUP_NAME.fullmatch(text) is not None


def application_name(institution: str) -> str:
    """What an institution's application is called in its tenant."""
    return f"Classbell for {institution}"[:_APPLICATION_NAME].rstrip()


@dataclass(frozen=True, kw_only=True)
class Facts:
    """
    One institution. What is not known yet is empty.

    Attributes:
        institution_id: its id.
        name: its name, as the configuration has it.
        tenant: the tenant's GUID or domain.
        client: the application (client) id.
        object_id: the Object ID of the app registration.
        service_principal: the Object ID of the enterprise application.
        cloud: the national cloud.
        login: base URL of Entra ID.
        certificates: the public part of what signs in; one without content where there is none yet.
        scope: the group whose members' mailboxes alone are to be reached, enforced by Exchange.
        api: the API through which calendars are written.
        handover: whether this is for the institution's administrators, who have no Classbell.
        saved: whether all of it goes into one folder, with the certificate.
    """

    institution_id: str
    name: str
    tenant: str = ""
    client: str = ""
    object_id: str = ""
    service_principal: str = ""
    cloud: CloudName = "global"
    login: str = CLOUDS["global"].login
    certificates: tuple[PublicCertificate, ...]
    scope: str = ""
    api: ApiName = "graph"
    handover: bool = False
    saved: bool = False

    @property
    def institution(self) -> str:
        """The institution's name, on one line."""
        return one_line(self.name) or self.institution_id

    @property
    def app_name(self) -> str:
        """What the application is called in the tenant."""
        return application_name(self.institution)

    @property
    def scope_name(self) -> str:
        """What the scope is called in Exchange."""
        return f"Classbell {self.institution_id}"[:_EXCHANGE_NAME]

    @property
    def assignment_name(self) -> str:
        """What the assignment of the role is called in Exchange."""
        return f"Classbell calendars {self.institution_id}"[:_EXCHANGE_NAME]

    @property
    def tenant_guid(self) -> str:
        """The tenant's GUID, where it is known by it."""
        return self.tenant if is_guid(self.tenant) else ""

    @property
    def tools(self) -> CloudTools:
        """What Microsoft's tools call the cloud."""
        return CLOUD_TOOLS[self.cloud]

    @property
    def permission(self) -> Permission:
        """The permission that is asked for."""
        return PERMISSIONS[self.api]

    @property
    def graph_url(self) -> str:
        """Base URL of Microsoft Graph in the cloud."""
        return CLOUDS[self.cloud].graph

    @property
    def consent_link(self) -> str:
        """
        The page that grants what the registration asks for.

        Entra page "Admin consent on the Microsoft identity platform": without a tenant the one of whoever signs in.
        """
        tenant = quote(self.tenant or "organizations", safe="")
        return f"{self.login}/{tenant}/adminconsent?client_id={quote(self.client or 'CLIENT-ID', safe='')}"
