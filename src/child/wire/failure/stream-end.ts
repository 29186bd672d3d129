/**
 * The end of a streamed answer, kept as it arrived. The provider packages pass over what they do not know; where an
 * answer ended without an end, its last bytes may say why: an `error:` line, an object of another shape, a document.
 */
import { createEventParser } from "../event-stream.ts";
import { withBody } from "../response-body.ts";
import type { Fetch } from "../transport.ts";
import { NotAStream, pageTitle, parsedJson, saysError } from "./error-body.ts";

/** As much of a stream as is kept, in bytes. */
const MAX_KEPT = 64 * 1024;

export type StreamEnd = {
  /** A `fetch` that keeps the end of the next response's body. */
  fetch: Fetch;
  /** The error that the end of the body holds, if it holds one. */
  error(): unknown;
};

export function keepStreamEnd(fetch: Fetch): StreamEnd {
  let kept: Uint8Array[] = [];
  let length = 0;

  function keep(piece: Uint8Array): void {
    kept.push(piece);
    length += piece.length;
    while (kept.length > 1 && length - (kept[0]?.length ?? 0) >= MAX_KEPT) length -= kept.shift()?.length ?? 0;
  }

  return {
    fetch: async (input, init) => {
      kept = [];
      length = 0;
      const response = await fetch(input, init);
      return response.ok && response.body !== null ? withBody(response, tapped(response.body, keep)) : response;
    },
    error: () => errorAtEnd(Buffer.concat(kept).toString()),
  };
}

function tapped(body: ReadableStream<Uint8Array>, keep: (piece: Uint8Array) => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        keep(value);
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** @param text the end of a body, which may begin within a line */
function errorAtEnd(text: string): unknown {
  if (pageTitle(text) !== undefined) return new NotAStream("text", text);
  const document = parsedJson(text);
  if (saysError(document)) return document;
  let found: unknown;
  const parser = createEventParser(({ event, data }) => {
    found = errorInEvent(event, data) ?? found;
  });
  parser.feed(`${text}\n\n`);
  return found ?? wordsBeside(text);
}

/** As much of a text that is no stream as is read, in characters. */
const MAX_WORDS = 1_000;
/** A line of a stream, or one that is empty. */
const STREAM_LINE = /^(?:data|event|id|retry|error)?:|^\s*$/;

/**
 * The words of a proxy in place of a stream, or at its end: `upstream connect error or disconnect/reset before headers`,
 * with the status of a success (envoyproxy/envoy#14981).
 */
function wordsBeside(text: string): string | undefined {
  const lines = text.split(/\r\n|\n|\r/);
  // The first line of a long text may be the end of one.
  const whole = text.length < MAX_KEPT ? lines : lines.slice(1);
  const words = whole.filter((line) => !STREAM_LINE.test(line)).join("\n");
  return words === "" || /^\s*[[{]/.test(words) ? undefined : words.slice(0, MAX_WORDS);
}

/** The error that an event is, by its name or by its data. */
function errorInEvent(event: string | undefined, data: string): unknown {
  if (event !== "error" && !data.includes("{")) return undefined;
  const value = parsedJson(data);
  return event === "error" || saysError(value) ? value : undefined;
}
