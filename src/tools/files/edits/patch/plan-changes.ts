/** Plans the changes of a patch to the files as they are now: their new contents, and the steps that write them. */
import { lstatSync } from "node:fs";
import { resolve } from "node:path";
import { sha256Of } from "../../../../image.ts";
import type { ToolContext } from "../../../../tool.ts";
import { ToolError } from "../../../tool-error.ts";
import { locate, missing, type ResolvedPath, statsOf, type Workspace } from "../../paths/workspace.ts";
import { checkSeen, MAX_TEXT_BYTES, readTextFile } from "../../text-file.ts";
import { afterEdit, type ChangedFile, foreignChange, inFormOf } from "../changed-file.ts";
import { withLineFeeds } from "../line-ends.ts";
import { type Decoded, encode } from "../text-form.ts";
import type { FileStep } from "./all-or-nothing.ts";
import type { FilePatch, Hunk, SectionOf } from "./parse-patch.ts";
import { placeHunks } from "./place-hunks.ts";

export type PlannedChanges = { changes: ChangedFile[]; steps: FileStep[] };

/** @throws ToolError if a part of the patch does not fit: then nothing may be changed */
export function planChanges(workspace: Workspace, files: readonly FilePatch[], context: ToolContext): PlannedChanges {
  const planned: PlannedChanges = { changes: [], steps: [] };
  const taken = new Set<string>();

  /** Locates a file that no other section touches. */
  function locateOnce(path: string): ResolvedPath {
    const place = locate(workspace, path);
    if (taken.has(place.real))
      throw new ToolError(`${place.shown} has two sections in the patch: make one of them. Nothing was changed.`);
    taken.add(place.real);
    return place;
  }

  for (const file of merged(files)) {
    const place = locateOnce(file.path);
    if (file.kind === "add") add(file, place);
    else if (file.kind === "delete") remove(file, place);
    else update(file, place);
  }
  return planned;

  function add({ content }: SectionOf<"add">, place: ResolvedPath): void {
    const stats = statsOf(place);
    const before = stats && readTextFile(workspace, place);
    if (before !== undefined && before.bytes.length > 0) checkSeen(place, before.sha256, context);
    const { text, kept } = before === undefined ? { text: content, kept: [] } : inFormOf(before, content);
    const bytes = before === undefined ? Buffer.from(text) : encode(text, before);
    planned.steps.push({ kind: "write", place, content: bytes, ...(before && { before: before.bytes }) });
    planned.changes.push({
      place,
      before: before?.text ?? "",
      after: text,
      told: [`${before === undefined ? "Created" : "Changed"} ${place.shown} (${bytes.length} bytes).`, ...kept],
      seen: { path: place.shown, sha256: sha256Of(bytes) },
    });
  }

  function remove({ path }: SectionOf<"delete">, place: ResolvedPath): void {
    if (statsOf(place) === undefined) throw missing(workspace, place);
    checkNoLink(workspace, path, place);
    const before = readTextFile(workspace, place);
    checkSeen(place, before.sha256, context);
    planned.steps.push({ kind: "delete", place });
    planned.changes.push({ place, before: before.text, after: "", told: [`Deleted ${place.shown}.`], seen: undefined });
  }

  function update(file: SectionOf<"update">, place: ResolvedPath): void {
    const before = readTextFile(workspace, place);
    const since = foreignChange(place, before.sha256, context);
    const { text, notes } = patched(place.shown, before, file.hunks, since);
    const bytes = encode(text, before);
    const seen = afterEdit(context.seen?.get(place.shown), before.sha256, bytes);
    const to = file.moveTo === undefined ? undefined : moveTarget(file.path, place, file.moveTo);
    if (to === undefined && text === before.text) throw new ToolError(`The patch changes nothing in ${place.shown}.`);
    const there = to ?? place;
    if (to !== undefined) {
      planned.steps.push({ kind: "move", place, to });
      planned.changes.push({ place, before: before.text, after: "", told: [], seen: undefined });
    }
    if (text !== before.text) planned.steps.push({ kind: "write", place: there, content: bytes, before: before.bytes });
    planned.changes.push({
      place: there,
      before: to === undefined ? before.text : "",
      after: text,
      told: [to === undefined ? `Changed ${place.shown}.` : `Moved ${place.shown} to ${to.shown}.`, ...notes, ...since],
      seen: seen && { ...seen, path: there.shown },
    });
  }

  function moveTarget(path: string, place: ResolvedPath, moveTo: string): ResolvedPath {
    checkNoLink(workspace, path, place);
    const to = locateOnce(moveTo);
    if (statsOf(to) === undefined) return to;
    throw new ToolError(`${to.shown} exists already: ${place.shown} is not moved there. Nothing was changed.`);
  }
}

/** @throws ToolError that says, after a miss, whether the file has changed meanwhile */
function patched(
  shown: string,
  before: Decoded,
  hunks: readonly Hunk[],
  since: readonly string[],
): { text: string; notes: string[] } {
  const form = withLineFeeds(before.text);
  try {
    const { splices, notes } = placeHunks(shown, form.text, hunks);
    const text = form.spliced(splices);
    if (text.length <= MAX_TEXT_BYTES) return { text, notes };
    throw new ToolError(`${shown} would have ${text.length} characters; files up to ${MAX_TEXT_BYTES} can be changed.`);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new ToolError([error.message, ...since].join("\n"));
  }
}

/** Sections that update one file are one: their hunks follow each other. */
function merged(files: readonly FilePatch[]): FilePatch[] {
  const updates = new Map<string, SectionOf<"update">>();
  return files.flatMap((file): FilePatch[] => {
    if (file.kind !== "update") return [file];
    const first = updates.get(file.path);
    if (first === undefined || file.moveTo !== undefined || first.moveTo !== undefined) {
      const own = { ...file, hunks: [...file.hunks] };
      updates.set(file.path, own);
      return [own];
    }
    first.hunks.push(...file.hunks);
    return [];
  });
}

/** Deleting or moving a link would leave the file that it leads to. */
function checkNoLink({ root }: Workspace, path: string, { shown }: ResolvedPath): void {
  if (lstatSync(resolve(root, path), { throwIfNoEntry: false })?.isSymbolicLink())
    throw new ToolError(`${path} is a link to ${shown}: name the file itself. Nothing was changed.`);
}
