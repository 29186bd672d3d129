/** `glob` finds files by name, `grep` by content: both use ripgrep, which applies .gitignore. */
import { basename, join, relative, resolve } from "node:path";
import { z } from "zod";
import type { Tool, ToolContext, ToolOutput, ToolSubject } from "../../tool.ts";
import { isWithin } from "../../values/path-within.ts";
import { headOf } from "../cut.ts";
import { ToolError } from "../tool-error.ts";
import { nameInLine } from "./name-in-line.ts";
import { fileSubject, isDirectory } from "./paths/file-subject.ts";
import { createOwnCheck } from "./paths/own-files.ts";
import { compilePathPattern, compilePathPatterns } from "./paths/path-pattern.ts";
import { locate, missing, type ResolvedPath, realRoot, statsOf, type Workspace } from "./paths/workspace.ts";
import { ripgrep, type SearchEnd } from "./ripgrep.ts";
import { createSelection, type Selection } from "./selection.ts";

const MAX_FILES = 500;
const MAX_MATCHES = 200;
/** Files that a note names. */
const MAX_NAMED = 5;
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
    subject: ({ pattern, path = "." }) => ({ ...searchSubject(workspace, path, "list"), searched: pattern }),
    run: async ({ pattern, path = "." }, context) => {
      const scope = await openScope(workspace, path, context);
      const matches = compilePathPattern(withinScope(scope, pattern));
      const matchesCase = ignoringCase(matches, pattern);
      const found = createListing(MAX_FILES, "files");
      const otherCase = createListing(MAX_NAMED, "files");
      const selection = createSelection(workspace, path, "list", context);
      const end = await listFiles(scope, [], selection, context.signal, (file, name) => {
        if (matches(name)) return found.add(bare(file));
        if (matchesCase(name)) otherCase.add(bare(file));
        return true;
      });
      const nothing = `No matches: no file under ${scope.place.shown} matches ${pattern}.`;
      const notes = found.isEmpty() ? otherCase.named("Named so in another case") : [];
      if (found.isEmpty() && isDone(end)) notes.push(...(await ignoredFiles(scope, path, matches, context)));
      return found.output(end, nothing, [...notes, ...selection.leftOut()]);
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
    .describe("Only such files: `*.ts`, `*.ts,*.tsx`, `!*.test.ts`, `src/**/*.ts`."),
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
    subject: ({ pattern, path = "." }) => ({ ...searchSubject(workspace, path, "read"), searched: pattern }),
    run: async ({ pattern, path = ".", include, ignore_case: ignoreCase }, context) => {
      const scope = await openScope(workspace, path, context);
      const isIncluded = includes(scope, include);
      const found = createListing(MAX_MATCHES, "lines");
      const selection = createSelection(workspace, path, "read", context);
      const selected = new Set<string>();
      const select = (file: string) => selected.add(file) !== undefined;
      const listed = await listFiles(scope, ["--sort=none"], selection, context.signal, select, isIncluded);
      if (listed.timedOut) return found.output(listed, "No matches.", []);
      const regex = regexArgs(pattern, ignoreCase);
      const end = await searchLines(scope, regex, selected, context.signal, (line) => found.add(line));
      const unsearched =
        found.isEmpty() && isDone(end) ? await unsearchedFiles(scope, path, regex, isIncluded, selected, context) : [];
      return found.output(end, "No matches.", [...splitNames(selected), ...unsearched, ...selection.leftOut()]);
    },
  };
}

/**
 * `$` is also in front of CR LF, unless the pattern itself names the CR. A word is found in either Unicode normal form;
 * in brackets, it would be several characters in one of them.
 */
