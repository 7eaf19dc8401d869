#!/usr/bin/env bash
# Registers Classbell in Entra ID for St. John's College.
#
# Needed: the Azure CLI, and an account that may do it: Cloud Application
# Administrator to register, Privileged Role Administrator to consent.
# In the folder of this file, where the certificate lies: bash azure-cli.sh
set -euo pipefail

az login --allow-no-subscriptions --output none

# The application. Each call makes another one: to repeat the rest, put its id
# in place of the command.
app=$(az ad app create --display-name 'Classbell for St. John'"'"'s College' \
  --sign-in-audience AzureADMyOrg --query appId --output tsv)
echo "client_id = \"$app\""
# The command line makes no service principal by itself, and without one nobody
# can sign in.
principal=$(az ad sp create --id "$app" --query id --output tsv)

# The certificate. Without --append all others would be removed.
az ad app credential reset --id "$app" \
  --cert @classbell-example-0123abcd.pem --append --output none

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
grants=https://graph.microsoft.com/v1.0/servicePrincipals/$principal/appRoleAssignments
az ad app permission add --id "$app" --api "$api" --api-permissions "$role=Role"
sleep 30 # until the service principal is known everywhere
if ! az ad app permission admin-consent --id "$app"; then
  # The same for a Privileged Role Administrator, whom the shortcut may refuse.
  resource=$(az ad sp show --id "$api" --query id --output tsv)
  az rest --method POST --url "$grants" --body \
    "{\"principalId\":\"$principal\",\"resourceId\":\"$resource\",\"appRoleId\":\"$role\"}"
fi

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
