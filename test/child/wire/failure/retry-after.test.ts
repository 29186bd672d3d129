import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Notice, retryAfterMs } from "../../../../src/child/wire/failure/retry-after.ts";

const NOW = Date.UTC(2026, 10, 21, 12, 0, 0);
const IN_A_MINUTE = new Date(NOW + 60_000);
const epochSeconds = (date: Date) => String(date.getTime() / 1000);

const SAID: [how: string, notice: Partial<Notice>, ms: number | undefined][] = [
  ["retry-after-ms", { headers: { "retry-after-ms": "350" } }, 350],
  ["Retry-After in seconds", { headers: { "retry-after": "20" } }, 20_000],
  ["Retry-After in parts of a second", { headers: { "retry-after": "0.5" } }, 500],
  ["Retry-After as a date", { headers: { "retry-after": IN_A_MINUTE.toUTCString() } }, 60_000],
  ["a date that is past", { headers: { "retry-after": new Date(NOW - 9_000).toUTCString() } }, 0],
  ["Gemini's RetryInfo", { text: '{"@type":"…retryinfo","retrydelay": "34.5s"}' }, 34_500],
  ["a field retry_after", { text: '{"error":{"retry_after":7}}' }, 7_000],
  ["resets_in_seconds", { text: '{"error":{"resets_at":1,"resets_in_seconds":90}}' }, 90_000],
  ["resets_at", { text: `{"error":{"resets_at":${epochSeconds(IN_A_MINUTE)}}}` }, 60_000],
  ["words with seconds", { text: "rate limit reached for gpt-6. please try again in 20s. visit" }, 20_000],
  ["words with parts of a second", { text: "please try again in 1.898s." }, 1_898],
  ["words with milliseconds", { text: "please try again in 350ms." }, 350],
  ["words with minutes", { text: "please try again in 7m12s." }, 432_000],
  ["words in full", { text: "please retry after 20 seconds" }, 20_000],
  ["words in full, long", { text: "try again in 1 hour and 5 minutes." }, 3_900_000],
  ["words with a date", { text: `it resets at ${IN_A_MINUTE.toISOString().toLowerCase()}.` }, 60_000],
  [
    "Anthropic's unified reset",
    { headers: { "anthropic-ratelimit-unified-reset": epochSeconds(IN_A_MINUTE) } },
    60_000,
  ],
  [
    "OpenAI's allowances: the one that is used up",
    {
      headers: {
        "x-ratelimit-remaining-requests": "12",
        "x-ratelimit-reset-requests": "5h",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "6m0s",
      },
    },
    360_000,
  ],
  [
    "Anthropic's allowances",
    {
      headers: {
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": IN_A_MINUTE.toISOString(),
      },
    },
    60_000,
  ],
  [
    "OpenRouter's, in milliseconds",
    { headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW + 60_000) } },
    60_000,
  ],
  ["the same, in its body", { text: `{"headers":{"x-ratelimit-reset":"${NOW + 60_000}"}}` }, 60_000],
  [
    "allowances of which something is left",
    { headers: { "x-ratelimit-remaining-tokens": "9", "x-ratelimit-reset-tokens": "6m0s" } },
    undefined,
  ],
  ["a field in another spelling", { text: '{"retryafter":"7s"}' }, 7_000],
  ["a field in milliseconds", { text: '{"retry_after_ms":1500}' }, 1_500],
  ["words that ask to wait", { text: "please wait 12 seconds before retrying." }, 12_000],
  ["words that ask to wait for", { text: "please wait for 2 minutes." }, 120_000],
  ["words with minutes and parts of a second", { text: "please try again in 1m23.4s." }, 83_400],
  ["words with hours", { text: "your quota will reset after 12h34m16s." }, 45_256_000],
  ["words with days", { text: "resets in 2 days, 3 hours" }, 183_600_000],
  ["words with a date and a time of day", { text: "regain access on 2026-11-22 at 00:00 utc." }, 43_200_000],
  [
    "allowances by the minute, as Cerebras names them",
    {
      headers: {
        "x-ratelimit-remaining-requests-day": "900",
        "x-ratelimit-reset-requests-day": "33011",
        "x-ratelimit-remaining-tokens-minute": "0",
        "x-ratelimit-reset-tokens-minute": "11.4",
      },
    },
    11_400,
  ],
  ["the draft standard's", { headers: { "ratelimit-remaining": "0", "ratelimit-reset": "30" } }, 30_000],
  [
    "a reset alone, as epoch seconds",
    { headers: { "x-ratelimit-reset": epochSeconds(IN_A_MINUTE) }, status: 429 },
    60_000,
  ],
  ["a reset alone, as a date", { headers: { "x-ratelimit-reset": IN_A_MINUTE.toISOString() }, status: 429 }, 60_000],
  ["a reset alone, as a duration", { headers: { "x-ratelimit-reset": "1m0s" }, status: 429 }, 60_000],
  ["a reset alone of another failure", { headers: { "x-ratelimit-reset": "60" }, status: 500 }, undefined],
  ["a reset of one allowance alone", { headers: { "x-ratelimit-reset-tokens": "1m30s" }, status: 429 }, 90_000],
  [
    "several resets alone: the first",
    { headers: { "x-ratelimit-reset-requests": "90ms", "x-ratelimit-reset-tokens": "6m0s" }, status: 429 },
    90,
  ],
  ["a reset after seconds", { headers: { "x-ratelimit-reset-after": "12" }, status: 429 }, 12_000],
  [
    "a reset of an allowance of another failure",
    { headers: { "x-ratelimit-reset-tokens": "60" }, status: 500 },
    undefined,
  ],
  ["Azure's milliseconds", { headers: { "x-ms-retry-after-ms": "1200" } }, 1_200],
  ["x-retry-after", { headers: { "x-retry-after": "12" } }, 12_000],
  ["RetryInfo with an underscore", { text: '{"retry_delay":"37s"}' }, 37_000],
  ["RetryInfo in parts", { text: '{"retrydelay":{"seconds":37,"nanos":5}}' }, 37_000],
  ["a field reset_in", { text: '{"reset_in":12}' }, 12_000],
  ["a field reset_time", { text: `{"reset_time":"${IN_A_MINUTE.toISOString().toLowerCase()}"}` }, 60_000],
  ["words in Chinese", { text: "请求过于频繁，请在 30 秒后重试" }, 30_000],
  ["words without a time", { text: "please try again later" }, undefined],
  ["nonsense", { headers: { "retry-after": "soon", "retry-after-ms": "" } }, undefined],
  ["nothing", {}, undefined],
];

