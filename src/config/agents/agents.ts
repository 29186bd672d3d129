/**
 * Agent definitions available in a directory: those of the config, then the files of other tools, from the working
 * directory up to the root of its repository, then those in the user's home. The first of each name wins, but what an
 * untrusted project defines comes last. A project's files are not the user's own: they can choose only among what the
 * user has, and cannot link outside the project.
 */
import { type Dirent, existsSync, opendirSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, sep } from "node:path";
import type { AgentDefinition, Agents } from "../../agent-definition.ts";
import { errorMessage, type Warning } from "../../errors.ts";
import { readForeignText } from "../../system/foreign-file.ts";
import type { Environment } from "../../template.ts";
import { shortLine } from "../../text/short-line.ts";
import { isWithin } from "../../values/path-within.ts";
import { present } from "../../values/present.ts";
import { type AgentFileRead, type AgentFormat, readAgentFile } from "./agent-file.ts";

/** An agent definition file, and what was read of it. */
export type AgentFile = { path: string; format: AgentFormat; name: string } & AgentOrigin & FileContent;

/** `isTrusted`: the user's own, or of a project whose config is trusted. */
type AgentOrigin = { isProjectScoped: boolean; isTrusted: boolean };
/** `isShared`: the text may be that of a file elsewhere. */
type FileContent = { text: string; isShared: boolean } | { unreadable: string };

/** Folders of each tool, under a project's directory. The first definition of a name wins. */
const PROJECT_FOLDERS: readonly [folder: string, format: AgentFormat][] = [
  [join(".claude", "agents"), "claude"],
  [join(".opencode", "agent"), "opencode"],
  [join(".opencode", "agents"), "opencode"],
];
/** Limits of one folder, higher than anybody needs. */
const MAX_FILES = 300;
const MAX_ENTRIES = 5_000;
const MAX_DEPTH = 8;
const MAX_BYTES = 256 * 1024;
/** Longest time to parse a project's definitions, in milliseconds: nobody has reviewed them yet. */
const MAX_PARSE_MS = 3_000;

/**
 * Parses files when a definition is first needed: most runs name none.
 * @param configured definitions in the config, which take precedence
 */
export function agentsOf(configured: readonly AgentDefinition[], files: readonly AgentFile[]): Agents {
  let parsed: Agents | undefined;
  const agents = () => (parsed ??= parseAgents(configured, files));
  return {
    get definitions() {
      return agents().definitions;
    },
    get warnings() {
      return agents().warnings;
    },
  };
}

/** The definitions so far, by name in small letters. */
type FoundAgents = Map<string, { agent: AgentDefinition; isTrusted: boolean }>;

function parseAgents(configured: readonly AgentDefinition[], files: readonly AgentFile[]): Agents {
  const found: FoundAgents = new Map();
  const warnings: Warning[] = [];
  const deadline = performance.now() + MAX_PARSE_MS;

  function addFiles(isTrusted: boolean): void {
    for (const file of files) {
      const { path: source, isProjectScoped } = file;
      if (file.isTrusted !== isTrusted) continue;
      const isLate = isProjectScoped && performance.now() > deadline;
      const read = isLate ? unreadable(source, TOO_SLOW) : readFound(file);
      if ("agent" in read) {
        const agent = { ...read.agent, source, isProjectScoped };
        addTo(found, isTrusted ? agent : { ...agent, warnings: routeWarnings(agent) }, isTrusted);
      }
      if ("errors" in read)
        warnings.push({
          code: "agent-unreadable",
          message: `The agent definition is ignored. ${read.errors.join("; ")}`,
        });
    }
  }

  for (const agent of configured) if (!agent.isProjectScoped) addTo(found, agent, true);
  addFiles(true);
  for (const agent of configured) if (agent.isProjectScoped) addTo(found, agent, false);
  addFiles(false);
  const definitions = [...found.values()].map(({ agent }) => agent);
  return { definitions: definitions.sort((a, b) => a.name.localeCompare(b.name, "en")), warnings };
}

