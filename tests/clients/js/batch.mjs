// A batch: a create, a change that depends on it, a change that depends on what fails.

import { BatchRequestContent, BatchResponseContent } from "@microsoft/microsoft-graph-client";

import { graph, home, lecture, settings, tell } from "./graph.mjs";

const json = { "Content-Type": "application/json" };

// Node's requests want a host; the client drops it, and what is left must be relative to the version.
function member(method, path, body) {
  return new Request(`${settings.graph}${path}`, {
    method,
    headers: body ? json : {},
    body: body && JSON.stringify(body),
  });
}

const content = new BatchRequestContent([
  { id: "new", request: member("POST", `${home}/calendar/events`, lecture({ subject: "Sets" })) },
  { id: "after", request: member("GET", `${home}/calendar/events`), dependsOn: ["new"] },
  { id: "bad", request: member("DELETE", `${home}/events/no-id`), dependsOn: ["after"] },
  { id: "late", request: member("POST", `${home}/calendar/events`, lecture({ subject: "Late" })), dependsOn: ["bad"] },
]);
const answers = new BatchResponseContent(await graph.api("/$batch").post(await content.getContent()));
const told = {};
for (const id of ["new", "after", "bad", "late"]) {
  const answer = answers.getResponseById(id);
  told[id] = {
    status: answer.status,
    wait: answer.headers.get("Retry-After"),
    body: await answer.json(),
  };
}
tell(told);