for (const [how, notice, ms] of SAID)
  test(`${how}: ${ms === undefined ? "no time" : `${ms} ms`}`, () => {
    assert.equal(retryAfterMs({ headers: {}, text: "", ...notice }, NOW), ms);
  });

test("the header overrides the text, and the text overrides the headers of every response", () => {
  const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "99" };
  const text = "try again in 5s";
  assert.equal(retryAfterMs({ headers: { ...headers, "retry-after": "2" }, text }, NOW), 2_000);
  assert.equal(retryAfterMs({ headers, text }, NOW), 5_000);
  assert.equal(retryAfterMs({ headers, text: "" }, NOW), 99_000);
});

test("whatever a provider writes, the result is a usable delay, or undefined", () => {
  const headers = fc.dictionary(
    fc.constantFrom("retry-after", "retry-after-ms", "x-ratelimit-remaining", "x-ratelimit-reset"),
    fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String)),
  );
  const words = fc.oneof(
    fc.string(),
    fc.string().map((end) => `try again in ${end}`),
    fc.double().map((n) => `try again in ${n}s`),
  );
  fc.assert(
    fc.property(headers, words, (headers, text) => {
      const ms = retryAfterMs({ headers, text }, NOW);
      assert.ok(ms === undefined || (Number.isSafeInteger(ms) && ms >= 0) || ms > 2 ** 53, String(ms));
    }),
  );
});
