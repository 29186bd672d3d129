/**
 * The journal's files, before SQLite opens them: each has to be a file of its own. A link would make Deputy write, or
 * change the mode of, whatever it leads to; and an emptied journal must not pass for a new one, whose first write would
 * remove the evidence.
 */
import { chmodSync, closeSync, existsSync, lstatSync, openSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode } from "../../errors.ts";
import { blockThread } from "../../system/block-thread.ts";
import { makeFolder } from "../../system/make-folder.ts";
import { emptiedJournal, linkedFile, notAFile } from "./errors.ts";

/** Suffixes of the database and of the files that SQLite keeps next to it. */
const SUFFIXES = ["", "-wal", "-shm", "-journal"];
/** Files and directories of the state directory that Deputy makes only once it is in use. */
const SIGNS_OF_USE = ["owners", "trusted.json"];
/** Maximum wait for another process that is about to begin the same new journal, in milliseconds. */
const BEGIN_MS = 3_000;
const RETRY_MS = 5;

/**
 * Creates the file if there is none. SQLite gives `-wal` and `-shm` the mode of their database file. An existing file is
 * never opened here: on POSIX, closing it would drop the locks of another journal in this process.
 * @throws DeputyError `journal-unusable`
 */
export function prepareJournalFile(file: string): void {
  makeFolder(dirname(file), 0o700);
  refuseLinks(file);
  const found = statsOf(file);
  if (found === undefined) {
    createFile(file);
    return;
  }
  if (!found.isFile()) throw notAFile(file);
  if ((found.mode & 0o077) !== 0) chmodSync(file, found.mode & 0o700);
  const deadline = performance.now() + BEGIN_MS;
  while (isEmptied(file)) {
    if (performance.now() > deadline) throw emptiedJournal(file);
    blockThread(RETRY_MS);
  }
}

/** @throws DeputyError `journal-unusable` for a symbolic link, or a file that has another name too */
export function refuseLinks(file: string): void {
  for (const path of SUFFIXES.map((suffix) => file + suffix)) {
    const found = statsOf(path);
    if (found?.isSymbolicLink() || (found?.isFile() && found.nlink > 1)) throw linkedFile(file, path, found);
  }
}

/** Returns whether a journal that was in use has lost its content. A new one is empty, but the first thing there is. */
export function isEmptied(file: string): boolean {
  if (statsOf(file)?.size !== 0) return false;
  const isUsed = SIGNS_OF_USE.some((name) => existsSync(join(dirname(file), name)));
  return isUsed || (statsOf(`${file}-wal`)?.size ?? 0) > 0;
}

function statsOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function createFile(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}
