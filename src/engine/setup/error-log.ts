/** Where the stacks of bugs in Deputy are kept: a file that its user can send along with a report. */
import { mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../../clock.ts";
import { appendPrivateFile } from "../../system/private-file.ts";

/** Appends an error with its stack. @param where what was at work: a child's id, a tool's name */
export type LogError = (where: string, error: unknown) => void;

/** A larger file is kept as `errors.log.old` in place of the last one, in bytes. */
const MAX_BYTES = 1_000_000;

/** Logging never fails: a disk that is full or read-only costs the entry, not the child. */
export function createErrorLog(path: string, clock: Clock): LogError {
  return (where, error) => {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_BYTES) renameSync(path, `${path}.old`);
      appendPrivateFile(path, `${new Date(clock.now()).toISOString()} ${where}: ${stack}\n`);
    } catch {
      // Whoever reported the error still shows its message.
    }
  };
}
