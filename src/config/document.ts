/**
 * One YAML (or JSON) file of the configuration: its value, the position of each key, and its errors. An error never
 * quotes a value that could be a key.
 */
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type YAMLError } from "yaml";
import type { z } from "zod";
import { configSchema, keysAllowedAt } from "../config-schema.ts";
import { errorMessage } from "../errors.ts";
import { looksLikeSecret, mayBeKey, withoutKeyLikes } from "../secret.ts";
import { suggest } from "../text/did-you-mean.ts";
import { type KeyPath, pathText, valueAt } from "../values/key-path.ts";
import { quantityIn } from "../values/quantity.ts";
import { isRecord } from "../values/record.ts";
import { resolveMergeKeys } from "./merge-keys.ts";
import { yamlError } from "./syntax.ts";

export type ConfigDocument = {
  file: string;
  /** The value as written, without empty keys. */
  value: Record<string, unknown>;
  /** Line of a key, counted from 1; undefined if the file does not contain it. */
  lineOf(path: KeyPath): number | undefined;
  /** `file:line:col key: message` */
  error(path: KeyPath, message: string): string;
};

/** Parses a file's text to a document, or to all of its errors. */
export function readDocument(file: string, text: string): { document: ConfigDocument } | { errors: string[] } {
  const read = readYaml(file, text);
  if ("errors" in read) return read;
  const { parsed, lines, value } = read;
  const offsetOf = (path: KeyPath) => keyOffset(parsed.contents, path);
  const document: ConfigDocument = {
    file,
    value,
    lineOf: (path) => {
      const offset = offsetOf(path);
      return offset === undefined ? undefined : lines.linePos(offset).line;
    },
    error: (path, message) => {
      const { line, col } = lines.linePos(offsetOf(path) ?? offsetOf(path.slice(0, -1)) ?? 0);
      return `${file}:${line}:${col} ${pathText(path.map(quoted))}: ${message}`;
    },
  };
  const misplaced = keyLikes(value).slice(0, MOST_MISTAKES);
  const errors =
    misplaced.length > 0
      ? misplaced.map((path) => document.error(path, path[0] === "mcp_servers" ? MISPLACED_IN_SERVER : MISPLACED))
      : errorsIn(document);
  return errors.length > 0 ? { errors } : { document };
}

/** Maximum errors shown per file. Locating each one takes a search through the file. */
const MOST_MISTAKES = 20;

type ParsedYaml = { parsed: ReturnType<typeof parseDocument>; lines: LineCounter; value: Record<string, unknown> };

/**
 * The keys and values of any YAML file; without empty ones, and with `${NAME}` as written.
 * @param dialect YAML 1.1 also has merge keys
 */
export function readYaml(file: string, text: string, dialect?: "1.1"): ParsedYaml | { errors: string[] } {
  const lines = new LineCounter();
  const parsed = withoutStacks(() =>
    parseDocument(escapeVariables(text), { lineCounter: lines, prettyErrors: false, logLevel: "silent" }),
  );
  if (parsed.errors.length > 0) return { errors: syntaxErrors(file, parsed.errors, lines) };
  if (dialect === "1.1") resolveMergeKeys(parsed);
  const value = contentOf(parsed);
  if (value instanceof Error) return { errors: [`${file}:1:1 ${value.message}`] };
  if (!isRecord(value)) return { errors: [`${file}:1:1 expected keys and values; found ${kindOf(value)}`] };
  return { parsed, lines, value };
}

/** A value as it is written in a config: YAML or JSON with `${NAME}` as it is; a text that is neither is itself. */
export function readValue(text: string): unknown {
  const parsed = withoutStacks(() => parseDocument(escapeVariables(text), { prettyErrors: false, logLevel: "silent" }));
  return parsed.errors.length > 0 ? text : (written(parsed.toJS()) ?? null);
}

/** The first error of each line: the parser often reports a mistake several times. */
function syntaxErrors(file: string, errors: YAMLError[], lines: LineCounter): string[] {
  const byLine = new Map<number, string>();
  for (const error of errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    if (byLine.size === MOST_MISTAKES) break;
    if (!byLine.has(line)) byLine.set(line, `${file}:${line}:${col} ${unescapeVariables(yamlError(error, errors))}`);
  }
  return [...byLine.values()];
}

