"""The one permission that Classbell asks for, in each of the two published APIs, and how scripts name it."""

from dataclasses import dataclass

from classbell.settings.values import ApiName


@dataclass(frozen=True, kw_only=True)
class Permission:
    """
    An application permission on a Microsoft API.

    Attributes:
        api: the API's name in the portal.
        app_id: the API's application id.
        published: its name in the list of published ids that Terraform's provider has.
        value: the permission's name.
        role_id: its id; empty where Microsoft documents none: scripts then look it up by name.
    """

    api: str
    app_id: str
    published: str
    value: str
    role_id: str = ""


# Ids: Graph page "Microsoft Graph permissions reference"; Entra page "Verify first-party Microsoft applications".
PERMISSIONS: dict[ApiName, Permission] = {
    "graph": Permission(
        api="Microsoft Graph",
        app_id="00000003-0000-0000-c000-000000000000",
        published="MicrosoftGraph",
        value="Calendars.ReadWrite",
        role_id="ef54d2bf-783f-4e0f-bca1-3210c0444d99",
    ),
    "outlook-rest-v2": Permission(
        api="Office 365 Exchange Online",
        app_id="00000002-0000-0ff1-ce00-000000000000",
        published="Office365ExchangeOnline",
        value="Calendars.ReadWrite.All",
    ),
}
# The delegated permission that the portal gives each new registration by itself.
USER_READ = "e1fe6dd8-ba31-4d61-89e7-88639da4683d"
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