/** Adds a definition, unless its name is taken. */
function addTo(found: FoundAgents, agent: AgentDefinition, isTrusted: boolean): void {
  const key = agent.name.toLowerCase();
  const first = found.get(key);
  if (first === undefined) return void found.set(key, { agent, isTrusted });
  first.agent.notes.push(`it overrides ${agent.source}`);
  if (!isTrusted && first.isTrusted)
    first.agent.warnings = [...(first.agent.warnings ?? []), notReplaced(first.agent, agent)];
}

function notReplaced({ name, source }: AgentDefinition, other: AgentDefinition): Warning {
  return {
    code: "untrusted-agent",
    message:
      `${other.source}: a project that is not trusted cannot replace your agent ${name} of ${source}: yours is used. ` +
      "Rename one of them, or trust the project's .deputy/config.yaml with `deputy config trust`.",
  };
}

/** Warns if an untrusted project's file chooses the route of its agent. */
function routeWarnings({ name, source, model, provider, reasoning_effort }: AgentDefinition): Warning[] {
  const fields = Object.entries({ model: model === "inherit" ? undefined : model, provider, reasoning_effort });
  const set = fields.filter(([, value]) => value !== undefined).map(([key, value]) => `${key} to ${shownValue(value)}`);
  if (set.length === 0) return [];
  return [
    { code: "untrusted-route", message: `${source} (not trusted) sets, for its agent ${name}, ${set.join(", ")}.` },
  ];
}

function shownValue(value: unknown): string {
  return shortLine(typeof value === "string" ? value : JSON.stringify(value), MAX_SHOWN);
}

const MAX_SHOWN = 80;
const TOO_SLOW = `expected the project's definitions to take at most ${MAX_PARSE_MS} ms; found that they take longer`;

/** In a project, a link or a second name may lead to a secret: an error would quote from it. */
function readFound(file: AgentFile): AgentFileRead {
  if ("unreadable" in file) return unreadable(file.path, file.unreadable);
  const read = readAgentFile(file.path, file.text, file.format, file.name);
  return "errors" in read && file.isProjectScoped && file.isShared ? unreadable(file.path, NOT_QUOTED) : read;
}

const NOT_QUOTED =
  "expected an agent definition; found errors. They are not shown: the file is a link or has a second name. Put a plain " +
  "file in its place";

function unreadable(path: string, reason: string): { errors: string[] } {
  return { errors: [`${path}: ${reason}`] };
}

/**
 * The definition files for a working directory, nearest first.
 * @param trusted directory of a project whose config is trusted: the files of the same repository in it are, too
 */
export function readAgentFiles(env: Environment, cwd: string, trusted: string | undefined): AgentFile[] {
  const home = env.HOME || homedir();
  const configHome = env.XDG_CONFIG_HOME?.trim() || join(home, ".config");
  const upward = directoriesUpward(cwd);
  const trustedRoot = upward.find((directory) => directory === trusted);
  const projectFolders = upward
    .filter((directory) => directory !== home)
    .flatMap((directory) => PROJECT_FOLDERS.map(([folder, format]) => ({ base: directory, folder, format })));
  const ofUser = [
    ...PROJECT_FOLDERS.map(([folder, format]) => ({ base: home, folder, format })),
    ...["agent", "agents"].map((folder) => ({
      base: join(configHome, "opencode"),
      folder,
      format: "opencode" as const,
    })),
  ];
  return [
    ...projectFolders.flatMap(({ base, folder, format }) => {
      const isTrusted = trustedRoot !== undefined && isWithin(trustedRoot, base);
      return filesIn(base, folder, format, { isProjectScoped: true, isTrusted });
    }),
    ...ofUser.flatMap(({ base, folder, format }) =>
      filesIn(base, folder, format, { isProjectScoped: false, isTrusted: true }),
    ),
  ];
}

