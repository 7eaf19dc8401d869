# Registers Classbell in Entra ID for Example University.
#
# terraform init && terraform apply, in the folder of this file, where the
# certificate lies. The account needs the role Cloud Application Administrator,
# and Privileged Role Administrator for the consent.

terraform {
  required_version = ">= 1.5"
  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = "~> 3.0"
    }
  }
}

provider "azuread" {
  tenant_id = "7d5c1f2e-3b4a-4c6d-8e9f-0a1b2c3d4e5f"
}

data "azuread_client_config" "current" {}

data "azuread_application_published_app_ids" "well_known" {}

data "azuread_service_principal" "api" {
  client_id = data.azuread_application_published_app_ids.well_known.result["Office365ExchangeOnline"]
}

import {
  to = azuread_application_registration.classbell
  id = "/applications/c7d20f48-1e65-4b39-8a04-93d1f6b7e25c"
}

resource "azuread_application_registration" "classbell" {
  display_name     = "Classbell for Example University"
  sign_in_audience = "AzureADMyOrg"

  # It was there already, and stays called as it is.
  lifecycle {
    ignore_changes = [display_name]
  }
}

# Thumbprint 0123ABCD0123ABCD0123ABCD0123ABCD0123ABCD. Another resource of
# this kind beside it lets a new certificate take over without a gap.
resource "azuread_application_certificate" "certificate_0123abcd" {
  application_id = azuread_application_registration.classbell.id
  type           = "AsymmetricX509Cert"
  value          = file("${path.module}/classbell-example-0123abcd.pem")
  end_date       = "2027-11-20T08:15:00Z"
}

resource "azuread_service_principal" "classbell" {
  client_id    = azuread_application_registration.classbell.client_id
  use_existing = true
}

resource "azuread_application_api_access" "calendars" {
  application_id = azuread_application_registration.classbell.id
  api_client_id  = data.azuread_application_published_app_ids.well_known.result["Office365ExchangeOnline"]
  role_ids       = [data.azuread_service_principal.api.app_role_ids["Calendars.ReadWrite.All"]]
}

# This is the admin consent.
resource "azuread_app_role_assignment" "calendars" {
  app_role_id         = data.azuread_service_principal.api.app_role_ids["Calendars.ReadWrite.All"]
  principal_object_id = azuread_service_principal.classbell.object_id
  resource_object_id  = data.azuread_service_principal.api.object_id
}

output "tenant_id" {
  value = data.azuread_client_config.current.tenant_id
}

output "client_id" {
  value = azuread_application_registration.classbell.client_id
}

output "application_object_id" {
  value = azuread_application_registration.classbell.object_id
}

output "service_principal_object_id" {
  value = azuread_service_principal.classbell.object_id
}
