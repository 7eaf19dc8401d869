// A read and a create, whatever stands in their way.

import { graph, home, lecture, refusal, tell } from "./graph.mjs";

tell({
  read: await refusal(graph.api(`${home}/calendar/events`).get()),
  create: await refusal(graph.api(`${home}/calendar/events`).post(lecture())),
});
