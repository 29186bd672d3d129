/** Input history across sessions: a private file in the state directory, one JSON string per line. */
import { dirname, join } from "node:path";
import { makeFolder } from "../../../system/make-folder.ts";
import { appendPrivateFile, readPrivateFile, writePrivateFile } from "../../../system/private-file.ts";

const KEPT = 1_000;

export type History = {
  /** Newest first. */
  entries: string[];
  /** Adds an entry, unless it starts with a blank or contains a key that Deputy knows. */
  add(entry: string): void;
};

/** @param redact removes known keys from a text */
export function openHistory(stateDir: string, redact: (text: string) => string): History {
  const path = join(stateDir, "chat-history.jsonl");
  const entries = readEntries(path);
  if (entries.length > KEPT * 2) {
    entries.splice(0, entries.length - KEPT);
    writePrivateFile(path, asLines(entries));
  }
  return {
    entries: entries.toReversed(),
    add(entry) {
      if (entry.startsWith(" ") || entry === entries.at(-1) || redact(entry) !== entry) return;
      entries.push(entry);
      try {
        makeFolder(dirname(path), 0o700);
        appendPrivateFile(path, asLines([entry]));
      } catch {
        // The journal reports an unwritable state directory; typing continues.
      }
    },
  };
}

function asLines(entries: string[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
}

/** Oldest first. Skips foreign lines. */
function readEntries(path: string): string[] {
  let text: string;
  try {
    text = readPrivateFile(path, "the history of messages") ?? "";
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    try {
      const entry: unknown = JSON.parse(line);
      return typeof entry === "string" ? [entry] : [];
    } catch {
      return [];
    }
  });
}
