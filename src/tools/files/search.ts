/** `glob` finds files by name, `grep` by content: both use ripgrep, which applies .gitignore. */
import { join } from "node:path";
import { z } from "zod";
import type { Tool, ToolContext, ToolSubject } from "../../tool.ts";
import { createListing } from "./listing.ts";
import { fileSubject, isDirectory } from "./paths/file-subject.ts";
import { compilePathPattern, compilePathPatterns } from "./paths/path-pattern.ts";
import type { Workspace } from "./paths/workspace.ts";
import type { SearchEnd } from "./ripgrep.ts";
import { bare, listFiles, listMatchingFiles, openScope, type Scope, searchLines, withinScope } from "./search-scope.ts";
import { createSelection } from "./selection.ts";

const MAX_FILES = 500;
const MAX_MATCHES = 200;
/** Files that a note names. */
const MAX_NAMED = 5;

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
  await listMatchingFiles(
    scope,
    regex,
    context.signal,
    (file) => !readable.has(file) || (searched.has(file) ? binary : ignored).add(bare(file)),
  );
  return [
    ...ignored.named(`Left out by .gitignore or another ignore file, but with matches. ${ADVICE}`),
    ...binary.named("Binary files with matches, which are not shown"),
  ];
}

function isDone({ timedOut, problem }: SearchEnd): boolean {
  return !timedOut && problem === undefined;
}

/** Returns whether a file's name fits: relative to the searched directory, or to the workspace. */
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