/** From a directory up to the root of its repository; without a repository, only the directory itself. */
function directoriesUpward(cwd: string): string[] {
  const upward = [cwd];
  for (let directory = cwd; !existsSync(join(directory, ".git")); ) {
    const parent = dirname(directory);
    if (parent === directory) return [cwd];
    upward.push(parent);
    directory = parent;
  }
  return upward;
}

function filesIn(base: string, folder: string, format: AgentFormat, origin: AgentOrigin): AgentFile[] {
  const root = join(base, folder);
  const { isProjectScoped } = origin;
  const at = { format, ...origin };
  const failed = (unreadable: string): AgentFile => ({ path: root, name: folder, ...at, unreadable });
  try {
    if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) return [];
    const { names, skipped } = definitionsBelow(root, isProjectScoped ? base : undefined);
    const files = names.slice(0, MAX_FILES).map((name): AgentFile => {
      const path = join(root, name);
      return { path, name: nameOf(name, format), ...at, ...readDefinition(path, isProjectScoped ? base : undefined) };
    });
    if (names.length > MAX_FILES) skipped.add(TOO_MANY);
    return [...files, ...[...skipped].map(failed)];
  } catch (error) {
    return [failed(`it cannot be read: ${errorMessage(error)}`)];
  }
}

const TOO_MANY =
  `expected at most ${MAX_FILES} definitions, among ${MAX_ENTRIES} files and folders, ${MAX_DEPTH} levels deep; found ` +
  "more. The rest is ignored";
const LEADS_OUT = "it is or contains a link to a folder outside of its project";

/**
 * Paths of the definitions below a folder, sorted, and why some may be missing. A link to a folder is followed once, to
 * avoid cycles.
 * @param within directory that links must not leave
 */
function definitionsBelow(root: string, within: string | undefined): { names: string[]; skipped: Set<string> } {
  const names: string[] = [];
  const seen = new Set<string>();
  const skipped = new Set<string>();
  let entriesLeft = MAX_ENTRIES;

  function walk(path: string): void {
    const folder = join(root, path);
    const real = realpathSync(folder);
    if (seen.has(real)) return;
    if (within !== undefined && !isWithin(realpathSync(within), real)) return void skipped.add(LEADS_OUT);
    seen.add(real);
    const { entries, isCut } = entriesOf(folder, entriesLeft);
    entriesLeft -= entries.length;
    if (isCut) skipped.add(TOO_MANY);
    for (const entry of entries) {
      const name = join(path, entry.name);
      if (isFolder(entry, join(root, name))) {
        if (name.split(sep).length < MAX_DEPTH) walk(name);
        else skipped.add(TOO_MANY);
      } else if (isDefinition(name)) names.push(name);
    }
  }

  walk("");
  return { names: names.sort(), skipped };
}

/** Reads the first entries of a folder. */
function entriesOf(folder: string, most: number): { entries: Dirent[]; isCut: boolean } {
  const entries: Dirent[] = [];
  const directory = opendirSync(folder);
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      if (entries.length === most) return { entries, isCut: true };
      entries.push(entry);
    }
    return { entries, isCut: false };
  } finally {
    directory.closeSync();
  }
}

function isFolder(entry: Dirent, path: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // The link is dangling or circular.
  }
}

/** Excludes a folder's own documentation. */
function isDefinition(name: string): boolean {
  return /\.md$/i.test(name) && !/(^|[\\/])readme\.md$/i.test(name);
}

/** opencode names an agent by its path below the folder (`review/security`), Claude Code by the file name alone. */
function nameOf(relativePath: string, format: AgentFormat): string {
  const parts = relativePath.replace(/\.md$/i, "").split(sep);
  return format === "opencode" ? parts.join("/") : (parts.at(-1) ?? "");
}

/** @param within directory that links must not leave */
function readDefinition(path: string, within: string | undefined): FileContent {
  const found = readForeignText(path, {
    ...present({ within: within === undefined ? undefined : [within] }),
    maxBytes: MAX_BYTES,
  });
  return found ?? { unreadable: "expected a file; found a dangling link" };
}
