/** The error log: stacks of bugs in Deputy, in a file that a user can attach to a report. */
import { mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../../clock.ts";
import { appendPrivateFile } from "../../system/private-file.ts";
import { isoTime } from "../../values/iso-time.ts";

/** Appends an error with its stack. @param where the context: a child's id, a tool's name */
export type LogError = (where: string, error: unknown) => void;

/** Maximum size in bytes; a larger file replaces `errors.log.old`. */
const MAX_BYTES = 1_000_000;

/** Never fails: on a full or read-only disk, the entry is lost but the child continues. */
export function createErrorLog(path: string, clock: Clock): LogError {
  return (where, error) => {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_BYTES) renameSync(path, `${path}.old`);
      appendPrivateFile(path, `${isoTime(clock.now())} ${where}: ${stack}\n`);
    } catch {
      // The caller that reported the error still shows its message.
    }
  };
}