/**
 * Disables stacks: the parser creates an error per issue, and thousands of unused stacks cost far more than the
 * parsing.
 */
function withoutStacks<Value>(parse: () => Value): Value {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return parse();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The file's value as written; an empty file is an empty map. */
function contentOf(parsed: ReturnType<typeof parseDocument>): unknown {
  try {
    return written(parsed.toJS()) ?? {};
  } catch (error) {
    if (error instanceof RangeError)
      return new Error("expected maps and lists that end; found one that contains itself");
    // An alias (`*name`) without its anchor, or an alias bomb.
    return new Error(withoutKeyLikes(errorMessage(error)));
  }
}

// `${NAME}` in YAML --------------------------------------------------------------------------------------------------

/**
 * In `{ api_key: ${NAME} }`, YAML reads the braces as a map. They are replaced by two characters without meaning in
 * YAML, so that lines and columns stay the same, and restored in every value.
 */
export function escapeVariables(text: string): string {
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, "$\uE000$1\uE001");
}

export function unescapeVariables(text: string): string {
  return text.replaceAll("\uE000", "{").replaceAll("\uE001", "}");
}

/** The value as written, without empty keys; undefined if nothing is left. */
function written(value: unknown): unknown {
  if (typeof value === "string") return unescapeVariables(value);
  if (Array.isArray(value)) return value.map(written);
  if (!isRecord(value)) return value ?? undefined;
  const entries = Object.entries(value)
    .map(([key, inner]) => [unescapeVariables(key), quantityOf(key, written(inner))] as const)
    .filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries);
}

/** A duration or an amount of money with its unit, as the number that the key holds. */
function quantityOf(key: string, value: unknown): unknown {
  return (typeof value === "string" ? quantityIn(key, value) : undefined) ?? value;
}

// Positions in the file ----------------------------------------------------------------------------------------------

/** Offset of the key (or list entry) at `path`. */
function keyOffset(contents: unknown, path: KeyPath): number | undefined {
  let node = contents;
  let offset: number | undefined;
  for (const step of path) {
    if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = rangeStart(node);
    } else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return undefined;
      node = pair.value;
      offset = rangeStart(pair.key);
    } else return undefined;
  }
  return offset;
}

