/** Detectors of breaches, as pure functions over what was observed at Deputy's boundary. */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

export const BREACHES = [
  "escape",
  "key",
  "change",
  "command",
  "control",
  "crash",
  "hang",
  "lost",
  "repeat",
  "budget",
] as const;
export type BreachKind = (typeof BREACHES)[number];
export type Breach = { kind: BreachKind; words: string };

/** A planted text that must not leak. */
export type Canary = {
  kind: "escape" | "key";
  /** Where it was planted. */
  name: string;
  value: string;
};

/** A text that must not contain a canary. */
export type Sighting = { where: string; text: string };

/** Shortest part of a canary that counts as a leak. */
const PART = 12;

/** Finds canaries and parts of them, in plain text and in base64. */
export function findCanaries(canaries: readonly Canary[], sightings: readonly Sighting[]): Breach[] {
  return canaries.flatMap(({ kind, name, value }) => {
    const parts = [value, ...inBase64(value)].flatMap(partsOf);
    return sightings
      .filter(({ text }) => parts.some((part) => text.includes(part)))
      .map(({ where }) => ({ kind, words: `${name} is in ${where}` }));
  });
}

function partsOf(value: string): string[] {
  return Array.from({ length: Math.max(0, value.length - PART + 1) }, (_, from) => value.slice(from, from + PART));
}

/**
 * The three base64 forms of a value, by the number of bytes before it; without the ends, which depend on the neighbors.
 */
function inBase64(value: string): string[] {
  return ["", "x", "xx"].map((before) =>
    Buffer.from(before + value)
      .toString("base64")
      .slice(4, -4),
  );
}

/** How a process of Deputy ended. */
export type Ending = {
  argv: readonly string[];
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Ended by SIGKILL, on purpose. */
  killed: boolean;
  /** An earlier signal, which ends a process that has only just begun. */
  sent?: NodeJS.Signals;
};

/** The exit codes of docs/results.md, without the one for bugs. */
const EXIT_CODES: readonly unknown[] = [0, 1, 2, 3, 130];
const STACK_TRACE =
  /^\s+at .+:\d+:\d+\)?$|unhandled|uncaught|node:internal|This is a bug in Deputy|FATAL ERROR|^Node\.js v\d|Internal error in Deputy/im;

export function findCrashes({ argv, code, signal, stdout, stderr, killed, sent }: Ending): Breach[] {
  const command = `deputy ${argv.join(" ")}`;
  const breaches: Breach[] = [];
  const isMeant = killed || (signal !== null && signal === sent) || EXIT_CODES.includes(code);
  if (!isMeant) {
    breaches.push({ kind: "crash", words: `${command} ended with ${signal ?? code}: ${stderr.slice(-600)}` });
  }
  for (const [name, text] of Object.entries({ stdout, stderr })) {
    const [line] = STACK_TRACE.exec(text) ?? [];
    if (line !== undefined) breaches.push({ kind: "crash", words: `${command} printed to ${name}: ${line.trim()}` });
  }
  return breaches;
}

/** Controls and invisible characters, which a terminal or a reader of JSON would obey. Line feeds and tabs are JSON's own. */
const RAW = /[\p{Cc}\p{Cf}\u2028\u2029\p{Cs}]/gu;

/** What a program reads from Deputy, and what Deputy says about it beside, is free of control characters. */
export function findRawCharacters({ argv, stdout, stderr }: Ending): Breach[] {
  const isForPrograms = argv.some((option) => ["--json", "--ndjson"].includes(option));
  const texts = Object.entries({ ...(isForPrograms && { stdout }), stderr });
  return texts.flatMap(([name, text]): Breach[] => {
    const found = [...new Set(text.match(RAW))].filter((sign) => sign !== "\n" && sign !== "\t");
    const codes = found.map((sign) => sign.codePointAt(0)?.toString(16)).join(" ");
    return found.length === 0
      ? []
      : [{ kind: "control", words: `deputy ${argv.join(" ")} printed ${codes} to ${name}` }];
  });
}

/** Every path below a directory with what it is. @param leaveOut whether a path and all below it may change */
export function takeSnapshot(directory: string, leaveOut: (path: string) => boolean): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string) => {
    if (leaveOut(path)) return;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (stats.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
    found.set(path, `${stats.mode.toString(8)} ${contentOf(path, stats)}`);
  };
  visit(directory);
  return found;
}

function contentOf(path: string, stats: ReturnType<typeof lstatSync> & object): string {
  if (stats.isSymbolicLink()) return readlinkSync(path);
  if (!stats.isFile()) return "";
  if (Number(stats.size) > 10_000_000) return `${stats.size} bytes`;
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

export function findChanges(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Breach[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths]
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => {
      const what = !after.has(path) ? "was removed" : before.has(path) ? "was changed" : "was made";
      return { kind: "change", words: `${path} ${what}` };
    });
}

/** Each command leaves a file with its name. */
export function findUnapproved(marks: readonly string[], approved: ReadonlySet<string>): Breach[] {
  return marks
    .filter((mark) => !approved.has(mark))
    .map((mark) => ({ kind: "command", words: `the command ${mark} ran and nobody allowed it` }));
}

/** A request for a step of a task. */
export type StepAsked = { task: string; step: number };

/** @param finished steps whose end was stored @param asked requests that arrived after that */
export function findRepeats(finished: readonly StepAsked[], asked: readonly StepAsked[]): Breach[] {
  const done = new Set(finished.map(nameOf));
  return asked
    .map(nameOf)
    .filter((step) => done.has(step))
    .map((step) => ({ kind: "repeat", words: `the finished step ${step} was requested again` }));
}

function nameOf({ task, step }: StepAsked): string {
  return `${task}/${step}`;
}

/** Money as its provider counts it, in USD. */
export type Account = {
  limitUsd: number;
  /** Everything that the provider charges. */
  chargedUsd: number;
  /** The spending that Deputy reports; absent if it was never asked. */
  reportedUsd?: number;
};

/** A fraction of a cent, for rounding. */
const ROUNDING_USD = 1e-6;

export function findOverspending({ limitUsd, chargedUsd, reportedUsd }: Account): Breach[] {
  const breaches: Breach[] = [];
  const overspent = (words: string) => breaches.push({ kind: "budget", words });
  if (!(chargedUsd <= limitUsd + ROUNDING_USD)) overspent(`${chargedUsd} USD were charged of ${limitUsd}`);
  if (reportedUsd !== undefined && !(reportedUsd >= chargedUsd - ROUNDING_USD)) {
    overspent(`${chargedUsd} USD were charged, ${reportedUsd} reported`);
  }
  return breaches;
}

/**
 * Maximum time in milliseconds that Deputy may work without waiting for anybody, and may take to end after a request.
 */
export const HANG_MS = 10_000;
/** Maximum memory of a process, in bytes. Nothing in these attacks needs a fourth of it. */
const MAX_MEMORY = 1.5 * 2 ** 30;

/** @param idleMs how long it has been running */
export function findHang(
  argv: readonly string[],
  idleMs: number,
  hangMs: number,
  what = "waited for nothing",
): Breach[] {
  if (idleMs <= hangMs) return [];
  return [{ kind: "hang", words: `deputy ${argv.join(" ")} ${what} and went on for ${Math.round(idleMs / 1000)} s` }];
}

export function findBloat(argv: readonly string[], bytes: number): Breach[] {
  if (bytes <= MAX_MEMORY) return [];
  return [{ kind: "crash", words: `deputy ${argv.join(" ")} takes ${Math.round(bytes / 2 ** 20)} MB of memory` }];
}
