/**
 * The source of a pool's key: the config, the environment, or a command of the operator's that prints it. A command
 * runs when a request or a resume first needs its key, once for all concurrent callers, and its key is kept in memory
 * until the provider rejects it.
 */
import type { Clock } from "../../clock.ts";
import { type Failure, ROUTE_GONE } from "../../errors.ts";
import { type KeyHeader, Secret } from "../../secret.ts";
import { present } from "../../values/present.ts";
import type { BuiltInProvider } from "../catalog/built-in-providers.ts";
import { firstLineOf } from "./key-command.ts";
import { secretsIn } from "./key-documents.ts";
import { headerOf, isUsableKey, isWorthHiding } from "./provider-connection.ts";

export type KeySource = {
  /** Never rejects. A failure is `aborted` if the signal aborts first. */
  get(signal: AbortSignal): Promise<IssuedKey>;
  /** Records that the provider rejected this key. Returns whether the next `get` returns another one. */
  refresh(refused: Secret): boolean;
  /** Minimum time between two renewals, in milliseconds; absent if there is none. */
  pauseMs?: number;
  /** Every key so far that must be redacted from texts. */
  issued(): readonly Secret[];
};
/** `header`: the header for this key, if it depends on the key's form. */
export type IssuedKey = { secret: Secret; header?: KeyHeader } | { failure: Failure };

/** If the provider rejects a newly printed key too, the command is not run again at once. */
const RENEWAL_PAUSE_MS = 60_000;

export function fixedKeySource(secret: Secret): KeySource {
  return { get: async () => ({ secret }), refresh: () => false, issued: () => [] };
}

export type KeyCommand = { name: string; argv: readonly string[]; origin: string; forms?: BuiltInProvider["keyForms"] };

/** @param environment environment of the command */
export function commandKeySource(
  { name, argv, origin, forms }: KeyCommand,
  environment: () => Record<string, string>,
  clock: Clock,
): KeySource {
  return issuedKeySource({ name, origin, ...present({ forms }) }, clock, async (signal) => {
    const answer = await firstLineOf(argv, environment(), clock, signal);
    if ("line" in answer && isUsableKey(answer.line)) return { key: answer.line };
    const problem = "problem" in answer ? answer.problem : "printed no key";
    return {
      problem: `${name} ${problem}. Expected the key as the first line it prints. Run it in a shell to see more.`,
    };
  });
}

/** A new key and its validity in milliseconds, or the reason for its absence as a sentence. */
export type Brought = { key: string; validMs?: number } | { problem: string };

/** Gets a key with `bring` when one is needed, once for all requests that wait for it. */
export function issuedKeySource(
  { name, origin, forms }: Pick<KeyCommand, "name" | "origin" | "forms">,
  clock: Clock,
  bring: (signal: AbortSignal) => Promise<Brought>,
): KeySource {
  const issued: Secret[] = [];
  let current: { secret: Secret; header?: KeyHeader; until: number } | undefined;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let running: { outcome: Promise<IssuedKey>; stop: AbortController; waiting: number } | undefined;

  function start() {
    const stop = new AbortController();
    return { outcome: run(stop.signal), stop, waiting: 0 };
  }

  async function run(signal: AbortSignal): Promise<IssuedKey> {
    const brought = await bring(signal);
    if ("problem" in brought) return { failure: failed(brought.problem) };
    const { key, validMs = Number.POSITIVE_INFINITY } = brought;
    const header = forms && headerOf({ keyForms: forms }, key);
    current = { secret: new Secret(key, name, origin), until: clock.elapsed() + validMs, ...present({ header }) };
    for (const text of [key, ...secretsIn(key)]) if (isWorthHiding(text)) issued.push(new Secret(text, name, origin));
    return current;
  }

  /** Waits for the shared run, which is stopped when nobody waits for it any more. */
  async function join(signal: AbortSignal): Promise<IssuedKey> {
    running ??= start();
    const mine = running;
    mine.waiting += 1;
    const broken = brokenOff(name, signal);
    try {
      return await Promise.race([mine.outcome, broken.promise]);
    } finally {
      broken.forget();
      mine.waiting -= 1;
      if (mine.waiting === 0) mine.stop.abort();
      if (mine.waiting === 0 && running === mine) running = undefined;
    }
  }

  return {
    pauseMs: RENEWAL_PAUSE_MS,
    issued: () => issued,
    get: async (signal) => (current === undefined || current.until <= clock.elapsed() ? join(signal) : current),
    refresh(refused) {
      if (refused !== current?.secret) return true;
      if (clock.elapsed() - renewedAt < RENEWAL_PAUSE_MS) return false;
      renewedAt = clock.elapsed();
      current = undefined;
      return true;
    },
  };
}

/** The key is missing for now, so a child without another one waits for it. */
function failed(problem: string): Failure {
  return { kind: ROUTE_GONE, message: `No key: ${problem}` };
}

/** Settles when the signal aborts. */
function brokenOff(name: string, signal: AbortSignal): { promise: Promise<IssuedKey>; forget(): void } {
  const { promise, resolve } = Promise.withResolvers<IssuedKey>();
  const stop = () => resolve({ failure: { kind: "aborted", message: `Nobody waits for ${name} any more.` } });
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  return { promise, forget: () => signal.removeEventListener("abort", stop) };
}
