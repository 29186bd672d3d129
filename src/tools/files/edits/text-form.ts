/** The form of a text file: encoding, byte order mark and line ends. A change keeps it. */
import { isUtf8 } from "node:buffer";

export type Encoding = "UTF-8" | "UTF-16LE" | "UTF-16BE";
export type LineEnd = "\n" | "\r\n" | "\r";

/** `text` is without the byte order mark. */
export type Decoded = { text: string; encoding: Encoding; hasMark: boolean };

const MARK = "\ufeff";
const MOSTLY = 4;

/** Decodes a whole file. Undefined: it is not text in an encoding that can be kept; `nameOfOther` names it. */
export function decode(bytes: Buffer): Decoded | undefined {
  const encoding = encodingOf(bytes);
  if (encoding === "UTF-8" ? !isUtf8(bytes) || bytes.includes(0) : bytes.length % 2 !== 0) return undefined;
  const text = decoded(bytes, encoding);
  if (text === undefined) return undefined;
  const hasMark = text.startsWith(MARK);
  return { text: hasMark ? text.slice(1) : text, encoding, hasMark };
}

export function encode(text: string, { encoding, hasMark }: Pick<Decoded, "encoding" | "hasMark">): Buffer {
  const whole = hasMark && !text.startsWith(MARK) ? MARK + text : text;
  if (encoding === "UTF-8") return Buffer.from(whole);
  const bytes = Buffer.from(whole, "utf16le");
  return encoding === "UTF-16LE" ? bytes : bytes.swap16();
}

/** The encoding that the start of a file suggests: its byte order mark or, without one, where its zero bytes are. */
export function encodingOf(head: Buffer): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return "UTF-16LE";
  if (head[0] === 0xfe && head[1] === 0xff) return "UTF-16BE";
  const zeros = [0, 0];
  for (let at = head.indexOf(0); at >= 0; at = head.indexOf(0, at + 1)) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  // The other half of a character is seldom zero too.
  if (Math.max(even, odd) <= MOSTLY * Math.min(even, odd)) return "UTF-8";
  const encoding = odd > even ? "UTF-16LE" : "UTF-16BE";
  return isPlain(decoded(head.subarray(0, head.length & ~1), encoding)) ? encoding : "UTF-8";
}

function decoded(bytes: Buffer, encoding: Encoding): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Numbers in a binary file also have zero bytes on one side, but give control characters. */
function isPlain(text: string | undefined): boolean {
  return text !== undefined && !/(?![\t\n\v\f\r])\p{Cc}/u.test(text);
}

/** A guess at the encoding of bytes that are not UTF-8, by the characters that no other one would give. */
export function legacyEncodingOf(bytes: Buffer): { name: string; label: string } {
  for (const label of ["shift_jis", "euc-jp"]) {
    const text = new TextDecoder(label).decode(bytes);
    const strange = text.match(/\ufffd/g)?.length ?? 0;
    const kana = text.match(/[\u3041-\u30fe]/g)?.length ?? 0;
    if (kana > 0 && kana > strange * 4) return { name: label === "euc-jp" ? "EUC-JP" : "Shift_JIS", label };
  }
  return { name: "Windows-1252 or Latin-1", label: "windows-1252" };
}

/** The line end of a text whose line ends are all alike; undefined if they are not, or if it has none. */
export function lineEndOf(text: string): LineEnd | undefined {
  const feeds = text.split("\n").length - 1;
  if (feeds === 0 && text.includes("\r")) return "\r";
  const pairs = text.split("\r\n").length - 1;
  if (feeds === 0 || (pairs > 0 && pairs < feeds)) return undefined;
  return pairs > 0 ? "\r\n" : "\n";
}
