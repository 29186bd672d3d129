/** `glob` finds files by name, `grep` by content: both use ripgrep, which applies .gitignore. */
import { relative, resolve } from "node:path";
import { z } from "zod";
import { isWithin } from "../../path-within.ts";
import type { Tool, ToolOutput, ToolSubject } from "../../tool.ts";
import { headOf } from "../cut.ts";
import { ToolError } from "../tool-error.ts";
import { fileSubject, isDirectory } from "./file-subject.ts";
import { createOwnCheck } from "./own-files.ts";
import { compilePathPattern } from "./path-pattern.ts";
import { ripgrep, type SearchEnd } from "./ripgrep.ts";
import { createSelection, type Selection } from "./selection.ts";
import { locate, type ResolvedPath, realRoot, statsOf, type Workspace } from "./workspace.ts";

const MAX_FILES = 500;
const MAX_MATCHES = 200;
const MAX_LINE_CHARACTERS = 1_000;
/** ripgrep names longer lines without showing them. */
const MAX_LINE_BYTES = 10_000;
const MAX_CHARACTERS = 30_000;

const LINE_FEED = 10;
const NUL = 0;

const NO_NUL = [(text: string) => !text.includes("\0"), "Expected text without a NUL byte; found one."] as const;

const searchedPath = z.string().min(1).optional();

const globInput = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .max(1_000)
    .refine(...NO_NUL)
    .describe("`*.ts` (that name, at any depth), `src/**/*.test.ts`, `*.{md,txt}`. Relative to `path`."),
  path: searchedPath.describe("The directory to search, relative to the workspace. Default: the workspace."),
});

export function createGlob(workspace: Workspace): Tool<z.infer<typeof globInput>> {
  return {
    name: "glob",
    description:
      "Finds files of the workspace by name: `*` and `?` within a name, `**` for any directories, `{a,b}`, `[a-z]`. " +
      `Files that .gitignore excludes are not found. Paths are sorted, at most ${MAX_FILES}.`,
    effect: "read",
    input: globInput,
    subject: ({ path = "." }) => searchSubject(workspace, path, "list"),
    run: async ({ pattern, path = "." }, context) => {
      const place = existing(workspace, path);
      const matches = compilePathPattern(pattern);
      const base = realRoot(workspace);
      const found = createListing(MAX_FILES, "files");
      const { isOwn, paths } = createOwnCheck(workspace.own);
      const selection = createSelection(workspace, path, "list", context);
      const isWanted = (path: string) => {
        const name = relative(place.real, path);
        return (name === "" || selection.includes(name)) && matches(name) && !isOwn(path);
      };
      const end = await ripgrep(
        [...leavingOut(paths, base), "--files", "--null", "--", searchArgument(place)],
        base,
        NUL,
        ({ text }) => !isWanted(resolve(base, text)) || found.add(bare(text)),
        context.signal,
      );
      return found.output(end, `No matches: no file under ${place.shown} matches ${pattern}.`, selection.leftOut());
    },
  };
}

const grepInput = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .max(10_000)
    .refine(...NO_NUL)
    .describe("A regular expression (Rust syntax: no look-around, no backreferences)."),
  path: searchedPath.describe("The directory or file to search, relative to the workspace. Default: the workspace."),
  include: z
    .string()
    .min(1)
    .max(1_000)
    .refine(...NO_NUL)
    .optional()
    .describe("Only files with such names: `*.ts`, `*.{ts,tsx}`."),
  ignore_case: z.boolean().optional().describe("Ignore case. Default: false."),
});

