/** Shared by the tools that change files: checks of their input, and the report of their changes. */
import { sha256Of } from "../../../image.ts";
import { isSeenWhole } from "../../../seen-file.ts";
import type { SeenFile, ToolContext, ToolOutput } from "../../../tool.ts";
import { present } from "../../../values/present.ts";
import type { ResolvedPath } from "../paths/workspace.ts";
import { changedLines } from "./changed-lines.ts";
import { type Decoded, lineEndOf } from "./text-form.ts";

/** Half of a character cannot be stored: it would become U+FFFD, and so would the other half if it alone is replaced. */
export const WHOLE_CHARACTERS = [
  (text: string) => text.isWellFormed(),
  "Expected whole characters; found half of one (a lone surrogate). Nothing was changed.",
] as const;

/** One path's change. `before` and `after`: its text, empty if it does not exist. `told`: sentences for the model. */
export type ChangedFile = {
  place: ResolvedPath;
  before: string;
  after: string;
  told: readonly string[];
  seen: SeenFile | undefined;
};

export function changeReport(changes: readonly ChangedFile[]): ToolOutput {
  const seen = changes.flatMap((change) => change.seen ?? []);
  const compared = changes.flatMap(({ place, before, after }) => {
    const lines = changedLines(before, after);
    return lines === undefined ? [] : [[place.shown, lines] as const];
  });
  return {
    ok: true,
    text: changes.flatMap(({ told }) => (told.length > 0 ? [told.join(" ")] : [])).join("\n"),
    filesChanged: changes.map(({ place }) => place.shown),
    ...(seen.length > 0 && { seen }),
    ...(compared.length > 0 && { linesChanged: Object.fromEntries(compared) }),
  };
}

/** The new content with the former line ends, and what the model should know of that. */
export function inFormOf(before: Decoded, content: string): { text: string; kept: string[] } {
  const kept: string[] = [];
  const lineEnd = lineEndOf(before.text);
  const text = lineEnd === undefined || lineEnd === "\n" ? content : content.replaceAll(/\r?\n/g, lineEnd);
  if (text !== content) kept.push(`It still has ${lineEnd === "\r" ? "CR" : "CR LF"} line ends.`);
  if (lineEnd === undefined && before.text.includes("\r\n"))
    kept.push("Its line ends were mixed; they are as you wrote them.");
  if (before.hasMark) kept.push("It still starts with a byte order mark.");
  if (before.encoding !== "UTF-8") kept.push(`It is still ${before.encoding}.`);
  if (/[\r\n]$/.test(before.text) && !/[\r\n]$/.test(text)) kept.push("Its last line no longer ends with a line feed.");
  return { text, kept };
}

/** An edit shows nothing: the child knows the file after it if it knew it before. Parts have lost their line numbers. */
export function afterEdit(known: SeenFile | undefined, sha256: string, bytes: Buffer): SeenFile | undefined {
  if (known?.sha256 !== sha256) return undefined;
  const { path } = known;
  return { path, sha256: sha256Of(bytes), ...present({ to: isSeenWhole(known) ? undefined : 0 }) };
}

/** Says that somebody else has changed a file that the child knows, if it was. */
export function foreignChange({ shown }: ResolvedPath, sha256: string, { seen }: ToolContext): string[] {
  const known = seen?.get(shown);
  if (known === undefined || known.sha256 === sha256) return [];
  return [`${shown} has changed since you last read or wrote it: read it again before you rely on the rest of it.`];
}

export function otherNames(names: number): string[] {
  return names > 1 ? [`The file has ${names} names (hard links): it has changed under each.`] : [];
}

/** Unique, because a child changes one file at a time. */
export function temporaryName({ childId }: ToolContext): string {
  return `.deputy-${childId.replaceAll(/[^\w.-]/g, "_")}.tmp`;
}
