/**
 * The process's environment, read once, and its keys taken out of where a child process could read them: out of
 * `process.env`, which children inherit, and out of the block the kernel shows as `/proc/PID/environ`, which keeps what
 * the process was started with.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

export type TakenEnvironment = {
  /** Every variable the process was started with, keys included. */
  env: Record<string, string>;
  /** Why keys can still be read from outside of the process; absent where they cannot. */
  stillVisible?: string;
};

/** The environment as it is, for programs that keep their own. */
export function readEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * Reads the environment and takes its keys away. Call once, before anything else reads `process.env`. Variables that
 * the runtime and its libraries read (paths, proxies, CA files) stay.
 */
export function takeEnvironment(): TakenEnvironment {
  const env = readEnvironment();
  const stillVisible = hideVariables(Object.keys(env).filter(looksLikeKey));
  return { env, ...(stillVisible !== undefined && { stillVisible }) };
}

/**
 * Takes variables out of where a child process could read them: those that only the config tells to hold a key, too.
 * @returns why they can still be read; undefined where they cannot
 */
export function hideVariables(names: readonly string[]): string | undefined {
  for (const name of names) delete process.env[name];
  if (names.length === 0 || process.platform !== "linux") return undefined;
  try {
    blankInitialEnvironment(new Set(names));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Whether a variable's name says that it holds a key: `*_KEY`, `*_TOKEN`, `*_SECRET`, `*_PASSWORD` and the like. */
export function looksLikeKey(name: string): boolean {
  return /(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)$/i.test(name);
}

/** Overwrites the values of variables in the memory that the process got from the kernel at its start. */
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

/** Address of the block: field 50 (`env_start`) of /proc/self/stat. The name in field 2 may hold spaces. */
function initialEnvironmentStart(): number {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fromThird = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const start = Number(fromThird[50 - 3]);
  if (!Number.isSafeInteger(start) || start <= 0) throw new Error("/proc/self/stat does not tell where it is");
  return start;
}

/** Names and the places of their values in a block of `NAME=value\0`. */
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
