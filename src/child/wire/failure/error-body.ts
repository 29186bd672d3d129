/**
 * What arrives in place of an answer: an error in one of the many shapes that vendors and gateways use, or a web page.
 * Shapes only; what an error means is for `failure.ts`.
 */
import { fieldsOf, isRecord } from "../../../values/record.ts";

/** Fields that only answers and their pieces have, by API mode. */
const ANSWER_FIELDS = ["choices", "candidates", "content", "delta", "output", "response"];
/** Fields whose presence makes a `message` that of an error. */
const CODE_FIELDS = ["code", "status", "statusCode", "status_code", "error_code", "http_code"];
/** Fields that hold an error's words, or an object or list that does, in the order of preference. */
const WORD_FIELDS = ["message", "msg", "error_msg", "status_msg", "base_resp", "detail", "errors", "Error", "Message"];
/** Fields in which a provider repeats what it was sent: a prompt's words say nothing about the failure. */
const ECHO_FIELDS = new Set(["input", "inputs", "messages", "prompt", "contents", "request", "failed_generation"]);

/** Thrown when something else comes instead of a stream; read by `failure.ts`. */
export class NotAStream extends Error {
  constructor(contentType: string, text = "") {
    const title = pageTitle(text);
    const found = title === undefined ? contentType : `${contentType}, a web page${title && ` titled "${title}"`}`;
    super(`expected a stream of events; found ${found}. Check base_url, and that the model streams`);
    this.name = "NotAStream";
  }
}

/** Whether a JSON value is an error, rather than an answer or a piece of one. */
export function saysError(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(saysError);
  if (!isRecord(value)) return false;
  if (value.error || value.object === "error" || value.type === "error") return true;
  // MiniMax: 0 is success.
  if (Number(fieldsOf(value.base_resp).status_code) > 0) return true;
  if (isRecord(value.Response) && isRecord(value.Response.Error)) return true;
  if (ANSWER_FIELDS.some((name) => name in value && !isEmpty(value[name]))) return false;
  if (isFilled(value.error_msg) || isFilled(value.detail) || isFilled(value.errors)) return true;
  return (isFilled(value.message) || isFilled(value.msg)) && CODE_FIELDS.some((name) => isCode(value[name]));
}

/** 0 is success. */
function isCode(value: unknown): boolean {
  return (typeof value === "string" && value !== "") || (typeof value === "number" && value !== 0);
}

function isFilled(value: unknown): boolean {
  return (typeof value === "string" || Array.isArray(value)) && value.length > 0;
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

/** An error's own words, for people. */
export function wordsOf(value: unknown): string | undefined {
  if (typeof value === "string") return value.trim() || undefined;
  if (Array.isArray(value)) return firstDefined(value, wordsOf);
  if (!isRecord(value)) return undefined;
  const { error, metadata } = value;
  const own = firstDefined(WORD_FIELDS, (name) => wordsOf(value[name]));
  // OpenRouter says that its provider failed; what the provider said is in the metadata.
  const raw = wordsOf(parsedJson(fieldsOf(metadata).raw));
  const said = [typeof error === "object" ? undefined : wordsOf(error), own, raw].filter((part) => part !== undefined);
  return [...new Set(said)].join(": ") || wordsOf(error) || wordsOf(value.Response);
}

/** The HTTP status that an error names in its body. */
export function statusIn(value: unknown): number | undefined {
  if (Array.isArray(value)) return firstDefined(value, statusIn);
  if (!isRecord(value)) return undefined;
  return statusIn(value.error) ?? firstDefined(CODE_FIELDS, (name) => httpStatus(value[name]));
}

function httpStatus(value: unknown): number | undefined {
  const status = typeof value === "string" ? Number(value) : value;
  return typeof status === "number" && Number.isInteger(status) && status >= 300 && status < 600 ? status : undefined;
}

/** An error as text to match wording against: one line of JSON without what it repeats of the request. */
export function matchable(value: unknown): string {
  try {
    const text = JSON.stringify(value, (name, inner) => (ECHO_FIELDS.has(name) ? undefined : inner)) ?? "";
    // JSON within a field of JSON is read like the rest.
    return text.replaceAll('\\"', '"');
  } catch {
    return "";
  }
}

/** The value of a JSON text; a text that is no JSON, and everything else, stays what it is. */
export function parsedJson(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Maximum length of a page that is searched for its title, in characters. */
const MAX_HEAD = 64 * 1024;

/** A web page's title, empty if it has none; undefined for a text that is no web page. */
export function pageTitle(text: string): string | undefined {
  const head = text.slice(0, MAX_HEAD).trimStart();
  if (!/^(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,500}?-->\s*)?<(?:!doctype html|html|head|body|title)\b/is.test(head))
    return undefined;
  const title = /<title[^>]{0,200}>([^<]{0,300})/i.exec(head) ?? /<h1[^>]{0,200}>([^<]{0,300})/i.exec(head);
  return title?.[1]?.replace(/\s+/g, " ").trim() ?? "";
}

function firstDefined<Item, Found>(items: readonly Item[], find: (item: Item) => Found | undefined): Found | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
