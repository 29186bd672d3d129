/**
 * Reads one JSON object or array that begins somewhere in a text, without recursion. Comments and commas before a
 * closing bracket are left out: nothing else can be meant by them.
 */

/** `continueAt`: there is no value; the next one can begin there. */
export type ContainerReading = { json: string; end: number } | { continueAt: number };

/** What may come next: a key or a value, after a comma or at the beginning, or a comma. The end is allowed in some. */
type State = "key" | "value" | "comma";

type Span = [from: number, to: number];

const BLANKS = /[ \t\r\n]*/y;
const COMMENT = /\/\/[^\n]*|\/\*/y;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;
const COLON = /[ \t\r\n]*:/y;

/** @param start position of the opening bracket */
export function readContainer(text: string, start: number): ContainerReading {
  /** Comments, and commas before a closing bracket. */
  const surplus: Span[] = [];
  const closers: string[] = [];
  let state: State = "value";
  /** Position of the comma before this one; -1 at the beginning of a container; undefined where it cannot end. */
  let endsAfter: number | undefined;
  let hasContent = false;
  let at = start;

  function fail(continueAt: number): ContainerReading {
    return { continueAt: hasContent ? endOfDamaged(text, start) : Math.max(continueAt, start + 1) };
  }

  for (;;) {
    const from = skipBlanks(text, at, surplus);
    if (from === undefined) return fail(text.length);
    at = from;
    const sign = text.charAt(at);
    const closes = sign !== "" && sign === closers.at(-1);
    if (closes && (state === "comma" || endsAfter !== undefined)) {
      if (state !== "comma" && endsAfter !== undefined && endsAfter >= 0) surplus.push([endsAfter, endsAfter + 1]);
      at += 1;
      closers.pop();
      if (closers.length === 0) return { json: without(surplus, text, start, at), end: at };
      state = "comma";
    } else if (state === "comma") {
      if (sign !== ",") return fail(at);
      state = closers.at(-1) === "}" ? "key" : "value";
      endsAfter = at;
      at += 1;
    } else if (state === "key") {
      const end = stringEnd(text, at);
      const colon = end === undefined ? undefined : endOf(COLON, text, end);
      if (colon === undefined) return fail(sign === '"' ? at + 1 : at);
      hasContent = true;
      state = "value";
      endsAfter = undefined;
      at = colon;
    } else if (sign === "{" || sign === "[") {
      closers.push(sign === "{" ? "}" : "]");
      state = sign === "{" ? "key" : "value";
      endsAfter = -1;
      at += 1;
    } else {
      const end = sign === '"' ? stringEnd(text, at) : endOf(SCALAR, text, at);
      if (end === undefined) return fail(at);
      hasContent = true;
      state = "comma";
      at = end;
    }
  }
}

/** A part of the text without these spans. */
function without(spans: readonly Span[], text: string, start: number, end: number): string {
  const pieces: string[] = [];
  let at = start;
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0])) {
    pieces.push(text.slice(at, from));
    at = to;
  }
  return pieces.join("") + text.slice(at, end);
}

/** Skips blanks and comments. Undefined if a comment has no end. */
function skipBlanks(text: string, at: number, comments: Span[]): number | undefined {
  let from = endOf(BLANKS, text, at) ?? at;
  for (;;) {
    const opened = endOf(COMMENT, text, from);
    if (opened === undefined) return from;
    const end = text[from + 1] === "*" ? text.indexOf("*/", opened) + 2 : opened;
    if (end < opened) return undefined;
    comments.push([from, end]);
    from = endOf(BLANKS, text, end) ?? end;
  }
}

/** Position after a JSON string; undefined if there is none. */
function stringEnd(text: string, at: number): number | undefined {
  if (text[at] !== '"') return undefined;
  for (let next: number | undefined = at + 1; next !== undefined; ) {
    const code = text.charCodeAt(next);
    if (text[next] === '"') return next + 1;
    // Control characters, and NaN at the end of the text.
    if (!(code >= 0x20)) return undefined;
    next = text[next] === "\\" ? endOf(ESCAPE, text, next) : next + 1;
  }
  return undefined;
}

/** The end of a value that cannot be read: its last bracket, or the next fence. */
function endOfDamaged(text: string, start: number): number {
  const mark = /[{}[\]"]|\n[ \t]*(?:```|~~~)/g;
  mark.lastIndex = start;
  let depth = 0;
  /** There is no closing quote before this position. */
  let unquotedTo = 0;
  for (let match = mark.exec(text); match !== null; match = mark.exec(text)) {
    const [sign] = match;
    if (sign.startsWith("\n")) return match.index + 1;
    if (sign === '"' && match.index >= unquotedTo) {
      const end = stringEnd(text, match.index);
      if (end !== undefined) mark.lastIndex = end;
      else unquotedTo = lineEnd(text, match.index);
    } else if (sign === "{" || sign === "[") depth += 1;
    else if (sign !== '"') depth -= 1;
    if (depth === 0) return mark.lastIndex;
  }
  return text.length;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

function endOf(expression: RegExp, text: string, at: number): number | undefined {
  expression.lastIndex = at;
  return expression.test(text) ? expression.lastIndex : undefined;
}
