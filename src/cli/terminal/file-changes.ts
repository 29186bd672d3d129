/** Changed files with their lines, and the conflicts of children, as lines of text. */
import type { FileDiff } from "../../applying.ts";
import { type ChildConflict, conflictInWords } from "../../conflict.ts";
import type { Paint } from "../io.ts";
import { plural } from "./format.ts";
import { oneLine } from "./terminal-text.ts";

/** `+12 −3`; empty if lines were not compared. */
export function changeCounts({ added, removed }: Pick<FileDiff, "added" | "removed">, paint: Paint): string {
  if (added === undefined || removed === undefined) return "";
  return `${paint("green", `+${added}`)} ${paint("red", `−${removed}`)}`;
}

const STATUS_WORDS: Partial<Record<FileDiff["status"], string>> = {
  added: "new",
  deleted: "deleted",
  retyped: "another type of file",
};

/** `src/a.ts +12 −3`, `old.ts → new.ts`, `logo.png new`. */
export function fileLine(file: FileDiff, paint: Paint): string {
  const name = file.from === undefined ? file.path : `${file.from} → ${file.path}`;
  const about = [STATUS_WORDS[file.status], changeCounts(file, paint)].filter(Boolean);
  return [oneLine(name), ...about].join(" ");
}

/** `2 files, +14 −3`. */
export function filesTotal(files: readonly FileDiff[], paint: Paint): string {
  const sum = (name: "added" | "removed") => files.reduce((total, file) => total + (file[name] ?? 0), 0);
  return `${plural(files.length, "file")}, ${changeCounts({ added: sum("added"), removed: sum("removed") }, paint)}`;
}

/** Files named for a conflict of two children. */
const MOST_FILES = 3;

/** `src/a.ts lines 10–14, src/b.ts (both add it, …) and 2 more files`. */
export function conflictText({ files, more_files = 0 }: Pick<ChildConflict, "files" | "more_files">): string {
  const named = files.slice(0, MOST_FILES).map(conflictInWords).join(", ");
  const more = files.length + more_files - Math.min(files.length, MOST_FILES);
  return oneLine(more === 0 ? named : `${named} and ${plural(more, "more file")}`);
}
