/**
 * Explains why a journal cannot be used, with what to do. This is the only place that converts errors of SQLite or the
 * file system to a `DeputyError`. The advice never deletes anything: the file is moved aside.
 */
import { existsSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { DeputyError } from "../../errors.ts";
import { shellWord } from "../../text/shell-word.ts";

/**
 * Converts an error about `file` to a `DeputyError`; an error of neither SQLite nor the file system is a bug and stays
 * as it is.
 */
export function journalError(error: unknown, file: string): unknown {
  if (isOfClosed(error)) return closedJournal(file);
  const found = foundIn(error);
  if (error instanceof DeputyError || found === undefined) return error;
  const { code, message } = BY_CAUSE[found.cause](file, found.words);
  return new DeputyError(code, message, { cause: error });
}

/** Returns whether the journal was closed during a read: Node's code for a statement of a closed database. */
function isOfClosed(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_INVALID_STATE";
}

/** Returns whether SQLite gave up waiting for another lock. */
export function isBusy(error: unknown): boolean {
  return ((sqliteCode(error) ?? 0) & PRIMARY) === SQLITE_BUSY;
}

/** A row that differs from what was written. */
export class DamagedEntry extends Error {
  constructor(seq: number) {
    super(`entry ${seq} is not what was written`);
  }
}

/** The error for something other than a file at the journal's path. */
export function notAFile(file: string): DeputyError {
  const message = `Expected the journal at ${file} to be a file, found something else. ${moveAside(file)}`;
  return new DeputyError("journal-unusable", message);
}

/** The error for a link at the journal's path, or at one of the files next to it. */
export function linkedFile(file: string, path: string, found: Pick<Stats, "isSymbolicLink" | "nlink">): DeputyError {
  const what = found.isSymbolicLink() ? "a symbolic link" : `a file with ${found.nlink} names (hard links)`;
  return new DeputyError(
    "journal-unusable",
    `Expected ${path} to be a file of its own; found ${what}. Deputy does not write through links. ` +
      "To keep the state elsewhere, set DEPUTY_STATE_DIR, or make the whole state directory a link. " +
      moveAside(file),
  );
}

/** The error for a journal that was in use and has no content now. */
export function emptiedJournal(file: string): DeputyError {
  return new DeputyError(
    "journal-unusable",
    `The journal ${file} is damaged: it is empty, and this state directory was in use before. Restore it from a ` +
      `backup. ${moveAside(file)}`,
  );
}

/** The error for using a closed journal. */
export function closedJournal(file: string): DeputyError {
  return new DeputyError("journal-unusable", `The journal ${file} is closed. Open it again.`);
}

type Cause = "full" | "damaged" | "not-writable" | "busy" | "other";
type JournalErrorText = { code: "journal-full" | "journal-unusable"; message: string };

const BY_CAUSE: Record<Cause, (file: string, words: string) => JournalErrorText> = {
  full: (file, words) => ({
    code: "journal-full",
    message:
      `The journal ${file} cannot grow: ${words}. Everything that was acknowledged is kept. ` +
      "Free some space there, or raise your quota or the limit on file sizes, then continue with: deputy resume ID",
  }),
  damaged: (file, words) => ({
    code: "journal-unusable",
    message:
      `The file ${file} is not a journal, or is damaged: ${words}. ` +
      `See what is wrong: deputy journal verify. ${moveAside(file)}`,
  }),
  "not-writable": (file, words) => ({
    code: "journal-unusable",
    message:
      `Cannot open the journal ${file} for writing: ${words}. Deputy must be able to write this file and its ` +
      "directory. Check their owner and permissions, or use another state directory (DEPUTY_STATE_DIR).",
  }),
  busy: (file, words) => ({
    code: "journal-unusable",
    message: `Another process keeps the journal ${file} locked: ${words}. End that process, then try again.`,
  }),
  other: (file, words) => ({
    code: "journal-unusable",
    message:
      `The journal ${file} failed: ${words}. Everything that was acknowledged is kept. ` +
      "Check the disk, its quota and the limit on file sizes, or use another state directory (DEPUTY_STATE_DIR).",
  }),
};

const PRIMARY = 0xff;
const SQLITE_BUSY = 5;
/** SQLite reports an exceeded quota or file size limit as this; it recognizes only a full disk as full. */
const SQLITE_IOERR_WRITE = 10 | (3 << 8);

/** By SQLite's primary result codes (https://sqlite.org/rescode.html). */
const SQLITE_CAUSES: Record<number, Cause> = {
  [SQLITE_BUSY]: "busy",
  1: "damaged", // SQLITE_ERROR: the tables differ from those that every statement here expects
  8: "not-writable", // SQLITE_READONLY
  11: "damaged", // SQLITE_CORRUPT
  13: "full", // SQLITE_FULL
  14: "not-writable", // SQLITE_CANTOPEN
  26: "damaged", // SQLITE_NOTADB
};

const SYSTEM_CAUSES: Record<string, Cause> = { ENOSPC: "full", EDQUOT: "full" };

function foundIn(error: unknown): { cause: Cause; words: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  if (isUnreadable(error)) return { cause: "damaged", words: `an entry cannot be read (${error.message})` };
  const code = sqliteCode(error);
  if (code !== undefined) return { cause: causeOf(code), words: error.message };
  if ("syscall" in error && "code" in error) {
    return { cause: SYSTEM_CAUSES[String(error.code)] ?? "not-writable", words: error.message };
  }
  return undefined;
}

function causeOf(code: number): Cause {
  return code === SQLITE_IOERR_WRITE ? "full" : (SQLITE_CAUSES[code & PRIMARY] ?? "other");
}

/** Signs of a damaged page that SQLite considers sound: text that is not JSON, a number out of bounds. */
function isUnreadable(error: Error): boolean {
  return (
    error instanceof SyntaxError ||
    error instanceof DamagedEntry ||
    ("code" in error && error.code === "ERR_OUT_OF_RANGE")
  );
}

/** The primary result code of an SQLite error: its lowest byte; the others give details. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error && "errcode" in error && typeof error.errcode === "number")) return undefined;
  return error.errcode;
}

/** The command moves the journal with its `-wal` and `-shm`: a leftover log would be replayed into the next journal. */
function moveAside(file: string): string {
  const aside = freeName(join(dirname(file), "aside"));
  const command = `mkdir ${shellWord(aside)} && mv ${shellWord(file)}* ${shellWord(aside)}`;
  return `Nothing was changed. To begin a new journal, move this one aside: ${command}`;
}

function freeName(path: string): string {
  let name = path;
  for (let count = 2; existsSync(name); count++) name = `${path}-${count}`;
  return name;
}
