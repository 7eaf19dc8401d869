// A list, page by page, to its end.

import { PageIterator } from "@microsoft/microsoft-graph-client";

import { graph, home, tell } from "./graph.mjs";

const seen = [];
const first = await graph.api(`${home}/calendar/events`).top(7).orderby("start/dateTime").get();
await new PageIterator(graph, first, (event) => {
  seen.push(event.subject);
  return true;
}).iterate();
tell({ first: first.value.length, seen });
