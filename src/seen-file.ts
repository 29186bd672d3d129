/** What a child knows of a file: a whole-file write is safe only over content that it has seen. */

import type { SeenFile } from "./tool.ts";
import { present } from "./values/present.ts";

/** Adds what a call showed. Parts that touch add up while the file stays the same; else the newest counts. */
export function addSeen(seen: Map<string, SeenFile>, file: SeenFile): void {
  const known = seen.get(file.path);
  seen.set(file.path, known?.sha256 === file.sha256 ? joined(known, file) : file);
}

export function isSeenWhole(file: SeenFile): boolean {
  return startOf(file) <= 1 && file.to === undefined;
}

function joined(known: SeenFile, file: SeenFile): SeenFile {
  const [first, second] = startOf(known) <= startOf(file) ? [known, file] : [file, known];
  if (startOf(second) > endOf(first) + 1) return file;
  const { path, sha256, from } = first;
  return { path, sha256, ...present({ from, to: endOf(first) >= endOf(second) ? first.to : second.to }) };
}

function startOf({ from = 1 }: SeenFile): number {
  return from;
}

function endOf({ to = Number.POSITIVE_INFINITY }: SeenFile): number {
  return to;
}
