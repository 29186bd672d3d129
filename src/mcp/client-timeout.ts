/**
 * What a client means when it gives a call up. Somebody may have said stop; or its own patience has run out, and then the
 * work is worth keeping. The protocol does not tell them apart, but programs do, in words or by the clock.
 */

/**
 * Patience is set in whole steps of this, in milliseconds: 10 s, 30 s, 60 s. A person's finger meets one by chance in one
 * case of ten, and then the work goes on until it is stopped with control_delegation.
 */
const STEP_MS = 5_000;
/** How late the word of it may come, in milliseconds. */
const LATE_MS = 400;
/** How early, by the client's clock. */
const EARLY_MS = 50;

/**
 * As clients say it. TypeScript SDK: `McpError: MCP error -32001: Request timed out`, `SdkError: Request timed out`. rmcp
 * (Rust): `request timeout`, `timed out`. Go: `context deadline exceeded`.
 */
const TIMEOUT_WORDS = /tim(?:e|ed)[\s_-]*out|-32001|deadline/i;
/** A user's stop may mention a timeout: `Cancelled by the user before the timeout`. */
const USER_WORDS = /\bby (?:the )?user\b|\buser (?:cancel|abort|stop|interrupt|press)/i;

/**
 * @param reason of the abort: the client's own words, an error of the connection, or nothing
 * @param waitedMs how long the client had heard nothing of the call (some count anew at each sign of progress), and since
 *   it was made
 */
export function isClientTimeout(reason: unknown, waitedMs: readonly number[]): boolean {
  const words = typeof reason === "string" ? reason.trim() : "";
  if (words !== "") return TIMEOUT_WORDS.test(words) && !USER_WORDS.test(words);
  return waitedMs.some((ms) => ms > STEP_MS / 2 && (ms + EARLY_MS) % STEP_MS <= EARLY_MS + LATE_MS);
}
