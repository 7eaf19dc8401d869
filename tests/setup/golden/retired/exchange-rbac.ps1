# Lets Classbell into the calendars of one group only, for Example University.
#
# Role based access control for applications in Exchange Online. Needed: the
# module ExchangeOnlineManagement, and the role Exchange Administrator. There
# must be NO grant of Calendars.ReadWrite.All in Entra ID beside it: that
# one is for all mailboxes, and the two add up.
#Requires -Modules ExchangeOnlineManagement
$ErrorActionPreference = 'Stop'

$client = '0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10'
# The Object ID of the ENTERPRISE APPLICATION (Entra ID > Enterprise apps), not
# that of the app registration.
$principal = '9f8e7d6c-5b4a-4392-8170-6f5e4d3c2b1a'
# Only direct members count. Microsoft 365 groups, mail-enabled security groups
# and distribution lists will do.
$group = 'GROUP@YOUR-DOMAIN'

foreach ($id in $client, $principal) {
    if ($id -notmatch '^[0-9a-fA-F-]{36}$') { throw "Fill in what is missing above: $id" }
}
if ($group -eq 'GROUP@YOUR-DOMAIN') { throw "Fill in what is missing above: $group" }

Connect-ExchangeOnline -ShowBanner:$false

$name = (Get-Group $group).DistinguishedName -replace "'", "''"

# The script can be run again, also with another group: nothing is made twice.
if (-not (Get-ServicePrincipal | Where-Object { $_.AppId -eq $client })) {
    New-ServicePrincipal -AppId $client -ObjectId $principal -DisplayName 'Classbell for Example University'
}
$scope = 'Classbell example'
if (Get-ManagementScope -Identity $scope -ErrorAction SilentlyContinue) {
    Set-ManagementScope -Identity $scope -RecipientRestrictionFilter "MemberOfGroup -eq '$name'"
} else {
    New-ManagementScope -Name $scope -RecipientRestrictionFilter "MemberOfGroup -eq '$name'"
}
$assignment = 'Classbell calendars example'
if (-not (Get-ManagementRoleAssignment -Identity $assignment -ErrorAction SilentlyContinue)) {
    New-ManagementRoleAssignment -Name $assignment -App $principal `
        -Role 'Application Calendars.ReadWrite' -CustomResourceScope $scope
}

# The test. It looks past the cache: Graph itself follows after 30 minutes to 2
# hours. It does not see grants in Entra ID.
foreach ($mailbox in (Read-Host 'A mailbox inside the group'), (Read-Host 'A mailbox outside')) {
    Test-ServicePrincipalAuthorization -Identity $client -Resource $mailbox |
        Format-List 'RoleName', 'AllowedResourceScope', 'InScope'
}
