# Registers Classbell in Entra ID for Example University.
#
# Needed: the Microsoft Graph PowerShell SDK (Install-Module Microsoft.Graph), and
# an account that may do it: Cloud Application Administrator to register.
#Requires -Modules Microsoft.Graph.Authentication, Microsoft.Graph.Applications
$ErrorActionPreference = 'Stop'

Connect-MgGraph -TenantId '7d5c1f2e-3b4a-4c6d-8e9f-0a1b2c3d4e5f' -Environment USGov `
    -Scopes 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All' -NoWelcome

# The certificate, which lies beside this file.
$keys = @(
    foreach ($file in 'classbell-example-0123abcd.pem', 'classbell-example-89abcdef.pem') {
        $path = (Resolve-Path (Join-Path $PSScriptRoot $file)).Path
        $cert = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($path)
        @{ Type = 'AsymmetricX509Cert'; Usage = 'Verify'; Key = $cert.RawData; DisplayName = $cert.Subject }
    }
)

# Calendars.ReadWrite of Microsoft Graph.
$api = Get-MgServicePrincipal -Filter "appId eq '00000003-0000-0000-c000-000000000000'"
$role = $api.AppRoles | Where-Object {
    $_.Value -eq 'Calendars.ReadWrite' -and $_.AllowedMemberTypes -contains 'Application'
}
# Exchange grants it for some mailboxes only: Entra ID is asked for nothing.
$access = @()

# The application is there. Asked for one by one, its keys come with their
# content; the list is replaced as a whole, so what is in it is sent along.
$found = Get-MgApplication -Filter "appId eq '0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10'"
$app = Get-MgApplication -ApplicationId $found.Id -Property 'id', 'appId', 'keyCredentials'
$present = @($app.KeyCredentials | Where-Object { $_ })
$known = @($present | ForEach-Object { [Convert]::ToBase64String($_.Key) })
$missing = @($keys | Where-Object { $known -notcontains [Convert]::ToBase64String($_.Key) })
if ($missing) { Update-MgApplication -ApplicationId $app.Id -KeyCredentials ($present + $missing) }
# This replaces what the registration asks for, and with it a needless User.Read.
Update-MgApplication -ApplicationId $app.Id -RequiredResourceAccess $access
$principal = Get-MgServicePrincipal -Filter "appId eq '0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10'"
if (-not $principal) { $principal = New-MgServicePrincipal -AppId $app.AppId }

$grants = @(Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id |
    Where-Object { $_.AppRoleId -eq $role.Id -and $_.ResourceId -eq $api.Id })
# A grant in Entra ID would be for all mailboxes, so there must be none.
foreach ($grant in $grants) {
    Remove-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id -AppRoleAssignmentId $grant.Id
}

'Take these down:'
'tenant_id = "{0}"' -f (Get-MgContext).TenantId
'client_id = "{0}"' -f $app.AppId
'application_object_id = "{0}"' -f $app.Id
'# service principal, for Exchange: {0}' -f $principal.Id
