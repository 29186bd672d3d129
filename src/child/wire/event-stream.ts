/** The server-sent events of an answer, as they arrive: https://html.spec.whatwg.org/multipage/server-sent-events.html. */
import { createParser, type EventSourceMessage, type EventSourceParser } from "eventsource-parser";

/** A parser of events, with what llama.cpp sends in a field of its own as one: ggml-org/llama.cpp#14566. */
export function createEventParser(onEvent: (event: EventSourceMessage) => void): EventSourceParser {
  return createParser({
    onEvent,
    onError({ field, value }) {
      if (field === "error" && value !== undefined) onEvent({ id: undefined, event: "error", data: value });
    },
  });
}

/**
 * Events that arrived together, in order. Whoever stops early cancels the stream.
 * @param keep receives the bytes as well, before their events
 */
export async function* eventBatches(
  body: ReadableStream<Uint8Array>,
  keep: (bytes: Uint8Array) => void = () => {},
): AsyncGenerator<EventSourceMessage[]> {
  let batch: EventSourceMessage[] = [];
  const parser = createEventParser((event) => batch.push(event));
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (!done) keep(value);
      // Some streams end within their last event.
      parser.feed(done ? `${decoder.decode()}\n\n` : decoder.decode(value, { stream: true }));
      const arrived = batch;
      batch = [];
      yield arrived;
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
