// Microsoft's client for JavaScript, signed in by @azure/identity, pointed at the sandbox by its settings alone.
// Settings come as JSON on standard input; what a script has seen goes as JSON to standard output.

import { readFileSync } from "node:fs";

import { ClientCertificateCredential } from "@azure/identity";
import { Client } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";

export const settings = JSON.parse(readFileSync(0, "utf8"));

const credential = new ClientCertificateCredential(
  settings.tenant,
  settings.application,
  { certificatePath: settings.certificate, certificatePassword: settings.password },
  { authorityHost: settings.login, disableInstanceDiscovery: true },
);

export const graph = Client.initWithMiddleware({
  authProvider: new TokenCredentialAuthenticationProvider(credential, { scopes: [settings.scope] }),
  baseUrl: settings.graph,
  customHosts: new Set(["localhost"]),
});

export const home = `/users/${settings.mailbox}`;

export function lecture(changes = {}) {
  return {
    subject: "Logic",
    start: { dateTime: "2026-09-21T10:00:00", timeZone: "UTC" },
    end: { dateTime: "2026-09-21T11:00:00", timeZone: "UTC" },
    ...changes,
  };
}

export function tell(seen) {
  process.stdout.write(JSON.stringify(seen));
}

// The status and code that a request is refused with; null if it is not.
export async function refusal(request) {
  try {
    await request;
    return null;
  } catch (error) {
    return { name: error.name, status: error.statusCode, code: error.code, message: error.message };
  }
}
