/**
 * JSON whose numbers stay exact. JavaScript rounds an id of 19 digits, makes 1e400 infinite and writes -0 as 0; such a
 * number keeps its digits here, and `JSON.stringify` writes them as they were.
 */
import { inspect } from "node:util";

/** Of the ES2026 proposal "JSON.parse source text access", which Node 24 has and TypeScript's library does not. */
type JsonWithSource = {
  rawJSON(text: string): unknown;
  parse(text: string, revive: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
};
const json = JSON as unknown as JsonWithSource;

/** A number as it was written. It calculates as the nearest JavaScript number; `BigInt(String(it))` is exact. */
export class ExactNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  toString(): string {
    return this.source;
  }

  valueOf(): number {
    return Number(this.source);
  }

  toJSON(): unknown {
    return json.rawJSON(this.source);
  }

  [inspect.custom](): string {
    return this.source;
  }
}

/** Digits, an exponent or a sign of zero that a JavaScript number might not keep. Reviving every value is slow. */
const MAY_BE_ROUNDED = /[\d.]{16}|\d[eE][+-]?\d\d|-0/;

/** Parses JSON. A number that JavaScript cannot represent becomes an `ExactNumber`. @throws SyntaxError */
export function parseExactly(text: string): unknown {
  if (!MAY_BE_ROUNDED.test(text)) return JSON.parse(text);
  return json.parse(text, (_, value, { source = "" }) =>
    typeof value === "number" && isRounded(value, source) ? new ExactNumber(source) : value,
  );
}

function isRounded(value: number, source: string): boolean {
  return Object.is(value, -0) || !Number.isFinite(value) || decimal(String(value)) !== decimal(source);
}

/** The same text for every way to write one number: `12.50` and `1.25e1` are `125e-1`. */
function decimal(source: string): string {
  const [, sign, whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? [];
  const digits = whole + fraction;
  let start = 0;
  while (digits[start] === "0") start += 1;
  let end = digits.length;
  while (end > start && digits[end - 1] === "0") end -= 1;
  if (start === end) return "0";
  return `${sign}${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}
