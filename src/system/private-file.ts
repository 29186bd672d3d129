/** Deputy's own files. By default only their owner can read them; they are written completely or not at all. */
import { appendFileSync, closeSync, constants, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DeputyError } from "../errors.ts";
import { readForeignText } from "./foreign-file.ts";
import { createWhole, writeWhole } from "./write-whole.ts";

const MAX_BYTES = 32 * 1024 ** 2;

/**
 * Reads such a file; undefined if it does not exist.
 * @param what describes the file in the error
 * @throws DeputyError `input-unreadable` for a pipe, a folder or the like
 */
export function readPrivateFile(path: string, what: string): string | undefined {
  const found = readForeignText(path, { maxBytes: MAX_BYTES });
  if (found === undefined || "text" in found) return found?.text;
  const message = `Expected ${what} at ${path}; it cannot be read: ${found.unreadable}. Move it aside, or use another state directory (DEPUTY_STATE_DIR).`;
  throw new DeputyError("input-unreadable", message);
}

/** Writes (or replaces) a file with mode 0600, its directories with 0700. @throws Error of the system */
export function writePrivateFile(path: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeWhole(path, text, { mode });
}

/** Creates such a file. @returns false if there is anything at `path`, which stays. @throws Error of the system */
export function createPrivateFile(path: string, text: string): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return createWhole(path, text, 0o600);
}

const { O_APPEND, O_CREAT, O_NONBLOCK = 0, O_WRONLY } = constants;

/**
 * Appends to a file, which is created with mode 0600. Does not wait for a pipe without a reader. @throws Error of the
 * system
 */
export function appendPrivateFile(path: string, text: string): void {
  const descriptor = openSync(path, O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK, 0o600);
  try {
    appendFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}
