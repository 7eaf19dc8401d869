"""Each part, word for word, for three institutions: a new one, one with a scope, one with the retired API."""

import pytest
from tests.setup.golden.write import EXAMPLES, HERE, files
from tests.setup.grammar import powershell_calls


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_parts_are_word_for_word_as_they_were_looked_at(name: str) -> None:
    kept = {path.name: path.read_bytes() for path in (HERE / name).iterdir()}
    made = files(EXAMPLES[name])
    assert sorted(made) == sorted(kept)
    for file in made:
        assert made[file].decode() == kept[file].decode(), (
            "if it is meant: python -m tests.setup.golden.write"
        )


def text(name: str, file: str) -> str:
    return files(EXAMPLES[name])[file].decode()


def test_microsoft_s_ids_and_names_are_the_published_ones() -> None:
    for sign in (
        "00000003-0000-0000-c000-000000000000",
        "ef54d2bf-783f-4e0f-bca1-3210c0444d99",
        "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
    ):
        assert sign in text("new", "azure-cli.sh")
    assert "$_.Value -eq 'Calendars.ReadWrite' -and $_.AllowedMemberTypes -contains" in text(
        "new", "graph.ps1"
    )
    assert 'app_role_ids["Calendars.ReadWrite"]' in text("new", "classbell.tf")
    assert '.result["MicrosoftGraph"]' in text("new", "classbell.tf")


def test_powershell_calls_are_those_of_microsoft_s_pages_in_their_order() -> None:
    assert powershell_calls(text("new", "graph.ps1")) == [
        "Connect-MgGraph",
        "Resolve-Path",
        "Join-Path",
        "Get-MgServicePrincipal",
        "Where-Object",
        "New-MgApplication",
        "New-MgServicePrincipal",
        "Get-MgServicePrincipalAppRoleAssignment",
        "Where-Object",
        "New-MgServicePrincipalAppRoleAssignment",
        "Out-Null",
        "Get-MgContext",
    ]
    assert powershell_calls(text("narrow", "exchange-rbac.ps1")) == [
        "Connect-ExchangeOnline",
        "Get-Group",
        "Get-ServicePrincipal",
        "Where-Object",
        "New-ServicePrincipal",
        "Get-ManagementScope",
        "Set-ManagementScope",
        "New-ManagementScope",
        "Get-ManagementRoleAssignment",
        "New-ManagementRoleAssignment",
        "Read-Host",
        "Read-Host",
        "Test-ServicePrincipalAuthorization",
        "Format-List",
    ]
    assert powershell_calls(text("new", "exchange-access-policy.ps1"))[:2] == [
        "Connect-ExchangeOnline",
        "New-ApplicationAccessPolicy",
    ]


def test_with_a_scope_no_part_grants_the_permission_for_the_whole_tenant() -> None:
    shown = files(EXAMPLES["narrow"])
    assert "exchange-access-policy.ps1" not in shown
    assert "admin-consent" not in shown["azure-cli.sh"].decode()
    assert "New-MgServicePrincipalAppRoleAssignment" not in powershell_calls(text("narrow", "graph.ps1"))
    assert "Remove-MgServicePrincipalAppRoleAssignment" in powershell_calls(text("narrow", "graph.ps1"))
    assert 'resource "azuread_app_role_assignment"' not in text("narrow", "classbell.tf")
    assert "adminconsent" not in text("narrow", "consent.txt")
    assert "timetable@example.edu" in text("narrow", "security.txt")


def test_a_national_cloud_is_named_to_each_tool() -> None:
    assert text("narrow", "portal.txt").startswith("https://portal.azure.us\n")
    assert "az cloud set --name AzureUSGovernment" in text("narrow", "azure-cli.sh")
    assert " -Environment USGov " in text("narrow", "graph.ps1")
    assert "-ExchangeEnvironmentName O365USGovGCCHigh" in text("narrow", "exchange-rbac.ps1")
    assert 'environment = "usgovernmentl4"' in text("narrow", "classbell.tf")


def test_the_retired_api_is_offered_with_a_warning_and_the_permission_of_exchange() -> None:
    warning = text("retired", "README.txt")
    assert "WARNING  Microsoft retired the Outlook REST API v2.0" in warning
    assert "2024-03-31" in warning
    assert "Office 365 Exchange Online\n     (00000002-0000-0ff1-ce00-000000000000)" in text(
        "retired", "portal.txt"
    )
    assert 'app_role_ids["Calendars.ReadWrite.All"]' in text("retired", "classbell.tf")
    assert "WARNING" not in text("new", "README.txt")


def test_a_hand_over_pack_asks_nobody_to_run_classbell() -> None:
    assert [
        name for name, content in files(EXAMPLES["retired"]).items() if b"classbell setup" in content
    ] == []
