/** Which messages each level of a compaction replaces. Cuts fall between steps, never between a call and its result. */
import { type HeldMessage, lengthOf } from "../message.ts";
import type { CompactionState } from "./state.ts";
import { stubFor } from "./stub.ts";

/** The messages before `until` are replaced, except pinned ones. */
export type Removal = { level: 1 | 2; until: number };
/** Positions of the results that become stubs. */
export type Stubbing = { level: 0; stubs: number[] };
export type Step = Stubbing | Removal;

/**
 * `tokens`: length by estimate. `limit`: length at which a compaction is due. `keep`: share of the window for the newest
 * steps, which a summary leaves as they are.
 */
type Lengths = { tokens: number; limit: number; window: number; keep: number; charactersPerToken: number };

/**
 * Stubs leave at most this share of the window, and of the limit. Each compaction breaks the provider's cache, so there
 * should be few.
 */
const AFTER_STUBS = { window: 1 / 2, limit: 0.7 };
/** The newest steps have at most this share of the window once others are removed without a summary. */
const AFTER_REMOVAL = 1 / 2;
/** A result is worth a stub if it is at least this many times as long. */
const WORTH = 2;

/** The next level that would free something; undefined if none is left. */
export function nextStep(
  messages: readonly HeldMessage[],
  nextLevel: CompactionState["nextLevel"],
  { tokens, limit, window, keep, charactersPerToken }: Lengths,
): Step | undefined {
  const enough = Math.min(window * AFTER_STUBS.window, limit * AFTER_STUBS.limit);
  const replaceable = messages.slice(0, endOfStubs(messages, (tokens - limit) * charactersPerToken));
  const stubs = nextLevel > 0 ? [] : resultsToStub(replaceable, (tokens - enough) * charactersPerToken);
  if (stubs.length > 0) return { level: 0, stubs };
  for (const [level, share] of [
    [1, keep],
    [2, AFTER_REMOVAL],
  ] as const) {
    if (nextLevel > level) continue;
    const until = cutBefore(messages, share * window * charactersPerToken);
    if (until !== undefined) return { level, until };
  }
  return undefined;
}

/**
 * Position of the newest step if its results can stay, which the model has not seen: removing all older steps would free
 * this many characters. Otherwise the end.
 */
function endOfStubs(messages: readonly HeldMessage[], characters: number): number {
  const newest = messages.findLastIndex(({ role }) => role === "assistant");
  const older = messages.slice(0, Math.max(0, newest)).filter(({ role }) => role !== "user");
  const removable = older.reduce((sum, message) => sum + lengthOf(message), 0);
  return removable >= characters ? newest : messages.length;
}

/** Positions of the results to replace, oldest first, until this many characters are freed. */
function resultsToStub(messages: readonly HeldMessage[], characters: number): number[] {
  const stubs: number[] = [];
  let left = characters;
  for (const [index, message] of messages.entries()) {
    if (left <= 0) break;
    if (message.role !== "tool" || message.isStub) continue;
    const stub = stubFor(message);
    if (lengthOf(message) < WORTH * stub.length) continue;
    stubs.push(index);
    left -= lengthOf(message) - stub.length;
  }
  return stubs;
}

/**
 * The start of the oldest step from which on the conversation has at most this many characters, or of the newest step.
 * Undefined if no step is before it.
 */
function cutBefore(messages: readonly HeldMessage[], characters: number): number | undefined {
  let until: number | undefined;
  let length = 0;
  for (let index = messages.length - 1; index > 0; index--) {
    const message = messages[index];
    if (message === undefined) break;
    length += lengthOf(message);
    if (until !== undefined && length > characters) break;
    if (message.role === "assistant") until = index;
  }
  const hasSteps = messages.slice(0, until).some(({ role }) => role === "assistant");
  return hasSteps ? until : undefined;
}
