#!/usr/bin/env bash
# Registers Classbell in Entra ID for Example University.
#
# Needed: the Azure CLI, and an account that may do it: Cloud Application
# Administrator to register.
# In the folder of this file, where the certificate lies: bash azure-cli.sh
set -euo pipefail

az cloud set --name AzureUSGovernment

az login --tenant 7d5c1f2e-3b4a-4c6d-8e9f-0a1b2c3d4e5f --allow-no-subscriptions --output none

# The application is there; it gets a service principal if it has none.
app=0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10
principal=$(az ad sp list --filter "appId eq '$app'" --query '[0].id' --output tsv)
if [ -z "$principal" ]; then
  principal=$(az ad sp create --id "$app" --query id --output tsv)
fi

# The certificate. Without --append all others would be removed.
az ad app credential reset --id "$app" \
  --cert @classbell-example-0123abcd.pem --append --output none
az ad app credential reset --id "$app" \
  --cert @classbell-example-89abcdef.pem --append --output none

# User.Read, which portals add by themselves, is not needed.
asked=$(az ad app permission list --id "$app" --query '[].resourceAccess[].id' --output tsv)
case $asked in
  *e1fe6dd8-ba31-4d61-89e7-88639da4683d*)
    az ad app permission delete --id "$app" --api 00000003-0000-0000-c000-000000000000 \
      --api-permissions e1fe6dd8-ba31-4d61-89e7-88639da4683d
    ;;
esac

# Calendars.ReadWrite of Microsoft Graph.
api=00000003-0000-0000-c000-000000000000
role=ef54d2bf-783f-4e0f-bca1-3210c0444d99
grants=https://graph.microsoft.us/v1.0/servicePrincipals/$principal/appRoleAssignments
# Exchange grants it for some mailboxes only. A grant in Entra ID would be for
# all of them, so there must be none.
az rest --method GET --url "$grants" --output tsv \
  --query "value[?appRoleId=='$role'].id" | while read -r grant; do
  az rest --method DELETE --url "$grants/$grant"
done
case $asked in
  *"$role"*) az ad app permission delete --id "$app" --api "$api" --api-permissions "$role" ;;
esac

# What is granted and registered now.
az rest --method GET --url "$grants" --output table \
  --query 'value[].{resource:resourceDisplayName, role:appRoleId}'
az ad app credential list --id "$app" --cert --output table \
  --query '[].{thumbprint:customKeyIdentifier, until:endDateTime}'

echo
echo "Take these down:"
echo "tenant_id = \"$(az account show --query tenantId --output tsv)\""
echo "client_id = \"$app\""
echo "application_object_id = \"$(az ad app show --id "$app" --query id --output tsv)\""
echo "# service principal, for Exchange: $principal"
