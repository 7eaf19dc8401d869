# Registers Classbell in Entra ID for St. John's College.
#
# Needed: the Microsoft Graph PowerShell SDK (Install-Module Microsoft.Graph), and
# an account that may do it: Cloud Application Administrator to register,
# Privileged Role Administrator to consent.
#Requires -Modules Microsoft.Graph.Authentication, Microsoft.Graph.Applications
$ErrorActionPreference = 'Stop'

Connect-MgGraph `
    -Scopes 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All' -NoWelcome

# The certificate, which lies beside this file.
$keys = @(
    foreach ($file in 'classbell-example-0123abcd.pem') {
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
$access = @(@{ ResourceAppId = $api.AppId; ResourceAccess = @(@{ Id = $role.Id; Type = 'Role' }) })

# The application. Each call makes another one.
$app = New-MgApplication -DisplayName 'Classbell for St. John''s College' `
    -SignInAudience AzureADMyOrg -RequiredResourceAccess $access -KeyCredentials $keys
$principal = New-MgServicePrincipal -AppId $app.AppId

$grants = @(Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id |
    Where-Object { $_.AppRoleId -eq $role.Id -and $_.ResourceId -eq $api.Id })
# The consent.
if (-not $grants) {
    New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id -PrincipalId $principal.Id `
        -ResourceId $api.Id -AppRoleId $role.Id | Out-Null
}

'Take these down:'
'tenant_id = "{0}"' -f (Get-MgContext).TenantId
'client_id = "{0}"' -f $app.AppId
'application_object_id = "{0}"' -f $app.Id
'# service principal, for Exchange: {0}' -f $principal.Id
