/**
 * Reads the process's environment once, divides it into plain values and secrets, and removes the secrets from where a
 * child process could read them: from `process.env`, which children inherit, and from the block that the kernel shows
 * as `/proc/PID/environ`, which keeps the initial environment.
 */
import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { errorCode, errorMessage } from "../errors.ts";
import { looksLikeSecret } from "../secret.ts";
import { blockThread } from "../system/block-thread.ts";
import type { Environment } from "../template.ts";
import { present } from "../values/present.ts";

/** Returns whether a variable contains a provider's key. */
export type HoldsKey = (name: string, value: string) => boolean;

/** Every variable of an environment, in one half or the other. */
export type DividedEnvironment = { plain: Record<string, string>; secrets: Record<string, string> };

export type TakenEnvironment = {
  /** Every variable that the process was started with, secrets included. */
  env: Record<string, string>;
  /** The reason for which other processes can still read secrets; absent if they cannot. */
  stillVisible?: string;
};

/** The unchanged environment, for programs that manage their own. */
export function readEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * Divides an environment.
 * @param holdsKey recognizes keys that do not look like one
 */
export function divideEnvironment(env: Environment, holdsKey: HoldsKey = () => false): DividedEnvironment {
  const divided: DividedEnvironment = { plain: {}, secrets: {} };
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    const half = looksLikeSecret(name, value) || holdsKey(name, value) ? divided.secrets : divided.plain;
    half[name] = value;
  }
  return divided;
}

/**
 * The environment of commands: the plain half, and the secrets that the operator lists.
 * @param listed names from `terminal.env`; a provider's key is not passed on even if it is listed
 */
export function commandEnvironment(
  { plain, secrets }: DividedEnvironment,
  holdsKey: HoldsKey,
  listed: readonly string[],
): Record<string, string> {
  const passed = Object.entries(secrets).filter(([name, value]) => listed.includes(name) && !holdsKey(name, value));
  return { ...plain, ...Object.fromEntries(passed) };
}

/**
 * Set by a Deputy that starts this one and writes the secrets to its standard input, so that they are never in the
 * environment.
 */
const SECRETS_FROM = "_DEPUTY_SECRETS_FROM";

/** The environment for another Deputy process: `plain` to start it with, and `secrets` for its standard input. */
export function handOver(env: Environment, holdsKey: HoldsKey): { plain: Record<string, string>; secrets: string } {
  const { plain, secrets } = divideEnvironment(env, holdsKey);
  return { plain: { ...plain, [SECRETS_FROM]: "stdin" }, secrets: JSON.stringify(secrets) };
}

/** Reads the secrets that the parent process handed over, if any. */
function receiveSecrets(): Record<string, string> {
  if (process.env[SECRETS_FROM] !== "stdin") return {};
  delete process.env[SECRETS_FROM];
  let found = "nothing";
  try {
    const text = readStandardInput();
    if (text !== "") found = `${text.length} characters that are not`;
    return JSON.parse(text);
  } catch (error) {
    // The input is not quoted: it may hold secrets.
    const reason = errorCode(error) ?? `found ${found}`;
    throw new Error(`${SECRETS_FROM} is set: expected variables as JSON on standard input; ${reason}. Unset it.`);
  }
}

/** Interval at which a standard input that has nothing yet is read again, in milliseconds. */
const READ_AGAIN_MS = 5;

/** Reads to the end. Unlike `readFileSync(0)`, waits where the descriptor does not block or a signal interrupts. */
function readStandardInput(): string {
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = Buffer.alloc(64 * 1024);
    try {
      const length = readSync(0, piece);
      if (length === 0) return Buffer.concat(pieces).toString();
      pieces.push(piece.subarray(0, length));
    } catch (error) {
      if (!["EAGAIN", "EINTR"].includes(errorCode(error) ?? "")) throw error;
      blockThread(READ_AGAIN_MS);
    }
  }
}

/**
 * Reads the environment and removes its secrets. Call once, before anything else reads `process.env` or standard input.
 * Variables that the runtime itself reads (paths, CA files) are plain. A proxy URL with a password is a secret:
 * requests take it from `env`.
 */
export function takeEnvironment(): TakenEnvironment {
  const handedOver = receiveSecrets();
  const env = { ...readEnvironment(), ...handedOver };
  const stillVisible = hideVariables(Object.keys(divideEnvironment(env).secrets));
  return { env, ...present({ stillVisible }) };
}

/**
 * Removes variables from where a child process could read them. Already hidden variables cost nothing.
 * @returns why they can still be read; undefined if they cannot
 */
export function hideVariables(names: readonly string[]): string | undefined {
  const visible = new Set(names.filter((name) => name in process.env));
  for (const name of visible) delete process.env[name];
  if (visible.size === 0 || process.platform !== "linux") return undefined;
  try {
    blankInitialEnvironment(visible);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

/**
 * Names of the secrets in the initial environment of the process that started this one, which the commands of children
 * can read. Empty where the system does not show it.
 */
export function secretsOfParent(): string[] {
  try {
    const block = readFileSync(`/proc/${process.ppid}/environ`);
    const variables = variablesOf(block).map(({ name, from, to }) => [name, block.toString("utf8", from, to)] as const);
    return variables.filter(([name, value]) => looksLikeSecret(name, value)).map(([name]) => name);
  } catch {
    return [];
  }
}

/** Overwrites the values of variables in the process's initial environment block. */
function blankInitialEnvironment(names: Set<string>): void {
  const block = readFileSync("/proc/self/environ");
  const start = initialEnvironmentStart();
  const memory = openSync("/proc/self/mem", "r+");
  try {
    for (const { name, from, to } of variablesOf(block))
      if (names.has(name)) writeSync(memory, Buffer.alloc(to - from, "x"), 0, to - from, start + from);
  } finally {
    closeSync(memory);
  }
}

/** Address of the block: field 50 (`env_start`) of /proc/self/stat. The name in field 2 may contain spaces. */
function initialEnvironmentStart(): number {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fromThird = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const start = Number(fromThird[50 - 3]);
  if (!Number.isSafeInteger(start) || start <= 0) throw new Error("/proc/self/stat does not contain its address");
  return start;
}

/** Names and value positions in a block of `NAME=value\0`. */
function variablesOf(block: Buffer): { name: string; from: number; to: number }[] {
  const variables = [];
  for (let at = 0; at < block.length; ) {
    const end = block.indexOf(0, at) === -1 ? block.length : block.indexOf(0, at);
    const equals = block.indexOf("=", at);
    if (equals !== -1 && equals < end)
      variables.push({ name: block.toString("utf8", at, equals), from: equals + 1, to: end });
    at = end + 1;
  }
  return variables;
}
