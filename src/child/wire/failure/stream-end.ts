/**
 * Keeps the end of a streamed answer as it arrived. The provider packages ignore what they do not know. If an answer ends
 * without a finish, its last bytes may say why: an `error:` line, an object of another shape, a document.
 */
import { APICallError } from "@ai-sdk/provider";
import { createEventParser, type OnActivity, type StreamWatch } from "../event-stream.ts";
import { saysEnd } from "../reply/reply.ts";
import type { Receive } from "../reply/reply-builder.ts";
import { NotAStream, pageTitle, parsedJson, saysError } from "./error-body.ts";

/** Maximum length kept of a stream, in bytes. */
const MAX_KEPT = 64 * 1024;

export type StreamEnd = StreamWatch & {
  /** The error of the connection, if it broke. */
  brokenBy(): { error: unknown } | undefined;
  /** The error that the end of the body holds, if it holds one. */
  error(): unknown;
};

export function createStreamEnd(onActivity: OnActivity): StreamEnd {
  const kept: Uint8Array[] = [];
  let length = 0;
  let brokenBy: { error: unknown } | undefined;
  return {
    onActivity,
    broke(error) {
      brokenBy = { error };
    },
    brokenBy: () => brokenBy,
    keep(bytes) {
      kept.push(bytes);
      length += bytes.length;
      while (kept.length > 1 && length - (kept[0]?.length ?? 0) >= MAX_KEPT) length -= kept.shift()?.length ?? 0;
    },
    error: () => errorAtEnd(Buffer.concat(kept).toString()),
  };
}

/**
 * Reads an answer. A connection that breaks after the end of the answer is no error. If the answer has no end, or ends with
 * something that the reader rejects, its last bytes may hold an error in a form that the reader does not know.
 */
export async function withErrorAtEnd(
  end: StreamEnd,
  receive: Receive,
  read: (receive: Receive) => Promise<void>,
): Promise<void> {
  let isOver = false;
  const receiveError = (error: unknown) => receive({ type: "error", error });
  try {
    await read((part) => {
      const isUnread = !isOver && part.type === "error" && part.error instanceof Error;
      isOver ||= part.type === "error" || (part.type === "finish" && saysEnd(part.finishReason));
      if (isUnread) receiveError(end.error() ?? part.error);
      else receive(part);
    });
    const broken = isOver ? undefined : end.brokenBy();
    if (broken !== undefined) throw broken.error;
  } catch (thrown) {
    const error = APICallError.isInstance(thrown) ? undefined : end.error();
    if (error === undefined) throw thrown;
    return receiveError(error);
  }
  const error = isOver ? undefined : end.error();
  if (error !== undefined) receiveError(error);
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

/** Maximum length quoted of a text that is no stream, in characters. */
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
