// An event from its create to its end.

import { graph, home, lecture, refusal, settings, tell } from "./graph.mjs";

const calendars = await graph.api(`${home}/calendars`).get();
const wanted = lecture({
  transactionId: "operation 1",
  singleValueExtendedProperties: [{ id: settings.tag, value: "one" }],
});
const immutable = ["Prefer", 'IdType="ImmutableId"'];
const made = await graph.api(`${home}/calendar/events`).header(...immutable).post(wanted);
const again = await graph.api(`${home}/calendar/events`).header(...immutable).post(wanted);
await graph.api(`${home}/calendar/events`).post(lecture({ subject: "Other" }));

const found = await graph
  .api(`${home}/calendar/events`)
  .filter(`singleValueExtendedProperties/Any(ep: ep/id eq '${settings.tag}' and ep/value eq 'one')`)
  .expand(`singleValueExtendedProperties($filter=id eq '${settings.tag}')`)
  .get();

const one = `${home}/events/${made.id}`;
const changed = await graph
  .api(one)
  .header("If-Match", made["@odata.etag"])
  .patch({ subject: "Sets", end: { dateTime: "2026-09-21T12:00:00", timeZone: "UTC" } });
const stale = await refusal(graph.api(one).header("If-Match", made["@odata.etag"]).patch({ subject: "Graphs" }));
const view = await graph
  .api(`${home}/calendarView`)
  .query({ startDateTime: "2026-09-21T11:00:00Z", endDateTime: "2026-09-21T12:00:00Z" })
  .header("Prefer", 'outlook.timezone="Europe/Amsterdam"')
  .get();
const read = await graph.api(one).select(["subject", "end"]).get();
await graph.api(one).delete();
const gone = await refusal(graph.api(one).get());

tell({ calendars: calendars.value, made, again, found: found.value, changed, stale, view: view.value, read, gone });
