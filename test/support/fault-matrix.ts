/**
 * How Deputy handles every possible failure of a request: one table. The tests take their expectations for each API
 * mode from it, and the documentation its text.
 */
import type { FailureKind } from "../../src/errors.ts";
import type { ApiMode } from "../../src/route.ts";
import type { Turn } from "../../src/testing/index.ts";

export type FaultCase = {
  /** The response to every request; `nobody`: nobody listens there. */
  answer: Turn | "nobody";
  /** Absent if the child continues. */
  kind?: FailureKind;
  /** The message in `deputy run` and in `error.message`; for a child that continues, the message to the child. */
  words?: string;
  cost: Cost;
  /** The partial answer is kept. */
  partial?: true;
  /** Differences between the formats. */
  in?: Partial<Record<ApiMode, Partial<FaultCase>>>;
};

/**
 * Known cost of one such request: nothing was charged, the provider reported the cost, it reported a part of the cost,
 * or it may have charged without reporting.
 */
export type Cost = "none" | "told" | "so far" | "maybe";

const TEXT = "one two three four five six";
const spoken = { text: TEXT, deltas: 6 };

const call = (name: string, input: unknown): Turn => ({ toolCalls: [{ name, input }] });

/** By fault, described for users. */
export const FAULT_MATRIX: Record<string, FaultCase> = {
  "429 with `Retry-After` in seconds": {
    answer: { fault: { kind: "rate-limited", retryAfter: 7 } },
    kind: "rate-limited",
    words: "limits the rate of requests",
    cost: "none",
  },
  "429 with `Retry-After` as a date": {
    answer: { fault: { kind: "rate-limited", retryAfter: new Date(Date.UTC(2026, 0, 1, 0, 0, 30)) } },
    kind: "rate-limited",
    words: "limits the rate of requests",
    cost: "none",
  },
  "429 without `Retry-After`": {
    answer: { fault: { kind: "rate-limited" } },
    kind: "rate-limited",
    words: "limits the rate of requests",
    cost: "none",
  },
  "503 or 529": {
    answer: { fault: { kind: "overloaded" } },
    kind: "overloaded",
    words: "is overloaded or failing",
    cost: "none",
  },
  "500": {
    answer: { fault: { kind: "overloaded", status: 500 } },
    kind: "overloaded",
    words: "is overloaded or failing (500",
    cost: "none",
  },
  "an error in the middle of the stream": {
    answer: { ...spoken, fault: { kind: "error-event", afterDeltas: 2 } },
    kind: "overloaded",
    words: "is overloaded or failing",
    cost: "maybe",
    partial: true,
    in: { gemini: { cost: "so far" } },
  },
  "402": {
    answer: { fault: { kind: "quota-exhausted", status: 402 } },
    kind: "quota-exhausted",
    words: "says its quota or credit is used up",
    cost: "none",
  },
  "no credit left": {
    answer: { fault: { kind: "quota-exhausted" } },
    kind: "quota-exhausted",
    words: "says its quota or credit is used up",
    cost: "none",
  },
  "a used-up quota with a reset time": {
    answer: { fault: { kind: "quota-exhausted", resetsAt: new Date(Date.UTC(2026, 0, 1, 5)) } },
    kind: "quota-exhausted",
    words: "says its quota or credit is used up",
    cost: "none",
  },
  "401": {
    answer: { fault: { kind: "unauthorized" } },
    kind: "unauthorized",
    words: "does not accept the key: correct or replace it",
    cost: "none",
  },
  "403": {
    answer: { fault: { kind: "unauthorized", status: 403 } },
    kind: "unauthorized",
    words: "does not let this key do that",
    cost: "none",
  },
  "404, unknown model": {
    answer: { fault: { kind: "model-missing" } },
    kind: "invalid-request",
    words: "does not accept the request (404",
    cost: "none",
  },
  "400, context too long": {
    answer: { fault: { kind: "context-overflow" } },
    kind: "context-overflow",
    words: "says the text is longer than the model's context window",
    cost: "none",
  },
  "400, unsupported effort": {
    answer: { fault: { kind: "effort-unsupported" } },
    kind: "invalid-request",
    words: "does not accept the request (400",
    cost: "none",
  },
  "400, other": {
    answer: { fault: { kind: "parameter-unsupported", parameter: "top_k" } },
    kind: "invalid-request",
    words: "does not accept the request (400",
    cost: "none",
  },
  "a refusal by a content filter": {
    answer: { ...spoken, fault: { kind: "refused" } },
    kind: "refused",
    words: "refused to answer",
    cost: "told",
    partial: true,
  },
  "a redirect": {
    answer: { fault: { kind: "redirect", location: "http://127.0.0.1:9/v1" } },
    kind: "invalid-request",
    words: "answered with a redirect to 127.0.0.1:9, which is not followed",
    cost: "none",
  },
  "nothing listens at the address": {
    answer: "nobody",
    kind: "network",
    words: "cannot be reached or closed the connection",
    cost: "none",
  },
  "a reset before the answer": {
    answer: { fault: { kind: "reset-before-headers" } },
    kind: "network",
    words: "cannot be reached or closed the connection",
    cost: "none",
  },
  "a reset in the middle of the stream": {
    answer: { ...spoken, fault: { kind: "reset-mid-stream", afterDeltas: 2 } },
    kind: "network",
    words: "cannot be reached or closed the connection",
    cost: "maybe",
    partial: true,
    in: { gemini: { cost: "so far" } },
  },
  "a stream without an end": {
    answer: { ...spoken, fault: { kind: "no-end", afterDeltas: 2 } },
    kind: "malformed-response",
    words: "the stream ended before the answer was finished",
    cost: "maybe",
    partial: true,
    in: { gemini: { cost: "so far" } },
  },
  "silence before the answer": {
    answer: { fault: { kind: "silence" } },
    kind: "stalled",
    words: "was silent for 300 s",
    cost: "maybe",
  },
  "silence in the middle of the stream": {
    answer: { ...spoken, fault: { kind: "silence", afterDeltas: 2 } },
    kind: "stalled",
    words: "was silent for 300 s",
    cost: "maybe",
    partial: true,
    in: { gemini: { cost: "so far" } },
  },
  "60 s of silence, then the rest": {
    answer: { ...spoken, fault: { kind: "silence", afterDeltas: 2, ms: 60_000 } },
    cost: "told",
  },
  "a slow drip": {
    answer: { ...spoken, fault: { kind: "slow-drip", everyMs: 20_000, bytes: 2_000 } },
    cost: "told",
  },
  "garbage in the stream": {
    answer: { ...spoken, fault: { kind: "garbage", afterDeltas: 2 } },
    kind: "malformed-response",
    words: "sent an answer that cannot be read",
    cost: "told",
    partial: true,
    in: { responses: { cost: "so far" } },
  },
  "a web page with status 403": {
    answer: { fault: { kind: "html", status: 403 } },
    kind: "unauthorized",
    words: "sent a web page instead of an answer of its API (403",
    cost: "none",
  },
  "an error in JSON with status 200": {
    answer: {
      fault: {
        kind: "response",
        status: 200,
        headers: { "content-type": "application/json" },
        body: '{"error":{"code":400,"message":"prompt is too long"}}',
      },
    },
    kind: "context-overflow",
    words: "says the text is longer than the model's context window (400",
    cost: "none",
  },
  "429 for one request that is larger than the allowance of a minute": {
    answer: {
      fault: {
        kind: "response",
        status: 429,
        headers: { "content-type": "application/json" },
        body: '{"error":{"message":"Request too large on tokens per minute (TPM): Limit 6000, Requested 9000"}}',
      },
    },
    kind: "context-overflow",
    words: "does not allow a request of this size",
    cost: "none",
  },
  "a web page with status 200": {
    answer: { fault: { kind: "html" } },
    kind: "malformed-response",
    words: "expected a stream of events; found text/html",
    cost: "maybe",
  },
  "an answer of more than 16 MB": {
    answer: { fault: { kind: "huge", bytes: 17 * 1024 * 1024 } },
    kind: "malformed-response",
    words: "the answer is larger than 16 MB",
    cost: "maybe",
    partial: true,
  },
  "an empty answer": {
    answer: { fault: { kind: "empty" } },
    kind: "malformed-response",
    words: "the answer is empty",
    cost: "told",
  },
  "bytes that are not UTF-8": {
    answer: { ...spoken, fault: { kind: "invalid-utf8" } },
    cost: "told",
  },
  "a truncated tool call": {
    answer: { ...call("read_file", { path: "note.txt" }), fault: { kind: "half-tool-call" } },
    words: "Invalid arguments for read_file",
    cost: "told",
    in: { gemini: { kind: "malformed-response", words: "sent an answer that cannot be read" } },
  },
  "a call of an unknown tool": {
    answer: call("fly", { to: "the moon" }),
    words: "There is no tool fly",
    cost: "told",
  },
  "arguments that do not match the tool": {
    answer: call("read_file", { path: 7 }),
    words: "Invalid arguments for read_file",
    cost: "told",
  },
};

export function caseIn(fault: FaultCase, apiMode: ApiMode): FaultCase {
  return { ...fault, ...fault.in?.[apiMode] };
}
