/**
 * Changes the events of a response before a provider package reads them: where the package would lose what a vendor says,
 * a rewriter says it in the way that the package knows. What no rewriter concerns passes as it was sent.
 */
import type { JSONObject } from "@ai-sdk/provider";
import type { EventSourceMessage } from "eventsource-parser";
import { eventBatches, type StreamWatch } from "../event-stream.ts";
import { parsedJson } from "../failure/error-body.ts";
import { isJsonObject } from "../json-object.ts";
import { withBody } from "../response-body.ts";
import type { Fetch } from "../transport.ts";

/** What one event becomes: the same object where it stays as it was sent, a list for several, an empty one for none. */
export type EventRewrite = (event: JSONObject) => JSONObject | readonly JSONObject[];

export type Rewriter = {
  /** Matches the text of every event that `start`'s rewrite has to see. The others are not even parsed: they are most. */
  concerns: RegExp;
  /** The rewrite of one response: it may keep what it saw. */
  start(): EventRewrite;
};

/**
 * A `fetch` whose streams are rewritten, by each rewriter in turn.
 * @param watch is told of what was sent
 */
export function rewriteEvents(fetch: Fetch, rewriters: readonly Rewriter[], watch?: StreamWatch): Fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const { ok, body } = response;
    if (!ok || body === null) return response;
    return withBody(response, ReadableStream.from(rewrittenEvents(eventBatches(body, watch), rewriters)));
  };
}

async function* rewrittenEvents(
  batches: AsyncIterable<EventSourceMessage[]>,
  rewriters: readonly Rewriter[],
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const rewrites = rewriters.map(({ concerns, start }) => ({ concerns, rewrite: start() }));
  for await (const batch of batches) {
    const text = batch.flatMap((event) => rewrites.reduce(rewriteEach, [event])).map(textOf);
    if (text.length > 0) yield encoder.encode(text.join(""));
  }
}

type Running = { concerns: RegExp; rewrite: EventRewrite };

function rewriteEach(events: EventSourceMessage[], running: Running): EventSourceMessage[] {
  return events.flatMap((event) => rewriteOne(event, running));
}

function rewriteOne(
  event: EventSourceMessage,
  { concerns, rewrite }: Running,
): EventSourceMessage | EventSourceMessage[] {
  if (!concerns.test(event.data)) return event;
  const fields = parsedJson(event.data);
  if (!isJsonObject(fields)) return event; // The package reports it.
  const become = rewrite(fields);
  if (become === fields) return event;
  // The event's name is left out: what it is called now stands in its fields.
  return [become].flat().map((changed) => ({ data: JSON.stringify(changed) }) as EventSourceMessage);
}

function textOf({ event, data }: EventSourceMessage): string {
  const name = event === undefined ? "" : `event: ${event}\n`;
  return `${name}data: ${data.replaceAll("\n", "\ndata: ")}\n\n`;
}
