"""The names that Microsoft's tools have for the national clouds."""

from dataclasses import dataclass

from classbell.settings.values import CloudName


@dataclass(frozen=True, kw_only=True)
class CloudTools:
    """
    One national cloud, as its tools call it; an empty text is a tool's default.

    Attributes:
        title: the name for people.
        portal: where applications are registered.
        menu: the first step of each click path there.
        azure_cli: ``az cloud set --name``.
        graph: ``Connect-MgGraph -Environment``.
        exchange: ``Connect-ExchangeOnline -ExchangeEnvironmentName``.
        terraform: ``environment`` of the provider azuread.
    """

    title: str
    portal: str
    menu: str
    azure_cli: str = ""
    graph: str = ""
    exchange: str = ""
    terraform: str = ""


# Read 2026-11: Entra page "National clouds" (portals), Azure CLI page "az cloud", Graph PowerShell page
# "Connect-MgGraph", Exchange page "Connect to Exchange Online PowerShell", and the index page of the azuread
# provider. The national clouds are documented with the Azure portal, not with an address of the admin center.
CLOUD_TOOLS: dict[CloudName, CloudTools] = {
    "global": CloudTools(
        title="Microsoft 365 worldwide", portal="https://entra.microsoft.com", menu="Entra ID"
    ),
    "usgov": CloudTools(
        title="Microsoft 365 Government GCC High",
        portal="https://portal.azure.us",
        menu="Microsoft Entra ID",
        azure_cli="AzureUSGovernment",
        graph="USGov",
        exchange="O365USGovGCCHigh",
        terraform="usgovernmentl4",
    ),
    "usgov-dod": CloudTools(
        title="Microsoft 365 Government DoD",
        portal="https://portal.azure.us",
        menu="Microsoft Entra ID",
        azure_cli="AzureUSGovernment",
        graph="USGovDoD",
        exchange="O365USGovDoD",
        terraform="usgovernmentl5",
    ),
    "china": CloudTools(
        title="Microsoft 365 operated by 21Vianet",
        portal="https://portal.azure.cn",
        menu="Microsoft Entra ID",
        azure_cli="AzureChinaCloud",
        graph="China",
        exchange="O365China",
        terraform="china",
    ),
}
