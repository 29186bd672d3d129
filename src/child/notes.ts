/**
 * The project's notes for agents: AGENTS.md, else CLAUDE.md, of the repository's root, of the workspace and of the
 * directories between them, with the files that they import (`@docs/rules.md`). Notes come from whoever wrote the
 * project, so they reach no further than the directory that they are for.
 */
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { keyRemoved, type Warning } from "../errors.ts";
import { isSecretFile } from "../secret-files.ts";
import { type ForeignText, type ReadBounds, readForeignTextLater } from "../system/foreign-file.ts";
import { directoriesAbove } from "../system/repository.ts";
import { isWithin } from "../values/path-within.ts";
import { importsIn, withoutComments } from "./note-imports.ts";

const NAMES = ["AGENTS.md", "CLAUDE.md"];
/** Maximum length of all notes, in characters. Truncated notes say so. */
const MAX_NOTES = 40_000;
/** Enough for more than that many characters, so that a key at the end is complete when it is redacted. */
const MAX_NOTES_BYTES = 256 * 1024;
/** A file that the notes import can import others, so many levels deep. */
const MAX_IMPORT_DEPTH = 5;
/** Maximum number of names after `@` that are looked up. */
const MAX_LOOKUPS = 100;
/** A missing file with such a name was meant to be imported; `@alice` and `@types/node` were not. */
const DOCUMENT = /\.(md|mdc|markdown|txt)$/i;

/** `warnings`: notes that exist but cannot be read. */
export type Notes = { text?: string; warnings: Warning[] };

/** Limits on which files are read as notes, and the redaction of their text. */
export type NotesBounds = Pick<ReadBounds, "isOwn" | "protectionOf"> & {
  /** Directories that the notes of the workspace can be in, links resolved; without the workspace if it was replaced. */
  within: readonly string[];
  redact(text: string): string;
};

/** One file of the notes. */
type Section = { path: string; text: string };

/** Reads the notes of a workspace; those of the root come first. */
export async function projectNotes(workspace: string, { within, redact, ...given }: NotesBounds): Promise<Notes> {
  const warnings: Warning[] = [];
  const seen = new Set<string>();
  let lookups = 0;
  const parents = within.includes(workspace) ? await directoriesAbove(workspace) : [];

  function warn(message: string): void {
    warnings.push({ code: "notes-unreadable", message });
  }

  async function read(path: string, roots: readonly string[]): Promise<ForeignText> {
    seen.add(path);
    const protectionOf = (real: string) => protectionOfNotes(real, given);
    const bounds = { ...given, within: roots, protectionOf, maxBytes: MAX_NOTES_BYTES, mayCut: true as const };
    const found = await readForeignTextLater(path, bounds);
    if (found === undefined || !("text" in found)) return found;
    const text = redact(found.text);
    if (text !== found.text) warnings.push(keyRemoved(path));
    return { ...found, text };
  }

  async function notesIn(directory: string, roots: readonly string[]): Promise<Section[]> {
    for (const name of NAMES) {
      const path = join(directory, name);
      const found = await read(path, roots);
      if (found === undefined) continue;
      if ("unreadable" in found) warn(`${path}: ${found.unreadable}. The child runs without these notes.`);
      else if (!isEmpty(found.text))
        return [{ path, text: found.text }, ...(await importsOf(path, found.text, roots, 1))];
    }
    return [];
  }

  async function importsOf(from: string, text: string, roots: readonly string[], depth: number): Promise<Section[]> {
    const sections: Section[] = [];
    for (const name of importsIn(text)) {
      const path = resolve(dirname(from), name);
      if (seen.has(path)) continue;
      lookups += 1;
      if (lookups === MAX_LOOKUPS)
        warn(`${from}: expected at most ${MAX_LOOKUPS} imports; found more. The rest is not read.`);
      if (lookups >= MAX_LOOKUPS) return sections;
      const found = await imported(path, name, { roots, depth });
      if (found === undefined && !DOCUMENT.test(name)) continue;
      if (found === undefined) warn(`${from}: expected a file at @${name}; found none. It is not imported.`);
      else if ("unreadable" in found) warn(`${from}: @${name}: ${found.unreadable}. It is not imported.`);
      else if (!isEmpty(found.text))
        sections.push({ path, text: found.text }, ...(await importsOf(path, found.text, roots, depth + 1)));
    }
    return sections;
  }

  function imported(path: string, name: string, { roots, depth }: { roots: readonly string[]; depth: number }) {
    if (isAbsolute(name) || name.startsWith("~")) return { unreadable: "expected a path relative to this file" };
    if (depth > MAX_IMPORT_DEPTH) return { unreadable: `expected at most ${MAX_IMPORT_DEPTH} levels of imports` };
    if (!roots.some((root) => isWithin(root, path)))
      return { unreadable: `expected a file in ${roots.join(" or ")}; found a path that leads out of it` };
    return read(path, roots);
  }

  const groups: Section[][] = [];
  for (const parent of parents) groups.push(await notesIn(parent, parents.slice(0, 1)));
  groups.push(await notesIn(workspace, within));
  const text = textOf(groups, workspace);
  return text === undefined ? { warnings } : { text, warnings };
}

/** Notes may be a link to other notes. No rule makes a file of secrets one of them. */
function protectionOfNotes(real: string, { protectionOf }: Pick<NotesBounds, "protectionOf">): string | undefined {
  if (isSecretFile(real)) return `${basename(real)} usually holds secrets`;
  return NAMES.includes(basename(real)) ? undefined : protectionOf?.(real);
}

function isEmpty(text: string): boolean {
  return withoutComments(text).trim() === "";
}

/** The nearest notes get their room first, and imported files after the file that imports them. */
function textOf(groups: readonly Section[][], workspace: string): string | undefined {
  let room = MAX_NOTES;
  const fitted = groups
    .toReversed()
    .map((group) =>
      group.map(({ path, text }) => {
        const most = room;
        room -= Math.min(room, text.length);
        return { path, text: truncated(text, most, basename(path)) };
      }),
    )
    .toReversed()
    .flat();
  const [only, ...others] = fitted;
  if (only === undefined || others.length === 0) return only?.text;
  return fitted.map(({ path, text }) => `From ${relative(workspace, path)}:\n\n${text.trim()}`).join("\n\n");
}

function truncated(text: string, most: number, name: string): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most).toWellFormed()}\n[truncated: these are the first ${most} characters of ${name}]`;
}
