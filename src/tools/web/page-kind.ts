/** The kind of a page: HTML, which is converted, text, which is shown as it is, or bytes, which are not shown. */
import { markOf } from "./page-charset.ts";

export type PageKind = "html" | "text" | "binary";

const HTML = /^(text\/html|application\/xhtml\+xml)$/;
const TEXT =
  /^text\/|[+/](json|xml|yaml|x-yaml|toml|javascript|ecmascript|x-javascript|x-ndjson|jsonl|x-sh|sql|graphql|x-httpd-php|x-tex)$/;
/** Types that servers send for anything. */
const UNKNOWN = /^(|application\/octet-stream|binary\/octet-stream|application\/binary|application\/unknown|\*\/\*)$/;
const HTML_START = /^\s*(<!--[\s\S]{0,1000}?-->\s*)?<(!doctype html|html|head|body)[\s>]/i;
/** Bytes that decide: text contains no NUL. */
const SNIFFED_BYTES = 8_192;

/** The media type without parameters. */
export function mediaType(type: string): string {
  return (type.split(";")[0] ?? "").trim().toLowerCase();
}

/** Returns whether the body of a page with this type can be text. */
export function mayBeText(type: string): boolean {
  const media = mediaType(type);
  return UNKNOWN.test(media) || HTML.test(media) || TEXT.test(media);
}

export function kindOf(type: string, bytes: Buffer): PageKind {
  const media = mediaType(type);
  const start = bytes.subarray(0, SNIFFED_BYTES);
  if (start.includes(0) && !/^utf-16/.test(markOf(bytes) ?? "") && !/charset\s*=\s*["']?utf-?16/i.test(type))
    return "binary";
  if (HTML.test(media) || (!TEXT.test(media) && HTML_START.test(start.toString("latin1")))) return "html";
  return "text";
}
