/**
 * The agent definitions that hold for a place: those of the config, then the files of other tools, from the working
 * directory upward to the root of its repository, then those in the user's home. The first of a name holds. Files of a
 * project are not the user's own: they may only choose among what the user has, and lead nowhere outside of it.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import type { Warning } from "../errors.ts";
import { type AgentFormat, readAgentFile } from "./agent-file.ts";
import type { AgentConfig, Config } from "./schema.ts";
import type { Environment } from "./template.ts";

export type AgentDefinition = AgentConfig & {
  name: string;
  /** Of its toolsets only these tools, by name; absent = all of them. */
  tools?: string[];
  /** `file:line` of the config, or a file of its own. */
  source: string;
  /** It comes with the project: what a model may choose binds it, too. */
  ofProject: boolean;
  /** What of it has no effect here. */
  notes: string[];
};

export type Agents = {
  /** One of each name, in any case; by name. */
  definitions: AgentDefinition[];
  /** Files that cannot be read. */
  warnings: Warning[];
};

/** Those of a config. @param placeOf where each stands, and whether that is the project's */
export function configuredAgents(
  config: Pick<Config, "agents">,
  placeOf: (name: string) => Pick<AgentDefinition, "source" | "ofProject"> = (name) => ({
    source: `agents.${name}`,
    ofProject: false,
  }),
): AgentDefinition[] {
  return Object.entries(config.agents).map(([name, agent]) => ({ ...agent, name, notes: [], ...placeOf(name) }));
}

/** A file of an agent definition, with what was read of it. */
export type AgentFile = { path: string; format: AgentFormat; name: string; ofProject: boolean } & (
  | { text: string }
  | { unreadable: string }
);

/** Where each tool keeps them, under a project's directory. The first of a name holds. */
const PROJECT_FOLDERS: readonly [folder: string, format: AgentFormat][] = [
  [join(".claude", "agents"), "claude"],
  [join(".opencode", "agent"), "opencode"],
  [join(".opencode", "agents"), "opencode"],
];
/** More than anybody has, in one folder. */
const MAX_FILES = 300;
const MAX_BYTES = 256 * 1024;

/** @param configured those of the config, which go first */
export function agentsOf(configured: readonly AgentDefinition[], files: readonly AgentFile[]): Agents {
  const found = new Map<string, AgentDefinition>();
  const warnings: Warning[] = [];
  const add = (agent: AgentDefinition) => {
    const key = agent.name.toLowerCase();
    const first = found.get(key);
    if (first === undefined) found.set(key, agent);
    else first.notes.push(`it goes before ${agent.source}`);
  };
  for (const agent of configured) add(agent);
  for (const file of files) {
    const { path: source, ofProject } = file;
    const read = "text" in file ? readAgentFile(source, file.text, file.format, file.name) : unreadable(file);
    if ("agent" in read) add({ ...read.agent, source, ofProject });
    if ("mistakes" in read)
      warnings.push({
        code: "agent-unreadable",
        message: `The agent definition is left out. ${read.mistakes.join("; ")}`,
      });
  }
  return { definitions: [...found.values()].sort((a, b) => a.name.localeCompare(b.name, "en")), warnings };
}

function unreadable({ path, unreadable: reason }: { path: string; unreadable: string }): { mistakes: string[] } {
  return { mistakes: [`${path}: ${reason}`] };
}

/** The files that hold for a working directory, nearest first. */
export function readAgentFiles(env: Environment, cwd: string): AgentFile[] {
  const home = env.HOME || homedir();
  const configHome = env.XDG_CONFIG_HOME?.trim() || join(home, ".config");
  const ofProject = directoriesUpward(cwd)
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
    ...ofProject.flatMap(({ base, folder, format }) => filesIn(base, folder, format, true)),
    ...ofUser.flatMap(({ base, folder, format }) => filesIn(base, folder, format, false)),
  ];
}

/** From a directory up to the root of its repository; without one, only the directory itself. */
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

function filesIn(base: string, folder: string, format: AgentFormat, ofProject: boolean): AgentFile[] {
  const root = join(base, folder);
  try {
    if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) return [];
    const names = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(isDefinition);
    return names
      .sort()
      .slice(0, MAX_FILES)
      .map((name) => {
        const path = join(root, name);
        return { path, format, name: nameOf(name, format), ofProject, ...readText(path, ofProject ? base : undefined) };
      });
  } catch (error) {
    return [{ path: root, format, name: folder, ofProject, unreadable: `it cannot be read: ${reasonOf(error)}` }];
  }
}

/** A folder may say what it is for. */
function isDefinition(name: string): boolean {
  return /\.md$/i.test(name) && !/(^|[\\/])readme\.md$/i.test(name);
}

/** opencode names an agent by its place under the folder (`review/security`), Claude Code by the file alone. */
function nameOf(relativePath: string, format: AgentFormat): string {
  const parts = relativePath.replace(/\.md$/i, "").split(sep);
  return format === "opencode" ? parts.join("/") : (parts.at(-1) ?? "");
}

/** @param within where links may not lead out of */
function readText(path: string, within: string | undefined): { text: string } | { unreadable: string } {
  try {
    if (within !== undefined && !isWithin(realpathSync(within), realpathSync(path)))
      return { unreadable: "it is a link that leads out of its project" };
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) return { unreadable: "expected a file; found something else" };
      if (stats.size > MAX_BYTES) return { unreadable: `expected at most ${MAX_BYTES} bytes; found ${stats.size}` };
      const bytes = Buffer.alloc(stats.size);
      return { text: bytes.subarray(0, readSync(descriptor, bytes)).toString("utf8") };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return { unreadable: `it cannot be read: ${reasonOf(error)}` };
  }
}

function isWithin(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== ".." && !way.startsWith(`..${sep}`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
