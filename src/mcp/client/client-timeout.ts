/**
 * Tells a client's timeout from a user's cancellation: after a timeout, the work is worth keeping. The protocol does not
 * distinguish them, but clients do, by their words or by the time.
 */
import { SdkError, SdkErrorCode } from "@modelcontextprotocol/server";

/**
 * Timeouts are whole multiples of this, in milliseconds: 10 s, 30 s, 60 s. A user's cancellation matches one by chance
 * one time in ten; the work then continues until it is stopped with control_delegation.
 */
const STEP_MS = 5_000;
/** Maximum delay of a cancellation, in milliseconds. */
const LATE_MS = 400;
/** Maximum lead of a cancellation by the client's clock, in milliseconds. */
const EARLY_MS = 50;

/**
 * Wordings of clients. TypeScript SDK: `McpError: MCP error -32001: Request timed out`, `SdkError: Request timed out`.
 * rmcp (Rust): `request timeout`, `timed out`. Go: `context deadline exceeded`.
 */
const TIMEOUT_WORDS = /tim(?:e|ed)[\s_-]*out|-32001|deadline/i;
/** A user's stop may mention a timeout: `Cancelled by the user before the timeout`. */
const USER_WORDS = /\bby (?:the )?user\b|\buser (?:cancel|abort|stop|interrupt|press)/i;

/**
 * @param reason of the abort: the client's own words, a connection error, or nothing
 * @param waitedMs time since the client last received anything about the call (some clients restart their timeout at
 * each progress notification), and since the call was made
 */
export function isClientTimeout(reason: unknown, waitedMs: readonly number[]): boolean {
  const words = typeof reason === "string" ? reason.trim() : "";
  if (words !== "") return TIMEOUT_WORDS.test(words) && !USER_WORDS.test(words);
  return waitedMs.some((ms) => ms > STEP_MS / 2 && (ms + EARLY_MS) % STEP_MS <= EARLY_MS + LATE_MS);
}

/** Returns whether a call ended because its connection did, not because its client cancelled it. */
export function isDisconnect(reason: unknown): boolean {
  return reason instanceof SdkError && reason.code === SdkErrorCode.ConnectionClosed;
}
