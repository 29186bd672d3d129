/** Decodes the bytes of a page: by its byte order mark, its header, its own `meta` element, and then by what they are. */
import { isUtf8 } from "node:buffer";
import { TextDecoder } from "node:util";
import type { PageBody } from "./response.ts";

/** The part in which browsers look for a `meta` element, with room for long comments. */
const META_BYTES = 4_096;
const META_CHARSET = /<meta\s[^>]{0,500}?charset\s*=\s*["']?\s*([\w.:-]{1,40})/i;
const HEADER_CHARSET = /;\s*charset\s*=\s*["']?\s*([\w.:-]{1,40})/i;

/** @param type the media type with its parameters; empty if there is none */
export function decodePage({ bytes, isCut }: PageBody, type: string, isHtml: boolean): string {
  const label = markOf(bytes) ?? charsetIn(HEADER_CHARSET, type) ?? (isHtml ? metaCharset(bytes) : undefined);
  // A body may be cut within a character.
  const isUnicode = (isCut ? [0, 1, 2, 3] : [0]).some((cut) => isUtf8(bytes.subarray(0, bytes.length - cut)));
  const fallback = isUnicode ? "utf-8" : "windows-1252";
  // No NUL: some providers refuse it.
  return (decoderFor(label) ?? new TextDecoder(fallback)).decode(bytes).replaceAll("\0", "\ufffd");
}

export function markOf(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : undefined;
}

function charsetIn(place: RegExp, text: string): string | undefined {
  return place.exec(text)?.[1];
}

/** A page that can be read as ASCII so far is not in UTF-16, whatever it says. */
function metaCharset(bytes: Buffer): string | undefined {
  const label = charsetIn(META_CHARSET, bytes.toString("latin1", 0, META_BYTES));
  return label !== undefined && /^utf-?16/i.test(label) ? "utf-8" : label;
}

/** Undefined without a label, and for one that nobody knows. */
function decoderFor(label: string | undefined): TextDecoder | undefined {
  try {
    return label === undefined ? undefined : new TextDecoder(label);
  } catch {
    return undefined;
  }
}