function regexArgs(pattern: string, ignoreCase = false): string[] {
  const spellings = pattern.includes("[") ? [pattern] : [pattern, pattern.normalize("NFC"), pattern.normalize("NFD")];
  return [
    ...(ignoreCase ? ["--ignore-case"] : []),
    ...(/\\r|\\[xu]\{?0*d|\r/i.test(pattern) ? [] : ["--crlf"]),
    ...[...new Set(spellings)].map((spelling) => `--regexp=${spelling}`),
  ];
}

/** Where a search looks: `options` keep it out of what no search shows. */
type Scope = {
  workspace: Workspace;
  place: ResolvedPath;
  base: string;
  options: readonly string[];
  isOwn(path: string): boolean;
};

/** The ignore rules of directories around a place do not apply to a search of it if they leave nothing there. */
async function openScope(workspace: Workspace, path: string, { signal }: ToolContext): Promise<Scope> {
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
function listFiles(
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

function searchLines(
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

// What was left out --------------------------------------------------------------------------------------------------

const ADVICE = "Give one as path to search it anyway";

/** Names files that only ignore rules keep from being found. */
async function ignoredFiles(
  scope: Scope,
  path: string,
  matches: (name: string) => boolean,
  context: ToolContext,
): Promise<string[]> {
  const ignored = createListing(MAX_NAMED, "files");
  const selection = createSelection(scope.workspace, path, "list", context);
  await listFiles(scope, ["--no-ignore"], selection, context.signal, (file, name) =>
    matches(name) ? ignored.add(bare(file)) : true,
  );
  return ignored.named("Left out by .gitignore or another ignore file");
}

/** Names files that are not searched because of their path. */
function splitNames(selected: ReadonlySet<string>): string[] {
  const names = createListing(MAX_NAMED, "files");
  for (const file of selected) if (file.includes("\n") && !names.add(bare(file))) break;
  return names.named("Not searched, because a line feed is in the path. read_file shows the file");
}

/** Names files whose content matches, but which grep does not search: ignored and binary ones. */
async function unsearchedFiles(
  scope: Scope,
  path: string,
  regex: string[],
  isIncluded: (name: string) => boolean,
  searched: ReadonlySet<string>,
  context: ToolContext,
): Promise<string[]> {
  const readable = new Set<string>();
  const selection = createSelection(scope.workspace, path, "read", context);
  const select = (file: string) => readable.add(file) !== undefined;
  await listFiles(scope, ["--no-ignore", "--sort=none"], selection, context.signal, select, isIncluded);
  const ignored = createListing(MAX_NAMED, "files");
  const binary = createListing(MAX_NAMED, "files");
  const { base, options, place } = scope;
  await ripgrep(
    [...options, "--no-ignore", "--text", "--files-with-matches", "--null", ...regex, "--", searchArgument(place)],
    base,
    NUL,
    ({ text }) => !readable.has(text) || (searched.has(text) ? binary : ignored).add(bare(text)),
    context.signal,
  );
  return [
    ...ignored.named(`Left out by .gitignore or another ignore file, but with matches. ${ADVICE}`),
    ...binary.named("Binary files with matches, which are not shown"),
  ];
}

function isDone({ timedOut, problem }: SearchEnd): boolean {
  return !timedOut && problem === undefined;
}

// Patterns -----------------------------------------------------------------------------------------------------------

/** An absolute pattern that starts with the searched directory, as a pattern relative to it. */
function withinScope({ place, workspace }: Scope, pattern: string): string {
  const start = [place.real, resolve(workspace.root, place.shown)].find((each) => pattern.startsWith(`${each}/`));
  return start === undefined ? pattern : pattern.slice(start.length + 1);
}

/** Whether a file's name fits: relative to the searched directory, or to the workspace. */
function includes(scope: Scope, include: string | undefined): (name: string) => boolean {
  if (include === undefined) return () => true;
  const matches = compilePathPatterns(withinScope(scope, include));
  const isNegated = /^!|[\s,]!/.test(include);
  return (name) => matches(name) || (!isNegated && matches(join(scope.place.shown, name)));
}

function ignoringCase(matches: (name: string) => boolean, pattern: string): (name: string) => boolean {
  const folded = compilePathPattern(pattern.toLowerCase());
  return (name) => !matches(name) && folded(name.toLowerCase());
}

/** A directory shows only what a rule allows below it. */
function searchSubject(workspace: Workspace, path: string, access: "list" | "read"): ToolSubject {
  return fileSubject(workspace, path, isDirectory(workspace, path) ? "list" : access);
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
function bare(path: string): string {
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
    isEmpty: () => lines.length === 0,
    /** A note that names the files, if there are any. */
    named: (what: string) => (lines.length === 0 ? [] : [`[${what}: ${lines.join(", ")}${cut ? ", …" : ""}]`]),
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
