# Keeps Classbell to the calendars of one group, for St. John's College.
#
# An application access policy: the OLDER way, which Microsoft replaces by role
# based access control for applications. It narrows the tenant-wide grant of
# Entra ID, which must be there; use it OR the other one. Needed: the module
# ExchangeOnlineManagement, and the role Exchange Administrator.
#Requires -Modules ExchangeOnlineManagement
$ErrorActionPreference = 'Stop'

$client = 'CLIENT-ID'
# A mail-enabled security group.
$group = 'GROUP@YOUR-DOMAIN'

if ($client -notmatch '^[0-9a-fA-F-]{36}$') { throw "Fill in what is missing above: $client" }
if ($group -eq 'GROUP@YOUR-DOMAIN') { throw "Fill in what is missing above: $group" }

Connect-ExchangeOnline -ShowBanner:$false

New-ApplicationAccessPolicy -AppId $client -PolicyScopeGroupId $group `
    -AccessRight RestrictAccess -Description 'Classbell for St. John''s College'

# The test. It can take more than an hour until Graph follows what is said here.
foreach ($mailbox in (Read-Host 'A mailbox inside the group'), (Read-Host 'A mailbox outside')) {
    Test-ApplicationAccessPolicy -Identity $mailbox -AppId $client
}
