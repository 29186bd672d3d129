/** The server-sent events of an answer, as they arrive: https://html.spec.whatwg.org/multipage/server-sent-events.html. */
import { createParser, type EventSourceMessage } from "eventsource-parser";

/** Events that arrived together, in order. Whoever stops early cancels the stream. */
export async function* eventBatches(body: ReadableStream<Uint8Array>): AsyncGenerator<EventSourceMessage[]> {
  let batch: EventSourceMessage[] = [];
  const parser = createParser({
    onEvent: (event) => batch.push(event),
    // llama.cpp sends its errors in a field of their own: https://github.com/ggml-org/llama.cpp/issues/14566
    onError: ({ field, value }) => {
      if (field === "error" && value !== undefined) batch.push({ event: "error", data: value });
    },
  });
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
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
