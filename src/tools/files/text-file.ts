/** Reads a whole text file of the workspace, so that a change can keep its encoding and the rest of its content. */
import { closeSync, readFileSync } from "node:fs";
import { sha256Of } from "../../image.ts";
import { isSeenWhole } from "../../seen-file.ts";
import type { ToolContext } from "../../tool.ts";
import { ToolError } from "../tool-error.ts";
import { type Decoded, decode, legacyEncodingOf } from "./edits/text-form.ts";
import { openToRead, type ResolvedPath, type Workspace } from "./paths/workspace.ts";

/** A larger file is not changed: it has to be read as a whole, in one turn. */
export const MAX_TEXT_BYTES = 20_000_000;

/** @throws ToolError for a file that is too large, or whose encoding a change could not keep */
export function readTextFile(workspace: Workspace, place: ResolvedPath): Decoded & { bytes: Buffer; sha256: string } {
  const bytes = readBytes(workspace, place);
  const decoded = decode(bytes);
  if (decoded === undefined) throw new ToolError(cannotKeep(place, bytes));
  return { ...decoded, bytes, sha256: sha256Of(bytes) };
}

function readBytes(workspace: Workspace, place: ResolvedPath): Buffer {
  const { descriptor, stats } = openToRead(workspace, place);
  try {
    if (stats.size <= MAX_TEXT_BYTES) return readFileSync(descriptor);
    throw new ToolError(`${place.shown} has ${stats.size} bytes; files up to ${MAX_TEXT_BYTES} can be changed.`);
  } finally {
    closeSync(descriptor);
  }
}

function cannotKeep({ shown }: ResolvedPath, bytes: Buffer): string {
  if (bytes.includes(0)) return `${shown} is a binary file (${bytes.length} bytes), not text. It was not changed.`;
  const { name } = legacyEncodingOf(bytes);
  return `${shown} is not UTF-8 text, but probably ${name}: a change would damage it, so it was not changed. If its readers allow it, convert it to UTF-8 first.`;
}

/**
 * A whole-file write replaces only what its author knows.
 * @throws ToolError if the child has not seen the content with this hash, whole
 */
export function checkSeen({ shown }: ResolvedPath, sha256: string, { seen }: ToolContext): void {
  const known = seen?.get(shown);
  if (known?.sha256 === sha256 && isSeenWhole(known)) return;
  if (known === undefined) {
    throw new ToolError(
      `${shown} exists, and you have not read it: its content would be lost. It was not changed. Read it first, or edit a part of it.`,
    );
  }
  throw new ToolError(
    known.sha256 === sha256
      ? `You have read only a part of ${shown}: the rest would be lost. It was not changed. Read the rest first, or edit a part of it.`
      : `${shown} has changed since you last read or wrote it: somebody else's work would be lost. It was not changed. Read it again, and keep what is new there.`,
  );
}