function rangeStart(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

// Errors -------------------------------------------------------------------------------------------------------------

function errorsIn(document: ConfigDocument): string[] {
  const parsed = configSchema.safeParse(document.value);
  if (parsed.success) return [];
  const issues = parsed.error.issues.slice(0, MOST_MISTAKES);
  return issues.flatMap((issue) => describe(document, issue, [])).sort(byPosition);
}

/** Sorts `file:line:col …` by line, then by column. */
function byPosition(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

type Issue = z.core.$ZodIssue;

function describe(document: ConfigDocument, issue: Issue, parent: KeyPath): string[] {
  const path = [...parent, ...issue.path.map((key) => (typeof key === "number" ? key : String(key)))];
  const found = valueAt(document.value, path);
  if (issue.code === "unrecognized_keys")
    return issue.keys
      .slice(0, MOST_MISTAKES)
      .map((key) => document.error([...path, key], unknownKey(key, keysAllowedAt(path) ?? [])));
  if (issue.code === "invalid_union") {
    const meant =
      isRecord(found) || Array.isArray(found)
        ? issue.errors.find((issues) => issues.every(({ path }) => path.length > 0 || isUnknownKey(issues)))
        : undefined;
    if (meant !== undefined) return meant.slice(0, MOST_MISTAKES).flatMap((inner) => describe(document, inner, path));
    const listed = issue.errors.flat().find(({ code, path }) => code === "invalid_value" && path.length === 0);
    if (listed !== undefined) return [document.error(path, expectation(listed, found, path))];
    return [document.error(path, `expected a model (text) or a map with \`model\`; found ${shown(found, path)}`)];
  }
  if (issue.code === "invalid_key")
    return [document.error(path, `expected ${issue.issues[0]?.message}; found ${quoted(String(path.at(-1)))}`)];
  return [document.error(path, expectation(issue, found, path))];
}

function isUnknownKey(issues: Issue[]): boolean {
  return issues.some(({ code }) => code === "unrecognized_keys");
}

function unknownKey(key: string, known: string[]): string {
  const [close] = suggest(key, known, 1);
  const hint = close === undefined ? `Known here: ${known.join(", ")}.` : `Did you mean \`${close}\`?`;
  return `expected a known key; found \`${quoted(key)}\`. ${hint}`;
}

function expectation(issue: Issue, found: unknown, path: KeyPath): string {
  if (issue.code === "invalid_value") {
    const valid = issue.values.map(String);
    const [close] = suggest(String(found), valid, 1);
    const hint = close === undefined ? "" : `. Did you mean ${close}?`;
    return `expected one of ${valid.join(", ")}; found ${shown(found, path)}${hint}`;
  }
  return `expected ${expected(issue)}; found ${shown(found, path)}`;
}

const TYPE_NAMES: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

function expected(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return TYPE_NAMES[issue.expected] ?? issue.expected;
    case "too_small":
      if (issue.origin === "string") return "text that is not empty";
      if (issue.origin === "array") return `a list of at least ${issue.minimum}`;
      return `a number ${issue.inclusive ? "of at least" : "above"} ${issue.minimum}`;
    case "too_big":
      return `a number ${issue.inclusive ? "of at most" : "below"} ${issue.maximum}`;
    default:
      return issue.message;
  }
}

/** Names that stay readable in an error, unless they may be a key. */
function quoted<Name extends string | number>(name: Name): Name | string {
  return mayBeKey(String(name)) ? "[hidden]" : name;
}

export const MISPLACED =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: `${NAME}` is how the document names a variable.
  "expected no key here; found what may be one. Write it as `api_key: ${NAME}` of its provider, and set the variable NAME";
const MISPLACED_IN_SERVER =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: `${NAME}` is how the document names a variable.
  "expected no key here; found what may be one. Write it as `${NAME}` in the server's env or headers, and set the variable NAME";
/** Fields for keys, and fields for text of any kind. */
const FREE = ["api_key", "api_keys", "api_key_command", "headers", "base_url", "prompt", "description", "match"];

/** Maps whose values may be keys. */
const HELD_BY_NAME = ["headers", "env"];

/** Paths of the names, and of the values that should be names or numbers, that may be a key. */
export function keyLikes(value: unknown, path: KeyPath = []): KeyPath[] {
  if (typeof value === "string") return !FREE.includes(String(path.findLast(isName))) && mayBeKey(value) ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((inner, index) => keyLikes(inner, [...path, index]));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const place = [...path, name];
    if (mayBeKey(name)) return [place];
    return HELD_BY_NAME.includes(String(path.at(-1))) ? [] : keyLikes(inner, place);
  });
}

function isName(step: string | number): boolean {
  return typeof step === "string";
}

const HIDDEN = ["api_key", "api_keys", "api_key_env", "api_key_command", "headers"];

/** The part before the last `@` of a URL may contain a password, and its query and path a key. */
function withoutSecrets(text: string): string {
  const [slashes, at] = [text.indexOf("//"), text.lastIndexOf("@")];
  const shown = slashes >= 0 && at > slashes ? `${text.slice(0, slashes)}//[secret]${text.slice(at)}` : text;
  return shown
    .replaceAll(/([?&][\w.-]+=)[^&#"\s]+/g, "$1[secret]")
    .split("/")
    .map((part) => (mayBeKey(part) ? "[secret]" : part))
    .join("/");
}

/** A name that makes a secret of any word of eight characters that is as varied as one. */
const RANDOM = "private";

/** A value for an error message; a possible key is hidden. */
function shown(value: unknown, path: KeyPath = []): string {
  if (value === undefined) return "nothing";
  const kind = kindOf(value);
  if (path.some((key) => HIDDEN.includes(String(key))) || kind === "a list" || kind === "a map") return kind;
  if (typeof value === "string" && looksLikeSecret(RANDOM, withoutSecrets(value)))
    return "a text that is not shown, because it may be a key";
  const text = withoutKeyLikes(withoutSecrets(JSON.stringify(value)));
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? "a list" : isRecord(value) ? "a map" : `a ${typeof value}`;
}
