/** The place that `glob` or `grep` searches, and the runs of ripgrep there. */
import { basename, relative, resolve } from "node:path";
import type { ToolContext } from "../../tool.ts";
import { isWithin } from "../../values/path-within.ts";
import { headOf } from "../cut.ts";
import { ToolError } from "../tool-error.ts";
import { createListing } from "./listing.ts";
import { nameInLine } from "./name-in-line.ts";
import { createOwnCheck } from "./paths/own-files.ts";
import { locate, missing, type ResolvedPath, realRoot, statsOf, type Workspace } from "./paths/workspace.ts";
import { ripgrep, type SearchEnd } from "./ripgrep.ts";
import type { Selection } from "./selection.ts";

const MAX_LINE_CHARACTERS = 1_000;
/** ripgrep names longer lines without showing them. */
const MAX_LINE_BYTES = 10_000;

const LINE_FEED = 10;
const NUL = 0;

/** The place that a search looks at. `options` keep ripgrep out of what no search shows. */
export type Scope = {
  workspace: Workspace;
  place: ResolvedPath;
  base: string;
  options: readonly string[];
  isOwn(path: string): boolean;
};

/** The ignore rules of directories around a place do not apply to a search of it if they leave nothing there. */
export async function openScope(workspace: Workspace, path: string, { signal }: ToolContext): Promise<Scope> {
  const place = existing(workspace, path);
  const base = realRoot(workspace);
  const { isOwn, paths } = createOwnCheck(workspace.own);
  const options = leavingOut(paths, base);
  const args = [...options, "--files", "--sort=none", "--null", "--", searchArgument(place)];
  const first = createListing(1, "files");
  await ripgrep(args, base, NUL, ({ text }) => first.add(text), signal);
  return { workspace, place, base, options: first.isEmpty() ? [...options, "--no-ignore-parent"] : options, isOwn };
}

/**
 * Lists the files that a search may show, as ripgrep names them and relative to the searched place. Grep knows them
 * before it searches, because what it finds in a file that is left out must not show, not even as a count.
 * @param isWanted only such files are listed, or counted as left out
 */
export function listFiles(
  { place, base, options, isOwn }: Scope,
  more: string[],
  selection: Selection,
  signal: AbortSignal,
  onFile: (file: string, name: string) => boolean,
  isWanted: (name: string) => boolean = () => true,
): Promise<SearchEnd> {
  return ripgrep(
    [...options, ...more, "--files", "--null", "--", searchArgument(place)],
    base,
    NUL,
    ({ text }) => {
      const path = relative(place.real, resolve(base, text));
      const name = path === "" ? basename(place.real) : path;
      if (isOwn(resolve(base, text)) || !isWanted(name) || (path !== "" && !selection.includes(path))) return true;
      return onFile(text, name);
    },
    signal,
  );
}

export function searchLines(
  { place, base, options }: Scope,
  regex: string[],
  selected: ReadonlySet<string>,
  signal: AbortSignal,
  onLine: (line: string) => boolean,
): Promise<SearchEnd> {
  let isShown = false; // A line without a path belongs to the file of the line before it.
  return ripgrep(
    [
      ...options,
      ...["--line-number", "--with-filename", "--null", "--no-heading", `--max-columns=${MAX_LINE_BYTES}`],
      // Where paths and lines both end with a line feed, such a path could pass for another one.
      "--glob=!*\n*",
      ...[...regex, "--", searchArgument(place)],
    ],
    base,
    LINE_FEED,
    ({ text }) => {
      const [path, line] = text.split("\0", 2);
      if (path !== undefined && line !== undefined) isShown = selected.has(path);
      return !isShown || onLine(shownMatch(text));
    },
    signal,
  );
}

/** Lists the files whose content matches, ignored and binary ones too, as ripgrep names them. */
export function listMatchingFiles(
  { place, base, options }: Scope,
  regex: string[],
  signal: AbortSignal,
  onFile: (file: string) => boolean,
): Promise<SearchEnd> {
  return ripgrep(
    [...options, "--no-ignore", "--text", "--files-with-matches", "--null", ...regex, "--", searchArgument(place)],
    base,
    NUL,
    ({ text }) => onFile(text),
    signal,
  );
}

/** An absolute pattern that starts with the searched directory, as a pattern relative to it. */
export function withinScope({ place, workspace }: Scope, pattern: string): string {
  const start = [place.real, resolve(workspace.root, place.shown)].find((each) => pattern.startsWith(`${each}/`));
  return start === undefined ? pattern : pattern.slice(start.length + 1);
}

function existing(workspace: Workspace, path: string): ResolvedPath {
  const place = locate(workspace, path);
  if (place.real.includes("\n")) throw new ToolError("A path with a line feed in it cannot be searched.");
  const stats = statsOf(place);
  if (stats === undefined) throw missing(workspace, place);
  if (stats.isDirectory() || stats.isFile()) return place;
  throw new ToolError(`${place.shown} is neither a file nor a directory.`);
}

/**
 * Keeps ripgrep out of Deputy's own directories below its working directory. This only saves work: each path that it
 * finds is checked anyway, because a file may have other names and an extra directory may contain some of them.
 */
function leavingOut(own: readonly string[], base: string): string[] {
  const below = own.filter((path) => isWithin(base, path)).map((path) => relative(base, path));
  return ["--iglob=!.deputy", ...below.map((path) => `--glob=!/${path.replaceAll(/[*?[\]{}\\]/g, "\\$&")}`)];
}

/** With `./` in front, a path can look neither like an option nor, if it is missing, like standard input. */
function searchArgument({ real, shown }: ResolvedPath): string {
  return shown === real ? real : `./${shown}`;
}

/** A path in ripgrep's output, without the prefix of `searchArgument`. */
export function bare(path: string): string {
  return nameInLine(path.replace(/^(\.\/)+/, ""));
}

/** Converts ripgrep's `path NUL line:text` to `path:line: text`. */
function shownMatch(text: string): string {
  const [, path, line, rest] = /^([^\0]*)\0(\d+):(.*)$/s.exec(text) ?? [];
  if (path === undefined || rest === undefined) return text;
  const found = rest.trimEnd();
  const isLong = found.length > MAX_LINE_CHARACTERS;
  return `${bare(path)}:${line}: ${isLong ? `${headOf(found, MAX_LINE_CHARACTERS)}[… line cut]` : found}`;
}
