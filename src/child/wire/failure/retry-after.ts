/** When a provider may be asked again, in any of its many forms: headers, fields of the body, or plain text. */

/** @param headers by lower-case name @param text what the body says, lower case @param status of HTTP, if it failed */
export type Notice = { headers: Record<string, string>; text: string; status?: number };

/**
 * Milliseconds from now; undefined if the response names no time.
 * @param now milliseconds since the epoch, to compare dates with
 */
export function retryAfterMs(notice: Notice, now: number): number | undefined {
  for (const read of READERS) {
    const ms = read(notice, now);
    if (ms !== undefined && Number.isFinite(ms)) return Math.max(0, Math.round(ms));
  }
  return undefined;
}

type Reader = (notice: Notice, now: number) => number | undefined;

/** Fields of this very error take precedence over fields that every response has. */
const READERS: Reader[] = [
  ({ headers }) => numberIn(headers["retry-after-ms"] ?? headers["x-ms-retry-after-ms"]),
  ({ headers }, now) => momentIn(headers["retry-after"] ?? headers["x-retry-after"], now),
  // Google's RetryInfo; its clients write a duration in parts.
  ({ text }) => durationIn(/"retry_?delay":\s*"([^"]+)"/.exec(text)?.[1]),
  ({ text }, now) => momentIn(/"retry_?delay":\s*\{\s*"seconds":\s*"?(\d+)/.exec(text)?.[1], now),
  ({ text }) => numberIn(/"retry[_-]?after[_-]?ms":\s*"?([\d.]+)/.exec(text)?.[1]),
  ({ text }, now) =>
    momentIn(
      /"(?:retry[_-]?after(?:[_-]?sec(?:onds)?)?|resets?_in(?:_seconds)?|reset_after)":\s*"?([^",}]+)/.exec(text)?.[1],
      now,
    ),
  ({ text }, now) => momentIn(/"(?:resets?_at|reset_?time)":\s*"?([^",}]+)/.exec(text)?.[1], now),
  ({ text }) =>
    durationIn(
      /(?:try again|retry|resets?|available|wait|back)(?: again)? (?:(?:in|after|for|at least|about|another) ){0,2}(\d[^"(){}]*)/.exec(
        text,
      )?.[1],
    ),
  ({ text }) => durationIn(/(\d+(?:\.\d+)?) ?(?:秒|s)(?:钟)?(?:之?后|以后)/.exec(text)?.[1]?.concat("s")),
  // Anthropic writes the word "at" between a date and its time.
  ({ text }, now) =>
    momentIn(
      /(?:resets?|try again|available again|access) (?:at|on|after) (\d{4}-\d\d-\d\d(?:t| at | )[\d:.]+(?:z|[+-]\d\d:?\d\d| utc)?)/
        .exec(text)?.[1]
        ?.replace(" at ", " "),
      now,
    ),
  ({ headers }, now) => momentIn(headers["anthropic-ratelimit-unified-reset"], now),
  usedUp,
  loneReset,
  // OpenRouter repeats the headers of the provider behind it in its body.
  ({ text }, now) => momentIn(/"x-ratelimit-reset":\s*"?(\d+)/.exec(text)?.[1], now),
];

/** `x-ratelimit-remaining-tokens`, `anthropic-ratelimit-requests-remaining`, `ratelimit-remaining`. */
const REMAINING = /rate-?limit-(?:.{0,40}-)?remaining/;

/** Allowances that every answer tells of: those of which nothing remains, the one that is back last. */
function usedUp({ headers }: Notice, now: number): number | undefined {
  const waits = Object.entries(headers).flatMap(([name, remaining]) => {
    if (!REMAINING.test(name) || numberIn(remaining) !== 0) return [];
    return momentIn(headers[name.replace("remaining", "reset")], now) ?? [];
  });
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/** `x-ratelimit-reset`, `x-ratelimit-reset-tokens`, `ratelimit-reset`, `x-ratelimit-reset-after`. */
const RESET = /^(?:x-)?rate-?limit-reset/;

/** The first time at which an allowance is back, where nothing is said of how much of each remains. */
function loneReset({ headers, status }: Notice, now: number): number | undefined {
  if (status !== 429 || Object.keys(headers).some((name) => REMAINING.test(name))) return undefined;
  const resets = Object.entries(headers).filter(([name]) => RESET.test(name));
  const waits = resets.map(([, said]) => momentIn(said, now)).filter((wait) => wait !== undefined);
  return waits.length === 0 ? undefined : Math.min(...waits);
}

/** Parses seconds, a time in seconds or milliseconds since the epoch, a date, or a duration (`6m0s`). */
function momentIn(said: string | undefined, now: number): number | undefined {
  if (said === undefined) return undefined;
  const text = said.trim();
  if (/^\d+(\.\d+)?$/.test(text)) {
    const value = Number(text);
    if (value > 1e12) return value - now;
    return value > 1e9 ? value * 1000 - now : value * 1000;
  }
  const duration = durationIn(text);
  if (duration !== undefined) return duration;
  const date = Date.parse(text.toUpperCase());
  return Number.isNaN(date) ? undefined : date - now;
}

const UNITS: [RegExp, number][] = [
  [/^(ms|milliseconds?)$/, 1],
  [/^(s|secs?|seconds?)$/, 1000],
  [/^(m|mins?|minutes?)$/, 60_000],
  [/^(h|hrs?|hours?)$/, 3_600_000],
  [/^(d|days?)$/, 86_400_000],
];

/** Parses `20s`, `350ms`, `7m12.5s`, `1 hour 5 minutes` at the beginning of a text. */
function durationIn(said: string | undefined): number | undefined {
  let rest = said?.trim() ?? "";
  let sum: number | undefined;
  for (;;) {
    const part = /^(\d+(?:\.\d+)?)\s*([a-z]+)(?:,?\s+and\s+|,?\s*)/.exec(rest);
    if (part === null) return sum;
    const [whole, count, name = ""] = part;
    const unitMs = UNITS.find(([unit]) => unit.test(name))?.[1];
    if (unitMs === undefined) return sum;
    sum = (sum ?? 0) + Number(count) * unitMs;
    rest = rest.slice(whole.length);
  }
}

function numberIn(said: string | undefined): number | undefined {
  const value = Number(said?.trim() || Number.NaN);
  return value >= 0 ? value : undefined;
}