export function createGrep(workspace: Workspace): Tool<z.infer<typeof grepInput>> {
  return {
    name: "grep",
    description:
      "Searches the content of the workspace's files, line by line, for a regular expression. Returns `path:line: text`, " +
      `sorted by path, at most ${MAX_MATCHES} lines. Binary files and those that .gitignore excludes are not searched.`,
    effect: "read",
    input: grepInput,
    subject: ({ path = "." }) => searchSubject(workspace, path, "read"),
    run: async ({ pattern, path = ".", include, ignore_case: ignoreCase }, context) => {
      const place = existing(workspace, path);
      const found = createListing(MAX_MATCHES, "lines");
      // As a file type and not as a glob: a glob would include what .gitignore excludes.
      const types = include === undefined ? [] : [`--type-add=wanted:${namePattern(include)}`, "--type=wanted"];
      const selection = createSelection(workspace, path, "read", context);
      const { isOwn, paths } = createOwnCheck(workspace.own);
      const base = realRoot(workspace);
      const options = [...leavingOut(paths, base), ...types];
      const files = await selectFiles(base, place, options, selection, context.signal);
      if (files.end.timedOut) return found.output(files.end, "No matches.", []);
      let isShown = false; // A line without a path belongs to the file of the line before it.
      const end = await ripgrep(
        [
          ...options,
          ...["--line-number", "--with-filename", "--null", "--no-heading", `--max-columns=${MAX_LINE_BYTES}`],
          ...(ignoreCase ? ["--ignore-case"] : []),
          ...[`--regexp=${pattern}`, "--", searchArgument(place)],
        ],
        base,
        LINE_FEED,
        ({ text }) => {
          const [path, line] = text.split("\0", 2);
          if (path !== undefined && line !== undefined)
            isShown = files.selected.has(path) && !isOwn(resolve(base, path));
          return !isShown || found.add(shownMatch(text));
        },
        context.signal,
      );
      return found.output(end, "No matches.", selection.leftOut());
    },
  };
}

/**
 * Lists the files that a search may show, as ripgrep names them. This is known before the search, because what it finds
 * in a file that is left out must not show, not even as a count.
 */
async function selectFiles(
  base: string,
  place: ResolvedPath,
  options: string[],
  selection: Selection,
  signal: AbortSignal,
): Promise<{ selected: ReadonlySet<string>; end: SearchEnd }> {
  const selected = new Set<string>();
  const end = await ripgrep(
    [...options, "--files", "--sort=none", "--null", "--", searchArgument(place)],
    base,
    NUL,
    ({ text }) => {
      const name = relative(place.real, resolve(base, text));
      if (name === "" || selection.includes(name)) selected.add(text);
      return true;
    },
    signal,
  );
  return { selected, end };
}

/** A directory shows only what a rule allows below it. */
function searchSubject(workspace: Workspace, path: string, access: "list" | "read"): ToolSubject {
  return fileSubject(workspace, path, isDirectory(workspace, path) ? "list" : access);
}

function existing(workspace: Workspace, path: string): ResolvedPath {
  const place = locate(workspace, path);
  const stats = statsOf(place);
  if (stats === undefined) throw new ToolError(`${place.shown} does not exist.`);
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

function namePattern(include: string): string {
  const name = include.replace(/^(\*\*\/)+/, "");
  if (name.includes("/")) throw new ToolError(`include matches names, without /; found ${include}. Use path as well.`);
  return name;
}

/** With `./` in front, a path can look neither like an option nor, if it is missing, like standard input. */
function searchArgument({ real, shown }: ResolvedPath): string {
  return shown === real ? real : `./${shown}`;
}

/** Removes the prefix of `searchArgument` from a path in ripgrep's output. */
function bare(path: string): string {
  return path.replace(/^(\.\/)+/, "");
}

/** Converts ripgrep's `path NUL line:text` to `path:line: text`. */
function shownMatch(text: string): string {
  const [, path, line, rest] = /^([^\0]*)\0(\d+):(.*)$/s.exec(text) ?? [];
  if (path === undefined || rest === undefined) return text;
  const found = rest.trimEnd();
  const isLong = found.length > MAX_LINE_CHARACTERS;
  return `${bare(path)}:${line}: ${isLong ? `${headOf(found, MAX_LINE_CHARACTERS)}[… line cut]` : found}`;
}

/** Collects lines for the model, until there are enough. */
function createListing(most: number, what: "files" | "lines") {
  const lines: string[] = [];
  let characters = 0;
  let cut = false;
  return {
    add(line: string): boolean {
      cut = lines.length === most || characters >= MAX_CHARACTERS;
      if (cut) return false;
      lines.push(line);
      characters += line.length;
      return true;
    },
    output({ timedOut, problem }: SearchEnd, nothing: string, leftOut: string[]): ToolOutput {
      const notes: string[] = [];
      if (cut) notes.push(`[Cut: only the first ${lines.length} ${what} are shown. Narrow the search.]`);
      if (timedOut) notes.push("[Stopped because it took too long: there may be more. Search a smaller directory.]");
      if (problem !== undefined) notes.push(problem);
      const ok = !timedOut && (problem === undefined || lines.length > 0);
      const text = [...lines, ...notes].join("\n") || nothing;
      return { ok, text: [text, ...leftOut].join("\n") };
    },
  };
}
