/**
 * Agent definitions available in a directory: those of the config, then the files of other tools, from the working
 * directory up to the root of its repository, then those in the user's home. The first of each name wins. A project's
 * files are not the user's own: they can choose only among what the user has, and cannot link outside the project.
 */
import { type Dirent, existsSync, opendirSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, sep } from "node:path";
import type { AgentDefinition, Agents } from "../agent-definition.ts";
import { errorMessage, type Warning } from "../errors.ts";
import { isWithin } from "../path-within.ts";
import { present } from "../present.ts";
import { readForeignText } from "../system/foreign-file.ts";
import type { Environment } from "../template.ts";
import { type AgentFileRead, type AgentFormat, readAgentFile } from "./agent-file.ts";

/** An agent definition file, and what was read of it. */
export type AgentFile = { path: string; format: AgentFormat; name: string; isProjectScoped: boolean } & (
  | { text: string }
  | { unreadable: string }
);

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

function parseAgents(configured: readonly AgentDefinition[], files: readonly AgentFile[]): Agents {
  const found = new Map<string, AgentDefinition>();
  const warnings: Warning[] = [];
  const add = (agent: AgentDefinition) => {
    const key = agent.name.toLowerCase();
    const first = found.get(key);
    if (first === undefined) found.set(key, agent);
    else first.notes.push(`it overrides ${agent.source}`);
  };
  for (const agent of configured) add(agent);
  const deadline = performance.now() + MAX_PARSE_MS;
  for (const file of files) {
    const { path: source, isProjectScoped } = file;
    const isLate = isProjectScoped && performance.now() > deadline;
    const read = isLate ? unreadable(source, TOO_SLOW) : readFound(file);
    if ("agent" in read) add({ ...read.agent, source, isProjectScoped });
    if ("errors" in read)
      warnings.push({
        code: "agent-unreadable",
        message: `The agent definition is ignored. ${read.errors.join("; ")}`,
      });
  }
  return { definitions: [...found.values()].sort((a, b) => a.name.localeCompare(b.name, "en")), warnings };
}

const TOO_SLOW = `expected the project's definitions to take at most ${MAX_PARSE_MS} ms; found that they take longer`;

function readFound(file: AgentFile): AgentFileRead {
  return "text" in file
    ? readAgentFile(file.path, file.text, file.format, file.name)
    : unreadable(file.path, file.unreadable);
}

function unreadable(path: string, reason: string): { errors: string[] } {
  return { errors: [`${path}: ${reason}`] };
}

/** The definition files for a working directory, nearest first. */
export function readAgentFiles(env: Environment, cwd: string): AgentFile[] {
  const home = env.HOME || homedir();
  const configHome = env.XDG_CONFIG_HOME?.trim() || join(home, ".config");
  const projectFolders = directoriesUpward(cwd)
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
    ...projectFolders.flatMap(({ base, folder, format }) => filesIn(base, folder, format, true)),
    ...ofUser.flatMap(({ base, folder, format }) => filesIn(base, folder, format, false)),
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

function filesIn(base: string, folder: string, format: AgentFormat, isProjectScoped: boolean): AgentFile[] {
  const root = join(base, folder);
  const at = { format, isProjectScoped };
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
    return [failed(`it cannot be read: ${reasonOf(error)}`)];
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
function readDefinition(path: string, within: string | undefined): { text: string } | { unreadable: string } {
  const found = readForeignText(path, {
    ...present({ within: within === undefined ? undefined : [within] }),
    maxBytes: MAX_BYTES,
  });
  return found ?? { unreadable: "expected a file; found a dangling link" };
}

function reasonOf(error: unknown): string {
  return errorMessage(error);
}
