/**
 * Amazon's binary framing of a stream (`application/vnd.amazon.eventstream`): each message has its length, headers, a
 * JSON payload and two checksums. A wrong checksum or an incomplete message is an error.
 * Source: https://smithy.io/2.0/aws/amazon-eventstream.html
 */
import { crc32 } from "node:zlib";
import { fieldsOf } from "../../../values/record.ts";
import type { OnActivity } from "../event-stream.ts";

/** `event`: a part of the answer. `exception`: the service gave up in the middle of it. */
export type AwsMessage = { kind: "event" | "exception"; type: string; payload: Record<string, unknown> };

/** Lengths of the whole and of the headers, and their checksum. */
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
/** Longer messages are rejected. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Thrown if the bytes are not such a stream; `failure.ts` recognizes its name. */
class InvalidFraming extends Error {
  override name = "InvalidResponseDataError";
}

/** @param onActivity every byte is of a message, and there are no messages without content */
export async function* awsMessages(
  body: AsyncIterable<Uint8Array>,
  onActivity: OnActivity,
): AsyncGenerator<AwsMessage> {
  let pending = Buffer.alloc(0);
  for await (const bytes of body) {
    onActivity(true);
    pending = pending.length === 0 ? Buffer.from(bytes) : Buffer.concat([pending, bytes]);
    for (let length = lengthOf(pending); length !== undefined && length <= pending.length; length = lengthOf(pending)) {
      yield messageIn(pending.subarray(0, length));
      pending = pending.subarray(length);
    }
  }
  if (pending.length > 0) throw new InvalidFraming("the stream ended in the middle of a message");
}

/** The length of the message at the beginning; undefined where too little of it has come. */
function lengthOf(bytes: Buffer): number | undefined {
  if (bytes.length < PRELUDE_BYTES) return undefined;
  const length = bytes.readUInt32BE(0);
  if (bytes.readUInt32BE(8) !== crc32(bytes.subarray(0, 8)) || length > MAX_MESSAGE_BYTES)
    throw new InvalidFraming("expected a stream of Amazon's binary events; found other bytes. Check base_url");
  return length;
}

function messageIn(bytes: Buffer): AwsMessage {
  const end = bytes.length - CHECKSUM_BYTES;
  const headersEnd = PRELUDE_BYTES + bytes.readUInt32BE(4);
  if (headersEnd > end || bytes.readUInt32BE(end) !== crc32(bytes.subarray(0, end)))
    throw new InvalidFraming("a message of the stream fails its checksum");
  const headers = headersIn(bytes.subarray(PRELUDE_BYTES, headersEnd));
  const payload = fieldsOf(JSON.parse(bytes.subarray(headersEnd, end).toString() || "{}"));
  const kind = headers.get(":message-type");
  if (kind === "event") return { kind, type: headers.get(":event-type") ?? "", payload };
  const type = headers.get(":exception-type") ?? headers.get(":error-code") ?? "";
  return { kind: "exception", type, payload: { message: headers.get(":error-message"), ...payload } };
}

/** Bytes of a header's value, by its type; 6 and 7 are preceded by their length. */
const VALUE_BYTES: Record<number, number> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 };
const STRING_TYPE = 7;

/** The headers that are text. */
function headersIn(bytes: Buffer): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    const name = bytes.toString("utf8", at + 1, nameEnd);
    const type = bytes.readUInt8(nameEnd);
    const fixed = VALUE_BYTES[type];
    const start = nameEnd + 1 + (fixed === undefined ? 2 : 0);
    at = start + (fixed ?? bytes.readUInt16BE(nameEnd + 1));
    if (type === STRING_TYPE) headers.set(name, bytes.toString("utf8", start, at));
  }
  return headers;
}
