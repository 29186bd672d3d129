/** The server-sent events of an answer, as they arrive: https://html.spec.whatwg.org/multipage/server-sent-events.html. */
import { createParser, type EventSourceMessage, type EventSourceParser } from "eventsource-parser";
import { parsedJson } from "./failure/error-body.ts";
import { AnswerTooLarge } from "./transport.ts";

/** A longer event is not waited for. */
const MAX_EVENT_CHARACTERS = 16 * 1024 * 1024;

/** A parser of events, with what llama.cpp sends in a field of its own as one: ggml-org/llama.cpp#14566. */
export function createEventParser(onEvent: (event: EventSourceMessage) => void): EventSourceParser {
  return createParser({
    onEvent,
    maxBufferSize: MAX_EVENT_CHARACTERS,
    onError({ type, field, value }) {
      if (type === "max-buffer-size-exceeded") throw new AnswerTooLarge(MAX_EVENT_CHARACTERS);
      if (field === "error" && value !== undefined) onEvent({ id: undefined, event: "error", data: value });
    },
  });
}

/** Called whenever bytes arrive. @param isContent false for mere signs of life: comments, pings, blank events */
export type OnActivity = (isContent: boolean) => void;

/** Observes a stream beyond its events. */
export type StreamWatch = {
  /** Receives the bytes, before their events. */
  keep(bytes: Uint8Array): void;
  onActivity: OnActivity;
  /** Receives the error of a connection that broke, which is the end of the events: they may be complete. */
  broke(error: unknown): void;
};

const UNWATCHED: StreamWatch = {
  keep() {},
  onActivity() {},
  broke(error) {
    throw error;
  },
};

/**
 * Yields the events that arrived together, in order, until the stream says that it is over: the answer is then complete,
 * whatever else the server sends and however long it keeps the connection. A reader that stops early cancels the stream.
 */
export async function* eventBatches(
  body: ReadableStream<Uint8Array>,
  { keep, onActivity, broke }: StreamWatch = UNWATCHED,
): AsyncGenerator<EventSourceMessage[]> {
  let batch: EventSourceMessage[] = [];
  const parser = createEventParser((event) => batch.push(event));
  const isContent = createContentCheck();
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let broken = false;
  const breakOff = (error: unknown) => {
    broke(error);
    broken = true;
    return { done: true, value: undefined } as const;
  };
  onActivity(false);
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(breakOff);
      if (!done) keep(value);
      // Some streams end within their last event.
      const text = done ? `${decoder.decode()}\n\n` : decoder.decode(value, { stream: true });
      parser.feed(text);
      const last = batch.findIndex(({ data }) => isOver(data));
      const wanted = last < 0 ? batch : batch.slice(0, last + 1);
      const arrived = broken ? wanted.filter(({ data }) => isWhole(data)) : wanted;
      batch = [];
      if (!done) onActivity(isContent(text, arrived));
      yield arrived;
      if (done || last >= 0) return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function isWhole(data: string): boolean {
  return isOver(data) || typeof parsedJson(data) === "object";
}

function isOver(data: string): boolean {
  return data.trim() === "[DONE]";
}

/** Anthropic's and OpenAI's signs of life that are events: `{"type": "ping"}`, `{"type":"keepalive","sequence_number":3}`. */
const SIGN_OF_LIFE = /^\s*$|^\s*\{\s*"type"\s*:\s*"(?:ping|keepalive)"/;
/** The beginning of a line whose data has begun. As much of a line is kept, in characters. */
const DATA_BEGUN = /^data:\s*\S/;
const MAX_LINE_START = 32;

/** Whether a piece of a stream carries content: an event that is not the one before it again, or a part of one. */
function createContentCheck(): (text: string, events: readonly EventSourceMessage[]) => boolean {
  let lineStart = "";
  let last = "";
  return (text, events) => {
    const isNew = events.some(({ event, data }) => {
      const isContent = data !== last && event !== "ping" && !SIGN_OF_LIFE.test(data);
      last = data;
      return isContent;
    });
    const newLineAt = Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1;
    const ofLine = text.slice(newLineAt);
    lineStart = `${newLineAt > 0 ? "" : lineStart}${ofLine.slice(0, MAX_LINE_START)}`.slice(0, MAX_LINE_START);
    return isNew || (ofLine.trim() !== "" && DATA_BEGUN.test(lineStart));
  };
}
