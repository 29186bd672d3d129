/**
 * Amazon's binary framing of a stream (`application/vnd.amazon.eventstream`): lengths, headers, a JSON payload, and
 * checksums of both. Source: https://smithy.io/2.0/aws/amazon-eventstream.html
 */
import { crc32 } from "node:zlib";

const STRING_TYPE = 7;
/** Lengths of the whole and of the headers with their checksum, and the checksum of the message. */
const FRAME_BYTES = 16;

/** One message. */
export function awsFrame(headers: Readonly<Record<string, string>>, payload: unknown): Buffer {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => headerBytes(name, value)));
  const body = Buffer.from(JSON.stringify(payload));
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(FRAME_BYTES + head.length + body.length, 0);
  prelude.writeUInt32BE(head.length, 4);
  const unchecked = Buffer.concat([prelude, checksumOf(prelude), head, body]);
  return Buffer.concat([unchecked, checksumOf(unchecked)]);
}

function headerBytes(name: string, value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(value));
  return Buffer.concat([
    Buffer.from([name.length]),
    Buffer.from(name),
    Buffer.from([STRING_TYPE]),
    length,
    Buffer.from(value),
  ]);
}

function checksumOf(bytes: Buffer): Buffer {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(bytes));
  return checksum;
}

/** An event of an answer. */
export function awsEvent(type: string, payload: unknown): Buffer {
  return awsFrame({ ":event-type": type, ":content-type": "application/json", ":message-type": "event" }, payload);
}

/** The failure of an answer that has begun. */
export function awsException(type: string, message: string): Buffer {
  return awsFrame({ ":exception-type": type, ":message-type": "exception" }, { message });
}
