/**
 * JSON-RPC frames as clients send them: one message, or a batch. A frame that is no valid message is answered under the
 * id that it has: a client that gets no answer waits until its own timeout.
 */
import { parseJSONRPCMessage } from "@modelcontextprotocol/server";
import { isRecord } from "../../values/record.ts";
import { MAX_BATCH } from "../limits.ts";
import { withoutNullFields } from "./nulls.ts";

type FrameId = string | number | null;

/** The answer to an invalid frame. `id`: null if it has none that can be sent back. */
export type FrameError = { jsonrpc: "2.0"; id: FrameId; error: { code: number; message: string } };

const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;

export function frameError(id: FrameId, message: string, code = INVALID_REQUEST): FrameError {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

/** The messages of a frame, without its nulls; or the answer to it, if one of them is invalid: then none is run. */
export type ReadFrame = { value: unknown; messages: unknown[] } | { errors: FrameError[] };

export function readFrame(text: string): ReadFrame {
  let value: unknown;
  try {
    value = withoutNullFields(JSON.parse(text));
  } catch (error) {
    const id = createIdFinder().push(Buffer.from(text)).found();
    return {
      errors: [frameError(id, `Expected JSON: ${error instanceof Error ? error.message : error}`, PARSE_ERROR)],
    };
  }
  const messages = Array.isArray(value) ? value : [value];
  if (messages.length === 0) return { errors: [frameError(null, "Expected a message; found an empty batch.")] };
  if (messages.length > MAX_BATCH)
    return {
      errors: errorsFor(messages, `Expected at most ${MAX_BATCH} messages in a batch; found ${messages.length}.`),
    };
  const invalid = messages.filter((message) => !isMessage(message));
  if (invalid.length === 0) return { value, messages };
  const others = messages.filter((message) => !invalid.includes(message) && isRequest(message));
  return {
    errors: [...errorsFor(invalid, INVALID), ...errorsFor(others, "Not run: another message of its batch is invalid.")],
  };
}

const INVALID =
  'Expected a JSON-RPC message: {"jsonrpc": "2.0", "id": text or whole number, "method": text, "params": object}.';

function errorsFor(messages: readonly unknown[], why: string): FrameError[] {
  return messages.filter((message) => !isResponse(message)).map((message) => frameError(idOf(message), why));
}

function isMessage(value: unknown): boolean {
  try {
    parseJSONRPCMessage(value);
    return true;
  } catch {
    return false;
  }
}

function isRequest(message: unknown): boolean {
  return isRecord(message) && "method" in message && "id" in message;
}

/** Its id is one of the server's own requests: an answer under it would mean another request of the client. */
function isResponse(message: unknown): boolean {
  return isRecord(message) && !("method" in message) && ("result" in message || "error" in message);
}

export function idOf(message: unknown): FrameId {
  const id = isRecord(message) ? message.id : undefined;
  return typeof id === "string" || typeof id === "number" ? id : null;
}

/** Maximum length of what is kept of a frame's outermost level, and of each text in it. */
const OUTLINE_BYTES = 16 * 1024;
const TEXT_BYTES = 512;
const [QUOTE, BACKSLASH, OPENERS, CLOSERS] = [0x22, 0x5c, [0x5b, 0x7b], [0x5d, 0x7d]];

export type IdFinder = { push(piece: Buffer): IdFinder; found(): FrameId };

/** Finds the id of a frame that is too large, or broken, to be parsed: it reads the outermost object's own fields. */
export function createIdFinder(): IdFinder {
  const outline: number[] = [];
  let depth = 0;
  let textBytes = -1;
  let isEscaped = false;

  function take(byte: number): void {
    if (textBytes < 0 && CLOSERS.includes(byte)) depth -= 1;
    if (depth <= 1 && textBytes < TEXT_BYTES && outline.length < OUTLINE_BYTES) outline.push(byte);
    if (textBytes < 0) {
      if (OPENERS.includes(byte)) depth += 1;
      else if (byte === QUOTE) textBytes = 0;
      return;
    }
    textBytes += 1;
    const isEnd = byte === QUOTE && !isEscaped;
    isEscaped = byte === BACKSLASH && !isEscaped;
    if (!isEnd) return;
    if (depth <= 1 && textBytes > TEXT_BYTES) outline.push(QUOTE);
    textBytes = -1;
  }

  const finder: IdFinder = {
    push(piece) {
      for (const byte of piece) take(byte);
      return finder;
    },
    found() {
      const own = /(?:^|[{,])\s*"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?)/.exec(Buffer.from(outline).toString());
      try {
        return idOf({ id: JSON.parse(own?.[1] ?? "null") });
      } catch {
        return null;
      }
    },
  };
  return finder;
}
